"""The ledger of mails, as those read it who run the portal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from portal.accounts.models import Person
from portal.ideas.queries import number_in
from portal.notifications import pushed, service
from portal.notifications.mails import ledger, line, progress, wording
from portal.notifications.mails.ledger import Asked, Entry
from portal.notifications.mails.states import State
from portal.notifications.pushed import Told
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
    return _show(".mails", ledger.entries, [state for state in State if state is not State.GONE], ledger.count_open())


@bp.get("/admin/mails/browsers")
def pushes() -> Response:
    """Read what browsers were to be told at once, and what became of each message."""
    authorize("outbox.see")
    states = [state for state in State if state is not State.CAME_BACK]
    return _show(".pushes", pushed.entries, states, pushed.count_open(), browsers=pushed.count_browsers())


@bp.post("/admin/mails/browsers/<int:push_id>/again")
def push_again(push_id: int) -> Response:
    """Try a message to a browser once more at once."""
    authorize("outbox.see")
    with transaction():
        service.try_again(pushed.get_push(push_id))
    back = own_path(request.form.get("back"), url_for(".pushes"))
    return go_to(back, notice=_("It is tried again now."))


@bp.post("/admin/mails/browsers/again")
def push_all_again() -> Response:
    """Try every message to a browser once more that was set aside."""
    authorize("outbox.see")
    with transaction():
        number = pushed.try_all_again()
    notice = ngettext("%(num)d message is tried again now.", "%(num)d messages are tried again now.", number)
    return go_to(url_for(".pushes"), notice=notice)


@bp.get("/admin/mails/<int:mail_id>")
def mail(mail_id: int) -> Response:
    """See how one mail fared, try by try; what it says is nobody's but its reader's."""
    authorize("outbox.see")
    entry = ledger.get_entry(viewer(), mail_id)
    return page(
        "notifications/one_mail.html", entry=entry, attempts=ledger.attempts_at(entry.mail), endings=wording.ENDINGS
    )


@bp.post("/admin/mails/<int:mail_id>/again")
def send_again(mail_id: int) -> Response:
    """Try a mail once more at once."""
    authorize("outbox.see")
    with transaction():
        service.try_again(progress.get_work("mails", mail_id))
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


def _show(
    here: str,
    entries: Callable[[Person, Asked, int | None, int], Sequence[Entry | Told]],
    states: Sequence[State],
    waiting: dict[State, int],
    browsers: int | None = None,
) -> Response:
    """Show a page of one of the two ledgers, narrowed down as was asked."""
    form = LedgerForm(request.args)
    form.state.choices = [("", _("Everything")), *((state.value, state.label) for state in states)]
    form.kind.choices = [("", _("Everything")), *ledger.kinds()]
    form.validate()
    asked, unknown = _asked(form)
    place = paging.place(request.args.get("after"), (int,))
    rows = [] if unknown else entries(viewer(), asked, place[0] if place else None, ON_A_PAGE + 1)
    chosen: dict[str, Any] = {key: value for key in FILTERS if (value := request.args.get(key))}
    more = len(rows) > ON_A_PAGE
    return page(
        "notifications/ledger.html",
        here=here,
        form=form,
        entries=rows[:ON_A_PAGE],
        older=url_for(here, after=paging.cursor(rows[ON_A_PAGE - 1].id), **chosen) if more else None,
        first=url_for(here, **chosen) if place else None,
        unknown=unknown,
        kept=chosen,
        waiting=waiting,
        set_aside=waiting[State.SET_ASIDE],
        line=line.state(),
        browsers=browsers,
    )


def _asked(form: LedgerForm) -> tuple[Asked, bool]:
    """Return what was asked for, and whether that names somebody or something that is not here."""
    states, name = {state.value: state for state in State}, form.person.data or ""
    person = accounts.find_by_name_or_email(name) if name else None
    idea_id = number_in(form.idea.data or "")
    asked = Asked(
        state=states.get(form.state.data or ""),
        kind=form.kind.data if form.kind.data in wording.WHAT else "",
        user_id=person.id if person else None,
        recipient=name.lower() if "@" in name and person is None else "",
        idea_id=idea_id,
        since=_begin_of(form.since.data),
        until=_begin_of(form.until.data, days=1),
    )
    no_such_person = bool(name) and person is None and not asked.recipient
    return asked, no_such_person or (bool(form.idea.data) and idea_id is None)


def _begin_of(day: date | None, days: int = 0) -> datetime | None:
    """Return when a day begins where the reader is, or some days later; nothing for days that no calendar has."""
    if day is None or not 1970 <= day.year < 9999:
        return None
    zone = pytz.timezone(str(get_timezone()))
    return zone.localize(datetime.combine(day + timedelta(days=days), time())).astimezone(UTC)


@bp.app_template_global()
def no_mail_since() -> datetime | None:
    """Return since when no mail goes out, as it was half a minute ago at most; None when mails do."""
    return kept(("no mail since",), timedelta(seconds=30), line.stuck_since)
