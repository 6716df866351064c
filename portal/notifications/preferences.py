"""Reading what somebody chose about being reached, and what they follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.boards.models import Board
from portal.boards.queries import list_boards
from portal.db import db, lookup, utcnow
from portal.ideas.followers import strongest_reason
from portal.ideas.models import Follow, Idea
from portal.ideas.queries import is_seen_by
from portal.notifications.hours import reach_of
from portal.notifications.policy import STAFF_TOPICS, Topic, Way, usual
from portal.notifications.reach import CEILINGS, BoardChoice, Reach, Rhythm, TopicChoice
from portal.options import option

PAGE = 40
WORDS: dict[Topic, tuple[Any, Any]] = {
    Topic.DECISIONS: (
        _l("Decisions"),
        _l("Planned, shipped, declined: on ideas that you have a part in or follow. Usually at once."),
    ),
    Topic.PROGRESS: (
        _l("Progress"),
        _l("Under review, in progress, a question. Usually at once on your own ideas, else in the digest."),
    ),
    Topic.ANSWERS: (
        _l("Official answers"),
        _l("What the team says without moving an idea. Usually at once on your own, else in the digest."),
    ),
    Topic.REPLIES: (_l("Replies to you"), _l("Usually at once.")),
    Topic.MENTIONS: (_l("Your name in a comment"), _l("Usually at once.")),
    Topic.COMMENTS: (_l("Other comments"), _l("On ideas you take part in. Usually in the digest.")),
    Topic.MINE: (
        _l("Your posts and votes"),
        _l("Received, published, joined with another idea. Usually at once; round numbers of votes only here."),
    ),
    Topic.VERDICTS: (
        _l("Whether it helped"),
        _l("One question, some weeks after something came out. Usually at once."),
    ),
    Topic.COMMUNITY: (_l("You and this portal"), _l("Thanks by name, your role, new rules.")),
    Topic.WORK: (
        _l("Your work on the team"),
        _l("What is given to you, late promises, notes and drafts. Usually at once where somebody waits for you."),
    ),
}
"""What each heading is called, and what is usual there. Kept searches have a choice of their own at each search."""

SHORT = (Topic.DECISIONS, Topic.ANSWERS, Topic.REPLIES, Topic.COMMENTS)
"""What stands beside the inbox already."""

LEVELS = ("all", "decisions", "muted")


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One heading, and what somebody chose there: on one board, or everywhere."""

    topic: Topic
    label: str
    hint: str
    mail: Way | None  # None: as usual, or as everywhere
    push: bool | None
    push_usual: bool  # what None means for push


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A number of mails a day that somebody can choose."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """All that the page of choices shows."""

    user: User
    board: Board | None
    rows: list[TopicRow]
    reach: Reach
    paused: bool
    boards: list[tuple[Board, int]]  # each with how much was chosen for it alone
    followed: int
    ceilings: list[Ceiling]


@dataclass(frozen=True, slots=True)
class Followed:
    """One idea that somebody follows, or muted."""

    idea: Idea
    reason: str
    level: str


def preferences(user: User, board: Board | None = None) -> Preferences:
    """Return what reaches somebody, from one board or from all."""
    reach = reach_of(user.id) or default_reach(user)
    return Preferences(
        user=user,
        board=board,
        rows=topic_rows(user, board),
        reach=reach,
        paused=reach.paused_until is not None and reach.paused_until > utcnow(),
        boards=_boards_of(user),
        followed=count_followed(user),
        ceilings=ceilings(reach.mails_a_day),
    )


def ceilings(chosen: int | None) -> list[Ceiling]:
    """Return how many mails a day somebody can choose to get at most; who chose none has what is usual."""
    usual = int(option("mails_a_day"))
    offered = sorted({*CEILINGS, usual, *filter(None, [chosen])})
    return [
        Ceiling("" if number == usual else str(number), _called(number, usual), number == (chosen or usual))
        for number in offered
    ]


def default_reach(user: User) -> Reach:
    """Return what holds for somebody who chose nothing; it is not kept."""
    return Reach(user_id=user.id, digest=Rhythm.WEEKLY, digest_hour=8, digest_weekday=4)


def topic_rows(user: User, board: Board | None = None, only: Sequence[Topic] | None = None) -> list[TopicRow]:
    """Return the headings somebody is asked about, in the order of the page."""
    everywhere = {
        choice.topic: choice for choice in db.session.scalars(select(TopicChoice).where(TopicChoice.user_id == user.id))
    }
    own: dict[Topic, BoardChoice] = {}
    if board is not None:
        mine = select(BoardChoice).where(BoardChoice.user_id == user.id, BoardChoice.board_id == board.id)
        own = {choice.topic: choice for choice in db.session.scalars(mine)}
    rows = []
    for topic in only or topics_of(user):
        choice: Any = own.get(topic) if board is not None else everywhere.get(topic)
        above = everywhere.get(topic) if board is not None else None
        inherited = above.push if above is not None else None
        rows.append(
            TopicRow(
                topic=topic,
                label=str(WORDS[topic][0]),
                hint=str(WORDS[topic][1]),
                mail=choice.mail if choice else None,
                push=choice.push if choice else None,
                push_usual=inherited if inherited is not None else usual(topic) is Way.MAIL,
            )
        )
    return rows


def topics_of(user: User) -> list[Topic]:
    """Return what somebody is asked about: work only where they work."""
    return [topic for topic in WORDS if user.works_here or topic not in STAFF_TOPICS]


def count_followed(user: User) -> int:
    """Count the ideas that somebody hears of and may see."""
    return db.session.scalar(*_number_followed(user)) or 0


def followed(user: User, level: str, before_id: int | None = None) -> tuple[list[Followed], int | None]:
    """Return a page of what somebody follows, newest first, and where the next one begins."""
    which = {
        "all": ~Follow.muted,
        "decisions": ~Follow.muted & Follow.decisions_only,
        "muted": Follow.muted,
    }[level if level in LEVELS else "all"]
    mine = (
        select(Follow, Idea)
        .join(Idea, Idea.id == Follow.idea_id)
        .options(joinedload(Idea.board))
        .where(Follow.user_id == user.id, which, is_seen_by(user))
        .order_by(Follow.idea_id.desc())
        .limit(PAGE + 1)
    )
    if before_id is not None:
        mine = mine.where(Follow.idea_id < before_id)
    found = db.session.execute(mine).all()
    shown = [Followed(idea, strongest_reason(follow), _level(follow)) for follow, idea in found[:PAGE]]
    return shown, shown[-1].idea.id if len(found) > PAGE else None


def followed_among(user: User, idea_ids: Sequence[int]) -> list[Idea]:
    """Return those of these ideas that somebody follows or muted, and may see."""
    mine = select(Idea).join(Follow, (Follow.idea_id == Idea.id) & (Follow.user_id == user.id))
    return list(db.session.scalars(mine.where(Idea.id.in_(idea_ids), is_seen_by(user)).order_by(Idea.id)))


def _called(number: int, usual: int) -> str:
    if number == usual:
        return _("%(number)s, as usual", number=number)
    return _("all of them, up to %(number)s", number=number) if number == CEILINGS[-1] else str(number)


def _level(follow: Follow) -> str:
    if follow.muted:
        return "muted"
    return "decisions" if follow.decisions_only else "all"


def _boards_of(user: User) -> list[tuple[Board, int]]:
    counted = select(BoardChoice.board_id, sa.func.count()).where(BoardChoice.user_id == user.id)
    own = lookup(counted.group_by(BoardChoice.board_id))
    return [(board, own.get(board.id, 0)) for board in list_boards(user)]


@built_once
def _number_followed(user: Person) -> sa.Select[int]:
    mine = select(sa.func.count()).select_from(Follow).join(Idea, Idea.id == Follow.idea_id)
    return mine.where(Follow.user_id == user.id, ~Follow.muted, is_seen_by(user))
