"""The rooms where admins change the workflow, and what follows from a change."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.db import db
from portal.errors import Refusal
from portal.events import EventRecord
from portal.ideas import workflow
from portal.ideas.models import Idea, StatusChange
from portal.ideas.moves import MoveDetails, MoveNotAllowed, move_idea, moves_for, undo_move
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from portal.workflows import drafting, queries
from portal.workflows.checks import FIELDS
from portal.workflows.models import State, WorkflowVersion
from tests.factories import make_idea, make_user, make_votes
from tests.support import on_one_database
from tests.support.workflows import change, proposed_workflow, stage_beside

pytestmark = pytest.mark.usefixtures("app")

REVIEW = {
    "label": "Under review",
    "meaning": "A named person is looking. No promise yet.",
    "hue": "under_review",
    "glyph": "under_review",
    "votes": "y",
    "comments": "y",
    "edits": "y",
    "days": "30",
}


def hidden(text: str) -> dict[str, str]:
    """What the page wants back: the version it was made of, and what it showed."""
    return {name: re.search(rf'name="{name}"[^>]* value="([^"]*)"', text)[1] for name in ("base", "seen")}


def weigh(browser, url: str, **form: str):
    """Ask what would change, and then save it."""
    shown = browser.post(url, data=form | {"base": "0"})
    again = form | hidden(shown.text) | {"why": "So that people wait less.", "save": "1"}
    return shown, browser.post(url, data=again, follow_redirects=True)


def test_a_clock_is_changed_after_a_look_at_what_that_means(browse):
    ideas = [make_idea(status=Status.UNDER_REVIEW) for _ in range(3)]
    promised = [idea.due_at for idea in ideas]
    admin = make_user(Role.ADMIN)
    browser = browse(admin)

    assert "3 ideas" in browser.get("/admin/workflow").text
    shown = browser.post("/admin/workflow/status/under_review", data=REVIEW | {"days": "14", "base": "0"})
    assert "the next word is due within 30 days, from now on within 14 days" in shown.text
    assert "3 ideas keep the days that were promised" in shown.text
    assert workflow.rule_of(Status.UNDER_REVIEW).next_word_within.days == 30  # nothing is saved yet
    again = REVIEW | {"days": "14"} | hidden(shown.text)

    nameless = browser.post("/admin/workflow/status/under_review", data=again | {"save": "1", "why": " "})
    assert nameless.status_code == 422
    assert "Say why." in nameless.text
    done = browser.post("/admin/workflow/status/under_review", data=again | {"save": "1", "why": "Two weeks do."})

    assert done.location.endswith("/admin/workflow")
    db.session.rollback()
    assert workflow.rule_of(Status.UNDER_REVIEW).next_word_within.days == 14
    assert [db.session.get(Idea, idea.id).due_at for idea in ideas] == promised
    assert "We owe the next word within 14 days." in browser.get("/how-we-decide").text
    version = db.session.scalars(select(WorkflowVersion)).one()
    assert (version.author_id, version.reason, version.state) == (admin.id, "Two weeks do.", State.HELD)
    assert db.session.scalar(select(EventRecord.actor_id).where(EventRecord.name == "workflow.changed")) == admin.id
    assert db.session.scalar(select(SecurityEntry.actor_id).where(SecurityEntry.kind == "workflow.changed")) == admin.id


def test_what_was_not_shown_is_not_saved(browse):
    browser = browse(make_user(Role.ADMIN))
    shown = browser.post("/admin/workflow/status/under_review", data=REVIEW | {"days": "14", "base": "0"})

    other = REVIEW | {"days": "700"} | hidden(shown.text) | {"save": "1", "why": "Quickly."}
    answer = browser.post("/admin/workflow/status/under_review", data=other)

    assert "from now on within 700 days" in answer.text
    assert queries.now_held()[0] == 0


def test_ideas_are_never_left_without_a_way_out(browse):
    for _ in range(2):
        make_idea(status=Status.CONFIRMED)
    browser = browse(make_user(Role.ADMIN))

    shown, saved = weigh(browser, "/admin/workflow/move/confirmed/under_review/remove")

    assert "2 ideas would be in a status with no way out: Confirmed." in shown.text
    assert 'name="save"' not in shown.text
    assert saved.status_code == 422
    assert queries.now_held()[0] == 0
    with pytest.raises(Refusal, match="no way out"):
        change(lambda held: drafting.without_move(held, "confirmed", "under_review"))


def test_the_second_to_change_sees_the_fresh_workflow_and_loses_nothing_typed(browse):
    browser = browse(make_user(Role.ADMIN))
    shown = browser.post("/admin/workflow/status/under_review", data=REVIEW | {"days": "14", "base": "0"})
    change(lambda held: drafting.with_status(held, "planned", days=90))

    late = REVIEW | {"days": "14", "save": "1", "why": "Two weeks do."} | hidden(shown.text)
    answer = browser.post("/admin/workflow/status/under_review", data=late)

    assert answer.status_code == 422
    assert "Somebody changed the workflow meanwhile." in answer.text
    assert 'value="14"' in answer.text
    assert "Two weeks do." in answer.text
    done = browser.post("/admin/workflow/status/under_review", data=late | hidden(answer.text))
    assert done.status_code == 303
    db.session.rollback()
    held = [workflow.rule_of(status).next_word_within.days for status in (Status.UNDER_REVIEW, Status.PLANNED)]
    assert held == [14, 90]


def test_a_product_manager_proposes_and_an_admin_decides(browse):
    pm, admin = browse(make_user(Role.PM)), browse(make_user(Role.ADMIN))

    _shown, said = weigh(pm, "/admin/workflow/status/under_review", **(REVIEW | {"days": "14"}))

    assert "Proposed. An admin decides." in said.text
    db.session.rollback()
    assert queries.now_held()[0] == 0
    number = db.session.scalars(select(WorkflowVersion.id)).one()
    assert "So that people wait less." in admin.get("/admin/workflow").text
    assert pm.post(f"/admin/workflow/proposals/{number}/accept").status_code == 403
    assert "from now on within 14 days" in admin.get(f"/admin/workflow/proposals/{number}").text
    assert admin.post(f"/admin/workflow/proposals/{number}/accept").status_code == 303
    db.session.rollback()
    assert workflow.rule_of(Status.UNDER_REVIEW).next_word_within.days == 14
    assert admin.post(f"/admin/workflow/proposals/{number}/accept").status_code == 409


def test_a_proposal_made_of_older_tables_is_not_accepted(browse):
    number = proposed_workflow()
    change(lambda held: drafting.with_status(held, "planned", days=90))
    admin = browse(make_user(Role.ADMIN))

    assert "changed since this was proposed" in admin.get(f"/admin/workflow/proposals/{number}").text
    assert admin.post(f"/admin/workflow/proposals/{number}/accept").status_code == 409
    assert admin.post(f"/admin/workflow/proposals/{number}/refuse", data={"why": "Too late."}).status_code == 303
    db.session.rollback()
    assert db.session.get(WorkflowVersion, number).state is State.REFUSED


def test_a_status_that_was_added_is_one_like_the_others(browse, settle):
    admin, pm = browse(make_user(Role.ADMIN)), make_user(Role.PM)
    idea = make_idea(status=Status.IN_PROGRESS)
    (voter,) = make_votes(idea, 1)
    team, voting = browse(pm), browse(voter)
    form = {"kind": "in_progress", "label": "Being tried out", "meaning": "Some people have it.", "comments": "y"}
    form |= {"hue": "not_now", "glyph": "confirmed", "days": "20"}

    shown, _saved = weigh(admin, "/admin/workflow/status", **form)
    assert "Being tried out is new, of the kind In progress." in shown.text
    db.session.rollback()
    stage = next(rule for rule in workflow.rules() if rule.stage)
    desk = team.get(f"/triage/first-look/{idea.id}").text
    assert f'value="{stage.key}"' in desk
    moved = team.post(
        f"/triage/first-look/{idea.id}/move/{stage.key}",
        data={f"{stage.key}-seen": "in_progress", f"{stage.key}-answer": "Five of you have it."},
    )

    assert moved.status_code == 303
    settle()
    db.session.rollback()
    idea = db.session.get(Idea, idea.id)
    assert (idea.status, idea.stage, idea.takes_votes) == (Status.IN_PROGRESS, stage.key, False)
    page = browse().get(f"/ideas/{idea.id}").text
    assert "Being tried out" in page
    assert 'data-status="not_now"' in page
    assert "#glyph-confirmed" in page
    assert "Being tried out" in browse().get("/").text
    assert "Being tried out" in voting.get("/inbox").text
    assert "Some people have it." in browse().get("/how-we-decide").text
    refused, _ = weigh(admin, f"/admin/workflow/status/{stage.key}/remove")
    assert "1 idea stands in the status that is to go." in refused.text

    with transaction():
        move_idea(idea, Status.SHIPPED, make_user(Role.PM), MoveDetails(answer="It is there."))
    _, gone = weigh(admin, f"/admin/workflow/status/{stage.key}/remove")
    assert "It holds from this moment on." in gone.text
    assert browse().get(f"/ideas/{idea.id}/history").status_code == 200
    assert "In progress" in browse().get(f"/ideas/{idea.id}").text  # what the stage was one of


def test_a_stage_is_left_and_reached_only_by_its_own_moves(settle):
    key, pm = stage_beside("planned", "On the list"), make_user(Role.PM)
    change(lambda held: drafting.without_move(held, "under_review", key))
    change(lambda held: drafting.without_move(held, key, "shipped"))
    idea = make_idea(status=Status.UNDER_REVIEW)

    assert key not in {move.name for move in moves_for(idea, pm)}
    with pytest.raises(MoveNotAllowed), transaction():
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="Yes."), stage=key)
    with pytest.raises(MoveNotAllowed), transaction():
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="Yes."), stage="invented")
    with transaction():
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="Yes."))
        move_idea(idea, Status.PLANNED, pm, MoveDetails(), stage=key)
    with pytest.raises(MoveNotAllowed, match="On the list"), transaction():
        move_idea(idea, Status.SHIPPED, pm, MoveDetails(answer="Yes."))
    assert [change.overrides for change in db.session.scalars(select(StatusChange))] == [False, False]


def test_a_merge_taken_back_leads_to_the_stage_or_what_it_was_one_of(app):
    from portal.ideas.merging import undo_merge

    key, pm = stage_beside("planned", "On the list"), make_user(Role.PM)
    main, ideas = make_idea(), [make_idea(status=Status.PLANNED, stage=key) for _ in range(2)]
    with transaction():
        for idea in ideas:
            move_idea(idea, Status.MERGED, pm, MoveDetails(into=main))
        undo_merge(ideas[0], pm, "They differ.")
    assert (ideas[0].status, ideas[0].stage) == (Status.PLANNED, key)
    with transaction():
        move_idea(ideas[0], Status.SHIPPED, pm, MoveDetails(answer="It is there."))
    change(lambda held: drafting.without_status(held, key))

    with transaction():
        undo_merge(ideas[1], pm, "They differ.")

    assert (ideas[1].status, ideas[1].stage) == (Status.PLANNED, "")


@on_one_database
def test_a_move_taken_back_leads_to_what_the_stage_was_one_of_once_that_is_gone(app):
    key, pm = stage_beside("planned", "On the list"), make_user(Role.PM)
    idea = make_idea(status=Status.PLANNED, stage=key)
    with transaction():
        change_id = move_idea(idea, Status.SHIPPED, pm, MoveDetails(answer="It is there.")).id
    change(lambda held: drafting.without_status(held, key))

    with transaction():
        undo_move(idea, db.session.get_one(StatusChange, change_id), pm, within=timedelta(days=1))

    assert (idea.status, idea.stage) == (Status.PLANNED, "")


def test_who_hears_of_a_move_and_what_it_demands_is_data(browse, settle):
    admin, pm, idea = browse(make_user(Role.ADMIN)), make_user(Role.PM), make_idea(status=Status.PLANNED)
    make_votes(idea, 2)
    author = idea.author_id
    form = dict.fromkeys(FIELDS, "") | {"by": "triager", "news": "step", "tells": "author", "reason": "demands"}

    shown, _saved = weigh(admin, "/admin/workflow/move/planned/in_progress", **form)

    assert "is told to: The author." in shown.text
    db.session.rollback()
    with pytest.raises(Refusal, match="Give the reason."), transaction():
        move_idea(idea, Status.IN_PROGRESS, pm, MoveDetails())
    with transaction():
        told = move_idea(idea, Status.IN_PROGRESS, make_user(Role.MODERATOR), MoveDetails(reason="Begun.")).told
    settle()
    heard = set(db.session.scalars(select(Notification.user_id).where(Notification.kind == "progressed")))
    assert told == 1
    assert heard == {author}


def test_lists_call_a_status_by_its_new_name_at_once(browse):
    make_idea(status=Status.PLANNED)
    member = browse(make_user())
    assert member.get("/").text.count("Planned") > 1

    change(lambda held: drafting.with_status(held, "planned", label="Decided", days=90))

    page = member.get("/").text
    assert "Planned" not in page and page.count("Decided") > 1


def test_the_beginning_comes_back(browse):
    admin = browse(make_user(Role.ADMIN))
    change(lambda held: drafting.with_status(held, "planned", label="Decided", days=90))
    first = queries.now_held()[0]

    shown, _saved = weigh(admin, "/admin/workflow/versions/0", base="x")
    assert "Decided is called Planned." in shown.text
    db.session.rollback()
    assert workflow.rule_of(Status.PLANNED).label == "Planned"
    assert "The workflow that the portal came with." in admin.get("/admin/workflow/versions").text
    weigh(admin, f"/admin/workflow/versions/{first}")
    db.session.rollback()
    assert workflow.rule_of(Status.PLANNED).label == "Decided"
    assert [len(queries.versions()), queries.now_held()[1]["version"]] == [3, queries.now_held()[0]]


@on_one_database
def test_reading_the_workflow_costs_no_statement(browse):
    from tests.support import queries as statements

    stage_beside("planned", "On the list")
    idea = make_idea(status=Status.PLANNED)
    workflow.current()

    with statements() as asked:
        assert idea.rule.label == "Planned"
        assert moves_for(idea, make_user()) == []

    assert [statement for statement in asked if "option" in str(statement)] == []
