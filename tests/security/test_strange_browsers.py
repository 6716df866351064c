"""Browsers an account knows, and what happens when it is entered from another one."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_string
from email.policy import default

import pytest
import sqlalchemy as sa

from portal.accounts.models import AuthSession
from portal.credentials import links
from portal.credentials.models import KnownBrowser, MailedLink, Passkey, Purpose
from portal.db import db, utcnow
from portal.notifications.models import CaughtMail
from portal.options import decide
from portal.security.models import SecurityEntry
from portal.sso.models import Identity
from portal.transactions import transaction
from tests.factories import PASSWORD, link_identity, make_provider, make_user
from tests.support.factors import add_passkey

pytestmark = pytest.mark.usefixtures("app")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in(browser, user, password=PASSWORD, address="192.0.2.7"):
    data = {"email": user.email, "password": password}
    where = {"REMOTE_ADDR": address}
    return browser.post("/sign-in", data=data, environ_base=where, headers={"User-Agent": FIREFOX})


def mails():
    db.session.rollback()
    return db.session.scalars(sa.select(CaughtMail).order_by(CaughtMail.id)).all()


def link_in(mail):
    text = message_from_string(mail.raw, policy=default).get_body(("plain",)).get_content()
    return re.search(r"http://[^/\s]+(/not-me/[\w-]+)", text)[1]


@pytest.fixture
def entered(browse, settle):
    """Somebody in whose account a stranger is: the account, the owner's browser, the stranger's."""
    user, own, strange = make_user(with_password=True), browse(), browse()
    sign_in(own, user)
    sign_in(strange, user, address="198.51.100.9")
    settle()
    return user, own, strange


def test_the_first_sign_in_and_those_in_the_same_browser_are_nothing_strange(browse, settle):
    user, browser = make_user(with_password=True), browse()

    for _ in range(3):
        assert sign_in(browser, user).status_code == 303
        browser.post("/sign-out")
    settle()

    assert mails() == []


def test_a_sign_in_from_a_strange_browser_is_told_with_browser_place_and_time(entered):
    user, _own, _strange = entered

    [mail] = mails()

    assert mail.recipient == user.email and mail.subject == "New sign-in to your account"
    assert "Firefox on Linux" in mail.raw and "198.51.100.9" in mail.raw
    assert str(utcnow().year) in mail.raw
    assert link_in(mail)


def test_notices_are_not_rationed(browse, settle):
    user = make_user(with_password=True)
    for _ in range(9):
        sign_in(browse(), user)
    settle()

    assert len(mails()) == 8


def test_opening_the_link_changes_nothing(entered, browse):
    user, own, strange = entered
    path = link_in(mails()[0])

    for _ in range(2):
        page = browse().get(path)
        browse().open(path, method="HEAD")

    assert page.status_code == 200 and "This was not me" in page.text and "198.51.100.9" in page.text
    assert own.get("/account").status_code == 200 and strange.get("/account").status_code == 200


def test_saying_that_it_was_not_me_throws_everybody_out_and_leads_to_a_new_password(entered, browse, settle):
    user, own, strange = entered
    path, here = link_in(mails()[0]), browse()

    answer = here.post(path)

    assert answer.status_code == 303 and answer.location.startswith("/password/")
    assert own.get("/account").status_code == 303 and strange.get("/account").status_code == 303
    assert sign_in(strange, user).status_code == 422  # the password is worth nothing any more
    page = here.get(answer.location)
    assert page.status_code == 200 and "Everybody is signed out" in page.text
    new = "another quiet sheep on a hill"
    assert here.post(answer.location, data={"password": new}).status_code == 303
    assert here.get("/account").status_code == 200
    settle()
    assert [mail.subject for mail in mails()].count("New sign-in to your account") == 1  # not for this one
    kinds = sa.select(SecurityEntry.kind).where(SecurityEntry.user_id == user.id)
    assert "sign_in.disowned" in db.session.scalars(kinds).all()


@pytest.mark.settings(BASE_URL="http://localhost:8000")
def test_s20_what_the_stranger_added_is_gone_and_what_was_there_before_stays(entered, browse):
    user, _own, _strange = entered
    provider = make_provider("Accounts")
    _device, before = add_passkey(user)
    with transaction():
        before.made_at = utcnow() - timedelta(days=3)
    _device, added = add_passkey(user)
    link_identity(user, provider, "the-stranger")
    kept, gone = before.id, added.id

    browse().post(link_in(mails()[0]))

    db.session.rollback()
    assert db.session.scalars(sa.select(Passkey.id).where(Passkey.user_id == user.id)).all() == [kept]
    assert gone != kept and db.session.scalars(sa.select(Identity)).all() == []


def test_the_link_works_once_and_says_so(entered, browse):
    path = link_in(mails()[0])
    browse().post(path)

    answers = [browse().get(path), browse().post(path), browse().get("/not-me/1-invented")]

    assert [answer.status_code for answer in answers] == [410] * 3
    assert all("This link no longer works" in answer.text for answer in answers)


def test_s17_a_stranger_cannot_take_the_link_away_by_changing_the_password(entered):
    from portal.credentials import service

    user, _own, _strange = entered
    with transaction():
        service.note_new_password(user)

    db.session.rollback()
    link = db.session.scalars(sa.select(MailedLink).where(MailedLink.purpose == Purpose.NOT_ME)).one()
    assert link.expires_at > utcnow()


def test_s18_a_browser_never_takes_up_what_somebody_else_put_there(app, browse):
    user, browser = make_user(with_password=True), browse()
    browser.set_cookie("browser", "planted by somebody else")

    sign_in(browser, user)

    kept = browser.get_cookie("browser").value
    assert kept != "planted by somebody else" and len(kept) >= 43
    db.session.rollback()
    row = db.session.scalars(sa.select(KnownBrowser)).one()
    assert kept not in str(vars(row)) and len(row.token_hash) == 64


def test_two_people_at_one_computer_are_both_known_there(browse, settle):
    browser, people = browse(), [make_user(with_password=True) for _ in range(2)]
    for _ in range(2):
        for person in people:
            sign_in(browser, person)
            browser.post("/sign-out")
    settle()

    assert mails() == []


@pytest.mark.settings(LIMITS=True)
def test_s15_after_fifty_wrong_passwords_a_new_browser_needs_a_link_and_a_known_one_does_not(browse):
    user, own = make_user(with_password=True), browse()
    sign_in(own, user)
    own.post("/sign-out")
    for number in range(50):
        sign_in(browse(), user, "a wrong but long password", address=f"10.0.{number}.9")
        browse().post(
            "/sign-in",
            data={"email": "nobody@example.org", "password": "a wrong but long password"},
            environ_base={"REMOTE_ADDR": f"10.1.{number}.9"},
        )

    strange = sign_in(browse(), user, address="203.0.113.5")
    nobody = browse().post("/sign-in", data={"email": "nobody@example.org", "password": PASSWORD})
    known = sign_in(own, user, address="10.0.7.9")

    assert (strange.status_code, nobody.status_code, known.status_code) == (422, 422, 303)
    for answer in (strange, nobody):
        assert "have a link mailed to you" in answer.text and "/sign-in/link" in answer.text
    words = [re.sub(r'value="[^"]*"|nonce|[\w.]+@example.org', "", answer.text) for answer in (strange, nobody)]
    assert words[0] == words[1]


@pytest.mark.settings(LIMITS=True)
def test_s15_a_known_browser_does_not_wait_for_what_others_do_at_its_address(browse):
    user, own, other = make_user(with_password=True), browse(), browse()
    sign_in(own, user)
    own.post("/sign-out")
    for _ in range(25):
        sign_in(other, user, "a wrong but long password")
    assert sign_in(other, user).status_code == 429

    assert sign_in(own, user).status_code == 303


@pytest.mark.settings(LIMITS=True)
def test_s15_many_guesses_at_the_same_moment_are_many(browse, monkeypatch):
    """Each is counted before it is looked at, so the sixth is refused although none of the five has been answered."""
    from portal.accounts import service
    from portal.credentials import guessing
    from portal.limits import TooMuch

    user, looked = make_user(with_password=True), []

    def slow(email, password):
        looked.append(password)
        for _ in range(4):
            with transaction(wake=False):
                guessing.begin(user.email, "192.0.2.7")
        with pytest.raises(TooMuch):
            guessing.begin(user.email, "192.0.2.7")

    monkeypatch.setattr(service, "find_by_password", slow)

    sign_in(browse(), user, "a wrong but long password")

    assert len(looked) == 1


def test_sessions_say_how_and_from_where_they_began(entered):
    rows = db.session.scalars(sa.select(AuthSession).order_by(AuthSession.created_at)).all()

    assert [(row.address, row.way) for row in rows] == [("192.0.2.7", "password"), ("198.51.100.9", "password")]


def test_s17_the_mailed_links_that_save_an_account_open_where_only_members_read(browse, entered):
    user, _own, _strange = entered
    with transaction():
        decide("reading", "members")
        stay = links.token_of(links.make(Purpose.STAY, user.email, user=user))
    link = link_in(mails()[-1])

    assert browse().get(f"/account/stay/{stay}").status_code == 410  # nobody is leaving, and nobody is asked to sign in
    assert browse().get(link).status_code == 200
    browse().post(link)

    db.session.rollback()
    assert db.session.scalars(sa.select(AuthSession)).all() == []
