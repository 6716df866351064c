"""Answers that are not published yet: taken from the forms of the desk, put back, and closed once they are out."""

from __future__ import annotations

from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.boards.queries import team_of
from portal.db import db
from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.talk import drafts
from portal.talk.models import AnswerDraft
from portal.transactions import transaction
from portal.triage.desk import Typed
from portal.triage.forms import Offer
from portal.triage.talk import insert_snippet, offer_of, posted_in
from portal.web.once import made_once
from portal.web.responses import go_to
from portal.web.session import can, member, viewer


def resume(idea: Idea) -> Typed | None:
    """Return what stands in the draft that the request names, for the form it was written in."""
    draft, me = named(idea), viewer()
    if draft is None or not draft.is_open or not isinstance(me, User) or not can("draft.write", idea):
        return None
    offer = offer_of(draft, me, team_of(idea.board))
    if offer is not None:
        return Typed(offer)
    sentence = _("This draft cannot be published as it is: the idea is %(status)s now.", status=idea.rule.label)
    return Typed(sentence=sentence, kept=list(draft.shown.items()))


def instead(idea: Idea, offer: Offer) -> Typed | None:
    """Return the form with the wording that was asked for, where its button was pressed instead of the main one."""
    if "insert" not in request.form or not can("draft.write", idea):
        return None
    return Typed(offer, insert_snippet(offer, idea, member()), inserted=True)


def keep(idea: Idea, offer: Offer) -> ResponseReturnValue | Typed | None:
    """Keep what was typed as a draft, where that button was pressed; return the form again where it cannot be."""
    if "draft" not in request.form or not can("draft.write", idea):
        return None
    fields, shown = posted_in(offer)
    draft, version = named(idea), request.form.get("draft_version", type=int)
    if draft is not None and draft.target != offer.name:
        draft = version = None
    try:
        with transaction():
            draft = save_once(idea, offer.name, fields, shown, draft, version)
    except Refusal as refusal:
        return Typed(offer, refusal.message)
    flash(_("Draft saved. Nobody outside the team sees it."))
    return go_to(url_for("triage.draft", draft_id=draft.id))


def save_once(
    idea: Idea,
    target: str,
    fields: dict[str, Any],
    shown: dict[str, str],
    draft: AnswerDraft | None,
    version: int | None,
) -> AnswerDraft:
    """Keep what was typed, as the next version of a draft or as a new one; the same form begins no second one."""
    if draft is not None:
        return drafts.save_draft(idea, member(), target, fields, shown, draft, version)
    return made_once(AnswerDraft, lambda: drafts.save_draft(idea, member(), target, fields, shown))


def settle(idea: Idea) -> None:
    """Note that the draft that a form was filled from went out with it; what a colleague changed since stays open."""
    draft, seen = named(idea), request.form.get("draft_version", type=int)
    if draft is not None and seen == draft.version:
        drafts.publish(draft, member())


def named(idea: Idea) -> AnswerDraft | None:
    """Return the draft that the form was filled from."""
    number = request.values.get("draft_id", type=int)
    draft = db.session.get(AnswerDraft, number) if number else None
    return draft if draft is not None and draft.idea_id == idea.id else None
