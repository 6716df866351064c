"""Taking one's data along, and leaving."""

from __future__ import annotations

from flask import Blueprint, abort, flash, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField
from wtforms.validators import InputRequired

from portal.credentials import links
from portal.credentials.models import MailedLink, Purpose
from portal.db import db, utcnow
from portal.privacy import files, queries, service
from portal.privacy.models import Export
from portal.security.log import note
from portal.transactions import transaction
from portal.web.dates import day
from portal.web.proof import prove_again
from portal.web.responses import go_to, page
from portal.web.session import authorize, member
from portal.web.session import sign_out as close_session

bp = Blueprint("privacy", __name__)


class LeaveForm(FlaskForm):
    """Leaving, knowingly."""

    sure = BooleanField(
        _l("I have read what goes and what stays"),
        [InputRequired(_l("Read what goes and what stays, and tick the box"))],
    )


@bp.get("/account/data")
def data() -> ResponseReturnValue:
    """See what one can do about what is held about oneself, and how far an export is."""
    authorize("account.use")
    newest, next_at = queries.latest_export(member()), queries.next_export_at(member())
    return page("privacy/data.html", "privacy/_gathering.html", export=newest, next_at=next_at)


@bp.route("/account/data/export", methods=["GET", "POST"])
def export() -> ResponseReturnValue:
    """Ask for everything that is held about oneself."""
    authorize("account.use")
    prove_again()
    form = FlaskForm()
    if form.validate_on_submit():
        with transaction():
            service.ask_for_export(member())
        return go_to(url_for(".data"), _("We are gathering your data. You will get a mail when it is ready."))
    return page("privacy/export.html", form=form, next_at=queries.next_export_at(member()))


@bp.get("/account/data/<int:export_id>/file")
def download(export_id: int) -> ResponseReturnValue:
    """Fetch what was gathered."""
    authorize("account.use")
    found = db.session.get(Export, export_id)
    if found is None or found.user_id != member().id:
        abort(404)
    prove_again()
    path = files.path_of(found)
    if path is None or found.expires_at is None or found.expires_at <= utcnow():
        abort(404)
    with transaction(wake=False):
        note("export.fetched", user=member())
    name = f"my-data-{found.asked_at:%Y-%m-%d}.zip"
    answer = send_file(path, "application/zip", as_attachment=True, download_name=name, max_age=0, etag=False)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.route("/account/leave", methods=["GET", "POST"])
def leave() -> ResponseReturnValue:
    """Leave, and have all that is personal erased."""
    authorize("account.use")
    prove_again()
    form = LeaveForm()
    if form.validate_on_submit():
        with transaction():
            user = member()
            service.leave(user)
            until, email = user.leaves_at, user.email
            close_session()
        flash(
            _(
                "You are signed out everywhere. A mail to %(email)s says how to come back until %(date)s.",
                email=email,
                date=day(until),
            )
        )
        answer = go_to(url_for("ideas.index"))
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer
    status = 422 if form.errors else 200
    return page("privacy/leave.html", status=status, form=form, last_owner=queries.is_last_owner(member()))


@bp.route("/account/stay", methods=["GET", "POST"])
def stay_or_go() -> ResponseReturnValue:
    """Stay after all, or go on leaving: all that somebody who is leaving may do."""
    authorize("account.use")
    user = member()
    if not user.is_leaving:
        return go_to(url_for("accounts.show"))
    form = FlaskForm()
    if form.validate_on_submit():
        with transaction():
            service.stay(user)
        return go_to(url_for("accounts.show"), _("Good to have you back. Everything is as it was."))
    return page("privacy/stay.html", form=form, person=user)


@bp.route("/account/stay/<token>", methods=["GET", "POST"])
def come_back(token: str) -> ResponseReturnValue:
    """Stay after all, by the link in the mail; opening it alone changes nothing."""
    link = links.find(token, Purpose.STAY)
    person = link.user if link else None
    if link is None or person is None or not person.is_leaving:
        return page("privacy/come_back.html", status=410, person=None, form=None)
    form = FlaskForm()
    if form.validate_on_submit():
        with transaction():
            _come_back(link)
        return go_to(url_for("accounts.sign_in"), _("Good to have you back. Everything is as it was: sign in."))
    return page("privacy/come_back.html", person=person, form=form)


def _come_back(link: MailedLink) -> None:
    if link.user is not None and links.use(link):
        service.stay(link.user)
