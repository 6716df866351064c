"""Reading what people were told, and how mails are getting on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import abort
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, ScalarSelect, Select, select
from sqlalchemy.orm import aliased, joinedload, load_only

from portal.accounts.models import Person, User
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas.events import IdeaMerged, MoveUndone
from portal.ideas.followers import following
from portal.ideas.merges import Consent, consent_of
from portal.ideas.models import Follow, Idea, StatusChange
from portal.ideas.policy import may_take_part
from portal.ideas.queries import ideas_visible_to, is_seen_by, main_of
from portal.ideas.workflow import StatusRule
from portal.notifications import links, portal_news, stories
from portal.notifications.digests.models import DigestItem
from portal.notifications.mails.folding import FOLDED
from portal.notifications.models import CaughtMail, Mail, Notification
from portal.notifications.policy import STATUS_KINDS, Kind
from portal.notifications.portal_news import PortalNews, is_about_portal_for
from portal.notifications.stories import Story, place_in
from portal.notifications.team import is_told_to
from portal.outbox import Leased, OutboxRow

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


@dataclass(frozen=True, slots=True)
class Stop:
    """What the link at the foot of a mail can stop, and how things stand."""

    token: str
    user: User
    kind: str  # of the mail that carried the link
    by_idea: bool
    idea: Idea | None  # None also when its reader may not see it any more
    follows_idea: bool
    decisions_only: bool = False  # of what follows_idea says


@dataclass(frozen=True, slots=True)
class Objecting:
    """A merged idea, and what somebody may say about its merge; there is nothing to say once it was taken back."""

    user: User
    idea: Idea
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class MailHealth:
    """How mails and what else follows are getting on: all that admins see of it."""

    waiting: int
    retrying: list[Mail]
    set_aside: list[Mail]
    sent_today: int
    suppressed_today: list[tuple[str, int]]
    oldest_waiting: datetime | None
    outbox_waiting: int
    outbox_failing: list[OutboxRow]


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
    unread = notifications_for(viewer).where(Notification.read_at.is_(None)).order_by(Notification.id.desc())
    zone = get_timezone()
    told = db.session.execute(
        unread.with_only_columns(Notification.id, Notification.idea_id, Notification.at).limit(UNREAD_COUNTED)
    )
    return len({(idea_id or -number, at.astimezone(zone).date()) for number, idea_id, at in told})


def get_notification(notification_id: int, viewer: Person) -> Notification:
    """Return one of the viewer's notifications, or answer 404."""
    return db.session.scalar(notifications_for(viewer).where(Notification.id == notification_id)) or abort(404)


def inbox(viewer: Person, tab: str = "all", before_id: int | None = None) -> Inbox:
    """Return a page of what the viewer was told, by day and idea, newest first."""
    tab = tab if tab in TABS else "all"
    told = _newest_first(notifications_for(viewer).where(TABS[tab]))
    if before_id is not None:
        told = told.where(Notification.id < before_id)
    found = db.session.scalars(told.limit(PAGE + 1)).all()
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
    told = stories.tell(db.session.scalars(_newest_first(same).limit(PAGE)).all(), viewer)
    levels = _levels_of(viewer, [notification.idea_id])
    return _row(told, levels.get(notification.idea_id)) if told else abort(404)


def portal_row(notification: Notification) -> PortalNews:
    """Return the line about no idea that this notification is."""
    told = portal_news.tell([notification])
    return told[0] if told else abort(404)


def news_for(viewer: Person, limit: int = 3) -> News | None:
    """Return what moved or was answered and is unread, newest first; None when nothing is."""
    if not viewer.is_signed_in:
        return None
    kinds = [Kind.DECIDED, Kind.PROGRESSED, Kind.NEEDS_INFO, Kind.ANSWERED]
    unread = (
        notifications_for(viewer)
        .join(EventRecord, EventRecord.id == Notification.event_id)
        .where(Notification.read_at.is_(None), Notification.kind.in_(kinds))
        .with_only_columns(Idea, EventRecord.data, sa.func.count().over(), sa.func.min(Notification.at).over())
        .options(load_only(Idea.title))
        .order_by(Notification.id.desc())
        .limit(limit * 3)
    )
    newest = db.session.execute(unread).all()
    if not newest:
        return None
    latest = {idea.id: Headline(idea, place_in(data, "target"))
              for idea, data, _count, _since in reversed(newest)}  # fmt: skip
    by_newest = [latest[idea_id] for idea_id in dict.fromkeys(row[0].id for row in newest)]
    return News(newest[0][3], by_newest[:limit], newest[0][2])


def find_stop(token: str) -> Stop | None:
    """Return what the link with this token is about; None for a link that is not ours."""
    read = links.read_stop_token(token)
    user = db.session.get(User, read[0]) if read else None
    if read is None or user is None:
        return None
    by_idea = read[1] is not None
    idea = db.session.scalar(ideas_visible_to(user).where(Idea.id == read[1])) if by_idea else None
    follow = following(idea, user) if idea is not None else None
    return Stop(token, user, read[2], by_idea, idea, bool(follow and follow.on), bool(follow and follow.decisions_only))


def find_objecting(token: str) -> Objecting | None:
    """Return what the link with this token is about; None where it is not ours, or nobody may use it any more."""
    read = links.read_objection_token(token)
    user = db.session.get(User, read[0]) if read else None
    change = db.session.get(StatusChange, read[1]) if read else None
    if user is None or change is None or not user.is_active:
        return None
    idea = db.session.scalar(ideas_visible_to(user).where(Idea.id == change.idea_id).options(joinedload(Idea.board)))
    if idea is None or not may_take_part(user, idea):
        return None
    consent = consent_of(idea, user, main_of(idea, user))
    return Objecting(user, idea, consent if consent and consent.change.id == change.id else None)


def told_of_merge(idea: Idea, merge_id: int, except_id: int | None) -> Select[int, str]:
    """Select who was told of a merge, and so hears that it was taken back; not those who muted the idea since."""
    merge = select(EventRecord.id).where(
        EventRecord.name == IdeaMerged.name,
        EventRecord.idea_id == idea.id,
        EventRecord.data["change_id"].as_integer() == merge_id,
    )
    muted = select(Follow.user_id).where(Follow.idea_id == idea.id, Follow.muted)
    told = (
        select(Notification.user_id.label("user_id"), Notification.reason.label("reason"))
        .join(User, User.id == Notification.user_id)
        .where(Notification.event_id.in_(merge), Notification.user_id.not_in(muted), User.suspended_at.is_(None))
    )
    return told if except_id is None else told.where(Notification.user_id != except_id)


def events_with(idea_id: int | None, name: str, fact: str, number: int) -> Select[int]:
    """Select what the journal says of one move, merge or answer of an idea."""
    about = select(EventRecord.id).where(EventRecord.name == name, EventRecord.idea_id == idea_id)
    return about.where(EventRecord.data[fact].as_integer() == number)


def told_of_move(idea: Idea, moved: Select[int], undone: MoveUndone) -> Select[int, str]:
    """Select who read of a move, or was mailed of it, alone or in a digest, and so hears that it was taken back."""
    muted = select(Follow.user_id).where(Follow.idea_id == idea.id, Follow.muted)
    told = (
        select(Notification.user_id.label("user_id"), Notification.reason.label("reason"))
        .join(User, User.id == Notification.user_id)
        .where(Notification.event_id.in_(moved), Notification.kind != Kind.ASSIGNED)
        .where(Notification.read_at.is_not(None) | was_mailed(moved) | was_in_digest())
        .where(Notification.user_id.not_in(muted), User.suspended_at.is_(None))
    )
    return told.where(Notification.user_id != undone.actor_id) if undone.actor_id else told


def was_mailed(moved: Select[int]) -> ColumnElement[bool]:
    """Say whether a mail about one of these events, alone or with others, has gone to the user of the same row."""
    sent = select(Mail.user_id).where(Mail.done_at.is_not(None), has_gone())
    alone = aliased(Notification)
    own = sent.join(alone, alone.id == Mail.notification_id).where(alone.event_id.in_(moved))
    act = select(EventRecord.data["act_id"].as_integer()).where(EventRecord.id.in_(moved)).scalar_subquery()
    together = sent.where(Mail.key == digest_key(act, Mail.user_id))
    return Notification.user_id.in_(own) | Notification.user_id.in_(together)


def has_gone() -> ColumnElement[bool]:
    """Say which of the mails that are done with brought their news, be it within the next about the same idea."""
    return Mail.suppressed.is_(None) | (Mail.suppressed == FOLDED)


def was_in_digest() -> ColumnElement[bool]:
    """Say whether this stands in a digest that was made."""
    return Notification.id.in_(select(DigestItem.notification_id))


def digest_key(act: ColumnElement[int] | ScalarSelect[Any], user_id: Any) -> ColumnElement[str]:
    """Say under which key the one mail about an act on many ideas goes to somebody."""
    return sa.literal("act-", sa.String) + sa.cast(act, sa.String) + "-" + sa.cast(user_id, sa.String)


def count_told_of_merge(idea: Idea, merge_id: int, except_id: int | None) -> int:
    """Count who hears that a merge was taken back."""
    people = told_of_merge(idea, merge_id, except_id).subquery()
    return db.session.scalar(select(sa.func.count()).select_from(people)) or 0


def caught_mails(limit: int = 200) -> list[CaughtMail]:
    """Return the mails kept in the portal, newest first."""
    return list(db.session.scalars(select(CaughtMail).order_by(CaughtMail.id.desc()).limit(limit)))


def get_caught_mail(mail_id: int) -> CaughtMail:
    """Return one of the mails kept in the portal, or answer 404."""
    return db.session.get(CaughtMail, mail_id) or abort(404)


def mail_health(limit: int = 50) -> MailHealth:
    """Return how mails and reactions are getting on."""
    day_ago = utcnow() - timedelta(days=1)
    open_mail = sa.and_(Mail.done_at.is_(None), Mail.given_up_at.is_(None))
    open_row = sa.and_(OutboxRow.done_at.is_(None), OutboxRow.given_up_at.is_(None))
    tried, given_up = Mail.error.is_not(None), Mail.given_up_at.is_not(None)
    mails = select(Mail).options(joinedload(Mail.user), joinedload(Mail.notification).joinedload(Notification.idea))
    failing = sa.or_(OutboxRow.given_up_at.is_not(None), sa.and_(open_row, OutboxRow.error.is_not(None)))
    suppressed = (
        select(Mail.suppressed, sa.func.count())
        .where(Mail.done_at > day_ago, Mail.suppressed.is_not(None))
        .group_by(Mail.suppressed)
        .order_by(sa.func.count().desc())
    )
    return MailHealth(
        waiting=_count(Mail, open_mail),
        retrying=list(db.session.scalars(mails.where(open_mail, tried).order_by(Mail.id).limit(limit))),
        set_aside=list(db.session.scalars(mails.where(given_up).order_by(Mail.id.desc()).limit(limit))),
        sent_today=_count(Mail, sa.and_(Mail.done_at > day_ago, Mail.suppressed.is_(None))),
        suppressed_today=[(why or "", number) for why, number in db.session.execute(suppressed)],
        oldest_waiting=db.session.scalar(select(sa.func.min(Mail.queued_at)).where(open_mail)),
        outbox_waiting=_count(OutboxRow, open_row),
        outbox_failing=list(
            db.session.scalars(select(OutboxRow).where(failing).order_by(OutboxRow.id.desc()).limit(limit))
        ),
    )


def set_aside() -> Sequence[Leased]:
    """Return all mails and reactions that were given up."""
    mails = db.session.scalars(select(Mail).where(Mail.given_up_at.is_not(None)))
    reactions = db.session.scalars(select(OutboxRow).where(OutboxRow.given_up_at.is_not(None)))
    return [*mails, *reactions]


def get_work(kind: str, work_id: int) -> Leased:
    """Return one mail or reaction, or answer 404."""
    if kind == "mails":
        return db.session.get(Mail, work_id) or abort(404)
    return (db.session.get(OutboxRow, work_id) if kind == "outbox" else None) or abort(404)


def _newest_first(told: Select[Notification]) -> Select[Notification]:
    return told.options(joinedload(Notification.record).load_only(EventRecord.data, EventRecord.actor_id)).order_by(
        Notification.id.desc()
    )


def _by_day(shown: Sequence[Notification], viewer: Person) -> list[tuple[date, list[NewsRow | PortalNews]]]:
    zone, told = get_timezone(), stories.tell(shown, viewer)
    levels = _levels_of(viewer, [story.idea.id for story in told])
    of_ideas = {story.notification.id: story for story in told}
    of_portal = {news.id: news for news in portal_news.tell(shown)}
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


def _count(table: type[Mail] | type[OutboxRow], which: ColumnElement[bool]) -> int:
    return db.session.scalar(select(sa.func.count()).select_from(table).where(which)) or 0
