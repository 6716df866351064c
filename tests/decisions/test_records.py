"""Records of decisions: what a decision leaves behind, where it is read, and who may put it right."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.decisions import queries, service
from portal.decisions.models import Decision, Reason
from portal.errors import Refusal
from portal.ideas import moves
from portal.ideas.models import StatusChange
from portal.ideas.steps import MoveDetails, Record
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user
from tests.support import either_way, on_one_database

pytestmark = pytest.mark.usefixtures("app")


def decide(idea, target=Status.DECLINED, actor=None, answer="It does not fit.", reversal="A change of law.", **record):
    """Decide on an idea as the desk does, with what the record says."""
    details = MoveDetails(answer=answer, reversal=reversal, alternative="Use a pencil.", record=Record(**record))
    with transaction(wake=False):
        moves.move_idea(idea, target, actor or make_user(Role.PM), details)
    return queries.standing(idea)


def reason_for(status):
    return queries.reasons_for(status)[0]


def declined(reason, **but):
    """What the desk posts to decline an idea."""
    said = {"seen": "new", "answer": "Not for us.", "because": str(reason.id), "reversal": "Law."} | but
    return {f"declined-{name}": value for name, value in said.items()}


@pytest.mark.parametrize("target", [Status.PLANNED, Status.NOT_NOW, Status.DECLINED, Status.AVAILABLE])
def test_every_decision_leaves_a_record_with_the_words_of_its_answer(target):
    idea, pm = make_idea(status=Status.UNDER_REVIEW), make_user(Role.PM)
    reason = reason_for(target)

    made = decide(idea, target, pm, because=reason.id, evidence="We asked **forty** walkers.", people=3)

    assert (made.status, made.reason, made.decider, made.votes_then) == (target, reason, pm, 1)
    assert made.answer.body == "It does not fit."
    assert "<strong>forty</strong>" in made.evidence_html
    assert made.people == (3 if target in {Status.NOT_NOW, Status.DECLINED} else None)  # a yes has no way back


def test_the_other_moves_leave_none():
    idea, pm = make_idea(), make_user(Role.PM)

    with transaction(wake=False):
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))

    assert db.session.scalars(select(Decision)).all() == []
    assert queries.standing(idea) is None


def test_the_record_that_stands_is_the_one_of_the_last_decision():
    idea, pm = make_idea(), make_user(Role.PM)
    first = decide(idea, actor=pm, evidence="Then.")
    with transaction(wake=False):
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(reason="Things changed."))
    between = queries.standing(idea)
    second = decide(idea, actor=pm, evidence="Now.")

    assert between is None
    assert first.evidence == "Then."
    assert second.evidence == "Now."
    assert queries.of_idea(idea) == [second, first]


def test_a_decision_that_was_taken_back_at_once_is_in_no_list():
    idea, pm = make_idea(), make_user(Role.PM)
    decide(idea, actor=pm)
    change = db.session.scalars(select(StatusChange)).one()

    with transaction(wake=False):
        moves.undo_move(idea, change, pm, within=timedelta(minutes=15))

    assert queries.standing(idea) is None
    assert queries.of_idea(idea) == []
    assert queries.list_decisions(pm, queries.Filters()) == []


def test_only_reasons_of_the_list_that_fit_are_taken():
    retired, fitting = reason_for(Status.PLANNED), reason_for(Status.DECLINED)
    with transaction(wake=False):
        retired.be_for(["declined"])
        service.retire_reason(retired, make_user(Role.ADMIN))

    for wrong in (9_999, retired.id):
        with pytest.raises(Refusal, match="Choose one anew"):
            decide(make_idea(), because=wrong)
    assert decide(make_idea(), because=fitting.id).reason == fitting


def test_a_condition_in_numbers_is_enough_to_say_what_would_change_our_mind():
    assert decide(make_idea(), reversal="", people=5).people == 5
    for words, numbers in (("", {}), ("", {"people": 0}), ("", {"organisations": 2_000_000})):
        with pytest.raises(Refusal):
            decide(make_idea(), reversal=words, **numbers)


@either_way
def test_whoever_declines_names_the_reason_and_loses_nothing_by_forgetting_it(browse, headers):
    idea, reason, browser = make_idea(), reason_for(Status.DECLINED), browse(make_user(Role.PM))
    address = f"/triage/first-look/{idea.id}/move/declined"

    forgotten = browser.post(address, data=declined(reason, because="", evidence="Forty talks."), headers=headers)
    given = browser.post(address, data=declined(reason, evidence="Forty talks.", people="12"), headers=headers)

    assert forgotten.status_code == 422
    assert "Choose the reason that comes nearest" in forgotten.text
    assert "Forty talks." in forgotten.text
    assert given.status_code in {200, 303}
    db.session.rollback()
    made = queries.standing(idea)
    assert (made.reason_id, made.evidence, made.people) == (reason.id, "Forty talks.", 12)


@pytest.mark.parametrize(("field", "wrong"), [("people", "0"), ("organisations", "many"), ("back_on", "2020-01-01")])
@on_one_database
def test_numbers_and_days_that_are_none_are_refused_and_kept(browse, field, wrong):
    idea = make_idea()
    data = declined(reason_for(Status.DECLINED), **{field: wrong})

    answer = browse(make_user(Role.PM)).post(f"/triage/first-look/{idea.id}/move/declined", data=data)

    assert answer.status_code == 422
    assert f'value="{wrong}"' in answer.text
    db.session.rollback()
    assert queries.standing(idea) is None


def test_everybody_reads_the_record_on_the_page_of_the_idea(browse):
    idea, reason = make_idea(), reason_for(Status.DECLINED)
    decide(idea, because=reason.id, evidence="Forty talks.", people=7, organisations=3)

    text = browse().get(f"/ideas/{idea.id}").text

    for words in (reason.label, "Forty talks.", "Use a pencil.", "A change of law.", "7 people ask for it again"):
        assert words in text
    assert "3 organisations are behind it" in text


@on_one_database
def test_the_reason_of_an_earlier_decision_stays_with_its_answer(browse):
    idea, pm, reason = make_idea(), make_user(Role.PM), reason_for(Status.DECLINED)
    decide(idea, actor=pm, because=reason.id)
    with transaction(wake=False):
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(reason="Things changed."))
        moves.move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We do it after all."))

    for address in (f"/ideas/{idea.id}", f"/triage/first-look/{idea.id}"):
        assert reason.label in browse(pm).get(address).text


def test_a_record_is_put_right_by_those_who_decide_and_nobody_is_told(browse, settle):
    idea, moderator, pm = make_idea(), make_user(Role.MODERATOR), make_user(Role.PM)
    decide(idea)
    other = queries.reasons_for(Status.DECLINED)[1].id
    address = f"/triage/first-look/{idea.id}/record"
    data = {
        "record-seen": "declined",
        "record-because": str(other),
        "record-evidence": "Sixty talks.",
        "record-people": "4",
    }

    refused = browse(moderator).post(address, data=data)
    without = browse(pm).post(address, data=data | {"record-because": ""})
    shown = browse(pm).get(f"/triage/first-look/{idea.id}").text
    done = browse(pm).post(address, data=data)

    assert refused.status_code == 403
    assert without.status_code == 422
    assert 'id="form-record"' in shown
    assert done.status_code == 303
    db.session.rollback()
    made = queries.standing(idea)
    assert (made.reason_id, made.evidence, made.people) == (other, "Sixty talks.", 4)
    assert made.revised_at is not None
    assert made.answer.body == "It does not fit."
    settle()
    assert "decision.revised" not in {told.record.name for told in db.session.scalars(select(Notification))}


def test_what_came_decided_from_elsewhere_gets_its_record_on_the_desk():
    idea, pm, reason = make_idea(status=Status.DECLINED), make_user(Role.PM), reason_for(Status.DECLINED)
    before = queries.standing(idea)

    with transaction(wake=False):
        service.revise(idea, pm, Record(because=reason.id, people=5))

    assert before is None
    assert (queries.standing(idea).reason, queries.standing(idea).people) == (reason, 5)
    with transaction(wake=False), pytest.raises(Refusal, match="Nothing is decided"):
        service.revise(make_idea(), pm, Record())


# The list of the team


def test_the_team_finds_decisions_by_reason_by_status_and_by_what_became_of_them(browse):
    pm = make_user(Role.PM)
    few, other = queries.reasons_for(Status.DECLINED)[:2]
    decide(make_idea("Paint the gates"), actor=pm, because=few.id)
    decide(make_idea("Fence the wells", status=Status.UNDER_REVIEW), Status.PLANNED, pm)
    back = make_idea("Mow the moor")
    decide(back, actor=pm, because=other.id)
    with transaction(wake=False):
        moves.move_idea(back, Status.UNDER_REVIEW, pm, MoveDetails(reason="Things changed."))

    def found(**query):
        text = browse(pm).get("/triage/decisions", query_string=query).text
        return {title for title in ("Paint the gates", "Fence the wells", "Mow the moor") if title in text}

    assert found() == {"Paint the gates", "Fence the wells", "Mow the moor"}
    assert found(reason=few.id) == {"Paint the gates"}
    assert found(status="planned") == {"Fence the wells"}
    assert found(only="standing") == {"Paint the gates", "Fence the wells"}
    assert found(only="reopened") == {"Mow the moor"}
    assert found(status="nonsense", reason="'", only="x") == found()


def test_a_list_of_decisions_goes_on_where_the_page_ends(browse):
    pm = make_user(Role.PM)
    for number in range(33):
        decide(make_idea(f"Decided number {number:02}"), actor=pm)

    first = browse(pm).get("/triage/decisions").text
    older = next(part for part in first.split('"') if part.startswith("/triage/decisions?after="))
    second = browse(pm).get(older).text

    assert first.count("Decided number") == 30
    assert [second.count(f"Decided number {number:02}") for number in (0, 1, 2, 3)] == [1, 1, 1, 0]


def test_decisions_on_boards_that_one_does_not_work_on_are_in_no_list():
    board = make_board("Closed", audience=Audience.PRIVATE)
    decide(make_idea("Under wraps", board=board), actor=make_user(Role.ADMIN))

    shown = {role: len(queries.list_decisions(make_user(role), queries.Filters())) for role in Role}

    assert shown == dict.fromkeys(Role, 0) | {Role.ADMIN: 1, Role.OWNER: 1}


# The list of reasons


def test_admins_keep_the_list_of_reasons_and_what_was_given_stays_readable(browse):
    admin, idea = make_user(Role.ADMIN), make_idea()
    browser = browse(admin)

    nothing = browser.post("/admin/reasons", data={"label": "Not on our land"})
    browser.post("/admin/reasons", data={"label": "Not on our land", "about": "Others own it.", "kinds": "declined"})
    db.session.rollback()
    reason = queries.list_reasons()[-1]
    decide(idea, because=reason.id)
    browser.post(f"/admin/reasons/{reason.id}", data={"label": "Not ours", "kinds": "declined"})
    browser.post(f"/admin/reasons/{reason.id}", data={"do": "retire"})
    db.session.rollback()

    assert nothing.status_code == 422
    assert "Not ours" in browse().get(f"/ideas/{idea.id}").text
    assert reason.id not in [each.id for each in queries.reasons_for(Status.DECLINED)]
    assert "Not ours" in browser.get("/admin/reasons").text
    browser.post(f"/admin/reasons/{reason.id}", data={"do": "restore"})
    db.session.rollback()
    assert queries.reasons_for(Status.DECLINED)[-1].id == reason.id


def test_a_reason_that_was_never_given_goes_and_the_others_change_places():
    admin = make_user(Role.ADMIN)
    first, second, third = queries.list_reasons()[:3]

    with transaction(wake=False):
        service.move_reason(second, -1, admin)
        service.move_reason(second, -1, admin)
        assert service.retire_reason(third, admin)

    assert queries.list_reasons()[:2] == [second, first]
    assert third.id not in [reason.id for reason in db.session.scalars(select(Reason))]


@on_one_database
def test_without_reasons_nobody_is_asked_for_one(browse):
    admin, idea = make_user(Role.ADMIN), make_idea()
    with transaction(wake=False):
        for reason in queries.list_reasons():
            service.retire_reason(reason, admin)

    data = declined(Reason(id=1), because="")
    answer = browse(make_user(Role.PM)).post(f"/triage/first-look/{idea.id}/move/declined", data=data)

    assert answer.status_code == 303
    assert "There is no reason to choose" in browse(admin).get("/admin/reasons").text
