"""What asks for proof again when the last one is older than fifteen minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support import either_way
from tests.test_addresses import TABLE, World

pytestmark = pytest.mark.usefixtures("app")

DANGEROUS = {
    # address
    "credentials.address",
    # factors
    "credentials.two_step",
    "credentials.add_passkey",
    "credentials.rename_passkey",
    "credentials.remove_passkey",
    "credentials.add_authenticator",
    "credentials.remove_authenticator",
    "credentials.renew_recovery_codes",
    "credentials.signing_in",
    "membership.remove_second_factors",
    # roles
    "membership.change_role",
    "boards.people",
    "boards.add",
    "boards.rank",
    "boards.remove",
    # single sign-on
    "sso.list_providers",
    "sso.add",
    "sso.provider",
    "sso.test",
    "sso.switch",
    "sso.remove",
    "sso.make_key",
    "sso.remove_key",
    "sso.unlink",
    # export and erasure
    "privacy.export",
    "privacy.download",
    "privacy.leave",
}
ROWS = [row for row in TABLE if row.endpoint in DANGEROUS]


def let_proofs_age(minutes=16):
    """Let the last proof in every session be so many minutes old."""
    with transaction(wake=False):
        db.session.execute(sa.update(AuthSession).values(proved_at=utcnow() - timedelta(minutes=minutes)))


def test_s22_every_dangerous_address_exists(app):
    assert DANGEROUS - {rule.endpoint for rule in app.url_map.iter_rules()} == set()


def test_s22_every_dangerous_address_asks_for_proof_again_after_15_minutes(app, browse):
    world, wrong = World(browse, app), []
    for row in ROWS:
        who = world.people[Role.OWNER if Role.OWNER in row.may else Role.MEMBER]
        browser, url = browse(who), world.url(row, who)
        let_proofs_age()
        answer = world.ask(browser, row, url, who)
        if not (answer.location or "").startswith("/account/prove"):
            wrong.append(f"{row}: {answer.status_code} {answer.location}")

    assert wrong == []


def test_s22_a_proof_of_fourteen_minutes_is_fresh_enough(app, browse):
    world, wrong = World(browse, app), []
    for row in ROWS:
        if row.method != "GET":
            continue
        who = world.people[Role.OWNER if Role.OWNER in row.may else Role.MEMBER]
        browser, url = browse(who), world.url(row, who)
        let_proofs_age(14)
        answer = world.ask(browser, row, url, who)
        if "/account/prove" in (answer.location or ""):
            wrong.append(str(row))

    assert wrong == []


def test_s22_nothing_is_changed_by_what_was_sent_without_proof(browse):
    user = make_user(with_password=True)
    browser = browse(user)
    let_proofs_age()

    browser.post("/account/leave")
    browser.post("/account/data/export")

    db.session.rollback()
    assert user.leaves_at is None


def test_s22_another_password_takes_the_present_one(browse):
    user = make_user(with_password=True)
    browser, new = browse(user), "eleven grey stones by the tarn"
    let_proofs_age()
    kept = user.password_hash

    refused = [browser.post("/account/password", data={"old": old, "new": new}) for old in ("", "not this one at all")]
    db.session.rollback()
    assert [answer.status_code for answer in refused] == [422, 422]
    assert user.password_hash == kept

    assert browser.post("/account/password", data={"old": PASSWORD, "new": new}).status_code == 303
    db.session.rollback()
    assert user.password_hash != kept


@either_way
def test_s22_after_the_proof_one_is_where_one_wanted_to_be(browse, headers):
    user = make_user(with_password=True)
    browser = browse(user)
    let_proofs_age()

    led = browser.get(
        "/account/leave?why=1", headers=headers | {"HX-Current-URL": "http://localhost/account/leave?why=1"}
    )
    target = led.headers.get("HX-Redirect") or led.location
    proved = browser.post(target, data={"by": "password", "password": PASSWORD})

    assert proved.status_code == 303 and proved.location == "/account/leave?why=1"
    assert browser.get(proved.location).status_code == 200


def test_s22_a_long_open_page_asks_too(browse):
    browser = browse(make_user())
    with time_machine.travel(utcnow() + timedelta(minutes=16)):
        assert browser.get("/account/leave").location.startswith("/account/prove")


def test_a_guest_is_led_to_sign_in_and_not_to_a_proof(browse):
    for row in ROWS:
        assert row.may, row
    assert browse().get("/account/leave").location.startswith("/sign-in")
