"""Acts of security in words, as their owners and admins read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts import browsers
from portal.security.models import SecurityEntry

WORDS: dict[str, Any] = {
    "account.opened": _l("Account opened"),
    "address.change_asked": _l("Another mail address asked for"),
    "address.changed": _l("Mail address changed"),
    "address.revealed": _l("Mail address shown to the team"),
    "board.made": _l("Board made"),
    "board.opened_to": _l("Readers of a board changed"),
    "board.removed": _l("Board removed"),
    "erased": _l("Account erased"),
    "erasure.asked": _l("Erasing the account asked for"),
    "erasure.undone": _l("Erasing the account called off"),
    "export.asked": _l("Copy of all data asked for"),
    "export.fetched": _l("Copy of all data fetched"),
    "factor.all_removed": _l("Second steps taken away"),
    "factor.app_added": _l("App for codes added"),
    "factor.app_changed": _l("App for codes changed"),
    "factor.app_removed": _l("App for codes removed"),
    "factor.code_used": _l("Recovery code used"),
    "factor.codes_made": _l("Recovery codes made"),
    "factor.passkey_added": _l("Passkey added"),
    "factor.passkey_removed": _l("Passkey removed"),
    "identity.linked": _l("Other sign-in linked"),
    "identity.unlinked": _l("Other sign-in unlinked"),
    "invitation.accepted": _l("Invitation accepted"),
    "invitation.sent": _l("Invitation sent"),
    "invitation.withdrawn": _l("Invitation withdrawn"),
    "limited": _l("Stopped by a limit"),
    "mail.asked": _l("Mail with a link asked for"),
    "mail.forged": _l("Reply by mail refused: its sender was not proven"),
    "mail.stopped": _l("Mail stopped: the address sends it back, or calls it spam"),
    "membership.approved": _l("Membership approved"),
    "portal.named": _l("Name or question of the portal changed"),
    "membership.decided": _l("Who may join or read was decided"),
    "membership.declined": _l("Membership declined"),
    "passkey.went_back": _l("A passkey seems to have been copied"),
    "password.changed": _l("Password changed"),
    "portal.set_up": _l("Portal set up"),
    "privacy.published": _l("Privacy notice published"),
    "proof.failed": _l("Wrong proof before a dangerous act"),
    "proved": _l("Proved again who they are"),
    "provider.added": _l("Other service to sign in with added"),
    "provider.changed": _l("Other service to sign in with changed"),
    "provider.key_made": _l("Key for a hand-over made"),
    "provider.key_removed": _l("Key for a hand-over removed"),
    "provider.removed": _l("Other service to sign in with removed"),
    "role.changed": _l("Role changed"),
    "rules.published": _l("Community rules published"),
    "second_factor.decided": _l("Who needs a second step was decided"),
    "workflow.changed": _l("Statuses or moves changed"),
    "team.changed": _l("Team made, renamed or taken away"),
    "second_step.failed": _l("Wrong second step"),
    "session.ended": _l("A browser signed out from afar"),
    "sessions.ended": _l("Browsers signed out from afar"),
    "organisation.changed": _l("Organisation made, changed or taken away"),
    "score.formula_changed": _l("Formula of scores changed"),
    "segment.changed": _l("Segment made, changed or taken away"),
    "sign_in": _l("Signed in"),
    "sign_in.disowned": _l("“This was not me”: everybody signed out"),
    "sign_in.failed": _l("Sign-in failed"),
    "sign_in.hand_over_refused": _l("Hand-over from another product refused"),
    "sign_in.sso_failed": _l("Sign-in by another service failed"),
    "sign_out": _l("Signed out"),
    "suspended": _l("Suspended"),
    "vote.given_for": _l("Vote given for somebody"),
    "vote.given_for_taken_back": _l("Vote given for somebody taken back"),
    "votes.given_back": _l("Votes given back"),
    "votes.set_aside": _l("Votes set aside"),
    "suspension.lifted": _l("Suspension lifted"),
}


WAYS: dict[str, Any] = {
    "password": _l("by password"),
    "link": _l("by a mailed link or code"),
    "passkey": _l("by passkey"),
    "app": _l("by a code of an app"),
    "recovery": _l("by a recovery code"),
    "handover": _l("from another product"),
}
IN_OTHER_WORDS = frozenset({"way", "second", "known"})


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the log as it is shown."""

    entry: SecurityEntry
    what: str
    where: str
    details: str = ""
    by: str = ""  # who did it to one's own account, if not oneself


def in_words(entry: SecurityEntry) -> str:
    """Return what happened, as people say it; an act that has no words yet is called by its name."""
    what = str(WORDS.get(entry.kind, entry.kind))
    if "way" not in entry.data:
        return what
    way = str(entry.data["way"])
    how = str(_("by another service") if way.startswith("sso:") else WAYS.get(way, ""))
    return " ".join(filter(None, (what, how, str(_("and a second step")) if entry.data.get("second") else "")))


def place(entry: SecurityEntry) -> str:
    """Return from where it happened: the browser and the network address, as far as they are still kept."""
    browser = browsers.in_words(entry.browser) if entry.browser else ""
    return " · ".join(part for part in (browser, entry.address) if part)


def own_acts(rows: list[SecurityEntry]) -> list[Act]:
    """Show entries to the person they are about; what the team did without saying who, or from where."""
    return [
        Act(row, in_words(row), place(row))
        if row.actor_id in {None, row.user_id}
        else Act(row, in_words(row), "", by=_("the team"))
        for row in rows
    ]
