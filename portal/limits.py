"""How much one person, address or network may do in a while: every limit in one table, each of them a setting."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil
from typing import Any

from babel.units import format_unit
from flask import Flask, current_app
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from limits import RateLimitItem, parse_many

from portal.config import ConfigurationError
from portal.errors import Refusal

UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
PERSON, ADDRESS = _l("each member, and each visitor's address"), _l("each address")
ACCOUNT, ACCOUNT_AND_ADDRESS = _l("each account"), _l("each account and address together")


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: ``default`` as in ``5 per hour; 20 per day``, what it counts, and for whom.

    Calling it gives what holds in this portal, so that it can be handed to ``limiter.limit`` as it is.
    """

    name: str
    default: str
    counts: Any
    each: Any = PERSON

    def __call__(self) -> str:
        """Return the limit in force: the operator's, or the default."""
        overrides: dict[str, str] = current_app.extensions["limits"]
        return overrides.get(self.name, self.default)

    @property
    def is_changed(self) -> bool:
        """Whether the operator set another one."""
        return self() != self.default

    @property
    def in_words(self) -> list[tuple[int, str]]:
        """How many, in how long, for each of its parts."""
        return [(rate.amount, in_words(rate.get_expiry())) for rate in self.rates]

    @property
    def rates(self) -> list[RateLimitItem]:
        """The limit in force, each of its parts."""
        return parse_many(self())


LIMITS = {
    limit.name: limit
    for limit in (
        Limit("requests.visitor", "120 per minute; 30 per 10 seconds", _l("Pages for visitors"), ADDRESS),
        Limit("requests.member", "240 per minute", _l("Pages for members"), _l("each member")),
        Limit("requests.network", "3000 per minute", _l("Pages in all"), _l("each network: IPv4 /24, IPv6 /48")),
        Limit("ideas.create", "5 per hour; 20 per day", _l("Ideas posted")),
        Limit("comments.post", "10 per 10 minutes; 100 per day", _l("Comments posted")),
        Limit("mentions", "50 per day", _l("Colleagues called by name in notes")),
        Limit("comments.mentions", "50 per day", _l("People called by name in comments")),
        Limit("duplicates.propose", "10 per hour; 30 per day", _l("Ideas proposed as duplicates")),
        Limit("votes", "60 per minute; 500 per day", _l("Votes given and taken back")),
        Limit("needs", "20 per minute; 100 per day", _l("Words that something declined is still needed")),
        Limit("search", "60 per minute", _l("Searches")),
        Limit("similar", "120 per minute", _l("Looks for similar ideas while typing")),
        Limit("mail.inbound", "1200 per minute", _l("Mails that another server hands in"), ADDRESS),
        Limit("accounts.register", "10 per hour", _l("Sign-ups"), ADDRESS),
        Limit("invitations.sent", "60 per hour", _l("Rounds of invitations looked at or sent")),
        Limit("set_up", "20 per hour", _l("Tries to set the portal up"), ADDRESS),
        Limit("mail_test", "10 per hour", _l("Test mails")),
        Limit("invitations.accepted", "30 per hour", _l("Invitations accepted"), ADDRESS),
        Limit("accounts.confirmation", "2 per hour; 5 per day", _l("Confirmation mails asked for")),
        Limit("mail.address", "5 per day", _l("Mails asked for: sign-up, links, new passwords and addresses"), ADDRESS),
        Limit("mail.strangers", "200 per hour", _l("Mails to addresses that nobody has confirmed"), _l("the portal")),
        Limit("sso", "60 per hour", _l("Sign-ins begun with a provider, and hand-overs"), ADDRESS),
        Limit("push.browsers", "20 per hour", _l("Browsers added that are told at once")),
        Limit("push.test", "10 per hour", _l("Test messages to browsers")),
        Limit("passkeys", "30 per minute", _l("Passkeys added and tried")),
        Limit("accounts.picture", "20 per day", _l("Pictures of oneself uploaded")),
        Limit(
            "accounts.sign_in.account",
            "5 per 15 minutes",
            _l("Wrong passwords or codes; then a wait that grows from 30 seconds to 15 minutes"),
            ACCOUNT_AND_ADDRESS,
        ),
        Limit("accounts.sign_in.address", "20 per hour", _l("Wrong passwords"), ADDRESS),
        Limit(
            "accounts.sign_in.day",
            "50 per day",
            _l("Wrong passwords; then a new browser needs a mailed link"),
            ACCOUNT,
        ),
    )
}


class TooMuch(Refusal):
    """Somebody reached a limit and has to wait for some ``seconds``."""

    status = 429

    def __init__(self, seconds: float, message: str = "") -> None:
        self.seconds = max(1, ceil(seconds))
        super().__init__(message or wait(self.seconds))


def wait(seconds: int) -> str:
    """Say in a sentence how long to wait."""
    return str(
        _("That was a lot in a short time. You can go on in %(time)s. Your text is not lost.", time=in_words(seconds))
    )


def wait_reading(seconds: int) -> str:
    """Say how long to wait to somebody who sent no text that could be lost."""
    return str(_("That was a lot in a short time. You can go on in %(time)s.", time=in_words(seconds)))


def in_words(seconds: float) -> str:
    """Return a time as people say it, never shorter than it is: ``2 minutes``."""
    whole = ceil(seconds)
    unit = next((name for name in UNITS if whole % UNITS[name] == 0 or whole > 1.5 * UNITS[name]), "second")
    return format_unit(ceil(whole / UNITS[unit]), f"duration-{unit}", locale=get_locale() or "en")


def household(address: str) -> str:
    """Return an address as it is counted: of IPv6 the half that one household shares."""
    return within(address, 32, 64)


def within(address: str, four: int, six: int) -> str:
    """Return the network of an address: its first ``four`` bits of IPv4, or ``six`` of IPv6."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return str(ip_network((parsed, six if isinstance(parsed, IPv6Address) else four), strict=False))


def init_app(app: Flask) -> None:
    """Read the limits that the operator sets; refuse what is no limit."""
    app.extensions["limits"] = dict(_read(entry) for entry in app.config["LIMITS_OVERRIDE"].split(",") if entry.strip())


def _read(entry: str) -> tuple[str, str]:
    name, _sign, value = (part.strip() for part in entry.partition("="))
    if name not in LIMITS:
        raise ConfigurationError(f"PORTAL_LIMITS_OVERRIDE names {name!r}; there are {', '.join(sorted(LIMITS))}.")
    try:
        parse_many(value)
    except ValueError:
        raise ConfigurationError(
            f"PORTAL_LIMITS_OVERRIDE must be like 'votes = 30 per minute; 300 per day', not {entry.strip()!r}."
        ) from None
    return name, value


def hold() -> bool:
    """Whether limits hold in this portal at all."""
    return bool(current_app.config["LIMITS"])
