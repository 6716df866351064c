"""What can be done with demand that never became a post, and the refusals that raises."""

from __future__ import annotations

import logging

from portal.accounts.models import Person
from portal.accounts.roles import STAFF_READERS
from portal.db import utcnow
from portal.demand.log import Noted, new_key, search_log
from portal.demand.models import Reach, Searcher
from portal.demand.wording import group_of, kept_words

log = logging.getLogger(__name__)


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


def _searcher(viewer: Person) -> Searcher:
    if viewer.works_here:
        return Searcher.STAFF
    return Searcher.MEMBER if viewer.standing is not None else Searcher.VISITOR


def _reach_of(viewer: Person) -> Reach:
    """Who is listed on any board may know of a closed one; it is not looked up, since no search is to wait for it."""
    if viewer.has_board_roles or viewer.is_admin:
        return Reach.CLOSED
    return Reach.STAFF if viewer.standing in STAFF_READERS else Reach.OPEN
