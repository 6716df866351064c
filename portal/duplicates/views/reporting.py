"""The report card of suggested duplicates."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import format_date

from portal.duplicates.report import ENOUGH, make_report
from portal.duplicates.views.queue import bp
from portal.web.session import authorize, viewer


@bp.get("/triage/duplicates/report")
def report() -> ResponseReturnValue:
    """Read how often suggested duplicates were duplicates, and which were missed."""
    authorize("triage.read")
    found = make_report(viewer())
    months = [(format_date(month, "LLLL y"), tally) for month, tally in found.by_month.items()]
    return render_template("duplicates/report.html", report=found, months=months, enough=ENOUGH)
