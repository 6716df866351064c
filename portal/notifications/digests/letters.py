"""What a digest says: what happened to each idea once, under the heading of what matters most about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db
from portal.events import EventRecord
from portal.ideas.events import MoveUndone
from portal.ideas.models import Follow, Idea
from portal.ideas.promised import Promise
from portal.ideas.queries import main_of
from portal.ideas.workflow import Status
from portal.notifications import links, portal_news, telling
from portal.notifications.digests import making as digests
from portal.notifications.digests import reading
from portal.notifications.letters import address_of, subject_of, whole
from portal.notifications.mails.letter import Entry, Letter, Section, Suppressed
from portal.notifications.mails.sections import section, shares
from portal.notifications.mails.sending import still_concerns
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import QUIETED_KINDS, STATUS_KINDS, Kind, Reason
from portal.notifications.portal_news import PortalNews
from portal.notifications.queries import NewsRow
from portal.notifications.stories import Story
from portal.web.dates import day

IN_SUBJECT = 60  # characters of what the subject names

_ASKS = frozenset(
    {Kind.VERDICT_ASKED, Kind.CREDITED, Kind.QUESTION_REMINDER, Kind.MERGE_OBJECTED, Kind.ASSIGNED, Kind.PROMISE_LATE}
    | {Kind.REVIEW_ASKED}
)
HEADINGS: tuple[tuple[frozenset[Kind], Any], ...] = (
    (STATUS_KINDS, _l("Moved")),
    (frozenset({Kind.ANSWERED}), _l("Answered")),
    (_ASKS, _l("Waits for a word from you")),
    (frozenset({Kind.REPLIED, Kind.MENTIONED}), _l("Replies to you")),
    (frozenset({Kind.COMMENTED}), _l("Talked about")),
    (frozenset(Kind), _l("Besides")),
)
"""Under which heading an idea stands, by the news of it that matter most: the first that has them."""


def digest_letter(mail: Mail) -> Letter | Suppressed:
    """Tell somebody what is still news to them and theirs to see, of what their digest was made for."""
    user, (digest, last_at) = mail.user, reading.digest_of(mail)
    if user is None or digest is None or not user.is_active:
        return Suppressed("account suspended")
    if not user.can_get_mail:
        return Suppressed("mails not wanted")
    beat = digests.beat_of(user, mail.reach)
    if beat is None:
        return Suppressed("digest not wanted")
    found = reading.news_of(digest, user)
    news = [one for one, _follow in found]
    rows = sorted(_rows(news, {one.idea_id: follow for one, follow in found}, user), key=_weight)
    besides = portal_news.lines_for_later([n for n in news if n.idea_id is None], user)
    if not rows and not besides:
        return Suppressed(digests.NOTHING_NEW)
    until, usual = digest.due_at, timedelta(days=1 if beat.weekday is None else 7)
    since = max(last_at, until - digests.KEPT_FOR) if last_at else until - usual
    headline = (
        ngettext("News of %(num)d idea", "News of %(num)d ideas", len(rows))
        if rows
        else ngettext("%(num)d piece of news", "%(num)d pieces of news", len(besides))
    )
    often = _("You get this once a day at most") if beat.weekday is None else _("You get this once a week at most")
    return Letter(
        subject=_subject([*map(_called, rows), *(one.title for one in besides)]),
        lead=_("What became of the ideas you have a part in.") if rows else _("What changed for you."),
        title=headline,
        sections=[
            *_news(rows, besides, user),
            *_late(reading.late_for(user, since, until)),
            *_new(reading.new_for(user, since, until)),
        ],
        sentences=_older(reading.count_news(digest, user)) if len(news) == reading.MOST_NEWS else [],
        button=_("Open your inbox"),
        url=links.absolute_url("notifications.inbox"),
        foot=_("%(often)s, and only when there is news.", often=often),
        stop_label=_("Stop the digest"),
        stop_url=links.absolute_url("notifications.stop", token=links.stop_token(user.id, None, mail.kind)),
        settings_url=links.absolute_url("notifications.preferences"),
    )


def _older(number: int) -> list[str]:
    """Say how much more there is than a letter gathers."""
    more = number - reading.MOST_NEWS
    said = ngettext(
        "%(num)d older piece of news stands in your inbox.", "%(num)d older pieces of news stand in your inbox.", more
    )
    return [said] if more > 0 else []


def _rows(news: Sequence[Notification], follows: Mapping[int | None, Follow | None], user: User) -> list[NewsRow]:
    """Return a line for each idea, the news of it newest first: what still stands and concerns its reader."""
    by_idea: dict[int, list[Story]] = {}
    for story in telling.stories_of(_without_what_came_together(news, user), user):
        follow = follows[story.idea.id]
        silent = follow and follow.decisions_only and story.kind in QUIETED_KINDS
        if not silent and (_is_heard(follow, story) or still_concerns(user, story)):
            by_idea.setdefault(story.idea.id, []).append(story)
    lines = (_without_what_came_to_nothing(of_one) for of_one in by_idea.values())
    return [NewsRow(line, muted=False) for line in lines if line]


def _is_heard(follow: Follow | None, story: Story) -> bool:
    """Whether its reader is told as one who follows the idea, and still does; of the rest each is asked by itself."""
    return follow is not None and story.reason is not Reason.OWNER and story.kind is not Kind.REVIEW_ASKED


def _without_what_came_together(news: Sequence[Notification], user: User) -> Sequence[Notification]:
    """Leave out what the one mail about an act on many ideas has told, or is about to tell."""
    keys = {n.id: _key_of_act(n.record, user) for n in news if n.record.data.get("act_id")}
    mailed = select(Mail.key).where(Mail.key.in_(set(keys.values())), Mail.suppressed.is_(None))
    known = set(db.session.scalars(mailed)) if keys else set()
    return [n for n in news if keys.get(n.id) not in known]


def _key_of_act(record: EventRecord, user: User) -> str:
    """Return under which key the one mail about an act, or about its undoing, goes to somebody."""
    undone = "-undone" if record.name == MoveUndone.name else ""
    return f"act-{record.data['act_id']}-{user.id}{undone}"


def _without_what_came_to_nothing(told: list[Story]) -> list[Story]:
    """Leave out moves that led back to where the first of them began."""
    moves = [story for story in told if story.source and story.target]
    first, last = (moves[-1].source, moves[0].target) if moves else (None, None)
    if len(moves) > 1 and first and last and first.key == last.key:
        return [story for story in told if story not in moves]
    return told


def _weight(row: NewsRow) -> tuple[int, int, int]:
    return _rank(row), -row.lead.idea.votes, -row.newest.id


def _rank(row: NewsRow) -> int:
    return next(rank for rank, (kinds, _heading) in enumerate(HEADINGS) if row.lead.kind in kinds)


def _subject(names: Sequence[str]) -> str:
    """Name the two biggest things, and say how many more there are."""
    named = " · ".join(map(_shortened, names[:2]))
    more = len(names) - 2
    return (
        ngettext("%(named)s, and %(num)d more", "%(named)s, and %(num)d more", more, named=named) if more > 0 else named
    )


def _called(row: NewsRow) -> str:
    if row.lead.kind is Kind.COMMENTED:
        return f"{HEADINGS[_rank(row)][1]}: {row.lead.idea.title}"
    return subject_of(row.lead)


def _shortened(text: str) -> str:
    return text if len(text) <= IN_SUBJECT else text[: IN_SUBJECT - 1].rstrip() + "…"


def _news(rows: Sequence[NewsRow], besides: Sequence[PortalNews], user: User) -> list[Section]:
    under = [[row for row in rows if _rank(row) == rank] for rank in range(len(HEADINGS))]
    *shown, of_portal = shares([*map(len, under), len(besides)])
    sections = [
        section(str(heading), [_entry(row, user) for row in mine[:number]], len(mine))
        for (_kinds, heading), mine, number in zip(HEADINGS, under, shown, strict=True)
    ]
    sections.append(section(_("You and this portal"), list(map(_line, besides[:of_portal])), len(besides)))
    return [one for one in sections if one.entries]


def _line(news: PortalNews) -> Entry:
    return Entry(news.title, links.absolute_url(news.endpoint, **news.values), " ".join(news.sentences))


def _entry(row: NewsRow, user: User) -> Entry:
    lead = row.lead
    moves = [story for story in row.stories if story.source and story.target]
    also = [_("Besides: %(what)s.", what=", ".join(row.rest))] if row.rest else []
    return Entry(
        title=lead.idea.title,
        url=address_of(lead, user),
        text=" ".join([whole(lead.why), *lead.sentences[:1], *also, *_joined_since(lead, user)]),
        source=moves[-1].source if moves else None,
        target=moves[0].target if moves else None,
        quote="" if lead.team else lead.short_quote,  # what the team says among itself stays in the portal
        by=lead.quoted if lead.short_quote and not lead.team else "",
    )


def _joined_since(lead: Story, user: User) -> list[str]:
    """Say where an idea lives now that was joined with another after what there is to tell of it."""
    main = main_of(lead.idea, user) if lead.kind is not Kind.MERGED and lead.idea.status is Status.MERGED else None
    return [_("It now lives in “%(title)s”.", title=main.title)] if main is not None else []


def _late(promises: Sequence[Promise]) -> list[Section]:
    """Say of which ideas a promised word is late."""
    entries = [
        Entry(
            promise.idea.title,
            links.absolute_url("ideas.show", idea_id=promise.idea_id),
            _("We promised a word by %(date)s, and it is late.", date=day(promise.due_at)),
        )
        for promise in promises
    ]
    return [Section(_("Late"), entries)] if entries else []


def _new(ideas: Sequence[Idea]) -> list[Section]:
    """Name what is new, where it is, and how many want it."""
    entries = [
        Entry(
            idea.title,
            links.absolute_url("ideas.show", idea_id=idea.id),
            f"{idea.board.name} · " + ngettext("%(num)d vote", "%(num)d votes", idea.votes),
        )
        for idea in ideas
    ]
    return [Section(_("New on your boards"), entries)] if entries else []
