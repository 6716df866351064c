"""Signing in and choosing a password by mail."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import AuthSession, User
from portal.credentials import links
from portal.credentials.models import Authenticator, MailedLink, Purpose
from portal.db import db, utcnow
from portal.notifications.mails import line, sending
from portal.notifications.models import Mail
from portal.sealing import seal
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support import HTMX, either_way, on_one_database, timeless
from tests.support.mail import MailServer
from tests.support.mails import mails_to, newest_code, newest_link, words_of
from tests.web.test_errors import TRICKY

NOOR = "noor@example.org"
LOOK = "/look-into-your-mail"
NEW = "eleven grey stones in a wall"


def noor():
    """Her account as it is now."""
    db.session.rollback()
    return db.session.scalars(select(User).where(User.email == NOOR)).one()


def ask(browser, settle, path="/sign-in/link", email=NOOR):
    """Ask for a mail and return the path of the link in it."""
    browser.post(path, data={"email": email})
    settle()
    return newest_link(email)


def kinds():
    """What the security log holds."""
    db.session.rollback()
    return db.session.scalars(select(SecurityEntry.kind).order_by(SecurityEntry.id)).all()


def said(answer):
    """What a page says, without what is different each time."""
    return re.sub(r"[\w.]+@example.org", "SOMEBODY", timeless(answer.text))


# Signing in


@either_way
def test_the_code_in_the_mail_signs_in(browse, settle, headers):
    make_user(email=NOOR, name="Noor")
    browser = browse()
    ask(browser, settle, "/sign-in/link?next=/rules")

    answer = browser.post(LOOK, data={"code": newest_code(NOOR)}, headers=headers)

    assert (answer.headers.get("HX-Redirect") if headers is HTMX else answer.location) == "/rules"
    assert "Welcome back, Noor." in browser.get("/rules").text
    db.session.rollback()
    assert db.session.scalars(select(AuthSession.way)).all() == ["link"]


def test_the_link_signs_in_wherever_it_is_opened(browse, settle):
    make_user(email=NOOR, name="Noor")
    link, elsewhere = ask(browse(), settle), browse()

    shown = elsewhere.get(link)
    answer = elsewhere.post(link)

    assert "signs you in as Noor" in shown.text
    assert (answer.status_code, answer.location) == (303, "/")
    assert elsewhere.get("/account").status_code == 200


@pytest.mark.parametrize("method", ["get", "head"])
def test_s26_opening_a_link_does_nothing(browse, settle, method):
    make_user(email=NOOR, with_password=True)
    browser = browse()
    found = [ask(browser, settle), ask(browser, settle, "/password/forgotten")]

    for link in found:
        assert [getattr(each, method)(link).status_code for each in (browser, browse())] == [200, 200]

    assert db.session.scalars(select(AuthSession.way)).all() == []
    assert db.session.scalars(select(MailedLink.used_at)).all() == [None, None]


def test_s17_a_sign_in_link_works_once_for_fifteen_minutes(browse, settle):
    make_user(email=NOOR)
    browser = browse()
    link = ask(browser, settle)

    with time_machine.travel(utcnow() + timedelta(minutes=15, seconds=1), tick=False):
        late = browse().post(link)
    first, again = browse().post(link), browse().post(link)
    code = browser.post(LOOK, data={"code": newest_code(NOOR)})

    assert (late.status_code, first.status_code, again.status_code, code.status_code) == (410, 303, 410, 422)


def test_s17_a_link_is_good_for_its_one_purpose_only(browse, settle):
    make_user(email=NOOR, with_password=True)
    browser = browse()
    signing_in, choosing = ask(browser, settle), ask(browser, settle, "/password/forgotten")
    tokens = {link.rpartition("/")[2] for link in (signing_in, choosing)}

    answers = [
        browse().post(f"{path}/{token}", data={"password": NEW})
        for path in ("/sign-in/link", "/password", "/sign-up", "/address")
        for token in tokens
        if f"{path}/{token}" not in {signing_in, choosing}
    ]

    assert [answer.status_code for answer in answers] == [410] * 6
    assert db.session.scalars(select(MailedLink.used_at)).all() == [None, None]


def test_s17_a_link_is_bound_to_its_account_and_address(browse, settle):
    make_user(email=NOOR)
    mallory = make_user(email="mallory@example.org").id
    link = ask(browse(), settle)
    row = db.session.scalars(select(MailedLink)).one()
    with transaction():
        row.user_id = mallory

    swapped = browse().post(link)
    with transaction():
        row.user_id, row.email = noor().id, "mallory@example.org"
    moved = browse().post(link)

    assert (swapped.status_code, moved.status_code) == (410, 410)


@pytest.mark.parametrize(
    "token", ["", "1", "1-", "-", "x-y", "1-" + "A" * 43, "99999999999-A", "1-é", "١-A", "1" * 500]
)
@on_one_database
def test_s17_any_other_text_is_no_link(browse, settle, token):
    make_user(email=NOOR)
    ask(browse(), settle)

    assert links.find(token, Purpose.SIGN_IN) is None


def test_s16_asking_for_a_link_says_the_same_whether_or_not_there_is_an_account(browse, settle):
    make_user(email=NOOR)
    make_user(email="gone@example.org", suspended_at=utcnow())

    for path in ("/sign-in/link", "/password/forgotten"):
        pages = set()
        for address in (NOOR, "gone@example.org", "unknown@example.org"):
            browser = browse()
            led = browser.post(path, data={"email": address})
            guess = browser.post(LOOK, data={"code": "000000"})
            again = browser.post(f"{LOOK}/again")
            pages.add((led.status_code, led.location, said(browser.get(LOOK)), said(guess), again.location))
        assert len(pages) == 1
    settle()

    assert len(mails_to(NOOR)) == 2  # its ration for this hour
    assert mails_to("gone@example.org") == mails_to("unknown@example.org") == []


def test_s16_the_code_of_a_link_to_no_account_lets_nobody_in(browse):
    browser = browse()
    browser.post("/sign-in/link", data={"email": "unknown@example.org"})
    link = db.session.scalars(select(MailedLink)).one()

    assert browser.post(LOOK, data={"code": links.code_of(link)}).status_code == 422


def test_somebody_suspended_after_asking_does_not_get_in(browse, settle):
    make_user(email=NOOR)
    browser = browse()
    link = ask(browser, settle)
    with transaction():
        noor().suspended_at = utcnow()

    assert browser.post(LOOK, data={"code": newest_code(NOOR)}).status_code == 422
    assert (browser.get(link).status_code, browser.post(link).status_code) == (410, 410)


def test_a_link_confirms_the_address_it_was_sent_to(browse, settle):
    make_user(email=NOOR, confirmed_at=None)

    browse().post(ask(browse(), settle))

    assert noor().confirmed_at


def test_s35_a_link_leads_nowhere_outside(browse):
    make_user(email=NOOR)
    for target in TRICKY:
        browser = browse()
        there = f"?next={quote(target.encode('utf-8', 'replace'))}"
        browser.post(f"/sign-in/link{there}", data={"email": NOOR})
        db.session.rollback()
        link = db.session.scalars(select(MailedLink).order_by(MailedLink.id.desc())).first()

        answer = browser.post(f"/sign-in/link/{links.token_of(link)}{there}")

        assert (answer.status_code, answer.location) == (303, "/"), target


def test_s36_links_in_mails_start_with_the_configured_address(browse, settle):
    make_user(email=NOOR)

    browse().post(
        "/sign-in/link", data={"email": NOOR}, headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"}
    )
    settle()

    assert "http://127.0.0.1:8000/sign-in/link/" in words_of(mails_to(NOOR)[-1])


# Another password


def test_a_forgotten_password_is_chosen_anew(browse, settle):
    make_user(email=NOOR, name="Noor", with_password=True)
    thief = browse(noor())
    browser = browse()
    link = ask(browser, settle, "/password/forgotten")

    shown = browser.get(link)
    answer = browser.post(link, data={"password": NEW})
    settle()

    assert "Choose a new password" in shown.text and 'autocomplete="new-password"' in shown.text
    assert (answer.status_code, answer.location) == (303, "/")
    assert browser.get("/account").status_code == 200
    assert thief.get("/account").location.startswith("/sign-in")
    assert browse().post("/sign-in", data={"email": NOOR, "password": PASSWORD}).status_code == 422
    assert browse().post("/sign-in", data={"email": NOOR, "password": NEW}).status_code == 303
    assert mails_to(NOOR)[-1]["Subject"] == "Your password was changed"
    assert "password.changed" in kinds()


def test_s17_a_new_password_voids_every_other_link(browse, settle):
    make_user(email=NOOR, with_password=True)
    browser = browse()
    signing_in = ask(browser, settle)
    choosing = ask(browse(), settle, "/password/forgotten")

    browse().post(choosing, data={"password": NEW})

    assert browse().post(signing_in).status_code == 410
    assert browse().post(choosing, data={"password": NEW}).status_code == 410
    assert browser.post(LOOK, data={"code": newest_code_of(Purpose.SIGN_IN)}).status_code == 422


def newest_code_of(purpose):
    """The digits of a link, read from where they come from."""
    db.session.rollback()
    return links.code_of(db.session.scalars(select(MailedLink).where(MailedLink.purpose == purpose)).one())


@pytest.mark.parametrize(("password", "why"), [("short", "at least 15 characters"), ("a" * 20, "lists that attackers")])
def test_s11_a_weak_password_is_refused_and_the_link_still_works(browse, settle, password, why):
    make_user(email=NOOR, with_password=True)
    browser = browse()
    link = ask(browser, settle, "/password/forgotten")

    refused = browser.post(link, data={"password": password})

    assert refused.status_code == 422 and why in refused.text
    assert browser.post(link, data={"password": NEW}).status_code == 303


def test_an_account_without_a_password_gets_its_first_one(browse, settle):
    make_user(email=NOOR)
    browser = browse(noor())

    prefilled = browser.get("/password/forgotten")
    browser.post(ask(browser, settle, "/password/forgotten"), data={"password": NEW})

    assert f'value="{NOOR}"' in prefilled.text
    assert browse().post("/sign-in", data={"email": NOOR, "password": NEW}).status_code == 303


def test_s14_a_new_password_does_not_go_round_the_second_factor(browse, settle):
    make_user(email=NOOR, with_password=True)
    with transaction():
        add_authenticator(noor())
    for path in ("/sign-in/link", "/password/forgotten"):
        browser = browse()
        answer = browser.post(ask(browser, settle, path), data={"password": NEW})

        assert (answer.status_code, answer.location) == (303, "/sign-in/second")
        assert browser.get("/account").location.startswith("/sign-in")


def add_authenticator(user):
    """Let the account ask for the six digits of an app."""
    db.session.add(Authenticator(user_id=user.id, sealed_secret=seal("JBSWY3DPEHPK3PXP")))


def test_s17_a_reset_link_works_for_an_hour(browse, settle):
    make_user(email=NOOR, with_password=True)
    link = ask(browse(), settle, "/password/forgotten")

    with time_machine.travel(utcnow() + timedelta(minutes=60, seconds=1), tick=False):
        assert browse().get(link).status_code == 410
    assert browse().get(link).status_code == 200


# Without a mail server


def test_s60_with_the_mail_server_away_passwords_work_and_mails_come_later(app, browse, settle, smtp):
    make_user(email=NOOR, with_password=True)
    smtp.stop()
    browser = browse()

    asked = browser.post("/password/forgotten", data={"email": NOOR})
    settle()
    by_password = browse().post("/sign-in", data={"email": NOOR, "password": PASSWORD})
    waiting = db.session.scalars(select(Mail)).one()
    left = (waiting.done_at, waiting.given_up_at, waiting.error)
    back = MailServer(port=smtp.controller.port)
    try:
        with transaction():
            db.session.scalars(select(Mail)).one().available_at = utcnow() - timedelta(seconds=1)
            line.knock_again()
        sending.send_due()
    finally:
        back.stop()

    assert asked.location == LOOK and by_password.status_code == 303
    assert left[:2] == (None, None) and "127.0.0.1" in left[2]
    [arrived] = back.got
    assert arrived["Subject"] == "Choose a new password"
    assert browser.get(re.search(r"/password/\S+", words_of(arrived))[0]).status_code == 200


def test_a_sign_in_mail_that_comes_too_late_is_not_sent(browse, settle):
    make_user(email=NOOR)
    browse().post("/sign-in/link", data={"email": NOOR})

    with time_machine.travel(utcnow() + timedelta(minutes=20), tick=False):
        settle()

    assert mails_to(NOOR) == []
    assert db.session.scalars(select(Mail.suppressed)).all() == ["link no longer works"]


# What mails say


def test_mails_come_in_the_language_they_were_asked_for_in(browse, settle):
    browse().post(
        "/sign-up",
        data={"email": NOOR, "name": "Noor", "password": PASSWORD, "agreed": "y", "version": "1"},
        headers={"Accept-Language": "de"},
    )

    assert db.session.scalars(select(Mail.data)).one()["locale"] == "de"


def test_the_code_stands_in_both_parts_of_the_mail(browse, settle):
    make_user(email=NOOR)
    ask(browse(), settle)

    [mail] = mails_to(NOOR)
    assert newest_code(NOOR) in mail.get_body(("html",)).get_content()
    assert newest_code(NOOR) not in str(mail["Subject"])
