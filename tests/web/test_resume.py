"""Finishing after signing in, signing up or agreeing to the rules what one began before."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import AuthSession, PendingAct
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.ideas import followers, supporters
from portal.ideas.models import Idea, Vote
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import PASSWORD, make_board, make_idea, make_rules, make_user
from tests.support import HTMX, either_way, timeless
from tests.support.mails import newest_code, newest_link

IN_FORCE = {"agreed": "y", "version": "1"}


def sign_in(browser, user, at="/sign-in"):
    """Sign in where a link led."""
    return browser.post(at, data={"email": user.email, "password": PASSWORD})


def sign_up(browser, settle, at="/sign-up", elsewhere=None):
    """Open an account where a link led, by the code in the mail, or ``elsewhere`` by its link and the password."""
    robin = {"email": "robin@example.org", "name": "Robin Hale", "password": PASSWORD, **IN_FORCE}
    browser.post(at, data=robin)
    settle()
    if elsewhere:
        return elsewhere.post(newest_link("robin@example.org"), data={"password": PASSWORD})
    return browser.post("/look-into-your-mail", data={"code": newest_code("robin@example.org")})


def votes():
    """Everybody's votes but the authors' own."""
    db.session.rollback()
    return db.session.scalars(select(Vote.voter_id).join(Idea).where(Vote.voter_id != Idea.author_id)).all()


def acts():
    """What is kept."""
    db.session.rollback()
    return db.session.scalars(select(PendingAct)).all()


def texts():
    """What is said in comments."""
    db.session.rollback()
    return db.session.scalars(select(Comment.body)).all()


# A vote, by the link that guests see


def test_a_guests_vote_is_cast_after_signing_in(browse):
    idea, user, browser = make_idea(), make_user(with_password=True), browse()
    link = f"/sign-in?next=/ideas/{idea.id}&then=vote"

    asked = browser.get(link)
    answer = sign_in(browser, user, link)

    assert "Sign in to vote. Your vote is kept." in asked.text
    assert (answer.status_code, answer.location) == (303, f"/ideas/{idea.id}")
    assert votes() == [user.id]
    page = browser.get(answer.location).text
    assert "Voted. 2 votes." in page and "Welcome back" in page
    assert acts() == []


def test_a_guests_vote_is_cast_after_opening_an_account(browse, settle):
    make_rules()
    idea, browser = make_idea(), browse()
    link = f"/sign-in?next=/ideas/{idea.id}&then=vote"

    assert f"/sign-up?next=/ideas/{idea.id}&amp;then=vote" in browser.get(link).text
    answer = sign_up(browser, settle, link.replace("in?", "up?"))

    assert (answer.status_code, answer.location) == (303, f"/ideas/{idea.id}")
    assert len(votes()) == 1


def test_the_state_afterwards_is_that_of_a_vote_cast_while_signed_in(browse):
    first, second = make_idea(), make_idea()
    member, guest = make_user(with_password=True), make_user(with_password=True)

    browse(member).post(f"/ideas/{first.id}/vote")
    sign_in(browse(), guest, f"/sign-in?next=/ideas/{second.id}&then=vote")

    db.session.rollback()
    for idea, person in ((first, member), (second, guest)):
        assert supporters.ballot(idea, person).cast and idea.votes == 2
        assert followers.follows(idea, person)
        names = select(EventRecord.name).where(EventRecord.idea_id == idea.id, EventRecord.actor_id == person.id)
        assert db.session.scalars(names).all() == ["idea.vote_cast"]


def test_opening_the_link_changes_nothing_also_while_signed_in(browse):
    idea, user = make_idea(), make_user()
    browser, link = browse(user), f"/sign-in?next=/ideas/{idea.id}&then=vote"

    asked = browser.get(link)
    nothing_yet = votes() + acts()
    answer = browser.post(link)

    assert asked.status_code == 200 and ">Vote</button>" in asked.text
    assert nothing_yet == []
    assert answer.location == f"/ideas/{idea.id}" and votes() == [user.id]


def test_a_robot_that_opens_such_links_stores_nothing(browse):
    idea = make_idea()

    for _ in range(3):
        browse().get(f"/sign-in?next=/ideas/{idea.id}&then=vote")

    assert acts() == []


def test_a_guest_follows_after_signing_in(browse):
    idea, user, browser = make_idea(), make_user(with_password=True), browse()

    answer = sign_in(browser, user, f"/sign-in?next=/ideas/{idea.id}&then=follow")

    assert answer.location == f"/ideas/{idea.id}"
    assert "You will hear when this idea moves." in browser.get(answer.location).text
    db.session.rollback()
    assert followers.follows(idea, user)


@pytest.mark.parametrize(
    "link",
    [
        "/sign-in?next=/ideas/{id}&then=remove",
        "/sign-in?next=/ideas/{id}&then=vote/withdraw",
        "/sign-in?next=/ideas/{id}&then=",
        "/sign-in?next=/&then=vote",
        "/sign-in?then=vote",
        "/sign-in?next=//ideas/{id}&then=vote",
        "/sign-in?next=https://elsewhere.example/ideas/{id}&then=vote",
        "/sign-in?next=/ideas/{id}/comments&then=vote",
        "/sign-in?next=/account&then=password",
    ],
)
def test_a_link_can_name_no_other_act(browse, link):
    idea, user, browser = make_idea(), make_user(with_password=True), browse()
    before = db.session.scalars(select(EventRecord.id)).all()
    link = link.format(id=idea.id)

    assert browser.get(link).status_code == 200
    answer = sign_in(browser, user, link)

    db.session.rollback()
    after = db.session.scalars(select(EventRecord.name).where(EventRecord.id > max(before))).all()
    assert answer.status_code == 303 and answer.location.startswith("/") and "elsewhere" not in answer.location
    assert after == ["member.signed_in"]


# What was typed


@either_way
def test_a_guests_comment_is_posted_after_signing_in(browse, headers):
    idea, user, browser = make_idea(), make_user(with_password=True), browse()

    led = browser.post(f"/ideas/{idea.id}/comments", data={"body": "Same here, in fog."}, headers=headers)
    where = led.headers.get("HX-Redirect") if headers is HTMX else led.location
    asked = browser.get(where)
    answer = sign_in(browser, user, where)

    assert led.status_code == (204 if headers is HTMX else 303)
    assert where.startswith("/sign-in")
    assert "Sign in to comment. Your text is kept." in asked.text
    assert answer.status_code == 303 and answer.location.startswith(f"/ideas/{idea.id}")
    assert texts() == ["Same here, in fog."]
    assert "Same here, in fog." in browser.get(answer.location).text
    assert acts() == []


@pytest.mark.parametrize("elsewhere", [False, True], ids=["by the code", "by the link in another browser"])
def test_a_guests_idea_is_posted_after_opening_an_account(browse, settle, elsewhere):
    make_rules()
    make_board("Anything")
    browser = browse()
    typed = {
        "title": "Show the last bus home",
        "need": "I miss it every time.",
        "proposal": "A small clock.",
        "board": "anything",
    }

    led = browser.post("/ideas", data=typed)
    asked = browser.get(led.location)
    answer = sign_up(browser, settle, elsewhere=browse() if elsewhere else None)

    assert "Sign in to post your idea. What you wrote is kept." in asked.text
    db.session.rollback()
    idea = db.session.scalars(select(Idea)).one()
    assert (idea.title, idea.need, idea.proposal) == (typed["title"], typed["need"], typed["proposal"])
    assert idea.publication is Publication.HELD  # a first idea, as if posted while signed in
    assert answer.location.startswith(f"/ideas/{idea.id}")


def test_the_link_leads_back_to_what_was_begun_for_a_day(browse, settle):
    make_rules()
    number, browser = make_idea().id, browse()
    browser.post(f"/ideas/{number}/comments", data={"body": "Late, and not lost."})
    robin = {"email": "robin@example.org", "name": "Robin Hale", "password": PASSWORD, **IN_FORCE}
    browser.post("/sign-up", data=robin)
    settle()

    with time_machine.travel(utcnow() + timedelta(hours=23), tick=False):
        answer = browser.post(newest_link("robin@example.org"))

    assert answer.location.startswith(f"/ideas/{number}")
    assert texts() == ["Late, and not lost."]


def test_what_was_begun_is_done_after_signing_in_by_the_mailed_code(browse, settle):
    make_user(email="noor@example.org")
    number, browser = make_idea().id, browse()

    browser.post(f"/ideas/{number}/comments", data={"body": "Same here."})
    browser.post(f"/sign-in/link?next=/ideas/{number}", data={"email": "noor@example.org"})
    settle()
    answer = browser.post("/look-into-your-mail", data={"code": newest_code("noor@example.org")})

    assert answer.location.startswith(f"/ideas/{number}")
    assert texts() == ["Same here."]


def test_a_link_that_a_stranger_had_sent_does_nothing_in_ones_name(browse, settle):
    make_user(email="noor@example.org")
    number, mallory = make_idea().id, browse()
    mallory.post(f"/ideas/{number}/comments", data={"body": "Words of a stranger."})
    mallory.post(f"/sign-in/link?next=/ideas/{number}&then=vote", data={"email": "noor@example.org"})
    settle()
    own = browse()

    shown = own.get(newest_link("noor@example.org"))
    answer = own.post(newest_link("noor@example.org"))

    assert "You asked for it in another browser." in shown.text, shown.text
    assert (answer.status_code, answer.location) == (303, f"/ideas/{number}")
    assert texts() == [] and votes() == []


@either_way
def test_a_guests_words_that_cannot_be_posted_come_back_before_anybody_signs_in(browse, headers):
    board = make_board("Anything").slug
    make_board("Members only", Audience.MEMBERS)
    user, browser = make_user(with_password=True), browse()
    typed = {"title": "Bus", "need": "A long description of the need.", "proposal": "A clock.", "board": board}

    answer = browser.post("/ideas", data=typed, headers=headers)
    kept = acts()
    led = browser.post("/ideas", data=typed | {"title": "Show the last bus home", "board": "members-only"})
    done = sign_in(browser, user)

    assert answer.status_code == 422 and kept == []
    assert "at least 5 letters" in answer.text and "Sign in to post" not in answer.text
    assert "A long description of the need." in answer.text and "A clock." in answer.text
    assert "/sign-in" in led.location
    db.session.rollback()
    idea = db.session.scalars(select(Idea)).one()
    assert idea.board.name == "Members only" and done.location.startswith(f"/ideas/{idea.id}")


def test_where_guests_know_of_no_board_their_words_wait_for_them_to_sign_in(browse):
    make_board("Members only", Audience.MEMBERS)
    user, browser = make_user(with_password=True), browse()

    led = browser.post("/ideas", data={"title": "Bus", "need": "A long description of the need.", "board": ""})
    answer = sign_in(browser, user)

    assert "/sign-in" in led.location
    assert answer.status_code == 422
    assert "A long description of the need." in answer.text and 'action="/ideas"' in answer.text


# The rules


def test_what_a_member_began_is_done_after_agreeing_to_new_rules(browse):
    idea, user, browser = make_idea(), make_user(), browse()
    browser.sign_in(user)
    make_rules("Be kind.")

    led = browser.post(f"/ideas/{idea.id}/vote")
    asked = browser.get(led.location)
    nothing_yet = votes()
    answer = browser.post(led.location, data=IN_FORCE)

    assert led.location.startswith("/rules/agree")
    assert "Be kind." in asked.text and "What you began is kept" in asked.text
    assert nothing_yet == []
    assert answer.location == f"/ideas/{idea.id}" and votes() == [user.id]


def test_signing_in_and_agreeing_can_both_come_before_the_act(browse):
    idea, user, browser = make_idea(), make_user(with_password=True), browse()
    make_rules("Be kind.")

    browser.post(f"/ideas/{idea.id}/comments", data={"body": "Me too."})
    led = sign_in(browser, user)
    nothing_yet = texts()
    answer = browser.post(led.location, data=IN_FORCE)

    assert led.location.startswith("/rules/agree") and nothing_yet == []
    assert answer.location.startswith(f"/ideas/{idea.id}") and texts() == ["Me too."]


def test_not_agreeing_keeps_reading_rights_and_the_act(browse):
    idea, user = make_idea(), make_user()
    browser = browse(user)
    make_rules("Be kind.")
    browser.post(f"/ideas/{idea.id}/vote")

    refused = browser.post("/rules/agree", data={"version": "1"})

    assert refused.status_code == 422 and "tick the box" in refused.text
    assert browser.get(f"/ideas/{idea.id}").status_code == 200
    assert votes() == [] and len(acts()) == 1


# What must not happen


def test_a_kept_act_older_than_an_hour_is_dropped(browse):
    idea, user, browser = make_idea(), make_user(with_password=True), browse()
    browser.post(f"/ideas/{idea.id}/comments", data={"body": "Too late."})

    with time_machine.travel(utcnow() + timedelta(minutes=61), tick=False):
        asked = browser.get("/sign-in")
        answer = sign_in(browser, user)

    assert "is kept" not in asked.text
    assert answer.location == "/" and texts() == []


def test_old_acts_are_thrown_away_when_the_next_is_kept(browse):
    idea = make_idea()
    browse().post(f"/ideas/{idea.id}/comments", data={"body": "Old."})

    with time_machine.travel(utcnow() + timedelta(hours=26), tick=False):
        browse().post(f"/ideas/{idea.id}/comments", data={"body": "New."})

    assert [act.form["body"] for act in acts()] == [["New."]]


def test_a_strangers_browser_cannot_take_an_act_over(browse):
    idea, stranger = make_idea(), make_user(with_password=True)
    browse().post(f"/ideas/{idea.id}/comments", data={"body": "Not yours."})
    [act] = acts()
    browser = browse()
    with browser.session_transaction() as session:
        session["pending"] = act.token_hash  # all that a look into the database would tell

    sign_in(browser, stranger)

    assert texts() == [] and len(acts()) == 1


def test_an_act_is_done_once(browse):
    idea, user, browser = make_idea(), make_user(with_password=True), browse()
    browser.post(f"/ideas/{idea.id}/comments", data={"body": "Once."})
    with browser.session_transaction() as session:
        token = session["pending"]

    sign_in(browser, user)
    with browser.session_transaction() as session:
        session["pending"] = token
    sign_in(browser, user)

    assert texts() == ["Once."]


@pytest.mark.parametrize("hide", [{"publication": Publication.HIDDEN}, {"publication": Publication.HELD}, {}])
def test_what_may_not_be_known_stays_a_404(browse, hide):
    board = make_board("Secret", Audience.STAFF if not hide else Audience.PUBLIC)
    idea, user, browser = make_idea(board=board, **hide), make_user(with_password=True), browse()
    hidden, invented = f"/ideas/{idea.id}", "/ideas/999999"

    answers = [sign_in(browse(), user, f"/sign-in?next={path}&then=vote") for path in (hidden, invented)]
    browser.post(f"{hidden}/comments", data={"body": "Hello?"})

    assert [answer.status_code for answer in answers] == [404, 404]
    assert len({timeless(answer.text) for answer in answers}) == 1
    assert idea.title not in answers[0].text
    assert votes() == [] and acts() == []


def test_an_observer_may_not_vote_by_this_way_either(browse):
    idea, observer = make_idea(), make_user(Role.OBSERVER, with_password=True)

    answer = sign_in(browse(), observer, f"/sign-in?next=/ideas/{idea.id}&then=vote")

    assert answer.status_code == 403 and votes() == []


def test_whoever_comes_too_late_reads_why_where_they_were(browse):
    idea, user, browser = make_idea(status=Status.DECLINED), make_user(with_password=True), browse()

    answer = sign_in(browser, user, f"/sign-in?next=/ideas/{idea.id}&then=vote")

    assert (answer.status_code, answer.location) == (303, f"/ideas/{idea.id}")
    assert "Voting is closed" in browser.get(answer.location).text
    assert votes() == []


def test_s69_no_password_is_kept(browse):
    browser = browse()

    led = browser.post("/account/password", data={"old": PASSWORD, "new": "another long password"})

    assert led.location.startswith("/sign-in")
    assert acts() == []


def test_reading_needs_no_keeping(browse):
    user, browser = make_user(with_password=True), browse()

    led = browser.get("/account?x=1")
    answer = sign_in(browser, user, led.location)

    assert led.location == "/sign-in?next=/account?x%3D1"
    assert answer.location == "/account?x=1" and acts() == []


def test_a_form_that_comes_back_after_signing_in_can_be_sent(browse):
    user, number, browser = make_user(with_password=True), make_idea().id, browse()
    browser.carries_token = False
    token = r'name="csrf_token"[^>]*value="([^"]+)"'
    page, where = browser.get("/sign-in").text, f"/ideas/{number}/comments"

    asked = browser.post(where, data={"csrf_token": re.search(token, page)[1], "body": "x"})
    page = browser.get(asked.location).text
    person = {"csrf_token": re.search(token, page)[1], "email": user.email, "password": PASSWORD}
    back = browser.post(asked.location, data=person)
    assert back.status_code == 422 and f'action="{where}"' in back.text
    answer = browser.post(where, data={"csrf_token": re.search(token, back.text)[1], "body": "Warn of black ice."})

    assert answer.status_code == 303, answer.text
    assert texts() == ["Warn of black ice."]


def test_a_form_longer_than_any_idea_is_not_kept(browse):
    idea = make_idea()

    answer = browse().post(f"/ideas/{idea.id}/comments", data={"body": "x" * 60_000})

    assert answer.status_code == 303
    assert acts() == []


@pytest.mark.parametrize("other", [True, False])
def test_s20_what_somebody_signed_in_began_is_done_for_nobody_else_in_the_same_browser(browse, other):
    idea, user = make_idea(), make_user(with_password=True)
    next_one = make_user(with_password=True) if other else user
    make_rules()
    browser = browse(user)
    assert browser.post(f"/ideas/{idea.id}/vote").location.startswith("/rules/agree")
    with transaction():
        db.session.execute(sa.delete(AuthSession))
        accounts.accept_rules(next_one)

    sign_in(browser, next_one)

    assert votes() == ([] if other else [user.id])
