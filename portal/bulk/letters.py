"""What the one mail about an act on many ideas says."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal.accounts.models import User
from portal.bulk.models import BulkAct
from portal.bulk.telling import UNDONE_LETTER, events_of
from portal.db import db
from portal.ideas.events import IdeaMoved, MoveUndone, OwnerAssigned
from portal.notifications import links, telling
from portal.notifications.letters import address_of, letter_of
from portal.notifications.mails import asking, waiting
from portal.notifications.mails.letter import Entry, Letter, Quote, Suppressed, paragraphs
from portal.notifications.mails.sections import section, shares
from portal.notifications.mails.sending import still_concerns
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Kind, Way
from portal.notifications.stories import Story


def letter_about_many(mail: Mail) -> Letter | Suppressed:
    """Tell somebody what one act did with the ideas they are behind, as far as it stands and they may see it now."""
    user, act = mail.user, db.session.get(BulkAct, mail.data["act"])
    if user is None or act is None or not user.is_active or not user.can_get_mail:
        return Suppressed("mails not wanted")
    undone = mail.kind == UNDONE_LETTER
    told = events_of(act, MoveUndone.name) if undone else events_of(act, IdeaMoved.name, OwnerAssigned.name)
    mine = select(Notification).where(Notification.user_id == user.id, Notification.event_id.in_(told))
    mine = mine.where(Notification.way == Way.MAIL)  # the rest stands in their digest or inbox
    news = telling.stories_of(db.session.scalars(mine.order_by(Notification.id)).all(), user)
    news = [story for story in news if not asking.is_muted(user, story.idea) and still_concerns(user, story)]
    if not news:
        return Suppressed("taken back")
    unwanted = waiting.unwanted(news, user)
    why = unwanted.get(news[-1].notification.id, "")
    news = [story for story in news if story.notification.id not in unwanted]
    if not news:
        return Suppressed(why)
    return letter_of(news[0], user) if len(news) == 1 else _letter(news, user, mail.kind)


def _letter(news: list[Story], user: User, kind: str) -> Letter:
    by_heading: dict[str, list[Story]] = {}
    for story in news:
        by_heading.setdefault(_heading(story), []).append(story)
    shown = shares([len(stories) for stories in by_heading.values()])
    headline = ngettext("News of %(num)d idea", "News of %(num)d ideas", len({story.idea.id for story in news}))
    return Letter(
        subject=headline,
        lead=_("The team did this in one go, so you get one mail about all of it."),
        title=headline,
        quotes=_said(news),
        sections=[
            section(heading, [_entry(story, user) for story in told[:number]], len(told))
            for (heading, told), number in zip(by_heading.items(), shown, strict=True)
        ],
        button=_("See them"),
        url=links.absolute_url("notifications.inbox"),
        foot=_("You get this because you are behind these ideas, or look after them."),
        stop_label=_("Stop mails"),
        stop_url=links.absolute_url("notifications.stop", token=links.stop_token(user.id, None, kind)),
        settings_url=links.absolute_url("notifications.preferences"),
    )


def _heading(story: Story) -> str:
    if story.kind is Kind.MOVE_UNDONE and story.target:
        return _("Taken back, and %(status)s again", status=story.target.label)
    if story.kind is Kind.ASSIGNED:
        return _("Yours to look after")
    return str(story.target.label) if story.target else story.why


def _entry(story: Story, user: User) -> Entry:
    moved = story.kind is not Kind.MOVE_UNDONE
    return Entry(
        story.idea.title,
        address_of(story, user),
        source=story.source if moved else None,
        target=story.target if moved else None,
    )


def _said(news: list[Story]) -> list[Quote]:
    """Return the words that were said with it, once where they are the same for all."""
    said = {story.quote: story.quoted for story in news if story.quote}
    return [Quote(paragraphs(words), by=by) for words, by in list(said.items())[:1]]
