"""Reading verdicts: what one person was asked, what an idea's supporters said, and how often it helped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import abort
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.boards.models import Board
from portal.db import UTCDateTime, db
from portal.ideas.followers import backers_of
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to, is_out_for
from portal.ideas.supporters import counts_already
from portal.teams.models import Team
from portal.verdicts.models import End, Round, Verdict
from portal.verdicts.rules import current_rules

FEW = 3  # answers; of fewer no numbers are shown, for they would name somebody
ENOUGH = 10  # answers; of fewer no share is said
PAGE = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """The question about one idea as one viewer sees it: all that its fragment shows."""

    idea: Idea
    round: Round
    mine: Verdict | None
    may_answer: bool
    until: datetime | None
    reads_words: bool

    @property
    def shows_numbers(self) -> bool:
        """Whether so many have answered that numbers name nobody, or the team asks."""
        return self.round.answers >= FEW or (self.reads_words and self.round.answers > 0)


@dataclass(frozen=True, slots=True)
class Said:
    """One page of what people said; ``older``: after which the next one begins, if there is one."""

    rows: Sequence[Verdict]
    older: tuple[datetime, int] | None


@dataclass(frozen=True, slots=True)
class Rate:
    """How often what came out solved the need: of a board, of a team, or of all."""

    name: str
    rounds: int
    asked: int
    yes: int
    partly: int
    no: int
    confirmed: int
    reopened: int

    @property
    def answers(self) -> int:
        """How many have answered."""
        return self.yes + self.partly + self.no

    def percent(self, says: str) -> int | None:
        """Return the share of an answer in percent; None where there are too few to speak of shares."""
        part: int = getattr(self, says)
        return round(100 * part / self.answers) if self.answers >= ENOUGH else None


def is_asked(idea: Idea, person: Person) -> bool:
    """Whether the question is for this person: the author, and everybody whose vote counts for the idea."""
    return person.is_signed_in and (idea.author_id == person.id or counts_already(idea, person))


def count_asked(idea: Idea) -> int:
    """Count the people to whom the question goes."""
    return db.session.scalar(select(sa.func.count()).select_from(backers_of(idea).subquery())) or 0


def round_of(idea: Idea) -> Round | None:
    """Return the last round of questions about the idea."""
    rounds = select(Round).where(Round.idea_id == idea.id).order_by(Round.id.desc())
    return db.session.scalar(rounds.limit(1))


def standing_of(idea: Idea, viewer: Person, *, may_take_part: bool, reads_words: bool) -> Standing | None:
    """Return the question as the viewer sees it; None where nothing was asked, or will be, or concerns them."""
    last = round_of(idea)
    if last is None or (last.asked_at is None and not reads_words):
        return None
    mine = db.session.get(Verdict, (last.id, viewer.id)) if viewer.is_signed_in else None
    open_to = last.is_open and may_take_part and is_asked(idea, viewer)
    until = last.asked_at + timedelta(days=current_rules().open_for) if last.asked_at else None
    return Standing(idea, last, mine, open_to, until, reads_words)


def get_asked(idea: Idea) -> Round:
    """Return the last round about the idea, or answer 404."""
    return round_of(idea) or abort(404)


def find_asked(round_id: int, user: User) -> Round | None:
    """Return the round of a mail's link, as long as its reader may see the idea and use their account."""
    asked = db.session.get(Round, round_id)
    if asked is None or not user.is_active:
        return None
    seen = ideas_visible_to(user).where(Idea.id == asked.idea_id)
    return asked if db.session.scalar(seen) is not None else None


def words_on(asked: Round, after: tuple[datetime, int] | None = None, count: int = PAGE) -> Said:
    """Return what people said and why, the newest first; ``after`` is when the last one was, and whose."""
    said = select(Verdict).where(Verdict.round_id == asked.id).options(joinedload(Verdict.user))
    if after is not None:
        place = sa.tuple_(sa.literal(after[0], UTCDateTime), after[1])
        said = said.where(sa.tuple_(Verdict.at, Verdict.user_id) < place)
    found = db.session.scalars(said.order_by(Verdict.at.desc(), Verdict.user_id.desc()).limit(count + 1)).all()
    last = found[count - 1] if len(found) > count else None
    return Said(found[:count], (last.at, last.user_id) if last else None)


def open_to(viewer: Person, idea_ids: Sequence[int]) -> set[int]:
    """Return which of these ideas the viewer is asked about and has not answered."""
    if not viewer.is_signed_in or not idea_ids:
        return set()
    answered = select(Verdict.round_id).where(Verdict.user_id == viewer.id)
    rounds = select(Round).where(
        Round.idea_id.in_(idea_ids), Round.asked_at.is_not(None), Round.ended_at.is_(None), Round.id.not_in(answered)
    )
    asked = db.session.scalars(rounds.options(joinedload(Round.idea))).all()
    return {each.idea_id for each in asked if is_asked(each.idea, viewer)}


def rates_by_board(viewer: Person) -> list[Rate]:
    """Return how often it helped on each board, of ideas that the viewer may see, boards in their order."""
    return _rates(
        _rate_of(viewer, Board.name).group_by(Board.id, Board.name, Board.position).order_by(Board.position, Board.id)
    )


def rates_by_team(viewer: Person) -> list[Rate]:
    """Return the same by the team that looks after the ideas, by name."""
    of_teams = _rate_of(viewer, Team.name).join(Team, Team.id == Idea.team_id)
    return _rates(of_teams.group_by(Team.id, Team.name).order_by(Team.name, Team.id))


def recent(viewer: Person, limit: int = 12) -> Sequence[Round]:
    """Return the rounds that ended last by what people said, of ideas that the viewer may see."""
    ended = select(Round).join(Idea, Idea.id == Round.idea_id).where(is_out_for(viewer))
    told = ended.where(Round.end.in_([End.CONFIRMED, End.REOPENED, End.MIXED]))
    return db.session.scalars(
        told.options(joinedload(Round.idea)).order_by(Round.ended_at.desc(), Round.id.desc()).limit(limit)
    ).all()


def _rate_of(viewer: Person, name: Any) -> Select[Any]:
    def ended(end: End) -> Any:
        return sa.func.sum(sa.case((Round.end == end, 1), else_=0))

    numbers = [sa.func.sum(column) for column in (Round.asked, Round.yes, Round.partly, Round.no)]
    return (
        select(name, sa.func.count(Round.id), *numbers, ended(End.CONFIRMED), ended(End.REOPENED))
        .join(Idea, Idea.id == Round.idea_id)
        .join(Board, Board.id == Idea.board_id)
        .where(is_out_for(viewer), Round.asked_at.is_not(None))
    )


def _rates(rates: Select[Any]) -> list[Rate]:
    return [Rate(*row) for row in db.session.execute(rates)]
