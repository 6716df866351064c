"""Every kind of page on which the team decides, and on which everybody reads how it does."""

from __future__ import annotations

from collections.abc import Iterator

from portal.accounts.models import User
from portal.bulk import service as bulk
from portal.db import db, utcnow
from portal.decisions.models import Reason
from portal.ideas.workflow import Status
from portal.organisations.segments import Rule, make_segment
from portal.quarters.calendar import Quarter
from portal.talk import drafts, snippets
from portal.talk import service as notes
from portal.transactions import transaction
from tests.journeys.scene import Scene
from tests.organisations.steps import make_organisation

Pages = Iterator[tuple[User | None, list[str]]]


def pages_of_how_it_is_decided(scene: Scene) -> Pages:
    """What everybody reads of it, and what the team has before it."""
    idea, manager = scene.ideas[Status.UNDER_REVIEW], scene.manager
    declined, shipped = scene.ideas[Status.DECLINED], scene.ideas[Status.SHIPPED]
    this = Quarter.of(utcnow()).name
    with transaction(wake=False):
        notes.write_note(idea, manager, "Support **hears** this.\n\n- twice a week")
        draft = drafts.save_draft(idea, manager, "answer", {"answer-answer": ["Perhaps."]}, {"Official answer": "Yes"})
        drafts.say(draft, manager, "Is this too early?")
        snippets.save_snippet(manager, "Thanks, with a name", "Thank you, {author}.", shared=True, board_id=None)
        act = bulk.plan(manager, "add_tags", {"tags": ["spring"]}, [idea, declined])
    yield None, ["/promises", "/outcomes", "/quarters", f"/quarters/{this}", "/feeds", f"/ideas/{declined.id}/count"]
    yield scene.quiet, [f"/ideas/{declined.id}", "/feeds"]
    yield (
        manager,
        [
            "/triage/snoozed",
            f"/triage/first-look/{idea.id}",
            "/triage/decisions",
            f"/ideas/{idea.id}/precedents",
            "/triage/notes",
            "/triage/drafts?which=all",
            f"/triage/drafts/{draft.id}",
            "/triage/snippets",
            f"/triage/bulk/new?queue=first-look&act=move&idea={idea.id}",
            f"/triage/bulk/{act.id}",
            "/triage/bulk",
            "/scores",
            f"/ideas/{idea.id}/score",
            f"/ideas/{idea.id}/behind",
            f"/ideas/{shipped.id}/verdicts",
        ],
    )


def pages_of_what_is_set(scene: Scene) -> Pages:
    """What admins set: the workflow, reasons, clocks, scores, organisations."""
    organisation = make_organisation("Fell Rescue", scene.quiet)
    with transaction(wake=False):
        segment = make_segment(scene.owner, "On rescue teams", Rule(organisations=(organisation.id,)))
    reason = db.session.query(Reason.id).first()[0]
    yield (
        scene.owner,
        [
            "/admin/workflow",
            "/admin/workflow/status/planned",
            "/admin/workflow/move/new/declined",
            "/admin/workflow/versions",
            "/admin/reasons",
            f"/admin/reasons/{reason}",
            "/admin/score",
            "/admin/working-days",
            f"/admin/working-days/{scene.board.id}",
            "/admin/verdicts",
            "/admin/quarters",
            f"/admin/organisations/{organisation.id}",
            f"/admin/segments/{segment.id}",
        ],
    )
