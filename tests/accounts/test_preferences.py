"""Language, time zone, theme and keys: one page, for all of a member's browsers."""

from datetime import UTC, datetime

import pytest

from portal import zones
from portal.accounts import queries
from portal.accounts.models import User
from portal.db import db
from portal.notifications.mails.letter import in_language_of
from portal.transactions import transaction
from portal.web import dates
from tests.factories import PASSWORD, make_idea, make_user

CHOICES = {"theme": "", "language": "", "timezone": ""}
MIDNIGHT = datetime(2025, 3, 1, 23, 30, tzinfo=UTC)


def fresh(user):
    db.session.rollback()
    return db.session.get_one(User, user.id)


def at_midnight():
    idea = make_idea("Mark the wells")
    with transaction():
        idea.published_at = MIDNIGHT
    return f"/ideas/{idea.id}"


def test_dates_are_told_in_the_zone_one_chose(browse):
    user, page = make_user(), at_midnight()
    browser = browse(user)

    before = browser.get(page).text
    browser.post("/account/preferences", data=CHOICES | {"timezone": "Pacific/Auckland"})
    after = browser.get(page).text

    assert "1 March 2025, 23:30 UTC" in before
    assert "2 March 2025, 12:30" in after and fresh(user).timezone == "Pacific/Auckland"
    assert "1 March 2025, 23:30 UTC" in browse().get(page).text


@pytest.mark.settings(TIMEZONE="Asia/Kathmandu")
def test_guests_and_who_chose_nothing_are_told_in_the_portals_zone(browse):
    page = at_midnight()

    for viewer in (None, make_user()):
        assert "2 March 2025, 05:15" in browse(viewer).get(page).text


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../etc/passwd", "GMT+1", "x" * 200])
def test_s38_a_zone_that_does_not_exist_is_refused(browse, zone):
    user = make_user()

    answer = browse(user).post("/account/preferences", data=CHOICES | {"timezone": zone})

    assert answer.status_code == 422 and fresh(user).timezone is None


def test_a_zone_that_was_given_up_is_no_reason_to_fail(browse):
    user = make_user(timezone="Mars/Olympus")

    assert browse(user).get(at_midnight()).status_code == 200


def test_mails_tell_the_time_of_their_reader_and_of_nobody_after(app):
    near, far = make_user(), make_user(timezone="Pacific/Auckland", locale="de")

    said = []
    for person in (near, far, near, None):
        with in_language_of(person):
            said.append(dates.absolute(MIDNIGHT))

    assert said[1].startswith("2. März 2025, 12:30")
    assert said[0] == said[2] == said[3] == "1 March 2025, 23:30 UTC"


def test_a_list_to_choose_from_is_found_by_typing_a_town(browse):
    page = browse(make_user(timezone="Europe/Berlin")).get("/account/preferences").text

    assert '<option selected value="Europe/Berlin">Berlin (UTC+' in page
    assert '<optgroup label="Europe">' in page and '<option value="Asia/Kolkata">Kolkata (UTC+5:30)' in page
    assert len(zones.ZONES) > 300


def test_another_language_is_spoken_at_once(browse):
    browser = browse(make_user())

    answer = browser.post("/account/preferences", data=CHOICES | {"language": "de"}, follow_redirects=True)

    assert '<html lang="de"' in answer.text


def test_choices_stay_in_the_browser_after_signing_out(browse):
    browser = browse(make_user())

    browser.post("/account/preferences", data=CHOICES | {"language": "de", "theme": "dark"})
    browser.post("/sign-out")

    page = browser.get("/rules").text
    assert '<html lang="de"' in page and 'data-theme="dark"' in page


def test_there_is_one_place_for_it(browse):
    member, guest = browse(make_user()), browse()

    assert member.get("/appearance").location == "/account/preferences"
    assert guest.get("/appearance").status_code == 200


# Devices


def handles_of(user):
    db.session.rollback()
    return [row.token_hash[:20] for row in queries.sessions_of(user)]


def test_s21_one_browser_is_signed_out_from_another(browse):
    user = make_user()
    here = browse(user)
    own = handles_of(user)
    there, third = browse(user), browse(user)
    other = next(handle for handle in handles_of(user) if handle not in own)

    page = here.get("/account/security").text
    answer = here.post(f"/account/sessions/{other}/end", follow_redirects=True)

    assert f"/account/sessions/{other}/end" in page and own[0] not in page
    assert "is signed out" in answer.text and here.get("/account").status_code == 200
    assert sorted(browser.get("/account").status_code for browser in (there, third)) == [200, 303]


def test_s21_nobody_ends_the_session_of_another(browse):
    user, other = make_user(), make_user()
    theirs = browse(user)

    answer = browse(other).post(f"/account/sessions/{handles_of(user)[0]}/end")

    assert answer.status_code == 404 and theirs.get("/account").status_code == 200


def test_s21_a_device_is_shown_with_where_and_how_it_came_in(browse):
    user = make_user(with_password=True)
    browser = browse()
    there = {"REMOTE_ADDR": "198.51.100.7"}
    browser.post("/sign-in", data={"email": user.email, "password": PASSWORD}, environ_base=there)

    page = " ".join(browser.get("/account/security").text.split())

    assert "from 198.51.100.7" in page and "Signed in with your password" in page and "this browser" in page
