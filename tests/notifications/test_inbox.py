"""The inbox: what one was told, opened, ticked off, muted; and by no one else."""

import html
import re
from datetime import timedelta

import pytest
from sqlalchemy import event, select

from portal import outbox
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.models import Follow, Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications import queries
from portal.notifications.models import Mail, Notification
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user, make_votes, move_to
from tests.support import HTMX, assert_accessible, either_way


def decide(idea: Idea, status: Status = Status.PLANNED) -> None:
    """Move an idea along and tell everybody."""
    move_to(idea, Status.UNDER_REVIEW)
    pm = make_user(Role.PM, team="Safety team")
    with transaction():
        moves.move_idea(idea, status, pm, MoveDetails(answer="Yes, we will build this.", reversal="Never."))
    outbox.work_off(500)


def a_voter(title: str = "Share my position for a day") -> tuple[User, Idea, Notification]:
    """Return somebody whose vote was followed by a decision, and what they were told."""
    idea = make_idea(title)
    [voter] = make_votes(idea, 1)
    decide(idea)
    return voter, idea, db.session.scalars(select(Notification).where(Notification.user_id == voter.id)).one()


def now(user: User) -> User:
    db.session.rollback()
    return user


def unread(user: User) -> int:
    db.session.rollback()
    return queries.count_unread(user)


def test_a_row_says_why_what_and_in_whose_words(app, browse):
    voter, idea, _told = a_voter()

    text = browse(voter).get("/inbox").text

    assert "An idea you voted for has moved" in text
    assert "Under review" in text
    assert "Planned" in text
    assert "Safety team: “Yes, we will build this.”" in text
    assert "Inbox, 1 unread" in text


def test_opening_leads_to_the_idea_and_marks_as_read(app, browse):
    voter, idea, told = a_voter()

    answer = browse(voter).post(f"/inbox/{told.id}")

    assert answer.status_code == 303
    assert answer.location.endswith(f"/ideas/{idea.id}")
    assert unread(voter) == 0


def test_opening_a_reply_leads_to_its_place(app, browse):
    comment = make_comment()
    with transaction():
        reply = comments.post_comment(comment.idea, comment.idea.author, "Me too.", comment)
    outbox.work_off()
    told = db.session.scalars(select(Notification).where(Notification.user_id == comment.author_id)).one()

    answer = browse(comment.author).post(f"/inbox/{told.id}")

    assert answer.location.endswith(f"#comment-{reply.id}-said")
    assert f'id="comment-{reply.id}-said"' in browse(comment.author).get(answer.location).text


def test_looking_at_the_inbox_marks_nothing(app, browse):
    voter, _idea, told = a_voter()

    browse(voter).get("/inbox")
    browse(voter).get(f"/inbox/{told.id}")

    assert unread(voter) == 1


@either_way
def test_a_tick_marks_as_read_without_opening(app, browse, headers):
    voter, _idea, told = a_voter()

    answer = browse(voter).post(f"/inbox/{told.id}/read", headers=headers, follow_redirects=True)

    assert unread(voter) == 0
    assert "data-unread" not in answer.text
    assert 'aria-label="Inbox"' in answer.text  # the bell in the header, by whichever way
    assert ("<html" in answer.text) is (headers != HTMX)


def test_all_can_be_marked_as_read_at_once(app, browse):
    voter, idea, _told = a_voter()
    decide(idea, Status.DECLINED)

    browse(voter).post("/inbox/read")

    assert unread(voter) == 0


@either_way
def test_an_idea_can_be_muted_from_its_row_and_heard_of_again(app, browse, headers):
    voter, idea, told = a_voter()

    muted = browse(voter).post(f"/inbox/{told.id}/mute", headers=headers, follow_redirects=True)
    decide(idea, Status.DECLINED)
    after = unread(voter)
    browse(voter).post(f"/inbox/{told.id}/unmute", headers=headers)

    assert "Hear of this idea again" in muted.text
    assert after == 1
    db.session.rollback()
    assert db.session.get(Follow, (idea.id, voter.id)).muted is False


@either_way
def test_a_muted_idea_is_heard_of_as_before_when_that_is_undone(browse, headers):
    voter, idea, told = a_voter()
    browser, before = browse(voter), []
    choices = ({"by_choice": False}, {"decisions_only": True}, {"by_choice": True, "decisions_only": False})
    for change, act in zip(choices, ("mute", "mute", "quieter"), strict=True):
        with transaction():
            ideas.follow_because(idea, voter, **change)
        before.append(read_follow(voter, idea))
        muted = browser.post(f"/inbox/{told.id}/{act}", headers=headers, follow_redirects=True)
        assert read_follow(voter, idea) != before[-1]
        [undo] = re.findall(r'action="([^"]+)"[^>]*>(?:<input[^>]+>)?<button data-key="u">', muted.text)

        again = browser.post(html.unescape(undo), follow_redirects=True)

        assert "You hear of “" in again.text
        assert read_follow(voter, idea) == before[-1]
    assert len(set(before)) == 3


def read_follow(voter, idea):
    db.session.rollback()
    follow = db.session.get(Follow, (idea.id, voter.id))
    return follow.muted, follow.by_choice, follow.decisions_only


def test_what_happened_to_an_idea_on_one_day_is_one_row(app, browse):
    voter, idea, _told = a_voter()
    decide(idea, Status.DECLINED)

    shown = queries.inbox(voter)

    [(_day, [row])] = shown.days
    assert row.lead.target is Status.DECLINED.rule
    assert row.rest == ["moved to Planned"]
    assert shown.unread == 1  # as the bell: lines, not notifications


def test_a_tick_covers_all_that_the_row_stands_for(app, browse):
    voter, idea, told = a_voter()
    decide(idea, Status.DECLINED)
    [(_day, [row])] = queries.inbox(voter).days

    browse(voter).post(f"/inbox/{row.id}/read", data={"oldest": row.stories[-1].notification.id})

    assert unread(voter) == 0


def test_nobody_touches_what_others_were_told(app, browse):
    voter, _idea, told = a_voter()
    stranger = make_user()

    answers = [browse(stranger).post(f"/inbox/{told.id}{act}").status_code for act in ("", "/read", "/mute")]

    assert answers == [404, 404, 404]
    assert unread(voter) == 1


def test_a_guest_is_led_to_sign_in(app, browse):
    assert "/sign-in" in browse().get("/inbox").location


def test_news_of_an_idea_that_became_private_are_shown_and_counted_no_more(app, browse):
    voter, idea, _told = a_voter("A secret title")
    with transaction():
        idea.board.audience = Audience.STAFF

    text = browse(voter).get("/inbox").text

    assert "A secret title" not in text
    assert unread(voter) == 0


def test_a_deleted_comment_is_news_no_more(app, browse):
    comment = make_comment()
    with transaction():
        reply = comments.post_comment(comment.idea, comment.idea.author, "I regret this.", comment)
    outbox.work_off()
    with transaction():
        comments.delete_comment(reply, reply.author)

    assert unread(comment.author) == 1
    outbox.work_off()

    assert "I regret this." not in browse(comment.author).get("/inbox").text
    assert unread(comment.author) == 0


def test_tabs_show_their_part(app, browse):
    voter, idea, _told = a_voter()
    comment = make_comment(author=voter)
    with transaction():
        comments.post_comment(comment.idea, comment.idea.author, "Me too.", comment)
    outbox.work_off()
    person = browse(voter)

    shown = {tab: person.get(f"/inbox?show={tab}").text for tab in ("all", "status", "replies", "nonsense")}

    assert [idea.title in shown[tab] for tab in shown] == [True, True, False, True]
    assert [comment.idea.title in shown[tab] for tab in shown] == [True, False, True, True]


def test_older_news_are_on_further_pages(app, browse, monkeypatch):
    monkeypatch.setattr(queries, "PAGE", 2)
    author = make_user()
    titles = [make_idea(f"Idea number {number} of five", author=author).title for number in range(1, 6)]
    outbox.work_off()
    person, url, seen = browse(author), "/inbox", []

    while url and len(seen) < 5:
        page = person.get(url).text
        seen.append([title for title in titles if title in page])
        pager = page.partition('id="list-pager"')[2]
        url = pager.partition('<a class="btn btn--sm" href="')[2].partition('"')[0].replace("&amp;", "&")

    assert seen == [titles[3:], titles[1:3], titles[:1]]


@either_way
def test_mails_can_be_switched_off_and_on(app, browse, headers):
    user = make_user()

    browse(user).post("/inbox/mail", data={}, headers=headers)
    off = now(user).wants_mail
    browse(user).post("/inbox/mail", data={"wants_mail": "1"}, headers=headers)

    assert off is False
    assert now(user).wants_mail is True


def test_the_link_that_confirms_an_address_can_be_sent_again_a_few_times(app, browse):
    user = make_user(confirmed_at=None)
    person = browse(user)

    answers = [person.post("/inbox/confirm-address", headers=HTMX).status_code for _ in range(3)]

    assert "is not confirmed" in person.get("/inbox").text
    assert answers == [200, 200, 429]
    db.session.rollback()
    assert len(db.session.scalars(select(Mail)).all()) == 2


def test_the_inbox_asks_the_database_as_often_for_many_rows_as_for_few(app, browse):
    few, many = make_user(), make_user()
    for user, number in ((few, 2), (many, 12)):
        for _ in range(number):
            make_idea(author=user)
    outbox.work_off(100)

    asked = [statements_of(browse(user)) for user in (few, many)]

    assert asked[0] == asked[1]


def statements_of(person) -> int:
    """Count what one look at the inbox asks of the database."""
    seen = []

    def see(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", see)
    try:
        person.get("/inbox")
    finally:
        event.remove(db.engine, "before_cursor_execute", see)
    return len(seen)


def test_the_home_page_gets_what_moved_since_and_nothing_when_all_is_read(app, browse):
    voter, idea, _told = a_voter()

    news = queries.news_for(voter)
    browse(voter).post("/inbox/read")
    db.session.rollback()

    assert [story.idea.id for story in news.stories] == [idea.id]
    assert news.count == 1
    assert utcnow() - news.since < timedelta(minutes=1)
    assert queries.news_for(voter) is None


def test_an_empty_inbox_says_what_to_do(app, browse):
    assert "Post an idea, vote or comment" in browse(make_user()).get("/inbox").text


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_member_reads_ticks_and_opens(app, open_page, javascript, width, scheme):
    voter, idea, _told = a_voter()
    other = make_idea("Bigger labels on the map", author=voter)
    outbox.work_off()
    screen = open_page(voter, javascript=javascript, width=width, scheme=scheme)

    screen.goto("/inbox")
    if javascript:
        assert_accessible(screen)
    screen.get_by_role("button", name=f"Mark as read: {other.title}").click()
    screen.get_by_role("link", name="Inbox, 1 unread").wait_for()
    screen.get_by_role("button", name=idea.title, exact=True).click()
    screen.wait_for_url(f"**/ideas/{idea.id}")

    assert screen.get_by_role("link", name="Inbox", exact=True).count() == 1
