"""Feeds: in public for everybody, and behind a secret address as one person sees the portal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, make_response, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.models import Guest, Person, User
from portal.boards.models import Board
from portal.boards.queries import find_board, list_boards
from portal.feeds import calendars, queries, service
from portal.feeds.calendars import Dates
from portal.feeds.ical import MIMETYPE, write_calendar
from portal.feeds.queries import Feed
from portal.feeds.writing import Format, write
from portal.notifications.links import absolute_url
from portal.text import clean_line
from portal.transactions import transaction
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer

bp = Blueprint("feeds", __name__)

NAMES = "any(ideas, answers, roadmap, changelog, quarters, search)"
FORMATS = "any(atom, json)"
FRESH_FOR = 300  # seconds in which nobody needs to ask again


@bp.get("/feeds")
def index() -> Response:
    """See which feeds there are, and the address of one's own."""
    me = viewer()
    address = service.address_of(me) if isinstance(me, User) else None
    token = service.token_of(address) if address else ""
    return page("feeds/index.html", boards=list_boards(me), address=address, token=token, formats=list(Format))


@bp.post("/feeds/address")
def make_address() -> Response:
    """Get an address for private feeds, or another one in place of it."""
    authorize("account.use")
    had = service.address_of(member()) is not None
    with transaction(wake=False):
        service.make_address(member())
    said = _("You have a new address. The old one is good no more.") if had else _("Here is your address.")
    return go_to(url_for(".index", _anchor="yours"), said)


@bp.post("/feeds/address/give-up")
def give_up_address() -> Response:
    """Have no private feeds any more."""
    authorize("account.use")
    with transaction(wake=False):
        service.give_up_address(member())
    return go_to(url_for(".index", _anchor="yours"), _("Your private feeds are gone. Nobody can read them any more."))


@bp.get(f"/feeds/<{NAMES}:name>.<{FORMATS}:written_as>")
def public(name: str, written_as: str) -> Response:
    """Read a feed of what everybody may see."""
    return _answer(_feed(name, Guest()), written_as, shared=True)


@bp.get(f"/feeds/ideas/<int:idea_id>.<{FORMATS}:written_as>")
def idea(idea_id: int, written_as: str) -> Response:
    """Read what happens to one idea that everybody may see."""
    return _answer(queries.idea_feed(Guest(), idea_id), written_as, shared=True)


@bp.get(f"/feeds/private/<token>/<any(inbox, {NAMES[4:]}:name>.<{FORMATS}:written_as>")
def private(token: str, name: str, written_as: str) -> Response:
    """Read a feed as the person sees it whose address this is."""
    return _answer(_feed(name, _reader(token)), written_as, shared=False)


@bp.get(f"/feeds/private/<token>/ideas/<int:idea_id>.<{FORMATS}:written_as>")
def private_idea(token: str, idea_id: int, written_as: str) -> Response:
    """Read what happens to one idea, as the person sees it whose address this is."""
    return _answer(queries.idea_feed(_reader(token), idea_id), written_as, shared=False)


@bp.get("/feeds/calendar.ics")
def calendar() -> Response:
    """Read what comes when, as far as everybody may know."""
    return _answer_dates(calendars.what_comes(Guest(), _board(request.args.get("board", ""), Guest())), shared=True)


@bp.get("/feeds/private/<token>/calendar.ics")
def private_calendar(token: str) -> Response:
    """Read by when one is promised a word, or owes it, as the person whose address this is."""
    return _answer_dates(calendars.of_ones_own(_reader(token)), shared=False)


def _reader(token: str) -> User:
    return service.find_reader(token) or abort(404)


def _feed(name: str, reader: Person) -> Feed:
    asked = request.args
    if name == "inbox" and isinstance(reader, User):
        return queries.inbox_feed(reader)
    if name == "search":
        return queries.search_feed(reader, clean_line(asked.get("q")))
    if name == "quarters":
        return queries.quarters_feed(reader)
    board = _board(asked.get("board", ""), reader)
    if name == "ideas":
        return queries.ideas_feed(reader, board, asked.get("status", ""), asked.get("tag", ""))
    make = {"answers": queries.answers_feed, "roadmap": queries.roadmap_feed, "changelog": queries.changelog_feed}
    return make[name](reader, board)


def _board(slug: str, reader: Person) -> Board | None:
    return (find_board(slug, reader) or abort(404)) if slug else None


def _answer(feed: Feed, written_as: str, *, shared: bool) -> Response:
    """Answer with the feed, or with 304 to who has it; what one person sees is kept by no cache in between."""
    chosen = Format(written_as)
    answer = make_response(write(feed, chosen, _own_url()))
    answer.mimetype = chosen.mimetype
    answer.last_modified = feed.updated_at
    return _dress(answer, shared)


def _answer_dates(dates: Dates, *, shared: bool) -> Response:
    """Answer with the calendar in the same way; what was last changed says nothing of what is gone since."""
    answer = make_response(write_calendar(dates, _own_url()))
    answer.mimetype = MIMETYPE
    return _dress(answer, shared)


def _dress(answer: Response, shared: bool) -> Response:
    answer.headers["Cache-Control"] = f"public, max-age={FRESH_FOR}" if shared else "private, no-cache"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.add_etag()
    return answer.make_conditional(request)


def _own_url() -> str:
    """Return the address that was asked for, with all that was asked along, as people outside reach it."""
    arguments: dict[str, Any] = request.view_args or {}
    url = absolute_url(request.endpoint or "", **arguments)
    return f"{url}?{urlencode(list(request.args.items()))}" if request.args else url
