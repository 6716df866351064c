"""Opening an account."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from portal.accounts import passwords, queries
from portal.accounts.models import RulesAcceptance, User
from portal.credentials import links
from portal.credentials.models import MailedLink
from portal.db import db, utcnow
from portal.events import EventRecord
from portal.notifications.models import CaughtMail, Mail
from portal.options import decide
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import PASSWORD, make_rules, make_user
from tests.support import HTMX, either_way, timeless
from tests.support import queries as counted
from tests.support.mails import mails_to, newest_code, newest_link, words_of

ROBIN = {"email": "robin@example.org", "name": "Robin Hale", "password": PASSWORD, "agreed": "y", "version": "1"}


LOOK = "/look-into-your-mail"


def said(answer):
    """What a page says, without what is different each time."""
    return re.sub(r"[\w.]+@example.org", "SOMEBODY", timeless(answer.text))


def robin():
    db.session.rollback()
    return queries.find_by_email("robin@example.org")


@either_way
def test_a_visitor_opens_an_account_by_the_code_in_the_mail(browse, settle, headers):
    make_rules()
    browser = browse()

    led = browser.post("/sign-up", data=ROBIN, headers=headers)
    asked = browser.get(LOOK)
    nobody_yet = robin()
    settle()
    answer = browser.post(LOOK, data={"code": newest_code("robin@example.org")}, headers=headers)

    user = robin()
    assert (led.headers.get("HX-Redirect") if headers is HTMX else led.location) == LOOK
    assert "Look into your mail" in asked.text and "robin@example.org" in asked.text
    assert nobody_yet is None
    assert (answer.headers.get("HX-Redirect") if headers is HTMX else answer.location) == "/"
    assert "Welcome, Robin Hale." in browser.get("/").text
    assert browser.get("/account").status_code == 200
    assert user.name == "Robin Hale" and user.role == "member" and user.confirmed_at and user.approved_at
    assert db.session.scalars(select(RulesAcceptance.version).where(RulesAcceptance.user_id == user.id)).all() == [1]
    names = db.session.scalars(select(EventRecord.name).order_by(EventRecord.id)).all()
    assert names[-3:] == ["member.rules_accepted", "member.registered", "member.signed_in"]


def test_the_link_takes_one_press_in_the_same_browser(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()
    link = newest_link("robin@example.org")

    shown = browser.get(link)
    answer = browser.post(link)

    assert "Open my account" in shown.text and 'type="password"' not in shown.text
    assert (answer.status_code, answer.location) == (303, "/")
    assert robin().confirmed_at
    assert browser.get("/account").status_code == 200


def test_in_another_browser_the_link_takes_the_password_too(browse, settle):
    make_rules()
    browse().post("/sign-up", data=ROBIN)
    settle()
    other, link = browse(), newest_link("robin@example.org")

    shown = other.get(link)
    without = other.post(link)
    wrong = other.post(link, data={"password": PASSWORD[::-1]})
    nobody_yet = robin()
    answer = other.post(link, data={"password": PASSWORD})

    assert 'type="password"' in shown.text
    assert (without.status_code, wrong.status_code) == (422, 422)
    assert nobody_yet is None
    assert answer.status_code == 303 and robin()
    assert other.get("/account").status_code == 200


def test_s18_opening_the_account_gives_the_browser_a_new_session(browse, settle):
    make_rules()
    browser = browse()
    with browser.session_transaction() as session:
        session["_user_id"] = "chosen by somebody else"
    browser.post("/sign-up", data=ROBIN)
    settle()

    browser.post(LOOK, data={"code": newest_code("robin@example.org")})

    with browser.session_transaction() as session:
        assert session["_user_id"] != "chosen by somebody else"
        assert "mailed" not in session


@pytest.mark.parametrize("method", ["get", "head"])
def test_s26_whoever_follows_the_link_without_pressing_changes_nothing(browse, settle, method):
    make_rules()
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()

    for each in (browser, browse()):
        assert getattr(each, method)(newest_link("robin@example.org")).status_code == 200

    assert robin() is None
    assert db.session.scalars(select(MailedLink.used_at)).all() == [None]


def test_s17_the_link_works_once_and_for_a_day(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()
    link = newest_link("robin@example.org")

    with time_machine.travel(utcnow() + timedelta(hours=24, seconds=1), tick=False):
        late = browser.post(link)
    first, again = browser.post(link), browser.post(link)

    assert (late.status_code, first.status_code, again.status_code) == (410, 303, 410)
    assert "This link no longer works" in again.text
    assert robin()


def test_s17_the_code_works_for_ten_minutes_and_five_tries_in_the_browser_that_asked(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()
    code = newest_code("robin@example.org")
    wrong = f"{(int(code) + 1) % 10**6:06}"

    elsewhere = browse().post(LOOK, data={"code": code})
    with time_machine.travel(utcnow() + timedelta(minutes=10, seconds=1), tick=False):
        late = browser.post(LOOK, data={"code": code})
    tries = [browser.post(LOOK, data={"code": wrong}).status_code for _ in range(5)]
    spent = browser.post(LOOK, data={"code": code})

    assert "No mail was asked for here" in elsewhere.text
    assert late.status_code == 422 and tries == [422] * 5 and spent.status_code == 422
    assert "After five tries or ten minutes you need a new mail." in spent.text
    assert robin() is None


def test_the_code_may_be_typed_with_a_space(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()
    code = newest_code("robin@example.org")

    assert browser.post(LOOK, data={"code": f" {code[:3]} {code[3:]} "}).status_code == 303


def test_the_mail_comes_again_and_only_its_code_works(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up?next=/rules", data=ROBIN)
    settle()
    first = newest_code("robin@example.org")

    again = browser.post(f"{LOOK}/again")
    settle()
    old = browser.post(LOOK, data={"code": first})
    answer = browser.post(LOOK, data={"code": newest_code("robin@example.org")})

    assert again.location == LOOK and len(mails_to("robin@example.org")) == 2
    assert old.status_code == 422
    assert (answer.status_code, answer.location) == (303, "/rules")


def test_a_slip_in_the_address_is_put_right_without_filling_in_anything_else(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up", data={**ROBIN, "email": "robbin@example.org"})
    settle()

    browser.post(f"{LOOK}/address", data={"email": "robin@example.org"})
    settle()
    old = browser.post(newest_link("robbin@example.org"))
    answer = browser.post(LOOK, data={"code": newest_code("robin@example.org")})

    assert old.status_code == 410
    assert answer.status_code == 303 and robin().name == "Robin Hale"
    assert queries.find_by_email("robbin@example.org") is None
    sign_in = browse().post("/sign-in", data={"email": "robin@example.org", "password": PASSWORD})
    assert sign_in.status_code == 303


def test_a_name_that_somebody_took_meanwhile_is_chosen_anew_and_nothing_is_lost(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up?next=/rules", data=ROBIN)
    settle()
    make_user(name="Robin Hale")

    refused = browser.post(LOOK, data={"code": newest_code("robin@example.org")})
    link = re.search(r'action="(/sign-up/[^"]+)"', refused.text)[1]
    answer = browser.post(link, data={"name": "Robin of the Hills"})

    assert refused.status_code == 422 and "Somebody here has this name already" in refused.text
    assert (answer.status_code, answer.location) == (303, "/rules")
    assert robin().name == "Robin of the Hills"


def test_rules_that_changed_meanwhile_are_read_once_more(browse, settle):
    make_rules("First.")
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()
    make_rules("Second.")
    link = newest_link("robin@example.org")

    shown, unread = browser.get(link), browser.post(link)
    answer = browser.post(link, data={"agreed": "y", "version": "2"})

    assert "Second." in shown.text
    assert unread.status_code == 422 and "read them once more" in unread.text
    assert answer.status_code == 303
    db.session.rollback()
    assert db.session.scalars(select(RulesAcceptance.version)).all() == [2]


def test_an_address_that_got_an_account_meanwhile_is_led_to_sign_in(browse, settle):
    make_rules()
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()
    make_user(email="robin@example.org")

    answer = browser.post(newest_link("robin@example.org"))

    assert answer.location == "/sign-in"
    assert "There is an account with this address already." in browser.get("/sign-in").text


def test_the_first_account_puts_the_rules_in_force_that_were_shown(browse, settle):
    assert queries.rules_in_force() is None
    browser = browse()
    shown = browser.get("/sign-up").text

    browser.post("/sign-up", data=ROBIN)
    settle()
    browser.post(newest_link("robin@example.org"))

    user = robin()
    assert "One idea for each need" in shown
    assert "One idea for each need" in queries.rules_in_force().body
    assert queries.has_accepted_rules(user)


def test_everything_but_the_password_stays_in_a_form_that_comes_back(browse):
    make_rules()

    answer = browse().post("/sign-up", data={**ROBIN, "password": "too short"})

    assert answer.status_code == 422
    assert 'value="robin@example.org"' in answer.text and 'value="Robin Hale"' in answer.text
    assert re.search(r'<input checked[^>]*name="agreed"|name="agreed"[^>]*checked', answer.text)
    assert "too short" not in answer.text
    assert "at least 15 characters" in answer.text


@pytest.mark.parametrize("missing", ["email", "name", "password", "agreed"])
def test_each_field_is_needed(browse, missing):
    make_rules()

    answer = browse().post("/sign-up", data={key: value for key, value in ROBIN.items() if key != missing})

    assert answer.status_code == 422
    assert f'href="#{missing}"' in answer.text
    assert queries.find_by_email("robin@example.org") is None


def test_everything_that_is_wrong_is_said_at_once(browse):
    make_rules()

    page = browse().post("/sign-up", data={"email": "x", "name": "R", "password": "short"}).text

    assert "4 things to put right first" in page
    assert all(f'id="{field}-error"' in page for field in ("email", "name", "password", "agreed"))


def test_agreeing_to_rules_that_changed_meanwhile_is_not_agreeing(browse):
    make_rules("First.")
    make_rules("Second.")

    answer = browse().post("/sign-up", data=ROBIN)

    assert answer.status_code == 422
    assert "read them once more" in answer.text and "Second." in answer.text
    assert 'value="2"' in answer.text


def test_s07_nobody_makes_themselves_an_admin(browse, settle):
    make_rules()
    more = {"role": "admin", "trusted_at": "2020-01-01", "confirmed_at": "2020-01-01"}
    browser = browse()

    browser.post("/sign-up", data={**ROBIN, **more})
    settle()
    browser.post(newest_link("robin@example.org"), data=more)

    user = robin()
    assert (user.role, user.trusted_at, user.confirmed_at.year) == ("member", None, utcnow().year)


def test_s16_signing_up_says_the_same_whether_or_not_there_is_an_account(browse):
    make_rules()
    make_user(email="known@example.org", with_password=True)
    make_user(email="gone@example.org", with_password=True, suspended_at=utcnow())

    pages = set()
    for address in ("known@example.org", "gone@example.org", "unknown@example.org"):
        browser = browse()
        led = browser.post("/sign-up", data={**ROBIN, "email": address})
        guess = browser.post(LOOK, data={"code": "000000"})
        again = browser.post(f"{LOOK}/again")
        pages.add((led.status_code, led.location, said(browser.get(LOOK)), said(guess), again.location))

    assert len(pages) == 1


def test_s16_the_mail_to_a_known_address_says_so_and_signs_in(browse, settle):
    make_rules()
    known = make_user(email="known@example.org", name="Known", with_password=True)
    browser = browse()

    browser.post("/sign-up?next=/rules", data={**ROBIN, "email": "known@example.org"})
    settle()
    [mail] = mails_to("known@example.org")
    answer = browser.post(LOOK, data={"code": newest_code("known@example.org")})

    assert mail["Subject"] == "You have an account"
    assert "Known" in words_of(mail)
    assert (answer.status_code, answer.location) == (303, "/rules")
    assert db.session.scalars(select(User.id)).all() == [known.id]


def test_s16_a_suspended_account_gets_no_mail(browse, settle):
    make_rules()
    make_user(email="gone@example.org", with_password=True, suspended_at=utcnow())

    browse().post("/sign-up", data={**ROBIN, "email": "gone@example.org"})
    settle()

    assert mails_to("gone@example.org") == []
    assert db.session.scalars(select(Mail.suppressed)).all() == ["no account that may be used"]


def test_s16_as_much_work_is_done_for_a_known_address_as_for_an_unknown_one(browse, monkeypatch):
    make_rules()
    make_user(email="known@example.org", with_password=True)
    work = []
    real = passwords._hasher()
    monkeypatch.setattr(passwords, "_hasher", lambda: Counting(real, work))
    passwords.is_right("warm", None)

    for path, fields, expected in (
        ("/sign-up", ROBIN, ["hash"]),
        ("/sign-in", {"password": PASSWORD[::-1]}, ["verify"]),
        ("/sign-in/link", {}, []),
        ("/password/forgotten", {}, []),
    ):
        asked = {}
        for number, address in enumerate(("known@example.org", "unknown@example.org")):
            browser, place = browse(), {"REMOTE_ADDR": f"192.0.2.{number}"}
            browser.get(path)
            work.clear()
            with counted() as statements:
                browser.post(path, data={**fields, "email": address}, environ_overrides=place)
            asked[address] = [re.sub(r"\s+", " ", statement) for statement in statements]

            assert work == expected, (path, address)
        assert asked["known@example.org"] == asked["unknown@example.org"], path


class Counting:
    """A hasher that counts what it does."""

    def __init__(self, real, work):
        self.real, self.work = real, work

    def __getattr__(self, name):
        if name in {"hash", "verify"}:
            self.work.append(name)
        return getattr(self.real, name)


@pytest.mark.parametrize("path", ["/sign-up", "/sign-in/link", "/password/forgotten"])
def test_s17_exactly_one_address_is_taken(browse, path):
    make_rules()
    two = {**ROBIN, "email": ["robin@example.org", "mallory@example.org"]}

    answers = [browse().post(path, data=two)]
    answers += [
        browse().post(path, data={**ROBIN, "email": text})
        for text in ("robin@example.org,mallory@example.org", "robin@example.org mallory@example.org", "nonsense")
    ]

    assert [answer.status_code for answer in answers] == [400, 422, 422, 422]
    assert db.session.scalars(select(Mail.id)).all() == []


def test_s17_the_token_is_256_bits_and_nothing_in_the_database_gives_it(browse):
    make_rules()
    browse().post("/sign-up", data=ROBIN)
    link = db.session.scalars(select(MailedLink)).one()

    number, secret = links.token_of(link).split("-", 1)
    row = " ".join(str(getattr(link, column.key)) for column in MailedLink.__table__.columns)
    mails = " ".join(str(mail.data) for mail in db.session.scalars(select(Mail)))

    assert number == str(link.id) and len(secret) >= 43
    assert secret not in row + mails and links.code_of(link) not in mails
    assert PASSWORD not in row


def test_s69_neither_link_nor_code_nor_password_is_logged(browse, settle, caplog):
    caplog.set_level("DEBUG")
    make_rules()
    browser = browse()
    browser.post("/sign-up", data=ROBIN)
    settle()
    link, code = newest_link("robin@example.org"), newest_code("robin@example.org")
    browser.get(link)
    browser.post(LOOK, data={"code": code})

    log = "\n".join(record.getMessage() for record in caplog.records)
    entries = str(db.session.execute(select(*SecurityEntry.__table__.columns)).all())
    for secret in (link.rpartition("/")[2], code, PASSWORD):
        assert secret not in log and secret not in entries


@pytest.mark.settings(MAIL_URL="")
@pytest.mark.parametrize("path", ["/sign-up", "/sign-in/link", "/password/forgotten"])
def test_a_portal_that_cannot_send_mail_says_so(browse, path):
    make_rules()
    browser = browse()

    shown, sent = browser.get(path), browser.post(path, data=ROBIN)

    assert "This portal cannot send mail yet" in shown.text and "This portal cannot send mail yet" in sent.text
    assert db.session.scalars(select(MailedLink.id)).all() == []


@pytest.mark.parametrize("mode", ["invitation", "domains"])
def test_who_may_not_join_is_told_so_whatever_accounts_there_are(browse, mode):
    make_rules()
    make_user(email="known@example.org")
    with transaction():
        decide("membership", mode)
        decide("domains", ["fellside.example"])

    answers = [
        browse().post("/sign-up", data={**ROBIN, "email": address})
        for address in ("known@example.org", "unknown@example.org")
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert said(answers[0]) == said(answers[1])
    assert ("by invitation only" if mode == "invitation" else "@fellside.example") in answers[0].text
    assert db.session.scalars(select(CaughtMail.id)).all() == []


def test_whoever_is_signed_in_needs_no_account(browse):
    answer = browse(make_user()).get("/sign-up?next=/rules")

    assert (answer.status_code, answer.location) == (303, "/rules")


@pytest.mark.settings(LIMITS=True)
def test_s54_accounts_cannot_be_opened_in_bulk(browse):
    make_rules()
    browser = browse()
    statuses = [browser.post("/sign-up", data={**ROBIN, "agreed": ""}).status_code for _ in range(11)]

    assert statuses == [422] * 10 + [429]


@either_way
def test_reading_the_form_stores_nothing(browse, headers):
    browse().get("/sign-up?next=/ideas/1&then=vote", headers=headers)

    with transaction():
        assert db.session.scalars(select(EventRecord.id)).all() == []
        assert queries.rules_in_force() is None


@pytest.mark.settings(LIMITS=True)
def test_s49_one_address_asks_for_five_mails_a_day(browse):
    make_rules()
    browser = browse()
    paths = ["/sign-up", "/sign-in/link", "/password/forgotten", "/sign-in/link", f"{LOOK}/again", "/sign-in/link"]

    statuses = [
        browser.post(path, data={**ROBIN, "email": f"robin{number}@example.org"}).status_code
        for number, path in enumerate(paths)
    ]

    assert statuses == [303] * 5 + [429]


@pytest.mark.settings(LIMITS=True, LIMITS_OVERRIDE="mail.strangers = 2 per hour")
def test_s49_the_portal_writes_to_so_many_strangers_an_hour_and_says_nothing(browse):
    make_rules()

    answers = [
        browse().post("/sign-up", data={**ROBIN, "email": f"robin{number}@example.org"}).location for number in range(3)
    ]

    assert answers == [LOOK] * 3
    assert len(db.session.scalars(select(Mail.id)).all()) == 2
    make_user(email="known@example.org")
    browse().post("/sign-in/link", data={"email": "known@example.org"})
    db.session.rollback()
    assert len(db.session.scalars(select(Mail.id)).all()) == 3


def test_s49_nobody_fills_a_strangers_mailbox(browse, settle):
    make_rules()

    answers = [browse().post("/sign-up", data=ROBIN).location for _ in range(4)]
    settle()

    assert answers == [LOOK] * 4
    assert len(mails_to("robin@example.org")) == 2


def test_a_code_that_was_never_mailed_opens_nothing(browse):
    make_rules()
    browser = browse()
    for _ in range(3):  # the third is over the ration of its address
        browser.post("/sign-up", data=ROBIN)
    unsent = db.session.scalars(select(MailedLink).order_by(MailedLink.id.desc())).first()

    answer = browser.post(LOOK, data={"code": links.code_of(unsent)})

    assert answer.status_code == 422 and robin() is None


def test_links_are_forgotten_a_day_after_their_end(browse, settle):
    make_rules()
    browse().post("/sign-up", data=ROBIN)

    with time_machine.travel(utcnow() + timedelta(hours=47), tick=False):
        settle()
        kept = db.session.scalars(select(MailedLink.id)).all()
    with time_machine.travel(utcnow() + timedelta(hours=49), tick=False):
        settle()

    assert len(kept) == 1
    assert db.session.scalars(select(MailedLink.id)).all() == []
