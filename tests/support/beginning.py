"""The workflow that a portal starts with, by the statuses that code asks about."""

from portal.ideas.workflow import BEGINNING

STATUSES = {rule.kind: rule for rule in BEGINNING.rules.values()}
MOVES = {(move.source, move.target): move for move in BEGINNING.moves.values()}
