"""Changing the address of an account: both addresses must say yes."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import AuthSession, User
from portal.credentials import addresses
from portal.credentials.models import MailedLink
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support import either_way, timeless
from tests.support.mails import mails_to, newest_link, words_of

OLD, NEW = "noor@example.org", "noor@elsewhere.example.org"


@pytest.fixture
def noor(browse):
    """Noor's browser."""
    return browse(make_user(email=OLD, name="Noor", with_password=True))


def address():
    """The address of the one account."""
    db.session.rollback()
    return db.session.scalars(select(User.email).where(User.name == "Noor")).one()


def change(browser, settle, to=NEW):
    """Ask for the change and return the paths of the links: to the new address, to the present one."""
    answer = browser.post("/account/address", data={"email": to})
    assert answer.status_code in {204, 303}, answer.text
    settle()
    return newest_link(to), newest_link(OLD)


@either_way
@pytest.mark.parametrize("order", [0, 1], ids=["new first", "present first"])
def test_the_address_changes_when_both_have_said_yes(browse, noor, settle, order, headers):
    pair = change(noor, settle)
    first, second = pair[order], pair[1 - order]

    half = browse().post(first, headers=headers)
    between, page = address(), noor.get("/account/address").text
    whole = browse().post(second, headers=headers)
    settle()

    assert "One more to go" in half.text and between == OLD
    assert "A change is waiting" in page and page.count("not yet") == 1
    assert "Your address is changed" in whole.text and address() == NEW
    assert "A change is waiting" not in noor.get("/account/address").text
    assert browse().post("/sign-in", data={"email": NEW, "password": PASSWORD}).status_code == 303
    assert browse().post("/sign-in", data={"email": OLD, "password": PASSWORD}).status_code == 422
    assert mails_to(OLD)[-1]["Subject"] == mails_to(NEW)[-1]["Subject"] == "Your address was changed"
    assert NEW not in words_of(mails_to(OLD)[-1])
    assert "address.changed" in db.session.scalars(select(SecurityEntry.kind)).all()


@pytest.mark.parametrize("method", ["get", "head"])
def test_s26_opening_the_links_changes_nothing(browse, noor, settle, method):
    for link in change(noor, settle):
        assert getattr(browse(), method)(link).status_code == 200

    assert address() == OLD
    assert db.session.scalars(select(MailedLink.used_at)).all() == [None, None]


def test_s17_one_link_used_twice_is_one_yes(browse, noor, settle):
    new, _present = change(noor, settle)

    statuses = [browse().post(new).status_code for _ in range(2)]

    assert statuses == [200, 410] and address() == OLD


def test_s22_it_takes_a_fresh_proof_of_who_one_is(browse, noor):
    with transaction():
        db.session.scalars(select(AuthSession)).one().proved_at = utcnow() - timedelta(minutes=16)

    shown, sent = noor.get("/account/address"), noor.post("/account/address", data={"email": NEW})

    assert shown.location.startswith("/account/prove?next=/account/address")
    assert sent.location.startswith("/account/prove")
    assert db.session.scalars(select(MailedLink.id)).all() == []


def test_s16_an_address_that_has_an_account_is_answered_like_any_other(browse, noor, settle):
    make_user(email="known@example.org")
    pages = []
    for to in ("known@example.org", "unknown@example.org"):
        led = noor.post("/account/address", data={"email": to})
        pages.append((led.location, noor.get("/account/address").text.replace(to, "SOMEBODY")))
        settle()

    [told] = mails_to("known@example.org")
    assert said(pages[0][1]) == said(pages[1][1]) and pages[0][0] == pages[1][0]
    assert told["Subject"] == "This address has an account" and "/address/" not in words_of(told)


def said(page):
    """What a page says, without what is different each time."""
    return re.sub(r"<time.*?</time>", "", timeless(page), flags=re.DOTALL)


def test_an_address_that_got_an_account_meanwhile_is_not_taken_over(browse, noor, settle):
    new, present = change(noor, settle)
    browse().post(new)
    make_user(email=NEW)

    answer = browse().post(present)

    assert answer.status_code == 409 and "Nothing was changed" in answer.text
    assert address() == OLD


def test_a_change_is_withdrawn(browse, noor, settle):
    new, present = change(noor, settle)
    browse().post(new)

    noor.post("/account/address/withdraw")

    assert browse().post(present).status_code == 410
    assert "A change is waiting" not in noor.get("/account/address").text
    assert address() == OLD


def test_asking_again_withdraws_what_was_asked_before(browse, noor, settle):
    before = change(noor, settle)
    change(noor, settle, to="third@example.org")

    assert [browse().post(link).status_code for link in before] == [410, 410]


def test_a_change_waits_for_a_day(browse, noor, settle):
    new, present = change(noor, settle)
    browse().post(new)

    with time_machine.travel(utcnow() + timedelta(hours=24, seconds=1), tick=False):
        assert browse().post(present).status_code == 410
        assert addresses.waiting(db.session.scalars(select(User)).one()) is None
    assert address() == OLD


def test_s17_a_change_of_password_voids_the_change_of_address(browse, noor, settle):
    new, present = change(noor, settle)
    browse().post(new)
    noor.post("/password/forgotten", data={"email": OLD})
    settle()
    browse().post(newest_link(OLD), data={"password": "eleven grey stones in a wall"})

    assert browse().post(present).status_code == 410
    assert address() == OLD


def test_s17_the_new_address_voids_every_other_link(browse, noor, settle):
    browser = browse()
    browser.post("/sign-in/link", data={"email": OLD})
    settle()
    signing_in = newest_link(OLD)

    for link in change(noor, settle):
        browse().post(link)

    assert address() == NEW
    assert browser.post(signing_in).status_code == 410


def test_a_present_address_that_was_never_confirmed_is_not_asked(browse, settle):
    browser = browse(make_user(email=OLD, name="Noor", confirmed_at=None))
    browser.post("/account/address", data={"email": NEW})
    settle()

    browse().post(newest_link(NEW))

    assert mails_to(OLD) == [] or mails_to(OLD)[0]["Subject"] == "Your address was changed"
    assert address() == NEW


def test_ones_own_address_is_no_change(noor):
    answer = noor.post("/account/address", data={"email": OLD.upper()})

    assert answer.status_code == 422 and "This is your address already." in answer.text


def test_s17_two_addresses_at_once_are_refused(noor):
    assert noor.post("/account/address", data={"email": [NEW, "mallory@example.org"]}).status_code == 400


def test_two_people_cannot_end_up_with_one_address(app):
    first, second = make_user(), make_user()

    with pytest.raises(Refusal), transaction():
        addresses._change(first, second.email)
