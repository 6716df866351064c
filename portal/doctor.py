"""Is this instance well? What ``portal doctor`` looks at, each finding one sentence in plain words."""

from __future__ import annotations

import smtplib
import ssl
import stat
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import make_msgid
from enum import IntEnum
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import aliased

from portal.boards.models import Board
from portal.comments.models import Comment, Helpful
from portal.db import db, on_sqlite, utcnow
from portal.events import OutboxRow
from portal.extensions import limiter
from portal.ideas.models import Idea, Objection, Vote
from portal.ideas.promised import Promise
from portal.ideas.supporters import is_counted, is_set_apart
from portal.ideas.workflow import Publication, Status
from portal.inbound import mailbox
from portal.notifications.mails.addresses import in_header, on_the_line
from portal.notifications.mails.letter import POLICY, sender_address
from portal.notifications.mails.transport import EndUnknown, MailServer, NotEncrypted, NotTaken, Unreachable
from portal.notifications.models import Mail
from portal.schema import read_schema
from portal.search.engine import NeedsRebuild
from portal.search.index import engine
from portal.search.models import IndexTask
from portal.workflows.checks import problems
from portal.workflows.queries import count_ideas, now_held

LATE = timedelta(minutes=10)


class Health(IntEnum):
    """How bad a finding is."""

    OK = 0
    ATTENTION = 1
    BROKEN = 2

    @property
    def label(self) -> str:
        """The word in front of the sentence."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    health: Health
    sentence: str


Findings = Iterator[Finding]


def examine(mail_to: str | None = None) -> Findings:
    """Yield what is found, in the order in which one would mend it."""
    yield from _settings()
    yield from _secret()
    yield from _limits()
    if (yield from _database()):
        for look in (_counters, _promises, _merges, _workflow, _outbox, _mails, _index):
            yield from look()
    yield from _mail(mail_to)
    yield from _inbound()


def _ok(sentence: str) -> Finding:
    return Finding(Health.OK, sentence)


def _attention(sentence: str) -> Finding:
    return Finding(Health.ATTENTION, sentence)


def _broken(sentence: str) -> Finding:
    return Finding(Health.BROKEN, sentence)


def _settings() -> Findings:
    config = current_app.config
    if config["PRODUCTION"]:
        yield _ok(f"Settings are fit for production at {config['BASE_URL']}.")
    elif config["DEMO"]:
        yield _attention("This is a demo: everybody may read all mails and sign in to the demo accounts.")
    else:
        yield _attention(
            f"Settings are for trying out at {config['BASE_URL']}. For real use, set PORTAL_BASE_URL to an https: one."
        )
    yield _ok(f"The instance folder {config['INSTANCE']} can be written.")


def _secret() -> Findings:
    file = Path(current_app.config["INSTANCE"]) / "secret_key"
    if not file.exists():
        yield _ok("The secret key comes from the settings.")
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        yield _attention(
            f"The secret key can be read by other users of this machine (mode {mode:o}). Run: chmod 600 {file}"
        )
    else:
        yield _ok("The secret key is readable by its owner only.")


def _limits() -> Findings:
    where = current_app.config["LIMITS_STORAGE"].partition("?")[0].rpartition("@")[2]
    if not current_app.config["LIMITS"]:
        yield _attention("Rate limits are off (PORTAL_LIMITS).")
    elif limiter.storage.check():
        yield _ok(f"Rate limits are counted in {where}.")
    else:
        yield _attention(
            f"Rate limits cannot be counted in {where}; each process counts for itself. Does that server run?"
        )


def _database() -> Generator[Finding, None, bool]:
    """Look at the database; the generator returns whether there is one to look at further."""
    kind = "SQLite" if on_sqlite() else "PostgreSQL"
    try:
        schema = read_schema()
    except DBAPIError as problem:
        said = str(problem.orig or problem).strip().splitlines()[0]
        yield _broken(f"{kind} cannot be reached ({said}). Check PORTAL_DATABASE_URL.")
        return False
    if not schema.is_newest:
        yield _broken(
            f"The database is at {schema.current or 'nothing'}, this version needs {schema.newest}. "
            "Run: portal db upgrade"
        )
        return False
    yield _ok(f"{kind} answers, and its tables are those of this version ({schema.current}).")
    return True


def _counters() -> Findings:
    wrong = [sentence for look in (_votes, _comments, _helpful, _ideas) for sentence in look()]
    if not wrong:
        yield _ok("The counters of votes, comments, thanks and ideas equal what they count.")
    for sentence in wrong:
        yield _broken(sentence)


def _promises() -> Findings:
    owing = (Status.NEW, Status.UNDER_REVIEW, Status.PLANNED, Status.IN_PROGRESS)
    running = select(Promise.id).where(Promise.idea_id == Idea.id, Promise.ended_at.is_(None))
    noted = running.where(Promise.due_at == Idea.due_at).exists()
    shown = (Idea.publication == Publication.PUBLISHED) & Idea.status.in_(owing)
    apart = select(Idea.id).where(
        shown, sa.or_(Idea.due_at.is_not(None) & ~noted, Idea.due_at.is_(None) & running.exists())
    )
    wrong = db.session.scalars(apart.order_by(Idea.id)).all()
    if not wrong:
        yield _ok("The ledger of promises says the same as the ideas.")
    for idea_id in wrong:
        yield _broken(f"Idea {idea_id} owes its next word by another day than the ledger of promises says.")


def _votes() -> Iterator[str]:
    main = sa.func.coalesce(Idea.merged_into_id, Idea.id).label("main_id")
    people = sa.func.count(sa.distinct(Vote.voter_id)).label("people")
    counts = Idea.merged_into_id.is_(None) | ~is_set_apart(Vote.idea_id, Vote.voter_id)
    behind = select(main, people).join(Vote, Vote.idea_id == Idea.id).where(counts, is_counted(Vote))
    counted = behind.group_by(main).subquery()
    yield from _differences("Votes of idea", Idea.id, Idea.votes, counted, Idea.merged_into_id.is_(None))
    given = select(Vote.idea_id, people).where(is_counted(Vote)).group_by(Vote.idea_id).subquery()
    yield from _differences("Votes of idea", Idea.id, Idea.votes, given, Idea.merged_into_id.is_not(None))


def _comments() -> Iterator[str]:
    counted = select(Comment.idea_id, sa.func.count().label("comments")).where(Comment.deleted_at.is_(None))
    yield from _differences("Comments of idea", Idea.id, Idea.comments, counted.group_by(Comment.idea_id).subquery())


def _helpful() -> Iterator[str]:
    counted = select(Helpful.comment_id, sa.func.count().label("people")).group_by(Helpful.comment_id).subquery()
    yield from _differences("Thanks for comment", Comment.id, Comment.helpful, counted)


def _ideas() -> Iterator[str]:
    shown = (Idea.publication == Publication.PUBLISHED) & (Idea.status != Status.MERGED)
    counted = select(Idea.board_id, sa.func.count().label("ideas")).where(shown).group_by(Idea.board_id).subquery()
    yield from _differences("Ideas on board", Board.id, Board.ideas, counted)


def _differences(
    what: str,
    key: sa.orm.InstrumentedAttribute[int],
    counter: sa.orm.InstrumentedAttribute[int],
    counted: sa.Subquery,
    where: sa.ColumnElement[bool] | None = None,
) -> Iterator[str]:
    there = sa.func.coalesce(counted.c[1], 0)
    rows = select(key, counter, there).outerjoin(counted, counted.c[0] == key).where(counter != there).order_by(key)
    found = db.session.execute(rows if where is None else rows.where(where)).all()
    for number, kept, real in found[:3]:
        yield f"{what} {number}: the counter says {kept}, there are {real}."
    if len(found) > 3:
        yield f"{what}: {len(found) - 3} more counters are wrong."


def _merges() -> Findings:
    main = aliased(Idea)
    linked = Idea.merged_into_id.is_not(None)
    unsound = db.session.scalars(
        select(Idea.id)
        .outerjoin(main, main.id == Idea.merged_into_id)
        .where(sa.or_(linked != (Idea.status == Status.MERGED), main.merged_into_id.is_not(None)))
        .order_by(Idea.id)
    ).all()
    merged = db.session.scalar(select(sa.func.count()).where(linked)) or 0
    astray = db.session.scalars(
        select(Objection.idea_id).join(Idea, Idea.id == Objection.idea_id).where(Objection.ended_at.is_(None), ~linked)
    ).all()
    if astray:
        yield _broken(f"Objections stand against no merge for {_some(astray)}.")
    if unsound:
        yield _broken(f"Merges do not lead to a main idea for {_some(unsound)}.")
    else:
        yield _ok(f"All {merged} merged ideas lead to a main idea." if merged else "No idea is merged.")


def _workflow() -> Findings:
    against = problems(now_held()[1], count_ideas(None))
    yield from map(_broken, against)
    if not against:
        yield _ok("Every idea stands where the workflow knows, and can go on from there.")


def _outbox() -> Findings:
    yield from _work(OutboxRow, "What follows from changes", "consequences of changes", OutboxRow.available_at)


def _mails() -> Findings:
    yield from _work(Mail, "Mails", "mails", Mail.queued_at)


def _work(
    table: type[OutboxRow] | type[Mail], what: str, rows: str, since: sa.orm.InstrumentedAttribute[object]
) -> Findings:
    waiting = (table.done_at.is_(None), table.given_up_at.is_(None))
    due = db.session.execute(
        select(sa.func.count(), sa.func.min(table.available_at)).where(*waiting, table.available_at <= utcnow())
    ).one()
    given_up = db.session.scalar(select(sa.func.count()).where(table.given_up_at.is_not(None))) or 0
    if given_up:
        error = db.session.scalar(
            select(table.error).where(table.given_up_at.is_not(None)).order_by(table.id.desc()).limit(1)
        )
        yield _attention(f"{given_up} {rows} were set aside after many attempts; the last said: {error}")
    if due[0] and utcnow() - due[1] > LATE:
        minutes = int((utcnow() - due[1]).total_seconds() // 60)
        yield _attention(
            f"{due[0]} {rows} wait, the oldest for {minutes} minutes. Does the portal or `portal worker` run?"
        )
    elif not given_up:
        yield _ok(f"{what}: {due[0]} waiting, none late or set aside.")


def _index() -> Findings:
    rebuild = "Run: portal search rebuild"
    if not engine().is_healthy():
        yield _broken(f"The search index is missing or damaged. {rebuild}")
        return
    try:
        found = engine().ids()
    except NeedsRebuild as problem:
        yield _broken(f"{problem} {rebuild}")
        return
    noted = set(db.session.scalars(select(IndexTask.idea_id)))
    kept = set(db.session.scalars(select(Idea.id).where(Idea.publication != Publication.REMOVED)))
    missing, extra = kept - found - noted, found - kept - noted
    if missing or extra:
        yield _broken(f"The search index lacks {len(missing)} ideas and has {len(extra)} that are gone. {rebuild}")
    else:
        yield _ok(f"{len(found)} ideas can be found" + (f", {len(noted)} wait to be read anew." if noted else "."))


def _mail(mail_to: str | None) -> Findings:
    address = str(current_app.config["MAIL_URL"])
    url = urlsplit(address)
    if not address:
        yield _attention("No mail leaves the portal: PORTAL_MAIL_URL is empty. Inboxes work all the same.")
    elif url.scheme == "catch":
        yield _ok("Mails are kept in the portal and go nowhere (PORTAL_MAIL_URL=catch:).")
    elif url.scheme not in {"smtp", "smtps"} or not url.hostname:
        yield _broken(
            "PORTAL_MAIL_URL must be like smtp://user:password@host:587, smtps://user:password@host:465 or catch:."
        )
    elif mail_to and not _is_address(mail_to):
        yield _broken(f"{mail_to} is no address to send a test mail to.")
        return
    else:
        yield _ask_mail_server(address, mail_to)
        return
    if mail_to:
        yield _broken(f"No test mail went to {mail_to}: PORTAL_MAIL_URL names no mail server.")


def _inbound() -> Findings:
    if url := str(current_app.config["INBOUND_URL"]):
        problem = mailbox.check(url)
        yield (
            _broken(f"The mailbox for replies cannot be read: {problem}")
            if problem
            else _ok("The mailbox for replies can be read.")
        )
    elif current_app.config["REPLY_TO"] and not current_app.config["INBOUND_SECRET"]:
        yield _attention(
            "Replies to mails arrive nowhere: PORTAL_REPLY_TO is set, PORTAL_INBOUND_URL and _SECRET are not."
        )


def _ask_mail_server(address: str, mail_to: str | None) -> Finding:
    """Speak with the mail server as sending does, and say what it answered."""
    server = MailServer(address)
    where, step = f"{server.host}:{server.port}", f"does not take the mail to {mail_to}"
    try:
        if mail_to:
            server.hand_over(_test_mail(mail_to), sender_address(), mail_to)
            return _ok(f"The mail server {where} took the test mail to {mail_to}. Look whether it arrives.")
        return _ok(f"The mail server {where} answers, {_line_to(server)}.")
    except Unreachable as problem:
        step = _STEPS.get(type(problem.cause), "does not answer")
        return _broken(f"The mail server {where} {step}: {str(problem).removeprefix(f'{where}: ')}")
    except (NotTaken, EndUnknown) as problem:
        return _broken(f"The mail server {where} {step}: {problem}")
    finally:
        server.close()


_STEPS: dict[type[Exception] | type[None], str] = {
    NotEncrypted: "does not encrypt",
    ssl.SSLError: "does not encrypt",
    ssl.SSLCertVerificationError: "does not prove itself",
    smtplib.SMTPAuthenticationError: "does not let us in",
    smtplib.SMTPNotSupportedError: "does not let us in",
    UnicodeEncodeError: "does not let us in",
}


def _line_to(server: MailServer) -> str:
    server.greet()
    over = getattr(server.client, "sock", None)
    return f"over {over.version()}" if isinstance(over, ssl.SSLSocket) else "unencrypted"


def _is_address(text: str) -> bool:
    """Whether a mail can be sent there; a name beside the address is none."""
    try:
        return "@" in str(in_header(text))
    except (ValueError, MessageError):
        return False


def _test_mail(mail_to: str) -> EmailMessage:
    config = current_app.config
    mail = EmailMessage(policy=POLICY.clone(utf8=not on_the_line(mail_to).isascii()))
    mail["From"], mail["To"] = in_header(sender_address()), in_header(mail_to)
    mail["Subject"] = f"Test mail from {config['NAME']}"
    mail["Message-ID"] = make_msgid(domain=urlsplit(config["BASE_URL"]).hostname or "localhost")
    mail.set_content(f"{config['NAME']} at {config['BASE_URL']} can send mail to you. There is nothing to do.\n")
    return mail


def _some(ids: Sequence[int]) -> str:
    return f"idea {', '.join(map(str, ids[:5]))}" + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")
