"""Invitations: to one address each, good once and for seven days, found by a token that is kept nowhere."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import queries as accounts
from portal.accounts import service
from portal.accounts.models import User
from portal.accounts.roles import BOARD_ROLES, Role
from portal.accounts.service import FieldRefused
from portal.boards.models import Board
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.membership.models import Invitation
from portal.membership.policy import roles_to_give
from portal.notifications.service import queue_letter
from portal.security.log import note
from portal.text import clean_text

LETTER, SAMPLE = "invitation", "invitation_sample"
GOOD_FOR = timedelta(days=7)
MOST_AT_ONCE, MOST_CHARACTERS = 500, 100_000
A_DAY = 20  # by one member
NOTE_MAX = 500
LONGEST_TOKEN = 100
MAILED, HANDED = "mailed", "handed"  # how somebody came by the link; only a mailed one shows that the address is theirs

_NAMED = re.compile(r"<([^<>]+)>")


class TooManyInvitations(Refusal):
    """A member invited as many people as one may in a day."""

    status = 429

    def __init__(self, left: int) -> None:
        super().__init__(
            _("You can invite %(count)d people a day, and %(left)d more today.", count=A_DAY, left=max(left, 0))
        )


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line in which no address was found that can be invited, and why."""

    number: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in a list of addresses."""

    good: list[str]
    bad: list[BadLine]
    doubles: int

    @property
    def left(self) -> str:
        """The lines to put right, as they were."""
        return "\n".join(line.text for line in self.bad)


def read_addresses(text: str, inviter: User) -> Reading:
    """Find the address in each line: ``noor@example.org``, ``Noor <noor@example.org>``, or one cell among others.

    Lines without one, and those that this inviter has invited already, are said with the reason; nothing is dropped.
    """
    good: dict[str, None] = {}
    bad, doubles = [], 0
    asked = {invitation.email for invitation in open_invitations_of(inviter)}
    for number, line in enumerate(_lines(text), 1):
        try:
            address = _address_in(line)
        except FieldRefused as refusal:
            bad.append(BadLine(number, line, refusal.message))
            continue
        if address in good:
            doubles += 1
        elif address in asked:
            bad.append(BadLine(number, line, _("You have invited this address already. Send that invitation again.")))
        elif len(good) >= MOST_AT_ONCE:
            bad.append(BadLine(number, line, _("Too many for one go: send these first, then the others.")))
        else:
            good[address] = None
    return Reading(list(good), bad, doubles)


def read_csv(data: bytes) -> str:
    """Return the addresses of a CSV file, one a line, for ``read_addresses``; a heading names the column.

    Rows without anything like an address stay as they are, so that they can be put right.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    rows = [row for row in csv.reader(text.splitlines(), delimiter=_delimiter(text)) if any(map(str.strip, row))]
    if not rows:
        return ""
    headings = [cell.strip().casefold() for cell in rows[0]]
    column = next((at for at, cell in enumerate(headings) if cell in {"email", "e-mail", "address", "mail"}), None)
    if column is not None:
        rows = rows[1:]
    lines = []
    for row in rows:
        named = row[column] if column is not None and column < len(row) else ""
        lines.append(named if "@" in named else next((cell for cell in row if "@" in cell), ", ".join(row)))
    return "\n".join(" ".join(line.split()) for line in lines)


def invite(
    inviter: User,
    emails: Sequence[str],
    *,
    role: Role = Role.MEMBER,
    board: Board | None = None,
    words: str = "",
    locale: str | None = None,
) -> list[Invitation]:
    """Invite people, each by a mail of their own; raises TooManyInvitations, and Refusal for a role out of reach.

    With a board the role is one on that board. It says the same whether or not an address has an account.
    """
    allowed = roles_to_give(inviter)
    if role not in allowed or (board is not None and (role not in BOARD_ROLES or not inviter.is_admin)):
        raise Refusal(_("You cannot give this role. Choose one below your own."))
    if not inviter.is_admin and (left := A_DAY - _invited_today(inviter)) < len(emails):
        raise TooManyInvitations(left)
    now = utcnow()
    made = [
        Invitation(
            email=email,
            role=role,
            board_id=board.id if board else None,
            note=clean_text(words)[:NOTE_MAX],
            invited_by_id=inviter.id,
            invited_at=now,
            expires_at=now + GOOD_FOR,
        )
        for email in emails
    ]
    db.session.add_all(made)
    db.session.flush()
    for invitation in made:
        _send(invitation, inviter, locale)
    return made


def resend(invitation: Invitation, actor: User, locale: str | None = None) -> None:
    """Send an invitation once more, good for seven days from now; links sent before work no longer."""
    _refuse_if_over(invitation)
    invitation.nonce = secrets.token_hex(32)
    invitation.expires_at = utcnow() + GOOD_FOR
    db.session.flush()
    _send(invitation, actor, locale)


def withdraw(invitation: Invitation, actor: User) -> None:
    """Take an invitation back; its link works no longer."""
    _refuse_if_over(invitation)
    invitation.withdrawn_at = utcnow()
    note("invitation.withdrawn", user=None, actor=actor, invitation=invitation.id)


def withdraw_above(user: User, allowed: Iterable[Role]) -> None:
    """Take back what somebody invited others to and may not give any longer."""
    db.session.execute(
        sa.update(Invitation)
        .where(
            Invitation.invited_by_id == user.id,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.role.not_in(list(allowed)),
        )
        .values(withdrawn_at=utcnow())
    )


def send_sample(inviter: User, *, role: Role, board: Board | None, words: str, locale: str | None) -> None:
    """Send somebody the invitation that others would get; its button leads nowhere new."""
    data = {
        "by": inviter.id,
        "role": role.value,
        "board": board.id if board else None,
        "note": clean_text(words)[:NOTE_MAX],
        "locale": locale,
    }
    queue_letter(SAMPLE, to=inviter.email, user=inviter, data=data)


def open_invitations_of(inviter: User) -> list[Invitation]:
    """Return what somebody sent that can still be accepted."""
    mine = select(Invitation).where(
        Invitation.invited_by_id == inviter.id,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > utcnow(),
    )
    return list(db.session.scalars(mine))


def token_of(invitation: Invitation, way: str = MAILED) -> str:
    """Return the token of the link; that in the mail shows that its reader owns the address, a handed one does not."""
    return f"{invitation.id}-{base64.urlsafe_b64encode(_derive(invitation, way)).rstrip(b'=').decode()}"


def find(token: str) -> tuple[Invitation, bool] | None:
    """Return the invitation with this token, and whether the token came by mail; None for any other text."""
    number = token.partition("-")[0]
    if len(token) > LONGEST_TOKEN or not (number.isascii() and number.isdecimal()) or int(number) >= 2**31:
        return None
    invitation = db.session.get(Invitation, int(number))
    if invitation is None:
        return None
    for way in (MAILED, HANDED):
        if hmac.compare_digest(token_of(invitation, way).encode(), token.encode("utf-8", "replace")):
            return invitation, way == MAILED
    return None


def has_account(invitation: Invitation) -> User | None:
    """Return whose account the address opens already."""
    return accounts.find_by_email(invitation.email)


def _send(invitation: Invitation, actor: User, locale: str | None) -> None:
    data = {"invitation": invitation.id, "locale": locale}
    queue_letter(LETTER, to=invitation.email, data=data)
    note("invitation.sent", user=None, actor=actor, invitation=invitation.id, role=invitation.role.value)


def _refuse_if_over(invitation: Invitation) -> None:
    if invitation.accepted_at is not None:
        raise Refusal(_("This invitation has been used already."))
    if invitation.withdrawn_at is not None:
        raise Refusal(_("This invitation was withdrawn. Send a new one."))


def _invited_today(inviter: User) -> int:
    sent = select(sa.func.count()).where(
        Invitation.invited_by_id == inviter.id, Invitation.invited_at > utcnow() - timedelta(days=1)
    )
    return db.session.scalar(sent) or 0


def _lines(text: str) -> list[str]:
    lines = (line.strip() for line in clean_text(text[:MOST_CHARACTERS]).split("\n"))
    return [line for line in lines if line]


def _address_in(line: str) -> str:
    named = _NAMED.search(line)
    cells = [named[1]] if named else [cell for cell in re.split(r"[,;\s]+", line) if "@" in cell]
    if len(cells) > 1:
        raise FieldRefused("addresses", _("Two addresses in one line. Give each a line of its own."))
    return service.normal_email(cells[0] if cells else line)


def _delimiter(text: str) -> str:
    head = text.splitlines()[0] if text else ""
    return max(",;\t", key=head.count)


def _derive(invitation: Invitation, way: str) -> bytes:
    """Return 256 bits that hang on all that the invitation gives, so that none of it can be swapped."""
    bound = [
        way,
        str(invitation.id),
        invitation.email,
        invitation.role.value,
        str(invitation.board_id or ""),
        invitation.nonce,
    ]
    key = hashlib.sha256(b"portal invitations\0" + str(current_app.secret_key).encode()).digest()
    return hmac.digest(key, "\0".join(bound).encode(), "sha256")
