"""What can be done with decisions and by those who disagree, and the refusals that raises."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.models import User
from portal.boards.calendars import calendar_of
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.decisions import queries
from portal.decisions.events import DecisionRevised, NeedRepeated, NeedTakenBack, ReasonsChanged
from portal.decisions.models import ABOUT_MAX, DECIDED, REASON_MAX, REVERSIBLE, WORDS_MAX, Decision, Need, Reason
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import promises
from portal.ideas.followers import follows
from portal.ideas.models import TEXT_MAX, Answer, Idea, StatusChange
from portal.ideas.moves import resume_review
from portal.ideas.service import follow_because, lock
from portal.ideas.steps import MoveDetails, MoveNotAllowed, Record
from portal.ideas.workflow import Status
from portal.text import clean_line, clean_text, render_markdown

LOOK_EVERY = timedelta(hours=1)  # at what is counted; votes and needs are looked at as they come
LOOK_LATER = timedelta(days=1)  # at an idea that cannot be moved just now
MOST_REASONS, MOST_NEEDED = 40, 1_000_000


class NothingToNeed(Refusal):
    """The idea is not declined, so that its votes or its status say all."""

    def __init__(self, idea: Idea) -> None:
        super().__init__(
            _("This idea is %(status)s now, so there is nothing to ask for again.", status=idea.rule.label)
        )


def record_move(idea: Idea, change: StatusChange, answer: Answer | None, details: MoveDetails) -> None:
    """Write the record of a decision, in the transaction of the move that it is."""
    if change.target not in DECIDED or idea.status is not change.target:
        return
    decision = Decision(
        idea_id=idea.id,
        change_id=change.id,
        answer_id=answer.id if answer else None,
        decider_id=change.actor_id,
        status=change.target,
        at=change.at,
        votes_then=idea.votes,
    )
    record, before = details.record, _decided_before(idea, change)
    if before is not None and record == Record():
        decision.reason_id = before.reason_id
        record = _record_of(before)
    db.session.add(decision)
    _write(decision, idea, record, details)


def revise(idea: Idea, actor: User, record: Record) -> Decision:
    """Put the record of the decision that stands right; its words, who made it and when stay."""
    lock(idea)
    decision = queries.standing(idea)
    if idea.status not in DECIDED:
        raise Refusal(_("This idea is %(status)s now. Nothing is decided about it.", status=idea.rule.label))
    if decision is None:  # it came with its decision from elsewhere
        decision = Decision(idea_id=idea.id, status=idea.status, at=idea.status_since, votes_then=idea.votes)
        db.session.add(decision)
    if idea.status is Status.NOT_NOW:
        promises.park_until(idea, record.back_on, utcnow())
    _write(decision, idea, record, None)
    decision.revised_at = utcnow()
    db.session.flush()
    emit(DecisionRevised(actor_id=actor.id, idea_id=idea.id, decision_id=decision.id))
    return decision


def say_need(idea: Idea, user: User, words: str = "") -> None:
    """Note that somebody still needs what was declined; saying it again changes the words, and counts once."""
    words = clean_line(words)
    if len(words) > WORDS_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(words), max=WORDS_MAX))
    lock(idea)
    if idea.status is not Status.DECLINED or not idea.is_published:
        raise NothingToNeed(idea)
    now = utcnow()
    new = insert_if_absent(Need, idea_id=idea.id, user_id=user.id, words=words, at=now)
    need = db.session.get_one(Need, (idea.id, user.id), populate_existing=True)
    if not new:
        again = need.at < idea.status_since  # said of an earlier no
        need.words = words
        if again:
            need.at, new = now, True
    if not follows(idea, user):
        follow_because(idea, user, by_choice=True)
    if new:
        emit(NeedRepeated(actor_id=user.id, idea_id=idea.id))


def take_back_need(idea: Idea, user: User) -> None:
    """Note that somebody no longer says so; without such a word nothing happens."""
    lock(idea)
    mine = sa.delete(Need).where(Need.idea_id == idea.id, Need.user_id == user.id)
    if count_rows(mine.execution_options(synchronize_session=False)):
        emit(NeedTakenBack(actor_id=user.id, idea_id=idea.id))
    db.session.expire_all()


def return_if_met(idea: Idea) -> bool:
    """Put the idea back under review if the condition of the decision that stands is met; say whether it was."""
    decision = queries.standing(idea) if idea.status in REVERSIBLE else None
    if decision is None or not decision.has_condition:
        return False
    lock(idea)
    decision = queries.standing(idea)
    if decision is None or not idea.is_published:
        return False
    reason = why_it_returns(decision)
    if not reason:
        return False
    resume_review(idea, reason)
    decision.look_at = None
    return True


def why_it_returns(decision: Decision) -> str:
    """Return which part of the condition is met, in words; empty while none is."""
    idea = decision.idea
    if decision.people is not None:
        asking = queries.demand_for(idea).people
        if asking >= decision.people:
            return ngettext(
                "We said what would change our mind: %(num)d person has asked for it again since we decided.",
                "We said what would change our mind: %(num)d people have asked for it again since we decided.",
                asking,
            )
    if decision.organisations is not None:
        behind = queries.count_organisations(idea)
        if behind >= decision.organisations:
            return ngettext(
                "We said what would change our mind: %(num)d organisation is behind it now.",
                "We said what would change our mind: %(num)d organisations are behind it now.",
                behind,
            )
    day = decision.day_back
    if day is not None and day <= calendar_of(idea.board_id).today(utcnow()):
        return _("The date to look at it again has come.")
    return ""


def watch_again(idea: Idea) -> None:
    """See to the condition of a decision that stands again: while it did not, nobody looked."""
    decision = queries.standing(idea) if idea.status in REVERSIBLE else None
    if decision is not None and decision.look_at is None:
        decision.look_at = _next_look(decision, utcnow())


def look_again(decision: Decision) -> bool:
    """See whether a decision's condition is met, and when to see next."""
    decision.look_at = _next_look(decision, utcnow())
    try:
        return return_if_met(decision.idea)
    except MoveNotAllowed:
        decision.look_at = utcnow() + LOOK_LATER
        return False


# The list of reasons


def add_reason(actor: User, *, label: str, about: str, kinds: list[str]) -> Reason:
    """Add a reason as the last of the list."""
    known = queries.list_reasons(retired=True)
    if len([reason for reason in known if reason.retired_at is None]) >= MOST_REASONS:
        raise Refusal(_("A list has at most %(max)d reasons.", max=MOST_REASONS))
    reason = Reason(position=max((each.position for each in known), default=0) + 1)
    _word(reason, label, about, kinds)
    db.session.add(reason)
    db.session.flush()
    emit(ReasonsChanged(actor_id=actor.id, reason_id=reason.id, what="added"))
    return reason


def reword_reason(reason: Reason, actor: User, *, label: str, about: str, kinds: list[str]) -> None:
    """Say a reason better, wherever it was given."""
    _word(reason, label, about, kinds)
    emit(ReasonsChanged(actor_id=actor.id, reason_id=reason.id, what="reworded"))


def move_reason(reason: Reason, step: int, actor: User) -> None:
    """Move a reason up (-1) or down (+1) among those that are offered; at the end nothing happens."""
    offered = queries.list_reasons()
    here = offered.index(reason) if reason in offered else -1
    there = here + step
    if here < 0 or not 0 <= there < len(offered):
        return
    offered[here], offered[there] = offered[there], offered[here]
    for place, each in enumerate(offered, start=1):
        each.position = place
    emit(ReasonsChanged(actor_id=actor.id, reason_id=reason.id, what="moved"))


def retire_reason(reason: Reason, actor: User) -> bool:
    """Offer a reason no more, and delete it if it was never given; say whether it is gone."""
    given = db.session.scalar(sa.select(Decision.id).where(Decision.reason_id == reason.id).limit(1))
    emit(ReasonsChanged(actor_id=actor.id, reason_id=reason.id, what="retired" if given else "removed"))
    if given is None:
        db.session.delete(reason)
        return True
    reason.retired_at = reason.retired_at or utcnow()
    return False


def restore_reason(reason: Reason, actor: User) -> None:
    """Offer a retired reason again, as the last of the list."""
    if reason.retired_at is None:
        return
    reason.retired_at = None
    reason.position = max((each.position for each in queries.list_reasons(retired=True)), default=0) + 1
    emit(ReasonsChanged(actor_id=actor.id, reason_id=reason.id, what="restored"))


def _word(reason: Reason, label: str, about: str, kinds: list[str]) -> None:
    reason.label, reason.about = clean_line(label)[:REASON_MAX], clean_line(about)[:ABOUT_MAX]
    reason.be_for(kinds)
    if not reason.label:
        raise Refusal(_("Give the reason a name."))
    if not reason.kinds:
        raise Refusal(_("Say for which decisions it can be given."))


# Writing the record


def _decided_before(idea: Idea, change: StatusChange) -> Decision | None:
    """Return the decision that goes on where an idea only comes to another stage of the same status."""
    made = sa.select(Decision).where(Decision.idea_id == idea.id, Decision.status == change.source)
    found = made.where(Decision.at == change.since_before).order_by(Decision.id.desc()).limit(1)
    return db.session.scalar(found) if change.source is change.target else None


def _record_of(decision: Decision) -> Record:
    return Record(
        because=decision.reason_id,
        evidence=decision.evidence,
        people=decision.people,
        organisations=decision.organisations,
        back_on=decision.back_on,
    )


def _write(decision: Decision, idea: Idea, record: Record, details: MoveDetails | None) -> None:
    evidence = clean_text(record.evidence)
    if len(evidence) > TEXT_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(evidence), max=TEXT_MAX))
    decision.evidence, decision.evidence_html = evidence, render_markdown(evidence) if evidence else ""
    decision.reason_id = _chosen(record, decision)
    day = (details.review_on if details else None) or record.back_on
    if decision.status in REVERSIBLE:
        decision.people = _number(record.people)
        decision.organisations, decision.back_on = _number(record.organisations), day
    db.session.flush()
    if decision.organisations is not None and queries.count_organisations(idea) >= decision.organisations:
        raise Refusal(_("So many organisations are behind it already: the condition would be met at once."))
    decision.look_at = _next_look(decision, utcnow())


def _chosen(record: Record, decision: Decision) -> int | None:
    if record.because is None:
        return None
    reason = db.session.get(Reason, record.because)
    if reason is None or not (reason.fits(decision.status) or reason.id == decision.reason_id):
        raise Refusal(_("Somebody changed the list of reasons meanwhile. Choose one anew."))
    return reason.id


def _number(number: int | None) -> int | None:
    if number is not None and not 1 <= number <= MOST_NEEDED:
        raise Refusal(_("Give a number from 1 to %(max)s.", max=MOST_NEEDED))
    return number


def _next_look(decision: Decision, now: datetime) -> datetime | None:
    """Return when to see whether the condition is met: soon where something is counted, else on its day."""
    if decision.status not in REVERSIBLE or not decision.has_condition:
        return None
    if decision.people is not None or decision.organisations is not None:
        return now + LOOK_EVERY
    calendar = calendar_of(decision.idea.board_id)
    due = calendar.start_of(decision.day_back or calendar.today(now))
    return due if due > now else now + LOOK_EVERY
