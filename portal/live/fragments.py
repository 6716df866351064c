"""What is sent of a change: the parts of pages that show it, the same for everybody who may see the idea."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask_babel import force_locale
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Guest
from portal.changelog import queries as changelog
from portal.comments import queries as comments
from portal.comments.models import Comment
from portal.db import db
from portal.ideas import queries
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.page import Step, trail
from portal.ideas.workflow import Publication, Status
from portal.live.changes import (
    ANSWER,
    CHANGELOG,
    COMMENTS,
    MERGED,
    NEW,
    ROADMAP,
    STATUS,
    TEAM,
    TEXT,
    VOTES,
    Change,
)
from portal.roadmap import queries as roadmap
from portal.roadmap.models import HORIZON_OF
from portal.web.responses import fragment

MOST_COMMENTS = 20  # told of in one message
DESKS = frozenset({NEW, STATUS, ANSWER, MERGED, TEAM})
"""What may put an idea into another queue."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How an idea stands now, as far as it changed."""

    idea: Idea
    votes: bool
    steps: Sequence[Step]
    decides: bool
    answer: Answer | None
    talks: bool
    said: Sequence[int]
    changed: Sequence[Comment]  # which were removed, or helped somebody
    retold: bool
    offers: Sequence[tuple[str, str]]  # what pages listen to, and what they may not have yet


def render(change: Change, locale: str) -> str:
    """Return the parts of pages that show what changed, in one language; nothing in them is personal."""
    with force_locale(locale):
        if change.idea_id is None:
            return _tell_of_changelog(change)
        whole = select(Idea).where(Idea.id == change.idea_id).options(joinedload(Idea.board))
        idea = db.session.scalar(whole.execution_options(populate_existing=True))
        return str(fragment("live/_news.html", reading=_read(idea, change))).strip() if idea else ""


def badge(unread: int, newest: Sequence[int], locale: str) -> str:
    """Return the parts of pages that say how much its owner has not read; ``newest`` are the last of these news."""
    with force_locale(locale):
        return str(fragment("live/_unread.html", number=unread, newest=newest)).strip()


def _read(idea: Idea, change: Change) -> Reading:
    kinds = change.kinds
    decides, talks = bool(kinds & {STATUS, ANSWER, MERGED}), COMMENTS in kinds
    return Reading(
        idea=idea,
        votes=VOTES in kinds or STATUS in kinds,  # a move may end the voting, and what is said of the number with it
        steps=trail(idea, queries.status_changes(idea, Guest())) if STATUS in kinds else (),
        decides=decides,
        answer=next(iter(queries.answers(idea)), None) if decides else None,
        talks=talks,
        said=comments.latest_on(idea) if talks else (),
        changed=_comments(idea, change.comments) if change.comments else (),
        retold=TEXT in kinds,
        offers=[*_arrivals(idea, kinds), *_places(idea, kinds), *([("triage/numbers", "")] if kinds & DESKS else [])],
    )


def _comments(idea: Idea, numbers: Collection[int]) -> Sequence[Comment]:
    some = select(Comment).where(Comment.idea_id == idea.id, Comment.id.in_(numbers)).order_by(Comment.id.desc())
    return db.session.scalars(some.limit(MOST_COMMENTS).execution_options(populate_existing=True)).all()


def _arrivals(idea: Idea, kinds: frozenset[str]) -> list[tuple[str, str]]:
    """Lists that have the idea now; ``board-N`` and ``boards`` hold what is published."""
    if NEW not in kinds:
        return []
    if idea.publication is Publication.PUBLISHED:
        lists = ["boards/new", f"board-{idea.board_id}/new"]
        queue = "first-look" if idea.status is Status.NEW else ""
    else:
        lists, queue = [], "held" if idea.publication is Publication.HELD else ""
    if queue:
        lists += [f"triage/{queue}", f"triage/{queue}-{idea.board_id}"]
    return [(name, f"idea{idea.id}") for name in lists]


def _places(idea: Idea, kinds: frozenset[str]) -> list[tuple[str, str]]:
    """Where the idea stands on the roadmap, if it stands there or did until now."""
    if not kinds & {STATUS, ROADMAP}:
        return []
    place = roadmap.place_of(idea)
    here = roadmap.horizon_of(idea, place)
    left = here is None and (ROADMAP in kinds or _came_from(idea) in HORIZON_OF)
    theme = place.theme_id if place else None
    return [("roadmap/moved", roadmap.spot(idea.id, here, theme))] if here or left else []


def _came_from(idea: Idea) -> object:
    last = select(StatusChange.source).where(StatusChange.idea_id == idea.id, StatusChange.undone_at.is_(None))
    return db.session.scalar(last.order_by(StatusChange.id.desc()).limit(1))


def _tell_of_changelog(change: Change) -> str:
    if CHANGELOG not in change.kinds:
        return ""
    newest = " ".join(f"entry{number}" for number in changelog.newest_on(change.board_id))
    names = ["changelog/all", *([f"changelog/{change.board_id}"] if change.board_id else [])]
    return "".join(fragment("live/_mark.html", name=name, what=newest) for name in names) if newest else ""
