"""Mails that come back: three that nobody can deliver, or one complaint, stop mail until the address is confirmed."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.credentials import addresses
from portal.db import db, utcnow
from portal.inbound import receiving
from portal.inbound.receiving import Outcome
from portal.notifications import deciding, links
from portal.notifications.mails import coming_back
from portal.notifications.models import Mail
from portal.notifications.policy import Kind
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.inbound.conftest import SETTINGS
from tests.inbound.letters import a_bounce, a_complaint, outcomes
from tests.support import assert_accessible, on_one_database
from tests.support.mails import mails_to, newest_link

pytestmark = pytest.mark.settings(**SETTINGS)


def fresh(user_id: int) -> User:
    db.session.rollback()
    return db.session.get_one(User, user_id)


def sent_to(user: User, number: int = 1) -> list[Mail]:
    """Return mails that went out to somebody."""
    with transaction():
        mails = [
            Mail(key=f"sent-{user.id}-{part}", kind="decided", user_id=user.id, done_at=utcnow())
            for part in range(number)
        ]
        db.session.add_all(mails)
    return mails


def stop(user: User, why: str = coming_back.BOUNCES) -> int:
    """Stop mail to somebody, as bounces and complaints do."""
    with transaction():
        coming_back.stop_mail(user, why)
    return user.id


def test_three_hard_bounces_stop_mail_and_each_mail_counts_once(app, hand_in, settle):
    user = make_user()
    user_id = user.id
    first, second, third = sent_to(user, 3)
    reports = [a_bounce(first), a_bounce(first, "5.1.10"), a_bounce(second, "5.2.1"), a_bounce(third)]

    stopped = []
    for report in [*reports, reports[0]]:
        assert hand_in(report) == 204
        stopped.append(fresh(user_id).mail_stopped_at is not None)
    make_idea(author=fresh(user_id))
    settle()

    assert stopped == [False, False, False, True, True]
    assert fresh(user_id).mail_stopped_why == "bounces"
    assert outcomes() == [Outcome.BOUNCED] * 4
    received = select(Mail.suppressed).where(Mail.user_id == user_id, Mail.kind == "received")
    assert db.session.scalars(received).all() in ([], ["mail stopped"])
    assert mails_to(fresh(user_id).email) == []


@on_one_database
def test_what_is_not_for_good_and_what_is_not_ours_stops_nothing(app, hand_in):
    user = make_user()
    user_id = user.id
    mails = sent_to(user, 8)
    strange = f"bounces+{coming_back.bounce_token(mails[6].id, 'other@home.example')}@reply.example"
    reports = [
        *(a_bounce(mail, status) for mail, status in zip(mails, ["5.2.2", "4.2.2", "5.7.1", "5.3.4"], strict=False)),
        a_bounce(mails[4], "4.0.0", action="delayed"),
        a_bounce(mails[5], "2.0.0", action="delivered"),
        *(a_bounce(mail, to=strange) for mail in mails[:3]),
        *(a_bounce(mail, to="bounces+b1-aaaaaaaaaaaaaaaaaaaa@reply.example") for mail in mails[:3]),
        a_bounce(mails[7])
        .replace(b"multipart/report", b"multipart/mixed")
        .replace(b"message/delivery-status", b"text/x"),
    ]

    for report in reports:
        hand_in(report)

    assert fresh(user_id).can_get_mail
    counted = db.session.scalars(select(Mail.bounce).where(Mail.user_id == user_id).order_by(Mail.id)).all()
    assert counted == ["soft"] * 4 + [None] * 3 + ["soft"]


@on_one_database
def test_bounces_of_an_address_that_was_left_and_of_long_ago_do_not_count(app, hand_in, settle):
    user = make_user(confirmed_at=utcnow() - timedelta(days=900))
    user_id = user.id
    mails = sent_to(user, 5)
    reports = [a_bounce(mail) for mail in mails]
    with time_machine.travel(utcnow() - timedelta(days=200)):
        assert [receiving.receive(report) for report in reports[:2]] == [Outcome.BOUNCED] * 2
    receiving.receive(reports[2])
    before = fresh(user_id).mail_stopped_at
    with transaction():
        fresh(user_id).email = "new@home.example"

    assert [receiving.receive(report) for report in reports[3:]] == [Outcome.AUTOMATIC] * 2
    assert (before, fresh(user_id).mail_stopped_at) == (None, None)


def test_a_server_that_knows_no_such_mailbox_counts_at_once(app, settle, smtp):
    user = make_user()
    user_id = user.id
    kept: list[str] = []

    async def refuse(server, session, envelope, address, options):
        kept.append(address)
        return "550 5.1.1 There is nobody of this name"

    smtp.handle_RCPT = refuse
    for _ in range(3):
        make_idea(author=fresh(user_id))
    settle()

    assert fresh(user_id).mail_stopped_why == "bounces"
    assert len(kept) == 3
    assert {mail.bounce for mail in db.session.scalars(select(Mail).where(Mail.user_id == user_id))} == {"hard"}


@pytest.mark.parametrize(
    ("code", "words", "hard"),
    [(550, "550 5.1.1 no such user", True), (550, "no mailbox", True), (553, "553 not here", True),
     (550, "550 5.7.1 spam from 5.1.1.9", False), (552, "552 5.2.2 full", False), (554, "554 no", False),
     (550, "550-5.1.1 The account does not exist", True), (551, "551 moved", True)],
)  # fmt: skip
def test_only_the_word_that_nobody_is_there_counts(code, words, hard):
    assert coming_back.is_hard(code, words) is hard


@on_one_database
def test_one_complaint_stops_mail_at_once(app, hand_in):
    user, other = make_user(), make_user()
    user_id, other_id = user.id, other.id
    [mail] = sent_to(user)
    path = f"bounces+{coming_back.bounce_token(mail.id, mail.to)}@reply.example"

    hand_in(a_complaint(path, kind="not-spam"))
    before = fresh(user_id).mail_stopped_at
    hand_in(a_complaint(path))
    hand_in(a_complaint("bounces+b1-aaaaaaaaaaaaaaaaaaaa@reply.example"))

    assert before is None
    assert fresh(user_id).mail_stopped_why == "complaint"
    assert fresh(other_id).can_get_mail
    assert outcomes()[-2:] == [Outcome.COMPLAINED, Outcome.UNKNOWN]


@on_one_database
@pytest.mark.parametrize("bounces_to", ["bounces+{token}@reply.example", ""])
def test_who_had_a_mail_forwarded_cannot_complain_about_it_for_its_reader(app, hand_in, monkeypatch, bounces_to):
    monkeypatch.setitem(app.config, "BOUNCE_TO", bounces_to)
    user_id = make_user().id
    stop_url = f"https://portal.example/mail/stop/{links.stop_token(user_id, None, 'decided')}"

    hand_in(a_complaint("ideas@portal.example", stop_url))

    assert fresh(user_id).can_get_mail
    assert outcomes() == [Outcome.UNKNOWN]


def test_who_is_told_how_knows_whom_mail_does_not_reach(app):
    user = make_user()
    stop(user)

    row = deciding.decided_for(Kind.RECEIVED, user.id, "author", None)

    assert (row.way, row.why_not) == ("inbox", "mail_stopped")
    assert "mail_stopped" in deciding.WHY_NOT


def test_a_link_of_before_proves_nothing_and_a_new_one_lets_mail_go_again(app, browse, settle):
    user = make_user(email="ada@home.example")
    user_id = user.id
    with time_machine.travel(utcnow() - timedelta(hours=2)):
        old = accounts.confirmation_token(user)
    stop(user)
    browser = browse(fresh(user_id))

    assert browser.get(f"/confirm/{old}").status_code == 410
    browser.post("/account/confirmation")
    settle()
    browser.post(newest_link("ada@home.example"))

    assert fresh(user_id).can_get_mail
    assert fresh(user_id).mail_stopped_why == ""
    assert "came back" not in browser.get("/").text


@on_one_database
@pytest.mark.parametrize(("why", "asked"), [(coming_back.BOUNCES, False), (coming_back.COMPLAINT, True)])
def test_another_address_needs_no_word_of_one_that_sends_everything_back(app, settle, why, asked):
    user = make_user(email="ada@home.example")
    user_id = stop(user, why)

    with transaction():
        addresses.ask_to_change(fresh(user_id), "ada@new.example")
    change = addresses.waiting(fresh(user_id))
    settle()

    assert len(mails_to("ada@new.example")) == 1
    assert bool(mails_to("ada@home.example")) is asked
    assert change is not None
    assert change.by_present is not asked


@on_one_database
def test_letters_that_somebody_asks_for_still_go_and_news_do_not(app, browse, settle):
    user = make_user(email="ada@home.example", with_password=True)
    user_id = stop(user)
    make_idea(author=fresh(user_id))
    with transaction():
        accounts.ask_for_confirmation(fresh(user_id))
    settle()

    assert [mail["Subject"] for mail in mails_to("ada@home.example")] == ["Confirm your address"]


def test_somebody_sees_on_every_page_that_no_mail_goes_out_and_asks_for_a_link(app, settle, open_page):
    user_id = stop(make_user(email="ada@home.example"))
    page = open_page(fresh(user_id), width=390, scheme="dark")

    page.goto("/rules")
    page.get_by_text("Our mails to ada@home.example came back").wait_for()
    assert_accessible(page)
    page.get_by_role("button", name="The address is right: send me a link").click()
    page.wait_for_url("**/account")
    settle()

    assert newest_link("ada@home.example").startswith("/confirm/")


@on_one_database
def test_staff_see_whom_mail_does_not_reach_and_which_mails_came_back(app, browse):
    user = make_user(name="Ada Harbour")
    [mail] = sent_to(user)
    mail_id, user_id = mail.id, stop(user)
    assert receiving.receive(a_bounce(db.session.get_one(Mail, mail_id))) is Outcome.BOUNCED
    admin = browse(make_user(Role.ADMIN))

    person, ledger, health = (
        admin.get(address).text for address in (f"/admin/people/{user_id}", f"/admin/mails/{mail_id}", "/mail/health")
    )

    assert "mails come back since" in person
    assert "there is nobody at this address" in ledger
    assert "Mails that nobody could deliver" in health
    assert "People whom mail does not reach any more" in health
