"""Accounts for the people whose ideas came in: they carry a name, and nobody can sign in to them."""

from __future__ import annotations

import hashlib

from sqlalchemy import select

from portal.accounts.events import MemberRegistered
from portal.accounts.models import User, name_key
from portal.accounts.service import FieldRefused, check_name
from portal.db import db
from portal.events import emit

NOBODY = "Imported"
HOST = "imported.invalid"  # a domain that can never exist
CACHED = 10_000


class Authors:
    """The authors of one source, by the name they had there."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._ids: dict[str, int] = {}
        self.made = 0

    def find_or_make(self, name: str) -> int:
        """Return the id of this author's account; without a name, of the one that stands for all."""
        email = self._email(name)
        if email not in self._ids:
            if len(self._ids) >= CACHED:
                self._ids.clear()
            found = db.session.scalar(select(User.id).where(User.email == email))
            self._ids[email] = found or self._make(name or NOBODY, email)
        return self._ids[email]

    def _email(self, name: str) -> str:
        if not name:
            return f"nobody@{HOST}"
        known_as = f"{self._source}\0{name_key(name)}"
        return f"{hashlib.sha256(known_as.encode()).hexdigest()[:24]}@{HOST}"

    def _make(self, name: str, email: str) -> int:
        shown = self._free_name(name)
        user = User(email=email, name=shown, name_key=name_key(shown), wants_mail=False)
        db.session.add(user)
        db.session.flush()
        emit(MemberRegistered(actor_id=None, user_id=user.id))
        self.made += 1
        return user.id

    def _free_name(self, name: str) -> str:
        """Return the name, or another where somebody has it: no stranger's words are put in a member's mouth."""
        tries = (name, f"{name[:40]} (imported)", f"{name[:20]} ({self._source[:25]})")
        for shown in (*tries, *(f"{name[:40]} (imported {number})" for number in range(2, 1000))):
            try:
                check_name(shown)
            except FieldRefused:
                continue
            return shown
        raise AssertionError("a thousand people of one name")
