"""Passkeys: adding them, signing in with nothing else, and what does not count."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.credentials import passkeys
from portal.credentials.models import Passkey
from portal.db import db, utcnow
from portal.notifications.models import CaughtMail
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import make_user
from tests.support import on_one_database
from tests.support.factors import add_app, add_passkey, ask_for, is_in
from tests.support.passkeys import PRESENT, VERIFIED, Device, read

pytestmark = pytest.mark.settings(BASE_URL="http://localhost:8000")


def add(browser, device, name="Blue key", **changed):
    """Add a passkey as the page does."""
    answer = device.make(ask_for(browser, "add"), **changed)
    return browser.post("/account/two-step/passkeys", data={"credential": answer, "name": name})


def sign_in(browser, device, path="/sign-in/passkey", **changed):
    """Sign in with a passkey as the page does."""
    return browser.post(path, data={"credential": device.use(ask_for(browser, "sign-in"), **changed)})


def noted():
    """What the security log says, the oldest first."""
    db.session.rollback()
    return db.session.scalars(select(SecurityEntry.kind).order_by(SecurityEntry.id)).all()


def test_a_passkey_is_added_and_signs_in_without_an_address(browse):
    user, device, browser = make_user(), Device(), browse()

    added = add(browse(user), device)
    answer = sign_in(browser, device, "/sign-in/passkey?next=/rules")

    assert added.status_code == 200 and "Your recovery codes" in added.text
    assert (answer.status_code, answer.location) == (303, "/rules")
    assert is_in(browser)
    db.session.rollback()
    session = db.session.scalars(select(AuthSession).order_by(AuthSession.created_at.desc())).first()
    assert (session.user_id, session.way, session.second) == (user.id, "passkey", True)


def test_the_browser_is_asked_for_a_passkey_that_it_finds_by_itself(browse):
    user = make_user()
    device, _passkey = add_passkey(user)

    wanted, use = ask_for(browse(user), "add"), ask_for(browse(), "sign-in")

    assert wanted["rp"] == {"name": "Ideas", "id": "localhost"}
    assert wanted["authenticatorSelection"]["residentKey"] == "preferred"
    assert wanted["authenticatorSelection"]["userVerification"] == "preferred"
    assert [read(known["id"]) for known in wanted["excludeCredentials"]] == [device.credential_id]
    assert user.email.encode() not in read(wanted["user"]["id"])
    assert use["allowCredentials"] == [] and use["userVerification"] == "preferred"


def test_a_person_has_several_passkeys_names_them_and_removes_one(browse):
    user = make_user()
    browser, first, second = browse(user), Device(), Device()
    add(browser, first, "Old laptop")
    add(browser, second, "Blue key")
    db.session.rollback()
    laptop, key = db.session.scalars(select(Passkey).order_by(Passkey.id)).all()

    browser.post(f"/account/two-step/passkeys/{key.id}/name", data={"name": "Green  key"})
    browser.post(f"/account/two-step/passkeys/{laptop.id}/remove")

    page = browser.get("/account/two-step").text
    assert "Green key" in page and "Old laptop" not in page
    assert sign_in(browse(), second).location == "/"
    assert sign_in(browse(), first).location == "/sign-in"


@pytest.mark.parametrize("name", ["", " ", "\u200b"])
def test_a_passkey_keeps_its_name_when_the_new_one_is_none(browse, name):
    user = make_user()
    _device, passkey = add_passkey(user, name="Blue key")

    answer = browse(user).post(f"/account/two-step/passkeys/{passkey.id}/name", data={"name": name})

    assert answer.status_code == 422 and "Give it a name" in answer.text
    db.session.rollback()
    assert passkey.name == "Blue key"


def test_s04_a_passkey_of_somebody_else_cannot_be_touched(browse):
    _device, passkey = add_passkey(make_user())
    browser = browse(make_user())

    answers = [
        browser.post(f"/account/two-step/passkeys/{number}/{act}", data={"name": "Mine"})
        for number in (passkey.id, 987_654)
        for act in ("name", "remove")
    ]

    assert {answer.status_code for answer in answers} == {404}
    db.session.rollback()
    assert passkey.name == "Blue key"


WRONG = {
    "an answer to another question": {"challenge": "AAAA"},
    "another origin": {"origin": "http://localhost:8001"},
    "another site": {"origin": "https://elsewhere.example"},
    "another portal's passkey": {"party": "elsewhere.example"},
    "the making of a passkey": {"kind": "webauthn.create"},
    "nobody who touched it": {"flags": 0},
    "a false signature": {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
    "somebody else's handle": {"handle": b"somebody else"},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
@on_one_database
def test_s14_a_passkey_does_not_count_with(browse, changed):
    device, passkey = add_passkey(make_user())
    browser = browse()

    answer = sign_in(browser, device, **changed)

    assert answer.location == "/sign-in"
    assert not is_in(browser)
    assert "did not open the account" in browser.get("/sign-in").text
    db.session.rollback()
    assert passkey.used_at is None
    assert noted()[-1] == "sign_in.failed"


@pytest.mark.parametrize(
    "said", ["", "[]", "{}", "null", "{", '{"id": 1, "response": {}}', '{"response": 1}', "x" * 30_000]
)
@pytest.mark.parametrize("path", ["/sign-in/passkey", "/account/two-step/passkeys"])
@on_one_database
def test_what_is_no_answer_at_all_is_refused_in_words(browse, path, said):
    user = make_user()
    device, _passkey = add_passkey(user)
    browser = browse(user) if "account" in path else browse()
    ask_for(browser, "add" if "account" in path else "sign-in")

    answer = browser.post(path, data={"credential": said})

    assert answer.status_code in {303, 422}
    db.session.rollback()
    assert len(db.session.scalars(select(Passkey)).all()) == 1


def test_s14_an_answer_counts_once_also_with_an_old_cookie(app, browse):
    device, _passkey = add_passkey(make_user(), Device(counts=False))
    browser, thief = browse(), browse()
    options = ask_for(browser, "sign-in")
    with browser.session_transaction() as session:
        kept = dict(session)
    answer = device.use(options)

    first = browser.post("/sign-in/passkey", data={"credential": answer})
    with thief.session_transaction() as session:
        session.update(kept)
    second = thief.post("/sign-in/passkey", data={"credential": answer})

    assert (first.location, second.location) == ("/", "/sign-in")
    assert not is_in(thief)


def test_s14_an_answer_counts_in_the_browser_that_was_asked_and_for_five_minutes(browse):
    device, _passkey = add_passkey(make_user())
    late, other = browse(), browse()
    options = ask_for(late, "sign-in")
    ask_for(other, "sign-in")

    elsewhere = other.post("/sign-in/passkey", data={"credential": device.use(options)})
    with time_machine.travel(utcnow() + timedelta(minutes=6)):
        too_late = late.post("/sign-in/passkey", data={"credential": device.use(options)})
        page = late.get("/sign-in").text

    assert elsewhere.location == too_late.location == "/sign-in"
    assert "That took too long" in page


def test_s14_an_answer_counts_for_what_it_was_asked_for(browse):
    user = make_user()
    device, _passkey = add_passkey(user)
    browser = browse(user)

    answer = browser.post("/sign-in/passkey", data={"credential": device.use(ask_for(browser, "prove"))})

    assert answer.location == "/sign-in"


def test_s14_a_passkey_that_counts_fewer_uses_is_refused_and_noted(browse):
    user = make_user()
    device, passkey = add_passkey(user)
    sign_in(browse(), device)
    browser = browse()

    answer = sign_in(browser, device, count=1)

    assert answer.location == "/sign-in"
    assert "seems to have been copied" in browser.get("/sign-in").text
    assert "passkey.went_back" in noted()
    db.session.rollback()
    assert passkey.sign_count == 2


def test_a_passkey_that_counts_nothing_works_again_and_again(browse):
    device, _passkey = add_passkey(make_user(), Device(counts=False))

    assert [sign_in(browse(), device).location for _time in range(3)] == ["/"] * 3


def test_s14_without_its_owner_verified_a_passkey_is_one_factor_and_not_two(browse):
    user = make_user()
    device, _passkey = add_passkey(user, Device(verifies=False))
    browser = browse()

    answer = sign_in(browser, device)
    with_itself = browser.post(
        "/sign-in/second", data={"by": "passkey", "credential": device.use(ask_for(browser, "second"))}
    )

    assert answer.location == "/sign-in/second"
    assert with_itself.status_code == 422 and "was your first step already" in with_itself.text
    assert not is_in(browser)


@pytest.mark.parametrize(
    "changed", [{"flags": PRESENT | VERIFIED | 0x08}, {"kind": "webauthn.get"}, {"origin": "null"}]
)
def test_a_passkey_that_was_not_made_for_us_is_not_kept(browse, changed):
    browser, device = browse(make_user()), Device()

    answer = add(browser, device, **({"challenge": "AAAA"} if "flags" in changed else changed))

    assert answer.status_code == 422
    db.session.rollback()
    assert db.session.scalars(select(Passkey)).all() == []


def test_one_passkey_belongs_to_one_account(browse):
    device, _passkey = add_passkey(make_user())

    answer = add(browse(make_user()), device)

    assert answer.status_code == 422 and "known here already" in answer.text


def test_an_account_holds_at_most_twenty_passkeys(browse):
    user = make_user()
    for _number in range(passkeys.MOST):
        add_passkey(user)

    answer = add(browse(user), Device())

    assert answer.status_code == 422 and "You have 20 passkeys" in answer.text


def test_s20_a_suspended_person_does_not_get_in_by_a_passkey(browse):
    user = make_user()
    device, _passkey = add_passkey(user)
    with transaction():
        user.suspended_at = utcnow()

    assert sign_in(browse(), device).location == "/sign-in"


def test_s60_a_passkey_needs_no_mail_server(app, browse):
    app.config["MAIL_URL"] = "smtp://127.0.0.1:1"
    device, _passkey = add_passkey(make_user())

    assert sign_in(browse(), device).location == "/"


def test_each_change_is_told_by_mail_and_noted(browse, settle):
    user, device = make_user(), Device()
    add_app(user)
    browser = browse(user)
    add(browser, device)
    db.session.rollback()
    passkey = db.session.scalar(select(Passkey))
    browser.post(f"/account/two-step/passkeys/{passkey.id}/remove")

    settle()

    subjects = db.session.scalars(
        select(CaughtMail.subject).where(CaughtMail.recipient == user.email).order_by(CaughtMail.id)
    ).all()
    assert subjects == ["A passkey was added: Ideas", "A passkey was removed: Ideas"]
    assert [kind for kind in noted() if kind.startswith("factor.")] == [
        "factor.passkey_added",
        "factor.passkey_removed",
    ]


@pytest.mark.parametrize(
    ("url", "possible"),
    [
        ("https://ideas.example.org", True),
        ("http://localhost:8000", True),
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.7", False),
        ("https://[2001:db8::1]", False),
        ("http://ideas.example.org", False),
    ],
)
@on_one_database
def test_passkeys_are_offered_where_browsers_make_them(app, browse, url, possible):
    app.config["BASE_URL"] = url

    page = browse(make_user()).get("/account/two-step").text

    assert ("Add a passkey" in page) is possible
    assert ("An app works everywhere" in page) is not possible


@pytest.mark.parametrize("what", ["", "anything", "second", "prove", "add"])
def test_a_stranger_is_asked_for_nothing_but_to_sign_in(browse, what):
    answer = browse().post("/passkeys/options", data={"for": what})

    assert answer.status_code in {303, 422}


def test_s36_the_host_that_asks_is_not_believed(app):
    with app.test_request_context("/", base_url="http://127.0.0.1:9"):
        options = passkeys.options_to_use(None, b"a challenge")

    assert options["rpId"] == "localhost"
