"""The customer's own product hands a person over by a signed token, good for minutes and once."""

from __future__ import annotations

import base64
import json
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import OctKey
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.queries import find_by_email
from portal.db import db, utcnow
from portal.sso import handover, providers, service
from portal.sso.models import Identity, UsedHandOver
from portal.transactions import transaction
from tests.factories import PASSWORD, link_identity, make_product, make_rules, make_user
from tests.support import on_one_database

AUDIENCE = "http://127.0.0.1:8000"


@pytest.fixture
def product(app):
    make_rules()
    return make_product("Fellside", "https://app.fellside.example")


def token(product, *, secret: str = "", header: dict[str, Any] | None = None, **claims: Any) -> str:
    now = int(time.time())
    said = {
        "iss": product[0].issuer,
        "aud": AUDIENCE,
        "sub": "user-17",
        "email": "ada@example.org",
        "email_verified": True,
        "name": "Ada Example",
        "iat": now,
        "exp": now + 120,
        "jti": f"once-{time.monotonic_ns()}",
    } | claims
    said = {name: value for name, value in said.items() if value is not None}
    key = OctKey.import_key(secret or product[2])
    head = {"alg": "HS256"} | (header or {})
    return jws.serialize_compact(head, json.dumps(said), key, algorithms=["HS256", "HS512"])


def bring(browser, given: str, **query: str):
    answer = browser.get("/hand-over", query_string={"token": given, **query})
    assert answer.status_code == 303
    return browser.get(answer.location)


def somebody_signed_in() -> bool:
    db.session.rollback()
    return db.session.scalars(select(AuthSession)).first() is not None


def test_a_hand_over_shows_whom_it_is_about_and_changes_nothing_until_the_button_is_pressed(browse, product):
    make_user(name="Ada", email="a@example.org")
    link_identity(find_by_email("a@example.org"), product[0], "user-17")
    browser = browse()

    shown = bring(browser, token(product), next="/search?q=maps")

    assert "Go on as Ada" in shown.text and 'action="/hand-over/go-on?next=/search?q%3Dmaps"' in shown.text
    assert not somebody_signed_in() and db.session.scalars(select(UsedHandOver)).all() == []
    answer = browser.post("/hand-over/go-on?next=/search?q%3Dmaps")
    assert (answer.status_code, answer.location) == (303, "/search?q=maps")
    db.session.rollback()
    assert db.session.scalars(select(AuthSession.way)).one() == "handover"


def test_the_token_stays_in_no_address(browse, product):
    browser = browse()
    given = token(product)

    answer = browser.get("/hand-over", query_string={"token": given})

    assert answer.location == "/hand-over" and given not in browser.get("/hand-over").text
    cookie = next(value for name, value in answer.headers if name == "Set-Cookie" and value.startswith("hand-over="))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/hand-over" in cookie


def test_s27_a_form_of_another_site_shows_the_page_and_touches_no_session(browse, product):
    cleo = make_user(name="Cleo")
    browser = browse(cleo)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://app.fellside.example"}
    browser.carries_token = False

    answer = browser.post("/hand-over", data={"token": token(product)}, headers=foreign)

    assert answer.status_code == 303
    assert [name for name, value in answer.headers if name == "Set-Cookie" and value.startswith("portal=")] == []
    assert "Go on as Ada Example" in browser.get("/hand-over").text
    assert browser.post("/hand-over/go-on").status_code == 400  # without the token of our own page
    browser.carries_token = True
    assert browser.post("/hand-over/go-on", headers=foreign).status_code == 403
    assert linked() == []


def linked() -> list[str]:
    db.session.rollback()
    return [row.subject for row in db.session.scalars(select(Identity))]


def test_s26_looking_at_a_hand_over_changes_nothing(browse, product):
    given, scanner = token(product), browse()

    for method in ("GET", "HEAD"):
        scanner.open("/hand-over", method=method, query_string={"token": given})
        scanner.open("/hand-over", method=method)

    assert db.session.scalars(select(UsedHandOver)).all() == [] and not somebody_signed_in()


def test_a_hand_over_works_once(browse, product):
    given, browser, other = token(product), browse(), browse()
    bring(browser, given), bring(other, given)
    assert browser.post("/hand-over/go-on").location == "/sso/new"

    refused = other.post("/hand-over/go-on")

    assert refused.status_code == 422 and "used already" in refused.text
    assert "used already" in bring(browse(), given).text
    assert bring(browse(), token(product)).status_code == 200


@pytest.mark.parametrize("verified", [True, False])
def test_s24_a_new_person_joins_and_an_address_with_an_account_is_proven_first(browse, product, verified):
    browser = browse()
    bring(browser, token(product, email_verified=verified))
    browser.post("/hand-over/go-on")
    answer = browser.post("/sso/new", data={"name": "Ada Example", "version": "1", "agreed": "y"})
    db.session.rollback()
    assert (find_by_email("ada@example.org") is not None) is verified
    assert answer.location == ("/" if verified else "/sso/mailed")

    make_user(name="Bob", email="bob@example.org", with_password=True)
    browser = browse()
    bring(browser, token(product, sub="user-18", email="bob@example.org", email_verified=verified))
    answer = browser.post("/hand-over/go-on")
    assert answer.location == ("/sso/link" if verified else "/sso/new")
    assert "user-18" not in linked()
    browser.post("/sign-in?next=/sso/link", data={"email": "bob@example.org", "password": PASSWORD})
    assert browser.post("/sso/link").status_code == (303 if verified else 409)
    assert ("user-18" in linked()) is verified


def ago(seconds: int) -> int:
    return int(time.time()) - seconds


WRONG: dict[str, tuple[Any, str]] = {
    "expired": (lambda: {"iat": ago(200), "exp": ago(10)}, "expired"),
    "too old": (lambda: {"iat": ago(310), "exp": ago(10) + 300}, "expired"),
    "from the future": (lambda: {"iat": ago(-120), "exp": ago(-200)}, "clock"),
    "good for too long": (lambda: {"exp": ago(-3600)}, "lifetime"),
    "over before it began": (lambda: {"iat": ago(-30), "exp": ago(-20)}, "lifetime"),
    "another audience": (lambda: {"aud": "https://elsewhere.example"}, "audience"),
    "another issuer": (lambda: {"iss": "https://elsewhere.example"}, "issuer"),
    "no address": (lambda: {"email": "nothing"}, "email"),
    **{f"no {claim}": (lambda claim=claim: {claim: None}, "missing") for claim in ("iss", "aud", "sub", "email")},
    **{f"without {claim}": (lambda claim=claim: {claim: None}, "missing") for claim in ("iat", "exp", "jti")},
    "time in words": (lambda: {"exp": "tomorrow"}, "missing"),
    "another secret": (lambda: {"secret": "x" * 43}, "signature"),
    "another algorithm": (lambda: {"header": {"alg": "HS512"}}, "algorithm"),
}


@pytest.mark.parametrize("what", list(WRONG))
@on_one_database
def test_a_hand_over_with_one_thing_wrong_lets_nobody_in_and_says_what_it_is(browse, product, what):
    make, why = WRONG[what]
    browser = browse()

    shown = bring(browser, token(product, **make()))

    assert shown.status_code == 422 and f"<code>{why}</code>" in shown.text
    browser.set_cookie("hand-over", token(product, **make()), path="/hand-over")
    assert browser.post("/hand-over/go-on").status_code == 422
    assert not somebody_signed_in() and linked() == []


def test_what_is_no_token_is_refused(browse, product):
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    body = base64.urlsafe_b64encode(json.dumps({"iss": product[0].issuer}).encode()).decode().rstrip("=")
    deep = base64.urlsafe_b64encode(b"[" * 2000).decode().rstrip("=")
    for rubbish in ("", "x", "a.b.c", "....", f"{head}.{body}.", f"{head}.{deep}.x"[:2900], "é.é.é", "x" * 5000):
        assert bring(browse(), rubbish).status_code == 422


def test_two_keys_count_while_they_are_changed(browse, product):
    provider, old, secret = product
    admin = make_user()
    with transaction(wake=False):
        _name, new = providers.make_key(admin, provider)
    assert bring(browse(), token(product)).status_code == 200
    assert bring(browse(), token(product, secret=new)).status_code == 200
    with pytest.raises(providers.TooManyKeys):
        providers.make_key(admin, provider)

    with transaction(wake=False):
        providers.remove_key(admin, provider, old)

    assert bring(browse(), token(product)).status_code == 422
    assert bring(browse(), token(product, secret=new)).status_code == 200


def test_used_hand_overs_are_forgotten_once_they_would_have_expired(app):
    with transaction(wake=False):
        service.use_hand_over("a" * 64, utcnow() - timedelta(seconds=1))
        service.use_hand_over("b" * 64, utcnow() + timedelta(minutes=5))

    assert handover.forget_hand_overs() == 1
    assert db.session.scalars(select(UsedHandOver.token_hash)).all() == ["b" * 64]


def test_s27_nobody_goes_on_as_another_than_the_page_showed(browse, product):
    for subject in ("shown", "slipped-in"):
        link_identity(make_user(), product[0], subject)
    browser = browse()
    browser.get(f"/hand-over?token={token(product, sub='shown')}")
    mark = re.search(r'name="mark" value="(\w+)"', browser.get("/hand-over").text)[1]
    other = token(product, sub="slipped-in")
    browser.post("/hand-over", data={"token": other}, headers={"Sec-Fetch-Site": "cross-site"})

    answer = browser.post("/hand-over/go-on", data={"mark": mark})

    assert answer.location == "/hand-over" and db.session.scalars(select(AuthSession)).all() == []
