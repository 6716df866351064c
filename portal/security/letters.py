"""What mails about the safety of an account say."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.accounts import browsers
from portal.credentials import links
from portal.credentials.models import MailedLink
from portal.db import db
from portal.notifications.links import absolute_url
from portal.notifications.mails.letter import Letter, Suppressed
from portal.notifications.models import Mail
from portal.options import option
from portal.security.models import SecurityEntry
from portal.web.dates import absolute


def new_browser_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody that their account was entered from a browser it did not know."""
    entry = db.session.get(SecurityEntry, mail.data["entry"])
    link = db.session.get(MailedLink, mail.data["link"])
    if entry is None or link is None or not links.is_good(link):
        return Suppressed("no longer worth telling")
    return Letter(
        subject=_("New sign-in to your account"),
        lead=_("Somebody signed in to your account from a browser in which you were not signed in before."),
        title=_("Was this you?"),
        sentences=[
            _("Browser: %(browser)s.", browser=browsers.in_words(entry.browser)),
            _("Network address: %(address)s.", address=entry.address or _("not known")),
            _("Time: %(moment)s.", moment=absolute(entry.at)),
            _("If it was you, there is nothing to do."),
            _("If it was not you, press the button: every browser is signed out, and you choose a new password."),
        ],
        button=_("This was not me"),
        url=absolute_url("security.not_me", token=links.token_of(link)),
        foot=_("You get this because it is about the safety of your account at %(portal)s.", portal=option("name")),
    )
