"""The test ground itself: the peers are real, and one test knows nothing of another."""

import smtplib
from email.message import EmailMessage

import pytest
import redis

from tests.support import assert_accessible, need
from tests.support.accessibility import violations

PAGE = """<!doctype html><html lang="en">
<head><title>{title}</title><meta name="color-scheme" content="light dark"></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>"""


def test_postgres_is_real_and_has_what_search_may_want(postgres):
    with postgres.connect() as connection:
        extensions = {name for (name,) in connection.execute("SELECT name FROM pg_available_extensions")}

        assert connection.info.server_version >= 150000
        assert {"pg_trgm", "unaccent"} <= extensions


def test_valkey_is_real(valkey):
    with redis.from_url(valkey.url) as client:
        client.set("word", "kept")

        assert client.get("word") == b"kept"
        assert client.info("server")["process_id"] == valkey.process.pid


def test_the_mail_server_keeps_what_it_accepts_and_says_no_when_told_to(smtp):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "ideas@example.org", "ann@example.org", "Ünïcode"
    mail.set_content("Read me.")
    smtp.refuse("451 Try again later")

    with smtplib.SMTP("127.0.0.1", smtp.controller.port) as client:
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            client.send_message(mail)
        client.send_message(mail)

    assert [kept["Subject"] for kept in smtp.got] == ["Ünïcode"]


def test_chromium_is_real_and_axe_finds_what_is_wrong(chromium):
    page = chromium.new_page()

    page.set_content(PAGE.format(title="Good", text="All is well."))
    assert_accessible(page)
    page.set_content(PAGE.format(title="Bad", text='<img src="data:,"> <a href="/"></a>'))
    found = " ".join(violations(page))

    assert "image-alt" in found
    assert "link-name" in found
    page.close()


def test_a_missing_peer_is_a_skip_or_an_error_where_it_is_required(monkeypatch):
    def make():
        raise LookupError("nowhere to be found")

    monkeypatch.setenv("PORTAL_TEST_REQUIRE", "")
    with pytest.raises(pytest.skip.Exception, match="valkey cannot be had: nowhere to be found"):
        need("valkey", make)

    monkeypatch.setenv("PORTAL_TEST_REQUIRE", "postgres,valkey")
    with pytest.raises(LookupError):
        need("valkey", make)
