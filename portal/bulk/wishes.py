"""What can be done with many ideas, by name."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.bulk.kinds import KINDS
from portal.ideas.workflow import By, Move, Status, StatusRule, current

MOVE = "move-"
SIMPLE = {
    "owner": "owner",
    "team": "team",
    "add_tags": "tags",
    "remove_tags": "tags",
    "board": "board",
    "snooze": "day",
}
"""The one field of each kind of act that is no move."""


def wishes() -> list[tuple[str, str]]:
    """Return all that can be done with many ideas, each with its name."""
    moves = [(MOVE + goal.key, _("Move to %(status)s", status=goal.label)) for goal in goals()]
    return [*moves, *((name, str(KINDS[name].label)) for name in SIMPLE)]


def goals() -> list[StatusRule]:
    """Return where many ideas can be moved to, in the order of the workflow."""
    found = {move.goal.key: move.goal for move in current().moves.values() if _can_be_many(move)}
    order = list(current().rules)
    return sorted(found.values(), key=lambda goal: order.index(goal.key))


def ways_to(goal: StatusRule) -> list[Move]:
    """Return the moves that lead there."""
    return [move for move in current().moves.values() if _can_be_many(move) and move.goal.key == goal.key]


def _can_be_many(move: Move) -> bool:
    return move.by is not By.SYSTEM and move.target is not Status.MERGED
