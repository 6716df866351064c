"""Every way in which a mail server can fail, on real sockets: the mail arrives, and the ledger says what happened."""

import smtplib
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from portal import leases, outbox
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.notifications import events
from portal.notifications.mails import line, sending, transport
from portal.notifications.mails.sending import Ending
from portal.notifications.models import Mail, MailAttempt, MailLine
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support.databases import on_one_database
from tests.support.faults import BrokenLine, Fault
from tests.support.mail import MailServer, free_port

SOON = 1  # seconds until we give up on a server that is made to be silent; a slow machine is given its time


@pytest.fixture
def broken(app, smtp: MailServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[BrokenLine]:
    """A line to the mail server that breaks as it is told; only where it hangs do we give up soon."""
    between, connect, patience = BrokenLine(smtp.url), transport.MailServer._connect, transport.TIMEOUT

    def connect_for_as_long(server: transport.MailServer) -> smtplib.SMTP:
        hangs = bool(between.faults) and between.faults[0].hangs
        monkeypatch.setattr(transport, "TIMEOUT", SOON if hangs else patience)
        return connect(server)

    monkeypatch.setattr(transport.MailServer, "_connect", connect_for_as_long)
    app.config["MAIL_URL"] = between.url
    yield between
    between.stop()


def queue_one() -> Mail:
    """Have one mail wait: the receipt of an idea."""
    make_idea("Huts on a map")
    outbox.work_off()
    return the_mail()


def the_mail() -> Mail:
    db.session.expire_all()
    return db.session.scalars(select(Mail)).one()


def attempts() -> list[MailAttempt]:
    return list(db.session.scalars(select(MailAttempt).order_by(MailAttempt.id)))


def the_line() -> MailLine:
    db.session.expire_all()
    return db.session.get_one(MailLine, line.KEY)


def later() -> None:
    """Let time pass for what waits."""
    with transaction():
        line.knock_again()
        for mail in db.session.scalars(select(Mail).where(Mail.done_at.is_(None))):
            mail.available_at = utcnow() - timedelta(seconds=1)
            mail.locked_until = None


UNREACHABLE = {
    "the greeting never comes": (Fault("connect", hangs=True), "timed out"),
    "the server hangs up before it greets": (Fault("connect"), "Connection unexpectedly closed"),
    "the server is busy": (Fault("connect", b"421 Too busy\r\n"), "421 Too busy"),
    "encryption is offered and fails": (Fault("starttls", b"220 Go ahead\r\n"), ""),
}


@on_one_database
@pytest.mark.parametrize("what", UNREACHABLE)
def test_who_cannot_be_reached_costs_no_mail_a_try(broken, smtp, what):
    fault, said = UNREACHABLE[what]
    queue_one()
    broken.break_with(fault)

    sending.send_due()

    mail, way = the_mail(), the_line()
    assert (mail.attempts, mail.unknown_ends, mail.given_up_at, mail.done_at) == (0, 0, None, None)
    assert said in way.words and said in mail.error
    assert way.failing_since and way.next_try_at > utcnow()
    assert sending.send_due() == 0 and broken.conversations == 1  # nobody knocks before the time
    later()
    sending.send_due()
    assert len(smtp.got) == 1 and the_mail().done_at and the_mail().error is None
    assert the_line().failing_since is None and attempts() == []


NOT_NOW = {
    "the sender, not now": (Fault("mail", b"451 Later\r\n"), "451 Later"),
    "the recipient, not now": (Fault("rcpt", b"450 Greylisted, try again\r\n"), "450 Greylisted, try again"),
    "the text, not now": (Fault("data", b"452 Disk full\r\n"), "452 Disk full"),
    "the whole mail, not now": (Fault("text", b"451 Later\r\n"), "451 Later"),
    "hung up at the recipient": (Fault("rcpt"), "Connection unexpectedly closed"),
    "hung up before the text": (Fault("data"), "Connection unexpectedly closed"),
    "silent at the sender": (Fault("mail", hangs=True), "timed out"),
}


@on_one_database
@pytest.mark.parametrize("what", NOT_NOW)
def test_what_is_not_taken_now_is_tried_again_with_the_servers_words(broken, smtp, what):
    fault, said = NOT_NOW[what]
    key = queue_one().key
    broken.break_with(fault)

    sending.send_due()

    mail = the_mail()
    [tried] = attempts()
    assert (mail.attempts, mail.unknown_ends, mail.given_up_at, mail.done_at) == (1, 0, None, None)
    assert said in mail.error and said in tried.words and tried.ended == Ending.LATER
    assert smtp.got == []
    later()
    sending.send_due()
    assert [m["Message-ID"] for m in smtp.got] == [f"<{key}@127.0.0.1>"]
    assert the_mail().done_at


REFUSED = {
    "the sender": (Fault("mail", b"553 Not yours\r\n"), "553 Not yours"),
    "the recipient": (Fault("rcpt", b"550 No such person\r\n"), "550 No such person"),
    "the text": (Fault("data", b"554 Never\r\n"), "554 Never"),
    "the whole mail": (Fault("taken", b"554 Looks like spam\r\n"), "554 Looks like spam"),
}


@on_one_database
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_for_good_is_set_aside_and_goes_out_when_somebody_says_so(broken, smtp, browse, what):
    fault, said = REFUSED[what]
    mail_id = queue_one().id
    broken.break_with(fault)

    sending.send_due()

    mail = the_mail()
    [tried] = attempts()
    assert mail.given_up_at and not mail.done_at and mail.unknown_ends == 0
    assert (mail.error, tried.words, tried.ended) == (said, said, Ending.REFUSED)
    smtp.got.clear()  # the real server had taken the whole mail
    browse(make_user(Role.ADMIN)).post(f"/mail/health/mails/{mail_id}/again")
    sending.send_due()
    db.session.rollback()
    assert len(smtp.got) == 1 and the_mail().done_at and the_mail().given_up_at is None


UNKNOWN = {
    "half of the text, and the line is cut": (Fault("text"), 0),
    "all of the text, and the line is cut before the answer": (Fault("taken"), 1),
    "all of the text, and the answer never comes": (Fault("taken", hangs=True), 1),
}


@on_one_database
@pytest.mark.parametrize("what", UNKNOWN)
def test_where_nobody_knows_the_mail_goes_once_more_under_its_number_and_then_never(broken, smtp, what):
    fault, arrives = UNKNOWN[what]
    key = queue_one().key
    broken.break_with(fault, times=2)

    for times in (1, 2):
        sending.send_due()
        assert len(smtp.got) == arrives * times
        assert (the_mail().unknown_ends, the_mail().done_at, the_mail().given_up_at) == (times, None, None)
        later()
    for _ in range(2):
        sending.send_due()
        later()

    assert the_mail().given_up_at and the_mail().error == "unknown whether it arrived"
    assert [tried.ended for tried in attempts()] == [Ending.UNKNOWN, Ending.UNKNOWN]
    assert len(smtp.got) == arrives * 2 and {m["Message-ID"] for m in smtp.got} <= {f"<{key}@127.0.0.1>"}


@on_one_database
def test_where_nobody_knew_and_it_was_taken_the_second_time_the_mail_is_sent(broken, smtp):
    queue_one()
    broken.break_with(Fault("text"))

    sending.send_due()
    later()
    sending.send_due()

    assert len(smtp.got) == 1
    assert (the_mail().unknown_ends, the_mail().error, bool(the_mail().done_at)) == (0, None, True)


class Clock:
    """The time as the portal sees it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = utcnow()
        for module in (sending, line, leases):
            monkeypatch.setattr(module, "utcnow", lambda: self.now)

    def advance(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


def test_after_hours_without_a_server_everybody_reads_what_happened_in_order(app, smtp, monkeypatch):
    clock, authors = Clock(monkeypatch), [make_user(), make_user()]
    app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    titles = [f"Thing number {number}" for number in range(4)]

    for title in titles:
        for author in authors:
            make_idea(title, author=author)
        outbox.work_off()
        for _ in range(60):
            clock.advance(minutes=1)
            sending.send_due()
            line.watch()
    knocks = the_line().failures
    app.config["MAIL_URL"] = smtp.url
    clock.advance(seconds=line.MOST_WAIT)
    while sending.send_due():
        pass
    line.watch()

    for author in authors:
        read = [m["Subject"] for m in smtp.got if m["To"] == author.email]
        assert read == [f"Received: {title}" for title in titles]
    assert knocks < 80  # once in five minutes, whatever waits
    assert all(mail.attempts == 1 for mail in db.session.scalars(select(Mail)))
    facts = db.session.scalars(select(EventRecord.name).order_by(EventRecord.id))
    assert [fact for fact in facts if fact.startswith("mail.")] == [events.MailStuck.name, events.MailFlows.name]


def test_what_happened_later_waits_for_the_mail_that_was_not_taken(app, smtp, monkeypatch):
    clock, author = Clock(monkeypatch), make_user()
    for title in ("The first", "The second"):
        make_idea(title, author=author)
    make_idea("Somebody else's")
    clock.advance(minutes=1)
    outbox.work_off()
    smtp.refuse("451 Later")

    clock.advance(minutes=1)
    sending.send_due()
    clock.advance(seconds=1)
    sending.send_due()
    before = [m["Subject"] for m in smtp.got]
    clock.advance(minutes=1)
    while sending.send_due():
        pass

    assert before == ["Received: Somebody else's"]
    assert [m["Subject"] for m in smtp.got][1:] == ["Received: The first", "Received: The second"]
