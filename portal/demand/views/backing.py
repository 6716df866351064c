"""Backing an idea that exists instead of posting one's own."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.db import utcnow
from portal.demand import queries, service
from portal.demand.forms import BackingForm
from portal.demand.models import Origin, Receipt
from portal.extensions import limiter
from portal.ideas import queries as ideas
from portal.ideas import service as idea_service
from portal.ideas import supporters
from portal.ideas.models import Idea
from portal.text import clean_line
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_person
from portal.web.once import this_form
from portal.web.responses import fragment, go_to, is_htmx, page, swap
from portal.web.session import authorize, can, member, viewer

bp = Blueprint("demand", __name__)


@bp.route("/ideas/<int:idea_id>/back", methods=["GET", "POST"])
def review(idea_id: int) -> Response:
    """Look over what one typed before it goes to an idea that exists; visitors sign in afterwards."""
    idea = idea_behind(idea_id)
    if viewer().is_signed_in:
        authorize("idea.vote", idea)
    form = BackingForm(request.form if request.method == "POST" else request.args)
    form.body.data = form.words
    return _show_review(form, idea)


@bp.post("/ideas/<int:idea_id>/back/now")
@limiter.limit(LIMITS["votes"], key_func=per_person)
@limiter.limit(
    LIMITS["comments.post"], key_func=per_person, exempt_when=lambda: not request.form.get("body", "").strip()
)
def back(idea_id: int) -> Response:
    """Stand behind an idea that exists: at once, or with the words that were looked over."""
    idea = idea_behind(idea_id)
    authorize("idea.vote", idea)
    form, reviewed = BackingForm(), "body" in request.form
    if not form.validate_on_submit():
        return _show_review(form, idea, 422)
    if form.body.data:
        authorize("comment.post", idea)
    person = member()
    with transaction():
        receipt = service.back_instead(
            idea,
            person,
            typed=form.title.data,
            origin=Origin(form.origin.data),
            differs=form.differs.data,
            words=_new_words(form, idea),
        )
        if reviewed:
            _discard_draft(form.title.data)
    if reviewed:
        return go_to(url_for("ideas.show", idea_id=idea.id, backed=1), notice=_done(idea, with_words=form.body.data))
    return _show_backing(idea, form, receipt)


@bp.post("/ideas/<int:idea_id>/back/withdraw")
@limiter.limit(LIMITS["votes"], key_func=per_person)
def withdraw(idea_id: int) -> Response:
    """Take the vote back, and go on with an idea of one's own."""
    idea = idea_behind(idea_id)
    authorize("idea.vote", idea)
    form = BackingForm()
    with transaction():
        idea_service.withdraw_vote(idea, member())
        receipt = queries.find_own(idea, viewer())
        if receipt is not None:
            service.withdraw_receipt(receipt)
    if not is_htmx():
        _keep_draft(form)
        return go_to(url_for("ideas.new"), notice=_("Vote taken back."))
    return _show_fragments(idea, form, None, _("Vote taken back."))


def idea_behind(idea_id: int) -> Idea:
    """Return the idea that is meant, of a merged one the main idea, or answer 404."""
    idea = ideas.get_idea(idea_id, viewer())
    return ideas.get_idea(idea.merged_into_id, viewer()) if idea.merged_into_id else idea


def _new_words(form: BackingForm, idea: Idea) -> str:
    """Return what is to become a comment: nothing where this very form has made one; the vote is one however often."""
    words: str = form.body.data or ""
    if not words:
        return ""
    sent = this_form()
    said, sent.made = sent.made is not None, idea.id
    return "" if said else words


def _show_review(form: BackingForm, idea: Idea, status: int = 200) -> Response:
    return page(
        "demand/review.html",
        status=status,
        form=form,
        idea=idea,
        ballot=supporters.ballot(idea, viewer()),
        comments_open=idea.takes_comments(utcnow()) and (not viewer().is_signed_in or can("comment.post", idea)),
    )


def _show_backing(idea: Idea, form: BackingForm, receipt: Receipt | None) -> Response:
    """Show in the panel what is done; without script ask on a page of its own how theirs differs."""
    if is_htmx():
        return _show_fragments(idea, form, receipt, _done(idea))
    _keep_draft(form)
    if receipt is None:
        return go_to(url_for("ideas.show", idea_id=idea.id), notice=_done(idea))
    return go_to(url_for("demand.differs", idea_id=idea.id), notice=_done(idea))


def _show_fragments(idea: Idea, form: BackingForm, receipt: Receipt | None, said: str) -> Response:
    backing = queries.Backing(
        supporters.ballot(idea, viewer()),
        form.title.data,
        Origin(form.origin.data),
        receipt,
        first=request.args.get("first") == "1",
        in_form=request.args.get("in") == "form",
    )
    votes = ngettext("%(num)d vote.", "%(num)d votes.", backing.ballot.votes)
    return swap(
        fragment("demand/_vote.html", backing=backing),
        fragment("demand/_instead.html", backing=backing, oob=True),
        otherwise=url_for("ideas.show", idea_id=idea.id),
        said=f"{said} {votes}" if backing.ballot.open else said,
    )


def _done(idea: Idea, with_words: str = "") -> str:
    if with_words:
        voted = _("Voted, and your words stand here as a comment.")
        return voted if idea.takes_votes else _("Your words stand here as a comment, and you hear when this changes.")
    return _("Voted.") if idea.takes_votes else _("You will hear when this changes.")


def _keep_draft(form: BackingForm) -> None:
    """Keep what was typed for a new idea: it leaves the page without script."""
    if form.title.data:
        with transaction(wake=False):
            idea_service.save_draft(
                member(),
                title=form.title.data,
                need=form.need.data,
                proposal=form.proposal.data,
                board=form.board.data or "",
            )


def _discard_draft(title: str) -> None:
    """Forget the draft of what went to an idea that exists, and no other."""
    draft = ideas.draft_of(viewer())
    if draft is not None and clean_line(draft.title) == title:
        idea_service.discard_draft(member())
