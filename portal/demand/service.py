"""What can be done with demand that never became a post, and the refusals that raises."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import Person, User
from portal.accounts.roles import STAFF_READERS
from portal.comments import service as comments
from portal.db import db, insert_if_absent, utcnow
from portal.demand.events import (
    BackedInstead,
    DifferenceHidden,
    DifferenceShown,
    SearchesBroughtBack,
    SearchesSetAside,
)
from portal.demand.log import Noted, new_key, search_log
from portal.demand.models import DIFFERS_MAX, TYPED_MAX, Origin, Reach, Receipt, Searcher, SetAside, Verdict, Way
from portal.demand.wording import group_of, kept_words
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import service as ideas
from portal.ideas.models import Idea
from portal.text import clean_line

log = logging.getLogger(__name__)


def back_instead(
    idea: Idea,
    person: User,
    *,
    typed: str,
    origin: Origin = Origin.TYPED,
    differs: str = "",
    words: str = "",
    at: datetime | None = None,
) -> Receipt | None:
    """Stand behind an idea that exists instead of posting one: by a vote, or where voting is closed by following.

    Words become a comment. A receipt is left; not by its author, and not by somebody who typed nothing.
    """
    idea = idea.merged_into or idea
    way = Way.VOTE if idea.takes_votes else Way.FOLLOW
    if way is Way.VOTE:
        ideas.cast_vote(idea, person, at)
    else:
        ideas.follow(idea, person)
    if words:
        comments.post_comment(idea, person, words, at=at)
    title = clean_line(typed)[:TYPED_MAX]
    return _leave_receipt(idea, person, title, origin, way, differs, at or utcnow()) if title else None


def say_difference(receipt: Receipt, text: str) -> None:
    """Write, change or take away the line that says how one's own idea differs."""
    differs = _difference(text)
    if differs != receipt.differs:
        receipt.differs, receipt.edited_at = differs, utcnow()


def withdraw_receipt(receipt: Receipt) -> None:
    """Take back that one was about to post; the vote stays."""
    db.session.delete(receipt)


def hide_difference(receipt: Receipt, actor: User) -> None:
    """Keep a line from the team's eyes; its author still sees it, and that it is hidden."""
    if receipt.hidden_at is None:
        receipt.hidden_at, receipt.hidden_by_id = utcnow(), actor.id
        emit(DifferenceHidden(actor_id=actor.id, idea_id=receipt.idea_id, user_id=receipt.user_id))


def show_difference(receipt: Receipt, actor: User) -> None:
    """Show the line again."""
    if receipt.hidden_at is not None:
        receipt.hidden_at = receipt.hidden_by_id = None
        emit(DifferenceShown(actor_id=actor.id, idea_id=receipt.idea_id, user_id=receipt.user_id))


def note_search(words: str, found: int, viewer: Person, by_machine: bool = False) -> str:
    """Remember what was looked for and how much was found, and return the ``s`` for the links in the results.

    Nothing of who asked is kept. It never fails, and writes nothing now. No token: the words are not to be kept.
    """
    try:
        typed = kept_words(words)
        stems = group_of(typed)
        if not stems:
            return ""
        by = Searcher.MACHINE if by_machine else _searcher(viewer)
        return search_log().note(Noted(new_key(), typed, stems, found, by, _reach_of(viewer), utcnow()))
    except Exception:
        log.exception("a search could not be noted")
        return ""


def set_aside(groups: Collection[str], verdict: Verdict, actor: User) -> None:
    """Decide that searches for the same thing, however it was spelt, need no more attention."""
    for stems in groups:
        insert_if_absent(SetAside, stems=stems, verdict=verdict, by_id=actor.id)
        decided = sa.update(SetAside).where(SetAside.stems == stems)
        db.session.execute(decided.values(verdict=verdict, at=utcnow(), by_id=actor.id))
    if groups:
        emit(SearchesSetAside(actor_id=actor.id, verdict=verdict.value))


def bring_back(groups: Collection[str], actor: User) -> None:
    """Look at searches for something again."""
    db.session.execute(sa.delete(SetAside).where(SetAside.stems.in_(list(groups))))
    emit(SearchesBroughtBack(actor_id=actor.id))


def _leave_receipt(
    idea: Idea, person: User, typed: str, origin: Origin, way: Way, differs: str, at: datetime
) -> Receipt | None:
    if idea.author_id == person.id:
        return None
    line = _difference(differs)
    fresh = insert_if_absent(
        Receipt, idea_id=idea.id, user_id=person.id, typed=typed, differs=line, origin=origin, way=way, at=at
    )
    mine = sa.select(Receipt).where(Receipt.idea_id == idea.id, Receipt.user_id == person.id)
    receipt = db.session.scalars(mine).one()
    if fresh:
        emit(BackedInstead(actor_id=person.id, idea_id=idea.id), at)
        return receipt
    receipt.typed, receipt.origin, receipt.way = typed, origin, way
    if line:
        say_difference(receipt, line)
    return receipt


def _difference(text: str) -> str:
    line = clean_line(text)
    if len(line) > DIFFERS_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(line), max=DIFFERS_MAX))
    return line


def _searcher(viewer: Person) -> Searcher:
    if viewer.works_here:
        return Searcher.STAFF
    return Searcher.MEMBER if viewer.standing is not None else Searcher.VISITOR


def _reach_of(viewer: Person) -> Reach:
    """Who is listed on any board may know of a closed one; it is not looked up, since no search is to wait for it."""
    if viewer.has_board_roles or viewer.is_admin:
        return Reach.CLOSED
    return Reach.STAFF if viewer.standing in STAFF_READERS else Reach.OPEN
