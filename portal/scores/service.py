"""Giving scores, and counting them again when what they are made of changes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.ideas.workflow import Status
from portal.numbers import NotClear, read_number, typed_as
from portal.options import decide
from portal.organisations.queries import counts_by_idea
from portal.scores.events import FormulaChanged, ScoreGiven
from portal.scores.factors import Factor, Scoring, check, scoring
from portal.scores.formula import work_out
from portal.scores.models import IdeaScore
from portal.security.log import note

STALE = timedelta(hours=1)
AT_ONCE = 500
NEVER = datetime(2000, 1, 1, tzinfo=UTC)


class PartRefused(Refusal):
    """What was given for one part is no number, or lies outside."""

    status = 422

    def __init__(self, factor: Factor) -> None:
        self.key = factor.key
        super().__init__(
            _(
                "%(part)s: a number from %(low)s to %(high)s.",
                part=factor.label,
                low=typed_as(factor.low),
                high=typed_as(factor.high),
            )
        )


class PartUnclear(PartRefused):
    """What was given for one part is no number, or could be two."""

    def __init__(self, factor: Factor, text: str) -> None:
        self.key = factor.key
        sentence = _(
            "%(part)s: “%(typed)s” is not clear. Write it without signs between thousands: %(one)s or %(other)s.",
            part=factor.label,
            typed=text[:20],
            one=typed_as(1000),
            other=typed_as(1.5),
        )
        Refusal.__init__(self, sentence)


def give_score(idea: Idea, actor: User, typed: Mapping[str, str]) -> IdeaScore | None:
    """Give an idea its parts, and work out what they come to; parts left empty are not known yet.

    With every part empty there is no score.
    """
    lock(idea)
    if idea.status is Status.MERGED:
        raise Refusal(_("This idea was joined with another one, which has the score."))
    method = scoring()
    parts = {factor.key: _number(factor, typed.get(factor.key, "")) for factor in method.factors}
    score = db.session.get(IdeaScore, idea.id)
    if method.factors and all(part is None for part in parts.values()):
        if score is not None:
            db.session.delete(score)
            emit(ScoreGiven(actor_id=actor.id, idea_id=idea.id, value=None))
        return None
    if score is None:
        score = IdeaScore(idea_id=idea.id, votes=0)
        db.session.add(score)
    score.parts = {key: part for key, part in parts.items() if part is not None}
    score.at, score.by_id = utcnow(), actor.id
    _work_out(score, method, idea, counts_by_idea([idea.id]).get(idea.id, 0))
    db.session.flush()
    emit(ScoreGiven(actor_id=actor.id, idea_id=idea.id, value=score.value))
    return score


def change_formula(actor: User, formula: str, factors: list[Factor]) -> Scoring:
    """Let scores come about in another way; those given already are counted again, at once or soon after."""
    method = check(formula, factors)
    decide("score", method.kept())
    db.session.execute(sa.update(IdeaScore).values(counted_at=NEVER))
    emit(FormulaChanged(actor_id=actor.id, formula=method.formula))
    note("score.formula_changed", user=None, actor=actor)
    count_stale()
    return method


def count_stale() -> int:
    """Work out scores whose idea has other votes now, or that were not looked at for an hour; return how many."""
    db.session.flush()
    rows = db.session.execute(
        sa.select(IdeaScore, Idea)
        .join(Idea, Idea.id == IdeaScore.idea_id)
        .where((IdeaScore.counted_at < utcnow() - STALE) | (IdeaScore.votes != Idea.votes))
        .order_by(IdeaScore.counted_at, IdeaScore.idea_id)
        .limit(AT_ONCE)
        .execution_options(populate_existing=True)
    ).all()
    method, behind = scoring(), counts_by_idea([idea.id for _score, idea in rows])
    for score, idea in rows:
        _work_out(score, method, idea, behind.get(idea.id, 0))
    return len(rows)


def _work_out(score: IdeaScore, method: Scoring, idea: Idea, organisations: int) -> None:
    counted = {"votes": idea.votes, "organisations": organisations, "comments": idea.comments}
    score.value = work_out(method.node, {**score.parts, **counted})
    score.votes, score.counted_at = idea.votes, utcnow()


def _number(factor: Factor, typed: str) -> float | None:
    text = typed.strip().removesuffix("%").strip()
    if not text:
        return None
    try:
        number = read_number(text)
    except NotClear:
        raise PartUnclear(factor, text) from None
    if not factor.low <= number <= factor.high:
        raise PartRefused(factor)
    return number
