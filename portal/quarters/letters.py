"""A quarter in a mail, for those who want to have it."""

from __future__ import annotations

import hashlib

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal.accounts.models import Guest
from portal.db import db, utcnow
from portal.notifications.links import absolute_url
from portal.notifications.mails.letter import Letter, Suppressed
from portal.notifications.models import Mail
from portal.notifications.service import queue_letter
from portal.options import option
from portal.quarters.calendar import Quarter
from portal.quarters.queries import Report, report
from portal.transactions import transaction

LETTER = "quarter"
AFTER_DAYS = 2  # so that what was decided on the last day is in it everywhere


def send_last_quarter() -> int:
    """Queue the letter about the last quarter once for each address that wants it; return how many were queued."""
    now = utcnow()
    quarter = Quarter.of(now.date()).before
    wanted: list[str] = option("quarter_readers")
    if not wanted or (now - quarter.ends).days < AFTER_DAYS:
        return 0
    keys = {_key(quarter, address): address for address in wanted}
    queued = set(db.session.scalars(select(Mail.key).where(Mail.key.in_(keys))))
    waiting = {key: address for key, address in keys.items() if key not in queued}
    if not waiting:
        return 0
    with transaction():
        for key, address in waiting.items():
            queue_letter(LETTER, to=address, key=key, data={"quarter": quarter.name}, rationed=False)
    return len(waiting)


def quarter_letter(mail: Mail) -> Letter | Suppressed:
    """Tell in a few sentences what became of a quarter, as every visitor may read it; the page has the rest."""
    quarter = Quarter.read(mail.data.get("quarter", ""))
    if quarter is None or mail.recipient not in option("quarter_readers"):
        return Suppressed("wants no mail")
    told = report(quarter, Guest())
    if told.is_empty:
        return Suppressed("nothing to tell")
    return Letter(
        subject=_("You said, we did: %(quarter)s", quarter=quarter.label),
        lead=_("What became of what people said."),
        title=quarter.label,
        sentences=sentences(told),
        button=_("Read the whole page"),
        url=absolute_url("quarters.show", name=quarter.name),
        foot=_(
            "You get this because an admin entered this address for the page of each quarter; they can take it out."
        ),
    )


def sentences(told: Report) -> list[str]:
    """Return a quarter in numbers, a sentence each; what did not happen is not mentioned."""
    numbers = [
        (told.said, ngettext("%(num)d idea came in.", "%(num)d ideas came in.", told.said)),
        (told.answered, ngettext("We gave %(num)d answer.", "We gave %(num)d answers.", told.answered)),
        (told.shipped_in_all, ngettext("%(num)d came out.", "%(num)d came out.", told.shipped_in_all)),
        (told.planned, ngettext("We planned %(num)d more.", "We planned %(num)d more.", told.planned)),
        (
            told.refused_in_all,
            ngettext("We said no or not now to %(num)d.", "We said no or not now to %(num)d.", told.refused_in_all),
        ),
        (
            told.missed_in_all,
            ngettext("%(num)d promise was late.", "%(num)d promises were late.", told.missed_in_all),
        ),
    ]
    return [sentence for number, sentence in numbers if number]


def _key(quarter: Quarter, address: str) -> str:
    return f"quarter-{quarter.name}-{hashlib.sha256(address.encode()).hexdigest()[:32]}"
