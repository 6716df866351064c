"""What a digest says: what happened to each idea once, under the heading of what matters most about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas.events import MoveUndone
from portal.ideas.models import Follow, Idea
from portal.ideas.promised import Promise, Promised
from portal.ideas.queries import is_out_for
from portal.ideas.workflow import Status
from portal.notifications import links, telling
from portal.notifications.digests import making as digests
from portal.notifications.digests.models import Digest, DigestItem
from portal.notifications.letters import address_of, subject_of
from portal.notifications.mails.letter import Entry, Letter, Section, Suppressed
from portal.notifications.mails.sending import still_concerns
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import QUIETED_KINDS, STATUS_KINDS, Kind
from portal.notifications.queries import NewsRow
from portal.notifications.reach import Reach
from portal.notifications.stories import Story
from portal.web.dates import day

MOST_NEWS = 300  # of one digest; the inbox has the rest
LINES = 20  # under one heading
NEW_IDEAS = LATE_IDEAS = 5
IN_SUBJECT = 60  # characters of what the subject names

_ASKS = frozenset(
    {Kind.VERDICT_ASKED, Kind.CREDITED, Kind.QUESTION_REMINDER, Kind.MERGE_OBJECTED, Kind.ASSIGNED, Kind.PROMISE_LATE}
    | {Kind.REVIEW_ASKED}
)
HEADINGS: tuple[tuple[frozenset[Kind], Any], ...] = (
    (STATUS_KINDS, _l("Moved")),
    (frozenset({Kind.ANSWERED}), _l("Answered")),
    (_ASKS, _l("Waits for a word from you")),
    (frozenset({Kind.REPLIED, Kind.MENTIONED}), _l("Replies to you")),
    (frozenset({Kind.COMMENTED}), _l("Talked about")),
    (frozenset(Kind), _l("Besides")),
)
"""Under which heading an idea stands, by the news of it that matter most: the first that has them."""


def digest_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody what is still news to them and theirs to see, of what their digest was made for."""
    user, digest = mail.user, db.session.get(Digest, mail.data["digest"])
    if user is None or digest is None or not user.is_active:
        return Suppressed("account suspended")
    if not user.can_get_mail:
        return Suppressed("mails not wanted")
    beat = digests.beat_of(user, db.session.get(Reach, user.id))
    if beat is None:
        return Suppressed("digest not wanted")
    rows = sorted(_rows(digest, user), key=_weight)
    if not rows:
        return Suppressed(digests.NOTHING_NEW)
    since = _since(mail, digest, timedelta(days=1 if beat.weekday is None else 7))
    headline = ngettext("News of %(num)d idea", "News of %(num)d ideas", len(rows))
    often = _("You get this once a day at most") if beat.weekday is None else _("You get this once a week at most")
    return Letter(
        subject=_subject(rows),
        lead=_("What became of the ideas you have a part in."),
        title=headline,
        sections=[*_news(rows, user), *_late(user, since), *_new(user, since, digest.due_at)],
        button=_("Open your inbox"),
        url=links.absolute_url("notifications.inbox"),
        foot=_("%(often)s, and only when there is news.", often=often),
        stop_label=_("Stop the digest"),
        stop_url=links.absolute_url("notifications.stop", token=links.stop_token(user.id, None, mail.kind)),
        settings_url=links.absolute_url("notifications.preferences"),
    )


def _rows(digest: Digest, user: User) -> list[NewsRow]:
    """Return a line for each idea, the news of it newest first: what is unread, stands, and may be seen now."""
    news = (
        select(Notification)
        .join(DigestItem, DigestItem.notification_id == Notification.id)
        .where(DigestItem.digest_id == digest.id, Notification.read_at.is_(None))
        .options(joinedload(Notification.record).load_only(EventRecord.data, EventRecord.actor_id, EventRecord.name))
        .order_by(Notification.id.desc())
        .limit(MOST_NEWS)
    )
    found = db.session.scalars(news).all()
    told = telling.tell(_without_what_came_together(found, user), user)
    mine = select(Follow).where(Follow.user_id == user.id, Follow.idea_id.in_({story.idea.id for story in told}))
    follows = {follow.idea_id: follow for follow in db.session.scalars(mine)}
    by_idea: dict[int, list[Story]] = {}
    for story in told:
        follow = follows.get(story.idea.id)
        silent = follow and (follow.muted or (follow.decisions_only and story.kind in QUIETED_KINDS))
        if not silent and (follow or still_concerns(user, story)):
            by_idea.setdefault(story.idea.id, []).append(story)
    lines = (_without_what_came_to_nothing(of_one) for of_one in by_idea.values())
    return [NewsRow(line, muted=False) for line in lines if line]


def _without_what_came_together(news: Sequence[Notification], user: User) -> Sequence[Notification]:
    """Leave out what the one mail about an act on many ideas has told, or is about to tell."""
    keys = {n.id: _key_of_act(n.record, user) for n in news if n.record.data.get("act_id")}
    mailed = select(Mail.key).where(Mail.key.in_(set(keys.values())), Mail.suppressed.is_(None))
    known = set(db.session.scalars(mailed)) if keys else set()
    return [n for n in news if keys.get(n.id) not in known]


def _key_of_act(record: EventRecord, user: User) -> str:
    """Return under which key the one mail about an act, or about its undoing, goes to somebody."""
    undone = "-undone" if record.name == MoveUndone.name else ""
    return f"act-{record.data['act_id']}-{user.id}{undone}"


def _without_what_came_to_nothing(told: list[Story]) -> list[Story]:
    """Leave out moves that led back to where the first of them began."""
    moves = [story for story in told if story.source and story.target]
    first, last = (moves[-1].source, moves[0].target) if moves else (None, None)
    if len(moves) > 1 and first and last and first.key == last.key:
        return [story for story in told if story not in moves]
    return told


def _weight(row: NewsRow) -> tuple[int, int, int]:
    return _rank(row), -row.lead.idea.votes, -row.newest.id


def _rank(row: NewsRow) -> int:
    return next(rank for rank, (kinds, _heading) in enumerate(HEADINGS) if row.lead.kind in kinds)


def _subject(rows: Sequence[NewsRow]) -> str:
    """Name the two biggest things, and say how many more there are."""
    named = " · ".join(_shortened(_called(row)) for row in rows[:2])
    more = len(rows) - 2
    return (
        ngettext("%(named)s, and %(num)d more", "%(named)s, and %(num)d more", more, named=named) if more > 0 else named
    )


def _called(row: NewsRow) -> str:
    if row.lead.kind is Kind.COMMENTED:
        return f"{HEADINGS[_rank(row)][1]}: {row.lead.idea.title}"
    return subject_of(row.lead)


def _shortened(text: str) -> str:
    return text if len(text) <= IN_SUBJECT else text[: IN_SUBJECT - 1].rstrip() + "…"


def _news(rows: Sequence[NewsRow], user: User) -> list[Section]:
    sections = []
    for rank, (_kinds, heading) in enumerate(HEADINGS):
        mine = [row for row in rows if _rank(row) == rank]
        more = len(mine) - LINES
        rest = ngettext("and %(num)d more", "and %(num)d more", more) if more > 0 else ""
        sections.append(Section(str(heading), [_entry(row, user) for row in mine[:LINES]], rest))
    return [section for section in sections if section.entries]


def _entry(row: NewsRow, user: User) -> Entry:
    lead = row.lead
    moves = [story for story in row.stories if story.source and story.target]
    also = [_("Besides: %(what)s.", what=", ".join(row.rest))] if row.rest else []
    return Entry(
        title=lead.idea.title,
        url=address_of(lead, user),
        text=" ".join([f"{lead.why}.", *lead.sentences[:1], *also]),
        source=moves[-1].source if moves else None,
        target=moves[0].target if moves else None,
        quote="" if lead.team else lead.short_quote,  # what the team says among itself stays in the portal
        by=lead.quoted if lead.short_quote and not lead.team else "",
    )


def _late(user: User, since: datetime) -> list[Section]:
    """Say of which ideas somebody follows a promised word has become late since, and still is."""
    mine = select(Follow.idea_id).where(Follow.user_id == user.id, ~Follow.muted)
    late = (
        select(Promise)
        .join(Promise.idea)
        .where(Promise.ended_at.is_(None), Promise.due_at.between(since, utcnow()), Promise.kind != Promised.REVIEW)
        .where(Promise.idea_id.in_(mine), is_out_for(user))
        .options(contains_eager(Promise.idea))
        .order_by(Promise.due_at, Promise.id)
        .limit(LATE_IDEAS)
    )
    entries = [
        Entry(
            promise.idea.title,
            links.absolute_url("ideas.show", idea_id=promise.idea_id),
            _("We promised a word by %(date)s, and it is late.", date=day(promise.due_at)),
        )
        for promise in db.session.scalars(late)
    ]
    return [Section(_("Late"), entries)] if entries else []


def _new(user: User, since: datetime, until: datetime) -> list[Section]:
    """Name the new ideas with most votes on boards where somebody posted, voted or commented; no others they follow."""
    mine = select(Follow.idea_id).where(Follow.user_id == user.id)
    parts = mine.where(Follow.is_author | Follow.is_voter | Follow.is_commenter)
    new = (
        select(Idea)
        .where(is_out_for(user), Idea.board_id.in_(select(Idea.board_id).where(Idea.id.in_(parts))))
        .where(Idea.published_at > since, Idea.published_at <= until, Idea.status != Status.MERGED)
        .where(Idea.author_id.is_distinct_from(user.id), Idea.id.not_in(mine))
        .options(joinedload(Idea.board))
        .order_by(Idea.votes.desc(), Idea.id.desc())
        .limit(NEW_IDEAS)
    )
    entries = [
        Entry(
            idea.title,
            links.absolute_url("ideas.show", idea_id=idea.id),
            f"{idea.board.name} · " + ngettext("%(num)d vote", "%(num)d votes", idea.votes),
        )
        for idea in db.session.scalars(new)
    ]
    return [Section(_("New on your boards"), entries)] if entries else []


def _since(mail: Mail, digest: Digest, usual: timedelta) -> datetime:
    """Return from when on ideas are new to the reader: since their last digest that went out, if not long ago."""
    sent = select(Mail.queued_at).where(
        Mail.user_id == mail.user_id, Mail.kind == mail.kind, Mail.id < mail.id, Mail.done_at.is_not(None)
    )
    last = db.session.scalar(sent.where(Mail.suppressed.is_(None)).order_by(Mail.id.desc()).limit(1))
    return max(last, digest.due_at - digests.KEPT_FOR) if last else digest.due_at - usual
