"""What the desk shows of the team's own talk: notes, drafts of answers, and wording to begin from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from portal.accounts.models import Person, User
from portal.ideas.models import Idea
from portal.ideas.moves import moves_for
from portal.permissions import can
from portal.talk import queries, snippets
from portal.talk.models import AnswerDraft, Snippet
from portal.talk.queries import Notes
from portal.triage.forms import Offer, offer_answer, offer_move


@dataclass(frozen=True, slots=True)
class Talk:
    """The team's talk about one idea."""

    notes: Notes
    drafts: list[AnswerDraft]
    draft: AnswerDraft | None  # the one that is being worked on
    snippets: list[Snippet]
    version: int = 0  # of the draft, as the person saw it


def talk_about(idea: Idea, me: Person, team: list[User]) -> Talk:
    """Return what the team says among itself about an idea that is on the desk."""
    drafts, may_draft = queries.drafts_on(idea), can(me, "draft.write", idea)
    number = request.values.get("draft_id", type=int)
    chosen = next((draft for draft in drafts if draft.id == number), None)
    seen = request.form.get("draft_version", type=int) if "draft" not in request.form else None
    return Talk(
        queries.notes_on(idea, me, team),
        drafts,
        chosen if may_draft else None,
        queries.list_snippets(me, idea.board_id) if may_draft else [],
        seen or (chosen.version if chosen else 0),
    )


def offer_of(draft: AnswerDraft, me: User, staff: list[User]) -> Offer | None:
    """Return the form that a draft was written in, filled; None where the idea stands elsewhere by now."""
    idea = draft.idea
    offer = offer_answer(idea, blank=True) if draft.target == "answer" else None
    for move in moves_for(idea, me):
        if move.name == draft.target:
            offer = offer_move(move, idea, staff, me, blank=True)
    if offer is not None:
        seen = offer.form.seen.data
        offer.form.process(formdata=MultiDict(draft.fields))
        offer.form.seen.data = seen
    return offer


def posted_in(offer: Offer) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what was typed into a form: as it was posted, and by the labels that people read."""
    prefix = f"{offer.name}-"
    apart = {f"{prefix}seen", f"{prefix}csrf_token"}
    fields = {
        name: values
        for name, values in request.form.lists()
        if name.startswith(prefix) and name not in apart and any(value.strip() for value in values)
    }
    return fields, shown_of(offer)


def shown_of(offer: Offer) -> dict[str, str]:
    """Return what stands in a form by its labels, with the reason that was chosen from the list."""
    shown = dict(offer.typed())
    if "because" in offer.asks:
        chosen = {str(value): str(label) for value, label in offer.form.because.choices or ()}
        if reason := chosen.get(str(offer.form.because.data or "")):
            return {offer.label_of("because"): reason} | shown
    return shown


def insert_snippet(offer: Offer, idea: Idea, me: User) -> str:
    """Put the chosen wording below what stands in the answer; return a sentence where none was chosen."""
    number = request.form.get("snippet", type=int)
    chosen = next((one for one in queries.list_snippets(me, idea.board_id) if one.id == number), None)
    if chosen is None:
        return _("Choose the wording first.")
    before = (offer.form.answer.data or "").rstrip()
    offer.form.answer.data = f"{before}\n\n{snippets.fill(chosen.body, idea, me)}".strip()
    return ""
