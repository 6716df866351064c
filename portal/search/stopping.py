"""Stopping the mails of kept searches by the link in one: of those that it told of, and of no others."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User
from portal.db import db
from portal.search.models import Alert, SavedSearch
from portal.search.saved import change_search

Searches = Sequence[SavedSearch]


def searches_of(user: User, numbers: Collection[int]) -> Searches:
    """Return those of these searches that somebody keeps, by name; all of which they are told, where none is named."""
    named = SavedSearch.id.in_(numbers) if numbers else SavedSearch.alert != Alert.NONE
    kept = select(SavedSearch).where(SavedSearch.user_id == user.id, named)
    return db.session.scalars(kept.order_by(sa.func.lower(SavedSearch.name), SavedSearch.id)).all()


def stop_mails(user: User, numbers: Collection[int]) -> None:
    """Tell of these searches in the inbox alone from now on."""
    for search in searches_of(user, numbers):
        if search.alert is Alert.MAIL:
            change_search(search, name="", shared=search.shared, alert=Alert.INBOX)


def send_mails_again(user: User, numbers: Collection[int]) -> None:
    """Tell of these searches by mail again, of what comes from now on."""
    for search in searches_of(user, numbers):
        change_search(search, name="", shared=search.shared, alert=Alert.MAIL)
