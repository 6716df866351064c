"""More than two: the one that stays, and all that are joined to it in one act."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal.db import db
from portal.duplicates import queries
from portal.duplicates.comparing import Pieces
from portal.duplicates.views.queue import bp
from portal.errors import Refusal
from portal.ideas import merging
from portal.ideas.followers import audience_of
from portal.ideas.merging import CannotMerge
from portal.ideas.models import Idea, Vote
from portal.ideas.moves import move_idea, moves_for
from portal.ideas.queries import get_idea
from portal.ideas.service import lock_in_order
from portal.ideas.steps import MoveDetails
from portal.ideas.supporters import counts_for
from portal.ideas.workflow import Status
from portal.search import words
from portal.transactions import transaction
from portal.web.responses import fragment, go_to, is_htmx
from portal.web.session import authorize, can, member, viewer


@dataclass(frozen=True, slots=True)
class Line:
    """One idea that may be joined to the one that stays."""

    idea: Idea
    title: Pieces
    ticked: bool
    obstacle: str


@dataclass(frozen=True, slots=True)
class Group:
    """An idea that stays and others that may be the same: all that the page shows."""

    keep: Idea
    lines: list[Line]
    votes: int
    told: int
    may_decide: bool

    @property
    def ticked(self) -> list[Idea]:
        """Those that would be joined to it."""
        return [line.idea for line in self.lines if line.ticked]

    @property
    def ids(self) -> list[int]:
        """All of them, the one that stays first."""
        return [self.keep.id, *(line.idea.id for line in self.lines)]


@bp.get("/triage/duplicates/<int:idea_id>")
def together(idea_id: int) -> ResponseReturnValue:
    """Look at all that may be the same as one idea, and choose what is joined to it."""
    keep = get_idea(idea_id, viewer())
    authorize("triage.read", keep)
    alike = dict.fromkeys(_numbers(request.args, "with"), True) or queries.alike_in_question(keep.id, viewer())
    others = _others(keep, list(alike))
    likely = {number for number, is_likely in alike.items() if is_likely}
    ticked = set(_numbers(request.args, "tick")) if "chosen" in request.args else likely
    group = _group(keep, others, ticked)
    if is_htmx():
        return fragment("duplicates/_together_after.html", group=group)
    return render_template("duplicates/together.html", group=group)


@bp.post("/triage/duplicates/<int:idea_id>")
def join(idea_id: int) -> ResponseReturnValue:
    """Join several ideas to the one that stays, all of them or none."""
    keep = get_idea(idea_id, viewer())
    authorize("idea.triage", keep)
    others = _others(keep, _numbers(request.form, "tick"))
    if "show" in request.form:
        shown: dict[str, Any] = {name: _numbers(request.form, name) for name in ("with", "tick")}
        return go_to(url_for(".together", idea_id=keep.id, chosen=1, **shown))
    for other in others:
        authorize("idea.triage", other)
    here = url_for(".together", idea_id=keep.id, **_with(others))
    if not others:
        return go_to(here, notice=_("Tick at least one idea."))
    notice = request.form.get("notice", "")
    try:
        with transaction():
            lock_in_order(keep, *others)
            for other in others:
                move_idea(other, Status.MERGED, member(), MoveDetails(into=keep, notice=notice))
    except Refusal as refusal:
        flash(refusal.message, "error")
        return go_to(here)
    done = ngettext(
        "%(num)d idea joined with “%(title)s”.",
        "%(num)d ideas joined with “%(title)s”.",
        len(others),
        title=keep.title,
    )
    undo = url_for(".undo", idea_id=keep.id, **_with(others))
    flash(done, f"undo:{undo}")
    return go_to(url_for(".index"))


@bp.post("/triage/duplicates/<int:idea_id>/undo")
def undo(idea_id: int) -> ResponseReturnValue:
    """Take a merge of several ideas back, all of it."""
    keep = get_idea(idea_id, viewer())
    authorize("idea.triage", keep)
    merged = [get_idea(number, viewer()) for number in _numbers(request.args, "with")]
    for idea in merged:
        authorize("idea.triage", idea)
    with transaction():
        for idea in merged:
            if idea.merged_into_id == keep.id:
                merging.undo_merge(idea, member(), _("The merge was a mistake."))
    back = url_for(".together", idea_id=keep.id, **_with(merged))
    return go_to(back, notice=_("The merge is taken back."))


def _with(ideas: list[Idea]) -> dict[str, Any]:
    return {"with": [idea.id for idea in ideas]}


def _numbers(given: MultiDict[str, str], name: str) -> list[int]:
    return [number for number in given.getlist(name, type=int) if 0 < number < 2**31][: queries.TOGETHER]


def _others(keep: Idea, ids: list[int]) -> list[Idea]:
    """Return those of these ideas that stand for themselves where the viewer is of the team."""
    found = []
    for number in dict.fromkeys(ids):
        idea = get_idea(number, viewer())
        if not can("triage.read", idea):
            abort(403)
        if idea.id != keep.id and idea.is_published and idea.status is not Status.MERGED:
            found.append(idea)
    return found[: queries.TOGETHER]


def _group(keep: Idea, others: list[Idea], ticked: set[int]) -> Group:
    mine = set(words.stems(keep.title))
    lines = []
    for idea in others:
        obstacle = _obstacle(idea, keep)
        lines.append(Line(idea, words.mark(idea.title, mine), idea.id in ticked and not obstacle, obstacle))
    chosen = [line.idea.id for line in lines if line.ticked]
    may_decide = can("idea.triage", keep) and all(can("idea.triage", idea) for idea in others)
    return Group(keep, lines, _votes([keep.id, *chosen]), _told(chosen), may_decide)


def _obstacle(idea: Idea, keep: Idea) -> str:
    try:
        merging.check_merge(idea, keep)
    except CannotMerge as refusal:
        return refusal.message
    if can("idea.triage", idea) and not any(move.target is Status.MERGED for move in moves_for(idea, member())):
        return _("%(status)s: it can only stay.", status=idea.rule.label)
    return ""


def _votes(ids: list[int]) -> int:
    """Count the people behind all of these ideas, each once."""
    people = select(sa.func.count(sa.distinct(Vote.voter_id)))
    return db.session.scalar(people.where(sa.or_(*(counts_for(number) for number in ids)))) or 0


def _told(ids: list[int]) -> int:
    """Count who would hear of it, each once."""
    if not ids:
        return 0
    heard = sa.union(*(select(audience_of(number, viewer().id).subquery().c.user_id) for number in ids)).subquery()
    return db.session.scalar(select(sa.func.count()).select_from(heard)) or 0
