"""Counting requests: by person, by address, by network."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

from flask import Flask, current_app, request, session
from flask_limiter.util import get_remote_address
from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter, RateLimiter

from portal import limits
from portal.accounts.models import User
from portal.db import db
from portal.extensions import limiter
from portal.limits import LIMITS, TooMuch, household, wait_reading, within
from portal.security.log import note
from portal.transactions import transaction
from portal.web.session import forget_viewer, viewer

__all__ = ["LIMITS", "per_address", "per_person"]

log = logging.getLogger(__name__)

UNCOUNTED = frozenset({"assets", "static", "pages.healthz", "pages.readyz", "search.similar", "inbound.receive"})
"""Files that are the same for everybody, what asks whether the portal is well, and what has a limit of its own while
somebody types."""
ASK_AGAIN = 5.0  # seconds after which a store that was away is asked again
MOST_NOTED = 100  # refusals written down in a minute: a flood must not become a flood of entries


def init_app(app: Flask) -> None:
    """Count requests where the configuration says; comes before all that looks at a request."""
    limits.init_app(app)
    limiter.init_app(app)
    app.extensions["requests"] = Requests(app)
    if app.config["LIMITS"]:
        app.before_request(_count_request)


class RequestsExceeded(TooMuch):
    """More requests than a person, an address or a network may make."""


class Requests:
    """What was asked for of late, counted in the shared store, and in this process while that is away."""

    def __init__(self, app: Flask) -> None:
        self._own: RateLimiter = MovingWindowRateLimiter(MemoryStorage())
        self._away_until = float("-inf")
        with app.app_context():
            self._rates = {name: LIMITS[f"requests.{name}"].rates for name in ("visitor", "member", "network")}

    def wait(self, address: str, member: int | None = None) -> tuple[int, str]:
        """Count one request; return 0, or for how many seconds there may be none, and the limit that was reached."""
        for name, whom in _counted(address, member):
            for rate in self._rates[name]:
                if seconds := self._hit(rate, name, whom):
                    return seconds, f"requests.{name}"
        return 0, ""

    def take(self, name: str) -> bool:
        """Count one for the portal as a whole; False when there is none left."""
        return sum(self._hit(rate, name) for rate in LIMITS[name].rates) == 0

    def _hit(self, rate: RateLimitItem, *key: str) -> int:
        if time.monotonic() >= self._away_until:
            try:
                return _hit(limiter._limiter or self._own, rate, key)  # `limiter.limiter` falls back by itself
            except Exception:
                log.warning("the store for rate limits is away: counting in this process", exc_info=True)
                self._away_until = time.monotonic() + ASK_AGAIN
        return _hit(self._own, rate, key)


def per_person() -> str:
    """Count by account, and visitors by address."""
    person = viewer()
    return f"member:{person.id}" if person.is_signed_in else f"address:{_address()}"


def per_address() -> str:
    """Count by address."""
    return f"address:{_address()}"


def may_write_to_strangers() -> bool:
    """Count one mail to an address that may be nobody's here; False when the portal sent all it may for now."""
    if not limits.hold():
        return True
    requests: Requests = current_app.extensions["requests"]
    return requests.take("mail.strangers")


def note_refusal(limit: str, user_id: int | None) -> None:
    """Write down that a limit was reached, once a minute for each address."""
    minute, address = int(time.time() // 60), household(request.remote_addr or "")
    noted: tuple[int, set[Any]] = current_app.extensions.get("refusals noted", (0, set()))
    if noted[0] != minute:
        current_app.extensions["refusals noted"] = noted = (minute, set())
    if (address, limit) in noted[1] or len(noted[1]) >= MOST_NOTED:
        return
    noted[1].add((address, limit))
    with transaction(wake=False):
        note("limited", user=db.session.get(User, user_id) if user_id else None, limit=limit)


def _count_request() -> None:
    if request.endpoint in UNCOUNTED:
        return
    member = session.get("member")
    requests: Requests = current_app.extensions["requests"]
    seconds, limit = requests.wait(request.remote_addr or "", member)
    if seconds:
        forget_viewer()  # saying no must cost less than what was asked for
        note_refusal(limit, member)
        raise RequestsExceeded(seconds, wait_reading(seconds) if request.method == "GET" else "")


def _counted(address: str, member: int | None) -> Iterator[tuple[str, str]]:
    yield ("member", str(member)) if member else ("visitor", household(address))
    yield "network", within(address, 24, 48)


def _hit(counter: RateLimiter, rate: RateLimitItem, key: tuple[str, ...]) -> int:
    if counter.hit(rate, *key):
        return 0
    return max(0, int(counter.get_window_stats(rate, *key).reset_time - time.time())) + 1


def _address() -> str:
    """Where the request comes from; of an IPv6 address the half that one household shares."""
    return household(get_remote_address())
