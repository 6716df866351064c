"""Who is behind an idea: organisations, segments, votes for others, and how honestly the number counts."""

from __future__ import annotations

from flask import abort, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.accounts.models import User
from portal.accounts.queries import find_by_name_or_email
from portal.db import db
from portal.errors import Refusal
from portal.extensions import limiter
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.organisations import behalf, honesty, queries, segments
from portal.organisations.forms import BehalfForm
from portal.organisations.views.base import bp
from portal.scores.queries import card_of
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.responses import go_to, page
from portal.web.session import authorize, can, member, viewer

KINDS = {"all", "odd", "behalf", "imported", "merged", "aside"}


@bp.get("/ideas/<int:idea_id>/behind")
def behind(idea_id: int) -> Response:
    """See who is behind an idea, and what its number is made of."""
    idea = _idea(idea_id)
    authorize("triage.read", idea)
    return _show(idea, _form())


@bp.post("/ideas/<int:idea_id>/behind/votes")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def give_vote(idea_id: int) -> Response:
    """Give a vote for somebody who asked for the idea elsewhere."""
    idea = _idea(idea_id)
    authorize("vote.behalf", idea)
    form = _form()
    if not form.validate_on_submit():
        return _show(idea, form)
    try:
        with transaction():
            said = _give(idea, form)
    except behalf.CannotSpeakFor as refusal:
        place = form.organisation if form.kind.data == "organisation" else form.who
        place.errors = [refusal.message]
        return _show(idea, form)
    return go_to(url_for(".behind", idea_id=idea.id), said)


@bp.post("/ideas/<int:idea_id>/behind/votes/take-back")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def take_vote_back(idea_id: int) -> Response:
    """Take back a vote that the team gave."""
    idea = _idea(idea_id)
    authorize("vote.behalf", idea)
    organisation = queries.find_organisation(_number(request.form.get("organisation")))
    with transaction():
        if organisation is not None:
            behalf.take_back_for_organisation(idea, organisation, member())
        else:
            user = db.session.get(User, _number(request.form.get("voter")) or 0) or abort(404)
            behalf.take_back(idea, user, member())
    return go_to(url_for(".behind", idea_id=idea.id), _("Taken back."))


@bp.post("/ideas/<int:idea_id>/behind/aside")
def set_votes_aside(idea_id: int) -> Response:
    """Let suspicious votes not count."""
    idea = _idea(idea_id)
    authorize("vote.set_aside", idea)
    chosen, reason = _chosen(), request.form.get("reason", "")
    try:
        with transaction():
            people = honesty.set_aside(idea, chosen, member(), reason)
    except (honesty.ReasonMissing, honesty.NobodyChosen) as refusal:
        return _show(idea, _form(), refusal, chosen, reason)
    said = ngettext("%(num)d vote is set aside.", "%(num)d votes are set aside.", people)
    return go_to(url_for(".behind", idea_id=idea.id, show="aside"), said)


@bp.post("/ideas/<int:idea_id>/behind/back")
def give_votes_back(idea_id: int) -> Response:
    """Let votes that were set aside count again."""
    idea = _idea(idea_id)
    authorize("vote.set_aside", idea)
    try:
        with transaction():
            people = honesty.give_back(idea, _chosen(), member())
    except honesty.NobodyChosen as refusal:
        return _show(idea, _form(), refusal)
    said = ngettext("%(num)d vote counts again.", "%(num)d votes count again.", people)
    return go_to(url_for(".behind", idea_id=idea.id), said)


def _give(idea: Idea, form: BehalfForm) -> str:
    who, note = form.who.data or "", form.note.data
    organisation = queries.find_organisation(_number(form.organisation.data))
    if form.kind.data == "organisation":
        if organisation is None:
            raise behalf.CannotSpeakFor(_("Choose the organisation."))
        behalf.vote_for_organisation(idea, organisation, member(), note)
        return _("%(name)s stands behind this idea now.", name=organisation.name)
    if form.kind.data == "named":
        user = behalf.vote_for_named(idea, who, organisation, member(), note)
        return _("You gave a vote for %(name)s.", name=user.name)
    found = find_by_name_or_email(who)
    if found is None:
        raise behalf.CannotSpeakFor(_("Nobody with this name or address has an account."))
    behalf.vote_for(idea, found, member(), note)
    return _("You gave a vote for %(name)s, who hears of it.", name=found.name)


def _idea(idea_id: int) -> Idea:
    """Return the idea that a number belongs to, of a merged one the main idea, or answer 404."""
    idea = get_idea(idea_id, viewer())
    return get_idea(idea.merged_into_id, viewer()) if idea.merged_into_id else idea


def _form() -> BehalfForm:
    return BehalfForm().offer(queries.list_organisations())


def _show(
    idea: Idea, form: BehalfForm, refusal: Refusal | None = None, chosen: set[int] | None = None, reason: str = ""
) -> Response:
    rows = honesty.casts(idea)
    kind = request.args.get("show", "all")
    kind = kind if kind in KINDS else "all"
    wanted = [cast for cast in rows if _is_wanted(cast, kind)]
    number = min(max(_number(request.args.get("page")) or 1, 1), 1 + len(wanted) // honesty.SHOWN)
    end = number * honesty.SHOWN
    return page(
        "organisations/behind.html",
        status=422 if form.errors or refusal else 200,
        idea=idea,
        form=form,
        card=card_of(idea),
        organisations=queries.who_is_behind(idea),
        segments=segments.shares_of(idea),
        count=honesty.count_in_full(rows),
        casts=wanted[end - honesty.SHOWN : end] if can("votes.see_names", idea) else [],
        number=number,
        more=end < len(wanted),
        kind=kind,
        refusal=refusal,
        chosen=chosen or set(),
        reason=reason,
        young_days=honesty.YOUNG.days,
        burst=honesty.BURST,
        burst_minutes=int(honesty.WITHIN.total_seconds() // 60),
    )


def _is_wanted(cast: honesty.Cast, kind: str) -> bool:
    if kind == "aside":
        return cast.is_aside
    return {
        "all": not cast.is_aside,
        "odd": cast.is_odd and not cast.is_aside,
        "merged": cast.through is not None and not cast.is_aside,
    }.get(kind, cast.origin.value == kind and not cast.is_aside)


def _chosen() -> set[int]:
    return {number for text in request.form.getlist("person")[:5000] if (number := _number(text)) is not None}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
