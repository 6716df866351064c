"""What the portal is called, and what it asks."""

from portal.accounts.roles import Role
from portal.db import db
from portal.options import option
from tests.factories import make_user


def test_an_admin_names_the_portal_and_every_page_says_so_at_once(browse):
    answer = browse(make_user(Role.ADMIN)).post("/admin/portal", data={"portal": "Fellside", "question": "What next?"})

    db.session.rollback()
    assert answer.status_code == 303
    assert (option("name"), option("question")) == ("Fellside", "What next?")
    home = browse().get("/").text
    assert "Fellside</title>" in home and "What next?" in home


def test_a_portal_keeps_its_name_when_the_new_one_is_empty(browse):
    before = option("name")

    answer = browse(make_user(Role.ADMIN)).post("/admin/portal", data={"portal": " ", "question": "What next?"})

    db.session.rollback()
    assert answer.status_code == 422
    assert "Name the portal" in answer.text and "What next?" in answer.text
    assert option("name") == before
