"""What the mails about proposed workflows say."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db
from portal.notifications import links
from portal.notifications.deciding import decided_for
from portal.notifications.mails.letter import Letter, Suppressed
from portal.notifications.models import Mail
from portal.notifications.policy import Kind, Reason, Way
from portal.workflows.models import State, WorkflowVersion
from portal.workflows.policy import may_decide, may_propose

PROPOSED_LETTER, SETTLED_LETTER = "workflow_proposed", "workflow_settled"


def proposed_letter(mail: Mail) -> Letter | Suppressed:
    """Ask whoever may decide now to look at a proposal that still waits."""
    user, version = _read(mail, Kind.WORKFLOW_PROPOSED, Reason.MEMBER)
    if isinstance(user, Suppressed):
        return user
    if version is None or not may_decide(user):
        return Suppressed("no longer visible")
    if version.state is not State.PROPOSED:
        return Suppressed("nothing waits")
    title = _("Another workflow was proposed")
    who = version.author.shown_name if version.author else _("Former member")
    return Letter(
        subject=title,
        lead=_("%(name)s proposes it, and says why:", name=who),
        title=title,
        sentences=[version.reason],
        button=_("See what would change"),
        url=links.absolute_url("workflows.proposal", version_id=version.id),
        foot=_("You get this because you decide on the workflow."),
        settings_url=links.absolute_url("notifications.preferences"),
    )


def settled_letter(mail: Mail) -> Letter | Suppressed:
    """Tell whoever proposed a workflow what became of it."""
    user, version = _read(mail, Kind.WORKFLOW_SETTLED, Reason.PROPOSER)
    if isinstance(user, Suppressed):
        return user
    if version is None or not may_propose(user):
        return Suppressed("no longer visible")
    holds, said = version.state is State.HELD, str(mail.data.get("said") or "")
    title = _("Your workflow holds now") if holds else _("Your workflow was not accepted")
    return Letter(
        subject=title,
        lead=_("An admin decided about what you proposed."),
        title=title,
        sentences=[_("An admin says: %(words)s", words=said)] if said else [],
        button=_("See the workflow") if holds else _("See what you proposed"),
        url=links.absolute_url("workflows.index")
        if holds
        else links.absolute_url("workflows.proposal", version_id=version.id),
        foot=_("You get this because you proposed it."),
        settings_url=links.absolute_url("notifications.preferences"),
    )


def _read(mail: Mail, kind: Kind, reason: Reason) -> tuple[User | Suppressed, WorkflowVersion | None]:
    user = mail.user
    if user is None or not user.is_active or not user.can_get_mail:
        return Suppressed("wants no mail"), None
    told = decided_for(kind, user.id, reason, None)
    if told is None or told.way != Way.MAIL:
        return Suppressed("chosen otherwise meanwhile"), None
    return user, db.session.get(WorkflowVersion, mail.data["version_id"])
