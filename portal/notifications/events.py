"""What can happen on the way to people."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class MailStuck(Event, name="mail.stuck"):
    """For half an hour no mail left the portal: since when, and what was said."""

    since: str
    said: str


@dataclass(frozen=True, kw_only=True)
class MailFlows(Event, name="mail.flows"):
    """Mails leave the portal again."""
