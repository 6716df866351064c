"""What is done for the safety of an account."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.accounts.models import User
from portal.credentials import browsers, links
from portal.credentials.models import Authenticator, MailedLink, Passkey, Purpose, RecoveryCode
from portal.db import db
from portal.notifications.service import queue_letter
from portal.security import queries
from portal.security.log import note
from portal.security.models import SecurityEntry

NEW_BROWSER = "new_browser"


def note_sign_in(user: User, way: str, known_as: str, second: bool = False) -> str:
    """Write down that somebody signed in, and mail them if it was from a browser that their account did not know.

    ``known_as`` is what the browser keeps to be known by, if it keeps anything; returned is what it keeps from now on.
    """
    strange = queries.has_signed_in(user) and not browsers.is_known(known_as, user.email)
    entry = note("sign_in", user=user, way=way, second=second, known=not strange)
    if strange:
        _tell(user, entry)
    return browsers.remember(known_as, user)


def disown_sign_in(link: MailedLink) -> MailedLink | None:
    """See to it that whoever got in is out: every session ends with this (the caller ends them), the password and all
    links are void, no browser is known any more, and the second factors added since that sign-in are gone.

    Returns the link by which the owner chooses a password; None where this was done before.
    """
    user = link.user
    if user is None or not links.use(link):
        return None
    user.password_hash = None
    links.void_all(user)
    browsers.forget_all(user)
    for table in (Passkey, Authenticator, RecoveryCode):
        db.session.execute(sa.delete(table).where(table.user_id == user.id, table.made_at >= since(link)))
    note("sign_in.disowned", user=user, entry=link.data.get("entry"))
    return links.make(Purpose.RESET, user.email, user=user, data={"aimed": {}, "locale": ""})


def since(link: MailedLink) -> datetime:
    """Return the moment of the sign-in that a link disowns, or a little before."""
    return link.made_at - timedelta(minutes=1)


def _tell(user: User, entry: SecurityEntry) -> None:
    db.session.flush()  # the entry has its number now
    link = links.make(Purpose.NOT_ME, user.email, user=user, data={"entry": entry.id})
    queue_letter(NEW_BROWSER, to=user.email, user=user, data={"entry": entry.id, "link": link.id}, rationed=False)
