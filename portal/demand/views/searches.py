"""What people looked for, as the team sees it."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import make_response, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.db import utcnow
from portal.demand import groups, service
from portal.demand.groups import Filters, Group
from portal.demand.models import Searcher, Verdict
from portal.demand.views.backing import bp
from portal.transactions import transaction
from portal.web.responses import go_to, own_path, page
from portal.web.session import authorize, member, viewer

PAGE = 25


@bp.get("/admin/searches")
def searched() -> Response:
    """Read what people looked for, and did not get."""
    authorize("search.staff")
    filters, number = _filters(), _page_number()
    found = groups.list_groups(viewer(), filters)
    shown = found[(number - 1) * PAGE : number * PAGE]
    groups.tell(shown, viewer(), filters)
    return page(
        "demand/searches.html",
        filters=filters,
        groups=shown,
        total=len(found),
        number=number,
        has_more=len(found) > number * PAGE,
        chosen=_chosen(filters),
        least=groups.LEAST,
        searchers=tuple(Searcher),
        verdicts=tuple(Verdict),
    )


@bp.get("/admin/searches.csv")
def searched_table() -> Response:
    """Take along what people looked for as a table."""
    authorize("search.staff")
    filters = _filters()
    found = groups.list_groups(viewer(), filters)
    groups.tell(found, viewer(), filters)
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(
        [_("Words"), _("Also typed"), _("Times"), _("Found nothing"), _("Nothing opened"), _("Last"), _("Last 30 days")]
    )
    rows.writerows(_row(group) for group in found)
    answer = make_response("\ufeff" + table.getvalue())
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f"attachment; filename=searches-{utcnow().date().isoformat()}.csv"
    return answer


@bp.post("/admin/searches/aside")
def set_searches_aside() -> Response:
    """Decide that a group of searches needs no more attention."""
    authorize("searches.decide")
    verdict = Verdict.NOISE if request.form.get("verdict") == Verdict.NOISE.value else Verdict.ANSWERED
    keys = groups.seen_keys(request.form.getlist("stems"), viewer())
    with transaction(wake=False):
        service.set_aside(keys, verdict, member())
    return go_to(_here(), notice=_("Set aside as answered. It comes back when it is looked for again.")
                 if verdict is Verdict.ANSWERED else _("Set aside as noise."))  # fmt: skip


@bp.post("/admin/searches/back")
def bring_searches_back() -> Response:
    """Look at a group of searches again."""
    authorize("searches.decide")
    keys = groups.seen_keys(request.form.getlist("stems"), viewer())
    with transaction(wake=False):
        service.bring_back(keys, member())
    return go_to(_here(), notice=_("It stands with the others again."))


def _filters() -> Filters:
    asked = request.args
    by = frozenset(Searcher(name) for name in asked.getlist("by") if name in set(Searcher))
    least = int(asked["least"]) if asked.get("least", "") in map(str, groups.LEAST) else Filters().least
    only = asked.get("only", "all")
    return Filters(by or groups.PEOPLE, least, only if only in groups.ONLY else "all", asked.get("aside") == "1")


def _chosen(filters: Filters) -> dict[str, Any]:
    """What an address has to say to show the same again."""
    return {
        "by": sorted(filters.by) if filters.by != groups.PEOPLE else None,
        "least": filters.least if filters.least != Filters().least else None,
        "only": filters.only if filters.only != "all" else None,
        "aside": 1 if filters.aside else None,
    }


def _page_number() -> int:
    text = request.args.get("page", "1")
    return min(max(int(text), 1), groups.MOST) if text.isdecimal() and len(text) < 6 else 1


def _here() -> str:
    return own_path(request.form.get("here"), url_for("demand.searched"))


def _row(group: Group) -> list[Any]:
    words = [_harmless(text) for text in (group.words, ", ".join(group.others))]
    return [*words, group.times, group.nothing, group.unopened, group.last_at.date().isoformat(), group.recent]


def _harmless(cell: str) -> str:
    """Keep spreadsheets from taking words for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t"} else cell
