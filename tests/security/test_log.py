"""What is written down about accounts, who reads it, and that nobody changes it."""

from __future__ import annotations

import ast
import json
import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine

import portal
from portal.accounts.roles import Role
from portal.credentials import links
from portal.credentials.models import MailedLink
from portal.db import db, utcnow
from portal.security import retention, words
from portal.security.log import HidesTokens, note
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support import on_one_database

pytestmark = pytest.mark.usefixtures("app")


def lines(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "portal.security"]


def acts():
    db.session.rollback()
    found = db.session.scalars(sa.select(SecurityEntry).order_by(SecurityEntry.id))
    return [(entry.kind, entry.user_id, entry.actor_id) for entry in found]


FORGERIES = [
    'Firefox\r\n{"event": "sign_in", "account": 1}',
    "Firefox\n2026-01-01 all is well",
    "Firefox\u2028{}",
    "Firefox\u0085{}",
    "Firefox\x1b[2K\x1b[1A",
    'Firefox", "event": "nothing',
    "Firefox\x00",
    "\u202egnp.evil",
    "x" * 5000,
]


def _sent(text):
    """What is left of a text in a header, which no client can send with a line break."""
    return text.replace("\r", " ").replace("\n", " ").replace("\x00", " ")


@pytest.mark.parametrize("text", FORGERIES, ids=range(len(FORGERIES)))
@on_one_database
def test_s68_text_cannot_forge_a_line(app, caplog, text):
    user = make_user()
    with (
        app.test_request_context(
            headers={"User-Agent": text.replace("\r", " ").replace("\n", " ").replace("\x00", " ")}
        ),
        transaction(),
    ):
        note("sign_in", user=user, way=text, sides=[text])

    [line] = lines(caplog)
    assert line.isascii() and line.isprintable() and len(line) < 5000
    said = json.loads(line)
    assert (said["event"], said["account"]) == ("sign_in", user.id)
    assert said["at"].endswith("+00:00")


def test_s68_a_line_says_who_what_when_and_from_where(browse, caplog):
    user = make_user(with_password=True)
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0"}

    browse().post("/sign-in", data={"email": user.email, "password": PASSWORD}, headers=agent)

    [line] = lines(caplog)
    said = json.loads(line)
    assert said | {"at": ""} == {
        "at": "",
        "event": "sign_in",
        "actor": user.id,
        "account": user.id,
        "address": "127.0.0.1",
        "browser": agent["User-Agent"],
        "data": {"way": "password", "second": False, "known": True},
    }


def test_s68_what_did_not_happen_leaves_no_line_and_no_entry(caplog):
    with pytest.raises(ZeroDivisionError), transaction():
        note("role.changed", user=make_user())
        _ = 1 / 0

    assert lines(caplog) == [] and acts() == []


def test_s68_signing_in_and_out_good_and_bad_is_written_down(browse):
    user, browser = make_user(with_password=True), browse()

    browser.post("/sign-in", data={"email": user.email, "password": "a wrong but long password"})
    browser.post("/sign-in", data={"email": "nobody@example.org", "password": "a wrong but long password"})
    browser.post("/sign-in", data={"email": user.email, "password": PASSWORD})
    browser.post("/sign-out")

    assert acts() == [
        ("sign_in.failed", user.id, None),
        ("sign_in.failed", None, None),
        ("sign_in", user.id, user.id),
        ("sign_out", user.id, user.id),
    ]


@pytest.mark.parametrize("secret", ["password", "token", "secret", "code", "cookie", "link"])
@on_one_database
def test_s69_nothing_secret_can_be_written_down(secret):
    with pytest.raises(ValueError, match=secret):
        note("sign_in", user=None, **{secret: "x"})


def test_s69_neither_log_nor_lines_nor_addresses_hold_what_was_typed(browse, caplog):
    caplog.set_level(logging.DEBUG)
    user, browser = make_user(with_password=True), browse()
    typed = "the password that nobody may read"
    for path, data in (
        ("/sign-in", {"email": user.email, "password": typed}),
        ("/sign-in", {"email": user.email, "password": PASSWORD}),
        ("/account/prove", {"by": "password", "password": typed}),
        ("/account/password", {"old": typed, "new": typed}),
        ("/account/password", {"old": PASSWORD, "new": typed + " once more"}),
    ):
        answer = browser.post(path, data=data)
        assert typed not in answer.text and PASSWORD not in answer.text
        assert "quiet" not in (answer.location or "") and "nobody" not in (answer.location or "")
    with browser.session_transaction() as session:
        token = session["_user_id"]
    cookie = browser.get_cookie("browser").value

    db.session.rollback()
    said = caplog.text + str([vars(entry) for entry in db.session.scalars(sa.select(SecurityEntry))])

    assert [secret for secret in (typed, PASSWORD, token, cookie) if secret in said] == []


PATHS = {
    "/sign-in/link/17-5uQ2w8cC0m1n2b3v4c5x6z7l8k9j0h1g2f3d4s5a6p7": "/sign-in/link/…",
    "/ideas/42/vote": "/ideas/42/vote",
    "/boards/maps-and-routes": "/boards/maps-and-routes",
    "/confirm/WzEsImFAZXhhbXBsZS5vcmciXQ.aR3kZw.x0Zq1hVQ2bF3Yd4Kx5Lw6Mz7N8o/x": "/confirm/…/x",
}


@pytest.mark.parametrize("path", list(PATHS))
def test_s69_an_access_log_holds_no_one_time_links(caplog, path):
    access = logging.getLogger("granian.access.test")
    access.addFilter(HidesTokens())
    access.warning('%(addr)s "%(path)s" %(status)d', {"addr": "192.0.2.7", "path": path, "status": 200})

    assert caplog.messages == [f'192.0.2.7 "{PATHS[path]}" 200']


def test_s69_no_link_or_code_of_a_mail_comes_into_a_log(app, browse, caplog, settle, monkeypatch):
    caplog.set_level(logging.DEBUG)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    user, browser = make_user(with_password=True), browse()
    without = browse(make_user())
    for path in ("/sign-in/link", "/password/forgotten"):
        browser.post(path, data={"email": user.email})
    without.post("/account/prove/mail")
    settle()
    db.session.rollback()
    sent = db.session.scalars(sa.select(MailedLink)).all()
    tokens = [links.token_of(link) for link in sent]
    codes = [links.code_of(link) for link in sent]
    for path in ("/sign-in/link/", "/password/", "/not-me/", "/sign-up/"):
        for token in tokens:
            browser.get(path + token)
            browser.post(path + token, data={"password": "too short"})
    monkeypatch.setattr(links, "find", lambda *_: 1 / 0)
    for token in tokens:
        assert browser.get(f"/sign-in/link/{token}").status_code == 500

    db.session.rollback()
    said = caplog.text + str([vars(entry) for entry in db.session.scalars(sa.select(SecurityEntry))])
    assert len(tokens) == 3
    assert [token for token in tokens if token in said or token.partition("-")[2] in said] == []
    assert [code for code in codes if re.search(rf"\b{code}\b", said)] == []


def test_s68_no_code_of_the_portal_changes_or_removes_an_entry():
    root, changing = Path(portal.__file__).parent, []
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
            if called in {"update", "delete"} and any("SecurityEntry" in ast.unparse(part) for part in node.args):
                changing.append(str(path.relative_to(root)))

    assert changing == ["security/queries.py"]  # which blanks addresses after 90 days


def test_s68_addresses_and_browsers_are_blank_after_90_days_and_the_rest_stays(browse):
    user = make_user(with_password=True)
    browse().post("/sign-in", data={"email": user.email, "password": PASSWORD})
    before = acts()

    with time_machine.travel(utcnow() + timedelta(days=89)):
        retention.forget_what_is_old()
        assert db.session.scalars(sa.select(SecurityEntry)).one().address == "127.0.0.1"
    db.session.rollback()
    with time_machine.travel(utcnow() + timedelta(days=91)):
        assert retention.forget_what_is_old() >= 1
        assert retention.forget_what_is_old() == 0

    assert acts() == before
    entry = db.session.scalars(sa.select(SecurityEntry)).one()
    assert (entry.address, entry.browser) == ("", "")


def kinds_in_code():
    found = set()
    for path in Path(portal.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = ast.unparse(node.func).split(".")[-1] if isinstance(node, ast.Call) else ""
            said = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)] if called else []
            if called == "note" and node.args and isinstance(node.args[0], ast.Constant):
                found.add(node.args[0].value)
            elif called == "tell_of_change":  # of second factors
                found |= {f"factor.{what}" for what in said if isinstance(what, str) and "_" in what}
    return found


def test_every_act_that_is_written_down_has_words():
    assert sorted(kinds_in_code() - set(words.WORDS)) == []


# Reading it


def test_an_admin_reads_everything_a_page_at_a_time_and_finds_kinds_and_people(browse):
    admin, robin = make_user(Role.ADMIN), make_user(name="Robin Hale")
    with transaction():
        for number in range(60):
            note("sign_in", user=make_user() if number % 2 else robin, way="password")
        note("role.changed", user=robin, actor=admin, before="member", after="pm")
    browser = browse(admin)

    first = browser.get("/admin/security")
    second = browser.get(re.search(r'href="(/admin/security\?after=[^"]+)"', first.text)[1])
    roles = browser.get("/admin/security?kind=role.changed")
    person = browser.get("/admin/security?person=robin+hale")
    nobody = browser.get("/admin/security?person=somebody+else")
    nonsense = browser.get("/admin/security?kind=nonsense&after=nonsense")

    assert first.text.count("Signed in") + second.text.count("Signed in") >= 60
    assert "Role changed" in first.text and "before: member, after: pm" in first.text
    assert "Role changed" in roles.text and roles.text.count("<li>") < first.text.count("<li>")
    assert person.text.count("Signed in by password") <= 31
    assert "Nobody here has that name" in nobody.text
    assert nonsense.status_code == 200


def test_the_owner_reads_their_own_history_and_nobody_elses(browse):
    robin, other = make_user(name="Robin Hale"), make_user(name="Kim Lee")
    with transaction():
        note("factor.passkey_added", user=robin)
        note("suspended", user=robin, actor=make_user(Role.ADMIN, name="Ada Minister"))
        note("role.changed", user=other)

    page = browse(robin).get("/account/security/history")

    assert "Passkey added" in page.text and "Suspended" in page.text and "by the team" in page.text
    assert "Role changed" not in page.text and "Ada Minister" not in page.text
    assert "Passkey added" in browse(robin).get("/account/security").text


@pytest.mark.parametrize("role", [None, Role.MEMBER, Role.MODERATOR, Role.PM, Role.OBSERVER])
def test_only_admins_read_the_whole_log(browse, role):
    for path in ("/admin/security", "/admin/limits"):
        assert browse(make_user(role) if role else None).get(path).status_code == (403 if role else 303)


@pytest.mark.settings(LIMITS=True, LIMITS_OVERRIDE="votes = 7 per hour")
def test_s54_all_limits_stand_on_one_page_with_what_the_operator_changed(browse):
    from portal.limits import LIMITS

    page = browse(make_user(Role.ADMIN)).get("/admin/limits").text

    assert [name for name in LIMITS if f"<code>{name}</code>" not in page] == []
    assert "7 in 1 hour" in page and page.count("changed</span>") == 1
