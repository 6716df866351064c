"""What mails are about, and why some were not sent or came back, as those read it who run the portal."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from portal.notifications.mails.sending import Ending

SUPPRESSED: dict[str, Any] = {
    "account closed": _l("the account is closed"),
    "account gone": _l("the account is gone"),
    "account suspended": _l("the account is suspended"),
    "address confirmed": _l("the address was confirmed meanwhile"),
    "address not confirmed": _l("the address is not confirmed"),
    "agreed already": _l("they agreed to the rules already"),
    "chosen otherwise meanwhile": _l("they chose another way meanwhile"),
    "came back, or is gone": _l("they came back, or are gone"),
    "browser is gone": _l("the browser is gone"),
    "browser removed": _l("they removed the browser"),
    "changed back": _l("it was changed back in time"),
    "daily ceiling": _l("they had as many mails that day as they get at most, and no digest is wanted"),
    "digest not wanted": _l("they want no digest"),
    "idea muted": _l("they want no more of this idea"),
    "invitation over": _l("the invitation is over"),
    "kept for the digest": _l("they had as many mails that day as they get at most; it is in the digest"),
    "kept search stopped": _l("they want no mails of that kept search any more"),
    "kept meanwhile, or not theirs": _l("the promise was kept meanwhile, or is no longer theirs"),
    "link no longer works": _l("its link no longer works"),
    "mail stopped": _l("mails to the address came back"),
    "mails not wanted": _l("they want no mails"),
    "merge taken back": _l("the merge was taken back"),
    "no keys": _l("the keys of the portal cannot be read"),
    "no account that may be used": _l("there is no account that may be used"),
    "no longer a moderator": _l("they are no longer a moderator"),
    "no longer follows": _l("they no longer follow it"),
    "no longer on the team": _l("they are no longer on the team"),
    "no longer visible": _l("they may not see it any more"),
    "no longer worth telling": _l("it is no longer worth telling"),
    "no mail server configured": _l("no mail server is configured"),
    "no such address": _l("there is no such address"),
    "nobody waits": _l("nobody waits any more"),
    "not wanted": _l("they want it no more"),
    "nothing new to tell": _l("there was nothing new to tell"),
    "nothing waits": _l("nothing waits any more"),
    "nothing to tell": _l("there was nothing to tell"),
    "paused": _l("they asked for a pause"),
    "read already": _l("they had read it already"),
    "role changed since": _l("the role changed again"),
    "taken back": _l("it was taken back in time"),
    "the file is gone": _l("the file is gone"),
    "test not ended": _l("the test did not come to an end"),
    "test not taken": _l("the mail server did not take the test"),
    "too late": _l("it was too late to tell at once"),
    "told with what came next": _l("it was told with what came next"),
    "wants no mail": _l("they want no mails"),
}
"""Why a mail was not sent, in the words of the row, as people read it."""

CAME_BACK: dict[str, Any] = {
    "hard": _l("there is nobody at this address"),
    "soft": _l("not taken for now"),
    "complaint": _l("it was called spam"),
}
"""What became of a mail that was sent, as far as anybody told us."""

WHAT: dict[str, Any] = {
    "received": _l("Idea received"),
    "published": _l("Idea published"),
    "hidden": _l("Idea hidden"),
    "decided": _l("Decision"),
    "progressed": _l("Progress"),
    "needs_info": _l("Question"),
    "question_reminder": _l("Reminder of a question"),
    "answered": _l("Official answer"),
    "commented": _l("Comment"),
    "replied": _l("Reply"),
    "mentioned": _l("Called by name"),
    "voted": _l("Votes"),
    "merged": _l("Merge"),
    "merge_undone": _l("Merge taken back"),
    "move_undone": _l("Move taken back"),
    "merge_objected": _l("Objection to a merge"),
    "assigned": _l("Assignment"),
    "promise_late": _l("Late promise"),
    "proposal_settled": _l("Proposed duplicate"),
    "credited": _l("Question about credit"),
    "verdict_asked": _l("Question whether it helped"),
    "matched": _l("Kept search"),
    "spoken_for": _l("Vote on behalf"),
    "question_settled": _l("Question settled"),
    "noted": _l("Note of the team"),
    "review_asked": _l("Review asked for"),
    "reviewed": _l("Review"),
    "held_back": _l("Draft held back"),
    "rules_changed": _l("Changed rules"),
    "role_changed": _l("Changed role"),
    "mail_stuck": _l("No mail goes out"),
    "mail_flows": _l("Mail goes out again"),
    "workflow_proposed": _l("Proposed workflow"),
    "workflow_settled": _l("Decision on a proposed workflow"),
    "confirm": _l("Confirming an address"),
    "mail_test": _l("Test of the mail"),
    "test": _l("Test of a browser"),
    "reply_by_mail": _l("Answer to a reply by mail"),
    "digest": _l("Digest"),
    "bulk": _l("Act on many ideas"),
    "bulk_undone": _l("Act on many ideas taken back"),
    "invitation": _l("Invitation"),
    "invitation_sample": _l("Invitation, a sample"),
    "approved": _l("Let in"),
    "declined": _l("Not let in"),
    "suspended": _l("Account suspended"),
    "lifted": _l("Suspension lifted"),
    "role": _l("Changed role"),
    "waiting": _l("Somebody asks to join"),
    "rules": _l("Changed rules"),
    "second_factor": _l("Changed second factor"),
    "sign_up": _l("Opening an account"),
    "sign_in_link": _l("Link to sign in"),
    "new_password": _l("Link to a new password"),
    "password_changed": _l("Password changed"),
    "new_address": _l("New address"),
    "agree_to_address": _l("Agreeing to a new address"),
    "address_changed": _l("Address changed"),
    "proof": _l("Code to prove oneself"),
    "new_browser": _l("Sign-in from a new browser"),
    "sso_linked": _l("Sign-on linked"),
    "sso_unlinked": _l("Sign-on taken off"),
    "sso_address": _l("Address from a sign-on provider"),
    "late_promises": _l("Late promises of the team"),
    "triage_note": _l("What waits for the team"),
    "saved_searches": _l("Kept searches"),
    "quarter": _l("The quarter"),
    "leaving": _l("Leaving"),
    "export_ready": _l("Export of one's data"),
}
"""What a mail is about, by its kind."""

ENDINGS: dict[str, Any] = {
    Ending.LATER: _l("The server said: not now"),
    Ending.REFUSED: _l("The server refused it"),
    Ending.UNKNOWN: _l("No answer came; it may have arrived"),
    Ending.UNWRITTEN: _l("It could not be written"),
}


def what(kind: str) -> str:
    """Return what mails of a kind are about."""
    return str(WHAT.get(kind, kind))


def why_suppressed(key: str) -> str:
    """Return why a mail was not sent, as people read it."""
    return str(SUPPRESSED.get(key, key))
