"""The desk: one idea, what is known of it, and what the team does with it."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import moves, service
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.notifications.models import Notification
from portal.transactions import transaction
from portal.triage import queries as triage
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes
from tests.support import HTMX, PLAIN, either_way

pytestmark = pytest.mark.usefixtures("app")

DAY = timedelta(days=1)


def again(idea):
    """See what other requests did to it."""
    db.session.rollback()
    db.session.refresh(idea)
    return idea


def told_of(name):
    """How many people heard of the last event of this name as people behind the idea."""
    db.session.rollback()
    event = select(func.max(EventRecord.id)).where(EventRecord.name == name).scalar_subquery()
    heard = select(func.count()).where(Notification.event_id == event, Notification.reason != "owner")
    return db.session.scalar(heard)


def number_on(button, text):
    return int(re.search(rf">\s*{button}, tell (\d+) p", text)[1])


def test_the_desk_shows_what_is_known(browse):
    pm = make_user(Role.PM, name="Ines", team="Route team")
    idea = make_idea(
        "Let someone see where I am", author=make_user(name="Wanda"), board=make_board("Safety"), owner_id=pm.id
    )
    make_votes(idea, 2)
    make_comment(idea, body="Mine **too**")
    with transaction():
        moves.set_tags(idea, ["sharing"], pm)
        moves.answer_idea(idea, pm, MoveDetails(answer="We *hear* you."))

    text = browse(pm).get(f"/triage/first-look/{idea.id}").text

    for shown in ("Let someone see where I am", "Wanda", "Safety", "Ines", "sharing", "Mine <strong>too</strong>",
                  "We <em>hear</em> you.", "Route team", f'href="/ideas/{idea.id}"'):  # fmt: skip
        assert shown in text


def test_votes_that_came_with_merged_ideas_are_told_apart(browse):
    pm, idea, other = make_user(Role.PM), make_idea(), make_idea()
    make_votes(other, 2)
    with transaction():
        moves.move_idea(other, Status.MERGED, pm, MoveDetails(into=idea))

    reading = triage.read(idea, pm)

    assert (reading.idea.votes, reading.own_votes, reading.votes_through_merges) == (4, 1, 3)
    assert "3 came with merged ideas" in browse(pm).get(f"/triage/first-look/{idea.id}").text


@either_way
def test_the_number_on_the_button_is_how_many_are_told(browse, settle, headers):
    idea = make_idea()
    make_votes(idea, 3)
    make_comment(idea)
    mover = make_user(Role.PM)
    muted, follower = make_votes(idea, 2)
    with transaction():
        service.unfollow(idea, muted)
        service.follow(idea, mover)
    browser, idea_id = browse(mover), idea.id

    text = browser.get(f"/triage/first-look/{idea_id}").text
    answer = browser.post(
        f"/triage/first-look/{idea_id}/move/needs_info",
        data={"needs_info-answer": "Which way?", "needs_info-seen": "new"},
        headers=headers,
        follow_redirects=True,
    )
    settle()

    assert number_on("Publish", text) == 6  # author, 3 voters, commenter, and the voter who did not mute
    assert "The author" in text
    assert "4 voters" in text
    assert "1 commenter" in text
    assert "Not you" in text
    assert "Not 1 person" in text
    assert "Moved to Needs info. 6 people will hear about it." in answer.text
    assert told_of("idea.moved") == 6
    assert db.session.scalar(select(StatusChange.told)) == 6


def test_an_answer_without_a_move_tells_as_many_as_it_says(browse, settle):
    idea = make_idea(status=Status.PLANNED, due_at=utcnow() + DAY)
    make_votes(idea, 2)
    browser, idea_id = browse(make_user(Role.PM)), idea.id

    text = browser.get(f"/triage/promised/{idea_id}").text
    browser.post(f"/triage/promised/{idea_id}/answer", data={"answer-answer": "Still on it.", "answer-seen": "planned"})
    settle()

    assert number_on("Publish", text) == told_of("idea.answered") == 3
    idea = db.session.get_one(Idea, idea_id)
    assert idea.status is Status.PLANNED
    assert idea.due_at > utcnow() + 50 * DAY
    assert db.session.scalars(select(Answer.body)).all() == ["Still on it."]


@either_way
def test_after_a_move_the_next_idea_of_the_queue_is_on_the_desk(browse, headers):
    now, pm = utcnow(), make_user(Role.PM)
    first, second, third = (make_idea(f"Waiting {number}", at=now - (9 - number) * DAY) for number in range(3))

    answer = browse(pm).post(
        f"/triage/first-look/{second.id}/move/available",
        data={"available-answer": "In the menu.", "available-seen": "new"},
        headers=headers,
    )

    if headers:
        assert answer.headers["HX-Push-Url"] == f"/triage/first-look/{third.id}"
        assert re.search(r'id="desk-heading">Waiting 2<', answer.text)
        assert f"idea-{second.id}-row" not in answer.text
        assert f"idea-{first.id}-row" in answer.text
        assert "Moved to Already available. 1 person will hear about it." in answer.text
    else:
        assert (answer.status_code, answer.location) == (303, f"/triage/first-look/{third.id}")


@either_way
def test_after_the_last_idea_of_a_queue_comes_the_way_to_another_queue(browse, headers):
    idea = make_idea()
    make_idea(status=Status.NOT_NOW, due_at=None)

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/under_review",
        data={"under_review-owner": str(make_user(Role.PM).id), "under_review-seen": "new"},
        headers=headers,
        follow_redirects=True,
    )

    assert "That was the last one." in answer.text
    assert re.search(r'btn--primary" href="/triage/parked"', answer.text)


@either_way
def test_what_stays_in_the_queue_stays_on_the_desk(browse, headers):
    idea, later = make_idea(at=utcnow() - 5 * DAY), make_idea()

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/owner", data={"me": "1"}, headers=headers, follow_redirects=True
    )

    assert f'id="desk-heading">{idea.title}<' in answer.text
    assert f'id="desk-heading">{later.title}<' not in answer.text


@either_way
def test_owner_board_and_tags_are_set_and_set_back(browse, headers):
    idea, other = make_idea(), make_board("Other")
    board_id = idea.board_id
    pm = make_user(Role.PM, name="Ines")
    browser, address = browse(pm), f"/triage/first-look/{idea.id}"
    with transaction():
        moves.set_tags(idea, ["old"], pm)

    answers = [
        browser.post(f"{address}/owner", data={"me": "1"}, headers=headers, follow_redirects=True),
        browser.post(f"{address}/board", data={"onto": "other"}, headers=headers, follow_redirects=True),
        browser.post(f"{address}/tags", data={"tags": " New one, winter,,"}, headers=headers, follow_redirects=True),
    ]
    after = (again(idea).owner_id, idea.board_id, [tag.name for tag in idea.tags])
    ways_back = [
        re.search(rf'action="({address}/[a-z]+\?[^"]*)"><input[^>]*><button data-key="u">', a.text) for a in answers
    ]
    for way_back in ways_back:
        browser.post(way_back[1].replace("&amp;", "&"), headers=headers)

    assert after == (pm.id, other.id, ["new one", "winter"])
    assert "Assigned to Ines." in answers[0].text
    assert (again(idea).owner_id, idea.board_id, [tag.name for tag in idea.tags]) == (None, board_id, ["old"])


@either_way
def test_too_many_tags_come_back_as_they_were_typed(browse, headers):
    idea, typed = make_idea(), ", ".join(f"word{number}" for number in range(11))

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/tags", data={"tags": typed}, headers=headers
    )

    assert answer.status_code == 422
    assert "at most ten tags" in answer.text
    assert "word10" in answer.text
    assert again(idea).tags == []


def test_only_the_team_can_own_an_idea(browse):
    idea, member = make_idea(), make_user()

    answer = browse(make_user(Role.PM)).post(f"/triage/first-look/{idea.id}/owner", data={"owner": member.id})

    assert answer.status_code == 400
    assert again(idea).owner_id is None


@either_way
def test_the_second_to_act_sees_the_fresh_idea_and_loses_nothing_typed(browse, headers):
    idea, quick = make_idea(), make_user(Role.PM)
    with transaction():
        moves.move_idea(idea, Status.UNDER_REVIEW, quick, MoveDetails(owner=quick))

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/declined",
        data={"declined-answer": "Too costly.", "declined-reversal": "Cheaper radios.", "declined-seen": "new"},
        headers=headers,
    )

    assert answer.status_code == 422
    assert "Somebody moved this to Under review meanwhile. What you wrote is still here." in answer.text
    assert re.search(r'<textarea[^>]*name="declined-answer"[^>]*>\s*Too costly\.</textarea>', answer.text)
    assert re.search(r'name="declined-seen" type="hidden" value="under_review"', answer.text)
    assert "Cheaper radios." in answer.text
    assert again(idea).status is Status.UNDER_REVIEW

    once_more = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/declined",
        data={
            "declined-answer": "Too costly.",
            "declined-because": "1",
            "declined-reversal": "Cheaper.",
            "declined-seen": "under_review",
        },
    )
    assert once_more.status_code == 303
    assert again(idea).status is Status.DECLINED


@either_way
def test_words_for_a_move_that_is_gone_are_shown_to_be_copied(browse, headers):
    idea, quick = make_idea(status=Status.UNDER_REVIEW), make_user(Role.PM)
    with transaction():
        moves.move_idea(idea, Status.DECLINED, quick, MoveDetails(answer="No.", reversal="Never."))

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/planned",
        data={"planned-answer": "Yes, in June.", "planned-seen": "under_review"},
        headers=headers,
    )

    assert answer.status_code == 422
    assert re.search(r"<textarea[^>]*readonly>Yes, in June\.</textarea>", answer.text)
    assert "You wrote: What will be built, and why" in answer.text
    assert again(idea).status is Status.DECLINED


@either_way
@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_a_held_idea_is_published(browse, headers, role):
    idea = make_idea(publication=Publication.HELD)

    browse(make_user(role)).post(f"/triage/held/{idea.id}/publish", headers=headers)

    assert again(idea).publication is Publication.PUBLISHED


def test_product_managers_hide_but_do_not_publish(browse):
    idea = make_idea(publication=Publication.HELD)
    browser = browse(make_user(Role.PM))

    page = browser.get(f"/triage/held/{idea.id}")
    published = browser.post(f"/triage/held/{idea.id}/publish")
    hidden = browser.post(f"/triage/held/{idea.id}/hide", data={"reason": "Rule 2: no selling."})

    assert f"/triage/held/{idea.id}/publish" not in page.text
    assert (published.status_code, hidden.status_code) == (403, 303)
    assert again(idea).publication is Publication.HIDDEN


@either_way
def test_hiding_needs_a_reason_that_the_author_reads(browse, settle, headers):
    idea = make_idea()
    idea_id, author_id, browser = idea.id, idea.author_id, browse(make_user(Role.MODERATOR))

    without = browser.post(f"/triage/first-look/{idea_id}/hide", data={"reason": " "}, headers=headers)
    untouched = again(idea).publication
    browser.post(f"/triage/first-look/{idea_id}/hide", data={"reason": "Rule 2: no selling."}, headers=headers)
    settle()

    assert without.status_code == 422
    assert untouched is Publication.PUBLISHED
    assert db.session.get_one(Idea, idea_id).publication is Publication.HIDDEN
    event = db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.hidden")).one()
    assert event.data == {"reason": "Rule 2: no selling.", "before": "published"}
    assert author_id in db.session.scalars(select(Notification.user_id).where(Notification.event_id == event.id)).all()


def test_similar_ideas_are_shown_with_the_words_they_share(browse, settle):
    idea = make_idea("Share my live position with one person for a day")
    make_idea("Share my live position with one person, for a day")
    make_idea("Share my position in secret", publication=Publication.HIDDEN)
    browser, idea_id = browse(make_user(Role.PM)), idea.id
    settle()

    text = browser.get(f"/triage/first-look/{idea_id}").text

    assert "One idea looks alike" in text
    assert "Very likely the same:" in text
    assert "<mark>position</mark>" in text
    assert "in secret" not in text


def test_one_common_word_alone_makes_nothing_similar(browse, settle):
    idea = make_idea("Gaiters for the bog", need="Wet feet in March.")
    weak = make_idea("Gaiters in red", need="So that others see me.").id
    telling = make_idea("Bog to the knee", need="Gaiters end too low.").id
    browser, idea_id = browse(make_user(Role.PM)), idea.id
    settle()

    text = browser.get(f"/triage/first-look/{idea_id}").text

    assert "One idea looks alike" in text
    assert f"into={telling}" in text and f"into={weak}" not in text


def test_what_people_write_is_shown_as_text(browse):
    idea = make_idea("<b>Bold</b> wish", need="<img src=x onerror=alert(1)> every day on the hill")
    make_comment(idea, body="<script>alert(1)</script>")

    text = browse(make_user(Role.PM)).get(f"/triage/first-look/{idea.id}").text

    assert "<b>Bold" not in text
    assert "<img" not in text
    assert "<script>alert" not in text


@pytest.mark.parametrize("headers", [HTMX, PLAIN], ids=["htmx", "plain"])
def test_single_keys_are_switched_off_and_on_for_good(browse, headers):
    pm = make_user(Role.PM)
    browser = browse(pm)

    off = browser.post("/triage/shortcuts", data={"next": "/triage/mine"}, headers=headers)
    while_off = browser.get("/triage/mine").text
    browser.post("/triage/shortcuts", data={"on": "1"}, headers=headers)

    assert (off.headers.get("HX-Redirect") or off.location) == "/triage/mine"
    assert 'data-shortcuts="off"' in while_off
    assert again(pm).shortcuts_on
