"""Agreeing to the community rules."""

from sqlalchemy import select

from portal.accounts import queries, service
from portal.accounts.changes import Piece, changes
from portal.accounts.models import RulesAcceptance
from portal.accounts.roles import Role
from portal.db import db
from portal.events import EventRecord
from portal.transactions import transaction
from tests.factories import make_rules, make_user


def accepted(user):
    """The versions a member agreed to."""
    db.session.rollback()
    return db.session.scalars(select(RulesAcceptance.version).where(RulesAcceptance.user_id == user.id)).all()


def test_a_member_agrees_once(browse):
    user = make_user()
    make_rules()
    browser = browse(user)

    first = browser.post("/rules/agree?next=/rules", data={"agreed": "y", "version": "1"})
    again = browser.post("/rules/agree?next=/rules", data={"agreed": "y", "version": "1"})

    assert first.location == again.location == "/rules"
    assert accepted(user) == [1]
    assert db.session.scalars(select(EventRecord.name)).all().count("member.rules_accepted") == 1


def test_the_page_shows_what_changed_since_one_agreed(browse):
    make_rules("Be kind.\n\nOne idea at a time.")
    user = make_user()
    make_rules("Be kind to newcomers.\n\nOne idea at a time.")

    page = browse(user).get("/rules/agree").text

    assert "What changed since" in page
    assert "Be <del>kind.</del> <ins>kind to newcomers.</ins>" in " ".join(page.split())
    assert page.count("One idea at a time.") == 1  # in the rules, not in what changed


def test_agreeing_to_an_older_version_is_not_agreeing(browse):
    user = make_user()
    make_rules("First.")
    make_rules("Second.")

    answer = browse(user).post("/rules/agree", data={"agreed": "y", "version": "1"})

    assert answer.status_code == 422 and "Second." in answer.text
    assert accepted(user) == []


def test_opening_the_page_agrees_to_nothing(browse):
    user = make_user()
    make_rules()

    assert browse(user).get("/rules/agree?agreed=y&version=1").status_code == 200
    assert accepted(user) == []


def test_whoever_has_agreed_is_led_on(browse):
    make_rules()

    answer = browse(make_user()).get("/rules/agree?next=/rules")

    assert (answer.status_code, answer.location) == (303, "/rules")


def test_guests_are_led_to_sign_in(browse):
    answer = browse().get("/rules/agree")

    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/rules/agree")


def test_the_first_account_that_an_operator_opens_puts_rules_in_force(app):
    with transaction():
        first = service.create_user(email="nia@example.org", name="Nia", role=Role.OWNER, password=None)
        service.create_user(email="jo@example.org", name="Jo", role=Role.ADMIN, password=None)

    assert [rules.version for rules in queries.rules_versions()] == [1]
    assert not queries.has_accepted_rules(first)  # nobody agrees on behalf of others


def test_rules_of_ones_own_come_before_those_we_bring_along(app):
    with transaction():
        service.ensure_rules("Our own words.")
        service.ensure_rules()

    assert [rules.body for rules in queries.rules_versions()] == ["Our own words."]


def test_changes_are_told_word_by_word_without_the_markup():
    old = "# Rules\n\n- Be **kind**.\n- No ads.\n\nThe end."
    new = "# Rules\n\n- Be **very kind**.\n\nThe end.\n\nReally."

    assert changes(old, new) == [
        [Piece("same", "Be"), Piece("ins", "very"), Piece("same", "kind.")],
        [Piece("del", "No ads.")],
        [Piece("ins", "Really.")],
    ]
    assert changes(old, old) == []
