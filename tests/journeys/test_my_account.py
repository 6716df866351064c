"""A member makes the account their own, takes everything along, leaves, comes back, and is forgotten."""

import io
import json
import zipfile
from datetime import timedelta

import time_machine
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.notifications.models import CaughtMail
from tests.factories import make_comment, make_idea, make_user
from tests.journeys.steps import look_again, sign_in
from tests.support import assert_accessible
from tests.support.images import picture


def test_a_member_shows_a_picture_and_chooses_language_and_zone(come, scripts):
    member = make_user(name="Robin Hale")
    idea = make_idea("Mark the wells", author=member)
    page, reader = come(member), come()

    page.goto("/account")
    fits_everybody(page, scripts)
    upload = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": picture("JPEG", size=(900, 600))}
    page.get_by_label("A picture of your own").set_input_files(upload)
    page.get_by_role("button", name="Save picture").click()
    expect(page.locator("#notices")).to_contain_text("This is your picture now")
    reader.goto(f"/ideas/{idea.id}")
    shown = reader.locator(".idea__head img")
    expect(shown).to_have_js_property("naturalWidth", 256)

    page.get_by_label("Your account").get_by_role("link", name="Preferences").click()
    fits_everybody(page, scripts)
    page.get_by_label("Deutsch").check()
    page.get_by_label("Time zone").select_option(label="Kolkata (UTC+5:30)")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    look_again()
    assert db.session.get_one(User, member.id).timezone == "Asia/Kolkata"


def test_a_member_sees_where_they_are_signed_in_and_signs_out_elsewhere(come, scripts):
    member = make_user()
    here, there = come(member), come(member, width=390)
    there.goto("/account")

    here.goto("/account/security")
    fits_everybody(here, scripts)
    expect(here.locator(".devices").first.get_by_text("this browser")).to_have_count(1)
    here.get_by_role("button", name="Sign out everywhere else").click()
    expect(here.locator("#notices")).to_contain_text("Only this browser is signed in now")

    there.goto("/account")
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_member_takes_everything_along(come, settle, scripts):
    member = make_user(name="Robin Hale")
    make_idea("Mark the wells", author=member)
    page = come(member)

    page.goto("/account/data")
    fits_everybody(page, scripts)
    page.get_by_role("link", name="Ask for your data").click()
    page.get_by_role("button", name="Gather my data").click()
    expect(page.locator("#gathering")).to_contain_text("waits for its turn")
    settle()
    if not scripts:
        page.get_by_role("link", name="Look again").click()
    with page.expect_download() as fetched:
        page.get_by_role("link", name="Fetch your data").click()

    with open(fetched.value.path(), "rb") as file, zipfile.ZipFile(io.BytesIO(file.read())) as pack:
        assert json.loads(pack.read("ideas.json"))[0]["title"] == "Mark the wells"
        assert json.loads(pack.read("account.json"))[0]["name"] == "Robin Hale"


def test_a_member_leaves_comes_back_leaves_again_and_is_forgotten(come, settle, scripts):
    member = make_user(name="Robin Hale", with_password=True)
    idea = make_idea("Mark the wells", author=member)
    make_comment(idea, author=member, body="I need this.")
    page, reader = come(member), come()

    leave(page, scripts)
    expect(page.locator("#notices")).to_contain_text("You are signed out everywhere")
    reader.goto(f"/ideas/{idea.id}")
    expect(reader.get_by_role("main")).to_contain_text("Former member")
    expect(reader.get_by_role("main")).not_to_contain_text("Robin Hale")

    page.goto("/sign-in")
    sign_in(page, member)
    expect(page.get_by_role("heading", name="Stay or go?")).to_be_visible()
    fits_everybody(page, scripts)
    page.get_by_role("button", name="Stay after all").click()
    expect(page.locator("#notices")).to_contain_text("Good to have you back")
    reader.reload()
    expect(reader.get_by_role("main")).to_contain_text("Robin Hale")

    leave(page, scripts)
    expect(page.locator("#notices")).to_contain_text("You are signed out everywhere")
    with time_machine.travel(utcnow() + timedelta(days=14, minutes=1)):
        settle()
    look_again()
    reader.reload()
    expect(reader.get_by_role("main")).to_contain_text("I need this.")
    expect(reader.get_by_role("main")).not_to_contain_text("Robin Hale")
    assert db.session.get_one(User, member.id).email.endswith("@erased.invalid")
    assert db.session.scalars(select(CaughtMail)).all() == []


def fits_everybody(page, scripts):
    if scripts:  # axe is one
        assert_accessible(page)


def leave(page, scripts):
    page.goto("/account/leave")
    fits_everybody(page, scripts)
    page.get_by_label("I have read what goes and what stays").check()
    page.get_by_role("button", name="Leave and erase me").click()
