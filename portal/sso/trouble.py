"""Why signing in by another service's word did not work: a word for the log, sentences for people and for admins."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from portal.errors import Refusal

SETTING_UP = frozenset({"not_found", "not_json", "other_issuer", "incomplete", "algorithms", "client", "outgoing"})
"""What only admins can put right."""


class SignOnFailed(Refusal):
    """Nobody was signed in; ``why`` says it in one word, ``detail`` what an admin needs to know beside that."""

    status = 502

    def __init__(self, why: str, name: str, **detail: Any) -> None:
        super().__init__(_for_people(why, name))
        self.why, self.name, self.detail = why, name, detail
        self.status = {"refused": 403, "gone": 422, "closed": 403, "suspended": 403}.get(why, 502)

    @property
    def for_admins(self) -> str:
        """What is wrong, for whoever can put it right."""
        return _for_admins(self.why, self.detail) or self.message


def _for_people(why: str, name: str) -> str:
    if why in SETTING_UP:
        return str(_("Signing in with %(name)s is not set up rightly. Its admins can see why.", name=name))
    match why:
        case "refused":
            return str(_("%(name)s said no: you were not signed in there, or you pressed Cancel.", name=name))
        case "gone":
            return str(_("This sign-in was begun too long ago, in another browser, or was used already. Begin again."))
        case "clock":
            return str(_("The clock of %(name)s and ours differ too much, so nobody can be signed in.", name=name))
        case "no_answer":
            return str(_("%(name)s does not answer at the moment. Try again in a few minutes.", name=name))
        case "not_again":
            words = _("%(name)s did not have you sign in again, so this proves nothing. Use another way.", name=name)
            return str(words)
        case "closed":
            return str(_("Signing in with %(name)s is switched off.", name=name))
        case "suspended":
            return str(_("This account cannot be used at present."))
    return str(_("What %(name)s told us could not be verified, so nobody was signed in. Begin again.", name=name))


def _for_admins(why: str, detail: dict[str, Any]) -> str:
    host, url = detail.get("host", ""), detail.get("url", "")
    match why:
        case "no_answer":
            return _no_answer(str(detail.get("reason", "")), str(host))
        case "outgoing":
            return _not_asked(str(detail.get("reason", "")), str(host))
        case "not_found":
            status = detail.get("status", "")
            return str(_("%(url)s answers %(status)s. Is the issuer right?", url=url, status=status))
        case "not_json":
            return str(_("%(url)s is not a discovery document. Is the issuer right?", url=url))
        case "other_issuer":
            found = detail.get("found", "")
            return str(_("Its discovery document names another issuer: %(found)s. Enter exactly that.", found=found))
        case "incomplete":
            return str(_("Its discovery document lacks %(what)s.", what=detail.get("what", "")))
        case "algorithms":
            return str(_("It signs with none of %(list)s.", list=detail.get("list", "")))
        case "client":
            error = detail.get("error", "")
            return str(_("It refused the client id or the secret (%(error)s). Enter both again.", error=error))
        case "clock":
            return str(_("Its clock and ours differ too much. Set both by a time server."))
    return ""


def _no_answer(reason: str, host: str) -> str:
    match reason:
        case "unknown host":
            return str(_("There is no server called %(host)s.", host=host))
        case "certificate":
            return str(
                _("The certificate of %(host)s cannot be trusted: it is too old, or for another name.", host=host)
            )
        case "too slow":
            return str(_("%(host)s takes longer than ten seconds to answer.", host=host))
    return str(_("%(host)s cannot be reached.", host=host))


def _not_asked(reason: str, host: str) -> str:
    match reason:
        case "scheme":
            return str(_("%(host)s would be asked without TLS. Use an address that begins with https:.", host=host))
        case "address":
            return str(
                _(
                    "%(host)s stands in an inner net. If that is right, the operator of this portal can allow it by "
                    "the setting PORTAL_OUTGOING_ALLOW.",
                    host=host,
                )
            )
        case "redirect":
            return str(_("%(host)s leads on to another address. Enter the one where it ends.", host=host))
        case "too long":
            return str(_("%(host)s answers with more than 64 KiB.", host=host))
    return str(_("%(host)s gives an answer that cannot be read.", host=host))
