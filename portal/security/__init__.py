"""Security: what happened to accounts, written down for their owners and for admins."""
