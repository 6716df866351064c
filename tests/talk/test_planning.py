"""Answers that go out at a moment that was chosen: in somebody's name, by the rights of that moment, or not at all."""

import html
from datetime import timedelta

import pytest
from flask_babel import force_locale, gettext
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import EventRecord, read
from portal.ideas import moves
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.talk import drafts, held_back, scheduling
from portal.talk.models import AnswerDraft, DraftState, ScheduledDraft
from portal.transactions import transaction
from tests.factories import make_idea, make_user, make_votes, move_to
from tests.support import either_way
from tests.support.mails import mails_to, words_of

pytestmark = pytest.mark.usefixtures("app")

WORDS = "We start in June, with the northern huts."


@pytest.fixture
def ines(browse):
    """Somebody who decides, with a browser, far from the portal's own clocks."""
    person = make_user(Role.PM, name="Ines Keller", timezone="Asia/Kolkata")
    return person, browse(person)


def typed(hours: float = 30) -> str:
    """What Ines types for a moment: her clocks are five and a half hours ahead."""
    return f"{utcnow() + timedelta(hours=hours + 5.5):%Y-%m-%dT%H:%M}"


def plan(browser, idea, *, headers=None, hours: float = 30, **more):
    form = {"planned-seen": "under_review", "planned-answer": WORDS, "planned-expected": "June",
            "publish_at": typed(hours), "later": "1"} | more  # fmt: skip
    return browser.post(f"/triage/first-look/{idea.id}/move/planned", data=form, headers=headers or {})


def reviewed_idea(title: str = "Huts on a map", **fields: object) -> Idea:
    idea = make_idea(title, **fields)
    move_to(idea, Status.UNDER_REVIEW)
    return idea


def row() -> ScheduledDraft | None:
    db.session.rollback()
    return db.session.scalar(select(ScheduledDraft))


def come(settle) -> None:
    """Let the moment come."""
    with transaction():
        for planned in db.session.scalars(select(ScheduledDraft).where(ScheduledDraft.publish_at.is_not(None))):
            planned.publish_at = utcnow() - timedelta(seconds=1)
    settle()
    db.session.rollback()


def status_of(idea: Idea) -> Status:
    db.session.rollback()
    return db.session.get_one(Idea, idea.id).status


@either_way
def test_a_planned_move_goes_out_at_its_moment_and_everybody_hears_of_it_then(ines, settle, browse, headers):
    person, browser = ines
    idea = reviewed_idea()
    [voter] = make_votes(idea, 1)
    ids, title = (person.id, voter.id, idea.id), idea.title

    answer = plan(browser, idea, headers=headers)

    at = answer.headers.get("HX-Redirect") or answer.headers["Location"]
    page = browser.get(at).text
    assert "It goes out on" in page
    assert abs(row().publish_at - utcnow() - timedelta(hours=30)) < timedelta(minutes=2)
    assert "Goes out" in browser.get("/triage/find?q=status:under_review").text
    desk = browser.get(f"/triage/first-look/{ids[2]}").text
    assert "goes out on" in desk and "By the clocks of Asia/Kolkata" in desk
    assert title in browser.get("/triage/drafts?which=planned").text
    settle()
    assert status_of(idea) is Status.UNDER_REVIEW and WORDS not in browse().get(f"/ideas/{ids[2]}").text
    come(settle)
    assert status_of(idea) is Status.PLANNED and row() is None
    assert db.session.scalars(select(AnswerDraft.state)).all() == [DraftState.PUBLISHED]
    assert db.session.scalars(select(StatusChange.actor_id).where(StatusChange.target == Status.PLANNED)).all() == [
        ids[0]
    ]
    assert [said.body for said in db.session.scalars(select(Answer))] == [WORDS]
    told = select(Notification.user_id).where(Notification.kind == "decided")
    assert ids[1] in db.session.scalars(told).all()


def moved(idea, person, draft):
    moves.move_idea(idea, Status.DECLINED, make_deciders_now(), MoveDetails(answer="No.", reversal="If asked again."))


def make_deciders_now():
    from portal.accounts.models import User

    return db.session.scalars(select(User).where(User.name == "Another")).one()


def demoted(idea, person, draft):
    person.role = Role.MEMBER


def suspended(idea, person, draft):
    person.suspended_at = utcnow()


def shut_out(idea, person, draft):
    idea.board.audience = Audience.PRIVATE
    person.role = Role.MEMBER


def waits_for_review(idea, person, draft):
    drafts.ask_for_review(draft, person, make_deciders_now().id, "Please look.")


@pytest.mark.parametrize(
    ("change", "why", "hears"),
    [
        (moved, "moved to Declined", True),
        (demoted, "does not work on this board", False),
        (suspended, "can no longer do so", False),
        (shut_out, "can no longer do so", False),
        (waits_for_review, "not approved", True),
    ],
)
def test_what_came_between_holds_it_back_and_says_why(ines, settle, browse, change, why, hears):
    person, browser = ines
    make_user(Role.PM, name="Another")
    idea = reviewed_idea()
    plan(browser, idea)
    settle()
    with transaction():
        draft = db.session.scalars(select(AnswerDraft)).one()
        change(db.session.get_one(Idea, idea.id), db.session.merge(person), draft)
    before = status_of(idea)

    come(settle)

    held = row()
    assert status_of(idea) is before and held.publish_at is None
    assert why in held_back.words(held.held_why, held.held_facts) and held.held_back_at
    assert db.session.scalars(select(AnswerDraft)).one().is_open
    assert db.session.scalars(select(Answer.body).where(Answer.body == WORDS)).all() == []
    told = db.session.scalars(select(Notification.user_id).where(Notification.kind == "held_back")).all()
    assert told == ([] if change is suspended else [held.by_id])
    mails = [words_of(mail) for mail in mails_to(db.session.merge(person).email)]
    assert any(why in words for words in mails) is hears  # what the team says among itself is for those who work there
    if hears:
        assert "What you planned did not go out" in browser.get("/inbox").text
        assert why in browser.get(f"/triage/drafts/{held.draft_id}").text
    come(settle)
    assert db.session.scalars(select(EventRecord.name).where(EventRecord.name == "talk.draft_held_back")).all() == [
        "talk.draft_held_back"
    ]


def test_what_a_rule_said_in_words_alone_is_in_the_language_of_whoever_planned_it(ines, settle, monkeypatch):
    person, browser = ines
    plan(browser, reviewed_idea())
    with transaction():
        db.session.merge(person).locale = "de"

    def refuse(*_args, **_more):
        raise Refusal(gettext("An idea has at most ten tags."))

    monkeypatch.setattr(moves, "move_idea", refuse)
    come(settle)

    assert held_back.words(row().held_why, row().held_facts) == "Eine Idee hat höchstens zehn Themen."


def test_a_plan_is_given_up_by_a_button_and_by_other_words(ines, settle):
    _person, browser = ines
    idea = reviewed_idea()
    plan(browser, idea)
    draft_id = row().draft_id

    browser.post(f"/triage/drafts/{draft_id}/unplan")
    assert row() is None
    plan(browser, idea, draft_id=draft_id, draft_version=1)
    assert row().draft_id == draft_id
    browser.post(
        f"/triage/first-look/{idea.id}/move/planned",
        data={"planned-seen": "under_review", "planned-answer": "Other words.", "draft": "1", "draft_id": draft_id,
              "draft_version": 1},
    )  # fmt: skip
    settle()

    assert row() is None and status_of(idea) is Status.UNDER_REVIEW


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"publish_at": ""}, "Give a day and a time"),
        ({"publish_at": "next Friday"}, "Give a day and a time"),
        ({"publish_at": "2001-01-01T09:00"}, "Choose a moment in the future"),
        ({"publish_at": "9999-12-31T23:59"}, "Choose a moment within a year"),
        ({"planned-answer": ""}, "Write the public answer"),
    ],
)
def test_what_cannot_be_planned_is_said_at_once_and_nothing_is_lost(ines, more, sentence):
    _person, browser = ines
    idea = reviewed_idea()

    answer = plan(browser, idea, **more)

    assert answer.status_code == 422 and sentence in answer.text
    assert more.get("planned-answer", WORDS) in answer.text
    assert row() is None


def test_with_a_moment_nothing_goes_out_at_once_whatever_button_was_pressed(ines):
    _person, browser = ines
    idea = reviewed_idea()

    plan(browser, idea, later="")

    assert row() is not None and status_of(idea) is Status.UNDER_REVIEW


def test_only_the_team_of_the_board_gives_a_plan_up(ines, browse):
    _person, browser = ines
    plan(browser, reviewed_idea())
    draft_id = row().draft_id

    assert browse(make_user()).post(f"/triage/drafts/{draft_id}/unplan").status_code == 403
    assert browse(make_user(Role.OBSERVER)).post(f"/triage/drafts/{draft_id}/unplan").status_code == 403
    assert row() is not None


def test_what_is_kept_until_then_is_exactly_what_was_checked():
    details = MoveDetails(answer="Yes.", reason="Because.", link="https://example.org", review_on=utcnow().date())

    assert scheduling.read(scheduling.written(details)) == details


def test_what_the_database_could_not_take_goes_out_a_little_later(ines, settle, monkeypatch):
    _person, browser = ines
    idea = reviewed_idea()
    plan(browser, idea)
    publish, locked = drafts.publish, [OperationalError("UPDATE", {}, Exception("database is locked"))]

    def publish_when_free(*about: object) -> None:
        if locked:
            raise locked.pop()
        publish(*about)

    monkeypatch.setattr(drafts, "publish", publish_when_free)
    come(settle)

    assert locked == [] and row() is None
    assert status_of(idea) is Status.PLANNED
    assert len(db.session.scalars(select(Answer)).all()) == 1


def test_why_it_was_held_back_is_said_in_the_language_of_whoever_reads_it(ines, settle, browse):
    person, browser = ines
    make_user(Role.PM, name="Another")
    idea, address, colleague = reviewed_idea(), person.email, browse(make_user(Role.PM, locale="en"))
    plan(browser, idea)
    settle()
    with transaction():
        person = db.session.merge(person)
        person.locale = "de"
        waits_for_review(idea, person, db.session.scalars(select(AnswerDraft)).one())

    come(settle)

    held, german = row(), browser.get(f"/triage/drafts/{row().draft_id}").text
    with force_locale("de"):
        in_german = held_back.words(held.held_why, held.held_facts)
    assert "has not approved" not in in_german
    assert in_german in html.unescape(german)
    assert any(in_german in " ".join(words_of(mail).split()) for mail in mails_to(address))
    page = colleague.get(f"/triage/drafts/{held.draft_id}").text
    assert "A colleague has not approved it: Waits for a review." in page


def test_what_was_held_back_before_reasons_had_names_says_so_in_the_words_of_then(ines, browse):
    _person, browser = ines
    idea = reviewed_idea()
    plan(browser, idea)
    with transaction():
        held = row()
        held.publish_at, held.held_back_at, held.why = None, utcnow(), "Die Idee ist umgezogen."

    assert "Die Idee ist umgezogen." in browser.get(f"/triage/drafts/{held.draft_id}").text
    event = read(EventRecord(id=1, name="talk.draft_held_back", data={"draft_id": 1, "user_id": 1, "why": "So."}))
    assert (event.event.why, event.event.held, event.event.facts) == ("So.", "", {})


@pytest.mark.parametrize("why", held_back.WhyHeld)
def test_each_reason_has_words_and_a_rule_of_elsewhere_keeps_its_own(why):
    facts = {"state": "in_review", "status": "planned", "said": "100 % of it"}

    assert held_back.words(why, facts).endswith((".", "it"))
    assert held_back.reason_of(Refusal("No.")) == (held_back.WhyHeld.REFUSED, {"said": "No."})
