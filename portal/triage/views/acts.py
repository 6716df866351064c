"""What the team does with an idea on the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.roles import TRIAGERS
from portal.boards.queries import list_worked_on, team_of
from portal.db import db, utcnow
from portal.decisions.queries import standing
from portal.decisions.service import revise
from portal.errors import Refusal
from portal.ideas import merging, moves, service
from portal.ideas.followers import count_told
from portal.ideas.merges import merge_of
from portal.ideas.models import TEXT_MAX, Answer, Idea, StatusChange
from portal.ideas.queries import get_idea
from portal.ideas.steps import DetailMissing, MoveDetails, MoveNotAllowed
from portal.ideas.taking_back import can_undo
from portal.ideas.workflow import Status, move_between, place_named
from portal.notifications.told_before import count_told_of_merge
from portal.text import render_markdown
from portal.transactions import transaction
from portal.triage import queues
from portal.triage.desk import Typed, open_workspace, spot_of
from portal.triage.forms import Offer, offer_answer, offer_move, offer_override, offer_record
from portal.triage.views import drafting, planning
from portal.triage.views.pages import bp, go_on, show, show_again
from portal.web.once import this_form
from portal.web.session import authorize, member, viewer

Act = Callable[[MoveDetails], int]
"""Does something; returns the number of what it made."""
Outcome = tuple[int, dict[str, Any]]
"""How many people will hear of something, and by what it is taken back."""


@bp.post("/<queue>/<int:idea_id>/move/<target>")
def move(queue: str, idea_id: int, target: str) -> ResponseReturnValue:
    """Move an idea along the workflow, with all that has to be said."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.move", idea)
    goal = place_named(target) or abort(404)
    seen = place_named(request.form.get(f"{target}-seen")) or idea.rule
    offered = move_between(seen, goal)
    if offered is None or goal.kind is Status.MERGED:
        return show_again(spot_of(queue), idea, Typed(sentence=MoveNotAllowed(idea, goal.kind, goal.stage).message))
    authorize("move.make", (offered, idea))
    offer = offer_move(offered, idea, team_of(idea.board), member())

    def act(details: MoveDetails) -> int:
        return moves.move_idea(idea, goal.kind, member(), details, stage=goal.stage).id

    return _carry_out(queue, idea, offer, act, _moved, _("Moved to %(status)s.", status=goal.label))


@bp.post("/<queue>/<int:idea_id>/answer")
def answer(queue: str, idea_id: int) -> ResponseReturnValue:
    """Say something in public without moving the idea."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.answer", idea)

    def act(details: MoveDetails) -> int:
        return moves.answer_idea(idea, member(), details).id

    return _carry_out(queue, idea, offer_answer(idea), act, _answered, _("Answer published."))


@bp.post("/<queue>/<int:idea_id>/record")
def record(queue: str, idea_id: int) -> ResponseReturnValue:
    """Put the record of the decision right by which the idea stands."""
    idea = get_idea(idea_id, viewer())
    authorize("decision.revise", idea)

    def act(details: MoveDetails) -> int:
        revise(idea, member(), details.record)
        return idea.id

    return _carry_out(
        queue, idea, offer_record(idea, standing(idea)), act, lambda _number: (0, {}), _("The record is put right.")
    )


@bp.post("/<queue>/<int:idea_id>/override")
def override(queue: str, idea_id: int) -> ResponseReturnValue:
    """Make a move that the workflow does not offer; it is marked in the history."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.override", idea)
    offer = offer_override(idea)
    goal = place_named(offer.form.target.data) or abort(400)

    def act(details: MoveDetails) -> int:
        return moves.move_idea(idea, goal.kind, member(), details, override=True, stage=goal.stage).id

    return _carry_out(queue, idea, offer, act, _moved, _("Moved to %(status)s.", status=goal.label))


@bp.post("/<queue>/<int:idea_id>/owner")
def owner(queue: str, idea_id: int) -> ResponseReturnValue:
    """Make somebody responsible."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    before = idea.owner_id
    wanted = str(member().id) if "me" in request.form else request.values.get("owner", "")
    person = next((person for person in team_of(idea.board) if str(person.id) == wanted), None)
    if wanted and person is None:
        abort(400)

    def act() -> str:
        moves.assign_owner(idea, person, member())
        return _("Assigned to %(name)s.", name=person.name) if person else _("Nobody is responsible any more.")

    return _change(queue, idea, act, undo={"endpoint": "owner", "owner": before or ""})


@bp.post("/<queue>/<int:idea_id>/board")
def board(queue: str, idea_id: int) -> ResponseReturnValue:
    """Put the idea on another board."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    before = idea.board.slug
    boards = list_worked_on(viewer(), TRIAGERS)
    target = next((board for board in boards if board.slug == request.values.get("onto")), None)
    if target is None:
        abort(400)

    def act() -> str:
        moves.change_board(idea, target, member())
        return _("Now on the board %(name)s.", name=target.name)

    return _change(queue, idea, act, undo={"endpoint": "board", "onto": before})


@bp.post("/<queue>/<int:idea_id>/tags")
def tags(queue: str, idea_id: int) -> ResponseReturnValue:
    """Say what the idea is about in a few words that others have too."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    before = ", ".join(tag.name for tag in idea.tags)
    names = request.values.get("tags", "").split(",")

    def act() -> str:
        service.lock(idea)
        moves.set_tags(idea, names if "tags" in request.values else _toggled(idea), member())
        return _("Tags saved.")

    return _change(queue, idea, act, undo={"endpoint": "tags", "tags": before}, typed=[(_("Tags"), ",".join(names))])


@bp.post("/<queue>/<int:idea_id>/hide")
def hide(queue: str, idea_id: int) -> ResponseReturnValue:
    """Take the idea out of sight and tell its author why."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.hide", idea)
    reason = request.form.get("reason", "")

    def act() -> str:
        service.hide_idea(idea, member(), reason)
        return _("Hidden. Its author will read why.")

    undo: dict[str, str | int] | None = {"endpoint": "undo_hiding"} if can_undo(utcnow()) else None
    return _change(queue, idea, act, undo, typed=[(_("Reason"), reason)])


@bp.post("/<queue>/<int:idea_id>/publish")
def publish(queue: str, idea_id: int) -> ResponseReturnValue:
    """Let an idea through."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.hold", idea)

    def act() -> str:
        service.publish_idea(idea, member())
        return _("Published.")

    return _change(queue, idea, act, {"endpoint": "undo_publishing"} if can_undo(utcnow()) else None)


@bp.post("/<queue>/<int:idea_id>/undo-merge")
def undo_merge(queue: str, idea_id: int) -> ResponseReturnValue:
    """Take a merge back."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    at_once = "at_once" in request.args
    reason = request.form.get("reason", "") or (_("The merge was a mistake.") if at_once else "")

    def act() -> str:
        merge = merge_of(idea)
        merging.undo_merge(idea, member(), reason)
        told = count_told_of_merge(idea, merge.id, member().id) if merge else 0
        return say_told(_("The merge is taken back."), told)

    return _change(queue, idea, act, stay=True, typed=[(_("Reason"), reason)])


def _carry_out(
    queue: str, idea: Idea, offer: Offer, act: Act, outcome: Callable[[int], Outcome | None], done: str
) -> ResponseReturnValue:
    """Do what a form asks for, once, unless the idea is no longer what the person saw."""
    spot = spot_of(queue)
    form = offer.form
    if "preview" in request.form:
        typed = Typed(offer, preview=render_markdown((form.answer.data or "")[:TEXT_MAX]))
        return show(open_workspace(spot, idea, opened=True, typed=typed))
    if (again := drafting.instead(idea, offer)) is not None:
        return show(open_workspace(spot, idea, opened=True, typed=again))
    if not form.validate():
        return show_again(spot, idea, Typed(offer))
    if (kept := drafting.keep(idea, offer)) is not None:
        return show_again(spot, idea, kept) if isinstance(kept, Typed) else kept
    left = queues.place_of(spot.queue, idea)
    try:
        if (planned := planning.plan(idea, offer, lambda: _details(offer, idea))) is not None:
            return planned
        with transaction():
            sent = this_form()
            came_of_it = outcome(sent.made) if sent.made else None
            if came_of_it is None:
                service.lock(idea)
                if form.seen.data != idea.rule.key:
                    raise Refusal(
                        _(
                            "Somebody moved this to %(status)s meanwhile. What you wrote is still here.",
                            status=idea.rule.label,
                        )
                    )
                sent.made = act(_details(offer, idea))
                drafting.settle(idea)
                came_of_it = outcome(sent.made)
            told, undo = came_of_it or (0, {})
    except DetailMissing as missing:
        form[missing.field].errors = [missing.message]
        return show_again(spot, idea, Typed(offer))
    except Refusal as refusal:
        return show_again(spot, idea, Typed(offer, refusal.message))
    way_back = spot.url(undo.pop("endpoint"), idea_id=idea.id, **undo) if undo else ""
    return go_on(spot, idea.id, left, say_told(done, told), way_back)


def _moved(change_id: int) -> Outcome | None:
    """What came of a move; None where it was taken back."""
    change = db.session.get_one(StatusChange, change_id)
    undo = {"endpoint": "undo_move", "change_id": change.id}
    return None if change.undone_at else (change.told, undo if can_undo(change.at) else {})


def _answered(answer_id: int) -> Outcome | None:
    """What came of a word without a move; None where it was taken back."""
    said = db.session.get_one(Answer, answer_id)
    undo = {"endpoint": "undo_answer", "answer_id": said.id}
    told = count_told(said.idea, said.author_id, also_quiet=False)
    return None if said.taken_back_at else (told, undo if can_undo(said.at) else {})


def _change(
    queue: str,
    idea: Idea,
    act: Callable[[], str],
    undo: dict[str, str | int] | None = None,
    stay: bool = False,
    typed: list[tuple[str, str]] | None = None,
) -> ResponseReturnValue:
    """Do what needs no form of the workflow; ``undo`` is the same act with the value from before."""
    spot = spot_of(queue)
    left = queues.place_of(spot.queue, idea)
    try:
        with transaction():
            done = act()
    except Refusal as refusal:
        kept = [(label, text) for label, text in typed or [] if text.strip()]
        return show_again(spot, idea, Typed(sentence=refusal.message, kept=kept))
    way_back = ""
    if undo:
        values = dict(undo)
        way_back = spot.url(str(values.pop("endpoint")), idea_id=idea.id, **values)
    return go_on(spot, idea.id, left, done, way_back, stay, in_place=bool(undo))


def _toggled(idea: Idea) -> list[str]:
    """Return the idea's tags with one more or one less: the one that was chosen, or else the one that was typed."""
    chosen, typed = request.form.get("toggle", ""), request.form.get("add", "")
    names = {tag.name for tag in idea.tags}
    return sorted(names ^ {chosen} if chosen else names | set(typed.split(",")))


def _details(offer: Offer, idea: Idea) -> MoveDetails:
    chosen = offer.form.owner.data if "owner" in offer.asks else None
    team = team_of(idea.board) if chosen else []
    return offer.details(next((person for person in team if person.id == chosen), None))


def say_told(done: str, told: int) -> str:
    """Return what was done, and how many people will hear about it."""
    if not told:
        return done
    return f"{done} " + ngettext("%(num)d person will hear about it.", "%(num)d people will hear about it.", told)
