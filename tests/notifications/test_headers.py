"""S48: whatever people write, a mail has only the headers and recipients that the portal chose."""

import unicodedata
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications.mails.letter import SUBJECT_MAX, Letter, Quote, compose, header_text
from portal.notifications.mails.transport import Catcher, MailServer, NotTaken
from portal.notifications.models import CaughtMail, Mail
from tests.support.databases import on_one_database
from tests.support.mail import MailServer as Sink

HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "In-Reply-To", "References", "List-Id",
    "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type", "X-Auto-Response-Suppress",
}  # fmt: skip
HOSTILE = st.sampled_from(
    [
        "\r\nBcc: x@example.org",
        "\nTo: x@example.org",
        "=?utf-8?q?=0ABcc=3A_x@example.org?=",
        "=?utf-8?b?DQpCY2M6IHg=?=",
        "\x00",
        "\u2028Bcc: x@example.org",
        "\x0b",
        "\x85",
        "\ud800",
        "\u202e",
        "<x@example.org>",
        ", x@example.org",
        "; charset=x",
        "\r\n\r\n<script>",
        "Å" * 90,
        "a" * 300,
        "🧭" * 40,
    ]  # fmt: skip
)
WORDS = st.lists(st.one_of(HOSTILE, st.text(max_size=40)), max_size=6).map("".join)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=WORDS, portal=WORDS, quote=WORDS)
def test_s48_whatever_people_write_a_mail_has_only_our_headers_and_our_recipient(app, title, portal, quote):
    app.config["NAME"] = portal
    user = User(id=7, email="ann@example.org", name="Ann")
    mail = Mail(id=3, key="event-1-7", kind="decided", user=user, queued_at=utcnow())
    letter = Letter(
        subject=f"Planned: {title}", lead="An idea has moved.", title=title, button="See it", url="http://x/",
        foot="You voted.",
        quotes=[Quote([quote])], stop_url="http://127.0.0.1:8000/mail/stop/" + "t" * 200, settings_url="http://x/inbox",
        thread="idea-1",
    )  # fmt: skip

    raw = compose(letter, mail).as_bytes()
    got = message_from_bytes(raw, policy=default)

    assert set(got.keys()) == HEADERS
    assert len(got.keys()) == len(HEADERS)
    assert got["To"] == "ann@example.org"
    assert [address.addr_spec for address in got["From"].addresses] == ["ideas@127.0.0.1"]
    assert got["Subject"].lstrip().startswith("Planned:")
    assert "\n" not in got["Subject"]
    assert got["List-Unsubscribe"] == f"<{letter.stop_url}>"
    assert not got.defects
    assert all(len(line) < 998 for line in raw.split(b"\r\n"))
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]


@settings(max_examples=100, deadline=None)
@given(WORDS)
def test_text_for_a_header_is_one_visible_line(text):
    line = header_text(text)

    assert len(line) <= SUBJECT_MAX
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in line)
    assert "=?" not in line
    assert header_text(line) == line


def handed_over(server: Sink, address: str) -> tuple[list[str], str]:
    """Hand a mail to this address over; return to whom the envelope and the header said it goes."""
    recipients, handed = [], type(server).handle_DATA

    async def note(session_of: Sink, at: object, session: object, envelope: Any) -> str:
        recipients.extend(envelope.rcpt_tos)
        return await handed(session_of, at, session, envelope)

    server.handle_DATA = note.__get__(server)
    mail = Mail(id=3, key="one", kind="decided", user=User(id=7, email=address, name="Ann"), queued_at=utcnow())
    message = compose(Letter(subject="Grüße", lead="x", title="x", button="x", url="http://x/", foot="x"), mail)
    line = MailServer(server.url)
    try:
        line.hand_over(message, "ideas@portal.example", address)
    finally:
        line.close()
    return recipients, str(server.got[-1]["To"])


@on_one_database
@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),  # any server takes that
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("jörg@example.org", "jörg@example.org"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
    ],
)
def test_an_address_with_letters_of_the_world_is_written_as_servers_know_it(app, smtp, address, written):
    assert handed_over(smtp, address) == ([written], written)


@on_one_database
def test_a_server_without_such_letters_is_not_offered_them_and_takes_what_can_do_without(app):
    server = Sink(enable_SMTPUTF8=False)
    try:
        assert handed_over(server, "ann@bücher.example")[0] == ["ann@xn--bcher-kva.example"]
        with pytest.raises(NotTaken, match="takes no addresses with letters outside ASCII") as refused:
            handed_over(server, "jörg@example.org")
    finally:
        server.stop()

    assert refused.value.for_good and not refused.value.nobody_there


@on_one_database
def test_the_catcher_keeps_such_mails_too(app):
    user = User(id=7, email="jörg@example.org", name="J")
    mail = Mail(id=3, key="one", kind="decided", user=user, queued_at=utcnow())
    letter = Letter(subject="Grüße", lead="x", title="x", button="x", url="http://x/", foot="x")

    Catcher().hand_over(compose(letter, mail), "ideas@portal.example", mail.to)

    assert "To: jörg@example.org" in db.session.scalars(select(CaughtMail.raw)).one()
