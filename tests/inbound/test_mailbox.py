"""Looking into a mailbox over IMAP: each mail is taken in once and put aside, whatever happens between."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.accounts.roles import Role
from portal.comments.models import Comment
from portal.config import ConfigurationError
from portal.db import db, utcnow
from portal.inbound import mailbox as chore
from portal.inbound.receiving import Outcome
from portal.notifications.models import Mailbox
from tests.factories import make_idea, make_user
from tests.inbound.conftest import SETTINGS
from tests.inbound.letters import a_reply, address_for, outcomes
from tests.support import on_one_database
from tests.support.mail import free_port

pytestmark = pytest.mark.settings(**SETTINGS)


def row() -> Mailbox:
    db.session.rollback()
    return db.session.execute(select(Mailbox)).scalar_one()


def test_mails_are_taken_in_once_and_put_aside(app, mailbox, monkeypatch):
    user, idea = make_user(), make_idea()
    first, second = (
        a_reply(user.email, address_for(user, idea), "One."),
        a_reply(user.email, address_for(user, idea), "Two."),
    )
    monkeypatch.setitem(app.config, "INBOUND_URL", mailbox.url)
    mailbox.put(first)
    mailbox.put(second)

    looked = [chore.look(), chore.look()]
    mailbox.put(first)
    with time_machine.travel(utcnow() + timedelta(seconds=61)):
        looked.append(chore.look())

    assert looked == [2, 0, 1]
    assert outcomes() == [Outcome.POSTED] * 2
    assert sorted(db.session.scalars(select(Comment.body))) == ["One.", "Two."]
    assert mailbox.lie_in("INBOX") == []
    assert len(mailbox.lie_in("Taken in")) == 3
    assert (row().error, row().attempts) == (None, 0)


@on_one_database
def test_a_mail_that_breaks_stays_there_flagged_and_holds_nobody_up(app, mailbox, monkeypatch, browse):
    user, idea, admin = make_user(), make_idea(), make_user(Role.ADMIN)
    mailbox.put(b"Subject: breaks\r\n\r\n")
    mailbox.put(a_reply(user.email, address_for(user, idea)))
    monkeypatch.setitem(app.config, "INBOUND_URL", mailbox.url)
    take = chore.receive

    def receive(raw: bytes) -> Outcome:
        if b"breaks" in raw:
            raise ValueError("this one")
        return take(raw)

    monkeypatch.setattr(chore, "receive", receive)
    looked = chore.look()
    with time_machine.travel(utcnow() + timedelta(seconds=61)):
        again = chore.look()

    told = browse(admin).get("/mail/health").text
    mailbox.empty()  # somebody looked at it, and it was nothing
    with time_machine.travel(utcnow() + timedelta(seconds=125)):
        chore.look()

    assert (looked, again, outcomes()) == (2, 0, [Outcome.POSTED])
    assert "1 mail in the mailbox could not be read." in told and "needs only lose its flag" in told
    assert row().flagged == 0
    assert "could not be read" not in browse(admin).get("/mail/health").text


@on_one_database
def test_a_mailbox_that_cannot_be_read_is_asked_ever_more_rarely_and_says_why(app, mailbox, monkeypatch):
    wrong = [
        f"imap://demouser:wrong@127.0.0.1:{mailbox.port}/INBOX",
        f"imap://demouser:demopass@127.0.0.1:{free_port()}/INBOX",
        f"imap://demouser:demopass@127.0.0.1:{mailbox.port}/Nowhere",
        f"imaps://demouser:demopass@127.0.0.1:{mailbox.port}/INBOX",
    ]
    said = [chore.check(url) for url in wrong]
    monkeypatch.setitem(app.config, "INBOUND_URL", wrong[0])
    waits = []
    for _ in range(6):
        with time_machine.travel(row().available_at if waits else utcnow(), tick=False):
            assert chore.look() == 0
            waits.append((row().available_at - utcnow()).total_seconds())

    assert all(said)
    assert "demopass" not in "".join(said)
    assert waits == [60, 120, 240, 480, 900, 900]
    assert "wrong" not in (row().error or "wrong")
    assert chore.check(mailbox.url) == ""


@pytest.mark.parametrize(
    "settings",
    [{"INBOUND_URL": "imap://user:secret@mail.example/INBOX"}, {"INBOUND_URL": "pop3://mail.example"},
     {"REPLY_TO": "ideas@reply.example"}, {"REPLY_TO": "ideas+{token}"},
     {"BOUNCE_TO": "a name that is far too long+{token}@x.example"},
     {"INBOUND_URL": "imaps://ann:pa/ss@mail.example/INBOX"}, {"INBOUND_SECRET": "short"},
     {"MAIL_URL": "smtp://ann:pa/ss@mail.example:587"}, {"MAIL_URL": "smtp://ann@mail.example:99999"},
     {"MAIL_URL": "http://mail.example"}, {"MAIL_URL": "smtp:"}, {"MAIL_FROM": "Fellside ideas"},
     {"MAIL_FROM": "Ideas\r\nBcc: eve@x.example <ideas@x.example>"}],
)  # fmt: skip
def test_settings_that_cannot_work_are_refused(tmp_path, settings):
    import portal

    with pytest.raises(ConfigurationError) as refused:
        portal.create_app({"INSTANCE": str(tmp_path), "TESTING": True, "WORKER": "off", **settings})

    assert f"PORTAL_{next(iter(settings))}" in str(refused.value)
    assert "secret@" not in str(refused.value) and "pa" not in str(refused.value).split("'")
    assert "pa/ss" not in str(refused.value)


@on_one_database
def test_a_mail_is_read_again_where_the_database_was_at_fault(app, mailbox, monkeypatch):
    user, idea = make_user(), make_idea()
    mailbox.put(a_reply(user.email, address_for(user, idea)))
    monkeypatch.setitem(app.config, "INBOUND_URL", mailbox.url)
    take = chore.receive

    def receive(raw: bytes) -> Outcome:
        monkeypatch.setattr(chore, "receive", take)
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(chore, "receive", receive)
    chore.look()
    said = row().error
    with time_machine.travel(utcnow() + timedelta(seconds=61)):
        chore.look()

    assert "database is locked" in said and row().error is None
    assert outcomes() == [Outcome.POSTED]


@on_one_database
def test_a_password_that_cannot_be_said_is_not_quoted(app, imap_server):
    said = chore.check(imap_server.url.replace("demopass", "p%C3%A4ss"))

    assert "letters outside ASCII" in said and "ä" not in said
