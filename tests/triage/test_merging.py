"""Joining two ideas: the preview says exactly what happens, and undoing puts everything back."""

import re

import pytest
from sqlalchemy import func, select

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import followers, moves, service, supporters
from portal.ideas.merges import merge_of
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.notifications.models import Mail, Notification
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


def seen_of(idea, main, person):
    """What the form carries of the preview that this person looks at."""
    return preview_merge(idea, main, person).seen


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
    pm, owner, out = make_user(Role.PM), make_user(Role.PM), make_votes(idea, 1)[0]
    with transaction():
        idea.owner_id = owner.id
        out.suspended_at = utcnow()
        service.follow(idea, pm)
    browser, ids = browse(pm), (idea.id, main.id)

    preview = preview_merge(idea, main, pm)
    numbers = (preview.both, preview.joining, preview.only_main, preview.votes, preview.followers_after)
    text = browser.get(f"/triage/merge/{ids[0]}?into={ids[1]}").text
    answer = browser.post(
        f"/triage/merge/{ids[0]}?queue=first-look",
        data={"into": ids[1], "seen": preview.seen, "notice": "Thank you. Yours lives there now.", "quote": "1"},
        headers=headers,
        follow_redirects=True,
    )
    settle()

    idea, main = (db.session.get_one(Idea, number) for number in ids)
    assert numbers[:4] == (3, 6, 4, 13)
    assert main.votes == supporters.count_supporters(main) == len(supporters.voters(main)) == preview.votes
    assert '<b class="num">13</b> votes' in text
    assert "4 only on the first, 6 only on the second, 3 on both, each counted once." in text
    assert "1 stays readable at the old address." in text
    hearing = followers.audience_of(main.id, None).subquery()
    assert db.session.scalar(select(func.count()).select_from(hearing)) == numbers[4]
    event = db.session.scalars(select(EventRecord).filter_by(name="idea.merged", idea_id=idea.id)).one()
    rows = select(Notification.reason, func.count()).where(Notification.event_id == event.id)
    told = dict(db.session.execute(rows.group_by(Notification.reason)).all())
    assert told == preview.told == {"author": 1, "voter": 6, "commenter": 1, "owner": 1}
    assert (preview.muted, preview.suspended, preview.without_you) == (1, 1, True)
    assert "You, 1 who muted it, 1 suspended account." in " ".join(text.split())
    mailed = select(func.count(Mail.id)).join(Notification).where(Notification.event_id == event.id)
    assert db.session.scalar(mailed) == preview.mailed == 7
    assert "Merge, tell 9 people" in text
    assert "Joined with “Share my position”. 9 people will hear about it." in answer.text
    merge = merge_of(idea)
    assert (merge.into_id, merge.told, merge.notice) == (main.id, 9, "Thank you. Yours lives there now.")
    assert '<blockquote class="prose">' in browse().get(f"/ideas/{main.id}").text


@either_way
def test_a_merge_is_taken_back_exactly(browse, headers):
    idea, main = two_ideas()
    pm = make_user(Role.PM)
    browser, seen = browse(pm), seen_of(idea, main, pm)
    before = state(idea, main)

    answer = browser.post(
        f"/triage/merge/{idea.id}?queue=first-look",
        data={"into": main.id, "seen": seen},
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


TYPED = {"notice": "My careful words.", "reason": "My careful note.", "quote": "1"}


@either_way
@pytest.mark.parametrize("what", ["moved", "voted for", "followed", "voted for there"])
def test_a_preview_that_is_no_longer_true_is_shown_anew_with_what_was_typed(browse, headers, what):
    idea, main = two_ideas()
    pm, other = make_user(Role.PM), make_user()
    seen, browser = seen_of(idea, main, pm), browse(pm)
    acts = {
        "moved": lambda: moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm)),
        "voted for": lambda: service.cast_vote(idea, other),
        "followed": lambda: service.follow(idea, other),
        "voted for there": lambda: service.cast_vote(main, other),
    }
    with transaction():
        acts[what]()
    address = f"/triage/merge/{idea.id}"

    answer = browser.post(address, data={"into": main.id, "seen": seen, **TYPED}, headers=headers)
    fresh = re.search(r'name="seen" value="([^"]*)"', answer.text)[1]

    assert answer.status_code == 422
    assert "These are the figures now" in answer.text
    assert "My careful words.</textarea>" in answer.text
    assert "My careful note.</textarea>" in answer.text
    assert re.search(r'name="quote" value="1" checked', answer.text)
    assert state(idea)[0][0] is not Status.MERGED
    again = browser.post(address, data={"into": main.id, "seen": fresh, **TYPED}, headers=headers)
    assert again.status_code in {200, 303}
    assert state(idea)[0][0] is Status.MERGED


@either_way
def test_words_that_are_too_long_are_kept_and_nothing_happens(browse, headers):
    idea, main = two_ideas()
    pm = make_user(Role.PM)
    words = {"into": main.id, "seen": seen_of(idea, main, pm), "notice": "x" * 601}

    answer = browse(pm).post(f"/triage/merge/{idea.id}", data=words, headers=headers)

    assert answer.status_code in {409, 422}
    assert "601 letters long; at most 600 fit" in answer.text
    assert "x" * 601 in answer.text
    assert state(idea)[0][0] is Status.NEW


def test_what_was_written_is_not_lost_when_somebody_else_merged_first(browse):
    idea, main = two_ideas()
    pm, another = make_user(Role.PM), make_idea("Another one")
    seen, browser = seen_of(idea, main, pm), browse(pm)
    with transaction():
        moves.move_idea(idea, Status.MERGED, make_user(Role.PM), MoveDetails(into=another))

    answer = browser.post(f"/triage/merge/{idea.id}", data={"into": main.id, "seen": seen, **TYPED})

    assert answer.status_code == 422
    assert "My careful words." in answer.text
    assert "My careful note." in answer.text
    assert state(idea)[0][4] == another.id


def test_members_do_not_merge(browse):
    idea, main = two_ideas()

    assert (
        browse(make_user()).post(f"/triage/merge/{idea.id}", data={"into": main.id, "seen": "new"}).status_code == 403
    )
    assert state(idea)[0][0] is Status.NEW
