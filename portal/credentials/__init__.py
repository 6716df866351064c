"""Credentials: how people prove who they are, beside the password: mailed links, passkeys, codes."""
