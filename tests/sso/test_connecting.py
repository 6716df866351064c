"""Admins connect providers, and are told in words what is wrong."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import AuthSession
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.security.models import SecurityEntry
from portal.sso import queries
from portal.sso.models import Identity, Provider
from portal.transactions import transaction
from tests.factories import link_identity, make_product, make_provider, make_user
from tests.support import on_one_database

pytestmark = pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")
SECRET = "a-very-secret-client-secret"


@pytest.fixture
def admin(browse):
    return browse(make_user(Role.ADMIN))


def one() -> Provider:
    db.session.rollback()
    return db.session.scalars(select(Provider)).one()


def test_an_admin_connects_a_provider_step_by_step(admin, browse, small):
    made = admin.post("/admin/providers/new/openid", data={"name": "Fell Accounts", "issuer": small.issuer})
    here = made.location
    page = admin.get(here).text
    assert "http://127.0.0.1:8000/sso/fell-accounts/back" in page and "switched off" in page
    assert "Enter the client id first" in admin.post(f"{here}/switch", data={"on": "1"}).text

    admin.post(here, data={"name": "Fells", "issuer": small.issuer, "client_id": "portal", "secret": SECRET})
    tested = admin.post(f"{here}/test").text
    admin.post(f"{here}/switch", data={"on": "1"})

    assert "It answers, and signs in a way we take" in tested
    provider = one()
    assert (provider.slug, provider.name, provider.enabled, provider.admits) == ("fell-accounts", "Fells", True, False)
    assert "Go on with Fells" in browse().get("/sign-in").text
    kinds = db.session.scalars(select(SecurityEntry.kind)).all()
    assert {"provider.added", "provider.changed", "provider.switched_on"} <= set(kinds)

    admin.post(f"{here}/switch")
    assert "Go on with Fells" not in browse().get("/sign-in").text


def test_s69_a_secret_can_be_written_and_never_read(admin, small, caplog):
    provider = make_provider(issuer=small.issuer, secret=SECRET)
    here = f"/admin/providers/{provider.id}"

    assert SECRET not in admin.get(here).text and "Leave this empty to keep it" in admin.get(here).text
    answer = admin.post(
        here, data={"name": "", "issuer": small.issuer, "client_id": "portal", "secret": "new-secret-x"}
    )
    assert answer.status_code == 422 and "new-secret-x" not in answer.text
    admin.post(here, data={"name": "Other", "issuer": small.issuer, "client_id": "portal", "secret": ""})

    assert queries.client_secret(one()) == SECRET and SECRET not in one().sealed_secret
    assert SECRET not in caplog.text


MISTAKES = {
    "there is nothing": ((404, ""), {}, "answers 404. Is the issuer right?"),
    "a page for people": ((200, "<html>"), {}, "is not a discovery document"),
    "another issuer": (None, {"issuer": "https://other.example"}, "names another issuer: https://other.example"),
    "no token endpoint": (None, {"token_endpoint": None}, "lacks token_endpoint"),
    "only signatures we do not take": (
        None,
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        "It signs with none of RS256",
    ),
    "it leads elsewhere": ((302, ""), {}, "leads on to another address"),
    "too much": ((200, " " * 70_000), {}, "more than 64 KiB"),
    "broken": ((500, ""), {}, "cannot be reached"),
}


@pytest.mark.parametrize("what", list(MISTAKES))
@on_one_database
def test_the_test_says_in_words_what_is_wrong(admin, small, what):
    answer, metadata, words = MISTAKES[what]
    if answer:
        small.answers["/.well-known/openid-configuration"] = answer
    small.metadata = metadata
    provider = make_provider(issuer=small.issuer)

    assert words in admin.post(f"/admin/providers/{provider.id}/test").text


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("https://10.0.0.1", "stands in an inner net"),
        ("http://93.184.216.34", "without TLS"),
        ("https://no-such-name.invalid", "There is no server called no-such-name.invalid"),
        ("https://127.0.0.1:1", "127.0.0.1 cannot be reached"),
    ],
)
@on_one_database
def test_s50_the_test_says_where_the_portal_may_not_or_cannot_ask(admin, issuer, words):
    provider = make_provider(issuer=issuer)

    assert words in admin.post(f"/admin/providers/{provider.id}/test").text


def test_a_provider_without_usable_keys_is_noticed(admin, small):
    small.answers["/keys"] = (200, json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}]}))
    provider = make_provider(issuer=small.issuer)

    assert "It signs with none of" in admin.post(f"/admin/providers/{provider.id}/test").text


def test_an_issuer_speaks_for_one_provider_only(admin, small):
    make_provider("First", issuer=small.issuer)
    for kind in ("openid", "handover"):
        answer = admin.post(f"/admin/providers/new/{kind}", data={"name": "Second", "issuer": small.issuer})
        assert answer.status_code == 422 and "First has this issuer already" in answer.text
    for issuer in ("accounts.example", "ftp://accounts.example", "https://", "https://a.example/?x=1"):
        assert admin.post("/admin/providers/new/openid", data={"name": "X", "issuer": issuer}).status_code == 422


def test_the_issuer_stays_once_people_are_linked_by_it(admin, small):
    provider = make_provider(issuer=small.issuer)
    link_identity(make_user(), provider)

    answer = admin.post(
        f"/admin/providers/{provider.id}",
        data={"name": "Same", "issuer": "https://evil.example", "client_id": "portal"},
    )

    assert answer.status_code == 422 and "so it stays" in answer.text and one().issuer == small.issuer


def test_a_removed_provider_takes_its_links_and_no_account(admin, browse, small):
    provider, cleo = make_provider("Going", issuer=small.issuer), make_user(name="Cleo")
    link_identity(cleo, provider)
    here = f"/admin/providers/{provider.id}"

    assert "1 person signs in with it" in admin.get(f"{here}/remove").text
    admin.post(f"{here}/remove")

    db.session.rollback()
    assert db.session.scalars(select(Identity)).all() == [] and db.session.get(type(cleo), cleo.id)
    assert "Go on with Going" not in browse().get("/sign-in").text
    assert "provider.removed" in db.session.scalars(select(SecurityEntry.kind)).all()


def test_the_secret_of_a_key_is_shown_once(admin):
    admin.post("/admin/providers/new/handover", data={"name": "Our app", "issuer": "https://app.example"})
    here = f"/admin/providers/{one().id}"
    assert "Make a key first" in admin.post(f"{here}/switch", data={"on": "1"}).text

    shown = admin.post(f"{here}/keys").text
    secret = re.search(r'<code id="secret">([^<]+)</code>', shown)[1]

    assert len(secret) >= 43 and secret not in admin.get(here).text
    assert list(queries.signing_keys(one()).values()) == [secret]
    admin.post(f"{here}/switch", data={"on": "1"})
    assert one().enabled
    name = next(iter(queries.signing_keys(one())))
    admin.post(f"{here}/keys/{name}/remove")
    assert queries.signing_keys(one()) == {} and not one().enabled


def test_s22_connecting_takes_a_fresh_proof(admin, small):
    openid, product = make_provider(issuer=small.issuer), make_product()[0]
    with transaction(wake=False):
        db.session.scalars(select(AuthSession)).one().proved_at = utcnow() - timedelta(minutes=16)

    pages = ["/admin/providers", "/admin/providers/new/openid", f"/admin/providers/{openid.id}"]
    acts = [
        "/admin/providers/new/openid",
        f"/admin/providers/{openid.id}",
        *(f"/admin/providers/{openid.id}/{what}" for what in ("test", "switch", "remove")),
        f"/admin/providers/{product.id}/keys",
        f"/admin/providers/{product.id}/keys/x/remove",
    ]
    answers = [admin.get(page) for page in pages] + [admin.post(act) for act in acts]

    assert all((answer.location or "").startswith("/account/prove") for answer in answers)
