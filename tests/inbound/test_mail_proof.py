"""The page by which whoever runs the portal proves the whole way of mail: out, what others make of it, and back in."""

import html
import re
import socket
import ssl
from datetime import timedelta

import pytest
import time_machine
from aiosmtpd.smtp import AuthResult
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.inbound import mailbox as chore
from portal.inbound.receiving import Outcome
from portal.membership import mail_proof
from portal.notifications.mails import coming_back, line, sending, states
from portal.notifications.mails.states import State
from portal.notifications.models import Mail, Mailbox
from portal.notifications.service import forget_letters_to_strangers
from portal.privacy.service import erase
from portal.transactions import transaction
from tests.factories import make_user
from tests.inbound.conftest import SETTINGS
from tests.inbound.letters import a_bounce, a_reply, outcomes
from tests.support import HTMX
from tests.support.certificates import make_certificate, serving
from tests.support.databases import on_one_database
from tests.support.faults import BrokenLine, Fault
from tests.support.mail import MailServer, free_port

TRUSTED = "mx.example.org"


def words(answer) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", answer.text)))


@pytest.fixture
def admin(app):
    return make_user(Role.ADMIN)


def sent_by(browse, admin, to="") -> tuple[str, Mail]:
    """Send a test; return what the page says and its row."""
    page = browse(admin).post("/admin/mail-test", data={"to": to or admin.email}, follow_redirects=True)
    return words(page), the_test()


def the_test() -> Mail:
    db.session.rollback()
    return db.session.scalars(select(Mail).where(Mail.kind == mail_proof.LETTER).order_by(Mail.id.desc())).first()


def test_the_page_tells_how_the_mail_left_and_the_ledger_has_it(browse, smtp, admin):
    page, mail = sent_by(browse, admin, "ops@example.org")

    assert "took the mail to ops@example.org" in page and "250 Kept" in page
    assert "Whoever is on the way to the server can read every mail" in page
    assert re.search(r"It offered.*SIZE \d+", page)
    assert "the server knows this machine" in page
    assert states.state_of(mail, utcnow()) is State.SENT
    assert sending.send_due() == 0 and len(smtp.got) == 1
    assert smtp.got[0]["Subject"].startswith("Test mail from")


@pytest.mark.settings(**SETTINGS)
def test_the_test_leaves_by_the_path_that_all_mails_leave_by(browse, smtp, admin, monkeypatch):
    senders, handed = [], smtp.controller.handler.handle_DATA
    monkeypatch.setattr(
        type(smtp),
        "handle_DATA",
        lambda self, server, session, envelope: senders.append(envelope.mail_from) or handed(server, session, envelope),
    )

    _page, mail = sent_by(browse, admin)

    assert senders == [f"bounces+{coming_back.bounce_token(mail.id, mail.to)}@reply.example"]
    assert smtp.got[0]["Reply-To"].addresses[0].addr_spec == coming_back.test_address(mail)


@on_one_database
def test_a_certificate_that_holds_is_named_and_one_that_does_not_is_refused(app, browse, admin, tmp_path, monkeypatch):
    file = make_certificate(tmp_path, "localhost")
    server = MailServer(tls_context=serving(file))
    monkeypatch.setitem(app.config, "MAIL_URL", server.url.replace("127.0.0.1", "localhost"))
    try:
        stranger, _mail = sent_by(browse, admin)
        plain = ssl.create_default_context
        monkeypatch.setattr(ssl, "create_default_context", lambda: plain(cafile=file))
        known, _mail = sent_by(browse, admin)
    finally:
        server.stop()

    assert "The certificate does not prove that this is the server" in stranger and "self-signed" in stranger
    assert "Yes, TLSv1.3. The certificate proves that it is the server." in known
    assert "For localhost, by localhost, until" in known and "STARTTLS" in known
    assert len(server.got) == 1


@on_one_database
def test_a_test_is_forgotten_after_90_days_or_with_whom_it_went_to_and_makes_no_address_the_testers(browse, admin):
    other, who = make_user(), admin.id
    gone = other.id
    sent_by(browse, admin, other.email)
    sent_by(browse, admin, "ann@elsewhere.example")
    with transaction():
        db.session.add(Mail(key="sign-up", kind="sign_up", recipient="ann@elsewhere.example"))  # waits yet
        make_user(Role.OWNER)
    there = select(Mail.recipient).order_by(Mail.id)

    with transaction():
        erase(db.session.get_one(User, gone))
    assert db.session.scalars(there).all() == ["ann@elsewhere.example"] * 2
    with time_machine.travel(utcnow() + timedelta(days=91)), transaction():
        assert forget_letters_to_strangers() == 1
    sent_by(browse, db.session.get_one(User, who), "ann@elsewhere.example")
    with transaction():
        erase(db.session.get_one(User, who))
    assert db.session.scalars(select(Mail.kind)).all() == ["sign_up"]


TROUBLES = {
    "nobody listens": ("smtp://127.0.0.1:{free}", "Nothing listens there"),
    "no such host": ("smtp://nowhere.invalid:25", "Nobody knows a host of this name"),
    "encrypted from the start, and it is not": ("smtps://127.0.0.1:{smtp}", "Use smtp: instead of smtps:"),
    "nobody signs in there": ("smtp://ann:secret@127.0.0.1:{smtp}", "The server lets nobody sign in here"),
    "encryption that nobody offers": ("smtp://127.0.0.1:{smtp}?tls=required", "Use a port with encryption"),
}


@on_one_database
@pytest.mark.parametrize("what", TROUBLES)
def test_why_a_server_cannot_be_spoken_to_is_said_with_what_to_do_and_without_the_password(
    app, browse, smtp, admin, monkeypatch, what
):
    url, advice = TROUBLES[what]
    known = socket.getaddrinfo

    def look_up(host, *about, **more):
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *about, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    app.config["MAIL_URL"] = url.format(free=free_port(), smtp=smtp.controller.port)

    page, mail = sent_by(browse, admin)

    assert "could not be spoken to, or did not let us in" in page and advice in page
    assert "secret" not in page and "päss" not in page
    assert states.state_of(mail, utcnow()) is State.SUPPRESSED and smtp.got == []
    assert "1 mail did not" not in words(browse(admin).get("/admin"))


class Doorkeeper:
    """Lets nobody in, and says back what it heard."""

    def __call__(self, server, session, envelope, mechanism, data):
        return AuthResult(success=False, handled=False)


@on_one_database
@pytest.mark.parametrize(("password", "said"), [("secret", "535"), ("p%C3%A4ss", "letters outside ASCII")])
def test_a_wrong_password_is_told_apart_and_shown_nowhere(app, browse, admin, password, said):
    server = MailServer(authenticator=Doorkeeper(), auth_require_tls=False)
    app.config["MAIL_URL"] = server.url.replace("//", f"//ann:{password}@")
    try:
        page, mail = sent_by(browse, admin)
    finally:
        server.stop()

    assert "Check name and password in PORTAL_MAIL_URL" in page and said in page
    assert not {"secret", "päss", "p%C3"} & set(re.split(r"[^\w%]", page + str(mail.data)))


@on_one_database
@pytest.mark.parametrize(
    ("fault", "sentence", "advice"),
    [
        (Fault("rcpt", b"450 Greylisted\r\n"), "refused the recipient", "The server says: not now"),
        (Fault("rcpt"), "The server ended the conversation", "Try once more"),
        (Fault("taken"), "and no answer came", "Nobody knows whether the mail arrives"),
    ],
)
def test_what_goes_wrong_on_the_line_is_told_for_what_it_is(app, browse, smtp, admin, fault, sentence, advice):
    broken = BrokenLine(smtp.url)
    broken.break_with(fault)
    app.config["MAIL_URL"] = broken.url
    try:
        page, _mail = sent_by(browse, admin)
    finally:
        broken.stop()

    assert sentence in page and advice in page


def test_a_test_that_was_taken_lets_what_waits_go_out_at_once(app, browse, smtp, admin):
    line.note_failure("Connection refused", wait=True)
    waited = line.is_free(utcnow())

    sent_by(browse, admin)

    assert not waited and line.is_free(utcnow())


@on_one_database
@pytest.mark.settings(MAIL_FROM="Fellside <ideas@fellside.example>")
def test_the_records_are_those_of_this_domain_and_a_strange_sender_is_pointed_out(app, browse, admin):
    app.config["MAIL_URL"] = "smtp://relay.fellside.example:587"
    page = words(browse(admin).get("/admin/mail-test"))

    assert "The portal cannot look them up itself" in page
    assert "v=spf1 a:relay.fellside.example ~all" in page
    assert "selector._domainkey.fellside.example" in page
    assert "_dmarc.fellside.example" in page and "rua=mailto:postmaster@fellside.example" in page
    assert "Links lead to 127.0.0.1, the mail comes from fellside.example" in page


@pytest.mark.settings(**SETTINGS, REPLY_TRUSTS=TRUSTED)
def test_a_reply_through_the_mailbox_is_told_of_once_and_becomes_nothing_else(
    app,
    browse,
    smtp,
    admin,
    mailbox,
    monkeypatch,
):
    monkeypatch.setitem(app.config, "INBOUND_URL", mailbox.url)
    page, mail = sent_by(browse, admin)
    browser, news = browse(admin), f"/admin/mail-test/{mail.id}/news"
    before = browser.get(f"/admin/mail-test/{mail.id}")
    [look] = re.findall(r'hx-get="([^"]+)"', before.text)
    look = look.replace("&amp;", "&")
    nothing = browser.get(look, headers=HTMX)
    results = f"{TRUSTED}; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"
    raw = a_reply(admin.email, coming_back.test_address(mail), Authentication_Results=results)
    mailbox.put(raw)
    mailbox.put(raw)
    chore.look()
    after = browser.get(look, headers=HTMX)

    assert "None came in yet" in page and "every 5s" in before.text
    assert nothing.status_code == 204
    assert "A reply came in" in words(after) and f"{TRUSTED} found its sender genuine" in words(after)
    assert "every 5s" not in after.text and "There is news of the test" in after.text
    assert "A reply came in" in words(browser.get(f"/admin/mail-test/{mail.id}"))
    assert browser.get(news).status_code == 303
    assert outcomes() == [Outcome.TESTED] and db.session.scalars(select(Comment)).all() == []
    assert "Replies to tests" in words(browser.get("/mail/health"))


JUDGED = {
    "another server judges": (TRUSTED, "mx.elsewhere.example; dmarc=pass", "", "every reply would be refused"),
    "ours says no": (TRUSTED, f"{TRUSTED}; dmarc=fail header.from=example.org", "", "did not find its sender genuine"),
    "nobody judges": (TRUSTED, "", "", "Nobody says whether its sender is genuine"),
    "nobody is asked": ("", "mx.example.org; dmarc=pass", "", "set PORTAL_REPLY_TRUSTS to it"),
    "somebody else": ("", "", "eve@example.org", "another address than the one it went to"),
}


@on_one_database
@pytest.mark.settings(**SETTINGS)
@pytest.mark.parametrize("what", JUDGED)
def test_the_page_says_how_replies_would_be_judged(app, browse, smtp, admin, hand_in, what):
    trusted, results, sender, said = JUDGED[what]
    app.config["REPLY_TRUSTS"] = trusted
    _page, mail = sent_by(browse, admin)
    headers = {"Authentication_Results": results} if results else {}

    assert hand_in(a_reply(sender or admin.email, coming_back.test_address(mail), **headers)) == 204

    assert said in words(browse(admin).get(f"/admin/mail-test/{mail.id}"))


@pytest.mark.settings(**SETTINGS)
def test_one_to_nobody_comes_back_and_the_page_says_so(browse, smtp, admin, hand_in):
    page = words(browse(admin).post("/admin/mail-test/nobody", follow_redirects=True))
    mail = the_test()

    hand_in(a_bounce(mail))
    hand_in(a_bounce(mail, status="4.2.2"))

    assert "Nothing came back yet" in page and re.fullmatch(r"nobody-[0-9a-f]{12}@127\.0\.0\.1", mail.to)
    assert "The mail came back" in words(browse(admin).get(f"/admin/mail-test/{mail.id}"))
    assert the_test().bounce == "hard"
    db.session.refresh(admin)
    assert admin.mail_stopped_at is None


@on_one_database
@pytest.mark.settings(**SETTINGS)
def test_a_mailbox_that_cannot_be_read_is_told_of_in_words(app, browse, smtp, admin, monkeypatch):
    monkeypatch.setitem(app.config, "INBOUND_URL", f"imap://ann:secret@127.0.0.1:{free_port()}/INBOX")
    _page, mail = sent_by(browse, admin)
    chore.look()

    page = words(browse(admin).get(f"/admin/mail-test/{mail.id}"))

    assert "The mailbox cannot be read, so replies wait there" in page and "refused" in page.lower()
    assert "secret" not in page
    assert db.session.scalars(select(Mailbox.error)).one()


@on_one_database
@pytest.mark.settings(REPLY_TO=SETTINGS["REPLY_TO"])
def test_what_is_missing_for_a_reply_is_named(browse, smtp, admin):
    page, _mail = sent_by(browse, admin)

    assert "Replies arrive nowhere" in page and "PORTAL_INBOUND_URL" in page


@on_one_database
@pytest.mark.settings(**SETTINGS)
def test_a_page_left_open_stops_looking_after_an_hour_and_nobody_reads_the_tests_of_others(browse, smtp, admin):
    _page, mail = sent_by(browse, admin)
    with time_machine.travel(utcnow() + timedelta(hours=2)):
        late = browse(admin).get(f"/admin/mail-test/{mail.id}").text

    assert "every 5s" not in late and "Look again" in late
    assert browse(make_user(Role.ADMIN)).get(f"/admin/mail-test/{mail.id}").status_code == 404
    assert browse(make_user(Role.PM)).get(f"/admin/mail-test/{mail.id}").status_code == 403
