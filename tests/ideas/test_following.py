"""Following: who is told of changes, and why."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import followers, service
from portal.ideas.models import Follow
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user, make_votes
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")


def told(idea) -> dict[int, str]:
    people = db.session.execute(followers.audience_of(idea.id, None))
    return dict(people.all())


def test_authors_voters_commenters_and_those_who_chose_to_are_told_each_for_the_strongest_reason():
    idea = make_idea()
    [voter] = make_votes(idea, 1)
    commenter, both, chosen = make_user(), make_user(), make_user()
    make_comment(idea, author=commenter)
    make_comment(idea, author=both)
    with transaction():
        service.cast_vote(idea, both)
        service.follow(idea, chosen)

    assert told(idea) == {
        idea.author_id: "author",
        voter.id: "voter",
        both.id: "voter",
        commenter.id: "commenter",
        chosen.id: "follower",
    }


def test_who_unfollows_is_told_no_more_whatever_they_do_later():
    idea, person = make_idea(), make_user()
    with transaction():
        service.follow(idea, person)
    with transaction():
        service.unfollow(idea, person)

    with transaction():
        service.cast_vote(idea, person)
        comments.post_comment(idea, person, "I still need it.")

    assert person.id not in told(idea)


def test_who_follows_again_is_told_again():
    idea, person = make_idea(), make_user()
    with transaction():
        service.unfollow(idea, person)

    with transaction():
        service.follow(idea, person)

    assert told(idea)[person.id] == "follower"


def test_following_twice_is_following_once():
    idea, person = make_idea(), make_user()

    for _ in range(2):
        with transaction():
            service.follow(idea, person)
    for _ in range(2):
        with transaction():
            service.unfollow(idea, person)

    theirs = select(EventRecord.name).where(EventRecord.actor_id == person.id).order_by(EventRecord.id)
    names = db.session.scalars(theirs).all()
    assert [name for name in names if name.startswith("idea.")] == ["idea.followed", "idea.unfollowed"]


def test_a_voter_who_withdraws_follows_no_more_unless_for_another_reason():
    idea = make_idea()
    leaving, staying = make_votes(idea, 2)
    make_comment(idea, author=staying)

    for person in (leaving, staying):
        with transaction():
            service.withdraw_vote(idea, person)

    assert leaving.id not in told(idea)
    assert told(idea)[staying.id] == "commenter"
    assert db.session.get(Follow, (idea.id, leaving.id)) is None


def test_followers_of_a_merged_idea_follow_the_main_one():
    idea, main, pm = make_idea(), make_idea(), make_user(Role.PM)
    [voter] = make_votes(idea, 1)

    with transaction():
        move_idea(idea, Status.MERGED, pm, MoveDetails(into=main))

    assert told(main)[voter.id] == "voter"
    with transaction():
        service.unfollow(main, voter)
    assert voter.id not in told(main)


@either_way
def test_who_came_along_with_a_merged_idea_sees_so_and_can_stop(browse, headers):
    idea, main, pm = make_idea(), make_idea(), make_user(Role.PM)
    [voter], stranger = make_votes(idea, 1), make_user()
    with transaction():
        move_idea(idea, Status.MERGED, pm, MoveDetails(into=main))
    page = f"/ideas/{main.id}"

    shown = browse(voter).get(page).text
    elsewhere = browse(stranger).get(page).text
    browse(voter).post(f"{page}/unfollow", headers=headers)
    after = browse(voter).get(page).text

    assert ["You follow this idea" in text for text in (shown, elsewhere, after)] == [True, False, False]
    assert "Because you voted." in shown
    db.session.rollback()
    assert voter.id not in told(main)


@pytest.mark.parametrize("came_along", [False, True])
@pytest.mark.parametrize("act", [service.unfollow, service.follow_quietly])
def test_who_did_not_follow_by_themselves_does_not_when_that_is_undone_by_which_they_heard_less(act, came_along):
    main, idea, person = make_idea("Gates"), make_idea("Shut the gate"), make_user()
    if came_along:
        with transaction():
            service.cast_vote(idea, person)
        with transaction():
            move_idea(idea, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))
    before, heard, was = followers.following(main, person), told(main), followers.choices(main, person)

    with transaction():
        act(main, person)
    with transaction():
        service.follow_as_before(main, person, was.split())

    assert (followers.following(main, person), told(main)) == (before, heard)


def test_somebody_suspended_is_told_nothing():
    idea = make_idea()
    [voter] = make_votes(idea, 1)

    with transaction():
        voter.suspended_at = utcnow()

    assert voter.id not in told(idea)


def test_the_number_on_the_button_is_the_number_of_people_told():
    idea, pm = make_idea(), make_user(Role.PM)
    make_votes(idea, 4)
    make_comment(idea)
    with transaction():
        service.follow(idea, pm)

    counted = followers.count_audience(idea, pm.id)

    assert counted == {"author": 1, "voter": 4, "commenter": 1}
    assert sum(counted.values()) == len(told(idea)) - 1
