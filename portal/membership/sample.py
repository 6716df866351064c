"""A handful of sample ideas for a portal that is still empty: marked as such, gone by one press."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.boards.service import ensure_board
from portal.db import db
from portal.events import emit, quietly
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.events import IdeaRemoved
from portal.ideas.models import Idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.options import decide, option
from portal.search import index


def fill(owner: User) -> int:
    """Put the samples on the first board, once; nobody is told. Returns how many there are."""
    if option("sample_ideas"):
        return 0
    board, made = ensure_board(), []
    with quietly():
        for title, need, proposal in _stories():
            idea = ideas.submit_idea(owner, board, title=title, need=need, proposal=proposal)
            moves.set_tags(idea, [_("sample")], owner)
            made.append(idea)
        moves.move_idea(
            made[0],
            Status.UNDER_REVIEW,
            owner,
            MoveDetails(owner=owner, answer=_("Thank you. We look at how much work it is, and write here again.")),
        )
    for idea in made:
        index.note(idea.id)
    decide("sample_ideas", [idea.id for idea in made])
    return len(made)


def clear(owner: User) -> int:
    """Take the samples away, whatever has happened to them meanwhile; returns how many that were."""
    numbers = option("sample_ideas")
    gone = 0
    for idea in db.session.scalars(select(Idea).where(Idea.id.in_(numbers))).all():
        ideas.lock(idea)
        if idea.is_published and idea.status is not Status.MERGED:
            ideas.count_on_board(idea.board_id, -1)
        if idea.publication is not Publication.REMOVED:
            idea.publication = Publication.REMOVED
            emit(IdeaRemoved(actor_id=owner.id, idea_id=idea.id))
            gone += 1
    decide("sample_ideas", [])
    return gone


def _stories() -> tuple[tuple[str, str, str], ...]:
    return (
        (
            _("Sample: Remember how I sorted the list"),
            _("Each time I come back, the list is in its first order again, and I look for my place."),
            _("Keep the last order for each person."),
        ),
        (
            _("Sample: A dark page for the evening"),
            _("In the evening the white page is too bright for me, and I put the work away."),
            "",
        ),
        (
            _("Sample: Tell me before a date passes"),
            _("I learn of a date only when it is over. A note two days before would be enough."),
            _("One mail, two days before, that I can switch off."),
        ),
        (
            _("Sample: Take a list along as a table"),
            _("For our meeting I copy thirty lines by hand into a table, every Monday."),
            _("A button that gives the list as a CSV file."),
        ),
        (
            _("Sample: Undo for the last step"),
            _("I pressed the wrong button and had to do half an hour of work again."),
            "",
        ),
    )
