"""Tables of people, their sessions and what they agreed to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.roles import ADMINS, DECIDERS, MODERATORS, STAFF, STAFF_READERS, TRIAGERS, Role
from portal.db import Model, utcnow
from portal.options import option
from portal.text import render_page

SPOKEN_FOR = "spoken-for.invalid"  # a domain that can never exist


class Person:
    """The questions that a visitor and a member both answer."""

    id: Any
    role: Any
    has_board_roles: Any = False

    session_token: str = ""  # of the browser that asks; kept nowhere
    signed_in: AuthSession | None = None  # the session of the browser that asks

    @property
    def is_authenticated(self) -> bool:
        """What Flask-Login calls being signed in."""
        return self.is_signed_in

    @property
    def is_active(self) -> bool:
        """Whether the account may be used."""
        return self.is_signed_in

    @property
    def is_anonymous(self) -> bool:
        """What Flask-Login calls not being signed in."""
        return not self.is_signed_in

    def get_id(self) -> str:
        """Return the token of this browser's session, which is what its cookie holds."""
        return self.session_token

    @property
    def is_signed_in(self) -> bool:
        """Whether there is an account behind this person."""
        return self.id is not None

    @property
    def standing(self) -> Role | None:
        """The role that counts everywhere in the portal; None for visitors and for accounts that wait for a yes."""
        return None

    @property
    def reading(self) -> str:
        """Whom the portal lets read, which says what visitors know."""
        return str(option("reading"))

    @property
    def board_roles(self) -> dict[int, Role]:
        """What this person is on single boards, by the number of the board."""
        return {}

    def rank_on(self, board_id: int | None) -> Role | None:
        """Return the higher of the roles that this person has in the portal and on this board."""
        ranks = [role for role in (self.standing, self.board_roles.get(board_id or 0)) if role is not None]
        return max(ranks, key=lambda role: role.rank) if ranks else None

    def is_one_of(self, roles: Collection[Role], board_id: int | None = None) -> bool:
        """Whether one of these roles is this person's in the portal, or on this board: what both allow adds up."""
        return self.standing in roles or (board_id is not None and self.board_roles.get(board_id) in roles)

    def is_one_of_anywhere(self, roles: Collection[Role]) -> bool:
        """Whether one of these roles is this person's in the portal, or on any board."""
        return self.standing in roles or any(role in roles for role in self.board_roles.values())

    @property
    def is_staff(self) -> bool:
        """Whether this person speaks for the team."""
        return self.standing in STAFF

    @property
    def reads_as_staff(self) -> bool:
        """Whether this person may read what the team reads."""
        return self.standing in STAFF_READERS

    @property
    def is_moderator(self) -> bool:
        """Whether this person holds, hides and publishes."""
        return self.standing in MODERATORS

    @property
    def is_triager(self) -> bool:
        """Whether this person sorts ideas: owner, tags, board, questions, merges."""
        return self.standing in TRIAGERS

    @property
    def is_decider(self) -> bool:
        """Whether this person decides what will be done."""
        return self.standing in DECIDERS

    @property
    def is_admin(self) -> bool:
        """Whether this person may do what the workflow does not offer."""
        return self.standing in ADMINS

    @property
    def works_here(self) -> bool:
        """Whether there is a board where this person sees what the team sees: triage is for them."""
        return self.is_one_of_anywhere(STAFF_READERS)

    def reads_as_staff_on(self, board_id: int) -> bool:
        """Whether this person may read what the team reads on this board."""
        return self.is_one_of(STAFF_READERS, board_id)

    def is_staff_on(self, board_id: int) -> bool:
        """Whether this person speaks for the team on this board."""
        return self.is_one_of(STAFF, board_id)


class Guest(Person):
    """Whoever has not signed in."""

    id = None
    role = None
    name = ""
    locale = None


class User(Person, Model):
    """Somebody with an account."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(60))
    name_key: Mapped[str] = mapped_column(sa.String(120), unique=True)
    role: Mapped[Role] = mapped_column(default=Role.MEMBER)
    team: Mapped[str | None] = mapped_column(sa.String(60))
    about: Mapped[str | None] = mapped_column(sa.String(300))
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    confirmed_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None] = mapped_column(default=utcnow)  # None: waits for a moderator's yes
    suspended_at: Mapped[datetime | None]
    suspended_until: Mapped[datetime | None]  # None with suspended_at: until somebody lifts it
    trusted_at: Mapped[datetime | None]  # a moderator let a first post through
    wants_mail: Mapped[bool] = mapped_column(default=True)
    mail_stopped_at: Mapped[datetime | None]  # what we sent came back, or was called spam: no more until confirmed
    mail_stopped_why: Mapped[str] = mapped_column(sa.String(20), default="", server_default=sa.text("''"))
    shortcuts_on: Mapped[bool] = mapped_column(default=True)
    theme: Mapped[str] = mapped_column(sa.String(10), default="")
    locale: Mapped[str | None] = mapped_column(sa.String(10))
    timezone: Mapped[str | None] = mapped_column(sa.String(60))  # IANA name; None: the portal's
    picture: Mapped[str | None] = mapped_column(sa.String(64))  # what the present picture's address ends with
    has_board_roles: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # on any board
    leaves_at: Mapped[datetime | None] = mapped_column(index=True)  # asked to be erased; undone until then
    kept_name: Mapped[str | None] = mapped_column(sa.String(60))  # of somebody who is leaving, should they come back
    erased_at: Mapped[datetime | None]  # only the mark "former member" is left
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    places: Mapped[list[Any]] = relationship(
        "BoardMember", primaryjoin="User.id == foreign(BoardMember.user_id)", viewonly=True
    )

    @property
    def standing(self) -> Role | None:
        """The role, once the account was let in."""
        return self.role if self.approved_at is not None else None

    @property
    def board_roles(self) -> dict[int, Role]:
        """What this person is on single boards; looked up only for those who are anything there."""
        if not self.has_board_roles or self.approved_at is None:
            return {}
        return {place.board_id: place.role for place in self.places}

    @property
    def is_suspended(self) -> bool:
        """Whether the account is shut, for good or until a moment that has not come."""
        return self.suspended_at is not None and (self.suspended_until is None or self.suspended_until > utcnow())

    @property
    def is_active(self) -> bool:
        """Whether the account may be used."""
        return not self.is_suspended and self.erased_at is None

    @property
    def is_approved(self) -> bool:
        """Whether the account may take part, and read what members read."""
        return self.approved_at is not None

    @property
    def is_leaving(self) -> bool:
        """Whether the account will be erased unless its owner comes back."""
        return self.leaves_at is not None and self.erased_at is None

    @property
    def is_former(self) -> bool:
        """Whether others see a former member here: no name, no picture, no profile."""
        return self.leaves_at is not None or self.erased_at is not None

    @property
    def shown_name(self) -> str:
        """The name that others see."""
        return str(_("Former member")) if self.is_former else self.name

    @property
    def is_stand_in(self) -> bool:
        """Whether this stands for somebody without an account, for whom the team gave votes: a name, and no more."""
        return self.email.endswith(f"@{SPOKEN_FOR}")

    @property
    def can_get_mail(self) -> bool:
        """Whether mail reaches this person and is wanted."""
        reaches = self.confirmed_at is not None and self.mail_stopped_at is None
        return reaches and self.is_active and not self.is_leaving and self.wants_mail

    @property
    def speaks_as(self) -> str:
        """The name over an official answer: the team's where there is one."""
        return self.team or self.shown_name


class AuthSession(Model):
    """One signed-in browser; only a hash of its token is kept."""

    __tablename__ = "auth_sessions"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    expires_at: Mapped[datetime]
    idle_seconds: Mapped[int]
    browser: Mapped[str] = mapped_column(sa.String(200), default="")
    address: Mapped[str] = mapped_column(sa.String(45), default="", server_default=sa.text("''"))
    way: Mapped[str] = mapped_column(sa.String(40), default="password", server_default="password")  # how one got in
    second: Mapped[bool] = mapped_column(default=False, server_default=sa.false())  # whether two factors were proven
    proved_at: Mapped[datetime | None] = mapped_column(default=utcnow)  # when its owner last proved who they are


class Rules(Model):
    """One version of the community rules; the highest number is in force."""

    __tablename__ = "rules"

    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(sa.Text)
    changes: Mapped[str] = mapped_column(sa.Text, default="")
    published_at: Mapped[datetime] = mapped_column(default=utcnow)
    grace_until: Mapped[datetime | None]  # until then, who agreed to an earlier version may go on

    @property
    def html(self) -> str:
        """The text as it is shown, below the title that the page gives it."""
        return render_page(_OWN_TITLE.sub("", self.body))

    @property
    def changes_html(self) -> str:
        """What is new in this version, as it is shown."""
        return render_page(self.changes)


class PrivacyNotice(Model):
    """One version of what the portal says about personal data; the highest number is in force."""

    __tablename__ = "privacy_notices"

    version: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(sa.Text)
    changes: Mapped[str] = mapped_column(sa.Text, default="")
    published_at: Mapped[datetime] = mapped_column(default=utcnow)


class Picture(Model):
    """The picture somebody gave of themselves: made anew by us, so that it holds nothing but what is seen."""

    __tablename__ = "pictures"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    image: Mapped[bytes] = mapped_column(sa.LargeBinary)  # WebP, 256 pixels square
    made_at: Mapped[datetime] = mapped_column(default=utcnow)


class RulesAcceptance(Model):
    """One member's agreement to one version of the rules."""

    __tablename__ = "rules_acceptances"

    user_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(sa.ForeignKey("rules.version"), primary_key=True)
    accepted_at: Mapped[datetime] = mapped_column(default=utcnow)
    privacy_version: Mapped[int | None]  # the privacy notice that was shown with it


class PendingAct(Model):
    """What somebody did before signing in or agreeing to the rules; done for them right afterwards."""

    __tablename__ = "pending_acts"

    token_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    path: Mapped[str] = mapped_column(sa.String(500))
    form: Mapped[dict[str, Any]]
    made_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


def name_key(name: str) -> str:
    """Fold a display name so that names which look alike compare equal: NFKC, case folding, nothing invisible."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    visible = "".join(c for c in folded if unicodedata.category(c) != "Cf" and c not in _BLANK)
    return unicodedata.normalize("NFKC", " ".join(visible.split()))


_OWN_TITLE = re.compile(r"\A\s*#[ \t][^\n]*")
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {chr(code) for code in range(0xFE00, 0xFE10)}
"""What is drawn as nothing although Unicode counts it among letters, marks and symbols."""
