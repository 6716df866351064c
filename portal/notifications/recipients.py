"""Who hears of something, how, and who is left out: asked before it is done by the very rules that tell of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, String, literal, select

from portal.accounts.models import User
from portal.accounts.roles import ADMINS, STAFF_READERS
from portal.boards.models import Audience, BoardMember
from portal.db import db
from portal.ideas.followers import REASONS, audience_of
from portal.ideas.models import Follow, Idea
from portal.ideas.supporters import self_and_merged
from portal.notifications.deciding import WHY_NOT, decided
from portal.notifications.policy import QUIETED_KINDS, Kind, Reason, Way, ways
from portal.push.models import Subscription

OUT = "out"
LEFT_OUT: dict[str, Any] = {
    "self": _l("does it"),
    "suspended": _l("account suspended"),
    "muted": _l("wants no more of this idea"),
    "quiet": _l("asked for decisions only"),
    "hidden": _l("may not see the board"),
    "not_told": _l("not told of this"),
}
"""Why somebody who follows an idea does not hear of something."""

BY: dict[str, Any] = {
    Way.MAIL: _l("By mail"),
    Way.DIGEST: _l("In the digest"),
    Way.INBOX: _l("In the inbox only"),
    OUT: _l("Left out"),
}
"""How people hear of it, in the order of the page."""

BECAUSE: dict[str, Any] = {
    Reason.AUTHOR: _l("author"),
    Reason.VOTER: _l("voted"),
    Reason.COMMENTER: _l("commented"),
    Reason.FOLLOWER: _l("follows"),
    Reason.OWNER: _l("looks after it"),
}


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person who hears of it, or would: how, and why, or why not."""

    user: User
    because: str
    why_not: str
    push: bool


@dataclass(frozen=True, slots=True)
class Recipients:
    """How many hear of something, by the way in which they do, and how many do not, by the reason."""

    by: dict[str, int]
    push: int = 0
    inbox_why: list[tuple[str, int]] = field(default_factory=list)
    out_why: list[tuple[str, int]] = field(default_factory=list)

    @property
    def told(self) -> int:
        """How many hear of it at all."""
        return sum(number for way, number in self.by.items() if way != OUT)


def audience(kind: Kind, idea_id: int, actor_id: int | None, among: Collection[str] = REASONS) -> Any:
    """Select who hears of this about an idea, (user_id, reason), but for whoever does it and who looks after it."""
    reasons = [reason for reason in ways(kind) if reason in among and reason in REASONS]
    if not reasons:
        return select(User.id.label("user_id"), literal("", String).label("reason")).where(sa.false())
    return audience_of(idea_id, actor_id, reasons, also_quiet=kind not in QUIETED_KINDS)


def everybody(kind: Kind, idea: Idea, actor_id: int | None, among: Collection[str] = REASONS) -> Any:
    """Select who hears of this about an idea, (user_id, reason), whoever looks after it included."""
    people = audience(kind, idea.id, actor_id, among)
    if Reason.OWNER not in ways(kind) or idea.owner_id is None or idea.owner_id == actor_id:
        return people
    owner = select(User.id.label("user_id"), literal(Reason.OWNER.value, String).label("reason"))
    owner = owner.where(User.id == idea.owner_id, User.suspended_at.is_(None))
    return sa.union_all(people, owner.where(User.id.not_in(select(people.subquery().c.user_id))))


def count(kind: Kind, idea: Idea, actor_id: int | None, among: Collection[str] = REASONS) -> Recipients:
    """Count who would hear of this now, and who would not, in one statement however many they are."""
    told, out = _told(kind, idea, actor_id, among), _left_out(kind, idea, actor_id, among)
    each = told.c.way, told.c.why_not, told.c.push
    hear = select(*each, sa.func.count()).group_by(*each)
    others = select(literal(OUT, String), out.c.why_not, sa.false(), sa.func.count()).group_by(out.c.why_not)
    rows = db.session.execute(sa.union_all(hear, others)).all()
    by, why_inbox, why_out, push = Counter[str](), Counter[str](), Counter[str](), 0
    for way, why, at_once, number in rows:
        by[way] += number
        push += number if at_once and way != OUT else 0
        if way == OUT:
            why_out[why] += number
        elif why and way == Way.INBOX:
            why_inbox[why] += number
    return Recipients(
        {str(way): by[way] for way in BY}, push, _in_words(why_inbox, WHY_NOT), _in_words(why_out, LEFT_OUT)
    )


def people(
    kind: Kind,
    idea: Idea,
    actor_id: int | None,
    among: Collection[str],
    way: str,
    after: tuple[str, int] | None,
    limit: int,
) -> Sequence[Recipient]:
    """Return by name who would hear of this in one way, or would not hear of it."""
    told, out = _told(kind, idea, actor_id, among), _left_out(kind, idea, actor_id, among)
    found = select(told.c.user_id, told.c.reason, told.c.why_not, told.c.push).where(told.c.way == way)
    others = select(out.c.user_id, literal("", String), out.c.why_not, sa.false())
    rows = (sa.union_all(found, others) if way == OUT else found).subquery()
    user_id, because, why_not, push = rows.columns
    listed = select(User, because, why_not, push).join(User, User.id == user_id)
    if after is not None:
        listed = listed.where(sa.tuple_(User.name_key, User.id) > sa.tuple_(*after))
    words = LEFT_OUT if way == OUT else WHY_NOT
    return [
        Recipient(user, str(BECAUSE.get(reason, "")), str(words[why]) if why else "", bool(push))
        for user, reason, why, push in db.session.execute(listed.order_by(User.name_key, User.id).limit(limit))
    ]


def _in_words(counted: Counter[str], words: dict[str, Any]) -> list[tuple[str, int]]:
    return sorted(((str(words[why]), number) for why, number in counted.items()), key=lambda row: (-row[1], row[0]))


def _told(kind: Kind, idea: Idea, actor_id: int | None, among: Collection[str]) -> sa.Subquery:
    """Select who is told, as telling decides it; whoever lost sight of the board reads of it nowhere."""
    chosen = decided(kind, everybody(kind, idea, actor_id, among), idea.board_id).subquery()
    reads = _reads(idea)
    return (
        select(
            chosen.c.user_id,
            chosen.c.reason,
            sa.case((reads, chosen.c.way), else_=literal(OUT, String)).label("way"),
            sa.case((reads, chosen.c.why_not), else_=literal("hidden", String)).label("why_not"),
            (chosen.c.push & chosen.c.user_id.in_(select(Subscription.user_id))).label("push"),
        )
        .join(User, User.id == chosen.c.user_id)
        .subquery()
    )


def _left_out(kind: Kind, idea: Idea, actor_id: int | None, among: Collection[str]) -> sa.Subquery:
    """Select who follows the idea and is not told, with the reason."""
    told = everybody(kind, idea, actor_id, among).subquery()
    here = Follow.idea_id == idea.id
    muted, quiet = (sa.func.max(sa.case((here & flag, 1), else_=0)) for flag in (Follow.muted, Follow.decisions_only))
    follow = (
        select(Follow.user_id, muted.label("muted"), quiet.label("quiet"))
        .where(Follow.idea_id.in_(self_and_merged(idea.id)), Follow.user_id.not_in(select(told.c.user_id)))
        .group_by(Follow.user_id)
        .subquery()
    )
    why_not = sa.case(
        (follow.c.user_id == (actor_id or 0), "self"),
        (User.suspended_at.is_not(None), "suspended"),
        (follow.c.muted == 1, "muted"),
        ((follow.c.quiet == 1) & sa.literal(kind in QUIETED_KINDS), "quiet"),
        else_="not_told",
    )
    return select(follow.c.user_id, why_not.label("why_not")).join(User, User.id == follow.c.user_id).subquery()


def _reads(idea: Idea) -> ColumnElement[bool]:
    """Say who of all accounts may know of an idea that is out: what ``is_seen_by`` says of one person."""
    board = idea.board
    listed = select(BoardMember.user_id).where(BoardMember.board_id == board.id)
    team = User.role.in_(STAFF_READERS) | User.id.in_(listed.where(BoardMember.role.in_(STAFF_READERS)))
    if board.audience is Audience.STAFF:
        return team
    reads = User.role.in_(ADMINS) | User.id.in_(listed) if board.audience is Audience.PRIVATE else sa.true()
    return reads & (team | (User.id == (idea.author_id or 0))) if board.one_way else reads
