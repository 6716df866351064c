"""Drafts of answers: what waits for a colleague's look, and one draft with what was said about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.boards.queries import team_of
from portal.db import db
from portal.errors import Refusal
from portal.ideas.workflow import place_named
from portal.talk import drafts as service
from portal.talk import queries
from portal.talk.models import AnswerDraft, DraftRemark, DraftState
from portal.text import render_markdown
from portal.transactions import transaction
from portal.triage.talk import offer_of, shown_of
from portal.triage.views.pages import bp
from portal.web.once import made_once
from portal.web.responses import go_to
from portal.web.session import authorize, can, member, viewer

VERDICTS = {state.value: state for state in (DraftState.APPROVED, DraftState.SENT_BACK)}


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a draft, as people will read it."""

    label: str
    text_html: str


@bp.get("/drafts")
def drafts() -> ResponseReturnValue:
    """See which drafts wait for one's own look, and all others."""
    authorize("triage.read")
    which = request.args.get("which", "for-you")
    if which not in queries.DRAFT_LISTS:
        abort(404)
    shown = queries.list_drafts(viewer(), which)
    waiting = db.session.scalar(select(queries.count_waiting(viewer())))
    return render_template("triage/drafts.html", drafts=shown, which=which, waiting=waiting)


@bp.get("/drafts/<int:draft_id>")
def draft(draft_id: int) -> ResponseReturnValue:
    """Read a draft, and what colleagues said about it."""
    authorize("triage.read")
    return _show(queries.get_draft(draft_id, viewer()))


@bp.post("/drafts/<int:draft_id>/ask")
def ask_review(draft_id: int) -> ResponseReturnValue:
    """Ask a colleague to look at it."""
    reviewer_id = request.form.get("reviewer", type=int)

    def act(draft: AnswerDraft, words: str) -> str:
        made_once(DraftRemark, lambda: service.ask_for_review(draft, member(), reviewer_id, words))
        return _("%(name)s will hear of it.", name=draft.reviewer.name if draft.reviewer else "")

    return _do(draft_id, "draft.write", act)


@bp.post("/drafts/<int:draft_id>/review")
def review_draft(draft_id: int) -> ResponseReturnValue:
    """Approve it, or send it back with words."""
    verdict = VERDICTS.get(request.form.get("verdict", "")) or abort(400)
    version = request.form.get("version", 0, type=int)

    def act(draft: AnswerDraft, words: str) -> str:
        service.review(draft, member(), verdict, words, version)
        return _("Approved.") if verdict is DraftState.APPROVED else _("Sent back.")

    return _do(draft_id, "draft.review", act)


@bp.post("/drafts/<int:draft_id>/say")
def say_of_draft(draft_id: int) -> ResponseReturnValue:
    """Say something about it."""

    def act(draft: AnswerDraft, words: str) -> str:
        made_once(DraftRemark, lambda: service.say(draft, member(), words))
        return _("Said.")

    return _do(draft_id, "draft.write", act)


@bp.post("/drafts/<int:draft_id>/drop")
def drop_draft(draft_id: int) -> ResponseReturnValue:
    """Give it up."""

    def act(draft: AnswerDraft, _words: str) -> str:
        service.drop(draft, member())
        return _("Draft dropped.")

    return _do(draft_id, "draft.write", act, undo="triage.reopen_draft")


@bp.post("/drafts/<int:draft_id>/reopen")
def reopen_draft(draft_id: int) -> ResponseReturnValue:
    """Take it up again."""

    def act(draft: AnswerDraft, _words: str) -> str:
        service.reopen(draft, member())
        return _("The draft is open again.")

    return _do(draft_id, "draft.write", act)


def _do(draft_id: int, permission: str, act: Callable[[AnswerDraft, str], str], undo: str = "") -> ResponseReturnValue:
    authorize("triage.read")
    found = queries.get_draft(draft_id, viewer())
    words = request.form.get("words", "")
    if permission == "draft.review" and can("draft.write", found) and not found.is_open:
        permission = "draft.write"  # somebody was faster: the service says so
    authorize(permission, found)
    try:
        with transaction():
            said = act(found, words)
    except Refusal as refusal:
        return _show(queries.get_draft(draft_id, viewer()), refusal.message, words)
    flash(said, f"undo:{url_for(undo, draft_id=draft_id)}" if undo else "message")
    return go_to(url_for("triage.draft", draft_id=draft_id))


def _show(draft: AnswerDraft, sentence: str = "", words: str = "") -> ResponseReturnValue:
    authorize("triage.read", draft.idea)
    me, team = viewer(), team_of(draft.idea.board)
    offer = offer_of(draft, me, team) if isinstance(me, User) and draft.is_open else None
    said = shown_of(offer) if offer else draft.shown
    page = render_template(
        "triage/draft.html",
        draft=draft,
        offer=offer,
        parts=[Part(label, render_markdown(text)) for label, text in said.items()],
        remarks=queries.remarks_on(draft),
        colleagues=[person for person in team if person.id not in (me.id, draft.edited_by_id)],
        goal=_goal(draft),
        sentence=sentence,
        words=words,
    )
    return page, 422 if sentence else 200


def _goal(draft: AnswerDraft) -> str:
    place = place_named(draft.target)
    return str(place.label) if place else _("Answer only")
