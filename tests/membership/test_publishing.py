"""New rules and notices: versions, what differs, time of grace, who is told."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts import queries, service
from portal.accounts.models import Rules, RulesAcceptance
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.notifications.models import CaughtMail, Mail
from portal.transactions import transaction
from tests.factories import make_idea, make_rules, make_user
from tests.support import on_one_database
from tests.support.queries import queries as counted

RULES = {"seen": "1", "body": "Be kind.\n\nSay why. Close the gate.", "changes": "Gates.", "grace": "14"}


def publish(browser, page="rules", **more):
    return browser.post(f"/admin/{page}", data={**RULES, "do": "publish", **more})


@pytest.fixture
def rules():
    return make_rules("Be kind.\n\nSay why.")


def test_admins_see_what_will_differ_and_then_publish(browse, rules):
    browser = browse(make_user(Role.ADMIN))

    shown = browser.post("/admin/rules", data={**RULES, "do": "preview"}).text
    assert "What will differ" in shown and "<ins>Close the gate.</ins>" in " ".join(shown.split())
    assert queries.rules_in_force().version == 1

    assert publish(browser).location == "/rules"
    db.session.rollback()
    new = queries.rules_in_force()
    assert (new.version, new.changes) == (2, "Gates.")
    assert timedelta(days=13) < new.grace_until - utcnow() < timedelta(days=15)
    public = browse().get("/rules").text
    assert "Version 2" in public and "What changed since version 1" in public
    assert "no longer in force" in browse().get("/rules?version=1").text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seen": "0"}, "Somebody published another version meanwhile"),
        ({"body": "Be kind.\n\nSay why."}, "No word differs"),
        ({"body": ""}, "Write the text"),
        ({"grace": "91"}, "between 0 and 90"),
        ({"grace": "-1"}, "between 0 and 90"),
    ],
)
@on_one_database
def test_what_cannot_be_published_is_said(browse, rules, change, words):
    answer = publish(browse(make_user(Role.ADMIN)), **change)

    assert answer.status_code == 422 and words in answer.text
    db.session.rollback()
    assert queries.rules_in_force().version == 1


def test_within_the_time_of_grace_one_goes_on_with_a_line_above_each_page(browse, rules):
    member, newcomer, idea = make_user(), make_user(), make_idea()
    with transaction():
        db.session.execute(RulesAcceptance.__table__.delete().where(RulesAcceptance.user_id == newcomer.id))
    publish(browse(make_user(Role.ADMIN)))
    browser = browse(member)

    assert "The community rules have changed." in browser.get("/").text
    assert browser.post(f"/ideas/{idea.id}/vote").location == f"/ideas/{idea.id}"
    assert browse(newcomer).post(f"/ideas/{idea.id}/vote").location.startswith("/rules/agree")  # never agreed to any

    browser.post("/rules/agree", data={"agreed": "y", "version": "2"})
    assert "The community rules have changed." not in browser.get("/").text


def test_after_the_time_of_grace_one_is_asked_before_the_next_act(browse, rules):
    member, idea = make_user(), make_idea()
    publish(browse(make_user(Role.ADMIN)))
    with transaction():
        db.session.get(Rules, 2).grace_until = utcnow() - timedelta(seconds=1)

    assert browse(member).post(f"/ideas/{idea.id}/vote").location.startswith("/rules/agree")


def test_a_later_version_with_grace_forgives_no_earlier_one(app, rules):
    member = make_user()
    with transaction():
        service.publish_rules("Second.")
        service.publish_rules("Third.", grace=timedelta(days=14))

    assert not queries.may_go_on_under_rules(member)
    with transaction():
        service.accept_rules(member)
    assert queries.may_go_on_under_rules(member)


def test_whoever_publishes_has_agreed(browse, rules):
    admin = make_user(Role.ADMIN)

    publish(browse(admin))

    db.session.rollback()
    assert queries.has_accepted_rules(admin)


def test_everybody_hears_of_new_rules_by_mail_but_not_of_the_first(browse, settle, rules):
    member, admin = make_user(), make_user(Role.ADMIN)
    make_user(suspended_at=utcnow()), make_user(confirmed_at=None)
    settle()
    assert db.session.scalars(select(Mail)).all() == []

    publish(browse(admin))
    settle()

    told = db.session.scalars(select(CaughtMail)).all()
    assert [mail.recipient for mail in told] == [member.email]  # the admin agreed by publishing
    assert "Gates." in told[0].raw and "/rules?version=3D2" in told[0].raw.replace("=\n", "")


def test_the_privacy_notice_has_versions_too_and_agreements_name_theirs(browse, rules):
    browser, page = browse(make_user(Role.ADMIN)), {"seen": "0", "body": "We keep your name.", "changes": ""}
    assert publish(browser, "privacy", **page).location == "/privacy"
    assert (
        publish(browser, "privacy", **page | {"seen": "1", "body": "We keep your name, nothing else."}).status_code
        == 303
    )

    shown = browse().get("/privacy").text
    assert "Version 2" in shown and "<ins>name, nothing else.</ins>" in " ".join(shown.split())
    assert "no longer in force" in browse().get("/privacy?version=1").text
    late = make_user()
    db.session.rollback()
    assert db.session.get(RulesAcceptance, (late.id, 1)).privacy_version == 2


def test_outside_a_time_of_grace_rules_cost_pages_nothing(app, browse, rules):
    browser = browse(make_user())
    browser.get("/rules")
    with counted() as before:
        browser.get("/rules")
    publish(browse(make_user(Role.ADMIN)), grace="0")
    browser.get("/rules")
    with counted() as after:
        browser.get("/rules")

    assert len(after) == len(before)


def test_texts_from_admins_are_cleaned(browse, rules):
    publish(browse(make_user(Role.ADMIN)), body="<script>alert(1)</script>\n\n[a](javascript:alert(1)) **b**")

    shown = browse().get("/rules").text
    assert "<script>alert" not in shown and 'href="javascript:' not in shown and "<strong>b</strong>" in shown
