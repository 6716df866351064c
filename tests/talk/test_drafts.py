"""Answers before they are published: kept on the desk, looked at by a colleague, published by either."""

import re

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.db import db
from portal.decisions.queries import reasons_for
from portal.errors import Refusal
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.talk import drafts
from portal.talk.models import AnswerDraft, DraftState
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support import HTMX, PLAIN, either_way

pytestmark = pytest.mark.usefixtures("app")

WORDS = "We *hear* the gate squeak."


@pytest.fixture
def pms(browse):
    """Ines, who writes, and Tom, who looks: both with a browser."""
    ines, tom = (make_user(Role.PM, name=name) for name in ("Ines Keller", "Tom Ashby"))
    return ines, tom, browse(ines), browse(tom)


def keep(browser, idea, words=WORDS, headers=PLAIN, **more):
    return browser.post(
        f"/triage/first-look/{idea.id}/answer",
        data={"answer-seen": "new", "answer-answer": words, "draft": "1", **more},
        headers=headers,
    )


def only():
    db.session.rollback()
    return db.session.scalars(select(AnswerDraft)).one()


def heard(kind):
    db.session.rollback()
    return db.session.scalars(select(Notification.user_id).where(Notification.kind == kind)).all()


@either_way
def test_an_answer_is_kept_looked_at_approved_and_published(pms, settle, headers):
    ines, tom, writer, reviewer = pms
    idea = make_idea("A gate that squeaks")
    ids, at = (ines.id, tom.id), f"/triage/first-look/{idea.id}"

    kept = keep(writer, idea, headers=headers)
    number = only().id
    page = f"/triage/drafts/{number}"
    assert page in (kept.headers.get("HX-Redirect") or kept.headers["Location"])
    assert db.session.scalar(select(Answer.id)) is None
    writer.post(f"{page}/ask", data={"reviewer": ids[1], "words": "Is the tone right?"})
    settle()
    assert heard("review_asked") == [ids[1]]
    assert "A gate that squeaks" in reviewer.get("/triage/drafts").text
    assert "We <em>hear</em>" in reviewer.get(page).text and "Is the tone right?" in reviewer.get(page).text
    reviewer.post(f"{page}/review", data={"verdict": "approved", "version": 1})
    settle()
    assert heard("reviewed") == [ids[0]]
    assert "approved your draft" in writer.get("/inbox").text
    desk = writer.get(f"{at}?draft_id={number}").text
    form = re.search(r'<form[^>]*id="form-answer".*?</form>', desk, re.S)[0]
    assert WORDS in form and 'name="draft_version" value="1"' in form

    writer.post(f"{at}/answer", data={"answer-seen": "new", "answer-answer": WORDS, "draft_id": number,
                                      "draft_version": 1}, headers=headers)  # fmt: skip

    assert only().state is DraftState.PUBLISHED
    assert db.session.scalars(select(Answer.body)).all() == [WORDS]


@pytest.mark.settings(FOLD_MINUTES=15)
@pytest.mark.parametrize(
    ("act", "undo"),
    [("answer", "answer"), ("move/needs_info", "move")],
)
def test_what_is_taken_back_leaves_its_draft_open_again_and_approved(pms, act, undo):
    ines, tom, writer, reviewer = pms
    idea, name = make_idea("A gate that squeaks"), act.rpartition("/")[2]
    at, words = f"/triage/first-look/{idea.id}", {f"{name}-seen": "new", f"{name}-answer": WORDS}
    writer.post(f"{at}/{act}", data=words | {"draft": "1"})
    number, page = only().id, f"/triage/drafts/{only().id}"
    writer.post(f"{page}/ask", data={"reviewer": tom.id})
    reviewer.post(f"{page}/review", data={"verdict": "approved", "version": 1})
    writer.post(f"{at}/{act}", data=words | {"draft_id": number, "draft_version": 1})
    assert only().state is DraftState.PUBLISHED
    done = db.session.scalar(select(Answer.id if undo == "answer" else StatusChange.id))

    writer.post(f"{at}/undo-{undo}/{done}")
    assert (only().state, only().closed_at) == (DraftState.APPROVED, None)

    writer.post(f"{at}/{act}", data=words | {"draft_id": number, "draft_version": 1})
    writer.post(f"{at}/undo-{undo}/{done}")
    assert only().state is DraftState.PUBLISHED  # taken back was the one before, and once


def test_a_whole_move_is_drafted_with_all_that_is_said_and_finds_its_form_again(pms):
    _ines, _tom, writer, reviewer = pms
    idea = make_idea(status=Status.UNDER_REVIEW)

    writer.post(
        f"/triage/first-look/{idea.id}/move/planned",
        data={"planned-seen": "under_review", "planned-answer": "Yes", "planned-expected": "June", "draft": "1"},
    )
    draft = only()

    assert (draft.target, db.session.get_one(Idea, idea.id).status) == ("planned", Status.UNDER_REVIEW)
    page = reviewer.get(f"/triage/drafts/{draft.id}").text
    assert "Draft: Planned" in page and "June" in page
    desk = reviewer.get(f"/triage/first-look/{idea.id}?draft_id={draft.id}").text
    form = re.search(r'<form[^>]*id="form-planned".*?</form>', desk, re.S)[0]
    assert 'value="June"' in form and ">\r\nYes<" in form.replace(">\nYes", ">\r\nYes")
    assert '<option value="planned" selected>' in desk


def test_a_decision_is_drafted_with_its_reason_from_the_list(pms):
    _ines, _tom, writer, reviewer = pms
    idea, reason = make_idea(), reasons_for(Status.DECLINED)[0]
    said = {"seen": "new", "because": str(reason.id), "answer": "No.", "reversal": "Ten more."}

    writer.post(
        f"/triage/first-look/{idea.id}/move/declined",
        data={f"declined-{name}": text for name, text in said.items()} | {"draft": "1"},
    )
    draft = only()

    page = reviewer.get(f"/triage/drafts/{draft.id}").text
    assert str(reason.label) in page and "Ten more." in page
    desk = reviewer.get(f"/triage/first-look/{idea.id}?draft_id={draft.id}").text
    assert f'<option selected value="{reason.id}">' in desk


def test_a_draft_that_no_longer_fits_shows_its_words(pms):
    _ines, _tom, writer, _reviewer = pms
    idea = make_idea()
    writer.post(
        f"/triage/first-look/{idea.id}/move/needs_info",
        data={"needs_info-seen": "new", "needs_info-answer": "Which gate?", "draft": "1"},
    )
    draft = only()
    with transaction():
        db.session.get_one(Idea, idea.id).status = Status.PLANNED

    desk = writer.get(f"/triage/first-look/{idea.id}?draft_id={draft.id}").text

    assert "cannot be published as it is" in desk and "Which gate?" in desk
    assert "Which gate?" in writer.get(f"/triage/drafts/{draft.id}").text


def test_changed_words_have_to_be_looked_at_again_and_nobody_looks_at_their_own(pms):
    ines, tom, writer, reviewer = pms
    idea = make_idea()
    keep(writer, idea)
    draft = only()
    page = f"/triage/drafts/{draft.id}"
    writer.post(f"{page}/ask", data={"reviewer": tom.id})

    assert writer.post(f"{page}/review", data={"verdict": "approved", "version": 1}).status_code == 403
    assert reviewer.post(f"{page}/review", data={"verdict": "sent_back", "version": 1}).status_code == 422
    reviewer.post(f"{page}/review", data={"verdict": "sent_back", "version": 1, "words": "Too short"})
    assert only().state is DraftState.SENT_BACK
    keep(writer, idea, "Longer words", draft_id=draft.id, draft_version=1)
    assert (only().state, only().version) == (DraftState.WRITING, 2)
    writer.post(f"{page}/ask", data={"reviewer": tom.id})
    stale = reviewer.post(f"{page}/review", data={"verdict": "approved", "version": 1, "words": "Fine."})

    assert stale.status_code == 422 and "Somebody changed this draft meanwhile" in stale.text and "Fine." in stale.text
    reviewer.post(f"{page}/review", data={"verdict": "approved", "version": 2})
    assert only().state is DraftState.APPROVED
    keep(reviewer, idea, "Tom’s own words", draft_id=draft.id, draft_version=2)
    assert (only().state, only().edited_by_id, only().author_id) == (DraftState.WRITING, tom.id, ines.id)


@either_way
def test_of_two_who_save_at_once_the_second_sees_both_and_loses_nothing(pms, headers):
    _ines, _tom, writer, reviewer = pms
    idea = make_idea()
    keep(writer, idea)
    draft = only()
    keep(reviewer, idea, "Tom was first", draft_id=draft.id, draft_version=1)

    second = keep(writer, idea, "Ines was second", headers, draft_id=draft.id, draft_version=1)

    assert second.status_code == 422
    assert "Somebody changed this draft meanwhile" in second.text and "Ines was second" in second.text
    assert 'name="draft_version" value="2"' in second.text
    assert only().shown == {"Official answer": "Tom was first"}


def test_who_publishes_what_a_colleague_changed_meanwhile_closes_none_of_the_new_words(pms):
    _ines, _tom, writer, colleague = pms
    idea = make_idea()
    keep(writer, idea)
    number = only().id
    keep(colleague, idea, words="Better words.", draft_id=number, draft_version=1)

    sent = {"answer-seen": "new", "answer-answer": WORDS, "draft_id": number, "draft_version": 1}
    writer.post(f"/triage/first-look/{idea.id}/answer", data=sent)

    assert (only().state, only().shown) == (DraftState.WRITING, {"Official answer": "Better words."})
    assert db.session.scalars(select(Answer.body)).all() == [WORDS]


def test_those_with_a_part_in_it_hear_what_is_said_and_that_it_went_out(pms, settle):
    ines, tom, writer, reviewer = pms
    idea, third = make_idea(), make_user(Role.MODERATOR)
    ids = ines.id, tom.id
    keep(writer, idea)
    number = only().id
    with transaction():
        drafts.ask_for_review(db.session.get_one(AnswerDraft, number), ines, tom.id, "")
    with transaction():
        drafts.say(db.session.get_one(AnswerDraft, number), third, "A detail.")
    settle()
    assert sorted(heard("reviewed")) == sorted(ids)

    reviewer.post(f"/triage/first-look/{idea.id}/answer", data={
        "answer-seen": "new", "answer-answer": WORDS, "draft_id": number, "draft_version": 1})  # fmt: skip
    settle()

    assert sorted(heard("reviewed")) == sorted([*ids, ids[0]])
    assert "published the draft you worked on" in writer.get("/inbox").text


def test_a_dropped_draft_can_be_taken_up_again_and_a_closed_one_changes_no_more(pms):
    ines, tom, writer, _reviewer = pms
    keep(writer, make_idea())
    page = f"/triage/drafts/{only().id}"

    dropped = writer.post(f"{page}/drop", follow_redirects=True).text
    assert only().state is DraftState.DROPPED and f"{page}/reopen" in dropped
    with pytest.raises(Refusal), transaction():
        drafts.ask_for_review(only(), ines, tom.id, "")
    writer.post(f"{page}/reopen")

    assert only().state is DraftState.WRITING


def test_drafts_are_the_teams_observers_read_and_members_never_learn_of_them(pms, browse):
    _ines, _tom, writer, _reviewer = pms
    author = make_user()
    idea = make_idea(author=author)
    keep(writer, idea, "An unsaid word: quern")
    page = f"/triage/drafts/{only().id}"
    observer = browse(make_user(Role.OBSERVER))

    assert "quern" in observer.get(page).text and "/say" not in observer.get(page).text
    assert observer.post(f"{page}/say", data={"words": "x"}).status_code == 403
    assert keep(observer, idea).status_code == 403
    assert browse(author).get(page).status_code in {403, 404}
    for address in (f"/ideas/{idea.id}", f"/ideas/{idea.id}/history", "/search?q=unsaid"):
        assert "quern" not in browse(author).get(address, follow_redirects=True).text


def test_nothing_is_kept_of_an_empty_form(pms):
    assert keep(pms[2], make_idea(), " ").status_code == 422
    assert db.session.scalar(sa.select(AnswerDraft.id)) is None


def test_saving_says_so_and_the_desk_lists_what_is_open(pms):
    _ines, _tom, writer, reviewer = pms
    idea = make_idea()
    page = keep(writer, idea, headers=HTMX).headers["HX-Redirect"]

    assert "Nobody outside the team sees it." in writer.get(page).text
    desk = reviewer.get(f"/triage/first-look/{idea.id}").text
    assert "1 draft for this idea" in desk and page in desk
