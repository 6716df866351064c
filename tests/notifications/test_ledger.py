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
from portal.notifications import pushed
from portal.notifications.mails import ledger, line, sending, wording
from portal.notifications.mails.ledger import Asked
from portal.notifications.mails.states import State, state_of
from portal.notifications.models import Mail, Mailbox, MailLine, Notification
from portal.notifications.policy import Kind
from portal.push import service as push
from portal.push.models import Push
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support.databases import on_one_database
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

    assert said - set(wording.SUPPRESSED) == set()
    assert {*Kind, *reactions.LETTERS} - set(wording.WHAT) == set()


def queue(number: int = 1) -> list[Idea]:
    """Have receipts wait, each to somebody of its own."""
    ideas = [make_idea(f"Huts on map {letter}") for letter in "abcdefghij"[:number]]
    outbox.work_off(500)
    return ideas


def seen_by(browse, where: str = "") -> str:
    return browse(make_user(Role.ADMIN)).get(f"/admin/mails{where}").text


def states() -> dict[State, int]:
    db.session.rollback()
    found = [state_of(mail, utcnow()) for mail in db.session.scalars(select(Mail))]
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


@on_one_database
@pytest.mark.parametrize(
    "asked", ["until=9999-12-31", "since=0001-01-01", "since=31.12.", "state=no&kind=no", "after=x"]
)
def test_whatever_is_asked_of_the_ledger_it_answers(app, browse, asked):
    queue()
    admin = browse(make_user(Role.ADMIN))

    for page in ("/admin/mails", "/admin/mails/browsers"):
        assert admin.get(f"{page}?{asked}").status_code == 200


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PUSHED = {
    State.QUEUED: {},
    State.WAITING: {"available_at": timedelta(hours=9)},
    State.RETRYING: {"error": "the push service answered 503", "attempts": 2},
    State.SENT: {"done_at": timedelta()},
    State.SUPPRESSED: {"done_at": timedelta(), "suppressed": "read already"},
    State.GONE: {"done_at": timedelta(), "suppressed": "browser is gone", "error": "the push service answered 410"},
    State.SET_ASIDE: {"given_up_at": timedelta(), "error": "the push service answered 400"},
}


def push_each() -> tuple[list[Idea], dict[State, int]]:
    """Have one message to a browser in each state, each to somebody of its own; return their ideas and numbers."""
    ideas, numbers = queue(len(PUSHED)), {}
    with transaction():
        for (state, facts), idea in zip(PUSHED.items(), ideas, strict=True):
            told = db.session.scalars(select(Notification).where(Notification.idea_id == idea.id)).one()
            browser = push.Subscription(
                user_id=told.user_id, endpoint=f"https://push.example/{state}", endpoint_hash=state, public_key="k",
                auth_secret="s", browser=FIREFOX,
            )  # fmt: skip
            db.session.add(browser)
            db.session.flush()
            at = {name: utcnow() + value if isinstance(value, timedelta) else value for name, value in facts.items()}
            one = Push(user_id=told.user_id, notification_id=told.id, kind="received", subscription_id=browser.id, **at)
            db.session.add(one)
            db.session.flush()
            numbers[state] = one.id
    return ideas, numbers


def test_each_message_to_a_browser_is_found_by_what_became_of_it(app, browse):
    ideas, numbers = push_each()
    admin = make_user(Role.ADMIN)

    for state in PUSHED:
        [entry] = pushed.entries(admin, Asked(state=state))
        assert (entry.state, entry.id) == (state, numbers[state])
    shown = browse(admin).get("/admin/mails/browsers").text
    assert shown.count("Firefox on Linux") == len(PUSHED) and f"To {ideas[0].author.name}" in shown
    assert "push.example" not in shown and "7 browsers are told at once" in shown
    gone = browse(admin).get("/admin/mails/browsers?state=gone").text
    assert "the browser is gone (the push service answered 410)" in gone
    assert "they had read it already" in browse(admin).get("/admin/mails/browsers?state=suppressed").text
    by_idea = browse(admin).get(f"/admin/mails/browsers?idea={ideas[2].id}&person={ideas[2].author.name}").text
    assert "Huts on map c" in by_idea and "Huts on map a" not in by_idea
    assert "No such message" in browse(admin).get("/admin/mails/browsers?person=nobody@elsewhere.example").text
    assert browse(make_user(Role.PM)).get("/admin/mails/browsers").status_code == 403


def test_an_idea_that_an_admin_may_not_see_is_not_named_beside_a_message(app, browse, monkeypatch):
    push_each()
    monkeypatch.setattr(pushed, "is_seen_by", lambda _viewer: Idea.id < 0)

    assert "Huts on map" not in browse(make_user(Role.ADMIN)).get("/admin/mails/browsers").text


def test_messages_set_aside_are_tried_again_one_by_one_or_all(app, browse):
    _ideas, numbers = push_each()
    admin = browse(make_user(Role.ADMIN))
    aside = admin.get("/admin/mails/browsers?state=set_aside").text

    admin.post(f"/admin/mails/browsers/{numbers[State.RETRYING]}/again")
    admin.post("/admin/mails/browsers/again")
    admin.post(f"/admin/mails/browsers/{numbers[State.SENT]}/again")

    db.session.rollback()
    assert "the push service answered 400" in aside and "Try it again" in aside
    again = [db.session.get_one(Push, numbers[state]) for state in (State.RETRYING, State.SET_ASIDE)]
    assert all(one.given_up_at is None and one.attempts == 0 and one.available_at <= utcnow() for one in again)
    assert db.session.get_one(Push, numbers[State.SENT]).done_at


def test_pages_of_messages_follow_each_other_and_cost_the_same(app, browse, monkeypatch):
    from portal.notifications.views import ledger as pages

    monkeypatch.setattr(pages, "ON_A_PAGE", 3)
    push_each()
    admin = browse(make_user(Role.ADMIN))
    admin.get("/admin/mails/browsers")
    titles, url, costs = [], "/admin/mails/browsers", []
    while url:
        with queries() as asked:
            page = admin.get(url).text
        costs.append(len(asked))
        titles += re.findall(r"Huts on map \w", page)
        url = page.split('btn btn--sm" href="')[1].split('"')[0].replace("&amp;", "&") if "Show more" in page else ""

    assert titles == [f"Huts on map {letter}" for letter in "gfedcba"]
    assert max(costs) == costs[0]


def test_mails_that_came_back_are_found_and_no_longer_count_as_sent(app, smtp, browse):
    queue(2)
    sending.send_due()
    with transaction():
        mail = db.session.scalars(select(Mail).order_by(Mail.id)).first()
        mail.bounce, mail.bounced_at = "hard", utcnow()
    admin = browse(make_user(Role.ADMIN))

    back, sent = (admin.get(f"/admin/mails?state={state}").text for state in ("came_back", "sent"))

    assert states() == {State.SENT: 1, State.CAME_BACK: 1}
    assert "there is nobody at this address" in back and "Huts on map b" not in back
    assert "Huts on map b" in sent and "Huts on map a" not in sent


def mail_is_down(minutes: int) -> None:
    since = utcnow() - timedelta(minutes=minutes)
    db.session.add(MailLine(key=line.KEY, failing_since=since, words="Connection refused", failures=3))


def mailbox_fails(minutes: int) -> None:
    looked_at = utcnow() - timedelta(minutes=minutes)
    db.session.add(Mailbox(name="inbound", looked_at=looked_at, error="mail.example:993: refused", attempts=4))


def mails_came_back(number: int) -> None:
    for one in range(number):
        db.session.add(Mail(key=f"back-{one}", kind="decided", recipient=f"a{one}@x.example", done_at=utcnow(),
                            bounce="hard", bounced_at=utcnow()))  # fmt: skip


def mail_is_set_aside() -> None:
    db.session.add(Mail(key="aside", kind="decided", recipient="a@x.example", given_up_at=utcnow(), error="550 Never"))


SENTENCES = {  # what is wrong, what admins read, where that leads, and what the team reads on its desk
    "nothing": (lambda: None, "No mail has been sent yet", "", ""),
    "nothing configured": (lambda: None, "No mail leaves the portal", "/admin/mail-test", ""),
    "down for 5 minutes": (lambda: mail_is_down(5), "No mail goes out since", "/admin/mail-test", ""),
    "down for 40 minutes": (
        lambda: mail_is_down(40), "No mail goes out since", "/admin/mail-test", "No mail goes out since"
    ),
    "one set aside": (mail_is_set_aside, "1 mail did not get through.", "/admin/mails?state=set_aside", ""),
    "replies for 5 minutes": (lambda: mailbox_fails(5), "No reply by mail comes in", "/admin/mail-test#in-h", ""),
    "replies for 40 minutes": (
        lambda: mailbox_fails(40), "No reply by mail comes in", "/admin/mail-test#in-h", "No reply by mail comes in"
    ),
    "some come back": (lambda: mails_came_back(9), "No mail has been sent yet", "", ""),
    "many come back": (
        lambda: mails_came_back(10), "10 mails came back since yesterday.", "/admin/mails?state=came_back", ""
    ),
}  # fmt: skip


@on_one_database
@pytest.mark.settings(INBOUND_URL="imaps://ann:secret@mail.example/INBOX")
@pytest.mark.parametrize("what", SENTENCES)
def test_what_is_wrong_with_mail_is_one_sentence_with_a_link_that_helps(app, browse, what):
    happens, admins_read, leads_to, team_reads = SENTENCES[what]
    app.config["MAIL_URL"] = "" if what == "nothing configured" else "catch:"
    make_user(Role.OWNER), make_user(Role.OWNER)
    with transaction():
        happens()
    app.extensions.get("kept", {}).clear()

    overview, desk = (
        browse(make_user(Role.ADMIN)).get("/admin").text,
        browse(make_user(Role.PM)).get("/triage/first-look").text,
    )

    needs = re.findall(r"<li><span>(.*?)</span><a [^>]*href=\"(.*?)\"", overview)
    assert admins_read in overview and "secret" not in overview
    assert [url for words, url in needs if admins_read in words] == ([leads_to] if leads_to else [])
    assert len(needs) == bool(leads_to)
    said = re.findall(r"No (?:mail|reply by mail) \w+ \w+ since", desk)
    assert [one.startswith(team_reads) for one in said] == [True] * bool(team_reads)
