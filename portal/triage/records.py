"""The record that a decision leaves: which fields of it a form shows, and what was filled in."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.decisions import queries as decisions
from portal.decisions.models import DECIDED, REVERSIBLE, Decision, Reason
from portal.ideas.steps import DetailMissing, Record
from portal.ideas.workflow import Move, Status

RECORD = ("because", "evidence", "people", "organisations", "back_on")
"""The fields of a record, as MoveDetails and the forms name them."""

LABELS: dict[str, object] = {
    "because": _l("Reason from the list"),
    "evidence": _l("What was weighed"),
    "people": _l("Back when so many people ask again"),
    "organisations": _l("Back when so many organisations are behind it"),
    "back_on": _l("Back on this day"),
}

HINTS: dict[str, object] = {
    "because": _l("Stands above the answer, and makes decisions comparable."),
    "evidence": _l("Numbers, talks, trials: what the decision rests on. Everybody can read it."),
    "people": _l("Votes and “still need it” from today on, each person once."),
    "organisations": _l("In all, today’s included. Their names stay with the team."),
    "back_on": _l("What is reached first brings it back under review by itself, and everybody behind it hears why."),
}


def fields_of(move: Move) -> tuple[str, ...]:
    """Return all fields that the form of a move shows, with those of the record that the decision leaves."""
    if move.target not in DECIDED:
        return move.asks
    record: tuple[str, ...] = RECORD if move.target in REVERSIBLE else ("because", "evidence")
    if "review_on" in move.asks:  # the day on which it comes back is asked for already
        record = tuple(name for name in record if name != "back_on")
    asked = [name for name in move.asks if name not in record]
    place = asked.index("answer") + 1 if "answer" in asked else 0
    words = record[:2]
    return (*asked[:place], *words, *asked[place:], *(name for name in record if name not in words))


def needs_reason(target: Status | None) -> bool:
    """Whether a decision of this kind has to name a reason: a no does, while the list has one for it."""
    return target is not None and target in REVERSIBLE and bool(_offered(target))


def choices_for(target: Status, given: Decision | None = None) -> list[tuple[str, str]]:
    """Return the reasons to choose from, with the one that was given though it is offered no more."""
    reasons = _offered(target)
    if given is not None and given.reason is not None and given.reason not in reasons:
        reasons = [given.reason, *reasons]
    return [("", _("Choose a reason")), *((str(reason.id), reason.label) for reason in reasons)]


def record_of(form: Any, asks: tuple[str, ...], target: Status | None) -> Record:
    """Return the record as it was filled in; raise DetailMissing where a reason has to be named and is not."""
    because = str(form.because.data or "") if "because" in asks else ""
    if "because" in asks and not because.isdigit() and needs_reason(target):
        raise DetailMissing("because", _("Choose the reason that comes nearest. People read it first."))
    back_on: date | None = form.back_on.data if "back_on" in asks else None
    return Record(
        because=int(because) if because.isdigit() else None,
        evidence=form.evidence.data or "" if "evidence" in asks else "",
        people=form.people.data if "people" in asks else None,
        organisations=form.organisations.data if "organisations" in asks else None,
        back_on=back_on,
    )


def _offered(target: Status) -> list[Reason]:
    """Return the reasons for such decisions; the list is read once for all forms of a page."""
    if "reasons" not in g:
        g.reasons = decisions.list_reasons()
    return [reason for reason in g.reasons if reason.fits(target)]
