"""Votes for others: given with a reason, told to whom they belong, taken back without a trace."""

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import service, supporters
from portal.ideas.models import Follow, Idea, Vote, VoteOrigin
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.organisations import behalf
from portal.organisations import queries as organisations
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user, make_votes
from tests.organisations.steps import counter_is_true, fresh, join, make_organisation
from tests.support import on_one_database

pytestmark = pytest.mark.usefixtures("app")
NOTE = "On the phone, 3 May"


def test_a_vote_for_somebody_counts_tells_them_and_lets_nothing_rise(browse, settle, smtp):
    idea, ann, pm = make_idea(), make_user(name="Ann"), make_user(Role.PM, name="Paula")
    heat, idea_id, pm_id, ann_id = idea.heat, idea.id, pm.id, ann.id

    browse(pm).post(f"/ideas/{idea.id}/behind/votes", data={"kind": "member", "who": "Ann", "note": NOTE})
    settle()

    db.session.rollback()
    idea, ann = db.session.get_one(Idea, idea_id), db.session.get_one(User, ann_id)
    vote = db.session.get(Vote, (idea_id, ann_id))
    assert (vote.origin, vote.cast_by_id, vote.note) == (VoteOrigin.BEHALF, pm_id, NOTE)
    assert (idea.votes, idea.heat) == (2, heat)
    told = db.session.scalars(select(Notification).where(Notification.user_id == ann_id)).all()
    assert [(one.kind, one.reason) for one in told] == [("spoken_for", "voter")]
    inbox = browse(ann).get("/inbox").text
    assert "We gave a vote for you" in inbox
    assert NOTE in browse(ann).get(f"/ideas/{idea.id}/count").text
    assert NOTE not in browse(make_user()).get(f"/ideas/{idea.id}/count").text
    entry = db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.vote_cast_on_behalf")).one()
    assert (entry.actor_id, entry.data) == (pm_id, {"user_id": ann_id})


def test_whoever_it_was_given_for_takes_it_back_and_nobody_gives_it_again(browse):
    idea, ann, pm = make_idea(), make_user(), make_user(Role.PM)
    with transaction(wake=False):
        behalf.vote_for(idea, ann, pm, NOTE)

    browse(ann).post(f"/ideas/{idea.id}/vote/withdraw")

    assert fresh(idea).votes == 1
    with pytest.raises(behalf.CannotSpeakFor), transaction():
        behalf.vote_for(idea, ann, pm, NOTE)
    browse(ann).post(f"/ideas/{idea.id}/vote")
    db.session.rollback()
    assert db.session.get(Vote, (idea.id, ann.id)).origin is VoteOrigin.OWN
    with pytest.raises(behalf.CannotSpeakFor), transaction():
        behalf.take_back(idea, ann, pm)
    assert counter_is_true(idea)


def test_a_vote_taken_back_before_a_merge_is_not_given_again_after_it():
    main, other, pm = make_idea(), make_idea(), make_user(Role.PM)
    (ann,) = make_votes(other, 1)
    with transaction(wake=False):
        service.withdraw_vote(other, ann)
    join(other, main)

    with pytest.raises(behalf.CannotSpeakFor, match="took their vote"), transaction():
        behalf.vote_for(fresh(main), ann, pm, NOTE)


def test_the_team_takes_back_what_it_gave_and_may_give_it_again():
    idea, ann, pm = make_idea(), make_user(), make_user(Role.PM)
    before = fresh(idea).heat
    with transaction(wake=False):
        behalf.vote_for(idea, ann, pm, NOTE)
    with transaction(wake=False):
        behalf.take_back(idea, ann, pm)

    assert (fresh(idea).votes, fresh(idea).heat) == (1, before)
    assert db.session.get(Follow, (idea.id, ann.id)) is None
    with transaction(wake=False):
        behalf.vote_for(idea, ann, pm, NOTE)
    assert counter_is_true(idea)


def test_somebody_without_an_account_counts_by_name_for_their_organisation_and_is_gone_with_their_last_vote(browse):
    idea, other, pm = make_idea(), make_idea(), make_user(Role.PM)
    tarn = make_organisation("Tarn")
    data = {"kind": "named", "who": "Jane Doe", "organisation": str(tarn.id), "note": NOTE}
    for one in (idea, other):
        given = browse(pm).post(f"/ideas/{one.id}/behind/votes", data=data)
        assert given.status_code == 303, given.text

    db.session.rollback()
    jane = db.session.scalars(select(User).where(User.name == "Jane Doe")).one()
    assert (jane.is_stand_in, jane.password_hash, jane.can_get_mail) == (True, None, False)
    assert organisations.count_behind(idea.id) == organisations.count_behind(other.id) == 1
    assert fresh(idea).votes == 2
    assert browse(make_user()).get(f"/people/{jane.id}").status_code == 404
    assert browse(pm).get(f"/people/{jane.id}").status_code == 200
    assert make_user(name="Jane Doe").id != jane.id  # her name is free
    jane_id = jane.id
    for one in (idea, other):
        browse(pm).post(f"/ideas/{one.id}/behind/votes/take-back", data={"voter": jane_id})
    db.session.rollback()
    assert db.session.get(User, jane_id) is None
    assert counter_is_true(idea)


def test_an_organisation_stands_behind_an_idea_and_is_no_person():
    main, other, pm = make_idea(), make_idea(), make_user(Role.PM)
    tarn = make_organisation("Tarn", *make_votes(main, 1))
    beck = make_organisation("Beck")
    with transaction(wake=False):
        behalf.vote_for_organisation(other, beck, pm, NOTE)
        behalf.vote_for_organisation(main, tarn, pm, NOTE)

    join(other, main)

    assert organisations.count_behind(main.id) == 2
    assert fresh(main).votes == 3  # two authors and the voter
    with transaction(wake=False):
        behalf.take_back_for_organisation(main, beck, pm)
    assert [row.organisation.name for row in organisations.who_is_behind(main)] == ["Tarn"]


@on_one_database
def test_nobody_is_spoken_for_who_cannot_or_already_does():
    pm, ann = make_user(Role.PM), make_user()
    secret = make_idea(board=make_board("Closed", Audience.PRIVATE), author=make_user(Role.ADMIN))
    idea, shipped = make_idea(author=ann), make_idea(status=Status.SHIPPED)
    refused = [
        (secret, make_user()),
        (idea, ann),
        (idea, pm),
        (idea, make_user(Role.OBSERVER)),
        (idea, make_user(suspended_at=utcnow())),
        (idea, make_user(approved_at=None)),
    ]
    for one, user in refused:
        with pytest.raises(behalf.CannotSpeakFor), transaction():
            behalf.vote_for(one, user, pm, NOTE)
    with pytest.raises(service.VotingClosed), transaction():
        behalf.vote_for(shipped, make_user(), pm, NOTE)
    for note in ("", "so", "x" * 281):
        with pytest.raises(behalf.CannotSpeakFor), transaction():
            behalf.vote_for(idea, make_user(), pm, note)
    with pytest.raises(behalf.CannotSpeakFor), transaction():
        behalf.vote_for_named(idea, "jane@tarn.example", None, pm, NOTE)

    db.session.rollback()
    assert db.session.query(Vote).where(Vote.origin == VoteOrigin.BEHALF).count() == 0
    assert all(counter_is_true(one) for one in (secret, idea, shipped))


@on_one_database
def test_the_form_is_for_product_managers_and_keeps_what_did_not_go_through(browse):
    idea = make_idea()
    address, data = f"/ideas/{idea.id}/behind/votes", {"kind": "member", "who": "Nobody at all", "note": NOTE}

    wrong = browse(make_user(Role.PM)).post(address, data=data)

    assert wrong.status_code == 422
    assert 'value="Nobody at all"' in wrong.text
    assert f'value="{NOTE}"' in wrong.text
    moderator = browse(make_user(Role.MODERATOR))
    assert moderator.post(address, data=data).status_code == 403
    assert "Give the vote" not in moderator.get(f"/ideas/{idea.id}/behind").text
    assert supporters.count_supporters(idea) == 1
