"""Searches that people on the team keep, for themselves or for all of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import abort
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.labels import queries as labels
from portal.search import matching
from portal.search.asking import Asked, read
from portal.search.engine import NeedsRebuild
from portal.search.meaning import in_any_language, meaning_of
from portal.search.models import Alert, SavedMatch, SavedSearch
from portal.text import clean_line

MOST = 50  # searches that one person keeps
NAME_MAX = 60


@dataclass(frozen=True, slots=True)
class Kept:
    """The searches that one person finds in their lists."""

    own: Sequence[SavedSearch]
    shared: Sequence[SavedSearch]  # by colleagues
    alerts: Sequence[Alert] = tuple(Alert)


def kept_for(viewer: Person) -> Kept:
    """Return the searches that the viewer keeps, and those that colleagues share, by name; in one statement."""
    found = db.session.scalars(*_own_and_shared(viewer)).all()
    others = [search for search in found if search.user_id != viewer.id and search.user.works_here]
    return Kept([search for search in found if search.user_id == viewer.id], [_as_read_by(viewer, s) for s in others])


def get_own(search_id: int, viewer: Person) -> SavedSearch:
    """Return a search that the viewer keeps, or answer 404."""
    own = select(SavedSearch).where(SavedSearch.id == search_id, SavedSearch.user_id == viewer.id)
    return db.session.scalar(own) or abort(404)


def get_shown(search_id: int, viewer: Person) -> SavedSearch:
    """Return a search that the viewer keeps or a colleague shares, or answer 404."""
    shown = select(SavedSearch).where(sa.or_(SavedSearch.user_id == viewer.id, SavedSearch.shared))
    search = db.session.scalar(shown.where(SavedSearch.id == search_id))
    if search is None or not search.user.works_here:
        abort(404)
    return search if search.user_id == viewer.id else _as_read_by(viewer, search)


def names_of(ids: Collection[int]) -> dict[int, str]:
    """Return what searches are called, as far as they are still kept."""
    named = select(SavedSearch.id, SavedSearch.name).where(SavedSearch.id.in_(ids))
    return dict(db.session.execute(named).all())


def save_search(user: User, line: str, *, name: str, shared: bool = False, alert: Alert = Alert.NONE) -> SavedSearch:
    """Keep a search; raise Refusal where there is nothing to keep, or no room for it."""
    asked = _worth_keeping(read(line, user.works_here), user)
    _one_at_a_time(user)
    kept = db.session.scalar(select(sa.func.count()).where(SavedSearch.user_id == user.id)) or 0
    if kept >= MOST:
        raise Refusal(_("You keep %(most)d searches already. Delete one first.", most=MOST))
    query = str(in_any_language(asked, user))
    search = SavedSearch(user_id=user.id, user=user, query=query, alert=Alert.NONE, name="")
    _describe(search, name or str(asked), shared, alert)
    db.session.add(search)
    db.session.flush()
    return search


def change_search(search: SavedSearch, *, name: str, shared: bool, alert: Alert) -> None:
    """Let a search be called, shared and told of in this way."""
    _one_at_a_time(search.user)
    _describe(search, name or search.name, shared, alert)


def delete_search(search: SavedSearch) -> None:
    """Keep a search no more, and tell nobody of it again."""
    db.session.delete(search)


def _as_read_by(viewer: Person, search: SavedSearch) -> SavedSearch:
    """Return a search that a colleague shares, without private labels of boards that the viewer does not work on."""
    asked = read(search.query, works_here=True)
    unread = [one for one in asked.of_team.operators if not labels.is_known(labels.typed(one.value), viewer)]
    if not unread:
        return search
    for one in unread:
        asked = asked.without(one)
    name = search.name
    if any(labels.typed(one.value) in name.lower() for one in unread):
        name = str(asked)[:NAME_MAX].strip() or _("By a private label")
    return SavedSearch(
        id=search.id,
        user_id=search.user_id,
        user=search.user,
        name=name,
        query=str(asked),
        shared=True,
        alert=search.alert,
    )  # in no session: what is kept stays as it is


def _one_at_a_time(user: User) -> None:
    """Let whoever saves twice in one moment do it one after the other: names and room are counted."""
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update())


def _worth_keeping(asked: Asked, user: User) -> Asked:
    if asked.is_empty:
        raise Refusal(_("There is nothing to keep yet. Type what to look for."))
    if notes := meaning_of(asked, user).notes:
        raise Refusal(notes[0])
    return asked


def _describe(search: SavedSearch, name: str, shared: bool, alert: Alert) -> None:
    """Set what can be changed. Whoever switches an alert on has seen what there is: only what comes is told."""
    name = clean_line(name)[:NAME_MAX].strip()
    same = select(SavedSearch.id).where(SavedSearch.user_id == search.user_id, SavedSearch.name == name)
    if db.session.scalar(same.where(SavedSearch.id != (search.id or 0))) is not None:
        raise Refusal(_("You keep another search of this name."))
    if alert is not Alert.NONE and search.alert is Alert.NONE:
        try:
            search.known = matching.packed(
                matching.all_matches(search.user, read(search.query, search.user.works_here))
            )
        except NeedsRebuild:
            raise Refusal(_("The search index is being rebuilt. Try again in a minute.")) from None
    if alert is Alert.MAIL and search.alert is not Alert.MAIL:
        told = sa.update(SavedMatch).where(SavedMatch.search_id == search.id, SavedMatch.mailed_at.is_(None))
        db.session.execute(told.values(mailed_at=utcnow()))  # what the inbox told of needs no letter
    search.name, search.shared, search.alert = name, shared, alert


@built_once
def _own_and_shared(viewer: Person) -> sa.Select[SavedSearch]:
    named = select(SavedSearch).order_by(sa.func.lower(SavedSearch.name), SavedSearch.id)
    both = named.where(sa.or_(SavedSearch.user_id == viewer.id, SavedSearch.shared))
    return both.options(joinedload(SavedSearch.user))
