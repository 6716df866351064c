"""The main job in one go: from a sentence somebody types to everybody behind it hearing what became of it."""

import re

from playwright.sync_api import expect

from portal.accounts.roles import Role
from tests.factories import make_board, make_idea, make_rules, make_user
from tests.journeys.steps import ask_for_account, choose, on_both_databases, sign_in, told, vote_button

MAPS, WATER = "Download maps to use them without network", "Mark springs on the map"


@on_both_databases
def test_from_a_typed_sentence_to_everybody_behind_it_hearing_of_it(come, scripts, settle, smtp):
    make_rules()
    make_board("Planning")
    make_idea(MAPS)
    ines = make_user(name="Ines", with_password=True)
    settle()
    author, voter, manager = come(), come(), come(make_user(Role.PM, name="Petra", team="Product team"))

    # Ines finds nothing like it, posts it and signs in at the end
    author.goto("/")
    author.get_by_label("What would make").fill(WATER)
    author.get_by_role("button", name="Continue").click()
    author.get_by_label("What happens today").fill("I carry four litres because I never know.")
    author.get_by_role("button", name="Post idea").click()
    sign_in(author, ines)
    expect(author.get_by_role("heading", level=1)).to_have_text(WATER)
    idea = re.search(r"/ideas/\d+", author.url).group()
    settle()

    # Noor types the same, opens an account, votes and says why
    voter.goto("/")
    voter.get_by_label("What would make").press_sequentially("Springs on the map please")
    if not scripts:
        voter.get_by_role("button", name="Continue").click()
    voter.get_by_role("region", name="Is it one of these?").get_by_role("link", name=WATER, exact=True).click()
    voter.get_by_role("main").get_by_role("link", name=f"Vote for “{WATER}”").click()
    voter.get_by_role("link", name="Open an account").click()
    ask_for_account(voter, "noor@example.org", "Noor")
    expect(voter.get_by_role("heading", level=1)).to_have_text("Look into your mail")
    settle()
    letter = next(mail for mail in smtp.got if "noor" in mail["To"]).get_body(("plain",)).get_content()
    voter.goto(re.search(r"https?://\S+/sign-up/\S+", letter).group())
    voter.get_by_role("button", name="Open my account").click()
    expect(vote_button(voter, WATER)).to_have_attribute("aria-pressed", "true")
    voter.get_by_label("Add to the discussion").fill("Say when they *dry out*.")
    voter.get_by_role("button", name="Comment", exact=True).click()
    expect(voter.locator(".comment__body em")).to_have_text("dry out")

    # Petra looks at it and plans it
    for status, words, button in (
        ("Under review", "", "Move, tell 2 people"),
        ("Planned", "**We build it.** With the summer map.", "Publish, tell 2 people"),
    ):
        manager.goto(idea)
        manager.get_by_role("link", name="Open in triage").click()
        choose(manager, scripts, status)
        form = manager.locator(f"#form-{status.lower().replace(' ', '_')}")
        if words:
            form.get_by_label("What will be built, and why").fill(words)
        form.get_by_role("button", name=button).click()
        expect(told(manager).first).to_contain_text(f"Moved to {status}. 2 people will hear about it.")
    settle()

    # both hear of it, here and by mail, and Noor wants no more mails
    for page, reason in ((author, "Your idea has moved"), (voter, "An idea you voted for has moved")):
        page.goto("/inbox")
        row = page.locator(".news-row").filter(has_text="With the summer map.")
        expect(row).to_have_count(1)
        expect(row.locator(".news-row__why")).to_contain_text(reason)
    planned = [mail for mail in smtp.got if str(mail["Subject"]).startswith("Planned: ")]
    assert sorted(mail["To"].addresses[0].addr_spec for mail in planned) == sorted([ines.email, "noor@example.org"])
    letter = next(mail for mail in planned if "noor" in mail["To"]).get_body(("plain",)).get_content()
    reader = come()
    reader.goto(re.search(r"https?://\S+/mail/stop/[^\s>]+", letter).group())
    reader.get_by_role("button", name="Stop all mails").click()
    expect(reader.get_by_text("Stopped. No more mails come.")).to_be_visible()
