"""News about no idea: the rules, one's role, the way to the mail server. Each is a line of the inbox of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_babel import format_datetime
from flask_babel import gettext as _
from sqlalchemy import ColumnElement

from portal.accounts.models import Person
from portal.accounts.roles import Role
from portal.notifications.models import Notification
from portal.notifications.policy import ADMIN_KINDS, PORTAL_KINDS, Kind

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PortalNews:
    """One line of the inbox that is about no idea: all that it shows, and where it leads."""

    notification: Notification
    why: str
    title: str
    icon: str
    endpoint: str
    values: Facts = field(default_factory=dict)
    sentences: Sequence[str] = ()

    dom_class = "news"

    @property
    def id(self) -> int:
        """What the line is known by on the page."""
        return self.notification.id

    @property
    def at(self) -> datetime:
        """When it happened."""
        return self.notification.at

    @property
    def unread(self) -> bool:
        """Whether it is new to its reader."""
        return self.notification.read_at is None

    @property
    def is_about_portal(self) -> bool:
        """Tells it from lines about ideas."""
        return True


def is_about_portal_for(viewer: Person) -> ColumnElement[bool]:
    """Say which notifications are about no idea, and may be read by the viewer now."""
    kinds = PORTAL_KINDS if viewer.is_admin else PORTAL_KINDS - ADMIN_KINDS
    return Notification.idea_id.is_(None) & Notification.kind.in_(sorted(kinds))


def tell(notifications: Sequence[Notification]) -> list[PortalNews]:
    """Return the lines of those notifications that are about no idea, in the same order."""
    return [_WRITERS[Kind(n.kind)](n, n.record.data) for n in notifications if n.idea_id is None and n.kind in _WRITERS]


def _of_rules(n: Notification, facts: Facts) -> PortalNews:
    return PortalNews(
        n,
        why=_("The rules between you and us"),
        title=_("The community rules have changed"),
        icon="file-text",
        endpoint="pages.rules",
        values={"version": facts.get("version")},
        sentences=[_("See what is new. Before your next vote, idea or comment we ask you once.")],
    )


def _of_role(n: Notification, facts: Facts) -> PortalNews:
    return PortalNews(
        n,
        why=_("Your account"),
        title=_("Your role is now: %(role)s", role=Role(facts["role"]).label),
        icon="user-check",
        endpoint="accounts.account",
    )


def _of_stuck_mail(n: Notification, facts: Facts) -> PortalNews:
    since = datetime.fromisoformat(facts["since"])
    return PortalNews(
        n,
        why=_("The way to the mail server"),
        title=_("No mail goes out since %(time)s", time=format_datetime(since, "short")),
        icon="triangle-alert",
        endpoint="notifications.health",
        sentences=[_("It says: %(words)s", words=facts["said"]), _("All mails wait; none is lost.")],
    )


def _of_flowing_mail(n: Notification, facts: Facts) -> PortalNews:
    return PortalNews(
        n,
        why=_("The way to the mail server"),
        title=_("Mails go out again"),
        icon="mail",
        endpoint="notifications.health",
        sentences=[_("Those that waited follow now, in order.")],
    )


_WRITERS: dict[Kind, Callable[[Notification, Facts], PortalNews]] = {
    Kind.RULES_CHANGED: _of_rules,
    Kind.ROLE_CHANGED: _of_role,
    Kind.MAIL_STUCK: _of_stuck_mail,
    Kind.MAIL_FLOWS: _of_flowing_mail,
}
