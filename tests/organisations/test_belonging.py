"""For whom somebody counts: what an admin took out stays out until an admin lifts it."""

import pytest

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.organisations import domains, queries
from portal.transactions import transaction
from tests.factories import make_user
from tests.organisations.steps import make_organisation
from tests.support import on_one_database

pytestmark = pytest.mark.usefixtures("app")


def place_of(number: int) -> tuple[int | None, str] | None:
    with transaction(wake=False):
        domains.sort_now()
    row = queries.belonging_of(db.session.get_one(User, number))
    return row and (row.organisation_id, row.way.value)


@on_one_database
def test_nobody_comes_back_by_their_address_after_an_admin_took_them_out(browse):
    person = make_user(email="ann@tarn.example", confirmed_at=utcnow())
    number, admin, theirs = person.id, browse(make_user(Role.ADMIN)), browse(person)
    tarn = make_organisation("Tarn", domains="tarn.example").id
    assert place_of(number) == (tarn, "domain")
    at = f"/admin/organisations/{tarn}/people/{number}"

    admin.post(f"{at}/remove")
    assert "An admin decided so" in theirs.get("/account/belonging").text
    theirs.post("/account/belonging", data={"alone": "1"})
    assert place_of(number) == (None, "apart")
    back = theirs.post("/account/belonging", data={"alone": "0"}, follow_redirects=True)

    assert "until an admin changes it" in back.text
    assert place_of(number) == (None, "hand")
    assert "Taken out by an admin" in admin.get(f"/admin/organisations/{tarn}").text
    theirs.post("/account/belonging", data={"alone": "1"})
    refused = admin.post(f"/admin/organisations/{tarn}/people", data={"who": "ann@tarn.example"})
    assert "speak for themselves" in refused.text
    admin.post(f"{at}/lift")
    assert place_of(number) == (None, "self")  # what they said themselves stays
    theirs.post("/account/belonging", data={"alone": "0"})
    assert place_of(number) == (tarn, "domain")


@on_one_database
def test_an_exclusion_that_is_lifted_lets_the_address_decide(browse):
    person = make_user(email="ann@tarn.example", confirmed_at=utcnow())
    number, admin, member = person.id, browse(make_user(Role.ADMIN)), browse(make_user())
    tarn = make_organisation("Tarn", domains="tarn.example").id
    at = f"/admin/organisations/{tarn}/people/{number}"
    place_of(number)
    admin.post(f"{at}/remove")

    assert member.post(f"{at}/lift").status_code == 403
    assert place_of(number) == (None, "hand")
    lifted = admin.post(f"{at}/lift", follow_redirects=True)

    assert "decides again" in lifted.text and "Taken out by an admin" not in lifted.text
    assert place_of(number) == (tarn, "domain")
