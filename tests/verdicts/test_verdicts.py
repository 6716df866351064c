"""Asking afterwards: who is asked when, what an answer counts, and what the answers decide."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.changelog import service as changelog
from portal.changelog.models import Kind
from portal.db import db, utcnow
from portal.ideas.models import Idea, StatusChange, Vote
from portal.ideas.moves import MoveDetails, move_idea, undo_move
from portal.ideas.workflow import Publication, Status
from portal.notifications.links import verdict_token
from portal.notifications.models import CaughtMail, Notification
from portal.transactions import transaction
from portal.verdicts import clocks, queries, service
from portal.verdicts.models import End, Round, Says, Verdict
from portal.verdicts.rules import Rules, end_of
from tests.factories import make_board, make_idea, make_user, make_votes
from tests.support.databases import on_one_database

DAY = timedelta(days=1)


def shipped(settle, voters=4, **idea):
    """Return the id of an idea that came out, and those of its voters."""
    made = make_idea("Show the wells", status=Status.PLANNED, **idea)
    people = [person.id for person in make_votes(made, voters)]
    with transaction():
        move_idea(made, Status.SHIPPED, make_user(Role.PM), MoveDetails(answer="It is out."))
    idea_id = made.id
    settle()
    return idea_id, people


def round_of(idea_id) -> Round:
    db.session.rollback()
    return db.session.scalars(select(Round).where(Round.idea_id == idea_id).order_by(Round.id.desc())).first()


def fresh(idea_id) -> Idea:
    db.session.rollback()
    return db.session.get_one(Idea, idea_id)


def time_passes(monkeypatch, days):
    """Let it be so many days later for those who ask and conclude."""
    later = utcnow() + days * DAY
    for module in (clocks, service):
        monkeypatch.setattr(module, "utcnow", lambda: later)


def asked(settle, idea_id):
    with transaction():
        service.ask(round_of(idea_id))
    settle()


def answer(idea_id, user_id, says, words=""):
    with transaction():
        service.answer(round_of(idea_id), db.session.get_one(User, user_id), says, words)


def told(kind):
    db.session.rollback()
    return list(db.session.scalars(select(Notification.user_id).where(Notification.kind == kind).order_by("user_id")))


def test_two_weeks_after_shipping_everybody_behind_it_is_asked_once(settle, monkeypatch):
    idea_id, voters = shipped(settle)
    author = fresh(idea_id).author_id

    time_passes(monkeypatch, 13)
    assert clocks.ask_due() == 0
    time_passes(monkeypatch, 15)
    assert (clocks.ask_due(), clocks.ask_due()) == (1, 0)
    monkeypatch.undo()
    settle()

    assert told("verdict_asked") == sorted([author, *voters])
    assert (round_of(idea_id).asked, round_of(idea_id).answers) == (5, 0)
    mails = select(CaughtMail.subject).where(CaughtMail.subject.startswith("Does it solve"))
    assert db.session.scalars(mails).all() == ["Does it solve your need? Show the wells"] * 5


def test_nobody_is_asked_about_what_moved_on_or_came_out_by_mistake(settle, monkeypatch):
    idea_id, _voters = shipped(settle)
    with transaction():
        move_idea(fresh(idea_id), Status.UNDER_REVIEW, make_user(Role.PM), MoveDetails(reason="It broke."))
    settle()
    time_passes(monkeypatch, 30)

    assert clocks.ask_due() == 0
    assert round_of(idea_id).end is End.MOVED and told("verdict_asked") == []


@on_one_database
def test_an_answer_counts_once_and_can_be_changed(settle):
    idea_id, voters = shipped(settle)
    asked(settle, idea_id)

    answer(idea_id, voters[0], Says.NO, "Not on my phone.")
    answer(idea_id, voters[0], Says.YES, "Now it does.")

    counted = round_of(idea_id)
    assert (counted.yes, counted.partly, counted.no) == (1, 0, 0)
    assert [(row.says, row.words) for row in db.session.scalars(select(Verdict))] == [(Says.YES, "Now it does.")]


def test_many_who_say_yes_confirm_it_and_everybody_hears(settle):
    idea_id, voters = shipped(settle)
    author = fresh(idea_id).author_id
    asked(settle, idea_id)

    for user_id in [*voters, author]:
        answer(idea_id, user_id, Says.YES)
    settle()

    idea = fresh(idea_id)
    change = db.session.scalars(select(StatusChange).order_by(StatusChange.id.desc())).first()
    assert (idea.status, round_of(idea_id).end) == (Status.CONFIRMED, End.CONFIRMED)
    assert change.reason == "5 of 5 who answered say that it solves their need." and change.actor_id is None
    assert author in told("progressed")


def test_a_large_part_that_says_no_reopens_it(settle):
    idea_id, voters = shipped(settle)
    asked(settle, idea_id)

    for user_id, says in zip([*voters, fresh(idea_id).author_id], ["no", "no", "yes", "yes", "partly"], strict=True):
        answer(idea_id, user_id, Says(says))

    assert (fresh(idea_id).status, round_of(idea_id).end) == (Status.UNDER_REVIEW, End.REOPENED)


def test_when_the_time_is_over_and_answers_say_neither_opinions_differ(settle, monkeypatch):
    idea_id, voters = shipped(settle)
    asked(settle, idea_id)
    answer(idea_id, voters[0], Says.PARTLY)

    time_passes(monkeypatch, 29)
    assert clocks.conclude_due() == 0
    time_passes(monkeypatch, 31)
    assert clocks.conclude_due() == 1

    assert (fresh(idea_id).status, round_of(idea_id).end) == (Status.SHIPPED, End.MIXED)


def test_only_those_behind_it_are_asked_and_supporters_of_merged_ideas_are(settle):
    main = make_idea("Show the wells", status=Status.UNDER_REVIEW)
    merged, pm = make_idea("Wells on the map"), make_user(Role.PM)
    through, stranger = make_votes(merged, 1)[0].id, make_user().id
    with transaction():
        move_idea(merged, Status.MERGED, pm, MoveDetails(into=main))
        move_idea(main, Status.AVAILABLE, pm, MoveDetails(answer="It is there."))
    main_id = main.id
    settle()
    asked(settle, main_id)

    assert through in told("verdict_asked") and stranger not in told("verdict_asked")
    answer(main_id, through, Says.YES)
    with pytest.raises(service.NotAsked):
        answer(main_id, stranger, Says.NO)
    assert round_of(main_id).answers == 1


@pytest.mark.parametrize(
    ("days", "people", "answers", "end"),
    [
        (3, 20, (9, 0, 0), None),  # the keenest alone decide nothing
        (8, 20, (2, 0, 0), None),  # too few
        (8, 20, (7, 2, 1), End.CONFIRMED),
        (8, 20, (6, 3, 1), None),
        (8, 20, (6, 0, 4), End.REOPENED),
        (31, 20, (0, 0, 0), End.MIXED),
        (31, 20, (6, 3, 1), End.MIXED),
        (1, 2, (2, 0, 0), End.CONFIRMED),  # all who were asked
        (1, 2, (1, 0, 1), End.REOPENED),
        (1, 3, (1, 2, 0), End.MIXED),
    ],
)
def test_what_the_answers_decide(days, people, answers, end):
    now = utcnow()
    yes, partly, no = answers
    asked = Round(asked_at=now - days * DAY, asked=people, yes=yes, partly=partly, no=no)

    assert end_of(asked, Rules(), now) is end


@on_one_database
def test_s26_the_link_of_a_mail_shows_the_question_and_only_posting_answers(browse, settle):
    idea_id, voters = shipped(settle)
    asked(settle, idea_id)
    link = f"/mail/verdict/{verdict_token(voters[0], round_of(idea_id).id)}"

    for method in ("get", "head"):
        assert getattr(browse(), method)(f"{link}?says=partly").status_code == 200
    assert round_of(idea_id).answers == 0
    chosen = re.search(r'<input[^>]*value="partly"[^>]*>', browse().get(f"{link}?says=partly").text)
    assert chosen and "checked" in chosen[0]
    empty = browse().post(link, data={"words": "I mean it"})
    assert empty.status_code == 422 and "I mean it" in empty.text and "Choose one of the three." in empty.text
    done = browse().post(link, data={"says": "partly", "words": "Not offline."}, follow_redirects=True)

    assert "You said: Partly." in done.text
    assert (round_of(idea_id).partly, db.session.scalars(select(Verdict.user_id)).all()) == (1, [voters[0]])
    assert browse().get("/mail/verdict/nonsense").status_code == 404


@on_one_database
def test_s05_a_link_shows_nothing_of_an_idea_its_reader_may_no_longer_see(browse, settle):
    idea_id, voters = shipped(settle)
    asked(settle, idea_id)
    link = f"/mail/verdict/{verdict_token(voters[0], round_of(idea_id).id)}"
    with transaction():
        fresh(idea_id).board.audience = Audience.STAFF

    assert browse().get(link).status_code == browse().post(link, data={"says": "yes"}).status_code == 404
    assert "Show the wells" not in browse().get("/outcomes").text


@on_one_database
def test_the_page_of_the_idea_asks_who_asked_for_it_and_counts_in_public_from_three_answers(browse, settle):
    idea_id, voters = shipped(settle, voters=8)
    asked(settle, idea_id)
    page = f"/ideas/{idea_id}"
    voter = db.session.get_one(User, voters[0])

    assert "Your answer decides what becomes of it" in browse(voter).get(page).text
    assert "Your answer decides" not in browse().get(page).text
    for number, says in enumerate(("yes", "yes", "partly")):
        answer(idea_id, voters[number], Says(says))
        assert ("Numbers stand here once" in browse().get(page).text) is (number < 2)
    assert "You said: Yes." in browse(voter).get(page).text
    assert "of 9 people who were asked" in browse().get(page).text
    assert browse(make_user()).post(f"{page}/verdict", data={"says": "no"}).status_code == 422


@on_one_database
def test_the_team_reads_why_asks_earlier_or_not_at_all(browse, settle, monkeypatch):
    idea_id, voters = shipped(settle)
    pm, member = make_user(Role.PM), make_user()
    assert "Everybody behind it is asked on" in browse(pm).get(f"/ideas/{idea_id}").text
    assert "Everybody behind it is asked on" not in browse(member).get(f"/ideas/{idea_id}").text

    pm, member = browse(pm), browse(member)
    pm.post(f"/ideas/{idea_id}/verdict/ask", data={"do": "now"})
    settle()
    answer(idea_id, voters[0], Says.NO, "Quillwhy it fails on my watch.")
    monkeypatch.setattr(queries.words_on, "__defaults__", (None, 2))
    for number in (1, 2, 3):
        answer(idea_id, voters[number], Says.YES, f"Quillwhy number {number}.")
    read, page = [], pm.get(f"/ideas/{idea_id}/verdicts").text
    while True:
        read.append(re.findall(r"Quillwhy [a-z0-9 ]+", page))
        older = re.search(r'href="([^"]*after=[^"]*)"', page)
        if older is None:
            break
        page = pm.get(older[1]).text
    assert read == [["Quillwhy number 3", "Quillwhy number 2"], ["Quillwhy number 1", "Quillwhy it fails on my watch"]]
    assert f'href="/ideas/{idea_id}/verdicts"' in page
    assert member.get(f"/ideas/{idea_id}/verdicts").status_code == 403
    assert "Quillwhy" not in member.get(f"/ideas/{idea_id}").text

    other, _voters = shipped(settle, board=make_board("Other"))
    pm.post(f"/ideas/{other}/verdict/ask", data={"do": "call-off"})
    assert round_of(other).end is End.CALLED_OFF


@on_one_database
def test_shares_are_public_by_board_and_team_and_said_only_of_enough_answers(browse, settle):
    idea_id, voters = shipped(settle, voters=11, board=make_board("Maps"))
    asked(settle, idea_id)
    for user_id in voters[:9]:
        answer(idea_id, user_id, Says.YES)
    assert [rate.percent("yes") for rate in queries.rates_by_board(make_user())] == [None]

    answer(idea_id, voters[9], Says.NO)

    rate = queries.rates_by_board(make_user())[0]
    assert (rate.name, rate.asked, rate.percent("yes"), rate.percent("no")) == ("Maps", 12, 90, 10)
    page = browse().get("/outcomes").text
    assert "90%" in page and "10 of 12" in page
    assert "Nobody was asked yet." not in page


@on_one_database
def test_admins_decide_when_and_by_how_many(browse, settle):
    admin = make_user(Role.ADMIN)
    numbers = {"after_shipping": 3, "after_available": 5, "open_for": 20, "least": 2, "confirms": 60, "reopens": 30}

    wrong = browse(admin).post("/admin/verdicts", data=numbers | {"confirms": 200})
    right = browse(admin).post("/admin/verdicts", data=numbers)
    db.session.rollback()

    assert (wrong.status_code, right.status_code) == (422, 303) and "from 50 to 100" in wrong.text
    idea_id, _voters = shipped(settle)
    wait = round_of(idea_id).ask_at - utcnow()
    assert timedelta(days=2) < wait < timedelta(days=3)


@on_one_database
def test_the_changelog_asks_whoever_asked_for_it_until_they_have_answered(browse, settle):
    idea_id, voters = shipped(settle)
    pm = make_user(Role.PM)
    with transaction():
        words = changelog.Words("Wells on the map", "They are there.", Kind.NEW, None, [fresh(idea_id)])
        entry = changelog.write_entry(words, pm)
        changelog.publish(entry, pm, ())
        entry_id = entry.id
    asked(settle, idea_id)
    voter = browse(db.session.get_one(User, voters[0]))
    pages = ("/changelog", f"/changelog/{entry_id}")

    assert ["Does it solve your need?" in voter.get(page).text for page in pages] == [True, True]
    assert ["Does it solve your need?" in browse().get(page).text for page in pages] == [False, False]
    answer(idea_id, voters[0], Says.YES)
    assert ["Does it solve your need?" in voter.get(page).text for page in pages] == [False, False]


@on_one_database
def test_a_move_that_is_taken_back_lets_the_question_go_on(settle):
    idea_id, voters = shipped(settle)
    asked(settle, idea_id)
    answer(idea_id, voters[0], Says.YES)
    pm = make_user(Role.PM)
    with transaction():
        slip = MoveDetails(reason="A slip of the hand.")
        change_id = move_idea(fresh(idea_id), Status.UNDER_REVIEW, pm, slip).id
    pm_id = pm.id
    settle()
    assert round_of(idea_id).end is End.MOVED

    with transaction():
        change, pm = db.session.get_one(StatusChange, change_id), db.session.get_one(User, pm_id)
        undo_move(db.session.get_one(Idea, idea_id), change, pm, within=DAY)
    settle()
    answer(idea_id, voters[1], Says.NO)

    counted = round_of(idea_id)
    assert (counted.is_open, counted.end, counted.yes, counted.no) == (True, None, 1, 1)


def test_an_idea_out_of_sight_is_not_decided_about_and_keeps_no_other_waiting(settle, monkeypatch):
    (hidden_id, of_hidden), (other_id, of_other) = shipped(settle), shipped(settle)
    planned_id, _voters = shipped(settle)
    for idea_id, people in ((hidden_id, of_hidden), (other_id, of_other)):
        asked(settle, idea_id)
        for user_id in people[:3]:
            answer(idea_id, user_id, Says.YES)
    with transaction():
        for idea_id in (hidden_id, planned_id):
            db.session.get_one(Idea, idea_id).publication = Publication.HIDDEN
    time_passes(monkeypatch, 20)

    assert (clocks.ask_due(), clocks.conclude_due()) == (0, 1)
    assert (round_of(hidden_id).is_open, fresh(other_id).status) == (True, Status.CONFIRMED)

    with transaction():
        for idea_id in (hidden_id, planned_id):
            db.session.get_one(Idea, idea_id).publication = Publication.PUBLISHED
    assert (clocks.ask_due(), clocks.conclude_due(), fresh(hidden_id).status) == (1, 1, Status.CONFIRMED)


@on_one_database
def test_two_who_ask_at_once_ask_once(settle):
    idea_id, _voters = shipped(settle)
    known = round_of(idea_id)  # read before the other was done
    ask = update(Round).values(asked_at=utcnow(), asked=5)
    db.session.execute(ask, execution_options={"synchronize_session": False})
    assert known.asked_at is None

    assert service.ask(known) is False


@on_one_database
def test_whoever_reads_only_by_now_answers_no_more_by_an_old_mail(browse, settle):
    idea_id, voters = shipped(settle)
    asked(settle, idea_id)
    link = f"/mail/verdict/{verdict_token(voters[0], round_of(idea_id).id)}"
    with transaction():
        db.session.get_one(User, voters[0]).role = Role.OBSERVER

    assert browse().post(link, data={"says": "yes"}).status_code == 422
    assert round_of(idea_id).answers == 0


@on_one_database
def test_who_gave_a_vote_that_was_set_aside_is_not_asked(settle):
    idea_id, voters = shipped(settle)
    with transaction():
        vote = db.session.get_one(Vote, (idea_id, voters[0]))
        vote.set_aside_at = utcnow()
    asked(settle, idea_id)

    assert voters[0] not in told("verdict_asked") and round_of(idea_id).asked == 4
