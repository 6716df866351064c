"""What a request says about itself: where it wants to go, which host it is for, where it comes from."""

from __future__ import annotations

import re
from email import message_from_string
from email.policy import default
from urllib.parse import quote, unquote, urlsplit

import pytest
import sqlalchemy as sa

from portal.accounts.roles import Role
from portal.db import db
from portal.notifications.models import CaughtMail, Mail
from portal.security.models import SecurityEntry
from tests.factories import PASSWORD, make_rules, make_user
from tests.support import on_one_database
from tests.web.test_errors import TRICKY

pytestmark = pytest.mark.usefixtures("app")


def test_s35_there_are_sixty_tricky_targets():
    assert len(set(TRICKY)) >= 60


def test_s35_pages_on_the_way_in_lead_nowhere_outside(browse, settle):
    """Also where ``next`` is handed on from page to page before it counts."""
    make_rules()
    user, own = make_user(with_password=True), make_user(with_password=True)
    signed_in, wrong = browse(own), []
    for target in TRICKY:
        there = f"?next={quote(target.encode('utf-8', 'replace'))}"
        guest = browse()
        answers = [
            signed_in.post(f"/account/prove{there}", data={"by": "password", "password": PASSWORD}),
            signed_in.post(f"/account/prove/mail{there}"),
            guest.get(f"/account/prove{there}"),
            guest.post(f"/sign-in/link{there}", data={"email": user.email}),
            guest.post(f"/password/forgotten{there}", data={"email": user.email}),
            guest.post(f"/sign-in/passkey{there}", data={"credential": "none"}),
            guest.get(f"/sign-in/second{there}"),
            guest.post(f"/sign-in{there}", data={"email": user.email, "password": PASSWORD}),
        ]
        for number, answer in enumerate(answers):
            place = urlsplit(answer.location or "")
            if answer.status_code != 303 or place.netloc or place.scheme or not place.path.startswith("/"):
                wrong.append(f"{number} {target!r}: {answer.status_code} {answer.location}")
        if answers[0].location != "/account":
            wrong.append(f"proof {target!r}: {answers[0].location}")

    assert wrong == []


def test_s35_a_kept_target_is_looked_at_again_where_it_counts(browse):
    """A ``next`` that one page hands on is not trusted by the page it reaches."""
    user, guest = make_user(with_password=True), browse()

    led = guest.get("/account/prove?next=//evil.example").location
    answer = guest.post(led, data={"email": user.email, "password": PASSWORD})

    assert unquote(answer.location) == "/account/prove?next=//evil.example"
    proved = guest.post(answer.location, data={"by": "password", "password": PASSWORD})
    assert proved.location == "/account"


# Host and proxies

FORGED = [
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example, localhost"},
    {"X-Forwarded-Server": "evil.example"},
    {"X-Forwarded-Proto": "https", "X-Forwarded-Port": "444", "X-Forwarded-Prefix": "/evil.example"},
    {"X-Original-Host": "evil.example", "X-Host": "evil.example", "X-HTTP-Host-Override": "evil.example"},
    {"X-Original-URL": "//evil.example/", "X-Rewrite-URL": "//evil.example/"},
    {"Forwarded": "for=1.2.3.4;host=evil.example;proto=https"},
    {"Origin": "http://localhost", "Referer": "http://evil.example/"},
    {"X-Forwarded-For": "1.2.3.4", "X-Real-IP": "1.2.3.4", "True-Client-IP": "1.2.3.4", "CF-Connecting-IP": "1.2.3.4"},
]
HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "evil.example:80",
    "localhost:80@evil.example",
    "evil.example/localhost",
]


class Sending:
    """Every address that has a mail sent, each asked as somebody for whom it does so."""

    def __init__(self, browse):
        make_rules()
        self.browse = browse
        self.member = make_user(with_password=True)
        self.admin = make_user(Role.ADMIN, with_password=True)
        self.unconfirmed = make_user(confirmed_at=None)
        self.without = make_user()
        browser = browse()
        browser.post("/sign-in", data={"email": self.member.email, "password": PASSWORD})

    def requests(self):
        """Yield who asks, the address, and the form."""
        sign_up = {"email": "new@example.org", "name": "Robin Hale", "password": "eleven grey stones by a tarn"}
        other = make_user()
        yield None, "/sign-up", sign_up | {"agreed": "y", "version": "1"}
        yield None, "/sign-in/link", {"email": self.member.email}
        yield None, "/password/forgotten", {"email": self.member.email}
        yield None, "/sign-in", {"email": self.member.email, "password": PASSWORD}
        yield self.unconfirmed, "/account/confirmation", {}
        yield self.without, "/account/prove/mail", {}
        yield self.member, "/account/address", {"email": "elsewhere@example.org"}
        yield self.member, "/account/data/export", {}
        yield (
            self.admin,
            "/invitations",
            {"addresses": "guest@example.org", "role": "member", "board": ""},
        )
        yield self.admin, f"/admin/people/{other.id}/role", {"role": "pm"}
        yield self.admin, f"/admin/people/{other.id}/suspend", {"reason": "Spam", "days": "3"}

    def ask(self, headers):
        """Ask at each of them, and return their answers."""
        return {
            path: self.browse(who).post(path, data=data, headers=headers).status_code
            for who, path, data in self.requests()
        }


def links_in(mail):
    message = message_from_string(mail.raw, policy=default)
    texts = [part.get_content() for part in message.walk() if part.get_content_maintype() == "text"]
    texts += [value for name, value in message.items() if name.lower().startswith("list-")]
    return [link for text in texts for link in re.findall(r"https?://[^\s\"'<>]+", text)]


@pytest.mark.parametrize("forged", FORGED, ids=range(len(FORGED)))
@on_one_database
def test_s36_no_header_changes_where_the_links_of_any_mail_lead(app, browse, settle, forged):
    sending = Sending(browse)

    sending.ask(forged)
    settle()

    db.session.rollback()
    mails = db.session.scalars(sa.select(CaughtMail)).all()
    links = [link for mail in mails for link in links_in(mail)]
    assert len(mails) >= 8, [mail.subject for mail in mails]
    assert {urlsplit(link).netloc for link in links} == {urlsplit(app.config["BASE_URL"]).netloc}
    assert not any("evil" in mail.raw for mail in mails)


@pytest.mark.parametrize("host", HOSTS)
@on_one_database
def test_s36_no_mail_is_sent_for_a_request_to_a_foreign_host(browse, host):
    sending = Sending(browse)
    db.session.rollback()
    before = len(db.session.scalars(sa.select(Mail)).all())

    answers = sending.ask({"Host": host})

    assert set(answers.values()) == {400}
    db.session.rollback()
    assert len(db.session.scalars(sa.select(Mail)).all()) == before


@pytest.mark.parametrize("forged", [FORGED[-1], {"X-Forwarded-For": "9.9.9.9, 1.2.3.4"}, {"Forwarded": "for=1.2.3.4"}])
def test_s36_nobody_says_where_they_come_from_without_a_known_proxy(browse, forged):
    user = make_user(with_password=True)

    browse().post("/sign-in", data={"email": user.email, "password": PASSWORD}, headers=forged)

    db.session.rollback()
    assert db.session.scalars(sa.select(SecurityEntry.address)).all() == ["127.0.0.1"]


@pytest.mark.settings(PROXIES=1)
def test_s36_behind_one_proxy_only_what_that_proxy_added_counts(browse):
    user = make_user(with_password=True)

    browse().post(
        "/sign-in",
        data={"email": user.email, "password": PASSWORD},
        headers={"X-Forwarded-For": "1.2.3.4, 203.0.113.5", "X-Forwarded-Host": "evil.example"},
    )

    db.session.rollback()
    assert db.session.scalars(sa.select(SecurityEntry.address)).all() == ["203.0.113.5"]


# Parameters


@pytest.mark.parametrize("cursor", ["nonsense", "1", "-1", "[]", "W10.x", "\x00", "' OR 1=1", "9" * 400])
def test_s42_a_place_in_the_log_that_is_not_ours_is_its_first_page(browse, cursor):
    browser = browse(make_user(Role.ADMIN))
    for path in ("/admin/security", "/account/security/history"):
        assert browser.get(f"{path}?after={quote(cursor)}").status_code == 200


def test_s42_two_passwords_or_addresses_are_never_both_tried(browse):
    user, other = make_user(with_password=True), make_user(with_password=True)

    twice = [
        browse().post("/sign-in", data={"email": [other.email, user.email], "password": PASSWORD}),
        browse().post("/sign-in", data={"email": user.email, "password": ["wrong, and long enough", PASSWORD]}),
    ]

    assert [answer.status_code for answer in twice] == [400, 400]
    db.session.rollback()
    assert db.session.scalars(sa.select(SecurityEntry)).all() == []
