"""Telling people of new ideas that answer the searches they keep: each idea once, all of one round together."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytz
import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db, insert_if_absent, utcnow
from portal.events import emit
from portal.notifications.service import queue_letter
from portal.search import matching
from portal.search.asking import read
from portal.search.changes import watched
from portal.search.engine import NeedsRebuild
from portal.search.events import MatchesFound
from portal.search.index import documents
from portal.search.matching import Text
from portal.search.models import Alert, SavedMatch, SavedSearch, WatchTask
from portal.transactions import transaction

BATCH = 200
LETTER = "saved_searches"
MORNING = 7  # o'clock where the reader is
COUNT_EVERY = 300.0  # seconds between looks at how many people are behind ideas
COUNTED = "search.counted"


def tell_of_changed() -> int:
    """Compare the ideas that changed with the searches that people keep; return how many ideas there were."""
    ids = list(db.session.scalars(select(WatchTask.idea_id).order_by(WatchTask.asked_at).limit(BATCH)))
    if not ids:
        return 0
    began = utcnow()
    texts = [Text(document) for document in documents(ids)]
    searches = list(db.session.scalars(watched().with_only_columns(SavedSearch.id)))
    db.session.rollback()  # nothing is held while texts are compared
    for search_id in searches:
        with transaction():
            search = db.session.get(SavedSearch, search_id)
            if search is not None:
                query = matching.query_of(read(search.query, search.user.works_here))
                _tell(search, [text.id for text in texts if text.answers(query)])
    with transaction(wake=False):
        done = sa.delete(WatchTask).where(WatchTask.idea_id.in_(ids), WatchTask.asked_at <= began)
        db.session.execute(done)
    return len(ids)


def tell_of_counted() -> int:
    """Every few minutes look for ideas that came to have as many votes as a search asks for; return how many."""
    now = time.monotonic()
    if now < current_app.extensions.get(COUNTED, float("-inf")) + COUNT_EVERY:
        return 0
    current_app.extensions[COUNTED] = now
    asking = watched().where(SavedSearch.query.contains("votes:")).with_only_columns(SavedSearch.id)
    searches, told = list(db.session.scalars(asking)), 0
    db.session.rollback()
    for search_id in searches:
        with transaction():
            search = db.session.get(SavedSearch, search_id)
            if search is not None:
                told += _tell(search, _all_of(search))
    return told


def mail_of_the_day() -> int:
    """Queue one letter to each reader with what was found before this morning; return how many letters."""
    waiting = (
        select(User, sa.func.min(SavedMatch.found_at))
        .join(SavedSearch, SavedSearch.user_id == User.id)
        .join(SavedMatch, SavedMatch.search_id == SavedSearch.id)
        .where(SavedMatch.mailed_at.is_(None), SavedSearch.alert == Alert.MAIL)
        .group_by(User.id)
    )
    due = [user for user, first in db.session.execute(waiting).all() if first < _morning(user)]
    for user in due:
        with transaction():
            now = utcnow()
            mine = select(SavedSearch.id).where(SavedSearch.user_id == user.id, SavedSearch.alert == Alert.MAIL)
            unsent = (SavedMatch.search_id.in_(mine), SavedMatch.mailed_at.is_(None))
            db.session.execute(sa.update(SavedMatch).where(*unsent).values(mailed_at=now))
            key = f"{LETTER}-{user.id}-{_morning(user).astimezone(UTC):%Y-%m-%dT%H:%M}"
            queue_letter(LETTER, to=user.email, user=user, data={"at": now.isoformat()}, key=key, rationed=False)
    return len(due)


def _tell(search: SavedSearch, ids: Collection[int]) -> int:
    """Note which of these ideas are news to whoever keeps the search, and state it once for all; return how many."""
    user = search.user
    if not ids or search.alert is Alert.NONE or not (user.is_active and user.works_here):
        return 0
    told = select(SavedMatch.idea_id).where(SavedMatch.search_id == search.id, SavedMatch.idea_id.in_(ids))
    news = matching.fitting(user, read(search.query, user.works_here), set(ids) - matching.unpacked(search.known))
    fresh = sorted(news - set(db.session.scalars(told)), reverse=True)
    fresh = [n for n in fresh if insert_if_absent(SavedMatch, search_id=search.id, idea_id=n, found_at=utcnow())]
    if fresh:
        emit(MatchesFound(idea_id=fresh[0], user_id=user.id, search_id=search.id, idea_ids=fresh))
    return len(fresh)


def _all_of(search: SavedSearch) -> Collection[int]:
    try:
        return matching.all_matches(search.user, read(search.query, search.user.works_here))
    except NeedsRebuild:
        return ()  # it is being built; the next look is soon


def _morning(user: User) -> datetime:
    """Return when it was last seven in the morning where the user is."""
    zone = pytz.timezone(user.timezone or current_app.config["TIMEZONE"])
    here = utcnow().astimezone(zone)
    seven = here.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    return seven if seven <= here else seven - timedelta(days=1)
