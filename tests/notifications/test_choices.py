"""What reaches one: choices by topic and board, the digest, quiet hours, pauses, and links made useless."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import literal, select

from portal import outbox
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards import service as boards
from portal.boards.models import Audience
from portal.comments import service as comments
from portal.db import db, utcnow
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications import choosing, links
from portal.notifications.deciding import WHY_NOT, decided, decided_for
from portal.notifications.hours import moment_at, quiet_until
from portal.notifications.leaving import take_off
from portal.notifications.mails import sending, wording
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import POLICY, TOPIC_OF, Kind, Topic, Way
from portal.notifications.preferences import SHORT, WORDS
from portal.notifications.reach import BoardChoice, Reach, Rhythm, TopicChoice
from portal.notifications.service import try_again
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes, move_to
from tests.support import assert_accessible, either_way
from tests.support.databases import on_one_database

CAST = (
    *("usual", "none", "once", "here", "away", "off"),
    *("unconfirmed", "paused", "never", "suspended", "leaving"),
)
ANSWER = MoveDetails(answer="This is what we say.", reversal="Ten more people.", reason="Things changed.")


def told(user: User, kind: Kind) -> list[str]:
    """How somebody heard of a kind."""
    db.session.rollback()
    mine = select(Notification.way).where(Notification.user_id == user.id, Notification.kind == kind)
    return list(db.session.scalars(mine.order_by(Notification.id)))


def mails_to(user: User) -> list[tuple[bool, str | None]]:
    """Whether each mail to somebody is done with, and why it was not sent."""
    db.session.rollback()
    mine = select(Mail).where(Mail.user_id == user.id, Mail.notification_id.is_not(None)).order_by(Mail.id)
    return [(mail.done_at is not None, mail.suppressed) for mail in db.session.scalars(mine)]


def decide(idea) -> None:
    """Plan an idea, and tell."""
    pm = make_user(Role.PM)
    move_to(idea, Status.UNDER_REVIEW)
    with transaction():
        moves.move_idea(idea, Status.PLANNED, pm, ANSWER)
    outbox.work_off(500)


def a_voter() -> tuple[User, object]:
    """Somebody who voted for an idea of somebody else."""
    idea = make_idea()
    [voter] = make_votes(idea, 1)
    outbox.work_off(500)
    return voter, idea


def choose(user: User, topic: Topic, way: Way | None, board=None) -> None:
    """Let somebody choose how one topic arrives."""
    with transaction():
        choosing.choose_topics(user, {topic: way}, {}, board)


def test_every_kind_has_its_policy_and_its_topic():
    assert set(POLICY) == set(TOPIC_OF) == set(Kind)
    assert set(WORDS) == set(Topic) - {Topic.SEARCHES}
    assert set(SHORT) < set(WORDS)


@pytest.mark.parametrize(
    ("start", "end", "zone", "now", "until"),
    [
        (22, 7, "UTC", "2026-05-02T23:30", "2026-05-03T07:00"),
        (22, 7, "UTC", "2026-05-02T06:59", "2026-05-02T07:00"),
        (22, 7, "UTC", "2026-05-02T07:00", None),
        (9, 17, "Europe/London", "2026-07-01T08:30", "2026-07-01T16:00"),  # 09:30 there
        (9, 17, "Europe/London", "2026-07-01T07:30", None),
        (22, 7, "Europe/Berlin", "2026-03-28T22:00", "2026-03-29T05:00"),  # clocks go forward that night
        (22, 7, "Europe/Berlin", "2026-10-24T21:00", "2026-10-25T06:00"),  # and back
        (22, 2, "Europe/Berlin", "2026-03-28T23:30", "2026-03-29T01:00"),  # at two it is three
        (22, 7, "Asia/Kolkata", "2026-05-02T17:00", "2026-05-03T01:30"),
        (None, None, "UTC", "2026-05-02T23:30", None),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(start, end, zone, now, until):
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    found = quiet_until(start, end, zone, moment)

    assert found == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


def test_an_hour_that_clocks_skip_is_the_first_moment_after_it():
    assert moment_at(datetime(2026, 3, 29).date(), 2, "Europe/Berlin") == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_one_statement_decides_for_everybody_and_says_why_not(app):
    board = make_board()
    people = {name: make_user(name=name.title()) for name in CAST}
    with transaction():
        for name, changes in {
            "off": {"wants_mail": False},
            "unconfirmed": {"confirmed_at": None},
            "suspended": {"suspended_at": utcnow()},
            "leaving": {"leaves_at": utcnow() + timedelta(days=9)},
        }.items():
            db.session.execute(sa.update(User).where(User.id == people[name].id).values(**changes))
        choosing.choose_topics(people["none"], {Topic.PROGRESS: Way.INBOX}, {Topic.PROGRESS: True})
        choosing.choose_topics(people["once"], {Topic.PROGRESS: Way.MAIL}, {})
        choosing.choose_topics(people["away"], {Topic.PROGRESS: Way.INBOX}, {})
        choosing.choose_topics(people["away"], {Topic.PROGRESS: Way.MAIL}, {}, board)
        choosing.choose_topics(people["here"], {Topic.PROGRESS: Way.INBOX}, {}, board)
        choosing.pause(people["paused"])
        choosing.choose_rhythm(people["never"], Rhythm.NEVER, 8, 4)
    everybody = select(User.id.label("user_id"), literal("voter").label("reason"))

    rows = {
        board_id: {row.user_id: row for row in db.session.execute(decided(Kind.PROGRESSED, everybody, board_id))}
        for board_id in (board.id, None)
    }

    def of(name: str, where: int | None = board.id) -> tuple[str, str | None]:
        return rows[where][people[name].id].way, rows[where][people[name].id].why_not

    assert of("usual") == ("digest", None)
    assert of("none") == ("inbox", "chosen")
    assert of("once") == ("mail", None)
    assert (of("here"), of("here", None)) == (("inbox", "chosen"), ("digest", None))
    assert (of("away"), of("away", None)) == (("mail", None), ("inbox", "chosen"))
    assert of("off") == ("inbox", "mails_off")
    assert of("unconfirmed") == ("inbox", "unconfirmed")
    assert of("paused") == ("inbox", "paused")
    assert of("never") == ("inbox", "no_digest")
    assert of("suspended") == ("inbox", "suspended")
    assert of("leaving") == ("inbox", "leaving")
    assert [people["none"].id] == [user_id for user_id, row in rows[board.id].items() if row.push]
    assert {row.why_not for row in rows[board.id].values()} - {None} <= set(WHY_NOT)


def test_round_numbers_of_votes_stand_in_the_inbox_whatever_one_chose(app, browse):
    author = make_user()
    with transaction():
        choosing.choose_topics(author, {Topic.MINE: Way.MAIL}, {Topic.MINE: True})
    make_votes(make_idea(author=author), 1)
    outbox.work_off(500)

    row = decided_for(Kind.VOTED, author.id, "author", None)
    line = db.session.scalars(select(Notification).where(Notification.kind == Kind.VOTED)).one()
    why = browse(author).get(f"/inbox/{line.id}/why").text

    assert (row.way, row.push, row.why_not) == ("inbox", False, None)
    assert told(author, Kind.VOTED) == ["inbox"]
    assert "usually stand in the inbox only" in why
    assert "You chose" not in why


@pytest.mark.parametrize(("way", "mailed"), [(None, 1), (Way.DIGEST, 0), (Way.INBOX, 0)])
def test_a_decision_arrives_as_its_reader_chose(app, way, mailed):
    voter, idea = a_voter()
    choose(voter, Topic.DECISIONS, way)

    decide(idea)

    assert told(voter, Kind.DECIDED) == [way or Way.MAIL]
    assert len(mails_to(voter)) == mailed


def test_what_one_chose_meanwhile_holds_when_the_mail_is_due(app, smtp):
    voter, idea = a_voter()
    decide(idea)
    choose(voter, Topic.DECISIONS, Way.DIGEST)

    sending.send_due()

    assert mails_to(voter) == [(True, "chosen otherwise meanwhile")]
    assert told(voter, Kind.DECIDED) == ["digest"]
    assert smtp.got == [] or voter.email not in {message["To"] for message in smtp.got}


def test_a_pause_holds_everything_back_but_letters_about_the_account(app, smtp):
    voter, idea = a_voter()
    decide(idea)
    with transaction():
        choosing.pause(voter)
    sending.send_due()
    with transaction():
        choosing.resume(voter)

    other = make_idea()
    with transaction():
        ideas.follow(other, voter)
    decide(other)

    assert mails_to(voter) == [(True, "paused"), (False, None)]


def test_mails_of_the_quiet_hours_arrive_when_they_end(app, smtp):
    voter, idea = a_voter()
    now = utcnow().hour
    with transaction():
        choosing.choose_quiet_hours(voter, (now - 1) % 24, (now + 2) % 24)
    decide(idea)

    sending.send_due()
    waiting = db.session.scalars(select(Mail).where(Mail.user_id == voter.id)).one()
    put_off_to, attempts = waiting.available_at, waiting.attempts
    with transaction():
        choosing.choose_quiet_hours(voter, None, None)
        try_again(db.session.get_one(Mail, waiting.id))
    sending.send_due()

    assert put_off_to.minute == 0
    assert timedelta(hours=1) < put_off_to - utcnow() <= timedelta(hours=2)
    assert attempts == 0
    assert mails_to(voter) == [(True, None)]


def test_who_asked_for_decisions_only_hears_of_them_and_of_what_is_said_to_them(app):
    voter, idea = a_voter()
    mine = make_comment(idea, author=voter)
    outbox.work_off(500)
    with transaction():
        ideas.follow_quietly(idea, voter)

    make_comment(idea)
    with transaction():
        comments.post_comment(idea, make_user(), "So do I.", mine)
    with transaction():
        moves.answer_idea(idea, make_user(Role.PM), ANSWER)
    decide(idea)

    db.session.rollback()
    heard = set(db.session.scalars(select(Notification.kind).where(Notification.user_id == voter.id)))
    assert heard == {"replied", "decided"}


def test_quiet_for_an_idea_is_quiet_for_what_was_joined_with_it(app):
    voter, merged = a_voter()
    main = make_idea()
    with transaction():
        moves.move_idea(merged, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))
    with transaction():
        ideas.follow_quietly(main, voter)
    outbox.work_off(500)

    with transaction():
        moves.answer_idea(main, make_user(Role.PM), ANSWER)
    outbox.work_off(500)

    assert told(voter, Kind.ANSWERED) == []


def test_losing_a_board_takes_what_was_chosen_for_it_along(app):
    board = make_board(audience=Audience.PRIVATE)
    user, admin = make_user(), make_user(Role.ADMIN)
    with transaction():
        boards.give_place(board, user, Role.MEMBER, admin)
    choose(user, Topic.COMMENTS, Way.INBOX, board)
    choose(user, Topic.COMMENTS, Way.MAIL)

    with transaction():
        take_off(board, user, admin)

    assert db.session.scalars(select(BoardChoice)).all() == []
    assert len(db.session.scalars(select(TopicChoice)).all()) == 1


@either_way
def test_what_is_chosen_is_kept_at_once(browse, headers):
    user, board = make_user(), make_board("Safety")
    make_board("Maps")
    browser = browse(user)

    answers = [
        browser.post(
            "/inbox/preferences/topics", data={"mail-comments": "inbox", "mail-work": "mail"}, headers=headers
        ),
        browser.post(f"/inbox/preferences/boards/{board.slug}", data={"mail-decisions": "digest"}, headers=headers),
        browser.post(
            "/inbox/preferences/digest", data={"digest": "daily", "hour": "18", "weekday": "0"}, headers=headers
        ),
        browser.post("/inbox/preferences/mails-a-day", data={"most": "3"}, headers=headers),
        browser.post("/inbox/preferences/quiet-hours", data={"from": "22", "until": "7"}, headers=headers),
        browser.post("/inbox/preferences/pause", headers=headers),
    ]

    assert {answer.status_code for answer in answers} == {200 if "HX-Request" in headers else 303}
    db.session.rollback()
    kept = {choice.topic: choice.mail for choice in db.session.scalars(select(TopicChoice))}
    reach = db.session.get_one(Reach, user.id)
    assert kept == {Topic.COMMENTS: Way.INBOX}  # work is for those who work here
    assert db.session.get_one(BoardChoice, (user.id, board.id, Topic.DECISIONS)).mail is Way.DIGEST
    assert (reach.digest, reach.digest_hour, reach.quiet_from, reach.quiet_until) == (Rhythm.DAILY, 18, 22, 7)
    assert reach.mails_a_day == 3
    assert reach.paused_until > utcnow() + timedelta(days=29)
    page = browser.get("/inbox/preferences").text
    assert "End the pause now" in page
    assert "1 choice of its own" in page
    assert '<option value="3" selected>3</option>' in page


@on_one_database
def test_a_number_of_mails_is_one_of_the_list_or_as_usual_which_admins_may_change(browse):
    user = make_user()
    browser = browse(user)

    refused = [browser.post("/inbox/preferences/mails-a-day", data={"most": most}) for most in ("0", "51", "-1", "x")]
    browser.post("/inbox/preferences/mails-a-day", data={"most": "10"})
    browser.post("/inbox/preferences/mails-a-day", data={"most": ""})
    admin = browse(make_user(Role.ADMIN))
    refused.append(admin.post("/mail/health/mails-a-day", data={"most": "7"}))
    admin.post("/mail/health/mails-a-day", data={"most": "3"})

    assert [answer.status_code for answer in refused] == [422] * 5
    assert "Choose a number of mails from the list" in refused[0].text
    db.session.rollback()
    assert db.session.get_one(Reach, user.id).mails_a_day is None
    offered = re.findall(r'<option value="(\d*)"( selected)?>([^<]*)</option>', browser.get("/inbox/preferences").text)
    labels = [(value, bool(chosen), label) for value, chosen, label in offered if "clock" not in label][:5]
    assert labels == [
        ("1", False, "1"),
        ("", True, "3, as usual"),
        ("5", False, "5"),
        ("10", False, "10"),
        ("50", False, "all of them, up to 50"),
    ]


@pytest.mark.parametrize(("digest", "why"), [(Rhythm.WEEKLY, "kept for the digest"), (Rhythm.NEVER, "daily ceiling")])
def test_nobody_gets_more_mails_than_they_chose_and_each_line_says_what_became_of_the_rest(
    app, smtp, browse, digest, why
):
    author, other = make_user(), make_user()
    with transaction():
        choosing.choose_ceiling(author, 1)
        choosing.choose_ceiling(other, 10)
        choosing.choose_rhythm(author, digest, 8, 4)
    numbers = [make_idea(author=person).id for person in (author, other) for _ in range(6 if person is other else 2)]
    outbox.work_off(500)

    sending.send_due()

    assert [mail[1] for mail in mails_to(author)] == [None, why]
    assert [mail[1] for mail in mails_to(other)] == [None] * 6
    left = db.session.scalars(select(Notification.id).where(Notification.idea_id == numbers[1])).one()
    said = browse(author).get(f"/inbox/{left}/why").text
    assert "No mail went out: you had as many mails that day as you get at most" in said
    assert ("It goes into your next digest" in said) is (digest is Rhythm.WEEKLY)
    shown = browse(make_user(Role.ADMIN)).get("/admin/mails?state=suppressed").text
    assert wording.why_suppressed(why) in shown


@on_one_database
def test_hours_that_are_none_are_refused_in_words(browse):
    user = make_user()

    answers = [
        browse(user).post("/inbox/preferences/quiet-hours", data=data)
        for data in (
            {"from": "22"},
            {"from": "7", "until": "7"},
            {"from": "x", "until": "7"},
            {"from": "22", "until": "30"},
        )
    ]

    assert [answer.status_code for answer in answers] == [422] * 4
    assert "Choose hours from the list" in answers[0].text
    assert db.session.get(Reach, user.id) is None


def test_nobody_chooses_for_a_board_they_may_not_see(browse):
    board = make_board(audience=Audience.PRIVATE)
    url = f"/inbox/preferences/boards/{board.slug}"
    browser = browse(make_user())

    answers = [browser.get(url), browser.post(url, data={"mail-decisions": "digest"})]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert board.name not in browser.get("/inbox/preferences").text


def test_s26_links_of_old_mails_can_be_made_useless(browse, app):
    voter, idea = a_voter()
    old = [links.stop_token(voter.id, idea.id, "decided"), links.objection_token(voter.id, 1)]

    for _ in range(2):
        browse(voter).post("/inbox/preferences/links")
        db.session.rollback()
        new = links.stop_token(voter.id, idea.id, "decided")
        assert [links.read_stop_token(old[0]), links.read_objection_token(old[1])] == [None, None]
        gone = browse().get(f"/mail/stop/{old[0]}")
        assert (gone.status_code, "This link works no more" in gone.text) == (404, True)
        assert links.read_stop_token(new) == (voter.id, idea.id, "decided")
        old[0] = new


@either_way
def test_a_row_says_why_and_can_be_made_quieter(browse, headers):
    voter, idea = a_voter()
    decide(idea)
    row = db.session.scalars(select(Notification).where(Notification.user_id == voter.id)).one()
    browser = browse(voter)

    why = browser.get(f"/inbox/{row.id}/why")
    quieter = browser.post(f"/inbox/{row.id}/quieter", headers=headers, follow_redirects=True)

    assert "You get this because you voted." in why.text
    assert "usually come by mail at once" in why.text
    assert "Hear everything again" in quieter.text
    assert browse(make_user()).get(f"/inbox/{row.id}/why").status_code == 404


@on_one_database
def test_several_ideas_are_tidied_up_at_once(browse):
    user = make_user()
    followed = [make_idea(f"Idea {number}") for number in range(3)]
    out_of_sight = make_idea("A secret", board=make_board(audience=Audience.PRIVATE))
    with transaction():
        for idea in [*followed, out_of_sight]:
            ideas.follow(idea, user)
    browser = browse(user)

    browser.post("/inbox/following", data={"choice": "stop", "idea": [str(followed[0].id), "x", "99999"]})
    browser.post("/inbox/following", data={"choice": "quiet", "idea": str(followed[1].id)})
    pages = {level: browser.get(f"/inbox/following?level={level}").text for level in ("all", "decisions", "muted")}

    assert "Idea 0" not in pages["all"]
    assert "Idea 2" in pages["all"]
    assert "Idea 1" in pages["decisions"]
    assert "Idea 2" not in pages["decisions"]
    assert "Idea 0" in pages["muted"]
    assert "A secret" not in pages["all"]


@pytest.mark.parametrize("scripted", [True, False])
def test_choosing_in_a_browser(app, open_page, scripted):
    user = make_user(Role.PM)
    make_board("Safety"), make_board("Maps")
    page = open_page(user, javascript=scripted)
    page.goto("/inbox/preferences")

    page.get_by_label("Other comments by e-mail").select_option("inbox")
    if scripted:
        page.locator("#saved-topics", has_text="Saved").wait_for()
    else:
        page.locator("#topics").get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Pause everything for 30 days").click()
    page.get_by_role("button", name="End the pause now").wait_for()

    page.goto("/inbox/preferences")
    assert page.get_by_label("Other comments by e-mail").input_value() == "inbox"
    if scripted:  # what looks at the page is a script itself
        assert_accessible(page)
