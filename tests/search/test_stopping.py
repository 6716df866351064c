"""The link in the letter of a kept search stops the mails of that search, and no others."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db
from portal.notifications import links
from portal.notifications.mails import wording
from portal.notifications.models import Mail
from portal.search import index, saved, watching
from portal.search.models import Alert, SavedSearch
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support.mails import mails_to, words_of

pytestmark = pytest.mark.usefixtures("app")

EVENING, MORNING = datetime(2026, 11, 18, 20, tzinfo=UTC), datetime(2026, 11, 19, 7, 30, tzinfo=UTC)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def reader():
    """Somebody on the team, by number and address, who keeps three searches with an alert by mail."""
    make_idea("Maps of huts")
    index.rebuild()
    reader = make_user(Role.PM, name="Petra", timezone="UTC")
    for line, name in (("maps", "Maps"), ("lakes", "Water"), ("caves", "Caves")):
        with transaction():
            saved.save_search(reader, line, name=name, alert=Alert.MAIL)
    return reader.id, reader.email


def alerts():
    db.session.rollback()
    return dict(db.session.execute(select(SavedSearch.name, SavedSearch.alert)).all())


def as_mail_program(browser):
    """Post as mail programs do: from somewhere else, without cookies and tokens."""
    browser.carries_token = False
    return browser


def link_in(letter):
    return letter["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")


def test_one_click_in_the_letter_of_a_search_stops_that_search_alone_and_is_undone_on_its_page(browse, reader, settle):
    with time_machine.travel(EVENING, tick=False) as clock:
        make_idea("Ways to caves")
        settle()
        clock.move_to(MORNING)
        settle()
    (letter,) = mails_to(reader[1])
    link = link_in(letter)

    looked = as_mail_program(browse()).get(link)
    assert set(alerts().values()) == {Alert.MAIL}
    headers = {"Origin": "https://mail.example.net", "Sec-Fetch-Site": "cross-site"}
    clicked = [as_mail_program(browse()).post(link, data=ONE_CLICK, headers=headers) for _ in range(2)]
    stopped, page = alerts(), clicked[-1].text
    number = db.session.scalars(select(SavedSearch.id).where(SavedSearch.name == "Caves")).one()
    other = db.session.scalars(select(SavedSearch.id).where(SavedSearch.name == "Water")).one()
    as_mail_program(browse()).post(link, data={"choice": f"no-search {other}"})  # it was not in that letter
    again = as_mail_program(browse()).post(link, data={"choice": f"search {number}"}, follow_redirects=True)

    assert f"Stop mails of this search: http://127.0.0.1:8000{link}" in words_of(letter)
    assert "The kept search “Caves”" in looked.text and "Water" not in looked.text and "Stop all mails" in looked.text
    assert [answer.status_code for answer in clicked] == [200, 200]
    assert stopped == {"Maps": Alert.MAIL, "Water": Alert.MAIL, "Caves": Alert.INBOX}
    assert "No mails of this search come any more" in page
    assert "What comes to answer it reaches you once a day by mail." in again.text
    assert set(alerts().values()) == {Alert.MAIL}
    assert db.session.get_one(User, reader[0]).wants_mail


def test_a_letter_of_several_searches_stops_those_and_its_page_each_of_them(browse, reader, settle):
    with time_machine.travel(EVENING, tick=False) as clock:
        make_idea("Maps of lakes")
        settle()
        clock.move_to(MORNING)
        settle()
    (letter,) = mails_to(reader[1])
    link = link_in(letter)
    number = db.session.scalars(select(SavedSearch.id).where(SavedSearch.name == "Water")).one()

    as_mail_program(browse()).post(link, data={"choice": f"no-search {number}"})
    one = alerts()
    as_mail_program(browse()).post(link, data=ONE_CLICK)

    assert one == {"Maps": Alert.MAIL, "Water": Alert.INBOX, "Caves": Alert.MAIL}
    assert alerts() == {"Maps": Alert.INBOX, "Water": Alert.INBOX, "Caves": Alert.MAIL}


def test_a_letter_that_waits_when_its_search_is_stopped_is_not_sent_and_the_ledger_says_why(browse, reader, settle):
    with time_machine.travel(EVENING, tick=False) as clock:
        make_idea("Ways to caves")
        settle()
        clock.move_to(MORNING)
        watching.mail_of_the_day()
        number = db.session.scalars(select(SavedSearch.id).where(SavedSearch.name == "Caves")).one()
        token = links.stop_token(reader[0], None, watching.LETTER, [number])
        as_mail_program(browse()).post(f"/mail/stop/{token}", data=ONE_CLICK)
        settle()

    why = db.session.scalars(select(Mail.suppressed).where(Mail.kind == watching.LETTER)).one()
    assert mails_to(reader[1]) == []
    assert wording.why_suppressed(why) == "they want no mails of that kept search any more"


def test_links_of_older_letters_stop_the_mails_of_kept_searches_and_no_others(browse, reader):
    token = links.stop_token(reader[0], None, watching.LETTER)

    as_mail_program(browse()).post(f"/mail/stop/{token}", data=ONE_CLICK)

    assert set(alerts().values()) == {Alert.INBOX}
    assert db.session.get_one(User, reader[0]).wants_mail


def test_the_link_of_as_many_searches_as_anybody_keeps_is_short_enough_for_a_header(reader):
    numbers = range(9_000_000, 9_000_000 + 7919 * saved.MOST, 7919)

    token = links.stop_token(reader[0], None, watching.LETTER, numbers)

    assert len(token) < links.LONGEST
    assert links.read_kind(links.read_stop_token(token)[2]) == (watching.LETTER, tuple(numbers))
