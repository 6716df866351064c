"""Going to an OpenID provider, and coming back."""

from __future__ import annotations

import time
from dataclasses import asdict

from flask import abort, g, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.extensions import limiter
from portal.notifications.links import absolute_url
from portal.security.log import note
from portal.sso import openid, queries
from portal.sso.models import Provider
from portal.sso.openid import Begun
from portal.sso.trouble import SignOnFailed
from portal.sso.views.base import aimed_now, arrive, bp, switched_on, way_of
from portal.sso.vouching import Vouched
from portal.transactions import transaction
from portal.web.limits import LIMITS, per_address
from portal.web.responses import go_to, own_path, page
from portal.web.session import member, renew_session, viewer

BACK_WITHIN = 900  # seconds
MOST_BEGUN = 3  # sign-ins at once in one browser, in as many tabs

NO = frozenset(
    {"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required"}
)
"""What providers answer when somebody does not want to, or may not."""
LATER = frozenset({"server_error", "temporarily_unavailable"})


@bp.post("/sso/<slug>")
@limiter.limit(LIMITS["sso"], key_func=per_address)
def start(slug: str) -> ResponseReturnValue:
    """Go and sign in at a provider; ``proof`` is for somebody signed in who has to show once more who they are."""
    provider = switched_on(slug)
    proof = request.form.get("proof") == "1" and viewer().is_signed_in
    g.aimed = aimed_now()
    url, begun = openid.begin(provider, redirect_uri(provider), again=proof)
    kept = {"begun": asdict(begun), "slug": slug, "aimed": g.aimed, "proof": proof, "at": int(time.time())}
    others = list(session.get("sso", {}).items())[-(MOST_BEGUN - 1) :]
    session["sso"] = {**dict(others), begun.state: kept}
    return page("sso/leaving.html", url=url, provider=provider)


@bp.get("/sso/<slug>/back")
def back(slug: str) -> ResponseReturnValue:
    """Come back from a provider; only the browser that went there can, and once."""
    provider = switched_on(slug)
    state = request.args.get("state", "")
    begun_here = dict(session.get("sso", {}))
    kept = begun_here.pop(state, None)
    if kept is None or kept["slug"] != slug or kept["at"] + BACK_WITHIN < time.time():
        raise SignOnFailed("gone", provider.name)
    session["sso"] = begun_here
    g.aimed = kept["aimed"]
    _check_answer(provider)
    vouched = openid.finish(provider, redirect_uri(provider), Begun(**kept["begun"]), request.args.get("code", ""))
    if kept["proof"]:
        return _prove(provider, vouched)
    return arrive(provider, vouched, kept["aimed"])


def redirect_uri(provider: Provider) -> str:
    """Return the address that people come back to, as it is registered at the provider."""
    return absolute_url("sso.back", slug=provider.slug)


def _check_answer(provider: Provider) -> None:
    """Raise SignOnFailed unless the answer holds a code, and is this provider's where it names one (RFC 9207)."""
    names = request.args.get("iss")
    if names != provider.issuer and (names or provider.found.get("metadata", {}).get("iss_in_answer")):
        raise SignOnFailed("claims", provider.name, error="iss")
    if error := request.args.get("error"):
        why = "refused" if error in NO else "no_answer" if error in LATER else "client"
        raise SignOnFailed(why, provider.name, error=error[:60])
    if not request.args.get("code"):
        raise SignOnFailed("token", provider.name, error="no code")


def _prove(provider: Provider, vouched: Vouched) -> ResponseReturnValue:
    identity = queries.find_identity(provider.id, vouched.issuer, vouched.subject)
    if not viewer().is_signed_in:
        abort(403)
    if identity is None or identity.user_id != member().id:
        raise SignOnFailed("other", provider.name)
    with transaction():
        renew_session()
        note("proved", user=member(), way=way_of(provider))
    return go_to(own_path(g.aimed.get("next"), url_for("accounts.show")), _("Thank you. You can go on."))
