"""Reading what came out."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from typing import Any

from flask import abort, request, url_for
from flask_babel import format_date, get_timezone
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.boards.queries import find_board, list_boards
from portal.changelog import queries
from portal.changelog.queries import Telling
from portal.changelog.views.base import bp
from portal.verdicts.queries import open_to
from portal.web.paging import cursor, place
from portal.web.responses import page
from portal.web.session import can, viewer


@bp.get("/changelog")
def index() -> Response:
    """Read what came out, newest first."""
    slug = request.args.get("board", "")
    board = (find_board(slug, viewer()) or abort(404)) if slug else None
    after = place(request.args.get("after"), (datetime, int))
    shown = queries.list_entries(viewer(), board, (after[0], after[1]) if after else None)
    kept: dict[str, Any] = {"board": slug} if slug else {}
    return page(
        "changelog/index.html",
        months=_by_month(shown.tellings),
        known=[f"entry{telling.entry.id}" for telling in shown.tellings],
        asked_about=_asked_about(shown.tellings),
        older=url_for(".index", after=cursor(*shown.next_place), **kept) if shown.next_place else None,
        first=url_for(".index", **kept) if after else None,
        boards=list_boards(viewer()),
        board=board,
        waiting=queries.drafts_of(viewer()) if can("changelog.publish") else [],
    )


@bp.get("/changelog/<int:entry_id>")
def show(entry_id: int) -> Response:
    """Read one entry."""
    entry = queries.get_entry(entry_id, viewer())
    telling = queries.tell([entry], viewer())[0]
    return page(
        "changelog/show.html",
        telling=telling,
        asked_about=_asked_about([telling]),
        writes=can("changelog.publish", entry),
    )


def _asked_about(tellings: list[Telling]) -> set[int]:
    """The ideas of which the viewer has not said yet whether it solves their need, and is asked."""
    return open_to(viewer(), [idea.id for telling in tellings for idea in telling.ideas])


def _by_month(tellings: list[Telling]) -> list[tuple[str, list[Telling]]]:
    zone = get_timezone()

    def month(telling: Telling) -> date:
        out = telling.entry.published_at
        return out.astimezone(zone).date().replace(day=1) if out else date.min

    return [(format_date(first, _("MMMM y")), list(told)) for first, told in groupby(tellings, key=month)]
