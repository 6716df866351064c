"""The chore that looks into a mailbox (IMAP): each mail in it is taken in and then put aside, into another folder."""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal import leases
from portal.db import db, insert_if_absent, utcnow
from portal.inbound.receiving import LARGEST, receive
from portal.notifications.mails.transport import in_short
from portal.notifications.models import Mailbox
from portal.transactions import transaction
from portal.worker import until_stopped

log = logging.getLogger(__name__)

NAME = "inbound"
EVERY, AT_MOST_EVERY = timedelta(minutes=1), timedelta(minutes=15)  # when all is well; after many failures
LEASE = timedelta(minutes=5)
BATCH = 20
TIMEOUT = 10  # seconds for each step of the conversation
NEARBY = frozenset({"localhost", "127.0.0.1", "::1"})


class Closed(Exception):
    """The mailbox could not be read; the words say why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mailbox is, as its address says."""

    host: str
    port: int
    over_tls: bool
    user: str
    password: str
    folder: str
    done: str  # the folder for what was taken in


def look() -> int:
    """Take in what lies in the mailbox, if its turn has come; return how many mails that was."""
    if not current_app.config["INBOUND_URL"] or not _is_due():
        return 0
    ids = leases.claim(Mailbox, 1, LEASE)
    if not ids:
        return 0
    taken, flagged, words = 0, None, ""
    try:
        taken, flagged = _empty(place_of(current_app.config["INBOUND_URL"]))
    except Closed as problem:
        words = str(problem)
        log.warning("the mailbox for replies cannot be read: %s", words)
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
        log.exception("the mailbox for replies could not be emptied")
    _note(ids[0], taken, flagged, words)
    return taken


def check(url: str) -> str:
    """Return what keeps us from reading this mailbox, in words; nothing when all is well."""
    try:
        with _opened(place_of(url)):
            return ""
    except Closed as problem:
        return str(problem)


def place_of(url: str) -> Place:
    """Read the address of a mailbox: ``imaps://user:password@host:993/INBOX?done=Done``."""
    parts = urlsplit(url)
    over_tls = parts.scheme == "imaps"
    return Place(
        host=parts.hostname or "localhost",
        port=parts.port or (993 if over_tls else 143),
        over_tls=over_tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        folder=unquote(parts.path.strip("/")) or "INBOX",
        done=parse_qs(parts.query).get("done", ["Done"])[0],
    )


def _is_due() -> bool:
    row = db.session.execute(select(Mailbox.available_at).where(Mailbox.name == NAME)).one_or_none()
    if row is None:
        with transaction(wake=False):
            insert_if_absent(Mailbox, name=NAME)
        return True
    due: bool = row[0] <= utcnow()
    return due


def _note(mailbox_id: int, taken: int, flagged: int | None, words: str) -> None:
    """Note how it went, and when the next turn is: at once after a full batch, ever later after failures."""
    with transaction(wake=False):
        row = db.session.get(Mailbox, mailbox_id)
        if row is None or row.locked_by != leases.WORKER_NAME:
            return
        now = utcnow()
        row.locked_until = row.locked_by = None
        row.error = words[:500] or None
        row.flagged = row.flagged if flagged is None else flagged
        if words:
            row.available_at = now + min(EVERY * 2 ** min(row.attempts - 1, 10), AT_MOST_EVERY)
            return
        row.attempts, row.looked_at = 0, now
        row.available_at = now if taken >= BATCH else now + EVERY


def _empty(place: Place) -> tuple[int, int]:
    """Take in one batch of mails; return how many, and how many lie there flagged, because nobody could read them.

    Each is put aside when it is taken in, so that a crash repeats it at most.
    """
    with _opened(place) as box:
        numbers = _search(box, "UNFLAGGED")[:BATCH]
        if numbers:
            _expect(box.create(_quoted(place.done)), "create", but="NO")  # it may be there already
        for number in until_stopped(numbers):
            raw = _fetch(box, number)
            if raw is None:
                continue
            try:
                receive(raw)
            except OperationalError:
                raise  # the database is at fault and not the mail, which is read another time
            except Exception:
                log.exception("mail %s of the mailbox could not be taken in; it stays there, flagged", number)
                _expect(box.uid("STORE", number, "+FLAGS.SILENT", r"(\Flagged)"), "flag")
                continue
            _put_aside(box, number, place.done)
        return len(numbers), len(_search(box, "FLAGGED"))


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[imaplib.IMAP4]:
    """Sign in and open the folder; raises Closed with the reason, also for what breaks inside."""
    try:
        box = _connect(place)
    except (OSError, imaplib.IMAP4.error) as error:
        raise Closed(f"{place.host}:{place.port}: {_words(error)}") from None
    try:
        _expect(box.login(place.user, place.password), "sign in")
        _expect(box.select(_quoted(place.folder)), "open the folder")
        yield box
    except UnicodeError:  # which would quote from the password
        said = "name or password have letters outside ASCII, with which nobody can sign in there"
        raise Closed(f"{place.host}:{place.port}: {said}") from None
    except (OSError, imaplib.IMAP4.error) as error:
        raise Closed(f"{place.host}:{place.port}: {_words(error)}") from None
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _connect(place: Place) -> imaplib.IMAP4:
    if place.over_tls:
        return imaplib.IMAP4_SSL(place.host, place.port, ssl_context=ssl.create_default_context(), timeout=TIMEOUT)
    box = imaplib.IMAP4(place.host, place.port, timeout=TIMEOUT)
    if place.host not in NEARBY:
        box.shutdown()
        raise imaplib.IMAP4.error("a mailbox elsewhere is read over TLS alone; use imaps:")
    return box


def _search(box: imaplib.IMAP4, which: str) -> list[str]:
    found = _expect(box.uid("SEARCH", "UNDELETED", which), "look for mails")
    return [number.decode() for number in (found[0] or b"").split()]


def _fetch(box: imaplib.IMAP4, number: str) -> bytes | None:
    """Return a mail as it came; of one that is too large only what is said before its files."""
    size = re.search(
        rb"RFC822\.SIZE (\d+)", b" ".join(_flat(_expect(box.uid("FETCH", number, "(RFC822.SIZE)"), "read")))
    )
    part = "(BODY.PEEK[])" if size is None or int(size[1]) <= LARGEST else f"(BODY.PEEK[]<0.{LARGEST // 25}>)"
    answer = _expect(box.uid("FETCH", number, part), "read a mail")
    return next((piece[1] for piece in answer if isinstance(piece, tuple)), None)


def _put_aside(box: imaplib.IMAP4, number: str, folder: str) -> None:
    """Move a mail to the other folder, by what the server knows."""
    known = _capabilities(box)
    if "MOVE" in known:
        _expect(box.uid("MOVE", number, _quoted(folder)), "move a mail")
        return
    _expect(box.uid("COPY", number, _quoted(folder)), "copy a mail")
    _expect(box.uid("STORE", number, "+FLAGS.SILENT", r"(\Deleted)"), "delete a mail")
    _expect(box.uid("EXPUNGE", number) if "UIDPLUS" in known else box.expunge(), "delete a mail")


def _capabilities(box: imaplib.IMAP4) -> set[str]:
    """Return what the server knows now; many say more once somebody is signed in."""
    return {word.decode().upper() for line in _expect(box.capability(), "ask what it knows") for word in line.split()}


def _expect(answer: tuple[str, list[Any]], what: str, but: str = "OK") -> list[Any]:
    said, data = answer
    if said not in {"OK", but}:
        raise imaplib.IMAP4.error(f"cannot {what}: {_words(*data)}")
    return data


def _flat(data: list[Any]) -> list[bytes]:
    return [part for piece in data for part in (piece if isinstance(piece, tuple) else (piece,)) if part]


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(*said: object) -> str:
    texts = [part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in said]
    return in_short(" ".join(" ".join(texts).split()))[:300]
