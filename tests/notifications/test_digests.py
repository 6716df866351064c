"""Digests: in time by their reader's own clock, once, of what is still news to them, and none without news."""

import itertools
import random
import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
import pytz
import sqlalchemy as sa
import time_machine
from sqlalchemy import select

from portal import outbox
from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.events import emit
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.models import Idea, StatusChange
from portal.ideas.moves import MoveDetails
from portal.ideas.promised import Promise
from portal.ideas.steps import Tell
from portal.ideas.workflow import Publication, Status
from portal.notifications.choosing import choose_rhythm, choose_topics, pause, resume
from portal.notifications.digests import making as digests
from portal.notifications.digests import reading, turns
from portal.notifications.digests.models import Digest, DigestItem
from portal.notifications.digests.rhythm import Beat
from portal.notifications.events import MailFlows, MailStuck
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Topic, Way
from portal.notifications.reach import Reach, Rhythm
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_rules, make_user, move_to
from tests.support.databases import on_one_database
from tests.support.mails import mails_to, words_of

THURSDAY = datetime(2026, 11, 19, 12, tzinfo=UTC)
FRIDAY_AT_EIGHT = datetime(2026, 11, 20, 8, tzinfo=UTC)


def local(zone: str, moment: datetime) -> str:
    return f"{moment.astimezone(pytz.timezone(zone)):%a %Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("zone", "hour", "weekday", "after", "due"),
    [
        ("Europe/London", 8, 4, "2026-11-20T08:00", "Fri 2026-11-27 08:00"),  # at the very moment: the next one
        ("Europe/London", 8, 4, "2026-11-20T07:59", "Fri 2026-11-20 08:00"),
        ("Pacific/Auckland", 8, 4, "2026-11-19T18:00", "Fri 2026-11-20 08:00"),  # there it is Friday already
        ("America/St_Johns", 8, None, "2026-11-20T11:30", "Sat 2026-11-21 08:00"),
        ("Europe/Berlin", 2, None, "2026-03-28T12:00", "Sun 2026-03-29 03:00"),  # the hour that clocks leave out
        ("Europe/Berlin", 2, None, "2026-10-24T12:00", "Sun 2026-10-25 02:00"),  # the hour that comes twice, once
        ("Pacific/Apia", 8, 4, "2011-12-29T12:00", "Sat 2011-12-31 08:00"),  # the Friday that there was not
    ],
)
def test_a_digest_is_due_at_its_readers_hour_whatever_clocks_and_calendars_do(zone, hour, weekday, after, due):
    beat = Beat(zone, hour, weekday)

    moment = beat.after(datetime.fromisoformat(after).replace(tzinfo=UTC))

    assert local(zone, moment) == due
    assert beat.is_on(moment)
    assert not beat.is_on(moment + timedelta(hours=1))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("hour", [0, 2, 8, 23])
def test_there_is_one_moment_for_each_day_of_a_year(zone, hour):
    beat, moment, days = Beat(zone, hour, None), datetime(2026, 1, 1, tzinfo=UTC), []

    while moment < datetime(2027, 1, 2, tzinfo=UTC):
        moment = beat.after(moment)
        days.append(moment.astimezone(pytz.timezone(zone)).date())

    first, last = days[0], days[-1]
    assert days == [date.fromordinal(day) for day in range(first.toordinal(), last.toordinal() + 1)]


ANN = "ann@example.org"


def ann(**fields: object) -> User:
    """Somebody who reads digests."""
    return make_user(name="Ann", email=ANN, timezone="Europe/London", **fields)


def back(idea: Idea, user: User) -> None:
    with transaction():
        ideas.cast_vote(idea, user)


def begin_work_on(idea: Idea, answer: str = "We have begun with the north.") -> None:
    """Have the team move an idea from planned to in progress, of which voters read in the digest."""
    move_to(idea, Status.PLANNED)
    with transaction():
        details = MoveDetails(expected="June", answer=answer)
        moves.move_idea(idea, Status.IN_PROGRESS, make_user(Role.PM, team="Safety team"), details)


def digests_to(address: str) -> list[EmailMessage]:
    """The digests in somebody's mailbox."""
    return [mail for mail in mails_to(address) if "Stop the digest" in words_of(mail)]


@pytest.fixture
def clock(app, settle):
    """Thursday at noon; ``clock.to(moment)`` goes on and has everything done that is due then."""
    with time_machine.travel(THURSDAY, tick=False) as travelling:

        def to(moment: datetime) -> None:
            travelling.move_to(moment)
            settle()

        travelling.to = to
        yield travelling


def test_what_happened_in_a_week_is_one_mail_on_friday_morning(clock):
    reader, looks = ann(), make_board("Looks")
    routes, night = make_idea("Offline routes"), make_idea("A night mode", board=looks)
    board = routes.board.name
    back(routes, reader)
    with transaction():
        ideas.follow(night, reader)
    begin_work_on(routes)
    make_comment(routes, body="At last.")
    make_comment(night, body="Amber, not red, please.", author=make_user(name="Rik"))
    make_idea("A compass for the left hand", board=routes.board)
    make_idea("A place where Ann has no part", board=make_board("Elsewhere"))
    clock.to(FRIDAY_AT_EIGHT - timedelta(minutes=1))
    assert digests_to(ANN) == []

    clock.to(FRIDAY_AT_EIGHT)
    clock.to(FRIDAY_AT_EIGHT + timedelta(hours=1))
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=8))  # nothing happened since: no mail

    (mail,) = digests_to(ANN)
    text = re.sub(r"http://\S+", "…", words_of(mail))
    assert mail["Subject"] == "In progress: Offline routes · Talked about: A night mode"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["References"] is None
    assert text == EXPECTED.format(board=board)


EXPECTED = """\
What became of the ideas you have a part in.

News of 2 ideas


Moved
-----

* Offline routes
  Planned → In progress
  An idea you voted for has moved. Next update by 4 January 2027.
  “We have begun with the north.” Safety team
  …


Talked about
------------

* A night mode
  Rik commented on an idea you follow.
  “Amber, not red, please.” Rik
  …


New on your boards
------------------

* A compass for the left hand
  {board} · 1 vote
  …

Open your inbox:
…

--\x20
Ideas: …
You get this once a week at most, and only when there is news.
Stop the digest: …
Change what reaches you: …
"""


def reads_it(reader: User, idea: Idea) -> None:
    with transaction():
        db.session.execute(sa.update(Notification).where(Notification.user_id == reader.id).values(read_at=utcnow()))


def closes_the_board(reader: User, idea: Idea) -> None:
    with transaction():
        idea.board.audience = Audience.PRIVATE


def lets_members_read_their_own_only(reader: User, idea: Idea) -> None:
    with transaction():
        idea.board.one_way = True


def hides_it(reader: User, idea: Idea) -> None:
    with transaction():
        idea.publication = Publication.HIDDEN


def mutes_it(reader: User, idea: Idea) -> None:
    with transaction():
        ideas.unfollow(idea, reader)


def wants_no_mail(reader: User, idea: Idea) -> None:
    with transaction():
        reader.wants_mail = False


def wants_no_digest(reader: User, idea: Idea) -> None:
    with transaction():
        turns.choose(reader, digests.LETTER, wanted=False)


def is_suspended(reader: User, idea: Idea) -> None:
    with transaction():
        reader.suspended_at = utcnow()


@pytest.mark.parametrize("made", [False, True], ids=["before it is made", "before it is sent"])
@pytest.mark.parametrize(
    "meanwhile",
    [
        reads_it,
        closes_the_board,
        lets_members_read_their_own_only,
        hides_it,
        mutes_it,
        wants_no_mail,
        wants_no_digest,
        is_suspended,
    ],
)
@on_one_database
def test_nothing_is_in_a_digest_that_is_no_news_or_not_its_readers_to_see_any_more(clock, meanwhile, made):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    begin_work_on(idea)
    clock.to(THURSDAY + timedelta(hours=1))
    clock.move_to(FRIDAY_AT_EIGHT)
    if made:
        digests.make_due()

    meanwhile(db.session.get_one(User, reader_of()), db.session.scalars(select(Idea)).one())
    clock.to(FRIDAY_AT_EIGHT + timedelta(minutes=5))

    assert digests_to(ANN) == []


def reader_of() -> int:
    return db.session.scalars(select(User.id).where(User.email == ANN)).one()


def test_what_would_be_a_mail_too_many_is_in_the_digest(clock):
    reader = ann()
    for n in range(8):
        make_idea(f"Thing {n}", author=reader)  # each is a receipt by mail

    clock.to(THURSDAY + timedelta(minutes=1))
    at_once = len(mails_to(ANN))
    clock.to(FRIDAY_AT_EIGHT)

    (mail,) = digests_to(ANN)
    assert at_once == 5
    assert mail["Subject"] == "Received: Thing 7 · Received: Thing 6, and 1 more"
    why = Counter(db.session.scalars(select(Mail.suppressed).where(Mail.suppressed.is_not(None))))
    assert why == {"kept for the digest": 3}


def test_a_digest_is_made_whole_or_not_at_all_and_once_by_however_many_workers(clock, monkeypatch):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    begin_work_on(idea)
    clock.to(THURSDAY + timedelta(hours=1))
    clock.move_to(FRIDAY_AT_EIGHT)
    rows = [select(sa.func.count()).select_from(table) for table in (Digest, DigestItem)]

    with monkeypatch.context() as patch:
        patch.setattr(digests, "_key_of", dies)
        with pytest.raises(Dies):
            digests.make_due()
    assert [db.session.scalar(count) for count in rows] == [0, 0]

    assert [digests.make_due(), digests.make_due()] == [1, 0]
    assert [db.session.scalar(count) for count in rows] == [1, 1]
    clock.to(FRIDAY_AT_EIGHT + timedelta(minutes=1))
    assert len(digests_to(ANN)) == 1


class Dies(Exception):
    pass


def dies(_digest: object) -> None:
    raise Dies


def test_who_moves_to_another_zone_or_chooses_otherwise_gets_no_digest_twice(clock):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    begin_work_on(idea)
    clock.to(THURSDAY + timedelta(hours=1))
    clock.to(FRIDAY_AT_EIGHT)
    with transaction():
        again = db.session.get_one(User, reader_of())
        again.timezone = "America/Los_Angeles"
        choose_rhythm(again, Rhythm.WEEKLY, 8, 4)
    begin_work_on(make_idea_for(reader_of()))

    clock.to(FRIDAY_AT_EIGHT + timedelta(hours=8))  # Friday at eight over there
    assert len(digests_to(ANN)) == 1
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=7, hours=7, minutes=59))
    assert len(digests_to(ANN)) == 1
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=7, hours=8))
    assert len(digests_to(ANN)) == 2


def make_idea_for(user_id: int) -> Idea:
    idea = make_idea("A night mode")
    back(idea, db.session.get_one(User, user_id))
    return idea


@on_one_database
def test_a_daily_digest_comes_each_day_on_which_there_is_news(clock):
    ann()
    with transaction():
        choose_rhythm(db.session.get_one(User, reader_of()), Rhythm.DAILY, 6, 0)
    for day in range(3):
        clock.move_to(THURSDAY + timedelta(days=day))
        if day != 1:
            begin_work_on(make_idea_for(reader_of()))
        clock.to(THURSDAY + timedelta(days=day, hours=1))
        clock.to(THURSDAY + timedelta(days=day, hours=18))

    assert [mail["Date"][:16] for mail in digests_to(ANN)] == ["Fri, 20 Nov 2026", "Sun, 22 Nov 2026"]


@on_one_database
def test_a_move_that_led_back_is_left_out_and_a_promise_that_became_late_is_named(clock):
    reader, routes, night = ann(), make_idea("Offline routes"), make_idea("A night mode")
    back(routes, reader)
    back(night, reader)
    begin_work_on(night)
    move_to(routes, Status.UNDER_REVIEW)
    said = MoveDetails(answer="Yes.", expected="July", reason="No, not yet.")
    for status in (Status.PLANNED, Status.UNDER_REVIEW):
        with transaction():
            moves.move_idea(routes, status, make_user(Role.PM), said)
    clock.to(THURSDAY + timedelta(hours=1))
    with transaction():
        db.session.execute(sa.update(Notification).where(Notification.user_id == reader_of()).values(way="digest"))
        db.session.execute(sa.update(Promise).values(due_at=THURSDAY + timedelta(hours=2)))

    clock.to(FRIDAY_AT_EIGHT)

    (mail,) = digests_to(ANN)
    assert mail["Subject"] == "In progress: A night mode"
    assert "We promised a word by 19 November, and it is late." in words_of(mail)


def test_the_link_in_a_digest_stops_the_digest_alone_by_a_plain_post(clock, browse):
    reader = ann()
    idea = make_idea("Offline routes")
    back(idea, reader)
    begin_work_on(idea)
    clock.to(THURSDAY + timedelta(hours=1))
    clock.to(FRIDAY_AT_EIGHT)
    (mail,) = digests_to(ANN)
    path = urlsplit(mail["List-Unsubscribe"].strip("<>")).path

    assert browse().get(path).status_code == 200
    assert db.session.get(Reach, reader_of()) is None  # looking changes nothing
    answer = browse().post(path, data={"List-Unsubscribe": "One-Click"})

    db.session.rollback()
    assert answer.status_code == 200
    assert "None of these mails comes any more" in answer.text
    assert db.session.get_one(Reach, reader_of()).digest is Rhythm.NEVER
    assert db.session.get_one(User, reader_of()).wants_mail
    browse().post(path, data={"choice": "turn"})
    db.session.rollback()
    assert db.session.get_one(Reach, reader_of()).digest is Rhythm.WEEKLY


@on_one_database
def test_what_one_mail_about_many_ideas_told_is_in_no_digest(clock):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    move_to(idea, Status.PLANNED)
    with transaction():
        said = MoveDetails(expected="June", answer="Begun.", tell=Tell.DIGEST, act_id=7)
        moves.move_idea(idea, Status.IN_PROGRESS, make_user(Role.PM), said)
    make_comment(idea, body="At last.")
    clock.to(THURSDAY + timedelta(hours=1))
    with transaction():
        db.session.execute(sa.update(Notification).where(Notification.user_id == reader_of()).values(way="digest"))
        db.session.add(Mail(key=f"act-7-{reader_of()}", kind="bulk", user_id=reader_of(), done_at=utcnow()))

    clock.to(FRIDAY_AT_EIGHT)

    assert digests_to(ANN) == []
    hers = select(Mail.suppressed).where(Mail.kind == digests.LETTER, Mail.user_id == reader_of())
    assert db.session.scalars(hers).all() == ["nothing new to tell"]


def the_reader() -> User:
    return db.session.get_one(User, reader_of())


def begins_a_pause() -> None:
    with transaction():
        pause(the_reader())


def ends_the_pause() -> None:
    with transaction():
        resume(the_reader())


def wants_none() -> None:
    with transaction():
        the_reader().wants_mail = False


def wants_them_again() -> None:
    with transaction():
        the_reader().wants_mail = True


@pytest.mark.parametrize("made", [False, True], ids=["before it is made", "before it is sent"])
@pytest.mark.parametrize(("stops", "resumes"), [(begins_a_pause, ends_the_pause), (wants_none, wants_them_again)])
@on_one_database
def test_what_no_digest_could_bring_is_in_the_next_that_can(clock, stops, resumes, made):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    begin_work_on(idea)
    clock.to(THURSDAY + timedelta(hours=1))
    clock.move_to(FRIDAY_AT_EIGHT)
    if made:
        digests.make_due()
    stops()
    clock.to(FRIDAY_AT_EIGHT + timedelta(minutes=5))
    assert digests_to(ANN) == []

    resumes()
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=3))
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=7))

    (mail,) = digests_to(ANN)
    assert mail["Subject"] == "In progress: Offline routes"


@on_one_database
def test_what_somebody_wants_in_the_digest_while_its_mail_waits_is_there(clock):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    move_to(idea, Status.UNDER_REVIEW)
    with transaction():
        said = MoveDetails(answer="Yes.", expected="July")
        moves.move_idea(idea, Status.PLANNED, make_user(Role.PM), said)
    outbox.work_off(500)
    with transaction():
        choose_topics(the_reader(), {Topic.DECISIONS: Way.DIGEST}, {})

    clock.to(THURSDAY + timedelta(hours=1))
    clock.to(FRIDAY_AT_EIGHT)

    (mail,) = digests_to(ANN)
    assert mail["Subject"] == "Planned: Offline routes"


@pytest.mark.settings(FOLD_MINUTES=15)
@on_one_database
def test_a_decision_is_mailed_although_what_was_said_after_it_is_not_wanted_by_mail_any_more(clock):
    idea = make_idea("Offline routes", author=ann())
    move_to(idea, Status.UNDER_REVIEW)
    clock.to(THURSDAY + timedelta(hours=1))
    idea = db.session.scalars(select(Idea)).one()
    said = MoveDetails(answer="Yes.", expected="July")
    with transaction():
        moves.move_idea(idea, Status.PLANNED, make_user(Role.PM), said)
    with transaction():
        moves.answer_idea(idea, make_user(Role.PM), MoveDetails(answer="With maps."))
    outbox.work_off(500)
    with transaction():
        choose_topics(the_reader(), {Topic.ANSWERS: Way.DIGEST}, {})

    clock.to(THURSDAY + timedelta(hours=2))
    clock.to(FRIDAY_AT_EIGHT)

    subjects = [mail["Subject"] for mail in mails_to(ANN)]
    assert subjects == ["Received: Offline routes", "Planned: Offline routes", "Answered: Offline routes"]


@on_one_database
def test_who_read_of_a_move_in_the_digest_reads_there_that_it_was_taken_back(clock):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    move_to(idea, Status.PLANNED)
    pm, said = make_user(Role.PM), MoveDetails(expected="June", answer="Begun.", tell=Tell.DIGEST, act_id=7)
    clock.move_to(FRIDAY_AT_EIGHT - timedelta(minutes=30))
    with transaction():
        moves.move_idea(idea, Status.IN_PROGRESS, pm, said)
    clock.to(FRIDAY_AT_EIGHT - timedelta(minutes=29))
    clock.to(FRIDAY_AT_EIGHT)
    with transaction():
        change = db.session.scalars(select(StatusChange).where(StatusChange.target == Status.IN_PROGRESS)).one()
        pm = db.session.merge(pm, load=False)
        moves.undo_move(change.idea, change, pm, within=timedelta(days=2), act_id=7)
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=7))

    subjects = [mail["Subject"] for mail in digests_to(ANN)]
    assert subjects == ["In progress: Offline routes", "Taken back: Offline routes"]


@on_one_database
def test_news_about_no_idea_is_in_the_digest_of_whoever_chose_so_once_and_as_it_is_now(clock):
    reader, other, boss = ann(role=Role.ADMIN), make_user(Role.ADMIN, email="ben@example.org"), make_user(Role.OWNER)
    numbers = reader.id, other.id, boss.id
    make_rules()
    with transaction():
        for person in (reader, other):
            choose_topics(person, {Topic.COMMUNITY: Way.DIGEST, Topic.WORK: Way.DIGEST}, {})
    clock.to(THURSDAY + timedelta(hours=1))
    with transaction():
        accounts.publish_rules("Be kind and brief.", "Be brief.")
        accounts.publish_rules("Be kind, brief and true.", "Be true.")
        emit(MailStuck(since=THURSDAY.isoformat(), said="connection refused"))
        emit(MailFlows())
    clock.to(THURSDAY + timedelta(hours=2))
    with transaction():
        _ann, ben, owner = (db.session.get_one(User, number) for number in numbers)
        accounts.set_role(ben, Role.MODERATOR, owner)
        accounts.set_role(ben, Role.MEMBER, owner)

    clock.to(FRIDAY_AT_EIGHT)
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=7))

    (of_ann,), (of_ben,) = digests_to(ANN), digests_to("ben@example.org")
    assert of_ann["Subject"] == "Mails go out again · No mail went out from 19 November 2026, 12:00 GMT on, and 1 more"
    words = words_of(of_ann)
    assert words.startswith("What changed for you.\n\n3 pieces of news\n\n\nYou and this portal\n---")
    assert words.count("The community rules have changed") == 1
    assert "version=3" in words and "It said: connection refused" in words
    assert "Your role is now: Member" in words_of(of_ben) and "Moderator" not in words_of(of_ben)
    assert "connection refused" not in words_of(of_ben)


@on_one_database
def test_a_digest_says_how_much_it_leaves_out_and_muted_ideas_take_no_room(clock, monkeypatch):
    monkeypatch.setattr(reading, "MOST_NEWS", 4)
    reader = ann()
    talked = [make_idea(f"Thing {n}") for n in range(4)]
    with transaction():
        for idea in talked:
            ideas.follow(idea, reader)
    for idea in talked[1:] * 2 + talked[:1] * 5:
        make_comment(idea)
    outbox.work_off(500)
    with transaction():
        ideas.unfollow(db.session.get_one(Idea, talked[0].id), the_reader())
    clock.to(THURSDAY + timedelta(hours=1))

    clock.to(FRIDAY_AT_EIGHT)

    (mail,) = digests_to(ANN)
    assert "Thing 0" not in words_of(mail)
    assert all(words_of(mail).count(f"* Thing {n}") == 1 for n in (1, 2, 3))
    assert "2 older pieces of news stand in your inbox." in words_of(mail)


@on_one_database
def test_what_a_digest_told_that_no_server_took_is_in_the_next_one(clock):
    reader, idea = ann(), make_idea("Offline routes")
    back(idea, reader)
    begin_work_on(idea)
    clock.to(THURSDAY + timedelta(hours=1))
    clock.move_to(FRIDAY_AT_EIGHT)
    digests.make_due()
    with transaction():
        refused = {"given_up_at": utcnow(), "error": "552 too much"}
        db.session.execute(sa.update(Mail).where(Mail.kind == digests.LETTER).values(**refused))
    clock.to(FRIDAY_AT_EIGHT + timedelta(days=1))
    assert digests_to(ANN) == []

    clock.to(FRIDAY_AT_EIGHT + timedelta(days=7))

    assert [mail["Subject"] for mail in digests_to(ANN)] == ["In progress: Offline routes"]


@on_one_database
def test_of_an_idea_that_was_joined_meanwhile_the_digest_says_where_it_lives(clock):
    reader, idea, main = ann(), make_idea("Offline routes"), make_idea("Maps without a signal")
    with transaction():
        ideas.follow(idea, reader)
    make_comment(idea, body="At last.")
    outbox.work_off(500)
    with transaction():
        moves.move_idea(idea, Status.MERGED, make_user(Role.PM), MoveDetails(into=main))

    clock.to(THURSDAY + timedelta(hours=1))
    clock.to(FRIDAY_AT_EIGHT)

    (mail,) = digests_to(ANN)
    assert "commented on an idea you follow. It now lives in “Maps without a signal”." in words_of(mail).replace(
        "\n  ", " "
    )


@pytest.mark.parametrize("seed", range(4))
@on_one_database
def test_whatever_somebody_chooses_and_wherever_they_go_no_news_is_lost_and_no_digest_comes_too_soon(clock, seed):
    chance = random.Random(seed)  # noqa: S311 - no secret
    now, reader = datetime(2026, 10, 22, 5, tzinfo=UTC), ann()  # clocks change in the next weeks, on many days
    clock.move_to(now)
    idea = make_idea()
    with transaction():
        ideas.follow(idea, reader)
    number, made = reader.id, 0
    for _step in range(24):
        now += timedelta(hours=chance.randrange(1, 40))
        clock.move_to(now)
        match chance.randrange(4):
            case 0:
                with transaction():
                    rhythm = chance.choice([*Rhythm, Rhythm.DAILY, Rhythm.WEEKLY])
                    choose_rhythm(db.session.get_one(User, number), rhythm, chance.randrange(24), chance.randrange(7))
            case 1:
                with transaction():
                    traveller = db.session.get_one(User, number)
                    traveller.timezone = chance.choice(["Europe/London", "Pacific/Auckland", "America/Los_Angeles"])
                    digests.wind(traveller)
            case _:
                make_comment(db.session.get_one(Idea, idea.id))
                outbox.work_off(500)
        made = _make_and_look(number, made)
    with transaction():
        choose_rhythm(db.session.get_one(User, number), Rhythm.WEEKLY, 8, 4)
    for _day in range(13):
        now += timedelta(days=1)
        clock.move_to(now)
        made = _make_and_look(number, made)

    waits = select(Notification.id).where(Notification.way == Way.DIGEST, Notification.at > now - timedelta(days=31))
    lost = waits.where(Notification.user_id == number, Notification.id.not_in(select(DigestItem.notification_id)))
    assert db.session.scalars(lost).all() == []
    moments = db.session.scalars(select(Digest.due_at).where(Digest.user_id == number).order_by(Digest.due_at)).all()
    assert moments
    assert all(later - earlier >= timedelta(hours=12) for earlier, later in itertools.pairwise(moments))


def _make_and_look(number: int, before: int) -> int:
    """Have digests made that are due, twice; each is due by what its reader chose."""
    digests.make_due()
    digests.make_due()
    made = db.session.scalars(select(Digest.due_at).where(Digest.user_id == number).order_by(Digest.id)).all()
    beat = digests.beat_of(db.session.get_one(User, number), db.session.get(Reach, number))
    assert [moment for moment in made[before:] if beat is None or not beat.is_on(moment)] == [], beat
    assert len(made) - before <= 1
    return len(made)
