"""Voting: one person behind one idea."""

import threading
import time

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db
from portal.events import EventRecord
from portal.ideas import followers, service, supporters
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_idea, make_user, make_votes
from tests.support.queries import queries

pytestmark = pytest.mark.usefixtures("app")


def test_a_vote_counts_once_however_often_it_is_cast():
    idea, voter = make_idea(), make_user()

    for _ in range(2):
        with transaction():
            service.cast_vote(idea, voter)

    assert supporters.ballot(idea, voter).votes == 2  # the author's and this one
    assert supporters.ballot(idea, voter).cast
    voted = db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.vote_cast")).all()
    assert [event.actor_id for event in voted] == [voter.id]


def test_a_withdrawn_vote_leaves_no_trace_in_the_count():
    idea, voter = make_idea(), make_user()

    with transaction():
        service.cast_vote(idea, voter)
    for _ in range(2):
        with transaction():
            service.withdraw_vote(idea, voter)

    assert idea.votes == 1
    assert not followers.follows(idea, voter)
    assert db.session.get(Vote, (idea.id, voter.id)) is None


@pytest.mark.parametrize("status", [Status.SHIPPED, Status.CONFIRMED, Status.DECLINED, Status.AVAILABLE])
def test_an_idea_that_is_done_or_closed_takes_no_votes(status):
    idea = make_idea(status=status)

    with pytest.raises(service.VotingClosed), transaction():
        service.cast_vote(idea, make_user())

    assert idea.votes == 1


def test_the_counter_equals_the_people_behind_the_idea():
    idea = make_idea()

    make_votes(idea, 5)

    assert idea.votes == supporters.count_supporters(idea) == 6


def test_voting_makes_one_a_follower_with_the_reason_kept():
    idea, voter = make_idea(), make_user()

    with transaction():
        service.cast_vote(idea, voter)

    assert followers.following(idea, voter).reason == "voter"
    assert followers.following(idea, idea.author).reason == "author"


def test_who_unfollowed_is_not_made_to_follow_by_voting_again():
    idea, voter = make_idea(), make_user()
    with transaction():
        service.cast_vote(idea, voter)
    with transaction():
        service.unfollow(idea, voter)

    with transaction():
        service.withdraw_vote(idea, voter)
    with transaction():
        service.cast_vote(idea, voter)

    assert not followers.follows(idea, voter)


def test_a_vote_and_its_answer_take_twelve_statements(browse):
    first, second, browser = make_idea().id, make_idea().id, browse(make_user())
    browser.post(f"/ideas/{first}/vote", headers={"HX-Request": "true"})

    with queries() as asked:
        answer = browser.post(f"/ideas/{second}/vote", headers={"HX-Request": "true"})

    assert 'aria-pressed="true"' in answer.text
    assert f'id="idea-{second}-vote"' in answer.text
    assert len(asked) <= 12, "\n".join(asked)


def test_a_vote_changes_nothing_else_of_how_somebody_follows():
    idea, voter = make_idea(), make_user()
    with transaction():
        service.follow_quietly(idea, voter)
        followed = db.session.get_one(Follow, (idea.id, voter.id))
        service.cast_vote(idea, voter)

        assert (followed.is_voter, followed.by_choice, followed.decisions_only) == (True, True, True)


def test_a_vote_for_a_merged_idea_counts_nobody_twice():
    main, other = make_idea(), make_idea()
    voter = make_user()
    with transaction():
        service.cast_vote(other, voter)
    with transaction():
        move_idea(other, Status.MERGED, None, MoveDetails(into=main))
    behind = main.votes

    with transaction(keep=True):
        service.cast_vote(other, voter)

    assert main.votes == supporters.count_supporters(main) == behind


def test_a_vote_that_waits_while_its_idea_is_merged_counts_for_the_main_one(app):
    idea, main, voter, pm = make_idea("Bells"), make_idea("Bells at night"), make_user(), make_user(Role.PM)
    idea_id, main_id, voter_id = idea.id, main.id, voter.id
    begun, problems = threading.Event(), []

    def vote():
        with app.app_context():
            idea, voter = db.session.get_one(Idea, idea_id), db.session.get_one(User, voter_id)
            begun.set()
            try:
                with transaction():
                    service.cast_vote(idea, voter)
            except Exception as problem:
                problems.append(problem)

    voting = threading.Thread(target=vote)
    with transaction():
        move_idea(idea, Status.MERGED, pm, MoveDetails(into=main))
        voting.start()
        begun.wait(5)
        time.sleep(0.3)  # it waits for the idea now
    voting.join(10)

    db.session.rollback()
    assert problems == [] and db.session.get(Vote, (main_id, voter_id)) and db.session.get_one(Idea, main_id).votes == 3
