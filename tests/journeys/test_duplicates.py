"""The team goes through possible duplicates: not the same for one pair, a merge and its undo for the next."""

import re

from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import db
from portal.duplicates import queries
from portal.duplicates.models import State
from portal.ideas.models import Idea
from portal.search import index
from tests.factories import make_idea, make_user
from tests.journeys.steps import told

NEED = "There is no signal up there, and without it I turn back."
TITLES = ("Offline maps for the whole valley", "Offline maps for the whole valley please")
OTHERS = ("Warn me before the last bus leaves", "Warn me before the last train leaves")


def test_a_pair_is_refused_for_good_and_another_one_merged_and_taken_back(come, scripts, settle):
    index.rebuild()
    for title in ("Dark mode", "Share my position", "Print on one page"):
        make_idea(title, need="Something else entirely.")
    same = [make_idea(title, need=NEED) for title in TITLES]
    apart = [make_idea(title, need="I walk until late and then there is no way home.") for title in OTHERS]
    settle()
    pm = make_user(Role.PM)
    page = come(pm)

    def press(key: str, button: str) -> None:
        if scripts:
            page.keyboard.press(key)
        else:
            page.get_by_role("main").get_by_role("button", name=button, exact=False).first.click()

    alike = page.get_by_role("region", name=re.compile("looks? alike"))
    page.goto(f"/triage/first-look/{apart[0].id}")
    expect(alike).to_contain_text(OTHERS[1])
    page.goto("/triage")
    page.get_by_role("navigation", name="Queues").get_by_role(
        "link", name=re.compile("Possible duplicates.*2", re.S)
    ).click()
    page.get_by_role("link", name=re.compile(OTHERS[0])).click()
    expect(page.get_by_role("heading", name="Are these the same idea?")).to_be_visible()
    press("n", "Not the same")
    expect(told(page).first).to_contain_text("Not the same: nobody will be asked again.")

    expect(page.get_by_role("heading", name=TITLES[0], exact=True)).to_be_visible()
    page.goto("/triage/duplicates")
    expect(page.get_by_role("link", name=re.compile(OTHERS[0]))).to_have_count(0)
    page.goto(f"/triage/first-look/{apart[0].id}")
    expect(page.get_by_role("region", name="What happened")).to_contain_text(f"not the same as {OTHERS[1]}")
    expect(alike.filter(has_text=OTHERS[1])).to_have_count(0)

    page.goto(f"/triage/duplicates/{same[0].id}/{same[1].id}")
    if scripts:
        page.keyboard.press("2")
    else:
        page.get_by_label("Keep this one").nth(1).check()
        page.get_by_role("button", name="Show what merging would do").click()
    expect(page).to_have_url(re.compile(f"keep={same[1].id}"))
    expect(page.locator('#after input[name="into"]')).to_have_value(str(same[1].id))
    press("m", "Merge")
    expect(told(page).first).to_contain_text(f"Joined with “{TITLES[1]}”.")
    expect(page.get_by_role("heading", name="Possible duplicates")).to_be_visible()

    press("u", "Undo") if scripts else told(page).get_by_role("button", name="Undo").click()
    expect(told(page).first).to_contain_text("The merge is taken back.")
    expect(page.get_by_role("heading", name="Are these the same idea?")).to_be_visible()
    settle()
    db.session.rollback()
    assert db.session.get_one(Idea, same[0].id).merged_into_id is None
    assert queries.find_pair(same[0].id, same[1].id).state is State.OPEN
    assert queries.find_pair(apart[0].id, apart[1].id).state is State.REFUSED
