"""Reading how promises are kept, and deciding on which days they are counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, current_app, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.boards.calendars import ALL, Settings, calendar_of, days_for, settings_of
from portal.boards.models import Board
from portal.boards.queries import get_board, list_boards
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.ideas import workflow
from portal.ideas.models import Idea
from portal.ideas.queries import ideas_visible_to
from portal.options import option
from portal.promises import queries, redating, service
from portal.promises.forms import WEEKDAYS, DaysForm, RaisingForm
from portal.transactions import transaction
from portal.web.kept import kept
from portal.web.responses import go_to, page
from portal.web.session import authorize, member, viewer

bp = Blueprint("promises", __name__)

EXAMPLES = 5
PERIODS = {"quarter": timedelta(days=92), "year": timedelta(days=365), "all": None}


@bp.get("/promises")
def index() -> Response:
    """Read how many promises were kept, per board and per team, and which are late."""
    person, period = viewer(), request.args.get("period", "")
    period = period if period in PERIODS else "year"
    boards = queries.open_boards(person)

    def count() -> queries.Report:
        span = PERIODS[period]
        return queries.report(boards, utcnow() - span if span else None)

    return page(
        "promises/index.html",
        period=period,
        report=kept(("promises", period, *((line.id, line.name) for line in boards)), timedelta(minutes=1), count),
        late=queries.late_now(person),
        next=queries.due_next(person, 8),
    )


@bp.get("/admin/working-days")
def days() -> Response:
    """See on which days people work here, and by when a word is owed."""
    authorize("board.manage")
    return _overview(RaisingForm(formdata=None, data={"days": option("late_raised_after")}))


@bp.post("/admin/working-days/late")
def raising() -> Response:
    """Decide when managers hear of what is late."""
    authorize("board.manage")
    form = RaisingForm()
    if not form.validate_on_submit():
        return _overview(form, 422)
    with transaction():
        service.decide_raising(form.days.data)
    return go_to(url_for(".days"), _("Saved."))


@bp.route("/admin/working-days/<int:board_id>", methods=["GET", "POST"])
def edit_days(board_id: int) -> Response:
    """Decide the working days and clocks of a board, or let it be as the portal again; number 0 is the portal."""
    authorize("board.manage")
    board = _board(board_id)
    if board and request.form.get("do") == "as-portal":
        return _decide(board, None, _("%(board)s is as the portal again.", board=board.name))
    found = settings_of(board_id) or Settings(as_portal=True)
    zone = settings_of(ALL).calendar.zone if board else current_app.config["TIMEZONE"]
    form = DaysForm.about(workflow.rules() if board else [], zone, found, blank=request.method == "GET")
    if form.validate_on_submit():
        return _decide(board, form.settings(), _("Saved. What is promised from now on is counted by it."))
    status = 422 if form.errors else 200
    return page("promises/edit_days.html", status=status, form=form, board=board, weekdays=WEEKDAYS, kept=_kept(board))


def _decide(board: Board | None, settings: Settings | None, done: str) -> Response:
    """Let it hold; where promises that run would get another day by it, ask first what is to become of them."""
    shift, doing = redating.shift_by(board, settings), request.form.get("running", "")
    if shift.moved and doing not in {"keep", "move"}:
        return _ask(board, shift)
    try:
        with transaction():
            if doing == "move":
                number = redating.decide_and_redate(board, settings, request.form.get("reason", ""), member())
                told = ngettext("%(num)d promise has another day.", "%(num)d promises have another day.", number)
            else:
                service.decide_days(board, settings, member())
                told = _kept(board)
    except Refusal as refusal:
        return _ask(board, redating.shift_by(board, settings), refusal)
    return go_to(url_for(".days"), f"{done} {told}".strip())


def _ask(board: Board | None, shift: redating.Shift, refusal: Refusal | None = None) -> Response:
    shown = ideas_visible_to(viewer()).where(Idea.id.in_([each.idea_id for each in shift.moved[:EXAMPLES]]))
    ideas = {idea.id: idea for idea in db.session.scalars(shown)}
    typed = request.form.items(multi=True)
    return page(
        "promises/redate.html",
        status=refusal.status if refusal else 200,
        board=board,
        shift=shift,
        examples=[(ideas[each.idea_id], each) for each in shift.moved[:EXAMPLES] if each.idea_id in ideas],
        typed=[(name, value) for name, value in typed if name not in {"csrf_token", "running", "reason"}],
        reason=request.form.get("reason", ""),
        sentence=refusal.message if refusal else "",
    )


def _kept(board: Board | None) -> str:
    """Say how many promises run where these settings hold, and keep their day whatever becomes of the settings."""
    number = queries.count_running(
        [board.id] if board else [line.id for line in list_boards(viewer()) if _follows(line)]
    )
    if not number:
        return ""
    return ngettext("%(num)d promise that runs keeps its day.", "%(num)d promises that run keep their days.", number)


def _follows(board: Board) -> bool:
    own = settings_of(board.id)
    return own is None or own.as_portal


def _board(board_id: int) -> Board | None:
    return (get_board(board_id, viewer()) or abort(404)) if board_id != ALL else None


def _overview(form: RaisingForm, status: int = 200) -> Response:
    boards = list_boards(viewer())
    rows = [(None, settings_of(ALL)), *((board, settings_of(board.id)) for board in boards)]
    return page(
        "promises/days.html",
        status=status,
        form=form,
        rows=[(board, own, _examples(board.id if board else ALL)) for board, own in rows],
        weekdays=WEEKDAYS,
    )


def _examples(board_id: int) -> list[dict[str, Any]]:
    """Return by when the word would be due that is promised now, for each status with a clock."""
    now, calendar, found = utcnow(), calendar_of(board_id), []
    for rule in workflow.rules():
        if rule.next_word_within is not None:
            days = days_for(board_id, rule.key) or rule.next_word_within.days
            found.append({"rule": rule, "days": days, "due": calendar.today(calendar.due(now, days))})
    return found
