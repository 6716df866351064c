"""What mails about getting in say: each is written when it is sent, as things are then."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.accounts import queries as accounts
from portal.credentials import links
from portal.credentials.models import MailedLink, Purpose
from portal.credentials.service import owner_of
from portal.db import db
from portal.notifications.links import absolute_url
from portal.notifications.mails.letter import Letter, Suppressed
from portal.notifications.models import Mail
from portal.options import option

PROOF_LETTER = "proof"
TOO_LATE = Suppressed("link no longer works")


def sign_up_letter(mail: Mail) -> Letter | Suppressed:
    """Lead somebody to the account they asked for; who has one is told so, and led in."""
    link = _link_of(mail)
    if link is None:
        return TOO_LATE
    if link.purpose is Purpose.SIGN_IN:
        return _you_have_an_account(link)
    return Letter(
        subject=_("Open your account"),
        lead=_("Is this address yours?"),
        title=_("Open your account at %(portal)s", portal=option("name")),
        sentences=[
            _("Press the button, and the account is open. The link works for 24 hours, once."),
            _("If you did not ask for an account, ignore this mail: nothing happens, and nothing else will come."),
        ],
        button=_("Open my account"),
        url=absolute_url("credentials.confirm_sign_up", token=links.token_of(link)),
        code=_code_of(link),
        foot=_("You get this because somebody gave this address when opening an account."),
    )


def sign_in_letter(mail: Mail) -> Letter | Suppressed:
    """Let somebody in without a password."""
    link = _link_of(mail)
    if link is None:
        return TOO_LATE
    if owner_of(link) is None:
        return Suppressed("no account that may be used")
    return Letter(
        subject=_("Your sign-in link"),
        lead=_("You asked for a link that signs you in."),
        title=_("Sign in to %(portal)s", portal=option("name")),
        sentences=[
            _("The link works for 15 minutes, once."),
            _("If you did not ask for it, ignore this mail. Without this link nobody gets in."),
        ],
        button=_("Sign in"),
        url=absolute_url("credentials.sign_in_by_link", token=links.token_of(link)),
        code=_code_of(link),
        foot=_("You get this because somebody asked for a link to your account."),
    )


def new_password_letter(mail: Mail) -> Letter | Suppressed:
    """Let somebody choose another password."""
    link = _link_of(mail)
    if link is None:
        return TOO_LATE
    if owner_of(link) is None:
        return Suppressed("no account that may be used")
    return Letter(
        subject=_("Choose a new password"),
        lead=_("You asked to choose a new password."),
        title=_("Choose a new password for %(portal)s", portal=option("name")),
        sentences=[
            _("The link works for 60 minutes, once. Your present password keeps working until you have chosen."),
            _("If you did not ask for it, ignore this mail. Nothing changes."),
        ],
        button=_("Choose a password"),
        url=absolute_url("credentials.choose_password", token=links.token_of(link)),
        foot=_("You get this because somebody asked for a new password for your account."),
    )


def password_changed_letter(mail: Mail) -> Letter | Suppressed:
    """Tell the owner of an account that its password is another one now."""
    if mail.user is None or not mail.user.is_active:
        return Suppressed("account suspended")
    return Letter(
        subject=_("Your password was changed"),
        lead=_("Was that you, %(name)s?", name=mail.user.name),
        title=_("Your password was changed"),
        sentences=[
            _("If it was you, there is nothing to do. You are signed out in all other browsers."),
            _("If it was not you, choose a new password at once: the button leads there, and whoever did it is out."),
        ],
        button=_("It was not me: choose a new password"),
        url=absolute_url("credentials.forgot"),
        foot=_("You get this whatever mails you want, because it concerns your account."),
    )


def new_address_letter(mail: Mail) -> Letter | Suppressed:
    """Ask the new address of an account whether it is its owner's; one that has an account is told so."""
    link = _link_of(mail)
    if link is None or link.user is None or not link.user.is_active:
        return TOO_LATE
    if accounts.find_by_email(link.email):
        return Letter(
            subject=_("This address has an account"),
            lead=_("Somebody wanted to use this address for another account."),
            title=_("This address has an account already"),
            sentences=[_("Nothing was changed. If that was you: sign in to the account that has this address.")],
            button=_("Sign in"),
            url=absolute_url("accounts.sign_in"),
            foot=_("You get this because somebody gave this address for another account."),
        )
    return Letter(
        subject=_("Confirm your new address"),
        lead=_("Is this address yours, %(name)s?", name=link.user.name),
        title=_("Use this address for your account"),
        sentences=[
            _("Your present address must agree too; there is a second mail for that. Until then nothing changes."),
            _("The link works for 24 hours. If you did not ask for this, ignore this mail."),
        ],
        button=_("Use this address"),
        url=absolute_url("credentials.agree_to_address", token=links.token_of(link)),
        foot=_("You get this because somebody gave this address for an account."),
    )


def agree_letter(mail: Mail) -> Letter | Suppressed:
    """Ask the present address of an account whether another one may take its place."""
    link = _link_of(mail)
    if link is None or owner_of(link) is None:
        return TOO_LATE
    return Letter(
        subject=_("Agree to a new address"),
        lead=_("You asked to change the address of your account."),
        title=_("Use %(address)s from now on", address=link.data["to"]),
        sentences=[
            _("Agree here, and confirm by the mail to the new address. Until you did both, nothing changes."),
            _("If you did not ask for this, do not agree, and choose a new password: somebody else is signed in."),
        ],
        button=_("Look at the change"),
        url=absolute_url("credentials.agree_to_address", token=links.token_of(link)),
        foot=_("You get this because your account has this address."),
    )


def address_changed_letter(mail: Mail) -> Letter | Suppressed:
    """Tell both addresses that the account has moved from one to the other."""
    if mail.user is None or not mail.user.is_active:
        return Suppressed("account suspended")
    here = mail.user.email == mail.to
    return Letter(
        subject=_("Your address was changed"),
        lead=_("Your account has another address now, %(name)s.", name=mail.user.name),
        title=_("Your address was changed"),
        sentences=[
            _("This is the address you sign in with from now on, and where mail reaches you.")
            if here
            else _("This address opens the account no more, and gets no more mail from us."),
            _("If this was not you, write to whoever runs this portal."),
        ],
        button=_("Go to your account") if here else _("See the portal"),
        url=absolute_url("accounts.show" if here else "ideas.index"),
        foot=_("You get this whatever mails you want, because it concerns your account."),
    )


def _you_have_an_account(link: MailedLink) -> Letter | Suppressed:
    user = owner_of(link)
    if user is None:
        return Suppressed("no account that may be used")
    return Letter(
        subject=_("You have an account"),
        lead=_("Somebody wanted to open an account with this address."),
        title=_("You have an account already"),
        sentences=[
            _(
                "Its name is %(name)s. If it was you, sign in by this link. It works for 15 minutes, once.",
                name=user.name,
            ),
            _("If it was not you, ignore this mail. Nothing was changed."),
        ],
        button=_("Sign in"),
        url=absolute_url("credentials.sign_in_by_link", token=links.token_of(link)),
        code=_code_of(link),
        foot=_("You get this because somebody gave this address when opening an account."),
    )


def proof_letter(mail: Mail) -> Letter | Suppressed:
    """Bring the code by which somebody without a password proves once more who they are."""
    link = _link_of(mail)
    if link is None or not links.has_code(link):
        return TOO_LATE
    return Letter(
        subject=_("Your code"),
        lead=_("You are about to change something important."),
        title=_("Prove that it is you"),
        sentences=[
            _("Type the code in the browser in which you asked for it. It works for ten minutes, once."),
            _("If you did not ask for it, somebody else is signed in as you: sign out everywhere from your account."),
        ],
        button=_("Open your account"),
        url=absolute_url("accounts.security"),
        code=_code_of(link),
        code_alone=True,
        foot=_("You get this because somebody who is signed in to your account asked for a code."),
    )


def _code_of(link: MailedLink) -> str:
    return links.code_of(link) if links.has_code(link) else ""


def _link_of(mail: Mail) -> MailedLink | None:
    link = db.session.get(MailedLink, mail.data.get("link", 0))
    return link if link and links.is_good(link) else None
