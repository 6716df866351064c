"""The first owner: let in by a code that the process printed when it started, once and for all."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from flask import Flask, current_app
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.boards.service import ensure_board
from portal.db import db, insert_if_absent
from portal.errors import Refusal
from portal.options import OptionRow, decide
from portal.security.log import note

TRIES = 5
FILE = "set-up-code"
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # none that look alike
DONE = "somebody has an account"  # in app.extensions, once that was seen


class WrongCode(Refusal):
    """The code is not the one that was printed, or was tried too often."""

    status = 422


class AlreadySetUp(Refusal):
    """Somebody else was faster, or set the portal up long ago."""


def is_needed() -> bool:
    """Whether nobody has an account yet; once somebody has, this costs nothing any more."""
    known: dict[str, Any] = current_app.extensions
    if not known.get(DONE):
        known[DONE] = db.session.scalar(select(User.id).limit(1)) is not None
    return not known[DONE]


def print_code(app: Flask) -> str:
    """Make the code of this start and return it, to be printed; every code made before is void."""
    code = "-".join("".join(secrets.choice(LETTERS) for _letter in range(4)) for _group in range(3))
    with _kept(app) as file:
        _write(file, {"hash": _hash(code), "tries": 0})
    return code


def has_code() -> bool:
    """Whether a code was printed that can still be used."""
    with _kept(current_app) as file:
        kept = _read(file)
    return bool(kept) and kept["tries"] < TRIES


def check_code(typed: str) -> None:
    """Raise WrongCode unless this is the code that was printed; five wrong ones make it void until the next start."""
    with _kept(current_app) as file:
        kept = _read(file)
        if not kept or kept["tries"] >= TRIES:
            raise WrongCode(_("This code was tried too often. Start the portal again, and it prints a new one."))
        if hmac.compare_digest(kept["hash"], _hash(typed)):
            return
        _write(file, kept | {"tries": kept["tries"] + 1})
        left = TRIES - kept["tries"] - 1
    if left == 0:
        raise WrongCode(_("This is not the code, and it was tried too often. Start the portal again for a new one."))
    raise WrongCode(_("This is not the code. Look at what the portal printed last when it started."))


def set_up(*, name: str, email: str, password: str, portal: str, question: str, board: str) -> User:
    """Open the owner's account, and name the portal, its question and its first board.

    Of several who try at once one gets through; the others hear AlreadySetUp.
    """
    if not insert_if_absent(OptionRow, name="set_up", value=True):
        raise AlreadySetUp(_("The portal has been set up already. Sign in."))
    if db.session.scalar(select(User.id).limit(1)) is not None:
        raise AlreadySetUp(_("The portal has been set up already. Sign in."))
    decide("set_up", True)  # so that this process forgets what it knew
    decide("name", portal)
    decide("question", question)
    owner = accounts.create_user(email=email, name=name, role=Role.OWNER, password=password)
    first: Board = ensure_board()
    first.name = board
    note("portal.set_up", user=owner)
    return owner


def forget_code() -> None:
    """Make the code void: it has done its work."""
    _file(current_app).unlink(missing_ok=True)
    current_app.extensions.pop(DONE, None)


def _file(app: Flask) -> Path:
    return Path(app.config["INSTANCE"]) / FILE


@contextmanager
def _kept(app: Flask) -> Iterator[TextIO]:
    """Open the file alone: two requests at once must not both have a last try."""
    opened = os.open(_file(app), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(opened, "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _read(file: TextIO) -> dict[str, Any]:
    words = file.read()
    kept: dict[str, Any] = json.loads(words) if words else {}
    return kept


def _write(file: TextIO, kept: dict[str, Any]) -> None:
    file.seek(0)
    file.truncate()
    json.dump(kept, file)
    file.flush()


def _hash(code: str) -> str:
    folded = "".join(c for c in code.upper() if c in LETTERS)
    return hashlib.sha256(folded.encode()).hexdigest()
