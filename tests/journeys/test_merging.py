"""A manager joins two ideas, supporters say that it is not what they meant, and the merge is taken back."""

import re

from playwright.sync_api import expect

from portal.accounts.roles import Role
from portal.db import db
from portal.ideas import supporters
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from tests.factories import make_idea, make_user, make_votes
from tests.journeys.steps import told
from tests.support.mails import mails_to, words_of

OURS, MAIN = "Let someone at home see where I am", "Share my position for a day"


def link_to_object(address: str) -> str:
    """The link in the mail that told this person of the merge."""
    return re.search(r"https?://[^/\s]+(/mail/objection/\S+)", words_of(mails_to(address)[-1]))[1]


def votes_of(*ids: int) -> list[int]:
    db.session.rollback()
    ideas = [db.session.get_one(Idea, idea_id) for idea_id in ids]
    assert all(idea.votes == supporters.count_supporters(idea) for idea in ideas)
    return [idea.votes for idea in ideas]


def test_two_ideas_are_joined_supporters_object_and_all_is_as_before(come, settle):
    manager = make_user(Role.PM, name="Petra", team="Product team")
    idea, main = make_idea(OURS, author=make_user(name="Ines")), make_idea(MAIN)
    by_mail, by_inbox = make_votes(idea, 2)
    make_votes(main, 3)
    ids, address = (idea.id, main.id), by_mail.email
    before = votes_of(*ids)

    desk = come(manager)
    desk.goto(f"/triage/merge/{ids[0]}?into={ids[1]}")
    preview = desk.get_by_role("region", name="After merging")
    expect(preview).to_contain_text("7 votes")
    expect(preview).to_contain_text("4 only on the first, 3 only on the second, 0 on both")
    expect(preview).to_contain_text("The author, 2 voters.")
    words = preview.get_by_label("What they read")
    expect(words).to_have_value(re.compile(f"It asks for the same as “{MAIN}”"))
    words.fill("Ines, your tablet is in it too.")
    preview.get_by_label("Quote the second idea under the first").check()
    preview.get_by_role("button", name="Merge, tell 3 people").click()
    expect(told(desk).first).to_contain_text(f"Joined with “{MAIN}”. 3 people will hear about it.")
    settle()
    assert votes_of(*ids) == [3, 7]

    reader = come(None)
    reader.goto(link_to_object(address))
    expect(reader.get_by_role("heading", level=1)).to_have_text("Is this what you meant?")
    expect(reader.get_by_text("Ines, your tablet is in it too.")).to_be_visible()
    reader.get_by_label("What did you mean?").fill("Only my family, never a link.")
    reader.get_by_role("button", name="This is not what I meant").click()
    expect(reader.get_by_role("main").get_by_role("status")).to_contain_text("Your vote stays with your idea")
    assert votes_of(*ids) == [3, 6]

    member = come(by_inbox)
    member.goto("/inbox")
    expect(member.get_by_role("main")).to_contain_text("An idea you voted for was joined with another")
    member.get_by_role("link", name="This is not what I meant").click()
    member.get_by_role("button", name="This is not what I meant").click()
    member.wait_for_url(re.compile(rf"/ideas/{ids[0]}\b(?!/)"))
    expect(member.locator("#consent")).to_contain_text("2 people say: this is not what I meant.")
    assert votes_of(*ids) == [3, 5]

    member.get_by_role("link", name="Take it back").click()
    member.get_by_role("button", name="It is what I meant after all").click()
    expect(member.locator("#consent")).to_contain_text("1 person says: this is not what I meant.")
    assert votes_of(*ids) == [3, 6]

    settle()
    desk.goto("/inbox")
    expect(desk.get_by_role("main")).to_contain_text("1 person says of a merge: this is not what I meant")
    desk.goto(f"/triage/first-look/{ids[1]}")
    desk.locator("#desk").get_by_role("link", name=OURS).first.click()
    expect(desk.locator("#desk")).to_contain_text("“Only my family, never a link.”")
    desk.get_by_label("Why the merge is taken back").fill("One is for family, the other for anybody.")
    desk.get_by_role("button", name="Undo the merge").click()
    expect(told(desk).first).to_contain_text("The merge is taken back. 3 people will hear about it.")
    settle()

    assert votes_of(*ids) == before
    assert db.session.get_one(Idea, ids[0]).status is Status.NEW
    member.goto("/inbox")
    expect(member.get_by_role("main")).to_contain_text("An idea you voted for stands on its own again")
    reader.reload()
    expect(reader.get_by_role("main")).to_contain_text("There is nothing to object to")
