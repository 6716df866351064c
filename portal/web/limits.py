"""How much one person or address may do in a while; all in one table."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from flask import Flask, request
from flask_limiter.util import get_remote_address

from portal.extensions import limiter
from portal.web.session import viewer

LIMITS = {
    "ideas.create": "5 per hour; 20 per day",
    "comments.post": "10 per 10 minutes; 100 per day",
    "votes": "60 per minute; 500 per day",
    "search": "60 per minute",
    "similar": "120 per minute",
    "accounts.register": "10 per hour",
    "accounts.confirmation": "2 per hour; 5 per day",
    "accounts.sign_in.address": "20 per hour",
    "accounts.sign_in.account": "5 per 15 minutes",
}


def init_app(app: Flask) -> None:
    """Count requests where the configuration says."""
    limiter.init_app(app)


def per_person() -> str:
    """Count by account, and visitors by address."""
    person = viewer()
    return f"member:{person.id}" if person.is_signed_in else f"address:{_address()}"


def per_address() -> str:
    """Count by address."""
    return f"address:{_address()}"


def per_account_and_address() -> str:
    """Count wrong passwords by the account they are for and where they come from, so that nobody locks others out."""
    return f"{request.form.get('email', '').strip().lower()[:254]}|{_address()}"


def _address() -> str:
    """Where the request comes from; of an IPv6 address the half that one household shares."""
    address = get_remote_address()
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
