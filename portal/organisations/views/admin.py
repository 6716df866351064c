"""Naming organisations, and who belongs to them."""

from __future__ import annotations

from flask import abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.models import User
from portal.accounts.queries import find_by_name_or_email
from portal.db import db
from portal.errors import Refusal
from portal.organisations import queries, service
from portal.organisations.domains import NotADomain
from portal.organisations.forms import OrganisationForm, PersonForm
from portal.organisations.models import Organisation
from portal.organisations.service import DomainTaken, NameTaken
from portal.organisations.views.base import bp
from portal.transactions import transaction
from portal.web.once import made_once
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.route("/admin/organisations", methods=["GET", "POST"])
def index() -> Response:
    """See the organisations, and add another one."""
    authorize("organisation.manage")
    form = OrganisationForm()
    if form.validate_on_submit() and (found := _save(None, form)):
        return go_to(url_for(".organisation", organisation_id=found.id), _("%(name)s is there.", name=found.name))
    people = queries.count_people()
    rows = queries.list_organisations()
    status = 422 if form.errors else 200
    return page("organisations/index.html", status=status, organisations=rows, people=people, form=form)


@bp.route("/admin/organisations/<int:organisation_id>", methods=["GET", "POST"])
def organisation(organisation_id: int) -> Response:
    """Change an organisation, and see who belongs to it."""
    authorize("organisation.manage")
    found = queries.get_organisation(organisation_id)
    form = _form_of(found, filled=request.method == "POST")
    if form.validate_on_submit() and _save(found, form):
        return go_to(url_for(".organisation", organisation_id=found.id), _("Saved."))
    return _show(found, form, PersonForm(formdata=None))


@bp.post("/admin/organisations/<int:organisation_id>/people")
def add_person(organisation_id: int) -> Response:
    """Let somebody count for an organisation."""
    authorize("organisation.manage")
    found, form = queries.get_organisation(organisation_id), PersonForm()
    if form.validate_on_submit():
        user = find_by_name_or_email(form.who.data)
        try:
            if user is None:
                raise service.NobodyToAdd(_("Nobody with this name or address has an account."))
            with transaction():
                service.add_person(found, user, member())
            return go_to(url_for(".organisation", organisation_id=found.id), _("%(name)s is added.", name=user.name))
        except service.NobodyToAdd as refusal:
            form.who.errors = [refusal.message]
    return _show(found, _form_of(found, filled=False), form)


@bp.post("/admin/organisations/<int:organisation_id>/people/<int:user_id>/remove")
def remove_person(organisation_id: int, user_id: int) -> Response:
    """Let somebody count for no organisation."""
    authorize("organisation.manage")
    found, user = queries.get_organisation(organisation_id), db.session.get(User, user_id) or abort(404)
    with transaction():
        service.remove_person(user, member())
    return go_to(url_for(".organisation", organisation_id=found.id), _("%(name)s counts for none.", name=user.name))


@bp.post("/admin/organisations/<int:organisation_id>/people/<int:user_id>/lift")
def lift(organisation_id: int, user_id: int) -> Response:
    """Let the address of somebody who was taken out decide again."""
    authorize("organisation.manage")
    found, user = queries.get_organisation(organisation_id), db.session.get(User, user_id) or abort(404)
    with transaction():
        service.lift_exclusion(user, member())
    said = _("The address of %(name)s decides again.", name=user.name)
    return go_to(url_for(".organisation", organisation_id=found.id), said)


@bp.post("/admin/organisations/<int:organisation_id>/delete")
def delete(organisation_id: int) -> Response:
    """Take an organisation away."""
    authorize("organisation.manage")
    found = queries.get_organisation(organisation_id)
    if queries.count_people().get(found.id) and "sure" not in request.form:
        raise Refusal(_("People belong to it. Say that you are sure."))
    with transaction():
        service.remove_organisation(found, member())
    return go_to(url_for(".index"), _("The organisation is gone. Its people stay, and their votes."))


def _save(found: Organisation | None, form: OrganisationForm) -> Organisation | None:
    """Make or change an organisation; None, with the reason in the form, where that cannot be."""
    said = {"name": form.name.data, "domains_typed": form.domains.data or "", "about": form.note.data or ""}
    try:
        with transaction():
            if found is None:
                return made_once(Organisation, lambda: service.make_organisation(member(), **said))
            service.change_organisation(found, member(), **said)
            return found
    except NameTaken as refusal:
        form.name.errors = [refusal.message]
    except (NotADomain, DomainTaken) as refusal:
        form.domains.errors = [refusal.message]
    return None


def _form_of(found: Organisation, filled: bool) -> OrganisationForm:
    if filled:
        return OrganisationForm()
    domains = "\n".join(row.domain for row in found.domains)
    return OrganisationForm(formdata=None, data={"name": found.name, "domains": domains, "note": found.note})


def _show(found: Organisation, form: OrganisationForm, who: PersonForm) -> Response:
    status = 422 if form.errors or who.errors else 200
    people = queries.people_of(found)
    total = queries.count_people().get(found.id, 0)
    return page(
        "organisations/organisation.html",
        status=status,
        organisation=found,
        form=form,
        who=who,
        people=people,
        total=total,
        taken_out=queries.taken_out_of(found),
    )
