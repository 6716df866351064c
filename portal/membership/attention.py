"""What needs the hand of those who run the portal: a few counts, each with where to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.workflow import Publication
from portal.membership import mail_proof, queries
from portal.notifications import pushed
from portal.notifications.mails import ledger, line
from portal.notifications.mails.states import State
from portal.notifications.models import Mail
from portal.options import option
from portal.web.dates import absolute

MANY, ONE_IN = 10, 20  # mails that came back in a day: so many, and one in so many of those sent


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do: why, and where."""

    words: str
    url: str
    button: str


@dataclass(frozen=True, slots=True)
class Facts:
    """How the portal stands, in a few numbers."""

    members: int
    team: int
    boards: int
    invited: int


def needs(*, everything: bool) -> list[Need]:
    """Return what needs attention; admins see ``everything``, moderators what concerns people and ideas."""
    return [*_of_people(), *(_of_the_portal() if everything else ())]


def facts() -> Facts:
    """Count who and what there is."""
    return Facts(
        members=queries.count_people("all"),
        team=queries.count_people("team"),
        boards=db.session.scalar(sa.select(sa.func.count()).select_from(Board)) or 0,
        invited=queries.count_open_invitations(),
    )


def _of_people() -> Iterator[Need]:
    if number := queries.count_people("waiting"):
        words = ngettext("%(num)d person asks to join.", "%(num)d people ask to join.", number)
        yield Need(words, url_for("membership.people", state="waiting"), _("See who waits"))
    held = sa.select(sa.func.count()).where(Idea.publication == Publication.HELD)
    if number := db.session.scalar(held) or 0:
        words = ngettext("%(num)d idea waits for a first look.", "%(num)d ideas wait for a first look.", number)
        yield Need(words, url_for("triage.queue", queue="held"), _("Look at them"))


def _of_the_portal() -> Iterator[Need]:
    if not current_app.config["MAIL_URL"]:
        words = _("No mail leaves the portal: nobody can sign up by mail or get a new password.")
        yield Need(words, url_for("membership.mail_test"), _("How to change that"))
    if (way := line.state()) is not None and way.failing_since is not None and current_app.config["MAIL_URL"]:
        since = absolute(way.failing_since)
        words = _("No mail goes out since %(moment)s. The mail server says: %(words)s", moment=since, words=way.words)
        yield Need(words, url_for("membership.mail_test"), _("Find out why"))
    aside = sa.select(sa.func.count()).where(Mail.given_up_at.is_not(None), Mail.done_at.is_(None))
    if number := db.session.scalar(aside) or 0:
        words = ngettext("%(num)d mail did not get through.", "%(num)d mails did not get through.", number)
        yield Need(words, url_for("notifications.mails", state="set_aside"), _("See why"))
    yield from _of_what_comes_back()
    owners = sa.select(sa.func.count()).where(User.role == Role.OWNER, User.suspended_at.is_(None))
    if (db.session.scalar(owners) or 0) == 1:
        words = _("The portal has one owner. With a second one, nobody can be locked out of it.")
        yield Need(words, url_for("membership.people", state="team"), _("See the team"))
    if number := len(option("sample_ideas")):
        words = ngettext("%(num)d sample idea is still here.", "%(num)d sample ideas are still here.", number)
        yield Need(words, url_for("membership.begin"), _("Remove them"))


def _of_what_comes_back() -> Iterator[Need]:
    if (way := mail_proof.way_in()).error:
        since = absolute(way.looked_at) if way.looked_at else ""
        words = (
            _("No reply by mail comes in since %(moment)s. The mailbox says: %(words)s", moment=since, words=way.error)
            if since
            else _("No reply by mail comes in. The mailbox says: %(words)s", words=way.error)
        )
        yield Need(words, url_for("membership.mail_test", _anchor="in-h"), _("What to check"))
    back, sent = ledger.count_came_back()
    if back >= MANY and back * ONE_IN >= sent:
        words = (
            ngettext("%(num)d mail came back since yesterday.", "%(num)d mails came back since yesterday.", back)
            + " "
            + _("%(sent)d were sent. Servers that see that often take no more mails from you.", sent=sent)
        )
        yield Need(words, url_for("notifications.mails", state="came_back"), _("See which"))
    if number := pushed.count_open()[State.SET_ASIDE]:
        words = ngettext(
            "%(num)d message to a browser was refused.", "%(num)d messages to browsers were refused.", number
        )
        yield Need(words, url_for("notifications.pushes", state="set_aside"), _("See why"))
