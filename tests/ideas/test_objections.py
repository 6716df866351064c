"""“This is not what I meant”: a vote that came along with a merge goes back, as long as two weeks have not gone by."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select

from portal import outbox
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.doctor import records
from portal.ideas import followers, lists, merges, objections, service, supporters
from portal.ideas.merges import merge_of
from portal.ideas.merging import undo_merge
from portal.ideas.models import Follow, Idea, Objection, Vote
from portal.ideas.moves import change_board, move_idea
from portal.ideas.objections import NothingToObject, TooLateToObject, WordsTooLong
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications import links
from portal.notifications.mails import sending
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Kind
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes
from tests.support import PLAIN, either_way

pytestmark = pytest.mark.usefixtures("app")


class Scene:
    """An idea merged into a main one by a product manager; of its three voters one votes for both."""

    def __init__(self) -> None:
        self.pm = make_user(Role.PM, name="The Merger")
        self.author = make_user(name="The Author")
        self.idea, self.main = make_idea("Name my routes", author=self.author), make_idea("Give routes a name")
        self.voter, self.both = make_votes(self.idea, 2)
        with transaction(wake=False):
            service.cast_vote(self.main, self.both)
            service.follow(self.idea, follower := make_user(name="The Follower"))
        self.follower = follower

    def merge(self, **words: Any) -> Scene:
        with transaction(wake=False):
            move_idea(self.idea, Status.MERGED, self.pm, MoveDetails(into=self.main, **words))
        return self

    def age(self, days: int) -> None:
        """Let time pass since the merge."""
        with transaction(wake=False):
            merge = merge_of(self.idea)
            merge.at = self.idea.status_since = merge.at - timedelta(days=days)

    def objects(self, person: User, words: str = "") -> None:
        with transaction(wake=False):
            objections.object_to_merge(self.idea, person, words)

    def comes_along(self, person: User) -> None:
        with transaction(wake=False):
            objections.take_back_objection(self.idea, person)

    def votes(self) -> tuple[int, int]:
        """What the counters of both say, which is what the rows say."""
        db.session.rollback()
        for idea in (self.idea, self.main):
            assert idea.votes == supporters.count_supporters(idea) == len(supporters.voters(idea))
        assert [finding for finding in records.counters() if finding.health] == []
        return self.idea.votes, self.main.votes

    def hears(self, person: User) -> bool:
        """Whether this person hears of the main idea."""
        people = followers.audience_of(self.main.id, None).subquery()
        return bool(db.session.scalar(select(func.count()).where(people.c.user_id == person.id)))


def test_whoever_objects_has_their_vote_back_and_hears_no_more_of_the_main_idea():
    scene = Scene().merge()
    assert scene.votes() == (3, 4)
    assert scene.hears(scene.voter)

    scene.objects(scene.voter, "I meant the names of  my own\nroutes.")

    assert scene.votes() == (3, 3)
    assert not supporters.is_behind(scene.main, scene.voter)
    assert db.session.get(Vote, (scene.idea.id, scene.voter.id)) is not None
    assert not scene.hears(scene.voter)
    assert sum(followers.count_audience(scene.main, None).values()) == 4
    assert scene.voter.id not in {voter.user.id for voter in supporters.voters(scene.main)}
    listed = lists.list_ideas(scene.voter, lists.Filters(who="voted", status="all"))
    assert [row.id for row in listed.rows] == [scene.idea.id]
    assert merges.objections(scene.idea)[0].words == "I meant the names of my own routes."


def test_whoever_votes_for_the_main_idea_themselves_still_counts_there():
    scene = Scene().merge()

    scene.objects(scene.both)
    assert scene.votes() == (3, 4)
    assert scene.hears(scene.both)  # by their own vote

    with transaction():
        service.withdraw_vote(scene.main, scene.both)
    assert scene.votes() == (3, 3)  # the vote on the merged idea is not what they took back
    assert db.session.get(Vote, (scene.idea.id, scene.both.id)) is not None


def test_objecting_twice_is_objecting_once_and_the_later_words_stand():
    scene = Scene().merge()

    scene.objects(scene.voter, "One.")
    scene.objects(scene.voter, "Another.")
    scene.objects(scene.voter)

    assert scene.votes() == (3, 3)
    assert [one.words for one in merges.objections(scene.idea)] == ["Another."]


def test_an_objection_is_taken_back_and_made_again():
    scene = Scene().merge()

    scene.objects(scene.voter)
    scene.comes_along(scene.voter)
    scene.comes_along(scene.voter)

    assert scene.votes() == (3, 4)
    assert supporters.is_behind(scene.main, scene.voter)
    assert scene.hears(scene.voter)
    scene.objects(scene.voter)
    assert scene.votes() == (3, 3)


def test_an_objector_may_vote_for_the_main_idea_all_the_same():
    scene = Scene().merge()
    scene.objects(scene.voter)

    with transaction():
        service.cast_vote(scene.idea, scene.voter)  # at the old address

    assert scene.votes() == (3, 4)
    assert scene.hears(scene.voter)
    with transaction():
        undo_merge(scene.idea, scene.pm, "They differ.")
    assert scene.votes() == (3, 3)


def test_the_author_and_followers_may_object_and_others_may_not():
    scene = Scene().merge()
    late, stranger = make_user(), make_user()
    with transaction():
        service.follow(scene.idea, late)

    scene.objects(scene.author)
    scene.objects(scene.follower)

    assert scene.votes() == (3, 3)
    assert not scene.hears(scene.follower)
    for person in (late, stranger):
        with pytest.raises(NothingToObject):
            scene.objects(person)


def test_after_two_weeks_nothing_changes_any_more():
    scene = Scene().merge()
    scene.objects(scene.voter)
    scene.age(13)
    scene.objects(scene.author)
    scene.age(1)

    with pytest.raises(TooLateToObject):
        scene.objects(scene.both)
    with pytest.raises(TooLateToObject):
        scene.comes_along(scene.voter)

    assert scene.votes() == (3, 2)


def test_there_is_nothing_to_object_to_before_a_merge_and_after_its_end():
    scene = Scene()
    with pytest.raises(NothingToObject):
        scene.objects(scene.voter)

    scene.merge()
    with transaction():
        undo_merge(scene.idea, scene.pm, "They differ.")

    with pytest.raises(NothingToObject):
        scene.objects(scene.voter)
    with pytest.raises(WordsTooLong):
        scene.objects(scene.voter, "x" * 281)


def test_objections_end_with_their_merge_and_do_not_hold_for_the_next_one():
    scene = Scene().merge()
    before = scene.votes()
    scene.objects(scene.voter, "No.")
    with transaction():
        undo_merge(scene.idea, scene.pm, "They differ.")
    assert scene.votes() == (3, 2)
    assert merges.count_objections(scene.idea.id) == 0

    scene.merge()

    assert scene.votes() == before
    assert db.session.scalar(select(Objection.words)) == "No."  # what was said stays
    scene.objects(scene.voter)
    assert scene.votes() == (3, 3)


def test_following_and_muting_meanwhile_stay_with_the_idea_they_were_done_to():
    scene = Scene().merge()
    rows = select(Follow.user_id, Follow.is_voter, Follow.by_choice, Follow.muted).where(
        Follow.idea_id == scene.idea.id
    )
    before = db.session.execute(rows.order_by(Follow.user_id)).all()

    with transaction():
        service.unfollow(scene.main, scene.voter)
    assert not scene.hears(scene.voter)
    with transaction():
        undo_merge(scene.idea, scene.pm, "They differ.")

    assert db.session.execute(rows.order_by(Follow.user_id)).all() == before
    assert not followers.follows(scene.main, scene.voter)


def test_how_warm_an_idea_is_is_as_before_too():
    scene = Scene()
    with transaction():
        service.cast_vote(scene.main, scene.voter)
        service.withdraw_vote(scene.main, scene.voter)
    before = scene.idea.heat, scene.main.heat
    scene.merge()

    with transaction():
        service.cast_vote(scene.main, scene.voter)
    with transaction():
        undo_merge(scene.idea, scene.pm, "They differ.")
    with transaction():
        service.withdraw_vote(scene.main, scene.voter)

    assert (scene.idea.heat, scene.main.heat) == pytest.approx(before)
    assert scene.votes() == (3, 2)


# What people are told


def told(person: User, kind: Kind) -> list[str]:
    db.session.rollback()
    mine = select(Notification.reason).where(Notification.user_id == person.id, Notification.kind == kind)
    return list(db.session.scalars(mine))


def test_those_told_of_the_merge_are_told_of_its_end_and_nobody_else(app):
    scene = Scene()
    gone, later = make_votes(scene.idea, 1)[0], make_user()
    scene.merge()
    outbox.work_off(500)
    with transaction():
        service.withdraw_vote(scene.main, gone)
        service.follow(scene.idea, later)
        service.unfollow(scene.idea, scene.follower)
    scene.objects(scene.voter)
    outbox.work_off(500)

    with transaction():
        undo_merge(scene.idea, make_user(Role.PM), "They differ.")
    outbox.work_off(500)

    people = {"author": scene.author, "voter": scene.voter, "gone": gone, "merger": scene.pm}
    assert {name: told(person, Kind.MERGE_UNDONE) for name, person in people.items()} == {
        "author": ["author"],
        "voter": ["voter"],
        "gone": ["voter"],
        "merger": ["owner"],
    }
    assert told(later, Kind.MERGE_UNDONE) == told(scene.follower, Kind.MERGE_UNDONE) == []


def test_a_merge_taken_back_before_anybody_heard_of_it_is_not_told(app):
    scene = Scene().merge()

    with transaction(wake=False):
        undo_merge(scene.idea, scene.pm, "A slip.")
    outbox.work_off(500)

    assert told(scene.author, Kind.MERGED) == told(scene.author, Kind.MERGE_UNDONE) == []


def test_whoever_merged_and_the_owner_hear_of_objections_in_one_line(browse):
    scene = Scene()
    owner = make_user(Role.PM)
    with transaction():
        scene.idea.owner_id = owner.id
    scene.merge()
    outbox.work_off(500)

    for person in (scene.voter, scene.both):
        scene.objects(person)
        outbox.work_off(500)

    assert told(scene.pm, Kind.MERGE_OBJECTED) == told(owner, Kind.MERGE_OBJECTED) == ["owner"]
    assert "2 people say of a merge: this is not what I meant" in browse(scene.pm).get("/inbox").text
    mails = select(func.count()).where(Mail.kind == Kind.MERGE_OBJECTED)
    assert db.session.scalar(mails) == 0
    for person in (scene.voter, scene.both):
        scene.comes_along(person)
    outbox.work_off(500)
    assert "not what I meant" not in browse(scene.pm).get("/inbox").text
    unread = select(func.count()).where(Notification.kind == Kind.MERGE_OBJECTED, Notification.read_at.is_(None))
    assert db.session.scalar(unread) == 0


# In the browser


def link_in(mail: str) -> str:
    return re.search(r"https?://[^/\s]+(/mail/objection/\S+)", mail)[1]


def test_the_mail_of_a_merge_carries_the_words_and_a_link_that_works_without_signing_in(app, browse, smtp):
    scene = Scene().merge(notice="We look after both there.")
    idea_id, main_id, voter_id = scene.idea.id, scene.main.id, scene.voter.id
    outbox.work_off(500)
    sending.send_due()

    mail = next(mail for mail in smtp.got if mail["To"] == scene.voter.email)
    text = mail.get_body(("plain",)).get_content()
    visitor, link = browse(), link_in(text)
    shown = visitor.get(link)
    assert "We look after both there." in text
    assert "This is not what I meant:" in text
    assert f'href="{links.absolute_url("ideas.show", idea_id=main_id)}"' in mail.get_body(("html",)).get_content()
    assert (shown.status_code, "Name my routes" in shown.text) == (200, True)
    assert scene.votes() == (3, 4)  # looking changes nothing

    done = visitor.post(link, data={"choice": "object", "words": "My own names."}, follow_redirects=True)
    assert scene.votes() == (3, 3)
    assert "Your vote stays with your idea" in done.text
    assert 'value="My own names."' in done.text
    visitor.post(link, data={"choice": "join"})
    assert scene.votes() == (3, 4)
    assert db.session.get(Vote, (idea_id, voter_id)) is not None


def test_a_link_that_is_not_ours_or_no_longer_of_use_does_nothing(browse):
    scene = Scene().merge()
    merge = merge_of(scene.idea)
    link = f"/mail/objection/{links.objection_token(scene.voter.id, merge.id)}"
    stop = f"/mail/objection/{links.stop_token(scene.voter.id, scene.idea.id, 'merged')}"
    visitor = browse()

    assert [visitor.get(address).status_code for address in (link[:-2], stop, link)] == [404, 404, 200]
    assert visitor.post(link, data={"choice": "sing"}).status_code == 400
    scene.age(14)
    late = visitor.post(link, data={"choice": "object", "words": "Too late?"})
    assert late.status_code == 409
    assert "The two weeks" in late.text
    with transaction():
        undo_merge(scene.idea, scene.pm, "They differ.")
    over = visitor.post(link, data={"choice": "object"})
    assert over.status_code == 422
    assert "There is nothing to object to" in over.text
    with transaction():
        scene.voter.suspended_at = utcnow()
    assert visitor.get(link).status_code == 404
    assert scene.votes() == (3, 2)


@either_way
def test_from_the_inbox_and_the_page_a_member_objects_and_comes_back(browse, headers):
    scene = Scene().merge()
    outbox.work_off(500)
    browser, address = browse(scene.voter), f"/ideas/{scene.idea.id}/objection"

    assert f'href="{address}"' in browser.get("/inbox").text
    assert f'href="{address}"' in browser.get(f"/ideas/{scene.idea.id}").text
    browser.get(address)
    browser.post(address, data={"choice": "object", "words": "Mine."}, headers=headers)
    assert scene.votes() == (3, 3)
    page = browser.get(f"/ideas/{scene.idea.id}").text
    assert "1 person says: this is not what I meant." in page
    assert "Your vote stays with this idea." in page
    assert "1 person meant something else" in browse().get(f"/ideas/{scene.main.id}").text
    too_long = browser.post(address, data={"choice": "object", "words": "y" * 281}, headers=headers)
    assert "y" * 281 in too_long.text
    browser.post(address, data={"choice": "join"}, headers=headers)
    assert scene.votes() == (3, 4)


def test_the_desk_shows_who_objects_and_leads_to_the_undo(browse):
    scene = Scene().merge()
    scene.objects(scene.author, "Mine is about names.")
    browser = browse(make_user(Role.PM))

    desk = browser.get(f"/triage/first-look/{scene.idea.id}").text
    of_main = browser.get(f"/triage/first-look/{scene.main.id}").text

    assert "“Mine is about names.”" in desk
    assert "The Author" in desk
    assert f"/triage/first-look/{scene.idea.id}/undo-merge" in desk
    assert "1 of 3" in of_main
    assert f'href="/triage/first-look/{scene.idea.id}"' in of_main
    assert "Mine is about names." not in browse(scene.voter).get(f"/ideas/{scene.idea.id}").text


def test_a_main_idea_that_one_may_not_know_of_is_not_named_where_one_objects(browse):
    scene = Scene().merge()
    with transaction():
        change_board(scene.main, make_board("Inside", Audience.STAFF), scene.pm)
    link = f"/mail/objection/{links.objection_token(scene.voter.id, merge_of(scene.idea).id)}"

    shown = browse().get(link), browse(scene.voter).get(f"/ideas/{scene.idea.id}/objection")

    assert all(page.status_code == 200 and "Give routes a name" not in page.text for page in shown)
    assert browse(scene.voter).post(link, data={"choice": "object"}, headers=PLAIN).status_code == 303
    assert scene.votes() == (3, 3)


def test_counters_stay_true_when_somebody_who_objected_is_erased(app):
    scene = Scene().merge()
    scene.objects(scene.voter, "Me.")
    make_comment(scene.main, author=scene.voter)

    from portal.privacy.service import erase

    with transaction():
        erase(scene.voter)

    assert scene.votes() == (3, 3)
    assert db.session.scalar(select(Objection.words)) == ""
    assert isinstance(scene.idea, Idea)


def test_the_day_after_which_it_was_too_late_is_written_as_people_write_it(app):
    scene = Scene().merge()
    scene.age(15)

    with app.test_request_context(), force_locale("de"), pytest.raises(TooLateToObject) as late:
        scene.objects(scene.voter)

    assert re.search(r"\d+\. [A-ZÄÖÜ]", late.value.message)
