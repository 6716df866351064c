"""Members vote, comment, reply, edit, delete and follow."""

from playwright.sync_api import expect

from tests.factories import make_comment, make_idea, make_user
from tests.journeys.steps import look_again, told, vote_button

WATER = "Mark springs on the map"


def test_a_member_votes_and_takes_the_vote_back(come, scripts):
    idea, page = make_idea(WATER), come(make_user())

    page.goto(f"/ideas/{idea.id}")
    vote_button(page, WATER).click()
    expect(vote_button(page, WATER)).to_have_attribute("aria-pressed", "true")
    expect(told(page).filter(has_text="Voted. 2 votes.")).to_have_count(1)
    expect(page.get_by_text("Because you voted.")).to_be_visible()
    if scripts:
        expect(vote_button(page, WATER)).to_be_focused()

    vote_button(page, WATER).click()
    expect(vote_button(page, WATER)).to_have_attribute("aria-pressed", "false")
    expect(told(page).filter(has_text="Vote taken back. 1 vote.")).to_have_count(1)
    look_again()
    assert idea.votes == 1


def test_a_member_comments_replies_edits_and_deletes(come):
    idea = make_idea(WATER)
    said = make_comment(idea, author=make_user(name="Ines"), body="Cattle troughs would help.")
    page = come(make_user(name="Noor"))

    page.goto(f"/ideas/{idea.id}")
    page.get_by_label("Add to the discussion").fill("**Springs** dry out in August.\n\n- so say when")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(told(page).first).to_contain_text("Posted.")
    expect(page.locator(".comment__body strong")).to_have_text("Springs")
    expect(page.locator(".comment__body li")).to_have_text("so say when")

    page.get_by_role("link", name="Reply to Ines").click()
    expect(page.get_by_role("blockquote")).to_contain_text("Cattle troughs")
    page.get_by_label("Your reply").fill("If the water is clean.")
    page.get_by_role("button", name="Reply").click()
    replies = page.locator(f"#comment-{said.id}-said .replies")
    expect(replies.locator(".comment__body")).to_have_text("If the water is clean.")

    replies.get_by_role("link", name="Edit").click()
    page.get_by_label("Your comment").fill("If the water runs.")
    page.get_by_role("button", name="Save").click()
    expect(replies.locator(".comment__body")).to_have_text("If the water runs.")
    expect(replies.get_by_text("edited")).to_be_visible()

    replies.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete comment").click()
    expect(told(page).first).to_contain_text("The comment is gone. Replies stay.")
    expect(page.get_by_text("If the water runs.")).to_have_count(0)
    expect(page.get_by_role("link", name="Edit")).to_have_count(1)  # one's own, not those of others


def test_a_member_finds_a_comment_helpful(come, scripts):
    said = make_comment(make_idea(WATER), body="Cattle troughs would help.")
    page = come(make_user())

    page.goto(f"/ideas/{said.idea_id}")
    page.get_by_role("button", name="Helpful").click()

    expect(page.get_by_role("button", name="Helpful 1")).to_have_attribute("aria-pressed", "true")
    if scripts:
        expect(page.get_by_role("button", name="Helpful 1")).to_be_focused()


def test_a_member_follows_and_unfollows(come):
    idea, page = make_idea(WATER), come(make_user())

    page.goto(f"/ideas/{idea.id}")
    page.get_by_role("button", name="Follow “").click()
    expect(told(page).first).to_contain_text("You will hear when this idea moves.")

    page.get_by_role("button", name="Following “").click()
    expect(told(page).first).to_contain_text("You will hear no more of this idea.")
    expect(page.get_by_role("button", name="Follow “")).to_have_attribute("aria-pressed", "false")


def test_authors_say_their_own_ideas_better_and_take_them_back(come):
    author = make_user(name="Ines")
    idea, page = make_idea(WATER, author=author), come(author)

    page.goto(f"/ideas/{idea.id}")
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Your idea in one sentence").fill("Mark springs and say when they are dry")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mark springs and say when they are dry")
    page.get_by_role("link", name="edited").click()
    expect(page.get_by_role("heading", name=WATER)).to_be_visible()

    page.goto(f"/ideas/{idea.id}")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete idea").click()
    expect(told(page).first).to_contain_text("Your idea is gone.")
    assert page.goto(f"/ideas/{idea.id}").status == 404
