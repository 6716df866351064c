"""“Why am I told?”: the reason, the rule, what somebody chose, and what became of the mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db
from portal.ideas.followers import Following, following
from portal.notifications.deciding import WHY_NOT, decided_for
from portal.notifications.digests.making import digest_that_told
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import ONLY_HERE_KINDS, POLICY, TOPIC_OF, Way
from portal.notifications.preferences import WORDS
from portal.notifications.reach import BoardChoice, TopicChoice
from portal.notifications.stories import Story
from portal.web.dates import day

SUPPRESSED_FOR_READER: dict[str, Any] = {
    "paused": _l("you had asked for a pause"),
    "chosen otherwise meanwhile": _l("you chose another way meanwhile"),
    "idea muted": _l("you muted the idea"),
    "no longer follows": _l("you followed it no more"),
    "mails not wanted": _l("you wanted no mails"),
    "address not confirmed": _l("your address was not confirmed"),
    "mail stopped": _l("mails to your address came back"),
    "daily ceiling": _l("you had as many mails that day as you get at most, and want no digest"),
    "kept for the digest": _l("you had as many mails that day as you get at most"),
    "changed back": _l("it was changed back in time"),
    "taken back": _l("it was taken back in time"),
    "told with what came next": _l("it was told with what came next"),
}
"""Why a mail did not go out, as its reader is told."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why somebody was told of something, and how: all that the page shows."""

    story: Story
    because: str
    rule: str
    choice: str  # empty: nothing was chosen
    outcome: str
    following: Following


def explain(story: Story, reader: User) -> Explanation:
    """Return why the reader was told of this, by which rule, and what went out besides."""
    return Explanation(
        story=story,
        because=story.because,
        rule=_rule(story),
        choice=_choice(story, reader),
        outcome=_outcome(story, reader),
        following=following(story.idea, reader),
    )


def _topic(story: Story) -> str:
    found = WORDS.get(TOPIC_OF[story.kind])
    return str(found[0]) if found else str(_("Searches you keep"))


def _rule(story: Story) -> str:
    way = POLICY[story.kind].get(story.reason, Way.INBOX)
    said = {"topic": _topic(story)}
    if way is Way.MAIL:
        return _("News under “%(topic)s” usually come by mail at once, for the reason you are told.", **said)
    if way is Way.DIGEST:
        return _("News under “%(topic)s” usually come in the digest, for the reason you are told.", **said)
    return _("News under “%(topic)s” usually stand in the inbox only, for the reason you are told.", **said)


def _choice(story: Story, reader: User) -> str:
    if story.kind in ONLY_HERE_KINDS:
        return ""
    topic = TOPIC_OF[story.kind]
    here = db.session.get(BoardChoice, (reader.id, story.idea.board_id, topic))
    if here is not None and here.mail is not None:
        return _("For the board “%(board)s” you chose: %(way)s.", board=story.idea.board.name, way=_way(here.mail))
    everywhere = db.session.get(TopicChoice, (reader.id, topic))
    return _("You chose: %(way)s.", way=_way(everywhere.mail)) if everywhere and everywhere.mail is not None else ""


def _way(way: Way) -> str:
    return {Way.MAIL: _("by mail at once"), Way.DIGEST: _("in the digest"), Way.INBOX: _("only here")}[way]


def _outcome(story: Story, reader: User) -> str:
    """Say what went out besides, as far as that is known."""
    told = story.notification
    mail = db.session.scalar(select(Mail).where(Mail.notification_id == told.id).order_by(Mail.id.desc()).limit(1))
    if mail is not None and mail.done_at is not None and mail.suppressed is None:
        return _("A mail about it went to you on %(date)s.", date=day(mail.done_at))
    if mail is not None and mail.done_at is None and mail.given_up_at is None:
        return _("A mail about it is on its way.")
    why = str(SUPPRESSED_FOR_READER.get(mail.suppressed, "")) if mail is not None and mail.suppressed else ""
    said = _("No mail went out: %(why)s.", why=why) if why else ""
    if told.way == Way.DIGEST:
        return f"{said} {_of_digest(told)}".strip()
    if mail is not None and mail.suppressed:
        return said or _("No mail came of it in the end.")
    if mail is not None:
        return _("A mail about it could not be delivered.")
    now = decided_for(story.kind, reader.id, story.reason, story.idea.board_id)
    if now is not None and now.why_not:
        return _("No mail went out. How things are now: %(why)s.", why=str(WHY_NOT[now.why_not]))
    return _("It stands in the inbox only.")


def _of_digest(told: Notification) -> str:
    """Say of which digest it is a part."""
    digest = digest_that_told(told)
    if digest is not None:
        return _("It was for your digest of %(date)s.", date=day(digest.due_at))
    if told.read_at is not None:
        return _("It is for your digest, which leaves out what you have read here.")
    return _("It goes into your next digest, unless you have read it here by then.")
