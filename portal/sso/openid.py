"""Asking OpenID providers: what they say of themselves, where people go to sign in, and whom they vouch for."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ClaimError, ExpiredTokenError, JoseError
from joserfc.jwk import JWKRegistry
from joserfc.jws import JWSRegistry

from portal import outgoing
from portal.db import db, utcnow
from portal.outgoing import NO_ANSWER, OutgoingFailed, guard
from portal.sealing import SealBroken
from portal.sso.models import Provider
from portal.sso.queries import client_secret
from portal.sso.trouble import SignOnFailed
from portal.sso.vouching import Vouched, voucher
from portal.transactions import transaction

ALGORITHMS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
"""The signatures we believe, and the kind of key each takes; never ``none``, never one made with a shared secret."""
SCOPE = "openid email profile"
FRESH_FOR = timedelta(hours=24)
PROVEN_WITHIN = 300  # seconds
LEEWAY = 60  # seconds by which clocks may differ
NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class _Signatures(JWSRegistry):
    """Takes one algorithm and no other; EdDSA also under that older name, at which the library would warn."""

    max_header_length = 4096

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)

    def get_alg(self, name: str) -> Any:
        """Return how to check a signature."""
        return self.algorithms[name] if name == "EdDSA" and self.allowed == [name] else super().get_alg(name)


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way: what only the browser in which it began knows, and the provider's answer must match."""

    state: str
    nonce: str
    verifier: str
    again: bool = False  # whether the provider was asked to have them prove who they are now


def begin(provider: Provider, redirect_uri: str, *, again: bool = False) -> tuple[str, Begun]:
    """Return where to send somebody to sign in, and what to keep until they come back.

    ``again`` asks the provider to have them prove who they are although they are signed in there.
    """
    metadata = discover(provider)
    state, nonce, verifier = (secrets.token_urlsafe(32) for _part in range(3))
    begun = Begun(state, nonce, verifier, again)
    with _client(provider, metadata, redirect_uri) as client:
        url, _state = client.create_authorization_url(
            metadata["authorization_endpoint"],
            state=begun.state,
            code_verifier=begun.verifier,
            nonce=begun.nonce,
            **({"prompt": "login", "max_age": "0"} if again else {}),
        )
    return str(url), begun


def finish(provider: Provider, redirect_uri: str, begun: Begun, code: str) -> Vouched:
    """Trade the code that somebody came back with for the provider's word about who they are."""
    metadata = discover(provider)
    try:
        with _client(provider, metadata, redirect_uri) as client:
            token = client.fetch_token(
                metadata["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=begun.verifier,
            )
            claims = _verified(provider, metadata, token, begun.nonce)
            if "email" not in claims and (more := metadata.get("userinfo_endpoint")):
                claims = _with_userinfo(claims, client, more)
    except AuthlibBaseError as error:
        refused = error.error in {"invalid_client", "unauthorized_client"}
        raise SignOnFailed("client" if refused else "token", provider.name, error=error.error) from error
    except OutgoingFailed as error:
        raise _not_asked(provider, metadata["token_endpoint"], error) from error
    except (ValueError, KeyError, OSError) as error:  # an answer that is no JSON, or another status
        raise SignOnFailed("token", provider.name, error=type(error).__name__) from error
    if begun.again:
        _check_proven_now(provider, claims)
    return voucher(provider, claims)


def _check_proven_now(provider: Provider, claims: dict[str, Any]) -> None:
    """Raise SignOnFailed unless the provider says that they proved who they are a moment ago.

    Whoever is asked with ``max_age`` must say when that was (OpenID Connect Core 1.0, section 2, ``auth_time``).
    """
    proven_at = claims.get("auth_time")
    if (
        isinstance(proven_at, bool)
        or not isinstance(proven_at, int)
        or proven_at < time.time() - PROVEN_WITHIN - LEEWAY
    ):
        raise SignOnFailed("not_again", provider.name)


def discover(provider: Provider, *, again: bool = False) -> dict[str, Any]:
    """Return what a provider says of itself; asked once a day, and what it said last while it does not answer."""
    known: dict[str, Any] = provider.found.get("metadata", {})
    fresh = provider.found_at is not None and provider.found_at + FRESH_FOR > utcnow()
    if known and fresh and not again:
        return known
    try:
        metadata = _metadata(provider)
    except SignOnFailed as problem:
        if known and not again and problem.why == "no_answer":
            return known
        raise
    _keep(provider, metadata=metadata)
    return metadata


def keys_of(provider: Provider) -> list[dict[str, Any]]:
    """Return the keys a provider signs with, asked anew; raise SignOnFailed where none is of a kind we believe."""
    keys = _fetch_keys(provider, discover(provider))
    if not any(_fitting(keys, algorithm, None) for algorithm in ALGORITHMS):
        raise SignOnFailed("algorithms", provider.name, list=", ".join(ALGORITHMS))
    return keys


def _metadata(provider: Provider) -> dict[str, Any]:
    url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    metadata = _json(provider, url)
    if metadata.get("issuer") != provider.issuer:
        raise SignOnFailed("other_issuer", provider.name, found=str(metadata.get("issuer", ""))[:300])
    if missing := [name for name in NEEDED if not isinstance(metadata.get(name), str)]:
        raise SignOnFailed("incomplete", provider.name, what=", ".join(missing))
    signs = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    if not set(ALGORITHMS) & set(map(str, signs)):
        raise SignOnFailed("algorithms", provider.name, list=", ".join(ALGORITHMS))
    if urlsplit(metadata["authorization_endpoint"]).scheme not in {"https", urlsplit(provider.issuer).scheme}:
        raise SignOnFailed("outgoing", provider.name, reason="scheme", host=metadata["authorization_endpoint"][:200])
    wanted = (*NEEDED, "userinfo_endpoint", "token_endpoint_auth_methods_supported")
    kept = {name: metadata[name] for name in wanted if metadata.get(name)}
    return kept | {"iss_in_answer": metadata.get("authorization_response_iss_parameter_supported") is True}


def _json(provider: Provider, url: str) -> dict[str, Any]:
    try:
        answer = outgoing.get(url, headers={"Accept": "application/json"})
    except OutgoingFailed as error:
        raise _not_asked(provider, url, error) from error
    except ValueError as error:  # no address at all
        raise SignOnFailed("not_found", provider.name, url=url, status="") from error
    if answer.status_code >= 500:
        raise SignOnFailed("no_answer", provider.name, host=urlsplit(url).hostname, reason=str(answer.status_code))
    if answer.status_code != 200:
        raise SignOnFailed("not_found", provider.name, url=url, status=answer.status_code)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SignOnFailed("not_json", provider.name, url=url)
    return found


def _not_asked(provider: Provider, url: str, error: OutgoingFailed) -> SignOnFailed:
    why = "no_answer" if error.why in NO_ANSWER else "outgoing"
    return SignOnFailed(why, provider.name, reason=error.why, host=urlsplit(url).hostname or url)


def _client(provider: Provider, metadata: dict[str, Any], redirect_uri: str) -> OAuth2Session:
    try:
        secret = client_secret(provider)
    except SealBroken as error:
        raise SignOnFailed("client", provider.name, error="sealed under another secret key") from error
    methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    by = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
    return guard(OAuth2Session(
        client_id=provider.client_id,
        client_secret=secret or None,
        token_endpoint_auth_method=by if secret else "none",
        scope=SCOPE,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    ))  # fmt: skip


def _verified(provider: Provider, metadata: dict[str, Any], token: dict[str, Any], nonce: str) -> dict[str, Any]:
    """Return what an ID token says, once its signature and every claim were found right."""
    header, claims = _signed(provider, metadata, str(token.get("id_token", "")))
    options: Any = {
        "iss": {"essential": True, "value": metadata["issuer"]},
        "aud": {"essential": True, "value": provider.client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }
    params = {"nonce": nonce, "client_id": provider.client_id, "access_token": token.get("access_token")}
    try:
        CodeIDToken(claims, header, options, params).validate(leeway=LEEWAY)
    except ClaimError as error:
        clock = isinstance(error, ExpiredTokenError) or getattr(error, "claim", "") in {"exp", "iat", "nbf"}
        raise SignOnFailed("clock" if clock else "claims", provider.name, error=str(error)[:100]) from error
    return claims


def _signed(provider: Provider, metadata: dict[str, Any], id_token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header = _header(id_token)
    algorithm, kid = str(header.get("alg", "")), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise SignOnFailed("algorithm", provider.name, error=algorithm[:20])
    keys = _fitting(provider.found.get("jwks", []), algorithm, kid)
    if not keys:
        keys = _fitting(_fetch_keys(provider, metadata), algorithm, kid)
    for key in keys:
        try:
            read = jwt.decode(id_token, JWKRegistry.import_key(key), registry=_Signatures(algorithm))
        except (JoseError, ValueError):
            continue
        return dict(read.header), dict(read.claims)
    raise SignOnFailed("signature", provider.name)


def _header(id_token: str) -> dict[str, Any]:
    first = id_token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (binascii.Error, ValueError):
        return {}
    return header if isinstance(header, dict) else {}


def _fetch_keys(provider: Provider, metadata: dict[str, Any]) -> list[dict[str, Any]]:
    keys = _json(provider, metadata["jwks_uri"]).get("keys")
    found = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    _keep(provider, jwks=found)
    return found


def _keep(provider: Provider, **found: Any) -> None:
    """Remember what a provider said, for the next sign-ins."""
    when = {"found_at": utcnow()} if "metadata" in found else {}
    with transaction(wake=False):
        changed = sa.update(Provider).where(Provider.id == provider.id)
        db.session.execute(changed.values(found={**provider.found, **found}, **when))


def _fitting(keys: list[dict[str, Any]], algorithm: str, kid: Any) -> list[dict[str, Any]]:
    """The keys that may have made this signature."""
    return [
        key
        for key in keys
        if key.get("kty") == ALGORITHMS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]


def _with_userinfo(claims: dict[str, Any], client: OAuth2Session, url: str) -> dict[str, Any]:
    """Add what the provider tells only on asking, if it is about the same person."""
    answer = client.get(url, headers={"Accept": "application/json"})
    more = answer.json() if answer.status_code == 200 else {}
    if not isinstance(more, dict) or more.get("sub") != claims["sub"]:
        return claims
    return claims | {name: more[name] for name in ("email", "email_verified", "name") if name in more}
