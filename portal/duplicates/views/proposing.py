"""Members who say that an idea exists already."""

from __future__ import annotations

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.roles import Role
from portal.db import db
from portal.duplicates import queries, service
from portal.duplicates.forms import ProposalForm
from portal.duplicates.views.queue import bp
from portal.errors import Refusal
from portal.extensions import limiter
from portal.ideas.lists import IdeaRow, rows_by_id
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea, ideas_visible_to, number_in
from portal.ideas.workflow import Publication, Status
from portal.search.engine import NeedsRebuild
from portal.search.index import engine
from portal.search.queries import similar_ideas
from portal.text import clean_line
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.responses import go_to
from portal.web.session import authorize, member, viewer

OFFERED = 6
LOOKED_AT = 30


@bp.get("/ideas/<int:idea_id>/same")
def propose(idea_id: int) -> ResponseReturnValue:
    """Say that an idea exists already: choose a similar one, search, or paste an address."""
    idea = get_idea(idea_id, viewer())
    authorize("duplicate.propose", idea)
    return _form_page(idea, ProposalForm(formdata=None))


@bp.post("/ideas/<int:idea_id>/same")
@limiter.limit(LIMITS["duplicates.propose"], key_func=per_person)
def send_proposal(idea_id: int) -> ResponseReturnValue:
    """Send it to the team."""
    idea = get_idea(idea_id, viewer())
    authorize("duplicate.propose", idea)
    form = ProposalForm()
    other = _meant(form.other.data or "")
    if not form.validate() or other is None:
        sentence = "" if form.errors else _("Choose the idea that says the same, from those that you can read.")
        return _form_page(idea, form, sentence, 422)
    try:
        with transaction():
            service.propose(idea, other, member(), form.why.data or "")
    except Refusal as refusal:
        return _form_page(idea, form, refusal.message, refusal.status)
    there = url_for("ideas.show", idea_id=idea.id)
    return go_to(there, notice=_("Thank you. The team compares the two, and you hear what became of it."))


def _form_page(idea: Idea, form: ProposalForm, sentence: str = "", status: int = 200) -> ResponseReturnValue:
    query = clean_line(request.args.get("q"))[:200]
    found = _found(idea, query) if query else _similar(idea)
    agreeing = []
    if viewer().is_one_of({Role.CHAMPION}, idea.board_id):
        agreeing = [other for _pair, other in queries.open_proposals_of(idea, viewer())]
    return render_template(
        "duplicates/propose.html",
        idea=idea,
        form=form,
        query=query,
        found=found,
        agreeing=agreeing,
        chosen=(form.other.data or "") if form.is_submitted() else request.args.get("other", ""),
        sentence=sentence,
    ), status


def _meant(text: str) -> Idea | None:
    """Return the idea that is meant, of a merged one its main idea; None for what the viewer may not see or is not."""
    number = number_in(text)
    if number is None or number >= 2**31:
        return None
    seen = ideas_visible_to(viewer())
    idea = db.session.scalar(seen.where(Idea.id == number))
    if idea is not None and idea.merged_into_id:
        return db.session.scalar(seen.where(Idea.id == idea.merged_into_id))
    return idea


def _similar(idea: Idea) -> list[IdeaRow]:
    known = [idea.id, *queries.refused_with(idea.id)]
    found = similar_ideas(viewer(), idea.title, f"{idea.need}\n{idea.proposal}", exclude=known, limit=OFFERED)
    return _fit(idea, [one.row for one in found])


def _found(idea: Idea, query: str) -> list[IdeaRow]:
    """Return what somebody means who types a number, pastes an address, or searches for words."""
    number = number_in(query)
    if number is not None:
        meant = _meant(query)
        ids = [meant.id] if meant else []
    else:
        try:
            ids = [hit.id for hit in engine().search(query, limit=LOOKED_AT)]
        except NeedsRebuild:
            ids = []
    rows = rows_by_id(viewer(), ids)
    return _fit(idea, [rows[number] for number in ids if number in rows])


def _fit(idea: Idea, rows: list[IdeaRow]) -> list[IdeaRow]:
    fitting = [
        row
        for row in rows
        if row.id != idea.id and row.publication is Publication.PUBLISHED and row.status is not Status.MERGED
    ]
    return fitting[:OFFERED]
