"""What stands in the DNS of a domain that mails come from, so that others believe them; with values to copy."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import current_app
from flask_babel import gettext as _

from portal.notifications.mails.addresses import on_the_line
from portal.notifications.mails.letter import sender_address


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its name and a value to begin with, and what it is for."""

    what: str
    name: str
    kind: str
    value: str
    why: str

    @property
    def asked(self) -> str:
        """The command that shows whether it stands there; empty where another record could do the same."""
        return f"dig +short TXT {self.name}" if self.kind == "TXT" else ""


@dataclass(frozen=True, slots=True)
class Domains:
    """Which domains a mail of this portal names, as those see who receive it."""

    sender: str  # of the address in From
    envelope: str  # of the address that a mail goes back to
    portal: str  # of the links

    @property
    def is_public(self) -> bool:
        """Whether the sender's domain can have records at all."""
        return "." in self.sender and not _is_number(self.sender) and not self.sender.endswith((".localhost", ".local"))

    @property
    def is_akin(self) -> bool:
        """Whether the portal and its mails seem to be of one house."""
        return _are_akin(self.sender, self.portal)

    @property
    def is_aligned(self) -> bool:
        """Whether SPF can speak for the sender, as DMARC asks."""
        return _are_akin(self.sender, self.envelope)


def domains() -> Domains:
    """Return which domains the mails of this portal name."""
    config = current_app.config
    sender = sender_address().rpartition("@")[2].lower()
    envelope = on_the_line(str(config["BOUNCE_TO"])).rpartition("@")[2].lower() or sender
    return Domains(sender, envelope, urlsplit(config["BASE_URL"]).hostname or "")


def needed() -> list[Record]:
    """Return the records that mails of this portal need, with values for its own domains."""
    here = domains()
    if not here.is_public:
        return []
    server = urlsplit(str(current_app.config["MAIL_URL"])).hostname or ""
    dkim = _(
        "A signature of your mail server under each mail. The server makes the key and names the selector; the portal "
        "does not sign."
    )
    dmarc = _(
        "What others do with mails that neither of the two above proves, and where they report to. Begin with p=none, "
        "read the reports, then say p=quarantine."
    )
    to_us = f"postmaster@{here.sender}"
    found = [
        Record("SPF", here.envelope, "TXT", _spf(server), _("Who may send for the domain that mails go back to.")),
        Record("DKIM", f"selector._domainkey.{here.sender}", "TXT", "v=DKIM1; k=rsa; p=…", dkim),
        Record("DMARC", f"_dmarc.{here.sender}", "TXT", f"v=DMARC1; p=none; rua=mailto:{to_us}", dmarc),
    ]
    why = _("Where mails to this domain go: replies and mails that come back. The server must take name+anything@.")
    for domain in _receiving():
        found.append(Record("MX", domain, "MX", f"10 mail.{domain}", why))
    return found


def _receiving() -> list[str]:
    patterns = [str(current_app.config[name]) for name in ("REPLY_TO", "BOUNCE_TO")]
    return list(dict.fromkeys(on_the_line(one).rpartition("@")[2].lower() for one in patterns if one))


def _spf(server: str) -> str:
    if not server or server == "localhost":
        return "v=spf1 mx ~all"
    if not _is_number(server):
        return f"v=spf1 a:{server} ~all"
    address = ipaddress.ip_address(server)
    return "v=spf1 mx ~all" if not address.is_global else f"v=spf1 ip{address.version}:{server} ~all"


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _are_akin(one: str, other: str) -> bool:
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}") or _house(one) == _house(other)


def _house(domain: str) -> str:
    """Return the last three labels, or two; which of them anybody can register, only a list of others would say."""
    labels = domain.split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and len(labels[-2]) <= 3 else labels[-2:])
