"""The workbench: two ideas side by side, and what can be said of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.duplicates import queries, service
from portal.duplicates.comparing import Side, compare
from portal.duplicates.models import Pair, Proposal, State
from portal.duplicates.views.queue import bp
from portal.ideas.models import Idea
from portal.ideas.queries import get_idea
from portal.ideas.workflow import Status
from portal.transactions import transaction
from portal.triage.merge_preview import MergePreview, preview_merge
from portal.web.responses import fragment, go_to, is_htmx, own_path
from portal.web.session import authorize, can, member, viewer

KEPT = {State.REFUSED, State.KEPT_APART}  # whether they are merged, the ideas themselves know first


@dataclass(frozen=True, slots=True)
class Bench:
    """Two ideas side by side: all that the workbench shows."""

    left: Side
    right: Side
    keep: Idea  # the one that stays
    pair: Pair | None
    proposals: list[Proposal]
    more: list[int]  # ideas that look like both
    before: int  # pairs that stand before this one in the queue
    waiting: int
    skip_url: str
    preview: MergePreview | None
    may_decide: bool

    @property
    def gone(self) -> Idea:
        """The one that is joined to the other."""
        return self.right.idea if self.keep.id == self.left.idea.id else self.left.idea

    @property
    def is_open(self) -> bool:
        """Whether nobody has decided on them."""
        merged = Status.MERGED in {self.left.idea.status, self.right.idea.status}
        return not merged and (self.pair is None or self.pair.state not in KEPT)

    @property
    def in_queue(self) -> bool:
        """Whether they are one of those that wait."""
        return self.pair is not None and self.is_open and self.pair.weight > 0 and self.waiting > self.before

    @property
    def kept_apart_by_rule(self) -> bool:
        """Whether no two ideas can be joined where these are."""
        return self.left.idea.board.one_way or self.right.idea.board.one_way


@bp.get("/triage/duplicates/<int:idea_id>/<int:other_id>")
def pair(idea_id: int, other_id: int) -> ResponseReturnValue:
    """Compare two ideas; coming from a decision on them, go on to the next two."""
    one, other = _ideas(idea_id, other_id, "triage.read")
    found = queries.find_pair(one.id, other.id)
    if "on" in request.args and _is_settled(found, one, other):
        return go_to(_next_url(found))
    bench = _bench(one, other, found)
    if is_htmx():
        return fragment("duplicates/_after.html", bench=bench)
    return render_template("duplicates/pair.html", bench=bench)


@bp.post("/triage/duplicates/<int:idea_id>/<int:other_id>/refuse")
def refuse(idea_id: int, other_id: int) -> ResponseReturnValue:
    """Say that two ideas are not the same, once and for all."""
    return _settle(idea_id, other_id, service.refuse_pair, _("Not the same: nobody will be asked again."))


@bp.post("/triage/duplicates/<int:idea_id>/<int:other_id>/apart")
def keep_apart(idea_id: int, other_id: int) -> ResponseReturnValue:
    """Say that two ideas are the same, and leave them apart."""
    return _settle(idea_id, other_id, service.keep_apart, _("Noted: the same, and kept apart."))


@bp.post("/triage/duplicates/<int:idea_id>/<int:other_id>/reopen")
def reopen(idea_id: int, other_id: int) -> ResponseReturnValue:
    """Take back what was said of two ideas."""
    one, other = _ideas(idea_id, other_id, "idea.triage")
    with transaction():
        service.reopen_pair(one, other, member())
    return go_to(_back() or url_for(".pair", idea_id=one.id, other_id=other.id), notice=_("Taken back."))


def _settle(idea_id: int, other_id: int, decide: Callable[[Idea, Idea, User], Pair], done: str) -> ResponseReturnValue:
    one, other = _ideas(idea_id, other_id, "idea.triage")
    with transaction():
        settled = decide(one, other, member())
    back = _back()
    undo = url_for(".reopen", idea_id=idea_id, other_id=other_id, back=back or None)
    flash(done, f"undo:{undo}")
    return go_to(back or _next_url(settled))


def _ideas(idea_id: int, other_id: int, permission: str) -> tuple[Idea, Idea]:
    """Return two different ideas with which the viewer may do this, or answer 404 or 403."""
    one = get_idea(idea_id, viewer())
    other = get_idea(other_id if other_id != idea_id else 0, viewer())
    authorize(permission, one)
    authorize(permission, other)
    return one, other


def _bench(one: Idea, other: Idea, found: Pair | None) -> Bench:
    left, right = compare(one, other, found.stems if found else frozenset())
    proposals = queries.proposals_for([found]).get(found.id, []) if found else []
    kept = request.args.get("keep", type=int)
    keep = next((idea for idea in (one, other) if idea.id == kept), None) or queries.keeper_of(one, other, proposals)
    before, waiting = queries.place_in_queue(found, viewer()) if found else (0, 0)
    may_decide = can("idea.triage", one) and can("idea.triage", other)
    return Bench(
        left=left,
        right=right,
        keep=keep,
        pair=found,
        proposals=proposals,
        more=queries.group_around(one.id, other.id, viewer()) if found else [],
        before=before,
        waiting=waiting,
        skip_url=_next_url(found),
        preview=preview_merge(other if keep is one else one, keep, viewer()),
        may_decide=may_decide,
    )


def _is_settled(found: Pair | None, one: Idea, other: Idea) -> bool:
    """Whether these two are decided; of a merge the ideas know before the pair does."""
    return one.merged_into_id == other.id or other.merged_into_id == one.id or bool(found and found.state in KEPT)


def _next_url(left: Pair | None) -> str:
    """Return the address of what comes after a pair in the queue."""
    place = (left.weight, left.id) if left else (float("inf"), 0)
    following = queries.next_waiting(viewer(), place, left.id if left else 0)
    if following is None:
        return url_for(".index", finished=1)
    return url_for(".pair", idea_id=following.first_id, other_id=following.second_id)


def _back() -> str:
    return own_path(request.args.get("back"), "")
