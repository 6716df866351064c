"""The link at the foot of a mail: looking changes nothing, one click stops, without signing in."""

import re

import pytest
from sqlalchemy import select

from portal import outbox
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas import followers, moves
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from portal.notifications import links
from portal.notifications.mails import sending
from portal.notifications.models import Mail
from portal.transactions import transaction
from tests.factories import make_idea, make_user, make_votes
from tests.support import assert_accessible, with_and_without_javascript

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def a_link() -> tuple[User, Idea, str]:
    """Return a voter, the idea, and the link that their mails about it carry."""
    idea = make_idea()
    [voter] = make_votes(idea, 1)
    return voter, idea, f"/mail/stop/{links.stop_token(voter.id, idea.id, 'decided')}"


def follows(idea: Idea, user: User) -> bool:
    db.session.rollback()
    return followers.follows(idea, user)


def wants_mail(user: User) -> bool:
    db.session.rollback()
    return user.wants_mail


def as_mail_program(browser):
    """Post as mail programs do: from somewhere else, without cookies and tokens."""
    browser.carries_token = False
    return browser


def test_s26_looking_at_the_link_changes_nothing(app, browse):
    voter, idea, link = a_link()

    answers = [browse().get(link), browse().head(link), browse().get(link + "?List-Unsubscribe=One-Click&choice=none")]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert idea.title in answers[0].text
    assert "Set-Cookie" not in answers[0].headers
    assert follows(idea, voter)
    assert wants_mail(voter)


def test_one_click_of_a_mail_program_mutes_the_idea(app, browse):
    voter, idea, link = a_link()
    headers = {"Origin": "https://mail.example.net", "Sec-Fetch-Site": "cross-site"}

    answer = as_mail_program(browse()).post(link, data=ONE_CLICK, headers=headers)

    assert answer.status_code == 200
    assert not follows(idea, voter)
    assert wants_mail(voter)


def test_one_click_twice_is_one_click(app, browse):
    voter, idea, link = a_link()

    for _ in range(2):
        as_mail_program(browse()).post(link, data=ONE_CLICK)

    assert not follows(idea, voter)


@pytest.mark.parametrize(
    ("choices", "still_follows", "still_wants"),
    [(["mute"], False, True), (["mute", "follow"], True, True), (["none"], True, False), (["none", "all"], True, True),
     (["nonsense"], True, True)],
)  # fmt: skip
def test_the_page_offers_this_idea_or_everything_and_the_way_back(app, browse, choices, still_follows, still_wants):
    voter, idea, link = a_link()

    for choice in choices:
        assert as_mail_program(browse()).post(link, data={"choice": choice}).status_code == 303

    assert follows(idea, voter) is still_follows
    assert wants_mail(voter) is still_wants


def test_who_came_along_with_a_merged_idea_reads_that_they_hear_of_it_and_can_stop(app, browse):
    joined, main, pm = make_idea(), make_idea(title="Huts on the map"), make_user(Role.PM)
    [voter] = make_votes(joined, 1)
    with transaction():
        moves.move_idea(joined, Status.MERGED, pm, moves.MoveDetails(into=main))
    link = f"/mail/stop/{links.stop_token(voter.id, main.id, 'decided')}"

    offered = as_mail_program(browse()).get(link).text
    as_mail_program(browse()).post(link, data=ONE_CLICK)

    assert "You hear of changes to “Huts on the map”." in offered and "Stop for this idea" in offered
    assert not follows(main, voter)


def test_the_link_does_nothing_for_others_and_nothing_else(app, browse):
    voter, idea, link = a_link()
    token = link.rpartition("/")[2]
    other = make_user()

    answers = [
        as_mail_program(browse()).post(f"/mail/stop/{wrong}", data=ONE_CLICK).status_code
        for wrong in ("nonsense", token[:-5] + token[-5:].swapcase(), token.swapcase(), token + "A", "x" * 600)
    ]

    assert answers == [404] * 5
    assert browse().get("/mail/stop/nonsense").status_code == 404
    assert follows(idea, voter)
    assert wants_mail(other)


def test_the_page_does_not_name_an_idea_that_its_reader_may_not_see_any_more(app, browse):
    voter, idea, link = a_link()
    with transaction():
        idea.board.audience = Audience.STAFF

    text = browse().get(link).text

    assert idea.title not in text
    assert "All mails" in text


def test_the_link_in_a_mail_is_the_one_in_its_header_and_works(app, smtp, browse):
    author = make_user()
    idea = make_idea(author=author)
    outbox.work_off()
    sending.send_due()
    [message] = smtp.got
    header = message["List-Unsubscribe"].strip("<>")

    in_text = re.search(r"Stop for this idea: (\S+)", message.get_body(("plain",)).get_content())
    as_mail_program(browse()).post(header.removeprefix("http://127.0.0.1:8000"), data=ONE_CLICK)

    assert in_text.group(1) == header
    assert not follows(idea, author)
    assert db.session.scalars(select(Mail.kind)).all() == ["received"]


@with_and_without_javascript
def test_somebody_stops_mails_and_changes_their_mind(app, page):
    voter, _idea, link = a_link()

    page.goto(link)
    page.get_by_role("button", name="Stop for this idea").click()
    page.get_by_text("Stopped. You hear no more of").wait_for()
    page.get_by_role("button", name="Hear of it again").click()
    page.get_by_role("button", name="Stop all mails").click()
    page.get_by_text("Stopped. No more mails come.").wait_for()

    assert not wants_mail(voter)


def test_the_page_is_accessible(app, open_page):
    _voter, _idea, link = a_link()
    page = open_page(width=390, scheme="dark")

    page.goto(link)

    assert_accessible(page)
