"""Taking back what was just done with the idea on the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import abort
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.db import db
from portal.errors import Refusal
from portal.ideas import moves, taking_back
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.queries import get_idea
from portal.talk import drafts
from portal.transactions import transaction
from portal.triage import queues
from portal.triage.desk import Typed, spot_of
from portal.triage.views.pages import bp, go_on, show_again
from portal.web.session import authorize, member, viewer

Said = TypeVar("Said", StatusChange, Answer)


@bp.post("/<queue>/<int:idea_id>/undo-move/<int:change_id>")
def undo_move(queue: str, idea_id: int, change_id: int) -> ResponseReturnValue:
    """Put the idea back to where it stood; no mail has gone out yet."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.move", idea)
    change = _said_of(idea, StatusChange, change_id)

    def undo() -> None:
        again = change.undone_at is not None
        moves.undo_move(idea, change, member())
        if not again:
            drafts.unpublish(idea, change.at, member(), with_move=True)

    return _take_back(queue, idea, undo)


@bp.post("/<queue>/<int:idea_id>/undo-answer/<int:answer_id>")
def undo_answer(queue: str, idea_id: int, answer_id: int) -> ResponseReturnValue:
    """Take a public word back that was given without a move."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.answer", idea)
    answer = _said_of(idea, Answer, answer_id)

    def undo() -> None:
        again = answer.taken_back_at is not None
        taking_back.undo_answer(idea, answer, member())
        if not again:
            drafts.unpublish(idea, answer.at, member(), with_move=False)

    return _take_back(queue, idea, undo)


@bp.post("/<queue>/<int:idea_id>/undo-hiding")
def undo_hiding(queue: str, idea_id: int) -> ResponseReturnValue:
    """Show an idea again that one has just taken out of sight."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.hide", idea)
    return _take_back(queue, idea, lambda: taking_back.undo_hiding(idea, member()))


@bp.post("/<queue>/<int:idea_id>/undo-publishing")
def undo_publishing(queue: str, idea_id: int) -> ResponseReturnValue:
    """Hold an idea again that one has just let through."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.hold", idea)
    return _take_back(queue, idea, lambda: taking_back.undo_publishing(idea, member()))


def _said_of(idea: Idea, kind: type[Said], number: int) -> Said:
    """Return a move of this idea or an answer to it, or answer 404."""
    said = db.session.get(kind, number)
    return said if said is not None and said.idea_id == idea.id else abort(404)


def _take_back(queue: str, idea: Idea, undo: Callable[[], None]) -> ResponseReturnValue:
    """Undo it and stay with the idea; or say why it is too late."""
    spot = spot_of(queue)
    left = queues.place_of(spot.queue, idea)
    try:
        with transaction():
            undo()
    except Refusal as refusal:
        return show_again(spot, idea, Typed(sentence=refusal.message))
    return go_on(spot, idea.id, left, _("Taken back. Nobody gets a mail about it."), stay=True)
