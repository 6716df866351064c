"""What the mail about kept searches says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import is_out_for
from portal.notifications import links
from portal.notifications.mails.letter import Entry, Letter, Suppressed
from portal.notifications.mails.sections import section, shares
from portal.notifications.models import Mail
from portal.search.asking import read
from portal.search.matching import fitting
from portal.search.models import Alert, SavedMatch, SavedSearch

TITLES, IN_ALL = 10, 60  # of one search; at least one of each that somebody keeps


def saved_searches_letter(mail: Mail) -> Letter | Suppressed:
    """Tell what came to answer somebody's searches since the last letter, as far as they may see it now."""
    user = mail.user
    if user is None or not user.is_active or not user.wants_mail or user.confirmed_at is None:
        return Suppressed("wants no mail")
    if not user.works_here:
        return Suppressed("no longer on the team")
    found = (
        select(SavedSearch.id, SavedSearch.name, SavedSearch.query, Idea.id, Idea.title, SavedSearch.alert)
        .join(SavedMatch, SavedMatch.search_id == SavedSearch.id)
        .join(Idea, Idea.id == SavedMatch.idea_id)
        .where(SavedSearch.user_id == user.id, SavedMatch.mailed_at == datetime.fromisoformat(mail.data["at"]))
        .where(is_out_for(user))
        .order_by(SavedSearch.name, SavedSearch.id, Idea.id.desc())
    )
    titles: dict[tuple[int, str], dict[int, str]] = {}
    all_rows = db.session.execute(found).all()
    rows = [row for row in all_rows if row[5] is Alert.MAIL]
    if all_rows and not rows:
        return Suppressed("kept search stopped")
    labelled = _still_labelled(user, [(row[2], row[3]) for row in rows])
    for search_id, name, query, idea_id, title, _alert in rows:
        if (query, idea_id) in labelled:
            titles.setdefault((search_id, name), {})[idea_id] = title
    if not titles:
        return Suppressed("no longer visible")
    ideas = {idea_id for of_one in titles.values() for idea_id in of_one}
    headline = ngettext(
        "%(num)d new idea for the searches you keep", "%(num)d new ideas for the searches you keep", len(ideas)
    )
    shown = shares([len(of_one) for of_one in titles.values()], TITLES, IN_ALL)
    only = next(iter(titles))[0] if len(titles) == 1 else None
    token = links.stop_token(user.id, None, mail.kind, sorted(search_id for search_id, _name in titles))
    return Letter(
        subject=headline,
        lead=_("This came since the last mail of this kind."),
        title=headline,
        sections=[
            section(name, [_entry(*one) for one in list(of_one.items())[:number]], len(of_one))
            for ((_id, name), of_one), number in zip(titles.items(), shown, strict=True)
        ],
        button=_("See them"),
        url=links.absolute_url("search.open_saved", search_id=only) if only else links.absolute_url("search.saved"),
        foot=_("You get this once a day at most, because you keep searches with an alert by mail."),
        stop_label=_("Stop mails of this search") if only else _("Stop mails of these searches"),
        stop_url=links.absolute_url("notifications.stop", token=token),
        settings_url=links.absolute_url("search.saved"),
    )


def _still_labelled(user: User, found: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
    """Leave out what was found by a label that its reader may not read any more."""
    by_query: dict[str, set[int]] = {}
    for query, idea_id in found:
        by_query.setdefault(query, set()).add(idea_id)
    for query, ids in by_query.items():
        by_label = read(query, user.works_here).of_team
        by_query[query] = ids if by_label.is_empty else fitting(user, by_label, ids)
    return {(query, idea_id) for query, ids in by_query.items() for idea_id in ids}


def _entry(idea_id: int, title: str) -> Entry:
    return Entry(title, links.absolute_url("ideas.show", idea_id=idea_id))
