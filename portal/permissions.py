"""Who may do what: the one table that views and templates ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.accounts import policy as accounts
from portal.accounts.models import Person
from portal.boards import policy as boards
from portal.bulk import policy as bulk
from portal.changelog import policy as changelog
from portal.comments import policy as comments
from portal.decisions import policy as decisions
from portal.demand import policy as demand
from portal.ideas import policy as ideas
from portal.labels import policy as labels
from portal.membership import policy as membership
from portal.organisations import policy as organisations
from portal.roadmap import policy as roadmap
from portal.talk import policy as talk
from portal.teams import policy as teams
from portal.verdicts import policy as verdicts
from portal.workflows import policy as workflows

PERMISSIONS: dict[str, Callable[[Any, Any], bool]] = {
    "account.use": accounts.may_use,
    "board.manage": boards.may_manage,
    "board.people": boards.may_list_people,
    "board.rank": boards.may_give_rank,
    "bulk.act": bulk.may_act,
    "bulk.undo": bulk.may_undo,
    "changelog.publish": changelog.may_publish,
    "comment.delete": comments.may_delete,
    "comment.edit": comments.may_edit,
    "comment.mark": ideas.may_take_part,
    "comment.post": ideas.may_take_part,
    "comment.read_removed": comments.may_read_removed,
    "draft.review": talk.may_review,
    "draft.write": talk.may_write_draft,
    "decision.revise": decisions.may_revise,
    "duplicate.propose": ideas.may_take_part,
    "idea.answer": ideas.may_answer,
    "idea.edit": ideas.may_edit,
    "idea.follow": ideas.may_take_part,
    "idea.hide": ideas.may_hide,
    "idea.hold": ideas.may_hold,
    "idea.move": ideas.may_triage,
    "idea.object": ideas.may_take_part,
    "idea.override": ideas.may_override,
    "idea.remove": ideas.may_remove,
    "idea.submit": ideas.may_submit,
    "idea.triage": ideas.may_triage,
    "idea.vote": ideas.may_take_part,
    "invitation.send": membership.may_invite,
    "label.manage": labels.may_manage,
    "move.make": ideas.may_make,
    "note.delete": talk.may_delete_note,
    "note.edit": talk.may_edit_note,
    "note.write": talk.may_write_notes,
    "options.decide": accounts.may_decide_options,
    "organisation.manage": organisations.may_manage,
    "outbox.see": accounts.may_administer,
    "people.address": membership.may_see_address,
    "people.approve": accounts.may_approve,
    "people.role": accounts.may_change_role,
    "people.see": accounts.may_see_people,
    "people.suspend": accounts.may_suspend,
    "people.suspend_for_long": accounts.may_suspend_for_long,
    "roadmap.plan": roadmap.may_plan,
    "roadmap.themes": roadmap.may_edit_themes,
    "receipt.hide": demand.may_hide_differences,
    "receipt.see": demand.may_see_receipts,
    "role.give": accounts.may_give_role,
    "rules.publish": accounts.may_publish_rules,
    "search.staff": accounts.may_search_as_staff,
    "searches.decide": demand.may_set_searches_aside,
    "security.see": accounts.may_see_security,
    "sign_in.decide": accounts.may_administer,
    "snippet.change": talk.may_change_snippet,
    "snippet.keep": talk.may_keep_snippets,
    "snippet.share": talk.may_share_snippets,
    "sso.manage": accounts.may_manage_ways_in,
    "team.manage": teams.may_manage,
    "triage.read": ideas.may_read_triage,
    "vote.behalf": organisations.may_vote_for_others,
    "vote.set_aside": organisations.may_set_votes_aside,
    "verdict.give": verdicts.may_answer,
    "verdict.read": verdicts.may_read_words,
    "verdict.rules": verdicts.may_decide_rules,
    "verdict.steer": verdicts.may_steer,
    "votes.reveal_mail": ideas.may_reveal_address,
    "votes.see_names": ideas.may_see_voters,
    "workflow.decide": workflows.may_decide,
    "workflow.propose": workflows.may_propose,
}


def can(viewer: Person, permission: str, thing: Any = None) -> bool:
    """Whether the viewer may; a permission that is not in the table is a mistake in the code."""
    return PERMISSIONS[permission](viewer, thing)
