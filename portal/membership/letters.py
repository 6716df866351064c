"""What mails about membership say."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts import queries as accounts
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.db import db
from portal.events import EventRecord
from portal.membership import invitations, queries
from portal.membership.models import Invitation
from portal.notifications import links
from portal.notifications.mails.letter import Letter, Quote, Suppressed, paragraphs
from portal.notifications.models import Mail
from portal.options import option
from portal.web.dates import day


def invitation_letter(mail: Mail) -> Letter | Suppressed:
    """Invite somebody; whoever has an account already is told so, here and nowhere else."""
    invitation = db.session.get(Invitation, mail.data["invitation"])
    if invitation is None or queries.state_of(invitation) is not queries.State.OPEN:
        return Suppressed("invitation over")
    url = links.absolute_url("membership.accept", token=invitations.token_of(invitation))
    letter = _invitation(_name(invitation.invited_by), invitation.role, invitation.board, invitation.note, url)
    known = invitations.has_account(invitation)
    if known is None:
        return letter
    return Letter(
        subject=letter.subject,
        lead=letter.lead,
        title=letter.title,
        quotes=letter.quotes,
        sentences=[
            _("You have an account here already, with this address: sign in to go on."),
            _("If you did not expect this, ignore this mail."),
        ],
        button=_("Sign in"),
        url=url if invitation.board_id else links.absolute_url("accounts.sign_in"),
        foot=letter.foot,
    )


def sample_letter(mail: Mail) -> Letter | Suppressed:
    """Show whoever invites what the others will read; its button leads to the page it was sent from."""
    if mail.user is None:
        return Suppressed("account gone")
    board = db.session.get(Board, mail.data["board"]) if mail.data["board"] else None
    letter = _invitation(
        _name(mail.user),
        Role(mail.data["role"]),
        board,
        mail.data["note"],
        links.absolute_url("membership.invitations"),
    )
    return Letter(
        subject=_("Sample: %(subject)s", subject=letter.subject),
        lead=letter.lead,
        title=letter.title,
        quotes=letter.quotes,
        sentences=[
            *letter.sentences,
            _("This is the sample you asked for. Its button leads back to your page."),
        ],
        button=letter.button,
        url=letter.url,
        foot=letter.foot,
    )


def approved_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody who waited that they are in."""
    if mail.user is None or not mail.user.is_approved:
        return Suppressed("account gone")
    return Letter(
        subject=_("You are in"),
        lead=_("Welcome to %(portal)s, %(name)s.", portal=option("name"), name=mail.user.name),
        title=_("Your account is open"),
        quotes=_said(mail),
        sentences=[_("A moderator has looked at your account. You can suggest, vote and comment now.")],
        button=_("See the ideas"),
        url=links.absolute_url("ideas.index"),
        foot=_("You get this because you opened an account with us."),
    )


def declined_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody who waited that the answer is no."""
    return Letter(
        subject=_("About your account"),
        lead=_("You asked to become a member of %(portal)s.", portal=option("name")),
        title=_("We cannot take you as a member"),
        quotes=_said(mail),
        sentences=[_("Your account and all that we kept in it are removed.")],
        button=_("Visit the portal"),
        url=links.absolute_url("ideas.index"),
        foot=_("You get this because you opened an account with us. Nothing else will come."),
    )


def waiting_letter(mail: Mail) -> Letter | Suppressed:
    """Tell a moderator that somebody waits; at most once a day."""
    if mail.user is None or not mail.user.is_moderator or not mail.user.is_active:
        return Suppressed("no longer a moderator")
    number = queries.count_people("waiting")
    if not number:
        return Suppressed("nobody waits")
    return Letter(
        subject=ngettext("%(num)d person asks to join", "%(num)d people ask to join", number),
        lead=_("Somebody would like to become a member of %(portal)s.", portal=option("name")),
        title=ngettext("%(num)d person waits", "%(num)d people wait", number),
        sentences=[_("They can read what visitors read, and wait for a moderator to let them in.")],
        button=_("See who waits"),
        url=links.absolute_url("membership.people", state="waiting"),
        foot=_("You get this at most once a day because you are a moderator."),
    )


def suspended_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody that the account is shut, why, and until when."""
    record = _record(mail)
    if mail.user is None or record is None:
        return Suppressed("account gone")
    until = record.data.get("until")
    ends = (
        _("You can sign in again on %(date)s.", date=day(datetime.fromisoformat(until)))
        if until
        else _("The suspension has no end date.")
    )
    return Letter(
        subject=_("Your account is suspended"),
        lead=_("Your account at %(portal)s is suspended.", portal=option("name")),
        title=_("Your account is suspended"),
        quotes=[Quote(paragraphs(record.data["reason"]), heading=_("The reason"))],
        sentences=[ends, _("If you think this is wrong, answer this mail; somebody else from the team will look.")],
        button=_("Read the rules"),
        url=links.absolute_url("pages.rules"),
        foot=_("You get this because it is about your account."),
    )


def lifted_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody that the account is open again."""
    if mail.user is None or not mail.user.is_active:
        return Suppressed("account suspended")
    return Letter(
        subject=_("Your account is open again"),
        lead=_("You can use your account at %(portal)s again.", portal=option("name")),
        title=_("Your account is open again"),
        button=_("Sign in"),
        url=links.absolute_url("accounts.sign_in"),
        foot=_("You get this because it is about your account."),
    )


def role_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody of the role they were given."""
    if mail.user is None or mail.user.role.value != mail.data["role"]:
        return Suppressed("role changed since")
    return Letter(
        subject=_("Your role has changed"),
        lead=_("You have another role at %(portal)s.", portal=option("name")),
        title=_("Your role is now: %(role)s", role=mail.user.role.label),
        sentences=[_("It holds from now on, wherever you are signed in.")],
        button=_("See your account"),
        url=links.absolute_url("accounts.show"),
        foot=_("You get this because it is about your account."),
    )


def rules_letter(mail: Mail) -> Letter | Suppressed:
    """Tell a member that the rules have changed, and what is new."""
    rules = accounts.rules_in_force()
    if mail.user is None or not mail.user.is_active or rules is None:
        return Suppressed("account gone")
    if accounts.has_accepted_rules(mail.user):
        return Suppressed("agreed already")
    grace = _("You have time until %(date)s to agree.", date=day(rules.grace_until)) if rules.grace_until else ""
    return Letter(
        subject=_("The community rules have changed"),
        lead=_("The rules of %(portal)s have changed.", portal=option("name")),
        title=_("What is new in our rules"),
        quotes=[Quote(paragraphs(rules.changes))] if rules.changes else [],
        sentences=list(filter(None, [grace, _("Before your next vote, idea or comment after that we ask you once.")])),
        button=_("See what changed"),
        url=links.absolute_url("pages.rules", version=rules.version),
        foot=_("You get this because you have an account, and the rules are between you and us."),
    )


def _invitation(by: str, role: Role, board: Board | None, words: str, url: str) -> Letter:
    portal = option("name")
    what = [_("Members say there what they need, vote for what others need, and hear what became of it.")]
    if board is not None:
        what.append(_("The invitation is to the board “%(board)s”, as: %(role)s.", board=board.name, role=role.label))
    elif role is not Role.MEMBER:
        what.append(_("You would be: %(role)s.", role=role.label))
    return Letter(
        subject=_("%(name)s invites you to %(portal)s", name=by, portal=portal),
        lead=_("%(name)s invites you to become a member of %(portal)s.", name=by, portal=portal),
        title=_("You are invited"),
        quotes=[Quote(paragraphs(words), by=by)] if words else [],
        sentences=[
            *what,
            _("The link works once and for 7 days, and only for this address."),
            _("If you did not expect this, ignore this mail. Nothing happens then."),
        ],
        button=_("Accept the invitation"),
        url=url,
        foot=_("You get this because somebody gave us this address to invite you. We keep it for the invitation only."),
    )


def _name(user: User | None) -> str:
    return user.name if user is not None and user.erased_at is None else str(option("name"))


def _record(mail: Mail) -> EventRecord | None:
    return db.session.get(EventRecord, mail.data["event"])


def _said(mail: Mail) -> list[Quote]:
    record = _record(mail)
    return [Quote(paragraphs(record.data["words"]))] if record and record.data["words"] else []
