"""When somebody may be reached: quiet hours by their own clock, and pauses."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytz
from flask import current_app

from portal.accounts.models import User
from portal.db import db
from portal.notifications.reach import Reach
from portal.zones import usable


def held_until(user: User, now: datetime) -> datetime | None:
    """Return until when nothing may reach somebody by mail or push, because of a pause or quiet hours; None: it may."""
    if not is_paused(user, now):
        return quiet_for(user, now)
    reach = db.session.get_one(Reach, user.id)
    return quiet_for(user, reach.paused_until or now) or reach.paused_until


def quiet_for(user: User, now: datetime) -> datetime | None:
    """Return when the quiet hours of somebody end who is within them; None outside."""
    reach = reach_of(user.id)
    return quiet_by(reach, user, now) if reach else None


def quiet_by(reach: Reach, user: User, now: datetime) -> datetime | None:
    """Return the same by what they chose, where that is at hand."""
    return quiet_until(reach.quiet_from, reach.quiet_until, zone_of(user), now)


def is_paused(user: User, now: datetime) -> bool:
    """Whether somebody asked to be left in peace for some days."""
    reach = reach_of(user.id)
    return reach is not None and reach.paused_until is not None and reach.paused_until > now


def reach_of(user_id: int) -> Reach | None:
    """Return what somebody chose about when to be reached; None where they chose nothing."""
    return db.session.get(Reach, user_id)


def zone_of(user: User) -> str:
    """Return the name of the time zone that somebody lives by."""
    return usable(user.timezone) or str(current_app.config["BABEL_DEFAULT_TIMEZONE"])


def quiet_until(start: int | None, end: int | None, zone: str, now: datetime) -> datetime | None:
    """Return when the quiet hours end that it is now within; None outside of them."""
    if start is None or end is None or start == end:
        return None
    here = now.astimezone(pytz.timezone(zone))
    within = start <= here.hour < end if start < end else here.hour >= start or here.hour < end
    if not within:
        return None
    tomorrow = start > end and here.hour >= start
    return moment_at(here.date() + timedelta(days=tomorrow), end, zone)


def moment_at(day: date, hour: int, zone: str) -> datetime:
    """Return the moment when clocks of a zone show an hour on a day; where they skip it, the first one after."""
    place = pytz.timezone(zone)
    shown = datetime.combine(day, time(hour % 24)) + timedelta(days=hour // 24)
    return place.normalize(place.localize(shown, is_dst=False)).astimezone(pytz.UTC)
