"""Which browsers are told: asked for by their owner alone, and gone with the session in which they asked."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.membership import people
from portal.privacy import service as privacy
from portal.push import keys
from portal.push.models import Push, PushKey, Subscription
from portal.security import retention
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.support.databases import on_one_database

BROWSER = {
    "endpoint": "https://push.example/to/a/browser",
    "public_key": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth_secret": "BTBZMqHH6r4Tts7J_aSIgg",
}
"""The browser of RFC 8291, appendix A."""
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def told():
    db.session.rollback()
    return list(db.session.scalars(select(Subscription.user_id).order_by(Subscription.id)))


def enter(browser, user):
    """Sign in as people do, so that the browser is known by its cookie afterwards."""
    answer = browser.post("/sign-in", data={"email": user.email, "password": PASSWORD}, headers=FIREFOX)
    assert answer.status_code == 303, answer.text[:300]


def test_a_browser_is_told_from_the_press_of_its_owner_until_they_remove_it(browse):
    user, stranger = make_user(), make_user()
    me = browse(user)
    assert "None of your browsers" in me.get("/inbox/browsers").text

    answer = me.post("/inbox/browsers", data=BROWSER, headers=FIREFOX, follow_redirects=True)

    assert "Firefox on Linux" in answer.text and "this browser" in answer.text
    db.session.rollback()
    (row,) = db.session.scalars(select(Subscription))
    assert (row.user_id, row.endpoint) == (user.id, BROWSER["endpoint"])
    assert browse(stranger).post(f"/inbox/browsers/{row.id}/remove").status_code == 404
    assert browse(stranger).post(f"/inbox/browsers/{row.id}/test").status_code == 404
    me.post(f"/inbox/browsers/{row.id}/test")
    db.session.rollback()
    assert db.session.scalar(select(Push.kind).where(Push.user_id == user.id)) == "test"
    assert "At once in the browser" in me.get("/inbox/preferences").text
    me.post(f"/inbox/browsers/{row.id}/remove")
    assert told() == [] and "None of your browsers" in me.get("/inbox/browsers").text


@on_one_database
@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "http://push.example/x"},
        {"endpoint": "https://user:word@push.example/x"},
        {"endpoint": "https://10.0.0.7/x"},
        {"endpoint": "https://[::1]/x"},
        {"endpoint": "https://localhost/x"},
        {"endpoint": "https://push.example:99999/x"},
        {"endpoint": "https://push.example/" + "x" * 1000},
        {"endpoint": "https://push.example/ä"},
        {"endpoint": ""},
        {"public_key": "BCVxsr7N_eNgVRqvHtD0zTZsEc6"},
        {"public_key": "A" + BROWSER["public_key"][1:]},
        {"auth_secret": "²"},
        {"auth_secret": "QUJD"},
    ],
)
def test_s50_what_no_push_service_gives_is_refused_in_a_sentence(browse, wrong):
    answer = browse(make_user()).post("/inbox/browsers", data=BROWSER | wrong)

    assert answer.status_code == 422 and "address that we cannot use" in answer.text
    assert told() == []


def test_s10_who_signs_out_or_is_signed_out_is_told_nothing_there(browse):
    user = make_user(with_password=True)
    ends = (
        lambda here, other: here.post("/sign-out"),
        lambda here, other: other.post("/account/sessions/end"),
        lambda here, other: other.post(
            "/account/password", data={"old": PASSWORD, "new": "another quiet hill full of sheep", "csrf_token": ""}
        ),
    )
    for end in ends:
        here, other = browse(user), browse(user)
        here.post("/inbox/browsers", data=BROWSER, headers=FIREFOX)
        assert told() == [user.id]
        end(here, other)
        assert told() == []


def test_s10_signing_out_everywhere_and_a_suspension_reach_browsers_whose_session_ran_out(browse):
    user, admin = make_user(), make_user(Role.ADMIN)
    ends = (
        lambda: browse(user).post("/account/sessions/end"),
        lambda: suspend(user, admin),
        lambda: leave(user),
    )
    for end in ends:
        with transaction():
            user.suspended_at = None
        browse(user).post("/inbox/browsers", data=BROWSER)
        with transaction():
            db.session.execute(update(Subscription).values(session_hash=None))
        assert told() == [user.id]
        end()
        assert told() == []


def suspend(user, admin):
    with transaction():
        people.suspend(user, admin, reason="It was too much.", days=None)


def leave(user):
    with transaction():
        privacy.leave(user)


def test_s10_a_session_that_runs_out_leaves_the_browser_and_the_next_one_takes_it_over(browse):
    user, another = make_user(with_password=True), make_user(with_password=True)
    here = browse()
    enter(here, user)
    here.post("/inbox/browsers", data=BROWSER, headers=FIREFOX)

    with time_machine.travel(utcnow() + timedelta(days=31)):
        with transaction():
            retention.forget_ended_sessions()
        assert told() == [user.id]
        enter(here, user)
        db.session.rollback()
        assert db.session.scalar(select(Subscription.session_hash)) is not None
        assert "this browser" in here.get("/inbox/browsers", headers=FIREFOX).text
        here.post("/sign-out")
        assert told() == []

        enter(here, user)
        here.post("/inbox/browsers", data=BROWSER, headers=FIREFOX)
        enter(here, another)
        assert told() == [], "somebody else sits there now"


def test_s10_proving_who_one_is_again_keeps_the_browser_with_its_session(browse):
    user = make_user(with_password=True)
    here = browse(user)
    here.post("/inbox/browsers", data=BROWSER)
    before = db.session.scalar(select(Subscription.session_hash))

    here.post("/account/password", data={"old": PASSWORD, "new": "another quiet hill full of sheep"})

    db.session.rollback()
    after = db.session.scalar(select(Subscription.session_hash))
    assert after != before and after in set(db.session.scalars(select(AuthSession.token_hash)))


@on_one_database
def test_the_same_browser_tells_only_who_asked_last_and_nobody_has_more_than_ten(browse):
    first, second = make_user(), make_user()
    browse(first).post("/inbox/browsers", data=BROWSER)
    browse(second).post("/inbox/browsers", data=BROWSER)
    assert told() == [second.id]

    me = browse(second)
    for number in range(12):
        me.post("/inbox/browsers", data=BROWSER | {"endpoint": f"https://push.example/{number}"})
    assert told() == [second.id] * 10


@on_one_database
def test_s69_the_private_key_is_sealed_and_another_secret_makes_another_pair(app, browse):
    me = browse(make_user())
    shown = me.get("/inbox/browsers").text
    db.session.rollback()
    row = db.session.get_one(PushKey, 1)
    before, private = row.public, keys.unseal(row.sealed_private)
    assert f'data-push="{row.public}"' in shown and private not in shown and private not in row.sealed_private
    me.post("/inbox/browsers", data=BROWSER)
    assert before not in me.get("/inbox/browsers").text, "this browser is told already"

    app.secret_key = "another secret of the tests"
    assert keys.signer() is None
    with transaction():
        made = keys.make_keys()
    assert made not in {before, None}
    assert told() == [] and keys.signer() is not None


@on_one_database
def test_the_script_for_messages_is_the_same_for_everybody_and_never_older_than_the_portal(browse):
    answer = browse().get("/sw.js")

    assert answer.mimetype == "text/javascript" and answer.headers["Cache-Control"] == "no-cache"
    assert "Set-Cookie" not in answer.headers and "showNotification" in answer.text
