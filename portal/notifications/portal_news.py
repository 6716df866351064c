"""News about no idea: the rules, one's role, the way to the mail server. Each is a line of the inbox of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement

from portal.accounts.models import Person, User
from portal.accounts.queries import has_accepted_rules
from portal.accounts.roles import Role
from portal.notifications.models import Notification
from portal.notifications.policy import ADMIN_KINDS, DECIDER_KINDS, PORTAL_KINDS, Kind
from portal.web.dates import absolute

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
    kinds = kinds if viewer.is_decider else kinds - DECIDER_KINDS
    return Notification.idea_id.is_(None) & Notification.kind.in_(sorted(kinds))


def lines_of(notifications: Sequence[Notification]) -> list[PortalNews]:
    """Return the lines of those notifications that are about no idea, in the same order."""
    return [_WRITERS[Kind(n.kind)](n, n.record.data) for n in notifications if n.idea_id is None and n.kind in _WRITERS]


def lines_for_later(notifications: Sequence[Notification], reader: User) -> list[PortalNews]:
    """Return what is still so, the latest of each kind, in words for whoever reads it days afterwards in a digest."""
    newest = {n.kind: n for n in sorted(notifications, key=lambda n: n.id) if not _is_over(n, reader)}
    told = lines_of(sorted(newest.values(), key=lambda n: -n.id))
    return [_of_mail_that_was_stuck(news) if news.notification.kind == Kind.MAIL_STUCK else news for news in told]


def _is_over(n: Notification, reader: User) -> bool:
    match n.kind:
        case Kind.RULES_CHANGED:
            return has_accepted_rules(reader)
        case Kind.ROLE_CHANGED:
            return bool(n.record.data["role"] != reader.role)
    return False


def _of_mail_that_was_stuck(news: PortalNews) -> PortalNews:
    """Say it as it is for whoever reads it in a mail."""
    facts = news.notification.record.data
    since, said = absolute(datetime.fromisoformat(facts["since"])), _("It said: %(words)s", words=facts["said"])
    return replace(news, title=_("No mail went out from %(time)s on", time=since), sentences=[said])


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
        endpoint="accounts.show",
    )


def _of_stuck_mail(n: Notification, facts: Facts) -> PortalNews:
    since = datetime.fromisoformat(facts["since"])
    return PortalNews(
        n,
        why=_("The way to the mail server"),
        title=_("No mail goes out since %(time)s", time=absolute(since)),
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


def _of_proposed_workflow(n: Notification, facts: Facts) -> PortalNews:
    return PortalNews(
        n,
        why=_("The workflow"),
        title=_("Another workflow was proposed"),
        icon="sliders-horizontal",
        endpoint="workflows.proposal",
        values={"version_id": facts["version_id"]},
        sentences=[_("See what would change, and decide.")],
    )


def _of_settled_workflow(n: Notification, facts: Facts) -> PortalNews:
    said = str(facts.get("said") or "")
    refused = "said" in facts
    return PortalNews(
        n,
        why=_("You proposed another workflow"),
        title=_("Your workflow was not accepted") if refused else _("Your workflow holds now"),
        icon="x" if refused else "check",
        endpoint="workflows.proposal",
        values={"version_id": facts["version_id"]},
        sentences=[_("An admin says: %(words)s", words=said)] if said else [],
    )


_WRITERS: dict[Kind, Callable[[Notification, Facts], PortalNews]] = {
    Kind.RULES_CHANGED: _of_rules,
    Kind.ROLE_CHANGED: _of_role,
    Kind.MAIL_STUCK: _of_stuck_mail,
    Kind.MAIL_FLOWS: _of_flowing_mail,
    Kind.WORKFLOW_PROPOSED: _of_proposed_workflow,
    Kind.WORKFLOW_SETTLED: _of_settled_workflow,
}
