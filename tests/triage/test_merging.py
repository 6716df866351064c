"""Joining two ideas: the preview says exactly what happens, and undoing puts everything back."""

import re

import pytest
from sqlalchemy import func, select

from portal.accounts.roles import Role
from portal.db import db
from portal.events import EventRecord
from portal.ideas import moves, queries, service
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.notifications.models import Notification
from portal.transactions import transaction
from portal.triage.merge_preview import preview_merge
from tests.factories import make_comment, make_idea, make_user, make_votes
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")


def state(*ideas):
    """All that a merge touches."""
    db.session.rollback()
    db.session.expire_all()
    return [
        (idea.status, idea.votes, idea.due_at, idea.status_since, idea.merged_into_id, idea.board.ideas)
        for idea in ideas
    ]


def two_ideas():
    """An idea and its main idea, with voters and followers of both, and one who wants no more of it."""
    idea, main, older = make_idea("Let someone see where I am"), make_idea("Share my position"), make_idea("Older wish")
    both = make_votes(main, 3)
    through = make_votes(older, 2)
    with transaction():
        moves.move_idea(older, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))
        for voter in (both[0], both[1], through[0]):
            service.cast_vote(idea, voter)
        service.unfollow(idea, both[0])
    make_votes(idea, 4)
    make_comment(idea)
    return idea, main


@either_way
def test_the_preview_is_what_happens(browse, settle, headers):
    idea, main = two_ideas()
    pm = make_user(Role.PM)
    browser, ids = browse(pm), (idea.id, main.id)

    preview = preview_merge(idea, main, pm)
    numbers = (preview.both, preview.joining, preview.only_main, preview.votes)
    text = browser.get(f"/triage/merge/{ids[0]}?into={ids[1]}").text
    answer = browser.post(
        f"/triage/merge/{ids[0]}?queue=first-look",
        data={"into": ids[1], "seen": "new", "reason": "They say the same."},
        headers=headers,
        follow_redirects=True,
    )
    settle()

    idea, main = (db.session.get_one(Idea, number) for number in ids)
    assert numbers == (3, 5, 4, 12)
    assert main.votes == queries.count_supporters(main) == 12
    assert '<b class="num">12</b> votes' in text
    assert "4 only from the first, 5 come from the second, 3 voted on both and count once." in text
    assert "1 stays readable at the old address." in text
    followers = queries.audience_of(main.id, None).subquery()
    assert db.session.scalar(select(func.count()).select_from(followers)) == preview.followers_after
    event = db.session.scalars(select(EventRecord).filter_by(name="idea.merged", idea_id=idea.id)).one()
    heard = select(func.count()).where(Notification.event_id == event.id, Notification.reason != "owner")
    assert db.session.scalar(heard) == preview.audience.total == 8
    assert f"Merge, tell {preview.audience.total} people" in text
    assert f"Joined with “Share my position”. {preview.audience.total} people will hear about it." in answer.text
    assert (idea.status, idea.merged_into_id) == (Status.MERGED, main.id)


@either_way
def test_a_merge_is_taken_back_exactly(browse, headers):
    idea, main = two_ideas()
    browser = browse(make_user(Role.PM))
    before = state(idea, main)

    answer = browser.post(
        f"/triage/merge/{idea.id}?queue=first-look",
        data={"into": main.id, "seen": "new"},
        headers=headers,
        follow_redirects=True,
    )
    merged = state(idea, main)
    way_back = re.search(r'action="([^"]*/undo-merge\?[^"]*)"><input[^>]*><button data-key="u">', answer.text)
    undone = browser.post(way_back[1].replace("&amp;", "&"), headers=headers, follow_redirects=True)

    assert merged != before
    assert state(idea, main) == before
    assert "The merge is taken back." in undone.text
    assert f'id="desk-heading">{idea.title}<' in undone.text


@either_way
def test_a_merge_of_long_ago_is_taken_back_with_a_reason(browse, headers):
    idea, main = two_ideas()
    before = state(idea, main)
    with transaction():
        moves.move_idea(idea, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))
    browser, address = browse(make_user(Role.MODERATOR)), f"/triage/first-look/{idea.id}/undo-merge"

    without = browser.post(address, data={"reason": ""}, headers=headers)
    still = state(idea, main)
    browser.post(address, data={"reason": "They are two wishes."}, headers=headers)

    assert without.status_code == 422
    assert still != before
    assert state(idea, main) == before


@pytest.mark.parametrize(
    "query", ["{id}", "#{id}", "/ideas/{id}", "https://ideas.example.org/ideas/{id}?x=1", "position share"]
)
def test_the_main_idea_is_found_by_number_address_or_words(browse, settle, query):
    idea, main = make_idea("Let someone see where I am"), make_idea("Share my position")
    other = make_idea("Dim the screen")
    browser, (idea_id, main_id, other_id) = browse(make_user(Role.PM)), (idea.id, main.id, other.id)
    settle()

    answer = browser.get(f"/triage/merge/{idea_id}", query_string={"q": query.format(id=main_id)})

    assert f"into={main_id}" in answer.text
    assert f"into={other_id}" not in answer.text


def test_a_list_is_filtered_while_one_types(browse, settle):
    idea, main = make_idea("Let someone see where I am"), make_idea("Share my position")
    browser, (idea_id, main_id) = browse(make_user(Role.PM)), (idea.id, main.id)
    settle()

    answer = browser.get(f"/triage/merge/{idea_id}?q=position", headers={"HX-Request": "true"})

    assert answer.text.startswith('<section class="dupes" id="candidates"')
    assert f"into={main_id}" in answer.text


def test_what_cannot_be_a_main_idea_is_not_offered(browse, settle):
    idea = make_idea("Let someone see my position")
    make_idea("My position in secret", publication=Publication.HIDDEN)
    merged, main = make_idea("My old position"), make_idea("Nothing like it")
    with transaction():
        moves.move_idea(merged, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))
    browser, idea_id, main_id = browse(make_user(Role.PM)), idea.id, main.id
    settle()

    text = browser.get(f"/triage/merge/{idea_id}?q=position").text

    assert re.findall(r'class="btn btn--sm" href="[^"]*into=(\d+)"', text) == [str(main_id)]  # by the merged words


@either_way
def test_a_pair_that_cannot_be_joined_says_why(browse, headers):
    idea, main = two_ideas()
    browser = browse(make_user(Role.PM))

    itself = browser.get(f"/triage/merge/{idea.id}?into={idea.id}").text
    has_others = browser.get(f"/triage/merge/{main.id}?into={idea.id}").text
    posted = browser.post(f"/triage/merge/{main.id}", data={"into": idea.id, "seen": "new"}, headers=headers)

    assert "cannot be merged into itself" in itself
    assert "Other ideas were merged into this one" in has_others
    assert "Merge, tell" not in itself + has_others
    assert posted.status_code == 422
    assert state(main)[0][0] is Status.NEW


@either_way
def test_somebody_was_faster_and_the_note_is_kept(browse, headers):
    idea, main = two_ideas()
    pm = make_user(Role.PM)
    with transaction():
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))

    answer = browse(make_user(Role.PM)).post(
        f"/triage/merge/{idea.id}", data={"into": main.id, "seen": "new", "reason": "My careful note."}, headers=headers
    )

    assert answer.status_code == 422
    assert "Somebody may have moved it meanwhile" in answer.text
    assert "My careful note.</textarea>" in answer.text
    assert 'name="seen" value="under_review"' in answer.text
    assert state(idea)[0][0] is Status.UNDER_REVIEW


def test_members_do_not_merge(browse):
    idea, main = two_ideas()

    assert (
        browse(make_user()).post(f"/triage/merge/{idea.id}", data={"into": main.id, "seen": "new"}).status_code == 403
    )
    assert state(idea)[0][0] is Status.NEW
