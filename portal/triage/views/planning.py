"""Answers that go out at a moment that was chosen, planned from the forms of the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytz
from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_timezone
from flask_babel import gettext as _

from portal.errors import Refusal
from portal.ideas.models import Idea
from portal.ideas.steps import MoveDetails
from portal.talk import held_back, queries, scheduling
from portal.talk.models import AnswerDraft, ScheduledDraft
from portal.transactions import transaction
from portal.triage.forms import Offer
from portal.triage.talk import posted_in
from portal.triage.views import drafting
from portal.triage.views.pages import bp
from portal.web.dates import absolute
from portal.web.responses import go_to
from portal.web.session import authorize, can, member, viewer


def plan(idea: Idea, offer: Offer, details: Callable[[], MoveDetails]) -> ResponseReturnValue | None:
    """Keep what was typed, to go out at the moment that was chosen; with a moment nothing goes out at once.

    Raises what publishing it now would raise.
    """
    typed = request.form.get("publish_at", "").strip()
    if not (typed or "later" in request.form) or offer.name == "override" or not can("draft.write", idea):
        return None
    at = _moment(typed)
    fields, shown = posted_in(offer)
    draft, version = drafting.named(idea), request.form.get("draft_version", type=int)
    if draft is not None and draft.target != offer.name:
        draft = version = None
    with transaction():
        if offer.form.seen.data != idea.rule.key:
            raise Refusal(
                _("Somebody moved this to %(status)s meanwhile. What you wrote is still here.", status=idea.rule.label)
            )
        said = details()
        draft = drafting.save_once(idea, offer.name, fields, shown, draft, version)
        scheduling.plan(draft, member(), said, at)
    flash(_("Planned. It goes out on %(moment)s, unless something comes between.", moment=absolute(at)))
    return go_to(url_for("triage.draft", draft_id=draft.id))


@bp.post("/drafts/<int:draft_id>/unplan")
def unplan_draft(draft_id: int) -> ResponseReturnValue:
    """Let it lie until somebody publishes it."""
    authorize("triage.read")
    draft: AnswerDraft = queries.get_draft(draft_id, viewer())
    authorize("draft.write", draft)
    with transaction():
        scheduling.unplan(draft, member())
    return go_to(url_for("triage.draft", draft_id=draft_id), notice=_("It does not go out by itself any more."))


def _moment(typed: str) -> datetime:
    """Return the moment that clocks show where the person is."""
    try:
        shown = datetime.fromisoformat(typed)
        if shown.tzinfo is not None:
            raise ValueError(typed)
        zone: Any = pytz.timezone(str(get_timezone()))
        return zone.normalize(zone.localize(shown, is_dst=False)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refusal(_("Give a day and a time, like 2030-05-17 09:00.")) from None


@bp.app_template_global()
def zone_here() -> str:
    """Return the time zone in which the reader's times are told."""
    return str(get_timezone()).replace("_", " ")


@bp.app_template_global("held_back")
def words_of_held_back(schedule: ScheduledDraft) -> str:
    """Say why a draft did not go out at its moment."""
    return held_back.words(schedule.held_why, schedule.held_facts, schedule.why)
