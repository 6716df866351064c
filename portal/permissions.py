"""Who may do what: the one table that views and templates ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portal.accounts import policy as accounts
from portal.accounts.models import Person
from portal.comments import policy as comments
from portal.ideas import policy as ideas

PERMISSIONS: dict[str, Callable[[Any, Any], bool]] = {
    "account.use": accounts.may_use,
    "comment.delete": comments.may_delete,
    "comment.edit": comments.may_edit,
    "comment.mark": ideas.may_take_part,
    "comment.post": ideas.may_take_part,
    "idea.answer": ideas.may_answer,
    "idea.edit": ideas.may_edit,
    "idea.follow": ideas.may_take_part,
    "idea.hide": ideas.may_hide,
    "idea.hold": ideas.may_hold,
    "idea.move": ideas.may_triage,
    "idea.override": ideas.may_override,
    "idea.remove": ideas.may_remove,
    "idea.submit": ideas.may_take_part,
    "idea.triage": ideas.may_triage,
    "idea.vote": ideas.may_take_part,
    "search.staff": accounts.may_read_as_staff,
    "move.make": ideas.may_make,
    "outbox.see": accounts.may_administer,
    "triage.read": accounts.may_read_as_staff,
}


def can(viewer: Person, permission: str, thing: Any = None) -> bool:
    """Whether the viewer may; a permission that is not in the table is a mistake in the code."""
    return PERMISSIONS[permission](viewer, thing)
