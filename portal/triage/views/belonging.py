"""Saying on the desk where an idea belongs: its team, private labels, links to others, and what it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.errors import Refusal
from portal.ideas.models import Idea, Nature
from portal.ideas.queries import get_idea, number_in
from portal.ideas.teamwork import assign_team
from portal.labels.queries import labels_on
from portal.labels.service import set_labels
from portal.links.queries import get_link
from portal.links.service import link_ideas, say_nature, unlink_ideas
from portal.links.words import label_of, read_choice
from portal.teams.queries import find_team
from portal.transactions import transaction
from portal.triage import queues
from portal.triage.desk import Typed, spot_of
from portal.triage.queries import candidates
from portal.triage.views.pages import bp, go_on, show_again
from portal.web.responses import go_to
from portal.web.session import authorize, member, viewer

Done = tuple[str, dict[str, Any]]
"""What was done, in words, and by what it is taken back."""


@bp.post("/<queue>/<int:idea_id>/team")
def team(queue: str, idea_id: int) -> ResponseReturnValue:
    """Let a team look after the idea."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    before = idea.team_id
    wanted = request.values.get("team", "")
    chosen = find_team(int(wanted)) if wanted.isdecimal() and len(wanted) < 10 else None
    if wanted and chosen is None:
        abort(400)

    def act() -> Done:
        assign_team(idea, chosen, member())
        said = _("The team %(name)s looks after it.", name=chosen.name) if chosen else _("No team looks after it.")
        return said, {"endpoint": "team", "team": before or ""}

    return _change(queue, idea, act)


@bp.post("/<queue>/<int:idea_id>/labels")
def labels(queue: str, idea_id: int) -> ResponseReturnValue:
    """Say in words of the team what the idea is about."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    before = ", ".join(labels_on(idea, viewer()))
    names = request.values.get("labels", "").split(",")

    def act() -> Done:
        set_labels(idea, names, member())
        return _("Private labels saved."), {"endpoint": "labels", "labels": before}

    return _change(queue, idea, act, typed=(_("Private labels"), ",".join(names)))


@bp.post("/<queue>/<int:idea_id>/nature")
def nature(queue: str, idea_id: int) -> ResponseReturnValue:
    """Say whether the idea is a need, a solution or both."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    before = idea.nature.value if idea.nature else ""
    wanted = request.values.get("nature", "")
    if wanted and wanted not in set(Nature):
        abort(400)

    def act() -> Done:
        say_nature(idea, Nature(wanted) if wanted else None, member())
        return _("Saved."), {"endpoint": "nature", "nature": before}

    return _change(queue, idea, act)


@bp.get("/<queue>/<int:idea_id>/links")
def links(queue: str, idea_id: int) -> ResponseReturnValue:
    """Look for the idea that this one is to be tied to."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    words, choice = request.args.get("other", ""), request.args.get("kind", "relates")
    read = read_choice(choice) or abort(404)
    found = candidates(idea, words, viewer()) if words.strip() else []
    return render_template(
        "triage/links.html",
        spot=spot_of(queue),
        idea=idea,
        words=words,
        choice=choice,
        label=label_of(*read),
        found=found,
    )


@bp.post("/<queue>/<int:idea_id>/links")
def link(queue: str, idea_id: int) -> ResponseReturnValue:
    """Tie the idea to another one, given by number or address; by words one chooses among what is found."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    choice, typed = request.values.get("kind", ""), request.values.get("other", "")
    kind, outward = read_choice(choice) or abort(400)
    number = number_in(typed)
    if number is None:
        return go_to(spot_of(queue).url("links", idea_id=idea.id, kind=choice, other=typed))
    other = _other(number)

    def act() -> Done:
        made = link_ideas(idea, other, kind, member(), outward=outward)
        if made is None:
            return _("The two are tied like this already."), {}
        said = _("%(label)s: “%(title)s”.", label=label_of(kind, outward), title=other.title)
        return said, {"endpoint": "unlink", "link_id": made.id}

    return _change(queue, idea, act, typed=(_("The other idea"), typed))


@bp.post("/<queue>/<int:idea_id>/links/<int:link_id>/remove")
def unlink(queue: str, idea_id: int, link_id: int) -> ResponseReturnValue:
    """Untie the idea from another one."""
    idea = get_idea(idea_id, viewer())
    authorize("idea.triage", idea)
    tie = get_link(idea, link_id, viewer())
    authorize("idea.triage", tie.other)

    def act() -> Done:
        unlink_ideas(tie.id, member())
        back = {"endpoint": "link", "kind": tie.choice, "other": tie.other.id}
        return _("No longer tied to “%(title)s”.", title=tie.other.title), back

    return _change(queue, idea, act)


def _other(number: int) -> Idea:
    other = get_idea(number, viewer())
    authorize("idea.triage", other)
    return other


def _change(
    queue: str, idea: Idea, act: Callable[[], Done], typed: tuple[str, str] | None = None
) -> ResponseReturnValue:
    """Do it and stay with the idea while it is in the queue; a refusal loses nothing that was typed."""
    spot = spot_of(queue)
    left = queues.place_of(spot.queue, idea)
    try:
        with transaction():
            said, back = act()
    except Refusal as refusal:
        return show_again(spot, idea, Typed(sentence=refusal.message, kept=[typed] if typed and typed[1] else []))
    undo = spot.url(back.pop("endpoint"), idea_id=idea.id, **back) if back else ""
    return go_on(spot, idea.id, left, said, undo, stay=True, in_place=True)
