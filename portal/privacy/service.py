"""What people can do about what is held about them: have it all, leave, come back; and what erasing does."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import pictures
from portal.accounts.models import AuthSession, Picture, User
from portal.accounts.roles import Role
from portal.comments import calling
from portal.credentials import links
from portal.credentials.models import MailedLink, Purpose
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.membership.models import Invitation
from portal.notifications.models import CaughtMail, Mail
from portal.notifications.service import MAIL_TEST, queue_letter
from portal.privacy import files, queries
from portal.privacy.holdings import ADDRESSES, HOLDINGS, Fate
from portal.privacy.models import Export
from portal.push import service as push
from portal.search import index
from portal.security.log import note
from portal.talk.service import forget_name

LEAVING_LETTER, EXPORT_LETTER = "leaving", "export_ready"
UNDO_WITHIN = timedelta(days=14)
FORMER = "Former member"  # in place of a name; pages say it in their own language
NOWHERE = "erased.invalid"  # a domain that can never exist


class AskedToday(Refusal):
    """This person asked for an export less than a day ago."""

    status = 429

    def __init__(self) -> None:
        super().__init__(_("You have asked for your data in the last 24 hours already. Ask again tomorrow."))


class LastOwner(Refusal):
    """Without this person nobody could run the portal."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "You are the last owner of this portal, and somebody has to be. "
                "Make another member an owner, then leave."
            )
        )


def ask_for_export(user: User) -> Export:
    """Have everything about the user gathered; once a day."""
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update())  # one press after the other
    if queries.next_export_at(user):
        raise AskedToday
    export = Export(user_id=user.id)
    db.session.add(export)
    note("export.asked", user=user)
    return export


def leave(user: User) -> None:
    """Begin to forget the user: signed out everywhere, a former member to all others, erased in fourteen days.

    Until then the link in the letter, or signing in, undoes it. Raises LastOwner.
    """
    if user.is_former:
        return
    db.session.execute(select(User.id).where(User.role == Role.OWNER).with_for_update())  # two owners at once
    if queries.is_last_owner(user):
        raise LastOwner
    user.leaves_at = utcnow() + UNDO_WITHIN
    user.kept_name, user.name = user.name, FORMER
    user.picture = None  # the row stays until then; its address leads nowhere
    db.session.execute(sa.delete(AuthSession).where(AuthSession.user_id == user.id))
    push.forget_all(user)
    note("erasure.asked", user=user)
    link = links.make(Purpose.STAY, user.email, user=user, lifetime=UNDO_WITHIN)
    queue_letter(LEAVING_LETTER, to=user.email, user=user, data={"link": link.id}, rationed=False)


def stay(user: User) -> None:
    """Put everything back as it was before the user left; the link that was mailed is void."""
    if not user.is_leaving:
        return
    user.name, user.kept_name, user.leaves_at = user.kept_name or user.name, None, None
    kept = db.session.get(Picture, user.id)
    user.picture = pictures.name_of(kept.image) if kept else None
    for link in db.session.scalars(
        select(MailedLink).where(MailedLink.user_id == user.id, MailedLink.purpose == Purpose.STAY)
    ):
        links.void(link)
    note("erasure.undone", user=user)


def erase(user: User, actor: User | None = None) -> None:
    """Forget the person for good. What they gave to all stays, and counts as before, from a former member.

    For somebody whose fourteen days are over, or whom ``actor``, an admin, removes at once; calling it twice does no
    harm. Raises LastOwner.
    """
    if user.erased_at is not None:
        return
    if not user.is_leaving and queries.is_last_owner(user):
        raise LastOwner
    names = {name for name in (user.name, user.kept_name) if name and name != FORMER}
    addresses = _addresses_of(user)
    _forget_caught_mails(addresses, names)
    forget_name(user)
    index.forget(calling.forget_name(user))
    db.session.execute(
        sa.delete(Invitation).where(
            Invitation.accepted_at.is_(None),
            sa.or_(Invitation.invited_by_id == user.id, Invitation.email.in_(addresses)),
        )
    )
    for export in db.session.scalars(select(Export).where(Export.user_id == user.id)):
        files.remove(export)
    for holding in HOLDINGS:
        mine = holding.column == user.id
        if holding.fate is Fate.GOES:
            db.session.execute(sa.delete(holding.model).where(mine))
        elif holding.fate is Fate.IS_FREED:
            db.session.execute(sa.update(holding.model).where(mine).values({holding.column.key: None}))
        elif holding.emptied:
            db.session.execute(sa.update(holding.model).where(mine).values(holding.emptied))
    for column in ADDRESSES:
        holder = getattr(column.class_, "user_id", None)  # an address may have been typed that was another person's
        nobody_elses = sa.or_(holder.is_(None), holder == user.id) if holder is not None else sa.true()
        db.session.execute(sa.delete(column.class_).where(column.in_(addresses), nobody_elses))
    tested = sa.func.lower(Mail.recipient).in_([address.lower() for address in addresses])
    db.session.execute(sa.delete(Mail).where(Mail.kind == MAIL_TEST, tested))  # whoever sent the test
    _empty(user)
    db.session.flush()
    db.session.expire_all()
    note("erased", user=user, actor=actor)


def _addresses_of(user: User) -> set[str]:
    """Return every address that the account has had, as far as anything still says."""
    theirs = (Mail.user_id == user.id) & (Mail.kind != MAIL_TEST)  # a test goes to whom one likes
    written_to = select(Mail.recipient).where(theirs, Mail.recipient.is_not(None)).distinct()
    asked_for = select(MailedLink.email).where(MailedLink.user_id == user.id).distinct()
    found = {user.email, *db.session.scalars(written_to), *db.session.scalars(asked_for)} - {None, ""}
    others = db.session.scalars(select(User.email).where(User.email.in_(found), User.id != user.id))
    return {str(address) for address in found} - set(others)


def _forget_caught_mails(addresses: set[str], names: set[str]) -> None:
    """Drop mails kept in the portal that went to the person or speak of them."""
    for caught in db.session.scalars(select(CaughtMail)):
        text = files.text_of(caught.raw)
        if caught.recipient in addresses or any(word in text for word in names | addresses):
            db.session.delete(caught)
    db.session.flush()


def _empty(user: User) -> None:
    """Leave of the account only its number, and that somebody was here."""
    user.email, user.name, user.name_key = f"former-{user.id}@{NOWHERE}", FORMER, f"@{user.id}"
    user.kept_name = user.about = user.password_hash = user.locale = user.timezone = user.picture = None
    user.role, user.theme, user.wants_mail, user.has_board_roles = Role.MEMBER, "", False, False
    user.shortcuts_on, user.trusted_at, user.suspended_until = True, None, None
    user.mail_stopped_at, user.mail_stopped_why = None, ""
    user.leaves_at, user.erased_at = None, utcnow()
