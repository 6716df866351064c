"""Taking back what was done with an idea by mistake, while nobody was told of it yet or as part of an act on many."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import Event, EventRecord, emit, read
from portal.ideas import policy, promises, workflow
from portal.ideas.events import (
    AnswerUndone,
    HidingUndone,
    IdeaHidden,
    IdeaPublished,
    MoveUndone,
    PublishingUndone,
)
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.service import count_on_board, lock
from portal.ideas.steps import Tell, restore
from portal.ideas.workflow import Publication, Status


class CannotUndo(Refusal):
    """It is too late to take this back, or not for this person to do."""


def fold_window() -> timedelta:
    """Return how long mails about what the team does wait, and how long it can be taken back unheard."""
    return timedelta(minutes=current_app.config["FOLD_MINUTES"])


def undo_move(
    idea: Idea, change: StatusChange, actor: User, *, within: timedelta | None = None, act_id: int | None = None
) -> None:
    """Put the idea back to where it stood before its last move; twice is once.

    Status, clock, dates, owner and what is pinned are those from before; what people did meanwhile (votes, comments, a
    later answer, another owner) stays. Raises CannotUndo once the window is over or somebody has moved it on.
    """
    lock(idea)
    if change.undone_at is not None:
        return
    if not policy.may_undo(actor, change):
        raise CannotUndo(_("Only whoever made this move, or a product manager, can take it back."))
    if last_move(idea) != change.id or idea.status is not change.target or idea.status_since != change.at:
        raise CannotUndo(_("Somebody moved it on since, to %(status)s.", status=idea.rule.label))
    if change.target is Status.MERGED or change.source is Status.MERGED or change.before is None:
        raise CannotUndo(_("This move cannot be taken back here."))
    _in_time(change.at, within)
    _put_back(idea, change)
    said = sa.select(Answer).where(Answer.idea_id == idea.id, Answer.change_id == change.id)
    answer = db.session.scalar(said.where(Answer.taken_back_at.is_(None)))
    if answer is not None:
        answer.taken_back_at = change.undone_at
    db.session.flush()
    _count_answers(idea, change)
    promises.take_back(idea, change.at)
    emit(
        MoveUndone(
            actor_id=actor.id,
            idea_id=idea.id,
            change_id=change.id,
            source=change.target,
            target=change.source,
            withdrawn_id=answer.id if answer else None,
            tell=(Tell.DIGEST if act_id else Tell.EVERYBODY).value,
            act_id=act_id,
        )
    )


def undo_answer(idea: Idea, answer: Answer, actor: User) -> None:
    """Take back the last word on an idea that came without a move; the clock is as before. Twice is once."""
    lock(idea)
    if answer.taken_back_at is not None:
        return
    if not policy.may_undo_answer(actor, answer):
        raise CannotUndo(_("Only whoever wrote this answer, or a product manager, can take it back."))
    if answer.change_id is not None or last_answer(idea) is not answer:
        raise CannotUndo(_("Somebody answered or moved it since."))
    _in_time(answer.at, None)
    answer.taken_back_at = utcnow()
    db.session.flush()
    before = last_answer(idea)
    idea.answered_at, idea.due_at = before.at if before else None, answer.due_before
    promises.take_back(idea, answer.at)
    emit(AnswerUndone(actor_id=actor.id, idea_id=idea.id, answer_id=answer.id))


def undo_hiding(idea: Idea, actor: User) -> None:
    """Show an idea again that this person has just taken out of sight; its author hears of neither."""
    lock(idea)
    if idea.publication is not Publication.HIDDEN:
        return
    hidden = _last(idea, IdeaHidden)
    if hidden is None or hidden.actor_id != actor.id:
        raise CannotUndo(_("Only whoever took it out of sight can take that back."))
    _in_time(hidden.at, None)
    idea.publication = Publication(hidden.data.get("before", Publication.PUBLISHED))
    if idea.is_published and idea.status is not Status.MERGED:
        count_on_board(idea.board_id, +1)
    emit(HidingUndone(actor_id=actor.id, idea_id=idea.id, hidden_by=hidden.id))


def undo_publishing(idea: Idea, actor: User) -> None:
    """Hold or hide an idea again that this person has just let through; its author hears of neither."""
    lock(idea)
    if not idea.is_published:
        return
    record = _last(idea, IdeaPublished)
    if record is None or record.actor_id != actor.id or not record.data.get("since"):
        raise CannotUndo(_("Only whoever let it through can take that back."))
    _in_time(record.at, None)
    published: IdeaPublished = read(record).event
    if _said_since(idea, record.at) or not promises.end_again(idea, record.at, _moment(published.due)):
        raise CannotUndo(_("Somebody answered or moved it since."))
    if published.before == Publication.HELD:
        idea.published_at = idea.status_since = datetime.fromisoformat(published.since or "")
    if published.trusted and idea.author:
        idea.author.trusted_at = None
    if idea.status is not Status.MERGED:
        count_on_board(idea.board_id, -1)
    idea.publication = Publication(published.before)
    emit(PublishingUndone(actor_id=actor.id, idea_id=idea.id, published_by=record.id))


def last_move(idea: Idea) -> int | None:
    """Return the number of the last move that stands."""
    standing = sa.select(StatusChange.id).where(StatusChange.idea_id == idea.id, StatusChange.undone_at.is_(None))
    return db.session.scalar(standing.order_by(StatusChange.id.desc()).limit(1))


def last_answer(idea: Idea) -> Answer | None:
    """Return the last public word that stands."""
    said = sa.select(Answer).where(Answer.idea_id == idea.id, Answer.taken_back_at.is_(None))
    return db.session.scalar(said.order_by(Answer.at.desc(), Answer.id.desc()).limit(1))


def can_undo(at: datetime) -> bool:
    """Whether what was done then can still be taken back unheard."""
    return utcnow() < at + fold_window()


def _last(idea: Idea, kind: type[Event]) -> EventRecord | None:
    """Return the newest fact of this kind about the idea."""
    facts = sa.select(EventRecord).where(EventRecord.idea_id == idea.id, EventRecord.name == kind.name)
    return db.session.scalar(facts.order_by(EventRecord.id.desc()).limit(1))


def _said_since(idea: Idea, at: datetime) -> bool:
    """Whether a move or an answer of after this moment stands."""
    moved = sa.select(StatusChange.id).where(StatusChange.idea_id == idea.id, StatusChange.undone_at.is_(None))
    said = sa.select(Answer.id).where(Answer.idea_id == idea.id, Answer.taken_back_at.is_(None))
    later = sa.union_all(moved.where(StatusChange.at >= at), said.where(Answer.at >= at))
    return db.session.scalar(later.limit(1)) is not None


def _moment(written: str | None) -> datetime | None:
    return datetime.fromisoformat(written) if written else None


def _in_time(at: datetime, within: timedelta | None) -> None:
    if utcnow() >= at + (fold_window() if within is None else within):
        raise CannotUndo(_("It is too late to take this back: people have been told. Move it back, and say why."))


def _put_back(idea: Idea, change: StatusChange) -> None:
    before = change.before or {}
    place = workflow.settled().rule(change.source, change.source_stage)  # its stage may be no more
    idea.status, idea.stage, idea.status_since = place.kind, place.stage, change.since_before
    idea.due_at = change.due_before
    restore(idea, before)
    given = before.get("owner_given")
    if given is not None and idea.owner_id == given:
        idea.owner_id = before.get("owner_id")
    change.undone_at = utcnow()


def _count_answers(idea: Idea, change: StatusChange) -> None:
    """Let what was said after the move, and stands, count for the clock."""
    later = last_answer(idea)
    if later is not None and later.at > change.at:
        idea.answered_at, idea.due_at = later.at, promises.next_word_due(idea, later.at)
