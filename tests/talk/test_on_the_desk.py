"""The team's talk in a real browser: by keyboard, without JavaScript, for everybody, on a phone."""

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.db import db
from portal.ideas.models import Answer
from portal.talk import drafts, service, snippets
from portal.talk.models import AnswerDraft, DraftState, Note
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support import assert_accessible
from tests.support.accessibility import violations_of_a_page

pytestmark = pytest.mark.usefixtures("app")


def test_a_note_is_left_by_keyboard_while_an_answer_is_half_written(open_page):
    pm, idea = make_user(Role.PM, name="Ines Keller"), make_idea("A gate that squeaks")
    make_user(Role.PM, name="Tom Ashby")
    page = open_page(pm)
    page.goto(f"/triage/first-look/{idea.id}")
    page.locator("#move-to").select_option("answer")
    page.locator("#answer-answer").fill("Half an answer")
    page.evaluate("document.activeElement.blur()")

    page.keyboard.press("n")
    page.keyboard.type("@Tom, is this one near you?")
    page.keyboard.press("Control+Enter")
    page.get_by_text("Tom will hear of it.").wait_for()

    assert page.locator("#answer-answer").input_value() == "Half an answer"
    assert page.locator("#note").input_value() == ""
    page.get_by_role("button", name="Delete the note by Ines Keller").click()
    page.get_by_text("Note deleted.").wait_for()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("u")
    page.get_by_text("The note is back.").wait_for()
    assert page.locator(".private__note").inner_text().startswith("@Tom, is this one near you?")
    assert_accessible(page)


def test_drafting_and_looking_work_without_javascript(open_page):
    ines, tom = make_user(Role.PM, name="Ines Keller"), make_user(Role.PM, name="Tom Ashby")
    idea = make_idea("A gate that squeaks", author=make_user(name="Wanda Moor"))
    with transaction():
        snippets.save_snippet(ines, "Thanks", "Thank you, {author}.", shared=True, board_id=None)
    page = open_page(ines, javascript=False)
    page.goto(f"/triage/first-look/{idea.id}")
    form = page.locator("#form-answer")
    form.get_by_label("Official answer").fill("We heard it.")
    form.get_by_label("Wording to insert").select_option("Thanks")
    form.get_by_role("button", name="Insert").click()
    assert page.locator("#form-answer").get_by_label("Official answer").input_value() == (
        "We heard it.\n\nThank you, Wanda Moor."
    )
    page.locator("#form-answer").get_by_role("button", name="Keep as draft").click()
    page.get_by_label("Who is to look at it").select_option("Tom Ashby")
    page.get_by_role("button", name="Ask for a review").click()
    assert "Tom Ashby will hear of it." in page.locator("#notices").inner_text()

    page = open_page(tom, javascript=False)
    page.goto("/triage/drafts")
    page.get_by_role("link", name="A gate that squeaks").click()
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("link", name="Publish on the desk").click()
    page.locator("#form-answer").get_by_role("button", name="Publish").click()

    db.session.rollback()
    assert db.session.scalars(select(Answer.body)).all() == ["We heard it.\n\nThank you, Wanda Moor."]
    assert db.session.scalars(select(AnswerDraft.state)).all() == [DraftState.PUBLISHED]


def test_the_pages_are_for_everybody(open_page):
    pm, idea = make_user(Role.PM, name="Ines Keller"), make_idea("A gate that squeaks")
    tom = make_user(Role.PM, name="Tom Ashby")
    with transaction():
        service.write_note(idea, pm, "Support hears **this** often.")
        draft = drafts.save_draft(idea, tom, "answer", {"answer-answer": ["We hear."]}, {"Official answer": "We hear."})
        drafts.ask_for_review(draft, tom, pm.id, "Too early?")
        snippets.save_snippet(pm, "Thanks", "Thank you, {author}.", shared=False, board_id=None)
        note_id, draft_id = db.session.scalar(select(Note.id)), draft.id
    page, objections = open_page(pm), []

    for path in (
        f"first-look/{idea.id}", "drafts", f"drafts/{draft_id}", "snippets", "notes",
        f"first-look/{idea.id}/notes/{note_id}",
    ):  # fmt: skip
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"/triage/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, path
        objections += violations_of_a_page(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert objections == []
