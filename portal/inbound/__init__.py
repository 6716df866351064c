"""Mails that come in: replies that become comments, and mails of ours that came back."""
