"""An invitation, from the list of addresses to the first vote."""

import re

from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.queries import find_by_email
from portal.accounts.roles import Role
from portal.db import db
from portal.notifications.models import CaughtMail
from portal.options import decide
from portal.transactions import transaction
from tests.factories import PASSWORD, make_idea, make_rules, make_user
from tests.journeys.steps import look_again, told, vote_button

SPRINGS = "Mark springs on the map"


def link_to(address):
    look_again()
    mail = db.session.scalars(
        select(CaughtMail).where(CaughtMail.recipient == address).order_by(CaughtMail.id.desc())
    ).first()
    return re.search(r"/invitation/[\w-]+", mail.raw.replace("=\r\n", "").replace("=\n", ""))[0]


def test_invite_accept_the_rules_first_vote(come, settle):
    make_rules("Be kind to each other.")
    make_idea(SPRINGS)
    with transaction():
        decide("membership", "invitation")
        decide("reading", "members")
    admin = make_user(Role.ADMIN, name="Ada")
    page = come(admin)

    page.goto("/invitations")
    page.get_by_label("E-mail addresses").fill("noor@example.org\nnobody at home")
    page.get_by_label("A few words from you").fill("We spoke on Kirk Fell.")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_role("heading", name="1 person will be invited")).to_be_visible()
    expect(page.get_by_text("Line 2, “nobody at home”")).to_be_visible()
    page.get_by_role("button", name="Send a sample to myself first").click()
    expect(page.get_by_text("A sample is on its way to")).to_be_visible()
    page.get_by_role("button", name="Send 1 invitation").click()
    expect(page.get_by_text("1 invitation is on its way.")).to_be_visible()
    expect(page.get_by_label("E-mail addresses")).to_have_value("nobody at home")
    expect(page.get_by_text("not yet accepted")).to_be_visible()
    settle()

    guest = come(width=390)
    guest.goto(link_to("noor@example.org"))
    expect(guest.get_by_text("Ada invites you to")).to_be_visible()
    expect(guest.get_by_text("We spoke on Kirk Fell.")).to_be_visible()
    guest.get_by_label("Display name").fill("Noor")
    guest.get_by_label("Password", exact=True).fill(PASSWORD)
    expect(guest.get_by_role("region", name="Community rules, version")).to_contain_text("Be kind to each other.")
    guest.get_by_label("I have read the community rules").check()
    guest.get_by_role("button", name="Agree and join").click()
    expect(told(guest).first).to_contain_text("Welcome, Noor.")

    vote_button(guest, SPRINGS).first.click()
    expect(told(guest).filter(has_text="Voted. 2 votes.")).to_have_count(1)
    look_again()
    assert find_by_email("noor@example.org").is_approved

    page.goto("/invitations")
    expect(page.get_by_text("accepted", exact=True)).to_be_visible()
