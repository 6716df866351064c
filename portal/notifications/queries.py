"""Reading what people were told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask import abort
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import joinedload, load_only

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.db import db
from portal.events import EventRecord
from portal.ideas.models import Follow, Idea
from portal.ideas.queries import is_seen_by
from portal.ideas.workflow import StatusRule
from portal.notifications import portal_news, telling
from portal.notifications.models import Notification
from portal.notifications.policy import STATUS_KINDS, Kind
from portal.notifications.portal_news import PortalNews, is_about_portal_for
from portal.notifications.stories import Story, place_in
from portal.notifications.team import is_told_to

PAGE = 40
UNREAD_COUNTED = 500  # of notifications; the bell says no more than 99+
TABS: dict[str, ColumnElement[bool]] = {
    "all": sa.true(),
    "unread": Notification.read_at.is_(None),
    "status": Notification.kind.in_(STATUS_KINDS),
    "replies": Notification.kind.in_([Kind.REPLIED, Kind.MENTIONED]),
}
_LEADS = (
    Kind.CREDITED,  # these two wait for an answer
    Kind.VERDICT_ASKED,
    *STATUS_KINDS,
    Kind.HIDDEN,
    Kind.MERGE_OBJECTED,
    Kind.ANSWERED,
    Kind.QUESTION_REMINDER,
    Kind.REPLIED,
    Kind.MENTIONED,
    Kind.HELD_BACK,
    Kind.REVIEW_ASKED,
    Kind.REVIEWED,
    Kind.QUESTION_SETTLED,
    Kind.NOTED,
    Kind.PROMISE_LATE,
    Kind.ASSIGNED,
    Kind.SPOKEN_FOR,
    Kind.PROPOSAL_SETTLED,
    Kind.PUBLISHED,
    Kind.COMMENTED,
    Kind.MATCHED,
    Kind.VOTED,
    Kind.RECEIVED,
)
"""What a line of the inbox tells, rather than counts, when several things happened to an idea on one day."""


@dataclass(frozen=True, slots=True)
class NewsRow:
    """One line of the inbox: what happened to one idea on one day."""

    stories: list[Story]  # newest first
    muted: bool
    quiet: bool = False  # its reader asked for decisions only

    dom_class = "news"

    @property
    def lead(self) -> Story:
        """The story that the line tells; the others it only counts."""
        return min(self.stories, key=lambda story: 0 if story.kind in STATUS_KINDS else _LEADS.index(story.kind))

    @property
    def newest(self) -> Notification:
        """The latest of what the line stands for."""
        return self.stories[0].notification

    @property
    def id(self) -> int:
        """What the line is known by on the page."""
        return self.newest.id

    @property
    def unread(self) -> bool:
        """Whether something in it is new to its reader."""
        return any(story.notification.read_at is None for story in self.stories)

    @property
    def is_about_portal(self) -> bool:
        """Tells it from lines about no idea."""
        return False

    @property
    def rest(self) -> list[str]:
        """What else happened that day, in a few words each."""
        others = [story for story in self.stories if story is not self.lead]
        comments = sum(story.is_comment for story in others)
        words = [ngettext("%(num)d more comment", "%(num)d more comments", comments)] if comments else []
        return [*words, *dict.fromkeys(_in_short(story) for story in others if not story.is_comment)]


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page of what somebody was told: all that the inbox shows."""

    tab: str
    unread: int
    days: list[tuple[date, list[NewsRow | PortalNews]]]
    next_id: int | None  # the last notification on the page, if there are older ones

    @property
    def newest_id(self) -> int:
        """The last of all that is on the page."""
        return max((row.id for _day, rows in self.days for row in rows), default=0)


@dataclass(frozen=True, slots=True)
class News:
    """What is new for somebody since they last looked: all that the panel on the home page shows."""

    since: datetime
    stories: list[Headline]
    count: int


@dataclass(frozen=True, slots=True)
class Headline:
    """An idea, and where it went; without a status it was answered."""

    idea: Idea
    target: StatusRule | None


def notifications_for(viewer: Person) -> Select[Notification]:
    """Every read of notifications starts here: one's own, about ideas that one may still see, or about none."""
    of_ideas = Notification.idea_id.is_not(None) & is_seen_by(viewer) & is_told_to(viewer)
    return (
        select(Notification)
        .outerjoin(Idea, Idea.id == Notification.idea_id)
        .where(Notification.user_id == viewer.id, of_ideas | is_about_portal_for(viewer))
    )


def count_unread(viewer: Person) -> int:
    """Return how many lines of the inbox are new to the viewer: what happened to one idea on one day is one line."""
    if not viewer.is_signed_in:
        return 0
    zone, told = get_timezone(), db.session.execute(*_unread(viewer))
    return len({(idea_id or -number, at.astimezone(zone).date()) for number, idea_id, at in told})


def get_notification(notification_id: int, viewer: Person) -> Notification:
    """Return one of the viewer's notifications, or answer 404."""
    return db.session.scalar(notifications_for(viewer).where(Notification.id == notification_id)) or abort(404)


def inbox(viewer: Person, tab: str = "all", before_id: int | None = None) -> Inbox:
    """Return a page of what the viewer was told, by day and idea, newest first."""
    tab = tab if tab in TABS else "all"
    place = {} if before_id is None else {"before_id": before_id}
    found = db.session.scalars(*_told(viewer, tab, most=PAGE + 1, **place)).all()
    shown = found[:PAGE]
    return Inbox(
        tab=tab,
        unread=count_unread(viewer),
        days=_by_day(shown, viewer),
        next_id=shown[-1].id if len(found) > PAGE else None,
    )


def newest_for(viewer: Person, limit: int) -> Sequence[Notification]:
    """Return what the viewer was told last, newest first."""
    return db.session.scalars(_newest_first(notifications_for(viewer)).limit(limit)).all()


def newest_unread(viewer: Person, limit: int = 10) -> list[int]:
    """Return the numbers of the last news that the viewer has not read, the newest at the end."""
    unread = notifications_for(viewer).where(Notification.read_at.is_(None)).with_only_columns(Notification.id)
    return sorted(db.session.scalars(unread.order_by(Notification.id.desc()).limit(limit)))


def news_row(notification: Notification, oldest_id: int, viewer: Person) -> NewsRow:
    """Return the line that stands for this notification and those of the same idea down to ``oldest_id``."""
    same = notifications_for(viewer).where(
        Notification.idea_id == notification.idea_id, Notification.id.between(oldest_id, notification.id)
    )
    told = telling.stories_of(db.session.scalars(_newest_first(same).limit(PAGE)).all(), viewer)
    levels = _levels_of(viewer, [notification.idea_id])
    return _row(told, levels.get(notification.idea_id)) if told else abort(404)


def portal_row(notification: Notification) -> PortalNews:
    """Return the line about no idea that this notification is."""
    told = portal_news.lines_of([notification])
    return told[0] if told else abort(404)


def news_for(viewer: Person, limit: int = 3) -> News | None:
    """Return what moved or was answered and is unread, newest first; None when nothing is."""
    if not viewer.is_signed_in:
        return None
    newest = db.session.execute(*_unread_moves(viewer, limit * 3)).all()
    if not newest:
        return None
    latest = {idea.id: Headline(idea, place_in(data, "target"))
              for idea, data, _count, _since in reversed(newest)}  # fmt: skip
    by_newest = [latest[idea_id] for idea_id in dict.fromkeys(row[0].id for row in newest)]
    return News(newest[0][3], by_newest[:limit], newest[0][2])


@built_once
def _told(viewer: Person, tab: str, *, most: int, before_id: int | None = None) -> Select[Notification]:
    told = _newest_first(notifications_for(viewer).where(TABS[tab])).limit(most)
    return told if before_id is None else told.where(Notification.id < before_id)


@built_once
def _unread(viewer: Person) -> Select[int, int | None, datetime]:
    unread = notifications_for(viewer).where(Notification.read_at.is_(None)).order_by(Notification.id.desc())
    return unread.with_only_columns(Notification.id, Notification.idea_id, Notification.at).limit(UNREAD_COUNTED)


@built_once
def _unread_moves(viewer: Person, limit: int) -> Select[Idea, dict[str, Any], int, datetime]:
    kinds = [Kind.DECIDED, Kind.PROGRESSED, Kind.NEEDS_INFO, Kind.ANSWERED]
    return (
        notifications_for(viewer)
        .join(EventRecord, EventRecord.id == Notification.event_id)
        .where(Notification.read_at.is_(None), Notification.kind.in_(kinds))
        .with_only_columns(Idea, EventRecord.data, sa.func.count().over(), sa.func.min(Notification.at).over())
        .options(load_only(Idea.title))
        .order_by(Notification.id.desc())
        .limit(limit)
    )


def _newest_first(told: Select[Notification]) -> Select[Notification]:
    return told.options(joinedload(Notification.record).load_only(EventRecord.data, EventRecord.actor_id)).order_by(
        Notification.id.desc()
    )


def _by_day(shown: Sequence[Notification], viewer: Person) -> list[tuple[date, list[NewsRow | PortalNews]]]:
    zone, told = get_timezone(), telling.stories_of(shown, viewer)
    levels = _levels_of(viewer, [story.idea.id for story in told])
    of_ideas = {story.notification.id: story for story in told}
    of_portal = {news.id: news for news in portal_news.lines_of(shown)}
    days: dict[date, dict[int, Any]] = {}
    for notification in shown:
        rows = days.setdefault(notification.at.astimezone(zone).date(), {})
        if story := of_ideas.get(notification.id):
            rows.setdefault(story.idea.id, []).append(story)
        elif news := of_portal.get(notification.id):
            rows[-news.id] = news  # beside the numbers of ideas
    return [
        (day, [_row(row, levels.get(key)) if key > 0 else row for key, row in rows.items()])
        for day, rows in days.items()
        if rows
    ]


def _row(told: list[Story], level: str | None) -> NewsRow:
    return NewsRow(told, muted=level == "muted", quiet=level == "quiet")


def _levels_of(viewer: Person, idea_ids: Sequence[int | None]) -> dict[int | None, str]:
    """Return of which of these ideas the viewer wants to hear less, or nothing."""
    less = select(Follow.idea_id, Follow.muted).where(Follow.user_id == viewer.id, Follow.idea_id.in_(set(idea_ids)))
    found = db.session.execute(less.where(Follow.muted | Follow.decisions_only))
    return {idea_id: "muted" if muted else "quiet" for idea_id, muted in found}


def _in_short(story: Story) -> str:
    if story.target:
        return str(_("moved to %(status)s", status=story.target.label))
    return str(_("received")) if story.kind is Kind.RECEIVED else story.why
