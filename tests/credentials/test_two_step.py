"""The page “Two steps”: setting up an app, recovery codes, removing factors, and what admins may take away."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.credentials import factors, links
from portal.credentials.factors import NotBelow
from portal.credentials.models import Authenticator, Passkey, Purpose, RecoveryCode
from portal.db import db, utcnow
from portal.notifications.models import CaughtMail
from portal.options import decide, option
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import make_user
from tests.support import on_one_database
from tests.support.factors import (
    add_app,
    add_passkey,
    add_recovery_codes,
    code_of,
    is_in,
    type_code,
    type_password,
    wrong_code_of,
)

pytestmark = pytest.mark.settings(BASE_URL="http://localhost:8000")


def shown_secret(page):
    """The secret that stands on the page as text."""
    return re.search(r'id="app-secret">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")


def shown_codes(page):
    """The recovery codes on the page."""
    return re.findall(r"<li>([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})</li>", page.text)


def set_up_app(browser):
    """Set up an app as the page does."""
    secret = shown_secret(browser.get("/account/two-step/app"))
    return secret, browser.post("/account/two-step/app", data={"code": code_of(secret)})


def test_an_app_is_set_up_by_its_first_code_and_recovery_codes_come_with_it(browse):
    user = make_user(with_password=True)
    browser = browse(user)

    page = browser.get("/account/two-step/app")
    secret, answer = set_up_app(browser)

    assert re.search(r'<svg class="qr" viewBox="0 0 \d+ \d+" role="img"[^>]*><path d="M4 4h7v1h-7z', page.text)
    assert "style=" not in page.text
    assert answer.status_code == 200 and len(shown_codes(answer)) == 10
    assert "<p>The app is set up. Other browsers are signed out.</p>" in answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    other = browse()
    assert type_password(other, user).location == "/sign-in/second"
    with time_machine.travel(utcnow() + timedelta(seconds=31)):
        assert type_code(other, code_of(secret)).location == "/"


def test_the_secret_stays_while_its_page_is_reloaded_and_is_not_readable_in_the_cookie(browse):
    browser = browse(make_user())

    first, second = (shown_secret(browser.get("/account/two-step/app")) for _time in range(2))

    assert first == second and len(first) == 32
    with browser.session_transaction() as session:
        assert first not in str(dict(session))


def test_the_first_factor_is_told_in_one_mail_though_codes_come_with_it(browse, settle):
    user = make_user()
    set_up_app(browse(user))

    settle()

    subjects = db.session.scalars(select(CaughtMail.subject).where(CaughtMail.recipient == user.email)).all()
    assert subjects == ["An app with codes was set up: Ideas"]


def test_a_wrong_first_code_sets_nothing_up(browse):
    browser = browse(make_user())
    secret = shown_secret(browser.get("/account/two-step/app"))

    answer = browser.post("/account/two-step/app", data={"code": wrong_code_of(secret)})

    assert answer.status_code == 422 and "This code is not right" in answer.text
    assert shown_secret(answer) == secret
    assert db.session.scalars(select(Authenticator)).all() == []


def test_s14_the_code_that_set_the_app_up_works_no_second_time(browse):
    user = make_user(with_password=True)
    with time_machine.travel(utcnow(), tick=False):
        secret, _answer = set_up_app(browse(user))
        other = browse()
        type_password(other, user)
        again = type_code(other, code_of(secret))

    assert again.status_code == 422


def test_another_app_takes_the_place_of_the_first(browse):
    user = make_user(Role.ADMIN)
    old = add_app(user)
    browser = browse(user)

    new, answer = set_up_app(browser)

    assert (answer.status_code, answer.location) == (303, "/account/two-step")
    assert new != old
    db.session.rollback()
    assert len(db.session.scalars(select(Authenticator)).all()) == 1
    assert db.session.scalars(select(SecurityEntry.kind)).all()[-1] == "factor.app_changed"


def test_recovery_codes_are_shown_once_to_be_kept_as_file_or_on_paper(browse):
    user = make_user()
    add_app(user)
    browser = browse(user)

    first = browser.post("/account/two-step/codes")
    second = browser.post("/account/two-step/codes")

    codes = shown_codes(first)
    assert 'href="data:text/plain;charset=utf-8,' in first.text and 'download="recovery-codes.txt"' in first.text
    assert all(code in re.search(r'href="data:([^"]+)"', first.text)[1] for code in codes)
    assert not set(codes) & set(shown_codes(second))
    assert not any(code in browser.get("/account/two-step").text for code in shown_codes(second))
    db.session.rollback()
    assert len(db.session.scalars(select(RecoveryCode)).all()) == 10


def test_without_a_factor_there_are_no_recovery_codes(browse):
    browser = browse(make_user())

    browser.post("/account/two-step/codes")

    assert db.session.scalars(select(RecoveryCode)).all() == []


def test_s14_the_last_factor_stays_while_the_role_demands_one(browse):
    user = make_user(Role.ADMIN)
    _device, passkey = add_passkey(user)
    browser = browse(user)

    refused = browser.post(f"/account/two-step/passkeys/{passkey.id}/remove")
    page = browser.get("/account/two-step").text
    add_app(user)
    removed = browser.post(f"/account/two-step/passkeys/{passkey.id}/remove")
    app_refused = browser.post("/account/two-step/app/remove")

    assert (refused.status_code, removed.status_code, app_refused.status_code) == (409, 303, 409)
    assert "Add another one first" in refused.text and "the only one cannot be removed" in page
    assert "Remove this passkey" not in page


def test_a_member_may_remove_the_last_factor(browse):
    user = make_user(with_password=True)
    add_app(user)

    answer = browse(user).post("/account/two-step/app/remove")

    assert answer.location == "/account/two-step"
    other = browse()
    assert type_password(other, user).location == "/"


CHANGES = {
    "adding an app": lambda browser, _passkey: set_up_app(browser),
    "removing a passkey": lambda browser, key: browser.post(f"/account/two-step/passkeys/{key.id}/remove"),
    "new recovery codes": lambda browser, _passkey: browser.post("/account/two-step/codes"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_s20_other_sessions_end_when_a_factor_changes(browse, change):
    user = make_user()
    _device, passkey = add_passkey(user)
    browser, other = browse(user), browse(user)
    assert is_in(other)

    change(browser, passkey)

    assert is_in(browser) and not is_in(other)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_s17_mailed_links_are_void_when_a_factor_changes(browse, change):
    user = make_user()
    _device, passkey = add_passkey(user)
    with transaction(wake=False):
        link = links.make(Purpose.RESET, user.email, user=user)
    token = links.token_of(link)

    change(browse(user), passkey)

    db.session.rollback()
    assert links.find(token, Purpose.RESET) is None


def test_s18_a_factor_that_is_added_gives_the_session_another_id(browse):
    user = make_user()
    browser, thief = browse(user), browse()
    with browser.session_transaction() as session:
        before = session["_user_id"]
    with thief.session_transaction() as session:
        session["_user_id"] = before

    set_up_app(browser)

    with browser.session_transaction() as session:
        assert session["_user_id"] != before
    assert is_in(browser) and not is_in(thief)
    db.session.rollback()
    assert [row.second for row in db.session.scalars(select(AuthSession))] == [True]


FACTOR_ROUTES = [
    ("GET", "/account/two-step"),
    ("GET", "/account/two-step/app"),
    ("POST", "/account/two-step/app"),
    ("POST", "/account/two-step/app/remove"),
    ("POST", "/account/two-step/codes"),
    ("POST", "/account/two-step/passkeys"),
    ("POST", "/account/two-step/passkeys/1/name"),
    ("POST", "/account/two-step/passkeys/1/remove"),
    ("GET", "/admin/sign-in"),
    ("POST", "/admin/sign-in"),
]


@pytest.mark.parametrize(("method", "path"), FACTOR_ROUTES)
@on_one_database
def test_s22_factors_change_only_after_a_fresh_proof(browse, method, path):
    browser = browse(make_user(Role.ADMIN))

    with time_machine.travel(utcnow() + timedelta(minutes=16), tick=False):
        answer = browser.open(path, method=method)

    assert answer.status_code == 303 and answer.location.startswith("/account/prove")


def test_s22_a_passkey_is_not_asked_for_with_an_old_proof(browse):
    browser = browse(make_user())

    with time_machine.travel(utcnow() + timedelta(minutes=16), tick=False):
        answer = browser.post("/passkeys/options", data={"for": "add"})

    assert answer.status_code == 303 and answer.location.startswith("/account/prove")


# What admins may do


def test_an_admin_takes_the_second_step_from_a_member_who_lost_everything(browse, settle):
    member, admin = make_user(with_password=True), make_user(Role.ADMIN)
    add_app(member)
    add_passkey(member)
    add_recovery_codes(member)
    browser = browse(member)

    with transaction():
        factors.remove_all(member, admin)

    assert not is_in(browser)
    assert type_password(browse(), member).location == "/"
    assert [db.session.scalars(select(table)).all() for table in (Passkey, Authenticator, RecoveryCode)] == [[], [], []]
    settle()
    mails = select(CaughtMail.subject).where(CaughtMail.recipient == member.email).order_by(CaughtMail.id)
    assert db.session.scalars(mails).all()[-1] == "Your second step was removed: Ideas"
    entry = db.session.scalars(select(SecurityEntry).where(SecurityEntry.kind == "factor.all_removed")).one()
    assert (entry.user_id, entry.actor_id) == (member.id, admin.id)


@pytest.mark.parametrize("actor", list(Role))
@pytest.mark.parametrize("whose", list(Role))
@on_one_database
def test_s08_nobody_takes_factors_from_their_own_rank_or_a_higher_one(app, actor, whose):
    person, admin = make_user(whose), make_user(actor)
    add_app(person)
    ranks = list(Role)

    allowed = actor in {Role.ADMIN, Role.OWNER} and ranks.index(whose) < ranks.index(actor)
    if allowed:
        with transaction():
            factors.remove_all(person, admin)
    else:
        with pytest.raises(NotBelow), transaction():
            factors.remove_all(person, admin)

    assert (db.session.get(Authenticator, person.id) is None) is allowed


def choose_roles(browser, *roles):
    """Tick boxes on the page of admins and send it."""
    return browser.post("/admin/sign-in", data={"roles": list(roles)})


def test_an_owner_decides_whose_role_must_have_a_second_factor(browse):
    owner, moderator = make_user(Role.OWNER), make_user(Role.MODERATOR, with_password=True)
    add_app(owner)
    browser, other = browse(owner), browse()
    type_password(other, moderator)
    assert is_in(other)

    answer = choose_roles(browser, "moderator", "admin", "owner")

    assert answer.location == "/admin/sign-in"
    db.session.rollback()
    assert option("second_factor") == ["moderator", "admin", "owner"]
    assert other.get("/account").location == "/account/two-step?next=/account"
    entry = db.session.scalars(select(SecurityEntry).where(SecurityEntry.kind == "second_factor.decided")).one()
    assert entry.data == {"roles": ["moderator", "admin", "owner"]}


def test_nobody_shuts_the_door_on_themselves(browse):
    with transaction():
        decide("second_factor", [])
    browser = browse(make_user(Role.OWNER))

    answer = choose_roles(browser, "owner")

    assert answer.status_code == 409
    assert "Set up a second step for yourself first." in answer.text
    db.session.rollback()
    assert option("second_factor") == []


def test_s08_an_admin_does_not_decide_for_owners(browse):
    admin = make_user(Role.ADMIN)
    add_app(admin)
    browser = browse(admin)

    choose_roles(browser, "pm")
    db.session.rollback()

    assert option("second_factor") == ["pm", "owner"]
    assert "Only somebody of this rank decides this." in browser.get("/admin/sign-in").text


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.ADMIN, Role.OWNER}])
@on_one_database
def test_s02_only_admins_decide_about_signing_in(browse, role):
    assert choose_roles(browse(make_user(role)), "member").status_code == 403
