"""Why a draft did not go out at its moment: kept as a word and what belongs to it, and worded for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask_babel import lazy_gettext as _l

from portal.errors import Refusal
from portal.ideas.steps import DetailMissing
from portal.ideas.workflow import place_named
from portal.talk.drafts import DraftChanged, DraftClosed
from portal.talk.models import DraftState


class WhyHeld(StrEnum):
    """What kept it back."""

    PLANNER_GONE = "planner_gone"
    CLOSED = "closed"
    CHANGED = "changed"
    NOT_APPROVED = "not_approved"
    MOVED = "moved"
    NOT_ON_BOARD = "not_on_board"
    NOT_FOR_THE_TEAM = "not_for_the_team"
    NOT_OFFERED = "not_offered"
    LACKS = "lacks"
    REFUSED = "refused"  # by a rule that only says so in words: they are kept as they were said
    BROKEN = "broken"


_WORDS: dict[WhyHeld, Any] = {
    WhyHeld.PLANNER_GONE: _l("Whoever planned it can no longer do so."),
    WhyHeld.CLOSED: _l("This draft is closed: %(state)s."),
    WhyHeld.CHANGED: _l("Somebody changed this draft meanwhile."),
    WhyHeld.NOT_APPROVED: _l("A colleague has not approved it: %(state)s."),
    WhyHeld.MOVED: _l("The idea was moved to %(status)s meanwhile."),
    WhyHeld.NOT_ON_BOARD: _l("Whoever planned it does not work on this board any more."),
    WhyHeld.NOT_FOR_THE_TEAM: _l("Whoever planned it may not answer for the team here any more."),
    WhyHeld.NOT_OFFERED: _l("The workflow does not offer this move to whoever planned it any more."),
    WhyHeld.LACKS: _l("The workflow asks for more with this move than was written."),
    WhyHeld.REFUSED: "%(said)s",
    WhyHeld.BROKEN: _l("Something went wrong in the portal. The log has the reason."),
}


class Held(Refusal):
    """It cannot go out, for a reason that can be said in any language."""

    def __init__(self, why: WhyHeld, message: str = "", **facts: str) -> None:
        super().__init__(message or words(why, facts))
        self.why, self.facts = why, facts


def reason_of(refusal: Refusal | None) -> tuple[str, dict[str, str]]:
    """Return what to keep of what kept a draft back; None: the portal itself."""
    match refusal:
        case None:
            return WhyHeld.BROKEN, {}
        case Held():
            return refusal.why, refusal.facts
        case DraftClosed():
            return WhyHeld.CLOSED, {"state": refusal.state}
        case DraftChanged():
            return WhyHeld.CHANGED, {}
        case DetailMissing():
            return WhyHeld.LACKS, {}
    return WhyHeld.REFUSED, {"said": refusal.message[:300]}


def words(why: str, facts: Mapping[str, str] | None, otherwise: str = "") -> str:
    """Return why a draft was held back in the reader's language; ``otherwise`` what was kept before it had a name."""
    if why not in _WORDS:
        return otherwise
    return str(_WORDS[WhyHeld(why)]) % {name: _told(name, said) for name, said in (facts or {}).items()}


def _told(name: str, said: str) -> str:
    """Return a fact as people read it."""
    match name:
        case "state":
            return DraftState(said).label
        case "status":
            place = place_named(said)
            return str(place.label) if place else said
    return said
