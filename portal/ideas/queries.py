"""Reading ideas, each time from what the viewer may see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import InstrumentedAttribute, aliased, joinedload, selectinload

from portal.accounts.models import Person, User
from portal.accounts.roles import TRIAGERS
from portal.boards.models import Board
from portal.boards.queries import is_known_to, is_worked_on_by, keeps_apart
from portal.db import UTCDateTime, db
from portal.ideas.models import (
    Answer,
    Draft,
    Follow,
    Idea,
    Objection,
    Revision,
    StatusChange,
    Tag,
    Vote,
    VoteSetAside,
    idea_tags,
)
from portal.ideas.workflow import Publication, Status

_NUMBER = re.compile(r"#?(\d{1,9})|(?:https?://[^/\s]+)?/(?:[\w-]+/)*?ideas/(\d{1,9})(?:[/?#]\S*)?")


@dataclass(frozen=True, slots=True)
class Ballot:
    """The vote on one idea as one viewer sees it: all that the vote button shows."""

    id: int
    title: str
    votes: int
    cast: bool
    open: bool
    board_id: int | None = None
    dom_class: str = "idea"


@dataclass(frozen=True, slots=True)
class Following:
    """Whether one person is told of changes to one idea, and why."""

    id: int
    title: str
    on: bool
    reason: str
    board_id: int | None = None
    decisions_only: bool = False
    dom_class: str = "idea"


def number_in(text: str) -> int | None:
    """Return the number of the idea that somebody means who types a number or pastes an address; None for words."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1] or found[2]) if found else None


def is_seen_by(viewer: Person) -> ColumnElement[bool]:
    """Say which ideas this viewer may know of: the one rule that every read of ideas starts from."""
    there, published = is_within_reach_of(viewer), Idea.publication == Publication.PUBLISHED
    if viewer.is_triager:
        return there & (Idea.publication != Publication.REMOVED)
    if not viewer.is_signed_in:
        return there & published
    mine = Idea.author_id == viewer.id
    if viewer.has_board_roles:
        mine |= Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer, TRIAGERS)))
    return there & (published | (mine & Idea.publication.in_([Publication.HELD, Publication.HIDDEN])))


def is_out_for(viewer: Person) -> ColumnElement[bool]:
    """Say which ideas are published where this viewer may look: what lists show, and an index can answer."""
    return is_within_reach_of(viewer) & (Idea.publication == Publication.PUBLISHED)


def is_within_reach_of(viewer: Person) -> ColumnElement[bool]:
    """Say which ideas are on a board this viewer knows; where members are kept apart, their own."""
    boards = select(Board.id).where(is_known_to(viewer))
    if viewer.reads_as_staff:
        return Idea.board_id.in_(boards)
    if viewer.standing is None:
        return Idea.board_id.in_(boards.where(~keeps_apart(viewer)))
    apart = select(Board.id).where(keeps_apart(viewer))
    return Idea.board_id.in_(boards) & ((Idea.author_id == viewer.id) | Idea.board_id.not_in(apart))


def ideas_visible_to(viewer: Person) -> Select[Idea]:
    """Every read of ideas starts here, so that what is hidden stays hidden."""
    return select(Idea).where(is_seen_by(viewer))


def get_idea(idea_id: int, viewer: Person) -> Idea:
    """Return the idea with all that its page shows of it, or answer 404."""
    idea = db.session.scalar(
        ideas_visible_to(viewer)
        .where(Idea.id == idea_id)
        .options(
            joinedload(Idea.board),
            joinedload(Idea.author),
            joinedload(Idea.owner),
            joinedload(Idea.merged_into),
            selectinload(Idea.tags),  # joined, SQLite reads the tags of all ideas first
        )
    )
    return idea or abort(404)


def ballot(idea: Idea, viewer: Person) -> Ballot:
    """Return the viewer's ballot; a merged idea shows the main one's votes."""
    main = main_of(idea, viewer) or idea
    return _ballot(main, viewer.is_signed_in and is_behind(main, viewer))


def main_of(idea: Idea, viewer: Person) -> Idea | None:
    """Return the idea that this one was merged into, if the viewer may know of it."""
    main = ideas_visible_to(viewer).where(Idea.id == idea.merged_into_id)
    return db.session.scalar(main) if idea.merged_into_id else None


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody behind an idea, as the team sees it."""

    user: User
    cast_at: datetime
    through: int | None  # the merged idea that the vote was given to


def voters(idea: Idea, after: tuple[datetime, int] | None = None, limit: int = 100) -> list[Voter]:
    """Return the people behind an idea, each once and with the vote given to it rather than to one merged into it.

    The newest come first, from a place on.
    """
    cast = select(User, Vote.cast_at, Vote.idea_id).join(Vote, Vote.voter_id == User.id)
    cast = cast.where(counts_for(idea.id), _says_it_first(idea.id)).order_by(Vote.cast_at.desc(), User.id.desc())
    if after is not None:
        cast = cast.where(sa.tuple_(Vote.cast_at, User.id) < sa.tuple_(sa.literal(after[0], UTCDateTime), after[1]))
    rows = db.session.execute(cast.limit(limit)).all()
    return [Voter(user, at, None if idea_id == idea.id else idea_id) for user, at, idea_id in rows]


def get_voter(idea: Idea, user_id: int) -> User:
    """Return somebody who is behind the idea, or answer 404."""
    behind = select(Vote.voter_id).where(counts_for(idea.id))
    return db.session.scalar(select(User).where(User.id == user_id, User.id.in_(behind))) or abort(404)


def is_behind(idea: Idea, viewer: Person) -> bool:
    """Whether this person votes for the idea, directly or through one merged into it; whether it counts or not."""
    return db.session.scalar(_votes_of(idea.id, viewer).limit(1)) is not None


def _votes_of(idea_id: int, viewer: Person) -> Select[int]:
    return select(Vote.idea_id).where(Vote.voter_id == viewer.id, is_given_to(idea_id))


def counts_already(idea: Idea, voter: Person) -> bool:
    """Whether a vote of this person counts for the idea, their own or through one merged into it."""
    mine = select(Vote.idea_id).where(Vote.voter_id == voter.id, counts_for(idea.id))
    return db.session.scalar(mine.limit(1)) is not None


def set_aside_since(idea: Idea, voter: Person) -> datetime | None:
    """Return since when the team counts no vote of this person for the idea; None when it does."""
    verdicts = select(sa.func.min(VoteSetAside.at)).where(VoteSetAside.voter_id == voter.id)
    return db.session.scalar(verdicts.where(VoteSetAside.idea_id.in_(self_and_merged(idea.id))))


def voted_by(viewer: Person) -> ColumnElement[bool]:
    """Say whether the viewer is behind the idea of the same row."""
    merged = aliased(Idea)
    mine = select(Vote.idea_id).where(Vote.voter_id == viewer.id)
    counted = mine.where(~is_set_apart(Vote.idea_id, Vote.voter_id))
    through = select(merged.id).where(merged.merged_into_id == Idea.id, merged.id.in_(counted)).exists()
    return sa.or_(mine.where(Vote.idea_id == Idea.id).exists(), through)


def count_supporters(idea: Idea) -> int:
    """Count the people behind an idea from the rows, each once, merged ideas included."""
    people = sa.func.count(sa.distinct(Vote.voter_id))
    return db.session.scalar(select(people).where(counts_for(idea.id))) or 0


def counts_for(idea_id: int) -> ColumnElement[bool]:
    """Say which votes count for an idea: those given to it that nobody set aside.

    Several votes of one person are one supporter.
    """
    return is_given_to(idea_id) & is_counted(Vote)


def is_counted(vote: type[Vote]) -> ColumnElement[bool]:
    """Say which votes count at all: those that the team did not set aside."""
    return vote.set_aside_at.is_(None)


def is_given_to(idea_id: int) -> ColumnElement[bool]:
    """Say which votes were given to an idea or came with a merge, unless the voter objected; they may be set aside."""
    own = Vote.idea_id == idea_id
    return Vote.idea_id.in_(self_and_merged(idea_id)) & (own | ~is_set_apart(Vote.idea_id, Vote.voter_id))


def is_set_apart(
    idea_id: ColumnElement[int] | InstrumentedAttribute[int], user_id: ColumnElement[int] | InstrumentedAttribute[int]
) -> ColumnElement[bool]:
    """Say whether this person objects to the merge of this idea, and so stays with it alone."""
    objection = select(Objection.id).where(Objection.idea_id == idea_id, Objection.user_id == user_id)
    return objection.where(Objection.ended_at.is_(None)).exists()


def self_and_merged(idea_id: int) -> Select[int]:
    """Select the idea's id and those of the ideas merged into it."""
    either = aliased(Idea)  # apart from the idea of a statement around this one
    return select(either.id).where(sa.or_(either.id == idea_id, either.merged_into_id == idea_id))


def with_merged(idea: Idea) -> list[int]:
    """Return the idea's id and those of the ideas merged into it."""
    return [idea.id, *merged_ids(idea)]


def merged_ids(idea: Idea) -> list[int]:
    """Return the ids of the ideas merged into this one."""
    return list(db.session.scalars(select(Idea.id).where(Idea.merged_into_id == idea.id)))


def following(idea: Idea, viewer: Person) -> Following:
    """Return whether and why the viewer is told of changes, also if they came along with an idea merged into it."""
    if not viewer.is_signed_in:
        return _following(idea, None)
    rows = select(Follow).where(_is_told_through(idea.id, viewer)).order_by(Follow.idea_id != idea.id, Follow.idea_id)
    return _following(idea, db.session.scalar(rows.limit(1)))


def ballot_and_following(idea: Idea, main: Idea, viewer: Person) -> tuple[Ballot, Following]:
    """Return both in one statement: the ballot on ``main``, and whether the viewer is told of changes to ``idea``."""
    if not viewer.is_signed_in:
        return _ballot(main, False), _following(idea, None)
    mine = _is_told_through(idea.id, viewer)
    both = select(_votes_of(main.id, viewer).exists(), Follow).select_from(Idea).outerjoin(Follow, mine)
    rows = both.where(Idea.id == idea.id).order_by(Follow.idea_id != idea.id, Follow.idea_id)
    cast, follow = db.session.execute(rows.limit(1)).one()
    return _ballot(main, cast), _following(idea, follow)


def _is_told_through(idea_id: int, viewer: Person) -> ColumnElement[bool]:
    """Say which rows tell of the viewer and an idea: their own, and those by which they came along with another."""
    own = Follow.idea_id == idea_id
    return (Follow.user_id == viewer.id) & Follow.idea_id.in_(self_and_merged(idea_id)) & (own | reaches(idea_id))


def _ballot(main: Idea, cast: bool) -> Ballot:
    return Ballot(main.id, main.title, main.votes, cast, main.takes_votes, main.board_id)


def _following(idea: Idea, row: Follow | None) -> Following:
    on = row is not None and not row.muted
    reason, quiet = (strongest_reason(row), row.decisions_only) if row and on else ("", False)
    return Following(idea.id, idea.title, on, reason, idea.board_id, quiet)


def follows(idea: Idea, viewer: Person) -> bool:
    """Whether the viewer is told of changes."""
    return following(idea, viewer).on


def strongest_reason(follow: Follow) -> str:
    """Return the reason that counts when there are several."""
    reasons = (("author", follow.is_author), ("voter", follow.is_voter), ("commenter", follow.is_commenter))
    return next((name for name, holds in reasons if holds), "follower")


REASONS = ("author", "voter", "commenter", "follower")


def audience_of(
    idea_id: int,
    except_id: int | None,
    reasons: Sequence[str] = REASONS,
    *,
    through_merges: bool = True,
    also_quiet: bool = True,
) -> Select[int, str]:
    """Select who hears of an idea for one of ``reasons``, each person once with the strongest, one left out.

    Those who follow an idea merged into it hear too, unless they objected to that merge or muted the main idea. Without
    ``also_quiet`` those are left out who asked for decisions only.
    """
    columns = {
        "author": Follow.is_author,
        "voter": Follow.is_voter,
        "commenter": Follow.is_commenter,
        "follower": Follow.by_choice,
    }
    holding = [columns[reason] for reason in reasons]
    strongest = sa.func.min(sa.case(*((column, rank) for rank, column in enumerate(holding))))
    reason = sa.case(*((strongest == rank, name) for rank, name in enumerate(reasons)))
    people = (
        select(Follow.user_id.label("user_id"), reason.label("reason"))
        .join(User, User.id == Follow.user_id)
        .where(reaches(idea_id, also_quiet) if through_merges else (Follow.idea_id == idea_id) & ~Follow.muted)
        .where(sa.or_(*holding), User.suspended_at.is_(None))
        .group_by(Follow.user_id)
    )
    return people if except_id is None else people.where(Follow.user_id != except_id)


def backers_of(idea: Idea) -> Select[int, str]:
    """Select who hears of an idea because it is theirs or for a vote that counts, each person once, with the reason."""
    people = audience_of(idea.id, None, ("author", "voter")).subquery()
    counted = select(Vote.voter_id).where(counts_for(idea.id))
    behind = (people.c.user_id == idea.author_id) | people.c.user_id.in_(counted)
    return select(people.c.user_id, people.c.reason).where(behind)


def reaches(idea_id: int, also_quiet: bool = True) -> ColumnElement[bool]:
    """Say through which rows of followers news of an idea goes out: its own, and those of ideas merged into it.

    Without ``also_quiet``, what is no decision does not go to those who asked for decisions only.
    """
    mute = aliased(Follow)
    silent = mute.muted if also_quiet else mute.muted | mute.decisions_only
    muted = select(mute.user_id).where(mute.idea_id == idea_id, mute.user_id == Follow.user_id, silent).exists()
    through = Follow.idea_id.in_(self_and_merged(idea_id)) & ~is_set_apart(Follow.idea_id, Follow.user_id) & ~muted
    open_here = ~Follow.muted if also_quiet else ~Follow.muted & ~Follow.decisions_only
    return open_here & ((Follow.idea_id == idea_id) | through)


def count_told(idea: Idea, actor_id: int | None, reasons: Sequence[str] = REASONS, *, also_quiet: bool = True) -> int:
    """Count who would hear of a change to the idea. Only where ideas were merged into it is each person looked at.

    Without ``also_quiet``, as for what is no decision, those are left out who asked for decisions only.
    """
    if not reasons:
        return 0
    columns = {"author": Follow.is_author, "voter": Follow.is_voter, "commenter": Follow.is_commenter}
    holds = sa.or_(*(columns.get(reason, Follow.by_choice) for reason in reasons))
    suspended = select(User.id).where(User.suspended_at.is_not(None))
    here = select(sa.func.count()).select_from(Follow).where(Follow.idea_id == idea.id, ~Follow.muted, holds)
    here = here.where(Follow.user_id.not_in(suspended), Follow.user_id != (actor_id or 0))
    here = here if also_quiet else here.where(~Follow.decisions_only)
    hearing = audience_of(idea.id, actor_id, reasons, also_quiet=also_quiet)
    people = select(sa.func.count()).select_from(hearing.subquery())
    merged = select(Idea.id).where(Idea.merged_into_id == idea.id).exists()
    told = sa.case((merged, people.scalar_subquery()), else_=here.scalar_subquery())
    return db.session.scalar(select(told)) or 0


def count_audience(
    idea: Idea, actor_id: int | None, reasons: Sequence[str] = REASONS, *, also_quiet: bool = True
) -> dict[str, int]:
    """Count who would hear of a change to the idea, by reason; whoever makes it is told nothing."""
    if not reasons:
        return {}
    people = audience_of(idea.id, actor_id, reasons, also_quiet=also_quiet).subquery()
    rows = db.session.execute(select(people.c.reason, sa.func.count()).group_by(people.c.reason))
    counts: dict[str, int] = {reason: number for reason, number in rows}  # noqa: C416 - rows are no tuples
    return {reason: counts[reason] for reason in ("author", "voter", "commenter", "follower") if reason in counts}


def status_changes(idea: Idea, viewer: Person) -> list[StatusChange]:
    """Return every move of the idea, oldest first, and merges with ideas that the viewer may know of."""
    known = select(Idea.id).where(is_seen_by(viewer))
    own = (StatusChange.idea_id == idea.id) & (StatusChange.into_id.is_(None) | StatusChange.into_id.in_(known))
    others = (StatusChange.into_id == idea.id) & StatusChange.idea_id.in_(known)
    moves = select(StatusChange).where(own | others, StatusChange.undone_at.is_(None))
    loaded = moves.options(joinedload(StatusChange.actor), joinedload(StatusChange.idea), joinedload(StatusChange.into))
    return list(db.session.scalars(loaded.order_by(StatusChange.at, StatusChange.id)))


def answers(idea: Idea) -> list[Answer]:
    """Return the official answers, newest first: the first is the one that is pinned."""
    said = select(Answer).where(Answer.idea_id == idea.id, Answer.taken_back_at.is_(None))
    said = said.options(joinedload(Answer.author))
    return list(db.session.scalars(said.order_by(Answer.at.desc(), Answer.id.desc())))


def revisions(idea: Idea) -> list[Revision]:
    """Return what the idea said before its edits, newest first."""
    return list(db.session.scalars(select(Revision).where(Revision.idea_id == idea.id).order_by(Revision.id.desc())))


def draft_of(user: Person) -> Draft | None:
    """Return what this member has typed and not posted."""
    return db.session.get(Draft, user.id) if user.is_signed_in else None


def tags_in_use(board_ids: Sequence[int], limit: int = 40) -> list[str]:
    """Return the tags of what is published on these boards, the commonest first."""
    visible = select(Idea.id).where(Idea.board_id.in_(board_ids), Idea.publication == Publication.PUBLISHED)
    used = (
        select(Tag.name)
        .join(idea_tags, idea_tags.c.tag_id == Tag.id)
        .where(idea_tags.c.idea_id.in_(visible))
        .group_by(Tag.id, Tag.name)
        .order_by(sa.func.count().desc(), Tag.name)
    )
    return list(db.session.scalars(used.limit(limit)))


def holds_ideas(board: Board) -> bool:
    """Whether anything was ever posted there, hidden and taken back included."""
    return db.session.scalar(select(Idea.id).where(Idea.board_id == board.id).limit(1)) is not None


def is_open(idea: Idea) -> bool:
    """Whether the idea is still being looked at, so that its author may change the words."""
    return idea.rule.takes_edits


def usual_days_to_answer(board_ids: Sequence[int], since: datetime) -> int | None:
    """Return in how many days the team usually says its first word there: the median since then, None if unknown."""
    waits = [
        (answered - published).days
        for published, answered in db.session.execute(
            select(Idea.published_at, sa.func.min(StatusChange.at))
            .join(StatusChange, StatusChange.idea_id == Idea.id)
            .where(Idea.publication == Publication.PUBLISHED, Idea.published_at >= since)
            .where(Idea.board_id.in_(board_ids))
            .where(StatusChange.source == Status.NEW, StatusChange.undone_at.is_(None))
            .group_by(Idea.id, Idea.published_at)
            .limit(500)
        )
    ]
    return sorted(waits)[len(waits) // 2] if waits else None


def _says_it_first(idea_id: int) -> ColumnElement[bool]:
    """Say which of several votes of one person stands for them: the one given to the idea itself, else the first."""
    other = aliased(Vote)
    before = sa.case((other.idea_id == idea_id, 0), else_=other.idea_id)
    this = sa.case((Vote.idea_id == idea_id, 0), else_=Vote.idea_id)
    earlier = select(other.idea_id).where(other.voter_id == Vote.voter_id, before < this)
    given = (other.idea_id == idea_id) | ~is_set_apart(other.idea_id, other.voter_id)
    counted = other.idea_id.in_(self_and_merged(idea_id)) & given & is_counted(other)
    return ~earlier.where(counted).exists()
