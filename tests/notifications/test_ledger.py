"""The ledger of mails: each with what became of it and why, found again, tried again, and never what it says."""

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal import outbox, reactions
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.notifications.mails import ledger, line, sending
from portal.notifications.mails.ledger import Asked, State
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Kind
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support.mail import free_port
from tests.support.queries import queries

PORTAL = Path(__file__).parents[2] / "portal"


def test_every_reason_and_every_kind_has_words():
    said = {
        word.value
        for path in PORTAL.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) == "Suppressed"
        for word in ast.walk(call)
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }

    assert said - set(ledger.SUPPRESSED) == set()
    assert {*Kind, *reactions.LETTERS} - set(ledger.WHAT) == set()


def queue(number: int = 1) -> list[Idea]:
    """Have receipts wait, each to somebody of its own."""
    ideas = [make_idea(f"Huts on map {letter}") for letter in "abcdefghij"[:number]]
    outbox.work_off(500)
    return ideas


def seen_by(browse, where: str = "") -> str:
    return browse(make_user(Role.ADMIN)).get(f"/admin/mails{where}").text


def states() -> dict[State, int]:
    db.session.rollback()
    found = [ledger.state_of(mail, utcnow()) for mail in db.session.scalars(select(Mail))]
    return {state: found.count(state) for state in State if found.count(state)}


def test_each_mail_is_found_by_what_became_of_it_and_rows_and_questions_agree(app, smtp, browse):
    refused, muted, later, _sent, early = queue(5)
    smtp.refuse("550 No such person here")
    with transaction():
        db.session.get_one(Idea, muted.id).author.wants_mail = False
        for idea, days in ((later, 1), (early, 0)):
            mail = db.session.scalars(select(Mail).join(Notification).where(Notification.idea_id == idea.id)).one()
            mail.available_at = utcnow() + timedelta(days=days, hours=1)
    sending.send_due()
    with transaction():
        mail = db.session.scalars(select(Mail).join(Notification).where(Notification.idea_id == early.id)).one()
        mail.available_at = utcnow() - timedelta(seconds=1)

    assert states() == {State.QUEUED: 1, State.WAITING: 1, State.SENT: 1, State.SUPPRESSED: 1, State.SET_ASIDE: 1}
    admin = make_user(Role.ADMIN)
    for state in (State.QUEUED, State.WAITING, State.SENT, State.SUPPRESSED, State.SET_ASIDE):
        [entry] = ledger.entries(admin, Asked(state=state))
        assert entry.state is state
    assert "550 No such person here" in seen_by(browse, "?state=set_aside")
    assert "they want no mails" in seen_by(browse, "?state=suppressed")
    page = seen_by(browse, f"?idea={refused.id}")
    assert "Huts on map a" in page and "Huts on map b" not in page
    page = seen_by(browse, f"?person={later.author.name}&kind=received")
    assert "Huts on map c" in page and "Huts on map a" not in page
    assert "No such mail" in seen_by(browse, "?kind=decided")
    assert "No such mail" in seen_by(browse, "?until=2020-01-01")
    assert "Nobody and nothing" in seen_by(browse, "?person=Nobody+at+all")
    assert "Today I have to do this by hand" not in seen_by(browse)


def test_a_mail_shows_each_try_and_goes_out_when_somebody_says_so(app, smtp, browse):
    queue()
    smtp.refuse("451 Come back later")
    sending.send_due()
    admin, mail_id = make_user(Role.ADMIN), db.session.scalars(select(Mail.id)).one()

    page = browse(admin).get(f"/admin/mails/{mail_id}").text
    browse(admin).post(f"/admin/mails/{mail_id}/again")
    sending.send_due()

    assert "451 Come back later" in page and "The server said: not now" in page
    assert states() == {State.SENT: 1} and len(smtp.got) == 1
    assert browse(make_user(Role.PM)).get(f"/admin/mails/{mail_id}").status_code == 403
    assert browse(admin).get("/admin/mails/999").status_code == 404


def test_everything_set_aside_is_tried_again_at_once(app, smtp, browse):
    queue(3)
    smtp.refuse("550 Never", times=3)
    sending.send_due()

    browse(make_user(Role.ADMIN)).post("/admin/mails/again")
    sending.send_due()

    assert states() == {State.SENT: 3}


def test_pages_of_the_ledger_follow_each_other_and_cost_the_same(app, browse, monkeypatch):
    from portal.notifications.views import ledger as pages

    monkeypatch.setattr(pages, "ON_A_PAGE", 2)
    queue(5)
    admin = browse(make_user(Role.ADMIN))
    admin.get("/admin/mails")

    with queries() as first:
        page = admin.get("/admin/mails").text
    titles, url, costs = [], "/admin/mails", []
    while url:
        with queries() as asked:
            page = admin.get(url).text
        costs.append(len(asked))
        titles += [part[:13] for part in page.split("Idea received: ")[1:]]
        url = page.split('btn btn--sm" href="')[1].split('"')[0].replace("&amp;", "&") if "Show more" in page else ""

    assert titles == [f"Huts on map {letter}" for letter in "edcba"]
    assert max(costs) <= len(first)


def test_an_address_without_an_account_is_nobody_in_the_ledger(app, browse):
    with transaction():
        db.session.add(Mail(key="one", kind="invitation", recipient="somebody.new@elsewhere.example"))

    page = seen_by(browse)

    assert "s…@elsewhere.example" in page and "somebody.new" not in page
    assert "Invitation" in seen_by(browse, "?person=somebody.new@elsewhere.example")


@pytest.mark.parametrize("page", ["/admin/mails", "/mail/health", "/admin"])
def test_whoever_runs_the_portal_reads_since_when_no_mail_goes_out_and_what_was_said(app, browse, page):
    app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    queue()
    sending.send_due()
    admin = browse(make_user(Role.ADMIN))

    broken = admin.get(page).text
    app.config["MAIL_URL"] = "catch:"
    with transaction():
        line.knock_again()
    sending.send_due()
    well = admin.get(page).text

    assert "No mail goes out since" in broken and "Connection refused" in broken
    assert "No mail goes out since" not in well
    assert "The last mail went out" in well


def test_the_page_of_mails_says_in_a_sentence_how_long_the_oldest_waits(app, browse):
    queue()
    with transaction():
        db.session.scalars(select(Mail)).one().queued_at = utcnow() - timedelta(hours=2)

    shown = re.sub(r"<[^>]+>", "", browse(make_user(Role.ADMIN)).get("/mail/health").text)

    assert "the oldest was queued 2 hours ago" in shown


def test_the_team_reads_on_its_desk_that_no_mail_goes_out_for_half_an_hour(app, browse):
    app.config["MAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"
    queue()
    sending.send_due()
    pm = browse(make_user(Role.PM))

    soon = pm.get("/triage/first-look").text
    with transaction():
        line.state().failing_since = utcnow() - timedelta(minutes=31)
    app.extensions["kept"].clear()
    later = pm.get("/triage/first-look").text

    assert "No mail goes out since" not in soon
    assert "No mail goes out since" in later
