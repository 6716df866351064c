"""The ledger of mails, as those read it who run the portal."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytz
from flask import request, url_for
from flask_babel import get_timezone, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import DateField, SelectField, StringField
from wtforms.validators import Optional

from portal.accounts import queries as accounts
from portal.ideas.queries import number_in
from portal.notifications import queries, service
from portal.notifications.mails import ledger, line
from portal.notifications.mails.ledger import Asked, State
from portal.notifications.views.pages import bp
from portal.text import clean_line
from portal.transactions import transaction
from portal.web import paging
from portal.web.kept import kept
from portal.web.responses import go_to, own_path, page
from portal.web.session import authorize, viewer

ON_A_PAGE = 50
FILTERS = ("state", "kind", "person", "idea", "since", "until")


class LedgerForm(FlaskForm):
    """Which mails to see."""

    class Meta:
        """Reading changes nothing, so it needs no token."""

        csrf = False

    state = SelectField(_l("What became of it"), validate_choice=False)
    kind = SelectField(_l("About"), validate_choice=False)
    person = StringField(_l("Person"), filters=[clean_line])
    idea = StringField(_l("Idea"), filters=[clean_line])
    since = DateField(_l("From"), validators=[Optional()])
    until = DateField(_l("Until"), validators=[Optional()])


@bp.get("/admin/mails")
def mails() -> Response:
    """Read which mails were to be sent, and what became of each."""
    authorize("outbox.see")
    form = LedgerForm(request.args)
    form.state.choices = [("", _("Everything")), *((state.value, state.label) for state in State)]
    form.kind.choices = [("", _("Everything")), *ledger.kinds()]
    form.validate()
    asked, unknown = _asked(form)
    place = paging.place(request.args.get("after"), (int,))
    rows = [] if unknown else ledger.entries(viewer(), asked, place[0] if place else None, ON_A_PAGE + 1)
    chosen: dict[str, Any] = {key: value for key in FILTERS if (value := request.args.get(key))}
    more = len(rows) > ON_A_PAGE
    return page(
        "notifications/ledger.html",
        form=form,
        entries=rows[:ON_A_PAGE],
        older=url_for(".mails", after=paging.cursor(rows[ON_A_PAGE - 1].mail.id), **chosen) if more else None,
        first=url_for(".mails", **chosen) if place else None,
        unknown=unknown,
        kept=chosen,
        waiting=ledger.count_open(),
        line=line.state(),
    )


@bp.get("/admin/mails/<int:mail_id>")
def mail(mail_id: int) -> Response:
    """See how one mail fared, try by try; what it says is nobody's but its reader's."""
    authorize("outbox.see")
    entry = ledger.get_entry(viewer(), mail_id)
    return page(
        "notifications/one_mail.html", entry=entry, attempts=ledger.attempts_at(entry.mail), endings=ledger.ENDINGS
    )


@bp.post("/admin/mails/<int:mail_id>/again")
def send_again(mail_id: int) -> Response:
    """Try a mail once more at once."""
    authorize("outbox.see")
    with transaction():
        service.try_again(queries.get_work("mails", mail_id))
        line.knock_again()
    back = own_path(request.form.get("back"), url_for(".mail", mail_id=mail_id))
    return go_to(back, notice=_("It is tried again now."))


@bp.post("/admin/mails/again")
def send_all_again() -> Response:
    """Try every mail once more that was set aside."""
    authorize("outbox.see")
    with transaction():
        number = service.try_mails_again()
        line.knock_again()
    notice = ngettext("%(num)d mail is tried again now.", "%(num)d mails are tried again now.", number)
    return go_to(url_for(".mails"), notice=notice)


def _asked(form: LedgerForm) -> tuple[Asked, bool]:
    """Return what was asked for, and whether that names somebody or something that is not here."""
    states, name = {state.value: state for state in State}, form.person.data or ""
    person = accounts.find_by_name_or_email(name) if name else None
    idea_id = number_in(form.idea.data or "")
    asked = Asked(
        state=states.get(form.state.data or ""),
        kind=form.kind.data if form.kind.data in ledger.WHAT else "",
        user_id=person.id if person else None,
        recipient=name.lower() if "@" in name and person is None else "",
        idea_id=idea_id,
        since=_begin_of(form.since.data),
        until=_begin_of(form.until.data + timedelta(days=1)) if form.until.data else None,
    )
    no_such_person = bool(name) and person is None and not asked.recipient
    return asked, no_such_person or (bool(form.idea.data) and idea_id is None)


def _begin_of(day: date | None) -> datetime | None:
    """Return when a day begins where the reader is."""
    if day is None:
        return None
    zone = pytz.timezone(str(get_timezone()))
    return zone.localize(datetime.combine(day, time())).astimezone(UTC)


@bp.app_template_global()
def no_mail_since() -> datetime | None:
    """Return since when no mail goes out, as it was half a minute ago at most; None when mails do."""
    return kept(("no mail since",), timedelta(seconds=30), line.stuck_since)
