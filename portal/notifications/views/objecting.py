"""“This is not what I meant”: from the link in a mail without signing in, or from the inbox and the idea's page."""

from __future__ import annotations

from collections.abc import Callable

from flask import abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import Refusal
from portal.extensions import limiter
from portal.ideas import objections
from portal.ideas.merges import Consent, consent_of
from portal.ideas.queries import get_idea, main_of
from portal.notifications import by_link
from portal.notifications.by_link import Objecting
from portal.notifications.views.pages import bp
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer


@bp.get("/ideas/<int:idea_id>/objection")
def objection(idea_id: int) -> ResponseReturnValue:
    """See what a merge does with one's vote, and say that it is not what one meant."""
    return _show(_mine(idea_id), url_for(".object_to_merge", idea_id=idea_id))


@bp.post("/ideas/<int:idea_id>/objection")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def object_to_merge(idea_id: int) -> ResponseReturnValue:
    """Take one's vote back from the main idea, or bring it along after all."""
    about = _mine(idea_id)
    here = url_for(".object_to_merge", idea_id=idea_id)
    return _carry_out(about, here, url_for("ideas.show", idea_id=idea_id, _anchor="consent"))


@bp.get("/mail/objection/<token>")
def objection_by_mail(token: str) -> ResponseReturnValue:
    """Look at a merge from the link in a mail; looking changes nothing."""
    about = _of_mail(token)
    return _show(about, url_for(".object_by_mail", token=token))


@bp.post("/mail/objection/<token>")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def object_by_mail(token: str) -> ResponseReturnValue:
    """Say it without signing in: the link can do this and nothing else."""
    about = _of_mail(token)
    return _carry_out(about, url_for(".object_by_mail", token=token), url_for(".objection_by_mail", token=token))


def _of_mail(token: str) -> Objecting:
    return by_link.find_objecting(token) or abort(page("notifications/link_gone.html", status=404))


def _mine(idea_id: int) -> Objecting:
    idea = get_idea(idea_id, viewer())
    authorize("idea.object", idea)
    return Objecting(member(), idea, consent_of(idea, viewer(), main_of(idea, viewer())))


def _show(about: Objecting, action: str, refusal: Refusal | None = None, words: str = "") -> ResponseReturnValue:
    consent: Consent | None = about.consent
    return page(
        "notifications/objection.html",
        status=refusal.status if refusal else 200,
        about=about,
        consent=consent,
        action=action,
        sentence=refusal.message if refusal else "",
        words=words or (consent.objection.words if consent and consent.objection else ""),
    )


def _carry_out(about: Objecting, action: str, afterwards: str) -> ResponseReturnValue:
    """Do what was chosen; what cannot be done any more is said on the page, and nothing typed is lost."""
    words = request.form.get("words", "")
    acts: dict[str, tuple[Callable[[], None], str]] = {
        "object": (
            lambda: objections.object_to_merge(about.idea, about.user, words),
            _("Your vote is back. Thank you for saying so."),
        ),
        "join": (lambda: objections.take_back_objection(about.idea, about.user), _("You came along after all.")),
    }
    act, done = acts.get(request.form.get("choice", "object")) or abort(400)
    try:
        with transaction():
            act()
    except Refusal as refusal:
        return _show(about, action, refusal, words)
    return go_to(afterwards, notice=done)
