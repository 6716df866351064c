"""Who had a part in what came out: naming them, and asking them whether they want to be named."""

from __future__ import annotations

from flask import abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.queries import find_by_name_or_email
from portal.changelog import queries, service
from portal.changelog.forms import ChoiceForm, PersonForm
from portal.changelog.models import Choice, Part
from portal.changelog.views.base import bp, get_written
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer


@bp.route("/changelog/<int:entry_id>/people", methods=["GET", "POST"])
def people(entry_id: int) -> Response:
    """See who had a part, and name those of whom only the team can know."""
    entry = get_written(entry_id)
    form, ideas = PersonForm(), [shipment.idea for shipment in queries.shipments_of(entry, viewer())]
    form.offer(ideas)
    if form.validate_on_submit():
        user = find_by_name_or_email(form.who.data) if "@" not in form.who.data else None
        if user is None:
            form.who.errors = [_("Nobody here has this name. Write it as it stands beside their words.")]
        else:
            idea = next(idea for idea in ideas if idea.id == form.idea.data)
            with transaction():
                service.name_person(entry, user, idea, Part(form.part.data), member())
            said = _("%(name)s is asked before anybody reads the name here.", name=user.name)
            return go_to(url_for(".people", entry_id=entry.id), said)
    seen = {idea.id for idea in ideas}
    found = [credit for credit in queries.credits_of(entry) if credit.idea_id in seen]
    choices = queries.choices_of([credit.user_id for credit in found])
    return page(
        "changelog/people.html",
        status=422 if form.errors else 200,
        entry=entry,
        form=form,
        people=[(credit, queries.may_be_named(credit, choices.get(credit.user_id))) for credit in found],
        ideas=ideas,
    )


@bp.post("/changelog/<int:entry_id>/people/<int:user_id>/remove")
def remove_person(entry_id: int, user_id: int) -> Response:
    """Take a part back that the team had noted."""
    entry = get_written(entry_id)
    with transaction(wake=False):
        service.take_name_back(entry, user_id)
    return go_to(url_for(".people", entry_id=entry.id), _("Taken back."))


@bp.route("/changelog/<int:entry_id>/credit", methods=["GET", "POST"])
def credit(entry_id: int) -> Response:
    """Say whether one wants to be named in an entry, or in all of them."""
    authorize("account.use")
    mine = queries.get_credit(entry_id, member())
    answer = request.form.get("answer", "")
    if request.method != "POST":
        return page("changelog/credit.html", credit=mine, choice=queries.choice_of(member()))
    if answer not in {"yes", "no", "always", "never"}:
        abort(400)
    with transaction():
        service.answer_credit(mine, answer in {"yes", "always"})
        if answer in {"always", "never"}:
            service.choose(member(), Choice(answer))
    said = _("Thank you. The entry names you now.") if answer in {"yes", "always"} else _("You are not named.")
    return go_to(url_for(".show", entry_id=entry_id), said)


@bp.route("/account/credits", methods=["GET", "POST"])
def credits() -> Response:
    """Choose what is done with one's name, and see where it stands."""
    authorize("account.use")
    form = ChoiceForm(data={"choice": queries.choice_of(member()).value})
    if form.validate_on_submit():
        with transaction(wake=False):
            service.choose(member(), Choice(form.choice.data))
        return go_to(url_for(".credits"), _("Saved."))
    choice = queries.choice_of(member())
    mine = [(each, queries.may_be_named(each, choice)) for each in queries.credits_for(member())]
    return page("changelog/credits.html", status=422 if form.errors else 200, form=form, credits=mine)
