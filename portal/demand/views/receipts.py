"""What people left when they backed an idea instead of posting: their own lines, and the team's view of them."""

from __future__ import annotations

from flask import abort, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from portal.demand import queries, service
from portal.demand.forms import DifferenceForm
from portal.demand.models import Origin, Receipt
from portal.demand.views.backing import bp, idea_behind
from portal.ideas import queries as ideas
from portal.ideas import supporters
from portal.ideas.models import Idea
from portal.transactions import transaction
from portal.web.responses import fragment, go_to, is_htmx, page, swap
from portal.web.session import authorize, member, viewer


@bp.get("/account/backed")
def mine() -> Response:
    """Read what one backed instead of posting."""
    authorize("account.use")
    return page("demand/mine.html", receipts=queries.list_own(member()))


@bp.route("/ideas/<int:idea_id>/differs", methods=["GET", "POST"])
def differs(idea_id: int) -> Response:
    """Say how one's own idea differs from the one that one backed."""
    idea, receipt = _own(idea_id)
    typed = request.form.get(f"differs-{idea.id}", request.form.get("differs", ""))  # the panel has several such lines
    form = DifferenceForm(MultiDict({"differs": typed}) if request.method == "POST" else None, obj=receipt)
    valid = request.method == "POST" and form.validate()
    if not valid:
        return page("demand/differs.html", status=422 if form.errors else 200, form=form, idea=idea, receipt=receipt)
    with transaction(wake=False):
        service.say_difference(receipt, form.differs.data)
    said = _("Noted. Only the team reads it.") if receipt.differs else _("Taken away.")
    if not is_htmx():
        there = url_for("demand.mine") if request.args.get("from") == "mine" else url_for("ideas.show", idea_id=idea.id)
        return go_to(there, notice=said)
    backing = queries.Backing(
        supporters.ballot(idea, viewer()),
        receipt.typed,
        Origin(receipt.origin),
        receipt,
        in_form=request.args.get("in") == "form",
        saved=True,
    )
    return swap(fragment("demand/_instead.html", backing=backing), otherwise="/", said=said)


@bp.post("/ideas/<int:idea_id>/differs/withdraw")
def forget(idea_id: int) -> Response:
    """Take back that one was about to post; the vote stays."""
    _idea, receipt = _own(idea_id)
    with transaction(wake=False):
        service.withdraw_receipt(receipt)
    return go_to(url_for("demand.mine"), notice=_("Gone. Your vote stays."))


@bp.post("/ideas/<int:idea_id>/receipts/<int:user_id>/hide")
def hide(idea_id: int, user_id: int) -> Response:
    """Keep a line from the team's eyes."""
    idea = ideas.get_idea(idea_id, viewer())
    authorize("receipt.hide", idea)
    with transaction(wake=False):
        service.hide_difference(queries.get_receipt(idea, user_id, viewer()), member())
    return _show_receipts(idea, _("Hidden. Its author still sees it."))


@bp.post("/ideas/<int:idea_id>/receipts/<int:user_id>/show")
def show(idea_id: int, user_id: int) -> Response:
    """Show a line again."""
    idea = ideas.get_idea(idea_id, viewer())
    authorize("receipt.hide", idea)
    with transaction(wake=False):
        service.show_difference(queries.get_receipt(idea, user_id, viewer()), member())
    return _show_receipts(idea, _("Shown again."))


def _own(idea_id: int) -> tuple[Idea, Receipt]:
    idea = ideas.get_idea(idea_id, viewer())
    authorize("account.use")
    receipt = queries.find_own(idea, viewer())
    if receipt is None and idea.merged_into_id:
        idea = idea_behind(idea_id)
        receipt = queries.find_own(idea, viewer())
    return (idea, receipt) if receipt is not None else abort(404)


def _show_receipts(idea: Idea, said: str) -> Response:
    return swap(
        fragment("demand/_receipts.html", receipts=queries.receipts_of(idea, viewer())),
        otherwise=url_for("ideas.show", idea_id=idea.id, _anchor="receipts"),
        said=said,
    )
