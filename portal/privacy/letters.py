"""Letters to people who leave, and to those whose data lies ready."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.credentials import links
from portal.credentials.models import MailedLink
from portal.db import db, utcnow
from portal.notifications.links import absolute_url
from portal.notifications.mails.letter import Letter, Suppressed
from portal.notifications.models import Mail
from portal.options import option
from portal.privacy.models import Export
from portal.web.dates import absolute, day


def leaving_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody who leaves what was done, and how to undo it."""
    user = mail.user
    link = db.session.get(MailedLink, mail.data.get("link", 0))
    if user is None or not user.is_leaving or link is None or not links.is_good(link):
        return Suppressed("came back, or is gone")
    return Letter(
        subject=_("You are leaving %(portal)s", portal=option("name")),
        lead=_("Your account is closed, %(name)s.", name=user.kept_name),
        title=_("You are leaving %(portal)s", portal=option("name")),
        sentences=[
            _("You are signed out everywhere, and others see “Former member” where your name was."),
            _("On %(date)s all that is personal is erased for good.", date=day(user.leaves_at)),
            _("Until then you can come back: by this link, or by signing in. Everything will be as it was."),
            _("If it was not you who asked for this, come back by the link and change your password."),
        ],
        button=_("Stay after all"),
        url=absolute_url("privacy.come_back", token=links.token_of(link)),
        foot=_("You get this because the account with this address is about to be erased. No other mail will come."),
    )


def export_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody that their data lies ready."""
    export = db.session.get(Export, mail.data.get("export", 0))
    if export is None or export.file is None or export.expires_at is None or export.expires_at <= utcnow():
        return Suppressed("the file is gone")
    return Letter(
        subject=_("Your data is ready"),
        lead=_("What you asked for lies ready."),
        title=_("Your data is ready"),
        sentences=[
            _("It holds everything this portal has about you. Sign in to fetch it."),
            _("It is kept until %(date)s, and then deleted.", date=absolute(export.expires_at)),
            _("If it was not you who asked for it, sign out everywhere else and change your password."),
        ],
        button=_("Fetch your data"),
        url=absolute_url("privacy.data"),
        foot=_("You get this because somebody who was signed in to your account asked for its data."),
    )
