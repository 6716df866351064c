"""Sending mails."""


def send_due() -> int:
    """Stub."""
    return 0
