"""The group of addresses, and what becomes of somebody for whom a provider gave its word."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

from flask import Blueprint, abort, g, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts import queries as accounts
from portal.security.log import note
from portal.sso import queries, service
from portal.sso.models import Provider
from portal.sso.trouble import SignOnFailed
from portal.sso.vouching import Vouched
from portal.transactions import transaction
from portal.web import resume
from portal.web.entry import aim, enter
from portal.web.responses import go_to, page
from portal.web.session import member, viewer

bp = Blueprint("sso", __name__)

WAITS_FOR = 1800  # seconds in which somebody chooses a name, or proves an account to link
LONGEST_NEXT = 500  # characters: it waits in a cookie


@bp.app_template_global("sign_on_offers")
def _offers() -> list[queries.Offer]:
    return queries.offers()


@bp.app_template_global("linked_sign_ins")
def _linked() -> queries.Mine:
    return queries.mine(member())


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody for whom a provider gave its word a moment ago, in this browser, and what they came for."""

    provider: Provider
    vouched: Vouched
    aimed: dict[str, str]

    @property
    def way(self) -> str:
        """How they sign in, as sessions note it."""
        return way_of(self.provider)


def way_of(provider: Provider) -> str:
    """Return how sessions note that somebody came by this provider."""
    return "handover" if provider.kind == queries.HANDOVER else f"sso:{provider.slug}"


def aimed_now() -> dict[str, str]:
    """Return what this request says the person came for, short enough to wait in a cookie."""
    aimed = aim()
    return aimed if len(aimed.get("next", "")) <= LONGEST_NEXT else {}


def arrive(provider: Provider, vouched: Vouched, aimed: dict[str, str]) -> Response:
    """Let in whom this word belongs to; whom it belongs to nobody yet may open an account, or link it to theirs."""
    identity = queries.find_identity(provider.id, vouched.issuer, vouched.subject)
    if identity is not None:
        user = identity.user
        if not user.is_active:
            raise SignOnFailed("suspended", provider.name)
        with transaction(wake=False):
            service.note_use(identity, vouched)
        return enter(user, way_of(provider), aimed=aimed)
    known = vouched.verified and accounts.find_by_email(vouched.email) is not None
    links = known or viewer().is_signed_in
    if links and (act := resume.act_for_link()):
        session.pop("pending", None)  # done after linking, not on the way to it
        aimed = aimed | {"act": act}
    session["vouched"] = {"word": asdict(vouched), "aimed": aimed, "at": int(time.time())}
    return go_to(url_for("sso.link" if links else "sso.new"))


def waiting() -> Waiting | None:
    """Return for whom a provider gave its word in this browser of late, if nothing became of it yet."""
    kept: dict[str, Any] | None = session.get("vouched")
    if not kept or kept["at"] + WAITS_FOR < time.time():
        return None
    provider = queries.provider_by_id(kept["word"]["provider_id"])
    if provider is None or not provider.enabled:
        return None
    return Waiting(provider, Vouched(**kept["word"]), dict(kept["aimed"]))


def still_waiting() -> Waiting:
    """Return for whom a provider gave its word in this browser; raise SignOnFailed where that was too long ago."""
    kept = waiting()
    if kept is None:
        raise SignOnFailed("gone", str(_("the provider")))
    g.aimed = kept.aimed
    return kept


def switched_on(slug: str) -> Provider:
    """Return an OpenID provider that people may sign in with; any other is a 404."""
    provider = queries.find_provider(slug)
    if provider is None or not provider.enabled:
        abort(404)
    return provider


@bp.errorhandler(SignOnFailed)
def _explain(problem: SignOnFailed) -> Response:
    """Say why nobody was signed in; whoever wants to can go another way, and nothing they began is lost."""
    if problem.why != "gone":  # then nobody asked a provider for anything
        with transaction(wake=False):
            note("sign_in.sso_failed", user=None, provider=problem.name, why=problem.why, **problem.detail)
    keep = {key: value for key, value in g.get("aimed", {}).items() if key in {"next", "then"}}
    return page("sso/failed.html", status=problem.status, problem=problem, keep=keep)
