"""A calendar as calendar programs want it: iCalendar (RFC 5545, with the names of RFC 7986)."""

from __future__ import annotations

from datetime import timedelta

from icalendar import Calendar, Event
from icalendar.prop import vDuration

from portal.feeds.calendars import Appointment, Dates
from portal.notifications.links import mail_domain
from portal.options import option
from portal.text import clean_line, clean_text

MIMETYPE = "text/calendar"
AGAIN = timedelta(hours=6)
DAY = timedelta(days=1)


def write_calendar(dates: Dates, own_url: str) -> bytes:
    """Return the calendar; the same appointments are the same bytes. ``own_url`` is where it can be had."""
    name = clean_line(f"{dates.title} · {option('name')}")
    calendar = Calendar()
    calendar.add("prodid", f"-//{mail_domain()}//Idea portal//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("url", dates.url)
    calendar.add("source", own_url, parameters={"VALUE": "URI"})
    calendar.add("refresh-interval", vDuration(AGAIN), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(AGAIN))
    for appointment in dates.appointments:
        calendar.add_component(_event(appointment))
    return calendar.to_ical()


def uid_of(key: str) -> str:
    """Return the name of an appointment for good, in whatever calendar it stands."""
    return f"{key.replace('/', '-')}@{mail_domain()}"


def _event(appointment: Appointment) -> Event:
    event = Event()
    event.add("uid", uid_of(appointment.key))
    event.add("dtstamp", appointment.changed_at)
    event.add("last-modified", appointment.changed_at)
    event.add("sequence", appointment.version)
    event.add("dtstart", appointment.on)
    event.add("dtend", appointment.on + DAY)
    event.add("summary", clean_line(appointment.title))
    if appointment.words:
        event.add("description", clean_text(appointment.words))
    if appointment.label:
        event.add("categories", [clean_line(appointment.label)])
    event.add("url", appointment.url)
    event.add("status", "CANCELLED" if appointment.is_off else "CONFIRMED" if appointment.is_certain else "TENTATIVE")
    event.add("transp", "TRANSPARENT")
    return event
