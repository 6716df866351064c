"""The second step: codes of an app, recovery codes, passkeys, and that nothing goes round it."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.credentials.models import Authenticator, RecoveryCode
from portal.db import db, utcnow
from portal.notifications.models import CaughtMail
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from portal.web.entry import enter
from tests.factories import make_idea, make_user
from tests.support import on_one_database
from tests.support.factors import (
    add_app,
    add_passkey,
    add_recovery_codes,
    ask_for,
    code_of,
    is_in,
    type_code,
    type_password,
    type_recovery_code,
    wrong_code_of,
)
from tests.support.passkeys import Device

pytestmark = pytest.mark.settings(BASE_URL="http://localhost:8000")
LIMITED = pytest.mark.settings(LIMITS=True)
NOON = utcnow().replace(hour=12, minute=0, second=10, microsecond=0)


@pytest.fixture
def noon():
    """Ten seconds into one of an app's half minutes."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def halfway(browse, user=None, **query):
    """Somebody with an app who typed the password, the secret of the app, and the browser."""
    user = user or make_user(with_password=True)
    secret, browser = add_app(user), browse()
    assert type_password(browser, user, **query).location == "/sign-in/second"
    return user, secret, browser


def test_s14_the_password_alone_opens_nothing_where_there_is_a_second_factor(browse):
    _user, _secret, browser = halfway(browse)

    assert not is_in(browser)
    assert db.session.scalars(select(AuthSession)).all() == []


def test_s14_the_code_of_the_app_opens_the_account(browse):
    _user, secret, browser = halfway(browse)

    answer = type_code(browser, code_of(secret))

    assert (answer.status_code, answer.location) == (303, "/")
    assert is_in(browser)
    db.session.rollback()
    assert [row.second for row in db.session.scalars(select(AuthSession))] == [True]


def test_s14_a_wrong_code_opens_nothing_and_says_so_beside_the_field(browse):
    _user, secret, browser = halfway(browse)

    answer = type_code(browser, wrong_code_of(secret))

    assert answer.status_code == 422
    assert 'aria-describedby="code-hint code-error"' in answer.text and "This code is not right" in answer.text
    assert not is_in(browser)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "0x12ab", "-12345", "½½½½½½", "\0" * 6])
@on_one_database
def test_s14_what_is_no_code_opens_nothing(browse, typed):
    _user, _secret, browser = halfway(browse)

    assert type_code(browser, typed).status_code == 422


def test_a_code_may_be_typed_with_spaces(browse):
    _user, secret, browser = halfway(browse)
    code = code_of(secret)

    assert type_code(browser, f" {code[:3]} {code[3:]} ").location == "/"


@pytest.mark.parametrize(("steps", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
@on_one_database
def test_s14_a_clock_may_be_off_by_one_step_and_no_more(browse, noon, steps, right):
    _user, secret, browser = halfway(browse)

    answer = type_code(browser, code_of(secret, steps))

    assert (answer.status_code == 303) is right


def test_s14_a_code_works_once(browse, noon):
    user, secret, browser = halfway(browse)
    type_code(browser, code_of(secret))
    second = browse()
    type_password(second, user)

    again = type_code(second, code_of(secret))
    earlier = type_code(second, code_of(secret, -1))
    noon.shift(30)
    later = type_code(second, code_of(secret))

    assert [again.status_code, earlier.status_code, later.status_code] == [422, 422, 303]


def test_s14_a_recovery_code_works_once_and_its_use_is_mailed(browse, settle):
    user = make_user(with_password=True)
    add_app(user)
    codes = add_recovery_codes(user)
    first, second = browse(), browse()
    type_password(first, user)
    type_password(second, user)

    opened = type_recovery_code(first, codes[3].lower().replace("-", " "))
    again = type_recovery_code(second, codes[3])

    assert (opened.location, again.status_code) == ("/", 422)
    assert "You used a recovery code; 9 are left." in first.get("/").text
    settle()
    mails = select(CaughtMail).where(CaughtMail.recipient == user.email).order_by(CaughtMail.id)
    mail = db.session.scalars(mails).all()[-1]
    assert mail.subject == "A recovery code was used: Ideas"
    assert "9 codes are left." in mail.raw


def test_s14_new_recovery_codes_void_the_old_ones(browse):
    user = make_user(with_password=True)
    add_app(user)
    old = add_recovery_codes(user)
    new = add_recovery_codes(user)
    browser = browse()
    type_password(browser, user)

    assert type_recovery_code(browser, old[0]).status_code == 422
    assert type_recovery_code(browser, new[0]).location == "/"


def test_recovery_codes_are_ten_random_ones_of_which_only_hashes_are_kept(browse):
    user = make_user()

    codes = add_recovery_codes(user)

    kept = " ".join(db.session.scalars(select(RecoveryCode.code_hash)))
    assert len(set(codes)) == 10 and all(len(code.replace("-", "")) == 12 for code in codes)
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def test_s14_a_recovery_code_of_somebody_else_opens_nothing(browse):
    codes = add_recovery_codes(make_user())
    _user, _secret, browser = halfway(browse)

    assert type_recovery_code(browser, codes[0]).status_code == 422


@pytest.mark.parametrize("verifies", [True, False])
def test_s14_a_passkey_is_the_second_step_after_a_password(browse, verifies):
    user = make_user(with_password=True)
    device, _passkey = add_passkey(user, Device(verifies=verifies))
    browser = browse()
    type_password(browser, user, next="/rules")

    options = ask_for(browser, "second")
    answer = browser.post("/sign-in/second", data={"by": "passkey", "credential": device.use(options)})

    assert len(options["allowCredentials"]) == 1
    assert (answer.status_code, answer.location) == (303, "/rules")


def test_s14_the_passkey_of_somebody_else_is_no_second_step(browse):
    other, _passkey = add_passkey(make_user())
    _user, _secret, browser = halfway(browse)

    answer = browser.post(
        "/sign-in/second", data={"by": "passkey", "credential": other.use(ask_for(browser, "second"))}
    )

    assert answer.status_code == 422
    assert not is_in(browser)


@pytest.mark.parametrize("way", ["password", "link", "sso:ideas", "handover", "passkey"])
def test_s14_reset_links_and_single_sign_on_do_not_go_round_it(app, way):
    user = make_user()
    add_app(user)

    with app.test_request_context("/"):
        answer = enter(user, way)

    assert answer.location == "/sign-in/second"
    assert db.session.scalars(select(AuthSession)).all() == []


def test_the_second_step_is_over_after_ten_minutes(browse):
    _user, secret, browser = halfway(browse, next="/rules")

    with time_machine.travel(utcnow() + timedelta(minutes=11)):
        answer = type_code(browser, code_of(secret))
        page = browser.get(answer.location)

    assert answer.location == "/sign-in?next=/rules"
    assert "More than ten minutes went by since the first step" in page.text
    assert not is_in(browser)


def test_s20_another_password_ends_what_the_old_one_began(browse):
    user, secret, browser = halfway(browse)
    with transaction():
        user.password_hash = "another one"

    assert type_code(browser, code_of(secret)).location == "/sign-in"
    assert not is_in(browser)


def test_nobody_takes_the_second_step_without_the_first(browse):
    secret = add_app(make_user())
    browser = browse()

    assert browser.get("/sign-in/second").location == "/sign-in"
    assert type_code(browser, code_of(secret)).location == "/sign-in"


def test_what_somebody_came_for_is_done_after_both_steps(browse):
    user, idea = make_user(with_password=True), make_idea()
    secret, browser = add_app(user), browse()
    type_password(browser, user, next=f"/ideas/{idea.id}", then="vote")

    answer = type_code(browser, code_of(secret))

    assert answer.location.startswith(f"/ideas/{idea.id}")
    db.session.rollback()
    assert idea.votes == 2


def test_s18_the_second_step_opens_a_session_of_its_own(browse):
    _user, secret, browser = halfway(browse)
    with browser.session_transaction() as session:
        session["_user_id"] = "chosen by somebody else"

    type_code(browser, code_of(secret))

    with browser.session_transaction() as session:
        assert session["_user_id"] != "chosen by somebody else"
        assert "half" not in session


@LIMITED
def test_s14_guessing_codes_stops_after_five_and_a_passkey_still_opens(browse):
    user, secret, browser = halfway(browse)
    device, _passkey = add_passkey(user)

    statuses = [type_code(browser, wrong_code_of(secret)).status_code for _number in range(6)]
    right = type_code(browser, code_of(secret))
    by_passkey = browser.post(
        "/sign-in/second", data={"by": "passkey", "credential": device.use(ask_for(browser, "second"))}
    )

    assert statuses == [422] * 5 + [429]
    assert right.status_code == 429 and "You can try again in" in right.text
    assert by_passkey.location == "/"


@LIMITED
def test_s14_recovery_codes_cannot_be_guessed_beside_codes(browse):
    _user, secret, browser = halfway(browse)

    statuses = [type_recovery_code(browser, f"AAAA-AAAA-AAA{number}").status_code for number in range(5)]

    assert statuses == [422] * 5
    assert type_code(browser, code_of(secret)).status_code == 429


def test_s68_a_wrong_second_step_is_noted(browse):
    user, secret, browser = halfway(browse)

    type_code(browser, wrong_code_of(secret))

    db.session.rollback()
    entry = db.session.scalars(select(SecurityEntry).where(SecurityEntry.kind == "second_step.failed")).one()
    assert (entry.user_id, entry.data) == (user.id, {"way": "app"})


def test_s69_the_secret_of_an_app_is_not_to_be_read_in_the_database(browse):
    secret = add_app(make_user())

    assert secret not in db.session.scalar(select(Authenticator.sealed_secret))


def test_a_secret_that_cannot_be_read_any_more_opens_nothing_and_breaks_nothing(app, browse):
    _user, secret, browser = halfway(browse)
    with transaction():
        db.session.scalar(select(Authenticator)).sealed_secret = "sealed under a key that is gone"

    assert type_code(browser, code_of(secret)).status_code == 422


def test_the_page_offers_what_the_account_has_and_says_whom_to_ask(browse):
    user = make_user(with_password=True)
    add_passkey(user)
    browser = browse()
    type_password(browser, user)

    page = browser.get("/sign-in/second").text

    assert "Use a passkey" in page and "Code from your app" not in page
    assert "You have no recovery code left." in page
    assert "Everything lost? Write to somebody who looks after this portal." in page
    assert "Passkeys need JavaScript" in page


def test_somebody_whose_account_has_a_factor_proves_it_when_their_role_comes_to_demand_it(browse):
    user = make_user(with_password=True)
    browser = browse()
    type_password(browser, user)
    secret = add_app(user)
    with transaction():
        user.role = Role.ADMIN

    led = browser.get("/inbox")
    answer = type_code(browser, code_of(secret), next="/inbox")

    assert led.location == "/sign-in/second?next=/inbox"
    assert answer.location == "/inbox"
    assert browser.get("/inbox").status_code == 200
