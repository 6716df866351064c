"""Who asks again after a decision, and how ideas come back when what would change the team's mind has happened."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.decisions import clocks, queries, service
from portal.decisions.models import Decision, Need
from portal.decisions.queries import Demand
from portal.ideas import moves, promises
from portal.ideas import service as ideas
from portal.ideas.models import Idea, StatusChange
from portal.ideas.steps import MoveDetails, Record
from portal.ideas.workflow import Status
from portal.notifications.models import Mail, Notification
from portal.organisations.models import Organisation, OrganisationMember, Way
from portal.promises.service import renew_promise
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes
from tests.support import either_way, on_one_database
from tests.support.workflows import stage_beside

pytestmark = pytest.mark.usefixtures("app")


def decide(idea, target=Status.DECLINED, actor=None, **record):
    details = MoveDetails(answer="No.", reversal="Law.", review_on=None, record=Record(**record))
    with transaction(wake=False):
        moves.move_idea(idea, target, actor or make_user(Role.PM), details)
    return queries.standing(idea)


def need(idea, user=None, words=""):
    user = user or make_user()
    with transaction(wake=False):
        service.say_need(idea, user, words)
    return user


def fresh(idea):
    db.session.rollback()
    return db.session.get_one(Idea, sa.inspect(idea).identity[0])


def look_now(decision):
    with transaction(wake=False):
        decision.look_at = utcnow() - timedelta(seconds=1)
    return clocks.return_when_met()


def why(idea):
    """What the history says of the last move."""
    moved = select(StatusChange).where(StatusChange.idea_id == fresh(idea).id).order_by(StatusChange.id.desc())
    change = db.session.scalars(moved).first()
    return change.actor_id, change.reason


@either_way
def test_a_declined_idea_can_still_be_needed_once_by_each_and_no_longer(browse, headers):
    idea, member = make_idea(), make_user()
    decide(idea)
    browser = browse(member)
    asked = browser.get(f"/ideas/{idea.id}").text

    for words in ("For my mother", "For my father"):
        browser.post(f"/ideas/{idea.id}/need", data={"words": words}, headers=headers)
    said = browser.get(f"/ideas/{idea.id}").text
    counted = queries.demand_for(fresh(idea))
    browser.post(f"/ideas/{idea.id}/need/withdraw", headers=headers)

    assert "Voting is closed. If you still need this" in asked
    assert counted == Demand(people=1, votes=0, needs=1, comments=0)
    assert "For my father" in said
    assert "For my mother" not in said
    assert queries.demand_for(fresh(idea)).people == 0


def test_only_what_is_declined_is_still_needed_and_only_by_those_who_take_part(browse):
    idea, parked = make_idea(), make_idea(status=Status.NOT_NOW)
    decide(idea)

    assert browse(make_user(Role.OBSERVER)).post(f"/ideas/{idea.id}/need").status_code == 403
    assert browse(make_user()).post(f"/ideas/{parked.id}/need").status_code == 409
    assert "Sign in" in browse().post(f"/ideas/{idea.id}/need", follow_redirects=True).text
    assert browse(make_user()).post(f"/ideas/{idea.id}/need", data={"words": "x" * 301}).status_code == 409
    assert db.session.scalars(select(Need)).all() == []


def test_the_words_are_for_the_team(browse):
    idea, member = make_idea(), make_user()
    decide(idea)
    need(idea, member, "Because of the wolves")

    assert "wolves" in browse(make_user(Role.OBSERVER)).get(f"/triage/first-look/{idea.id}").text
    assert "wolves" in browse(member).get(f"/ideas/{idea.id}").text
    for other in (None, make_user()):
        assert "wolves" not in browse(other).get(f"/ideas/{idea.id}").text


def test_votes_and_comments_since_the_decision_are_renewed_demand():
    idea = make_idea(status=Status.UNDER_REVIEW)
    make_votes(idea, 3)
    make_comment(idea)
    decide(idea, Status.NOT_NOW, people=50)

    make_votes(idea, 2)
    make_comment(idea)
    make_comment(idea, author=make_user(Role.MODERATOR))
    gone = make_comment(idea)
    with transaction(wake=False):
        comments.delete_comment(gone, gone.author)

    assert queries.demand_for(idea) == Demand(people=2, votes=2, needs=0, comments=1)


def test_votes_that_were_set_aside_or_taken_back_are_none():
    idea = make_idea()
    decide(idea, Status.NOT_NOW, people=50)
    for voter in make_votes(idea, 2)[:1]:
        with transaction(wake=False):
            ideas.withdraw_vote(idea, voter)

    assert queries.demand_for(idea).people == 1


def test_an_idea_comes_back_when_enough_people_ask_again_and_all_behind_it_hear_why(settle):
    author, owner = make_user(), make_user(Role.PM)
    idea = make_idea(author=author, owner_id=owner.id)
    concerned = {author.id, make_votes(idea, 1)[0].id}
    decide(idea, people=2, actor=owner)
    concerned.add(need(idea).id)
    owner_id = owner.id
    settle()
    early = fresh(idea).status
    concerned.add(need(fresh(idea)).id)

    settle()

    assert early is Status.DECLINED
    assert fresh(idea).status is Status.UNDER_REVIEW
    assert why(idea) == (None, "We said what would change our mind: 2 people have asked for it again since we decided.")
    change_id = db.session.scalars(select(StatusChange.id).where(StatusChange.target == Status.UNDER_REVIEW)).one()
    told = [n for n in db.session.scalars(select(Notification)) if n.record.data.get("change_id") == change_id]
    assert {n.user_id for n in told} == {*concerned, owner_id}
    mailed = select(Mail.user_id).where(Mail.notification_id.in_([n.id for n in told]))
    assert set(db.session.scalars(mailed)) == concerned


def test_people_count_once_however_they_ask():
    main, member = make_idea(), make_user()
    decide(main, Status.NOT_NOW, people=9)
    idea = make_idea()
    with transaction(wake=False):
        ideas.cast_vote(main, member)
        ideas.cast_vote(idea, member)
        moves.move_idea(idea, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))
    db.session.refresh(main)

    assert queries.demand_for(main).people == 2  # the member, and the author of what was merged


def test_votes_bring_a_parked_idea_back_by_themselves(settle):
    idea = make_idea()
    decide(idea, Status.NOT_NOW, people=3)
    make_votes(idea, 2)
    settle()
    early = fresh(idea).status

    make_votes(fresh(idea), 1)
    settle()

    assert early is Status.NOT_NOW
    assert fresh(idea).status is Status.UNDER_REVIEW


def test_organisations_bring_an_idea_back_whoever_of_them_asks():
    idea, members = make_idea(), [make_user() for _ in range(3)]
    with transaction(wake=False):
        for name in ("North", "South"):
            db.session.add(Organisation(name=name, name_key=name.lower()))
        db.session.flush()
        north, south = db.session.scalars(select(Organisation.id).order_by(Organisation.id))
        for member, where in zip(members, (north, north, south), strict=True):
            db.session.add(OrganisationMember(user_id=member.id, organisation_id=where, way=Way.HAND))
    made = decide(idea, organisations=2)
    need(idea, members[0])
    need(idea, members[1])
    early = look_now(made)
    need(idea, members[2])

    late = look_now(made)

    assert (early, late) == (0, 1)
    assert why(idea)[1] == "We said what would change our mind: 2 organisations are behind it now."


def test_a_day_brings_an_idea_back_and_not_before():
    today = utcnow().date()
    soon, now = make_idea(), make_idea()
    later, due = decide(soon, back_on=today + timedelta(days=2)), decide(now, back_on=today)
    assert later.look_at.date() == today + timedelta(days=2)

    with transaction(wake=False):
        later.look_at = due.look_at = utcnow()
    done = clocks.return_when_met()

    assert done == 1
    assert (fresh(soon).status, fresh(now).status) == (Status.DECLINED, Status.UNDER_REVIEW)
    assert why(now) == (None, "The date to look at it again has come.")
    assert clocks.return_when_met() == 0


def test_nothing_happens_twice_and_nothing_to_an_idea_that_has_moved_on(settle):
    idea, pm = make_idea(), make_user(Role.PM)
    made_id = decide(idea, people=1, actor=pm).id
    with transaction(wake=False):
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(reason="Anyway."))
        moves.move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="Yes."))
    make_votes(idea, 2)
    settle()

    assert look_now(db.session.get_one(Decision, made_id)) == 0
    assert fresh(idea).status is Status.PLANNED
    assert db.session.get_one(Decision, made_id).look_at is None


def test_a_hidden_idea_waits_for_its_return(settle):
    idea, moderator = make_idea(), make_user(Role.MODERATOR)
    decide(idea, people=1)
    need(idea)
    with transaction(wake=False):
        ideas.hide_idea(idea, moderator, "Rude.")
    settle()
    idea = fresh(idea)
    hidden = look_now(queries.standing(idea))
    with transaction(wake=False):
        ideas.publish_idea(idea, make_user(Role.MODERATOR))

    assert hidden == 0
    assert look_now(queries.standing(idea)) == 1
    assert fresh(idea).status is Status.UNDER_REVIEW


def test_what_was_asked_of_an_earlier_no_does_not_count_for_the_next_one(settle):
    idea, pm, member = make_idea(), make_user(Role.PM), make_user()
    decide(idea, actor=pm, people=1)
    need(idea, member)
    member_id = member.id
    settle()
    idea = fresh(idea)
    decide(idea, people=1)

    before = queries.demand_for(idea)
    need(idea, db.session.get_one(User, member_id))
    settle()

    assert before.people == 0
    assert fresh(idea).status is Status.UNDER_REVIEW


@on_one_database
def test_what_is_on_a_closed_board_is_nobodys_to_need(browse):
    idea = make_idea(board=make_board("Team only", audience=Audience.STAFF))
    decide(idea)

    assert browse(make_user()).post(f"/ideas/{idea.id}/need").status_code == 404


@pytest.mark.settings(TIMEZONE="Pacific/Auckland")
@on_one_database
def test_a_day_begins_where_the_board_is():
    day = date(2026, 6, 10)
    with time_machine.travel(datetime(2026, 6, 1, tzinfo=UTC), tick=False):
        idea = make_idea()
        assert decide(idea, back_on=day).look_at == datetime(2026, 6, 9, 12, tzinfo=UTC)

    with time_machine.travel(datetime(2026, 6, 9, 11, 59, tzinfo=UTC), tick=False):
        assert look_now(queries.standing(idea)) == 0
    with time_machine.travel(datetime(2026, 6, 9, 12, 1, tzinfo=UTC), tick=False):
        assert look_now(queries.standing(idea)) == 1


def park(idea, day, pm, **record):
    details = MoveDetails(answer="Later.", review_on=day, record=Record(**record))
    with transaction(wake=False):
        moves.move_idea(idea, Status.NOT_NOW, pm, details)
    return queries.standing(idea)


@on_one_database
def test_the_day_of_a_parked_idea_is_one_wherever_it_is_put_off():
    today, pm = utcnow().date(), make_user(Role.PM)
    first, later, last = (today + timedelta(days=days) for days in (10, 40, 90))
    idea = make_idea()
    made = park(idea, first, pm)

    with transaction(wake=False):
        renew_promise(idea, later, "We wait for the vendor.", pm)
    with time_machine.travel(utcnow() + timedelta(days=11)):
        assert (look_now(made), fresh(idea).status, made.day_back) == (0, Status.NOT_NOW, later)
    with transaction(wake=False):
        service.revise(idea, pm, Record(back_on=last))

    assert (idea.review_on, promises.running(idea).due_at.date(), made.day_back) == (last, last, last)
    assert [each.outcome for each in promises.ledger_of(idea.id)][-3:] == ["renewed", "renewed", None]
    with time_machine.travel(utcnow() + timedelta(days=91)):
        assert look_now(made) == 1


@on_one_database
def test_what_brings_a_parked_idea_back_goes_on_in_another_stage_of_the_same_status():
    admin, day = make_user(Role.ADMIN), utcnow().date() + timedelta(days=30)
    key, idea = stage_beside("not_now", "We wait for a vendor"), make_idea()
    park(idea, day, admin, people=2, evidence="Three talks.")
    with transaction(wake=False):
        moves.move_idea(idea, Status.NOT_NOW, admin, MoveDetails(), stage=key)

    made = queries.standing(idea)
    assert (idea.stage, idea.review_on, promises.running(idea).due_at.date()) == (key, day, day)
    assert (made.people, made.day_back, made.evidence) == (2, day, "Three talks.")
    make_votes(idea, 2)
    with transaction(wake=False):
        assert service.return_if_met(idea)


def test_a_decision_that_stands_again_is_seen_to_again(settle):
    idea, pm = make_idea(), make_user(Role.PM)
    made = decide(idea, people=3, actor=pm)
    with transaction(wake=False):
        change_id = moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(reason="A slip.")).id
    look_now(made)
    assert made.look_at is None
    with transaction(wake=False):
        moves.undo_move(idea, db.session.get_one(StatusChange, change_id), pm, within=timedelta(days=1))
    settle()

    assert queries.standing(fresh(idea)).look_at is not None
