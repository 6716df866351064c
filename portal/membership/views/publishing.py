"""Putting new rules, or a new privacy notice, in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.accounts import service
from portal.accounts.changes import changes
from portal.membership.forms import GRACE, PublishForm
from portal.membership.views.base import bp, rules_now, status_of
from portal.pages.notice import default_notice
from portal.security.log import note
from portal.text import render_page
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, member


@bp.route("/admin/rules", methods=["GET", "POST"])
def rules() -> ResponseReturnValue:
    """Write a new version of the community rules, look at what differs, and put it in force."""
    authorize("rules.publish")
    present = rules_now()
    form = PublishForm(seen=str(present.version), body=present.body, grace=GRACE)
    if _wants_to_publish(form, present.body, present.version):
        with transaction():
            new = service.publish_rules(
                form.body.data, form.changes.data or "", timedelta(days=form.grace.data or 0) or None
            )
            service.accept_rules(member())  # whoever writes them has read them
            note("rules.published", user=None, actor=member(), version=new.version)
        return go_to(url_for("pages.rules"), _("Version %(number)s is in force.", number=new.version))
    return _show(form, present.body, what="rules", version=present.version, versions=accounts.rules_versions())


@bp.route("/admin/privacy", methods=["GET", "POST"])
def privacy() -> ResponseReturnValue:
    """Write a new version of the privacy notice, look at what differs, and put it in force."""
    authorize("rules.publish")
    present = accounts.privacy_in_force()
    version, body = (present.version, present.body) if present else (0, default_notice())
    form = PublishForm(seen=str(version), body=body)
    if _wants_to_publish(form, body, version):
        with transaction():
            new = service.publish_privacy(form.body.data, form.changes.data or "")
            note("privacy.published", user=None, actor=member(), version=new.version)
        return go_to(url_for("pages.privacy"), _("Version %(number)s is in force.", number=new.version))
    return _show(form, body, what="privacy", version=version, versions=accounts.privacy_versions())


def _wants_to_publish(form: PublishForm, body: str, version: int) -> bool:
    """Whether the form is complete, differs from what holds, and was written knowing that."""
    if not form.validate_on_submit():
        return False
    if form.seen.data != str(version):
        form.seen.data = str(version)
        form.form_errors.append(
            _("Somebody published another version meanwhile. Your text is still here: compare it once more.")
        )
    elif request.form.get("do") == "publish" and not changes(body, form.body.data):
        form.body.errors = [_("No word differs from the version in force.")]
    return request.form.get("do") == "publish" and not form.errors


def _show(form: PublishForm, body: str, *, what: str, version: int, versions: list[Any]) -> ResponseReturnValue:
    written = request.method == "POST"
    return page(
        "membership/publish.html",
        status=status_of(form),
        form=form,
        what=what,
        version=version,
        versions=versions,
        differs=changes(body, form.body.data or "") if written else [],
        preview=render_page(form.body.data or "") if written else "",
        written=written,
    )
