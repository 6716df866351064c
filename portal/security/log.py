"""Writing down acts of security: an entry in the table, and one line of JSON for whoever watches from outside."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

import sqlalchemy as sa
from flask import has_request_context, request
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.security.models import SecurityEntry

lines = logging.getLogger("portal.security")
lines.setLevel(logging.INFO)

SECRETS = frozenset({"password", "token", "secret", "code", "codes", "cookie", "link", "hash", "nonce"})
"""Words that no key of ``data`` may be: what they name has no place in a log."""
LONGEST = 200  # characters of one value
_TOKEN = re.compile(r"[^/]{25,}")


def note(kind: str, *, user: User | None, actor: User | None = None, **data: Any) -> SecurityEntry:
    """Write down that ``kind`` happened to the account of ``user``, by ``actor``: in a request its owner, unless named.

    Belongs to the caller's transaction: the entry is kept, and its line written, only when that commits. ``data`` holds
    what else one should know, in ids and single words, never a secret, and no text that people wrote. Address and
    browser are those of the request, where there is one.
    """
    if unfit := SECRETS & set(data):
        raise ValueError(f"a security log holds no {', '.join(sorted(unfit))}")
    seen = has_request_context()
    own = user if seen and not kind.endswith(".failed") else None  # whoever fails may be anybody
    acting = actor or own
    entry = SecurityEntry(
        at=utcnow(),
        kind=kind,
        actor_id=acting.id if acting else None,
        user_id=user.id if user else None,
        address=(request.remote_addr or "")[:45] if seen else "",
        browser=_plain(request.user_agent.string or "") if seen else "",
        data={key: _plain(value) for key, value in data.items()},
    )
    db.session.add(entry)
    db.session.info.setdefault("security lines", []).append(_line(entry))
    return entry


def write_lines() -> None:
    """Let the lines go to standard error as they are, one JSON object each, among what else a server says there."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    lines.handlers, lines.propagate = [handler], False


def without_tokens(path: str) -> str:
    """Return a path as it may stand in a log: what could be the token of a one-time link is left out."""
    return _TOKEN.sub("…", path)


class HidesTokens(logging.Filter):
    """Keeps the tokens of links out of an access log whose records hold the ``path``."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without tokens."""
        if isinstance(record.args, dict) and "path" in record.args:
            record.args = record.args | {"path": without_tokens(str(record.args["path"]))}
        return True


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, short; control characters cannot forge a line, for JSON escapes them."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(part) for part in list(value)[:50]]
    return "".join(c if c.isprintable() else " " for c in str(value))[:LONGEST]


def _line(entry: SecurityEntry) -> str:
    said = {
        "at": entry.at.isoformat(timespec="milliseconds"),
        "event": entry.kind,
        "actor": entry.actor_id,
        "account": entry.user_id,
        "address": entry.address,
        "browser": entry.browser,
        **({"data": entry.data} if entry.data else {}),
    }
    return json.dumps(said, ensure_ascii=True)


@sa.event.listens_for(Session, "after_commit")
def _write(session: Session) -> None:
    for line in session.info.pop("security lines", ()):
        lines.info("%s", line)


@sa.event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("security lines", None)
