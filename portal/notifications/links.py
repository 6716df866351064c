"""Addresses that mails carry: absolute, from the configured base address, and the tokens inside them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer


def absolute_url(endpoint: str, **values: Any) -> str:
    """Return the address of a page as people outside reach it, whatever host asked."""
    base = urlsplit(current_app.config["BASE_URL"])
    adapter = current_app.url_map.bind(base.netloc, script_name=base.path or "/", url_scheme=base.scheme)
    anchor = values.pop("_anchor", "")
    return adapter.build(endpoint, values, force_external=True) + (f"#{anchor}" if anchor else "")


def mail_domain() -> str:
    """Return the name under which this portal numbers its mails."""
    return urlsplit(current_app.config["BASE_URL"]).hostname or "localhost"


def stop_token(user_id: int, idea_id: int | None, kind: str) -> str:
    """Return the token that stops mails to one person about one idea, or all, and can do nothing else."""
    return str(_serializer("stop-mail").dumps([user_id, idea_id, kind]))


def read_stop_token(token: str) -> tuple[int, int | None] | None:
    """Return whom and which idea a stop link is about; None for a link that is not ours."""
    try:
        user_id, idea_id, _kind = _serializer("stop-mail").loads(token[:500])
    except (BadSignature, ValueError, TypeError):
        return None
    return user_id, idea_id


def objection_token(user_id: int, change_id: int) -> str:
    """Return the token that lets one person object to one merge, and can do nothing else."""
    return str(_serializer("object-to-merge").dumps([user_id, change_id]))


def read_objection_token(token: str) -> tuple[int, int] | None:
    """Return who may object to which merge; None for a link that is not ours."""
    try:
        user_id, change_id = _serializer("object-to-merge").loads(token[:500])
    except (BadSignature, ValueError, TypeError):
        return None
    return user_id, change_id


def verdict_token(user_id: int, round_id: int) -> str:
    """Return the token that lets one person say whether one thing helped, and can do nothing else."""
    return str(_serializer("say-whether-it-helped").dumps([user_id, round_id]))


def read_verdict_token(token: str) -> tuple[int, int] | None:
    """Return who may say it in which round; None for a link that is not ours."""
    try:
        user_id, round_id = _serializer("say-whether-it-helped").loads(token[:500])
    except (BadSignature, ValueError, TypeError):
        return None
    return user_id, round_id


def _serializer(salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt=salt)
