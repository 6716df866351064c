"""Asking everybody behind an idea whether what came solves their need, and doing what the answers say."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.moves import move_idea
from portal.ideas.service import lock
from portal.ideas.steps import MoveDetails
from portal.ideas.taking_back import last_move
from portal.ideas.workflow import Status
from portal.text import clean_text
from portal.verdicts import policy, queries
from portal.verdicts.events import VerdictAsked, VerdictEnded, VerdictGiven
from portal.verdicts.models import WORDS_MAX, End, Round, Says, Verdict
from portal.verdicts.rules import current_rules, end_of

ASKED_ABOUT = frozenset({Status.SHIPPED, Status.AVAILABLE})
MOVES = {End.CONFIRMED: Status.CONFIRMED, End.REOPENED: Status.UNDER_REVIEW}


class NotAsked(Refusal):
    """There is no open question to this person."""


class WordsTooLong(Refusal):
    """Why has to fit into a few lines."""

    status = 422


def begin(idea: Idea, change_id: int, status: Status) -> None:
    """Plan to ask about what came out by this move; planning it twice is planning it once."""
    insert_if_absent(
        Round, idea_id=idea.id, change_id=change_id, ask_at=utcnow() + current_rules().wait_after(status), asked=0
    )


def ask(planned: Round) -> bool:
    """Ask everybody behind the idea, once; return whether they were asked.

    What no longer stands is asked of nobody; what is out of sight waits until it is seen again.
    """
    idea = _hold(planned)
    if planned.asked_at is not None or planned.ended_at is not None or not idea.is_published:
        return False
    if idea.status not in ASKED_ABOUT or last_move(idea) != planned.change_id:
        _end(planned, End.MOVED)
        return False
    planned.asked_at, planned.asked = utcnow(), queries.count_asked(idea)
    emit(VerdictAsked(idea_id=idea.id, round_id=planned.id))
    return True


def call_off(planned: Round) -> None:
    """Do not ask about this idea; what was asked already goes on."""
    _hold(planned)
    if planned.asked_at is not None:
        raise Refusal(_("People were asked already."))
    if planned.ended_at is None:
        _end(planned, End.CALLED_OFF)


def answer(asked: Round, person: User, says: Says, words: str) -> None:
    """Note what somebody says; a second answer takes the place of the first.

    Raises NotAsked when the round is over or the person is not behind the idea, WordsTooLong.
    """
    words = clean_text(words)
    if len(words) > WORDS_MAX:
        raise WordsTooLong(_("This is %(count)d letters long; at most %(max)d fit.", count=len(words), max=WORDS_MAX))
    idea = _hold(asked)
    if not (asked.is_open and policy.may_answer(person, idea) and queries.is_asked(idea, person)):
        raise NotAsked(_("This question is not open to you any more. Write a comment instead."))
    before = db.session.get(Verdict, (asked.id, person.id))
    if before is None:
        db.session.add(Verdict(round_id=asked.id, user_id=person.id, says=says, words=words))
        _count(asked, says, +1)
    else:
        _count(asked, before.says, -1)
        _count(asked, says, +1)
        before.says, before.words, before.at = says, words, utcnow()
    db.session.flush()
    emit(VerdictGiven(actor_id=person.id, idea_id=idea.id, round_id=asked.id, says=says.value))
    conclude(asked)


def conclude(asked: Round) -> End | None:
    """Do what the answers say, if they say it; return how the round ended, None while it goes on.

    Nothing is decided about an idea while it is out of sight.
    """
    idea = _hold(asked)
    asked.looked_at = utcnow()
    if not asked.is_open or not idea.is_published:
        return None
    if idea.status not in ASKED_ABOUT or last_move(idea) != asked.change_id:
        _end(asked, End.MOVED)
        return End.MOVED
    end = end_of(asked, current_rules(), utcnow())
    if end is None:
        return None
    _end(asked, end)
    if end in MOVES:
        move_idea(idea, MOVES[end], None, MoveDetails(reason=_why(asked, end)))
    return end


def end_rounds(idea: Idea) -> None:
    """Wait for no more answers about an idea that the team moved."""
    open_ones = select(Round).where(Round.idea_id == idea.id, Round.ended_at.is_(None)).order_by(Round.id)
    for each in db.session.scalars(open_ones):
        if idea.status not in ASKED_ABOUT or last_move(idea) != each.change_id:
            _end(each, End.MOVED)


def resume(idea: Idea) -> None:
    """Go on with the round that a move ended which was taken back."""
    moved = select(Round).where(Round.idea_id == idea.id, Round.change_id == last_move(idea))
    again = db.session.scalar(moved.where(Round.end == End.MOVED)) if idea.status in ASKED_ABOUT else None
    if again is not None:
        again.ended_at = again.end = None


def _hold(asked: Round) -> Idea:
    """Hold the idea, always before its round, and read the round as it is now."""
    idea = lock(asked.idea)
    db.session.refresh(asked)
    return idea


def _why(asked: Round, end: End) -> str:
    if end is End.CONFIRMED:
        return _("%(yes)d of %(all)d who answered say that it solves their need.", yes=asked.yes, all=asked.answers)
    return _("%(no)d of %(all)d who answered say that it does not solve their need.", no=asked.no, all=asked.answers)


def _count(asked: Round, says: Says, by: int) -> None:
    setattr(asked, says.value, getattr(asked, says.value) + by)


def _end(asked: Round, end: End) -> None:
    asked.ended_at, asked.end = utcnow(), end
    emit(VerdictEnded(idea_id=asked.idea_id, round_id=asked.id, end=end.value))
