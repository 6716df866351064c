"""What follows for a decision when somebody asks for the idea again."""

from __future__ import annotations

from portal.db import db
from portal.decisions import service
from portal.events import Recorded
from portal.ideas.models import Idea
from portal.ideas.steps import MoveNotAllowed


def see_whether_it_returns(recorded: Recorded) -> None:
    """Put the idea back under review if what happened meets the condition of its decision."""
    idea_id = getattr(recorded.event, "into_id", None) or recorded.event.idea_id
    idea = db.session.get(Idea, idea_id) if idea_id else None
    if idea is None:
        return
    try:
        service.return_if_met(idea)
    except MoveNotAllowed:
        return  # hidden meanwhile; it is looked at again when its time comes


def watch_what_stands_again(recorded: Recorded) -> None:
    """See to the condition of a decision after the move away from it was taken back."""
    idea = db.session.get(Idea, recorded.event.idea_id) if recorded.event.idea_id else None
    if idea is not None:
        service.watch_again(idea)
