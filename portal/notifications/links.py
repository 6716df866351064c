"""Addresses that mails carry: absolute, from the configured base address, and the tokens inside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from hmac import compare_digest
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select

from portal.db import db
from portal.notifications.reach import Reach

LONGEST = 900  # a token, and so the line of a header that an address with it stands in

_known: ContextVar[tuple[int, str] | None] = ContextVar("key of whose links", default=None)


def absolute_url(endpoint: str, **values: Any) -> str:
    """Return the address of a page as people outside reach it, whatever host asked."""
    base = urlsplit(current_app.config["BASE_URL"])
    adapter = current_app.url_map.bind(base.netloc, script_name=base.path or "/", url_scheme=base.scheme)
    anchor = values.pop("_anchor", "")
    return adapter.build(endpoint, values, force_external=True) + (f"#{anchor}" if anchor else "")


def mail_domain() -> str:
    """Return the name under which this portal numbers its mails."""
    return urlsplit(current_app.config["BASE_URL"]).hostname or "localhost"


def stop_token(user_id: int, idea_id: int | None, kind: str, numbers: Iterable[int] = ()) -> str:
    """Return the token that stops mails to one person, and can do nothing else.

    They are those about one idea, those of a kind, or those of a kind about these things alone, or in the end all.
    """
    return _sign("stop-mail", user_id, idea_id, ":".join([kind, *map(str, numbers)]))


def read_stop_token(token: str) -> tuple[int, int | None, str] | None:
    """Return whom, which idea and which kind of mail a stop link is about; None for a link that works no more."""
    return _read("stop-mail", token, 3)


def read_kind(kind: str) -> tuple[str, tuple[int, ...]]:
    """Return the kind of mail in a stop link, and the numbers of what it stops alone."""
    name, *numbers = kind.split(":")
    return name, tuple(map(int, numbers))


def objection_token(user_id: int, change_id: int) -> str:
    """Return the token that lets one person object to one merge, and can do nothing else."""
    return _sign("object-to-merge", user_id, change_id)


def read_objection_token(token: str) -> tuple[int, int] | None:
    """Return who may object to which merge; None for a link that works no more."""
    return _read("object-to-merge", token, 2)


def verdict_token(user_id: int, round_id: int) -> str:
    """Return the token that lets one person say whether one thing helped, and can do nothing else."""
    return _sign("say-whether-it-helped", user_id, round_id)


def read_verdict_token(token: str) -> tuple[int, int] | None:
    """Return who may say it in which round; None for a link that works no more."""
    return _read("say-whether-it-helped", token, 2)


def key_of(user_id: int) -> str:
    """Return what makes the links of one person's mails their own; another one makes all that went out useless."""
    known = _known.get()
    if known and known[0] == user_id:
        return known[1]
    return db.session.scalar(select(Reach.links_key).where(Reach.user_id == user_id)) or ""


@contextmanager
def key_known(user_id: int, key: str) -> Iterator[None]:
    """Ask for the key of one person no more inside, where it has just been read: several links are made for them."""
    before = _known.set((user_id, key))
    try:
        yield
    finally:
        _known.reset(before)


def _sign(what_for: str, user_id: int, *about: Any) -> str:
    """Return a token for one thing that one person may do; its key is in it from the day they first change it."""
    key = key_of(user_id)
    return str(_serializer(what_for).dumps([user_id, *about, *([key] if key else [])]))


def _read(what_for: str, token: str, length: int) -> Any:
    try:
        said = _serializer(what_for).loads(token[:LONGEST])
        user_id, key = int(said[0]), str(said[length]) if len(said) > length else ""
    except (BadSignature, ValueError, TypeError, LookupError):
        return None
    return tuple(said[:length]) if compare_digest(key, key_of(user_id)) else None


def _serializer(salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=salt)
