"""Signing in at an OpenID provider: what has to be right, and what happens when one thing is not."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from portal.accounts.models import AuthSession, User
from portal.credentials.models import Authenticator
from portal.db import db, utcnow
from portal.sealing import seal
from portal.security.models import SecurityEntry
from portal.sso import providers
from portal.sso.models import Identity, Provider
from portal.transactions import transaction
from tests.factories import link_identity, make_provider, make_rules, make_user
from tests.sso.conftest import come_back, go_there, sign_in
from tests.support import on_one_database
from tests.support.openid import KINDS, SmallProvider, signed_by_secret, unsigned

pytestmark = pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")

SECRET = "a secret between the two of them, long enough"


@pytest.fixture
def provider(app, small):
    make_rules()
    return make_provider("Accounts", issuer=small.issuer, client_id="our-portal", secret=SECRET)


@pytest.fixture
def ada(app, provider):
    """Somebody who signs in with the provider."""
    ada = make_user(name="Ada", email="ada@example.org")
    link_identity(ada, provider, "ada-1")
    return ada


def signed_in(browser) -> str:
    """The name in the header of the page, or nothing."""
    db.session.rollback()
    with browser.session_transaction() as session:
        token = session.get("_user_id", "")
    row = db.session.get(AuthSession, sha256(token.encode()).hexdigest())
    return db.session.get(User, row.user_id).name if row else ""


def why() -> list[str]:
    db.session.rollback()
    entries = db.session.scalars(select(SecurityEntry).where(SecurityEntry.kind == "sign_in.sso_failed"))
    return [entry.data["why"] for entry in entries]


def test_the_way_there_says_who_we_are_and_proves_it_later(browse, provider, small):
    asked = go_there(browse(), provider)

    assert asked["to"] == f"{small.issuer}/authorize"
    assert asked["client_id"] == "our-portal" and asked["response_type"] == "code"
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/sso/accounts/back"
    assert asked["scope"] == "openid email profile" and asked["code_challenge_method"] == "S256"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    assert all(len(asked[part]) >= 43 for part in ("state", "nonce", "code_challenge"))


def test_somebody_known_is_let_in_and_goes_on_to_what_they_came_for(browse, provider, small, ada):
    browser = browse()
    answer = sign_in(browser, small, provider, next="/search?q=maps")

    assert (answer.status_code, answer.location) == (303, "/search?q=maps")
    assert signed_in(browser) == "Ada"
    row = db.session.scalars(select(AuthSession)).one()
    assert (row.way, row.second) == ("sso:accounts", False)
    path, form, authorization = next(asked for asked in small.asked if asked[0] == "/token")
    assert form["code"] == "a-code" and form["redirect_uri"] == small.asked_for["redirect_uri"]
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == f"our-portal:{SECRET}"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
@on_one_database
def test_s23_signatures_of_the_fixed_list_are_taken(browse, provider, small, ada, algorithm):
    small.use(algorithm)
    browser = browse()

    sign_in(browser, small, provider)

    assert signed_in(browser) == "Ada"


def soon() -> int:
    return int(time.time()) + 300


WRONG = {
    "issuer": {"iss": "https://somebody.example"},
    "issuer missing": {"iss": None},
    "audience": {"aud": "another-client"},
    "audience missing": {"aud": None},
    "one audience of several, and no party": {"aud": ["our-portal", "another"]},
    "authorised party": {"azp": "another-client"},
    "nonce": {"nonce": "another nonce"},
    "nonce missing": {"nonce": None},
    "expired": {"exp": 1_600_000_000, "iat": 1_600_000_000 - 300},
    "expiry missing": {"exp": None},
    "expiry in words": {"exp": "tomorrow"},
    "made in the future": {"iat": 4_000_000_000, "exp": 4_000_000_300},
    "not yet good": {"nbf": 4_000_000_000},
    "subject missing": {"sub": None},
    "subject empty": {"sub": ""},
    "subject too long": {"sub": "x" * 256},
    "subject no text": {"sub": 17},
    "access token's hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("what", list(WRONG))
@on_one_database
def test_s23_a_token_with_one_claim_wrong_lets_nobody_in(browse, provider, small, ada, what):
    small.claims = WRONG[what]
    browser = browse()

    answer = sign_in(browser, small, provider)

    assert answer.status_code == 502 and signed_in(browser) == ""
    assert len(why()) == 1


def right_claims(small: SmallProvider) -> dict[str, object]:
    about = {"iss": small.issuer, "aud": "our-portal", "nonce": small.asked_for["nonce"], "exp": soon()}
    return about | {"iat": soon() - 300, "sub": "ada-1"}


def other_key(small: SmallProvider) -> str:
    return small.sign(right_claims(small), key=KINDS["RS256"]("first"))


def altered(small: SmallProvider) -> str:
    head, _body, signature = small.sign(right_claims(small)).split(".")
    claims = right_claims(small) | {"sub": "somebody-else"}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def public_key_as_secret(small: SmallProvider) -> str:
    return signed_by_secret(right_claims(small), json.dumps(small.published[0].as_dict(private=False)))


FORGED = {
    "no signature": lambda small: unsigned(right_claims(small)),
    "signed with the client's secret": lambda small: signed_by_secret(right_claims(small), SECRET),
    "signed with the public key as a secret": public_key_as_secret,
    "signed by another key of the same name": other_key,
    "altered after signing": altered,
    "no token at all": lambda small: "rubbish",
    "two parts": lambda small: "e30.e30",
}


@pytest.mark.parametrize("how", list(FORGED))
@on_one_database
def test_s23_a_token_that_the_provider_did_not_sign_lets_nobody_in(browse, provider, small, ada, how):
    browser = browse()
    small.asked_for = go_there(browser, provider)
    small.id_token = FORGED[how](small)

    answer = come_back(browser, provider, small.asked_for)

    assert answer.status_code == 502 and signed_in(browser) == ""


def test_s23_the_state_works_once_and_only_in_this_browser(browse, provider, small, ada):
    browser, other = browse(), browse()
    small.asked_for = go_there(browser, provider)

    assert come_back(other, provider, small.asked_for).status_code == 422
    assert come_back(browser, provider, small.asked_for | {"state": "made up"}).status_code == 422
    assert come_back(browser, provider, small.asked_for | {"state": ""}).status_code == 422
    assert signed_in(browser) == signed_in(other) == ""
    assert come_back(browser, provider, small.asked_for).status_code == 303
    assert signed_in(browser) == "Ada"
    again = come_back(browser, provider, small.asked_for)
    assert again.status_code == 422 and "Begin again" in again.text


def test_s23_a_failed_answer_uses_the_state_up_too(browse, provider, small, ada):
    browser = browse()
    small.asked_for = go_there(browser, provider)

    come_back(browser, provider, small.asked_for, error="access_denied")

    assert come_back(browser, provider, small.asked_for).status_code == 422


def test_s23_an_answer_counts_only_for_the_provider_that_was_asked(browse, provider, small, ada):
    other = make_provider("Other", issuer=f"{small.issuer}/other")
    browser = browse()
    small.asked_for = go_there(browser, provider)

    assert come_back(browser, other, small.asked_for).status_code == 422
    small.asked_for = go_there(browser, provider)
    assert come_back(browser, provider, small.asked_for, iss="https://mixed.example").status_code == 502
    assert signed_in(browser) == ""
    small.asked_for = go_there(browser, provider)
    assert come_back(browser, provider, small.asked_for, iss=small.issuer).status_code == 303


def test_s23_the_code_is_worth_nothing_without_the_verifier(browse, provider, small, ada):
    browser = browse()
    small.asked_for = go_there(browser, provider) | {"code_challenge": "of another browser"}

    answer = come_back(browser, provider, small.asked_for)

    assert answer.status_code == 502 and signed_in(browser) == ""


def test_s23_the_account_is_found_by_issuer_and_subject_never_by_address(browse, provider, small, ada):
    make_user(name="Bob", email="bob@example.org")
    small.person["email"] = "bob@example.org"
    browser = browse()
    sign_in(browser, small, provider)
    assert signed_in(browser) == "Ada"

    small.person |= {"sub": "ADA-1", "email": "ada@example.org"}  # capitals make another person
    other = browse()
    sign_in(other, small, provider)
    assert signed_in(other) == ""


def test_keys_are_fetched_once_and_again_for_one_that_is_unknown(browse, provider, small, ada):
    def fetched() -> int:
        return sum(path == "/keys" for path, _form, _authorization in small.asked)

    for _ in range(3):
        sign_in(browse(), small, provider)
    assert fetched() == 1
    assert sum(path.endswith("configuration") for path, _form, _auth in small.asked) == 1

    small.use("ES256", "rotated")
    browser = browse()
    sign_in(browser, small, provider)
    assert (signed_in(browser), fetched()) == ("Ada", 2)

    small.header = {"kid": "never published"}
    answer = sign_in(browse(), small, provider)
    assert (answer.status_code, fetched()) == (502, 3)


def test_s60_with_the_provider_away_what_was_found_serves_and_other_ways_work(app, browse, provider, small, ada):
    sign_in(browse(), small, provider)
    with transaction(wake=False):
        db.session.get(Provider, provider.id).found_at -= timedelta(days=3)
    small.answers["/.well-known/openid-configuration"] = (503, "away")

    browser = browse()
    sign_in(browser, small, provider)
    assert signed_in(browser) == "Ada"

    small.answers["/token"] = (503, "away")
    browser = browse()
    answer = sign_in(browser, small, provider, next="/search?q=maps")
    assert answer.status_code == 502 and "All other ways to sign in work as before." in answer.text
    assert "/sign-in?next=/search?q%3Dmaps" in answer.text
    assert browser.get("/sign-in").status_code == 200


def test_s60_with_the_mail_server_away_a_providers_people_come_in(app, browse, provider, small, ada):
    app.config["MAIL_URL"] = "smtp://127.0.0.1:1"

    browser = browse()
    answer = sign_in(browser, small, provider)

    assert (answer.status_code, signed_in(browser)) == (303, "Ada")


ANSWERS = {
    "access_denied": ("refused", "Accounts said no"),
    "server_error": ("no_answer", "does not answer at the moment"),
    "invalid_scope": ("client", "not set up rightly"),
}


@pytest.mark.parametrize("error", list(ANSWERS))
def test_what_the_provider_refuses_is_told_in_plain_words(browse, provider, small, error):
    browser = browse()
    small.asked_for = go_there(browser, provider)

    answer = come_back(browser, provider, small.asked_for, error=error, error_description="<script>x</script>")

    assert why() == [ANSWERS[error][0]] and ANSWERS[error][1] in answer.text
    assert "<script>x" not in answer.text


def test_a_wrong_secret_is_the_admins_business(browse, provider, small):
    small.answers["/token"] = (401, json.dumps({"error": "invalid_client"}))

    answer = sign_in(browse(), small, provider)

    assert why() == ["client"] and "not set up rightly" in answer.text


def test_what_the_id_token_leaves_out_is_asked_for(browse, provider, small):
    small.claims = {"email": None, "email_verified": None, "name": None}
    small.userinfo = {"sub": "ada-1", "email": "ada@example.org", "email_verified": True, "name": "Ada Example"}
    assert "ada@example.org" in _new_page(browse(), small, provider)

    small.userinfo["sub"] = "somebody-else"
    assert "ada@example.org" not in _new_page(browse(), small, provider)


def _new_page(browser, small, provider) -> str:
    answer = sign_in(browser, small, provider)
    assert answer.location == "/sso/new"
    return browser.get("/sso/new").text


def test_a_provider_that_is_switched_off_is_not_there(browse, small):
    provider = make_provider(issuer=small.issuer)
    with transaction(wake=False):
        providers.switch(make_user(), provider, False)

    assert browse().post(f"/sso/{provider.slug}").status_code == 404
    assert browse().get(f"/sso/{provider.slug}/back?state=x").status_code == 404
    assert f"Go on with {provider.name}" not in browse().get("/sign-in").text


def test_somebody_suspended_is_not_let_in(browse, provider, small, ada):
    with transaction(wake=False):
        ada.suspended_at = utcnow()
    browser = browse()

    answer = sign_in(browser, small, provider)

    assert answer.status_code == 403 and signed_in(browser) == ""


def test_s14_the_second_factor_is_asked_for_after_the_provider_too(browse, provider, small, ada):
    with transaction(wake=False):
        db.session.add(Authenticator(user_id=ada.id, sealed_secret=seal("JBSWY3DPEHPK3PXP")))
    browser = browse()

    answer = sign_in(browser, small, provider)

    assert answer.location.startswith("/sign-in/second") and signed_in(browser) == ""


def test_the_sign_in_page_offers_each_provider_and_asks_no_statement_more(browse, provider):
    make_provider("Zeta")
    page = browse().get("/sign-in?next=/ideas/new").text

    assert page.index("Go on with Accounts") < page.index("Go on with Zeta")
    assert 'action="/sso/accounts?next=/ideas/new"' in page
    assert "Go on with Accounts" in browse().get("/sign-up").text
    assert db.session.scalars(select(Identity)).all() == []


def test_s22_somebody_signed_in_proves_it_once_more_with_their_provider(browse, provider, small, ada):
    browser = browse(ada)
    with transaction(wake=False):
        db.session.scalars(select(AuthSession)).one().proved_at -= timedelta(hours=1)
    page = browser.get("/account/prove?next=/account").text
    assert "Prove it with Accounts" in page

    answer = browser.post("/sso/accounts?next=/account", data={"proof": "1"})
    assert "prompt=login" in answer.text
    small.asked_for = _asked(answer.text)
    small.person["sub"] = "somebody-else"
    assert come_back(browser, provider, small.asked_for).status_code == 502
    answer = browser.post("/sso/accounts?next=/account", data={"proof": "1"})
    small.asked_for = _asked(answer.text)
    small.person["sub"] = "ada-1"
    assert come_back(browser, provider, small.asked_for).location == "/account"
    db.session.rollback()
    proved = db.session.scalars(select(AuthSession.proved_at)).one()
    assert proved > utcnow() - timedelta(minutes=1)


@pytest.mark.parametrize("said", [None, True, "an hour ago"])
def test_s22_a_provider_that_asked_for_nothing_proves_nothing(browse, provider, small, ada, said):
    browser = browse(ada)
    with transaction(wake=False):
        db.session.scalars(select(AuthSession)).one().proved_at -= timedelta(hours=1)
    small.claims["auth_time"] = int(time.time()) - 3600 if said == "an hour ago" else said
    answer = browser.post("/sso/accounts?next=/account", data={"proof": "1"})
    small.asked_for = _asked(answer.text)

    answer = come_back(browser, provider, small.asked_for)

    assert answer.status_code == 502 and "this proves nothing" in answer.text
    db.session.rollback()
    assert db.session.scalars(select(AuthSession.proved_at)).one() < utcnow() - timedelta(minutes=50)


def _asked(page: str) -> dict[str, str]:
    url = html.unescape(re.search(r'content="0; url=([^"]+)"', page)[1])
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
