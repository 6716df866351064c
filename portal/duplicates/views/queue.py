"""The queue of possible duplicates."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.boards.models import Board
from portal.boards.queries import list_worked_on
from portal.duplicates import queries
from portal.duplicates.models import Pair
from portal.web.paging import cursor, place
from portal.web.session import authorize, viewer

bp = Blueprint("duplicates", __name__)


@bp.get("/triage/duplicates")
def index() -> ResponseReturnValue:
    """Look through the pairs of ideas that may be one, the surest first."""
    authorize("triage.read")
    after = place(request.args.get("page", ""), (float, int))
    boards = list_worked_on(viewer())
    board = next((board for board in boards if board.slug == request.args.get("board")), None)
    pairs, more = queries.page_of_waiting(viewer(), (after[0], after[1]) if after else None, board)
    proposals = queries.proposals_for(pairs)
    return render_template(
        "duplicates/index.html",
        pairs=pairs,
        proposals=proposals,
        keepers={
            pair.id: queries.keeper_of(pair.first, pair.second, proposals.get(pair.id, []))
            for pair in pairs
            if pair.confirmed
        },
        older_url=_older_url(pairs[-1], board) if more else None,
        boards=boards,
        board=board,
        paged=after is not None,
        scan=queries.scan_progress(),
        finished="finished" in request.args,
    )


def _older_url(last: Pair, board: Board | None) -> str:
    return url_for(".index", page=cursor(last.weight, last.id), board=board.slug if board else None)
