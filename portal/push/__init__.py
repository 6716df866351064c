"""Browsers that are told at once: which they are, the portal's keys, and how a message gets to one (RFC 8030, 8291)."""
