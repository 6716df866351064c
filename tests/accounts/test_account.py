"""One's own account, and what others see of it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts import browsers, service
from portal.accounts.models import AuthSession, User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas.workflow import Publication, Status
from portal.notifications.models import Mail
from portal.transactions import transaction
from tests.factories import PASSWORD, make_board, make_comment, make_idea, make_user
from tests.support import on_one_database
from tests.support import queries as count_queries

CHOICES = {"theme": "", "language": "", "timezone": ""}
NEW = "eleven loud geese by the lake"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def fresh(user):
    """The user as stored."""
    db.session.rollback()
    return db.session.get_one(User, user.id)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account"),
        ("GET", "/account/preferences"),
        ("GET", "/account/security"),
        ("GET", "/account/data"),
        ("GET", "/account/data/export"),
        ("GET", "/account/data/1/file"),
        ("GET", "/account/leave"),
        ("GET", "/account/stay"),
        ("POST", "/account/picture"),
        ("POST", "/account/picture/remove"),
        ("POST", "/account/sessions/0123/end"),
        ("POST", "/account/data/export"),
        ("POST", "/account/leave"),
        ("POST", "/account/stay"),
        ("POST", "/account/name"),
        ("POST", "/account/preferences"),
        ("POST", "/account/password"),
        ("POST", "/account/confirmation"),
        ("POST", "/account/sessions/end"),
    ],
)
@on_one_database
def test_an_account_is_for_its_owner(browse, method, path):
    answer = browse().open(path, method=method)

    assert answer.status_code == 303 and answer.location.startswith("/sign-in")


def test_a_member_takes_another_name(browse):
    user = make_user(name="Robin Hale")
    browser = browse(user)

    browser.post("/account/name", data={"name": " Robin  H. "})
    refused = browser.post("/account/name", data={"name": "R"})

    assert fresh(user).name == "Robin H." and user.name_key == "robin h."
    assert refused.status_code == 422 and "between 2 and 60" in refused.text


def test_switches_save_what_they_show(browse):
    user = make_user()
    browser = browse(user)

    browser.post("/account/preferences", data=CHOICES | {"shortcuts_on": "y"})
    off = fresh(user).wants_mail, user.shortcuts_on
    browser.post("/account/preferences", data=CHOICES | {"wants_mail": "y"})

    assert off == (False, True)
    assert (fresh(user).wants_mail, user.shortcuts_on) == (True, False)
    assert 'data-shortcuts="off"' in browser.get("/account").text


def test_s20_a_changed_password_ends_every_other_session_and_renews_this_one(browse):
    user = make_user(with_password=True)
    here, there = browse(user), browse(user)
    with here.session_transaction() as session:
        before = session["_user_id"]

    answer = here.post("/account/password", data={"old": PASSWORD, "new": NEW})

    with here.session_transaction() as session:
        after = session["_user_id"]
    assert answer.status_code == 303
    assert here.get("/account").status_code == 200 and there.get("/account").status_code == 303
    assert before != after
    with transaction():
        assert service.find_by_password(user.email, NEW) and not service.find_by_password(user.email, PASSWORD)
    assert "member.password_changed" in db.session.scalars(select(EventRecord.name)).all()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [("wrong but long enough", NEW, "old"), (PASSWORD, "short", "new"), ("", NEW, "old"), (PASSWORD, "", "new")],
)
def test_s22_a_password_is_changed_only_with_the_present_one_and_to_a_good_one(browse, old, new, field):
    user = make_user(with_password=True)
    there = browse(user)

    answer = browse(user).post("/account/password", data={"old": old, "new": new})

    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text and f'href="#{field}"' in answer.text
    assert there.get("/account").status_code == 200


@pytest.mark.settings(LIMITS=True)
def test_s15_the_present_password_cannot_be_guessed_in_the_form_either(browse):
    browser = browse(make_user(with_password=True))

    statuses = [browser.post("/account/password", data={"old": "x" * 20, "new": NEW}).status_code for _ in range(6)]

    assert statuses == [422] * 5 + [429]


def test_s21_a_member_sees_and_ends_the_other_browsers(browse):
    user, other = make_user(with_password=True), make_user()
    here, there, stranger = browse(), browse(user), browse(other)
    here.post("/sign-in", data={"email": user.email, "password": PASSWORD}, headers={"User-Agent": FIREFOX})

    page = here.get("/account/security").text
    here.post("/account/sessions/end")

    assert "Firefox on Linux" in page and "this browser" in page and "Sign out everywhere else" in page
    assert [browser.get("/account").status_code for browser in (here, there, stranger)] == [200, 303, 200]
    db.session.rollback()
    assert len(db.session.scalars(select(AuthSession).where(AuthSession.user_id == user.id)).all()) == 1


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604.1",
            "Safari on iPhone",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/150.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.0", "A browser we do not know"),
        ("", "A browser we do not know"),
    ],
)
@on_one_database
def test_browsers_are_named_as_their_owners_know_them(app, user_agent, words):
    with app.test_request_context():
        assert browsers.in_words(user_agent) == words


# The address


def test_the_link_is_sent_again_on_request(browse, settle):
    user = make_user(confirmed_at=None)
    browser = browse(user)

    page = browser.get("/account").text
    answer = browser.post("/account/confirmation", follow_redirects=True)
    with transaction():
        pass
    settle()

    assert "not confirmed yet" in page and "on its way" in answer.text
    assert db.session.scalars(select(Mail.user_id)).all() == [user.id]


@pytest.mark.settings(LIMITS=True)
def test_the_link_is_sent_twice_an_hour_at_most(browse):
    browser = browse(make_user(confirmed_at=None))

    assert [browser.post("/account/confirmation").status_code for _ in range(3)] == [303, 303, 429]


def test_a_confirmed_address_is_sent_no_link(browse):
    browse(make_user()).post("/account/confirmation")

    db.session.rollback()
    assert db.session.scalars(select(EventRecord.id)).all() == []


@pytest.mark.parametrize("signed_in", [True, False])
def test_opening_the_link_shows_a_button_and_pressing_it_confirms(browse, signed_in):
    user = make_user(confirmed_at=None)
    browser, link = browse(user if signed_in else None), f"/confirm/{service.confirmation_token(user)}"

    for method in ("GET", "HEAD"):
        assert browser.open(link, method=method).status_code == 200
    untouched = fresh(user).confirmed_at
    answer = browser.post(link)

    assert untouched is None
    assert answer.status_code == 303 and fresh(user).confirmed_at is not None
    assert "confirmed already" in browser.get(link).text
    assert not signed_in or "not confirmed yet" not in browser.get("/account").text


def test_s17_a_link_that_is_old_foreign_or_for_another_address_confirms_nothing(app, browse):
    user = make_user(confirmed_at=None)
    token = service.confirmation_token(user)
    import time_machine

    browser = browse()
    with time_machine.travel(utcnow() + timedelta(hours=25), tick=False):
        too_old = browse().post(f"/confirm/{token}")
    with transaction():
        user.email = "changed@example.org"
    answers = [
        too_old,
        browser.post(f"/confirm/{token}"),
        browser.post("/confirm/nonsense"),
        browser.post(f"/confirm/{token}x"),
    ]

    assert [answer.status_code for answer in answers] == [410] * 4
    assert fresh(user).confirmed_at is None


# What others see


def test_a_profile_tells_in_words_what_came_of_it(browse):
    person, other = make_user(name="Robin Hale", about="Weekend walker."), make_user()
    shipped = make_idea("A thing that is there now", author=person)
    make_idea("A thing to come", author=person)
    with transaction():
        shipped.status = Status.SHIPPED
    comment = make_comment(shipped, author=person)
    with transaction():
        comment.helpful = 2

    page = " ".join(browse(other).get(f"/people/{person.id}").text.split())

    assert "Robin Hale" in page and "Weekend walker." in page
    assert "Suggested 2 ideas, 1 shipped; voted on 2; 1 comment found helpful." in page
    assert "A thing to come" in page


def test_s06_nobody_reads_an_address_on_a_profile(browse):
    person = make_user(email="hidden-marker@example.org")

    for viewer in (None, make_user(), make_user(Role.ADMIN)):
        assert "hidden-marker" not in browse(viewer).get(f"/people/{person.id}").text


@pytest.mark.parametrize("role", [None, Role.MEMBER])
def test_s05_a_profile_shows_and_counts_only_what_the_viewer_may_see(browse, role):
    person, viewer = make_user(), make_user(role) if role else None
    make_idea("A public thing", author=person)
    make_idea("MARKER hidden", author=person, publication=Publication.HIDDEN)
    make_idea("MARKER held", author=person, publication=Publication.HELD)
    make_idea("MARKER of the staff", author=person, board=make_board("Inside", Audience.STAFF))

    page = browse(viewer).get(f"/people/{person.id}").text

    assert "MARKER" not in page and "A public thing" in page
    assert "Suggested 1 idea" in page and "voted on 1" in page


def test_a_suspended_person_has_no_profile_for_others(browse):
    person = make_user(suspended_at=utcnow())

    assert browse().get(f"/people/{person.id}").status_code == 404
    assert browse(make_user(Role.MODERATOR)).get(f"/people/{person.id}").status_code == 200


def test_a_long_list_of_ideas_is_read_page_by_page(browse):
    person = make_user()
    ideas = [make_idea(author=person) for _ in range(23)]

    first = browse().get(f"/people/{person.id}").text
    link = first.split('href="', 1)[1] and [part.split('"')[0] for part in first.split('href="') if "after=" in part][0]
    second = browse().get(link.replace("&amp;", "&")).text

    assert [f'/ideas/{idea.id}"' in first for idea in ideas] == [False] * 3 + [True] * 20
    assert [f'/ideas/{idea.id}"' in second for idea in ideas] == [True] * 3 + [False] * 20


def test_a_profile_asks_as_much_of_the_database_for_many_ideas_as_for_few(browse):
    few, many = make_user(), make_user()
    make_idea(author=few)
    for _ in range(15):
        make_idea(author=many)
    browser = browse()
    browser.get("/rules")

    counts = []
    for person in (few, many):
        with count_queries() as asked:
            browser.get(f"/people/{person.id}")
        counts.append(len(asked))

    assert counts[0] == counts[1] <= 8
