"""Pages of a list by the last thing seen, so that page 5,000 costs what page 1 does."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer


def cursor(*values: Any) -> str:
    """Return an opaque, signed token for a place in a sorted list."""
    packed = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return str(_serializer().dumps(packed))


def place(token: str | None, kinds: tuple[type, ...]) -> tuple[Any, ...] | None:
    """Return the place a cursor stands for; anything else than a cursor of ours is the first page."""
    if not token:
        return None
    try:
        packed = _serializer().loads(token[:500])
        values = [
            datetime.fromisoformat(v) if kind is datetime else kind(v) for kind, v in zip(kinds, packed, strict=True)
        ]
    except (BadSignature, ValueError, TypeError):
        return None
    return tuple(values)


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="cursor")
