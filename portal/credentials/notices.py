"""What mails about second factors say: one for each change, so that nobody loses an account unawares."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from portal.notifications.links import absolute_url
from portal.notifications.mails.letter import Letter, Suppressed
from portal.notifications.models import Mail
from portal.options import option

CHANGES = {
    "passkey_added": (_l("A passkey was added"), _l("It can sign in to your account.")),
    "passkey_removed": (_l("A passkey was removed"), _l("It opens your account no longer.")),
    "app_added": (_l("An app with codes was set up"), _l("Signing in asks for one of its codes from now on.")),
    "app_changed": (_l("Another app with codes was set up"), _l("The codes of the one before count no longer.")),
    "app_removed": (_l("The app with codes was removed"), _l("Its codes count no longer.")),
    "codes_made": (_l("New recovery codes were made"), _l("The ones before are void.")),
    "code_used": (_l("A recovery code was used"), _l("Somebody signed in with it instead of the second step.")),
    "all_removed": (
        _l("Your second step was removed"),
        _l(
            "Somebody who looks after the portal took all passkeys, apps and recovery codes from your account, "
            "and signed it out everywhere."
        ),
    ),
}


def second_factor_letter(mail: Mail) -> Letter | Suppressed:
    """Tell the owner of an account what changed about its second step."""
    user, what = mail.user, mail.data.get("what")
    if user is None or user.erased_at is not None or what not in CHANGES:
        return Suppressed("account closed")
    title, meaning = CHANGES[what]
    sentences = [str(meaning)]
    if what == "code_used":
        left = int(mail.data.get("left", 0))
        sentences.append(ngettext("%(num)d code is left.", "%(num)d codes are left.", left))
    if what == "all_removed":
        sentences.append(_("If you did not ask for this, write to the people who look after the portal."))
    else:
        sentences.append(_("If this was not you, sign in now, remove what you do not know, and change your password."))
    return Letter(
        subject=_("%(what)s: %(portal)s", what=title, portal=option("name")),
        lead=_("Hello %(name)s, something changed about how you sign in.", name=user.name),
        title=str(title),
        sentences=sentences,
        button=_("See your second step"),
        url=absolute_url("credentials.two_step"),
        foot=_("You get this with every such change; it cannot be switched off."),
    )
