"""The first owner, and what comes after."""

import json
import re
import stat
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication
from portal.membership import sample, setting_up
from portal.membership.setting_up import AlreadySetUp, WrongCode
from portal.notifications.models import CaughtMail, Mail
from portal.options import option
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support import on_one_database
from tests.support.mail import MailServer
from tests.support.queries import queries as counted

FORM = {
    "name": "Olive",
    "email": "olive@example.org",
    "password": "nine grey herons at dawn",
    "portal": "Fell ideas",
    "question": "What would help you?",
    "board": "Walks",
}


@pytest.fixture
def fresh(app):
    """A portal in which nobody has an account yet; returns the code that was printed."""
    app.extensions.pop(setting_up.DONE)
    return setting_up.print_code(app)


def owners():
    db.session.rollback()
    return db.session.scalars(select(User)).all()


def test_the_first_page_leads_to_the_set_up_until_somebody_has_an_account(browse, fresh):
    guest = browse()
    for path in ("/", "/sign-in", "/sign-up"):
        assert guest.get(path).location == "/set-up"
    assert guest.get("/rules").status_code == guest.get("/healthz").status_code == 200

    assert browse().post("/set-up", data=FORM | {"code": fresh}).location == "/admin/begin"

    assert browse().get("/").status_code == browse().get("/sign-in").status_code == 200
    assert browse().get("/set-up").location == "/"


def test_the_set_up_makes_the_owner_and_names_the_portal(browse, fresh):
    browser = browse()
    browser.post("/set-up", data=FORM | {"code": fresh.lower().replace("-", " ")})

    owner = owners()[0]
    assert (owner.role, owner.email, owner.name) == (Role.OWNER, "olive@example.org", "Olive")
    assert (option("name"), option("question")) == ("Fell ideas", "What would help you?")
    assert db.session.scalars(select(Board.name)).all() == ["Walks"]
    assert "What would help you?" in browse().get("/").text and "Fell ideas" in browse().get("/").text


def test_the_owner_is_signed_in_and_led_to_a_second_step_first(browse, fresh):
    browser = browse()
    browser.post("/set-up", data=FORM | {"code": fresh})

    assert "/two-step" in browser.get("/admin/begin").location or "two_step" in browser.get("/admin/begin").location


def test_a_wrong_code_makes_no_owner_and_the_fifth_ends_it(app, browse, fresh):
    for number in range(5):
        answer = browse().post("/set-up", data=FORM | {"code": f"AAAA-AAAA-AAA{number + 2}"})
        assert answer.status_code == 422 and "This is not the code" in answer.text

    assert browse().post("/set-up", data=FORM | {"code": fresh}).status_code == 422
    assert owners() == []
    assert "no set-up code that could be used" in browse().get("/set-up").text

    again = setting_up.print_code(app)
    assert again != fresh
    assert browse().post("/set-up", data=FORM | {"code": again}).status_code == 303


def test_a_code_of_a_start_before_is_void(app, browse, fresh):
    setting_up.print_code(app)

    with pytest.raises(WrongCode):
        setting_up.check_code(fresh)


def test_s67_the_code_is_kept_hashed_in_a_file_of_its_owners(app, fresh):
    file = Path(app.config["INSTANCE"]) / setting_up.FILE

    assert fresh not in file.read_text() and fresh.replace("-", "") not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["tries"] == 0


def test_s67_no_code_no_set_up(app, browse):
    app.extensions.pop(setting_up.DONE)

    assert browse().post("/set-up", data=FORM | {"code": ""}).status_code == 422
    assert browse().post("/set-up", data=FORM | {"code": "AAAA-BBBB-CCCC"}).status_code == 422
    assert owners() == []


@pytest.mark.parametrize(
    ("field", "value"), [("password", "short"), ("email", "no address"), ("name", ""), ("portal", ""), ("board", "")]
)
@on_one_database
def test_what_is_filled_in_wrongly_costs_no_try(browse, fresh, field, value):
    for _number in range(6):
        assert browse().post("/set-up", data=FORM | {"code": fresh, field: value}).status_code == 422

    assert browse().post("/set-up", data=FORM | {"code": fresh}).status_code == 303


def test_of_two_set_ups_at_once_one_gets_through(app, fresh):
    ends, start = [], threading.Barrier(2)

    def go(number):
        with app.app_context():
            start.wait()
            try:
                with transaction(wake=False):
                    setting_up.set_up(**FORM | {"email": f"o{number}@example.org", "name": f"Olive {number}"})
                ends.append("through")
            except (AlreadySetUp, sa.exc.OperationalError):
                ends.append("too late")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert sorted(ends) == ["through", "too late"]
    assert len(owners()) == 1


def test_once_somebody_has_an_account_the_question_costs_no_statement(app, browse, fresh):
    make_user()
    make_idea()
    browse().get("/sign-in")

    with counted() as first:
        browse().get("/sign-in")
    app.extensions[setting_up.DONE] = False
    with counted() as asking:
        browse().get("/sign-in")

    assert len(asking) == len(first) + 1


def test_samples_come_marked_tell_nobody_and_go_by_one_press(browse, settle):
    owner = make_user(Role.OWNER)
    browser = browse(owner)
    browser.post("/admin/samples")
    browser.post("/admin/samples")
    settle()

    titles = db.session.scalars(select(Idea.title).where(Idea.publication == Publication.PUBLISHED)).all()
    assert len(titles) == 5 and all(title.startswith("Sample: ") for title in titles)
    assert db.session.scalars(select(Mail)).all() == []
    assert "Sample: Undo" in browse().get("/").text

    with transaction():
        from portal.ideas import service as ideas

        ideas.cast_vote(db.session.scalars(select(Idea)).first(), make_user())
    browser.post("/admin/samples/clear")
    settle()
    assert "Sample: " not in browse().get("/").text
    assert db.session.scalar(select(Board.ideas)) == 0
    assert option("sample_ideas") == []


def test_samples_leave_what_people_wrote_alone(app):
    own = make_idea("Sample: of a member")
    with transaction():
        sample.fill(make_user(Role.OWNER))
    with transaction():
        sample.clear(own.author)

    db.session.rollback()
    assert own.publication is Publication.PUBLISHED


def test_a_test_mail_arrives_and_says_so(browse):
    answer = browse(make_user(Role.ADMIN)).post(
        "/admin/mail-test", data={"to": "ops@example.org"}, follow_redirects=True
    )

    db.session.rollback()
    assert db.session.scalars(select(CaughtMail.recipient)).all() == ["ops@example.org"]
    assert "mail catcher" in answer.text


@pytest.mark.settings(MAIL_URL="")
def test_without_a_mail_server_the_test_says_what_to_set(browse):
    answer = browse(make_user(Role.ADMIN)).post(
        "/admin/mail-test", data={"to": "ops@example.org"}, follow_redirects=True
    )

    assert "No mail server is configured." in answer.text and "PORTAL_MAIL_URL" in answer.text


def test_a_real_server_takes_the_test_mail(browse, smtp):
    answer = browse(make_user(Role.ADMIN)).post(
        "/admin/mail-test", data={"to": "ops@example.org"}, follow_redirects=True
    )

    assert "took the mail to ops@example.org" in answer.text


@pytest.mark.settings(MAIL_URL="smtp://127.0.0.1:9")
def test_a_server_that_is_not_there_is_named(browse):
    answer = browse(make_user(Role.ADMIN)).post(
        "/admin/mail-test", data={"to": "ops@example.org"}, follow_redirects=True
    )

    assert "127.0.0.1:9 could not be spoken to" in answer.text and "refused" in answer.text.lower()


REFUSAL = "550 5.7.1 we do not like this"


class Strict(MailServer):
    """A mail server that refuses at one step."""

    step = ""

    async def handle_MAIL(self, server, session, envelope, address, options):
        if self.step == "mail":
            return REFUSAL
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.step == "rcpt":
            return REFUSAL
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("mail", "The server refused the sender address ideas@127.0.0.1"),
        ("rcpt", "The server refused the recipient ops@example.org"),
        ("data", "The server refused the text of the mail"),
    ],
)
def test_each_refusal_is_said_at_its_step_in_the_words_of_the_server(app, browse, step, sentence):
    server = Strict()
    server.step = step
    if step == "data":
        server.refuse(REFUSAL)
    app.config["MAIL_URL"] = server.url
    try:
        answer = browse(make_user(Role.ADMIN)).post(
            "/admin/mail-test", data={"to": "ops@example.org"}, follow_redirects=True
        )
    finally:
        server.stop()

    text = re.sub(r"\s+", " ", answer.text)
    assert sentence in text and REFUSAL in text
