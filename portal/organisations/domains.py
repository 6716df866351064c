"""Belonging by mail domain: only by an address that was proven, never against what somebody said."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.accounts.models import User
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.organisations.events import BelongingChanged
from portal.organisations.models import OrganisationDomain, OrganisationMember, Way
from portal.transactions import transaction

EVERY = timedelta(minutes=5)
AT_ONCE = 500
PUBLIC = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk"),
        *("live.com", "msn.com", "yahoo.com", "yahoo.co.uk", "ymail.com"),
        *("icloud.com", "me.com", "mac.com", "aol.com", "gmx.de"),
        *("gmx.net", "gmx.com", "gmx.at", "gmx.ch", "web.de"),
        *("t-online.de", "freenet.de", "mail.de", "posteo.de", "mailbox.org"),
        *("proton.me", "protonmail.com", "pm.me", "tutanota.com", "tuta.io"),
        *("fastmail.com", "hey.com", "zoho.com", "mail.ru", "yandex.ru"),
        *("yandex.com", "qq.com", "163.com", "126.com", "orange.fr"),
        *("wanadoo.fr", "free.fr", "laposte.net", "libero.it", "btinternet.com"),
        *("sky.com", "virginmedia.com", "comcast.net", "verizon.net", "att.net"),
        *("bluewin.ch", "mail.com"),
    }
)
"""Where anybody gets an address: it says nothing of where somebody works."""
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class NotADomain(Refusal):
    """This is no domain that an organisation could have to itself."""

    status = 422


def read_domains(text: str) -> list[str]:
    """Return the domains that somebody typed, each once; raise NotADomain for what is none or open to everybody."""
    found: list[str] = []
    for word in re.split(r"[\s,;]+", text.strip().lower()):
        domain = _plain(word.rpartition("@")[2].strip("."))
        if not domain:
            continue
        if not _DOMAIN.fullmatch(domain):
            raise NotADomain(_("“%(word)s” is no mail domain. Write it like fellside.example.", word=word[:60]))
        if domain in PUBLIC or domain.endswith(".invalid"):
            raise NotADomain(_("Anybody can have an address at %(domain)s. Add its people by hand.", domain=domain))
        if domain not in found:
            found.append(domain)
    return found


def sort_by_domain() -> int:
    """Let people count for the organisation of their proven address, every few minutes; return how many changed."""
    now = utcnow()
    before = current_app.extensions.get("sorted by domain", datetime.min.replace(tzinfo=now.tzinfo))
    if before <= now < before + EVERY:
        return 0
    current_app.extensions["sorted by domain"] = now
    with transaction(wake=False):
        return sort_now()


def sort_now() -> int:
    """Bring belonging by domain up to date: what the domains say now, for those who said nothing else."""
    return _let_go() + _take_in()


def is_at(address: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Say whether a mail address ends in the domain of the same row, and is one that its owner proved."""
    domain = OrganisationDomain.domain
    here = sa.func.substr(address, sa.func.length(address) - sa.func.length(domain)) == sa.literal("@").concat(domain)
    return here & User.confirmed_at.is_not(None) & User.leaves_at.is_(None) & User.erased_at.is_(None)


def _let_go() -> int:
    """Let those count for nobody whose address is another now, or whose organisation lost its domain."""
    theirs = select(OrganisationDomain.organisation_id).join(User, is_at(User.email))
    theirs = theirs.where(User.id == OrganisationMember.user_id)
    wrong = OrganisationMember.organisation_id.not_in(theirs) & (OrganisationMember.way == Way.DOMAIN)
    gone = count_rows(sa.delete(OrganisationMember).where(wrong).execution_options(synchronize_session=False))
    db.session.expire_all()
    return gone


def _take_in() -> int:
    known = select(OrganisationMember.user_id).where(OrganisationMember.user_id == User.id).exists()
    new = select(User.id, OrganisationDomain.organisation_id).join(OrganisationDomain, is_at(User.email))
    taken = 0
    for user_id, organisation_id in db.session.execute(new.where(~known).order_by(User.id).limit(AT_ONCE)).all():
        row = {"user_id": user_id, "organisation_id": organisation_id, "way": Way.DOMAIN, "at": utcnow()}
        if insert_if_absent(OrganisationMember, **row):
            emit(BelongingChanged(actor_id=None, user_id=user_id, organisation_id=organisation_id, way=Way.DOMAIN))
            taken += 1
    return taken


def _plain(domain: str) -> str:
    """Return a domain as addresses are kept: in ASCII."""
    try:
        return domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        return "?"
