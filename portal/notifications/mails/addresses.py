"""Addresses with letters outside ASCII, as mail servers take them: the domain always can be written without."""

from __future__ import annotations

from email.headerregistry import Address

from email_validator import EmailNotValidError, validate_email


def on_the_line(address: str) -> str:
    """Return an address with its domain as every mail server knows it: ``xn--bcher-kva.example``."""
    name, _at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        found = validate_email(f"a@{domain}", check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return address
    return f"{name}@{found.ascii_domain}"


def is_same(one: str, other: str) -> bool:
    """Whether two addresses are one, in whatever letters they were written."""
    return on_the_line(one).lower() == on_the_line(other).lower()


def in_header(address: str, name: str = "") -> Address:
    """Return an address for a header; the library parses one before the @ only where it is ASCII."""
    there = on_the_line(address)
    if there.isascii():
        return Address(name, addr_spec=there)
    before, _at, domain = there.rpartition("@")
    return Address(name, username=before, domain=domain)
