"""What mails about linked sign-ins say."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.credentials import links
from portal.credentials.models import MailedLink
from portal.db import db
from portal.notifications.links import absolute_url
from portal.notifications.mails.letter import Letter, Suppressed
from portal.notifications.models import Mail
from portal.options import option
from portal.sso.models import Provider


def linked_letter(mail: Mail) -> Letter | Suppressed:
    """Tell the owner of an account that there is one more way into it."""
    name = _provider_name(mail)
    return _notice(
        mail,
        subject=_("A sign-in was linked to your account"),
        lead=_("You can sign in with %(name)s from now on.", name=name),
    )


def unlinked_letter(mail: Mail) -> Letter | Suppressed:
    """Tell the owner of an account that a way into it is gone."""
    name = _provider_name(mail)
    return _notice(
        mail,
        subject=_("A sign-in was unlinked from your account"),
        lead=_("You can no longer sign in with %(name)s.", name=name),
    )


def address_letter(mail: Mail) -> Letter | Suppressed:
    """Ask an address that a provider did not confirm whether it is theirs; one with an account is told so."""
    link = db.session.get(MailedLink, mail.data["link"])
    if link is None or not links.is_good(link):
        return Suppressed("link no longer works")
    name = _provider_name(mail)
    if accounts.find_by_email(link.email):
        return Letter(
            subject=_("You have an account already"),
            lead=_("Somebody signed in with %(name)s and gave this address.", name=name),
            title=_("This address has an account at %(portal)s", portal=option("name")),
            sentences=[
                _("If that was you, sign in to your account in one of the ways you know."),
                _("If it was not you, ignore this mail: nothing happened to your account."),
            ],
            button=_("Sign in"),
            url=absolute_url("accounts.sign_in"),
            foot=_("You get this because somebody gave this address when opening an account."),
        )
    return Letter(
        subject=_("Confirm your address"),
        lead=_("Is this address yours?"),
        title=_("Open your account at %(portal)s", portal=option("name")),
        sentences=[
            _("You signed in with %(name)s, which does not say that the address is yours.", name=name),
            _("Open the link in the same browser, and the account is open. It works for 24 hours, once."),
            _("If that was not you, ignore this mail: nothing happens, and nothing else will come."),
        ],
        button=_("Open my account"),
        url=absolute_url("sso.confirm", token=links.token_of(link)),
        foot=_("You get this because somebody gave this address when opening an account."),
    )


def _notice(mail: Mail, *, subject: str, lead: str) -> Letter | Suppressed:
    if mail.user is None or not mail.user.is_active:
        return Suppressed("account suspended")
    return Letter(
        subject=subject,
        lead=lead,
        title=subject,
        sentences=[
            _("If it was you, there is nothing to do."),
            _("If it was not you, look at your account now, sign out everywhere else and change your password."),
        ],
        button=_("Look at my account"),
        url=absolute_url("accounts.show"),
        foot=_("You get this whatever mails you want, because it concerns your account."),
    )


def _provider_name(mail: Mail) -> str:
    provider = db.session.get(Provider, mail.data["provider"])
    return provider.name if provider else str(_("another service"))
