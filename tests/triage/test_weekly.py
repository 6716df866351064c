"""The weekly note to the team: on Monday morning, of what waits where its reader works, to whoever wants it."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import time_machine

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support.databases import on_one_database
from tests.support.mails import mails_to, words_of

SUNDAY, MONDAY_AT_EIGHT = datetime(2026, 11, 15, 12, tzinfo=UTC), datetime(2026, 11, 16, 8, tzinfo=UTC)
PM, HERE, BUSY = "pm@example.org", "here@example.org", "busy@example.org"


def notes_to(address: str) -> list[str]:
    return [words_of(mail) for mail in mails_to(address) if "You get this on Mondays" in words_of(mail)]


@on_one_database
def test_the_team_reads_on_mondays_what_waits_where_they_work_and_may_stop_it(app, settle, browse):
    with time_machine.travel(SUNDAY, tick=False) as clock:
        hut, closed = make_board("Huts"), make_board("Closed", audience=Audience.PRIVATE)
        make_user(Role.PM, email=PM)
        here, busy = make_user(email=HERE), make_user(Role.MODERATOR, email=BUSY)
        make_user(email="member@example.org")
        make_place(hut, here, Role.MODERATOR)
        make_idea("Warm the hut", board=hut)
        make_idea("A secret path", board=closed)
        make_idea("A sign at the pass", board=make_board("Paths"))
        busy_id = busy.id
        settle()
        assert notes_to(PM) == []

        clock.move_to(MONDAY_AT_EIGHT)
        settle()
        settle()

        (to_pm,), (to_here,) = notes_to(PM), notes_to(HERE)
        assert "2 ideas wait for a first look" in to_pm
        assert "1 idea waits for a first look" in to_here
        assert "First: “Warm the hut”, posted on 15 November." in to_here
        assert "secret" not in to_here
        assert notes_to("member@example.org") == []

        mail = next(mail for mail in mails_to(BUSY) if "Mondays" in words_of(mail))
        browse().post(urlsplit(mail["List-Unsubscribe"].strip("<>")).path, data={"List-Unsubscribe": "One-Click"})
        clock.move_to(MONDAY_AT_EIGHT + timedelta(days=7))
        settle()

        assert (len(notes_to(PM)), len(notes_to(BUSY))) == (2, 1)
        assert db.session.get_one(User, busy_id).wants_mail
