"""The first owner sets the portal up, and people are let in, one way and the other."""

import pytest
from playwright.sync_api import expect

from portal.accounts.queries import find_by_email
from portal.accounts.roles import Role
from portal.membership import setting_up
from portal.options import decide
from portal.transactions import transaction
from tests.factories import PASSWORD, make_idea, make_rules, make_user
from tests.journeys.steps import look_again, told, vote_button


@pytest.mark.settings(MAIL_URL="catch:")
def test_the_first_owner_sets_the_portal_up(app, come):
    app.extensions.pop(setting_up.DONE)
    code = setting_up.print_code(app)
    with transaction():
        decide("second_factor", [])  # a journey of its own
    page = come()

    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up your portal")
    page.get_by_label("Set-up code").fill("AAAA-BBBB-CCCC")
    page.get_by_label("Your display name").fill("Olive")
    page.get_by_label("Your e-mail address").fill("olive@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("What the portal is called").fill("Fell ideas")
    page.get_by_label("The question on the home page").fill("What would help you?")
    page.get_by_label("The first board").fill("Walks")
    page.get_by_role("button", name="Set up the portal").click()
    expect(page.get_by_role("alert")).to_contain_text("This is not the code")

    page.get_by_label("Set-up code").fill(code)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Set up the portal").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Before people come")

    page.get_by_role("link", name="Test the mail").first.click()
    page.get_by_role("button", name="Send the test").click()
    expect(page.get_by_text("The mail is kept in the portal's own mail catcher")).to_be_visible()
    page.get_by_role("link", name="Back to the list").click()
    page.get_by_role("button", name="Add sample ideas").click()
    expect(told(page).first).to_contain_text("5 sample ideas are there.")
    page.get_by_role("link", name="Go to the portal").click()

    expect(page.get_by_role("heading", name="What would help you?")).to_be_visible()
    expect(page.get_by_role("link", name="Sample: Undo for the last step")).to_be_visible()
    look_again()
    assert find_by_email("olive@example.org").role is Role.OWNER
    page.goto("/admin/begin")
    page.get_by_role("button", name="Remove the samples").click()
    expect(told(page).first).to_contain_text("The samples are gone.")


def test_somebody_waits_and_is_let_in(come, settle):
    make_rules()
    with transaction():
        decide("membership", "approval")
    idea = make_idea("Mark springs on the map")
    waiting, moderator = make_user(name="Noor", approved_at=None), make_user(Role.MODERATOR)
    theirs, page = come(waiting), come(moderator)

    theirs.goto(f"/ideas/{idea.id}")
    expect(theirs.get_by_text("Your account waits for a moderator.")).to_be_visible()

    page.goto("/admin")
    page.get_by_role("link", name="See who waits").click()
    page.get_by_role("link", name="Noor").click()
    page.get_by_label("A few words to this person").fill("Good to have you.")
    page.get_by_role("button", name="Let in").click()
    expect(told(page).first).to_contain_text("Noor is in, and reads so by mail.")
    expect(page.get_by_role("heading", name="Nobody waits.")).to_be_visible()

    theirs.reload()
    expect(theirs.get_by_text("Your account waits for a moderator.")).to_have_count(0)
    vote_button(theirs, "Mark springs on the map").first.click()
    expect(told(theirs).filter(has_text="Voted. 2 votes.")).to_have_count(1)


def test_a_closed_portal_leads_to_sign_in_and_back(come):
    idea = make_idea("Mark springs on the map")
    make_user(email="noor@example.org", with_password=True)
    with transaction():
        decide("reading", "members")
    page = come()

    page.goto(f"/ideas/{idea.id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("E-mail address").first.fill("noor@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Mark springs on the map")


def test_an_admin_gives_a_role_and_it_holds_at_once(come):
    admin, member = make_user(Role.ADMIN), make_user(name="Noor")
    theirs, page = come(member), come(admin)
    theirs.goto("/")
    expect(theirs.get_by_role("link", name="Triage")).to_have_count(0)

    page.goto(f"/admin/people/{member.id}")
    page.get_by_role("link", name="Change the role").click()
    page.get_by_label("Moderator").check()
    page.get_by_role("button", name="Give this role").click()
    expect(told(page).first).to_contain_text("Noor is now: Moderator.")

    theirs.reload()
    expect(theirs.get_by_role("link", name="Triage")).to_be_visible()


def test_new_rules_are_looked_at_and_put_in_force(come):
    make_rules("Be kind.")
    admin, member = make_user(Role.ADMIN), make_user()
    page, theirs = come(admin), come(member)

    page.goto("/admin/rules")
    page.get_by_label("The text").fill("Be kind.\n\nClose the gate.")
    page.get_by_label("What is new, in short").fill("A word about gates.")
    page.get_by_role("button", name="See what differs").click()
    expect(page.locator("ins")).to_have_text("Close the gate.")
    page.get_by_role("button", name="Put version 2 in force").click()
    expect(told(page).first).to_contain_text("Version 2 is in force.")

    theirs.goto("/")
    theirs.get_by_role("link", name="See what is new, and agree").click()
    expect(theirs.locator("ins").first).to_contain_text("Close the gate.")
    theirs.get_by_label("I have read the community rules").check()
    theirs.get_by_role("button", name="Agree and go on").click()
    expect(theirs.get_by_text("The community rules have changed.")).to_have_count(0)
