"""What stands against a workflow: ideas that could not go on, and what the portal itself needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.ideas.starting import EVERYBODY
from portal.ideas.workflow import By, Move, News, Status, StatusRule, Workflow, read
from portal.workflows.drafting import Document

FIELDS = ("answer", "reason", "alternative", "reversal", "expected", "link", "review_on", "owner")
"""What a move may ask for; a merge asks for the main idea besides."""

ALONE = {Status.NEW, Status.MERGED}
"""Where the portal itself puts ideas: no status stands beside these."""

OWN_MOVES = (
    (Status.NEEDS_INFO, Status.UNDER_REVIEW),  # answered, or not in time
    (Status.NOT_NOW, Status.UNDER_REVIEW),  # the day or the condition has come
    (Status.DECLINED, Status.UNDER_REVIEW),  # the condition is met
    (Status.SHIPPED, Status.CONFIRMED),  # the supporters' verdict
    (Status.SHIPPED, Status.UNDER_REVIEW),
    (Status.AVAILABLE, Status.CONFIRMED),
    (Status.AVAILABLE, Status.UNDER_REVIEW),
)
"""What the portal itself does, with a reason and nothing else."""

LABEL_MAX, MEANING_MAX, DAYS_MAX = 40, 160, 730


def problems(document: Document, ideas: Mapping[str, int]) -> list[str]:
    """Return, in sentences, why these tables cannot hold; ``ideas`` counts what stands at each key today."""
    try:
        workflow = read(document)
    except (KeyError, ValueError, TypeError):
        return [_("These tables cannot be read.")]
    if gone := _missing(workflow):
        return [
            _(
                "The status %(status)s is one that the portal itself asks for. It can be renamed, not removed.",
                status=status.label,
            )
            for status in gone
        ]
    return [
        *_unfit_statuses(document, workflow),
        *_unfit_moves(workflow),
        *_stranded(workflow, ideas),
        *_needed_by_the_portal(workflow),
    ]


def _missing(workflow: Workflow) -> list[Status]:
    return [status for status in Status if status.value not in workflow.rules]


def _unfit_statuses(document: Document, workflow: Workflow) -> Iterator[str]:
    names: dict[str, StatusRule] = {}
    for rule in workflow.rules.values():
        name = str(rule.label).strip()
        if rule.stage and rule.kind in ALONE:
            yield _("Beside %(status)s no other status can stand.", status=rule.kind.label)
        if not name or len(name) > LABEL_MAX or len(str(rule.meaning)) > MEANING_MAX:
            yield _("Every status needs a name of at most %(max)d characters.", max=LABEL_MAX)
        if name.casefold() in names:
            yield _("Two statuses are called %(name)s. People could not tell them apart.", name=name)
        names[name.casefold()] = rule
    if any(not 0 <= row[name] <= DAYS_MAX for row in document["statuses"] for name in ("days", "comments_days")):
        yield _("A clock runs for at most %(max)d days.", max=DAYS_MAX)


def _unfit_moves(workflow: Workflow) -> Iterator[str]:
    for move in workflow.moves.values():
        way = say_way(workflow, move)
        asked = [*move.demands, *move.demands_one_of, *move.offers]
        merges = move.target is Status.MERGED
        if set(asked) - {*FIELDS, *({"into"} if merges else ())} or len(set(asked)) < len(asked):
            yield _("%(way)s asks for something that no form has.", way=way)
        if len(move.demands_one_of) == 1:
            yield _("%(way)s: where one of several must be given, there must be several.", way=way)
        if merges and "into" not in move.demands:
            yield _("%(way)s: a merge needs the main idea.", way=way)
        if move.target is Status.NEW:
            yield _("%(way)s: an idea is new once.", way=way)
        if move.source is Status.MERGED:
            yield _("%(way)s: what was merged comes back by undoing the merge.", way=way)
        if move.by is By.SYSTEM and not _is_made_by_the_portal(move):
            yield _("%(way)s: the portal never makes this move by itself, so nobody would.", way=way)
        if set(move.tells) - set(EVERYBODY):
            yield _("%(way)s tells people whom nobody knows.", way=way)
        if move.news is not News.STEP and not merges and "author" not in move.tells:
            yield _("%(way)s: of a decision or a question the author must hear.", way=way)
        if move.news is News.QUESTION and "answer" not in move.demands:
            yield _("%(way)s: whoever is asked must be told the question.", way=way)


def _stranded(workflow: Workflow, ideas: Mapping[str, int]) -> Iterator[str]:
    reached = {target for _source, target in workflow.moves} | {Status.NEW.value}
    for key, rule in workflow.rules.items():
        count = ideas.get(key, 0)
        if rule.kind is Status.MERGED or workflow.moves_from(rule) or not (count or key in reached):
            continue
        if count:
            yield ngettext(
                "%(num)d idea would be in a status with no way out: %(status)s.",
                "%(num)d ideas would be in a status with no way out: %(status)s.",
                count,
                status=rule.label,
            )
        else:
            yield _("Ideas could come to %(status)s, and from there nowhere.", status=rule.label)
    if not any(move.by is not By.SYSTEM for move in workflow.moves_from(workflow.rules[Status.NEW.value])):
        yield _("Nobody could take a new idea up.")
    for key, count in ideas.items():
        if count and key not in workflow.rules:
            yield ngettext(
                "%(num)d idea stands in the status that is to go. Move it first.",
                "%(num)d ideas stand in the status that is to go. Move them first.",
                count,
            )


def _needed_by_the_portal(workflow: Workflow) -> Iterator[str]:
    for rule in workflow.rules.values():
        for kind, target in OWN_MOVES:
            goal = workflow.rules[target.value]
            move = workflow.move(rule, goal)
            if rule.kind is not kind:
                continue
            if move is None:
                yield _(
                    "The portal itself moves ideas from %(status)s to %(goal)s. Keep that move.",
                    status=rule.label,
                    goal=goal.label,
                )
            elif set(move.demands) - {"reason"} or move.demands_one_of:
                yield _(
                    "%(way)s: the portal itself makes this move, and can give nothing but a reason.",
                    way=say_way(workflow, move),
                )
        if rule.kind is Status.NEEDS_INFO and rule.next_word_within is None:
            yield _(
                "%(status)s needs a clock: when it has run, the portal goes on without an answer.", status=rule.label
            )
    if not workflow.leading_to(Status.MERGED):
        yield _("From nowhere could ideas be merged.")


def _is_made_by_the_portal(move: Move) -> bool:
    return (move.source, move.target) in OWN_MOVES and not move.target_stage


def say_way(workflow: Workflow, move: Move) -> str:
    """Return a move as people read it."""
    source, target = workflow.rule(move.source, move.source_stage), workflow.rule(move.target, move.target_stage)
    return f"{source.label} → {target.label}"


def unreachable(workflow: Workflow) -> list[StatusRule]:
    """Return the statuses that no idea comes to any more; that may be wanted, and is said."""
    reached = {target for _source, target in workflow.moves} | {Status.NEW.value}
    return [rule for key, rule in workflow.rules.items() if key not in reached]


def as_counts(rows: Any) -> dict[str, int]:
    """Return counts by status and stage as counts by key."""
    counts: dict[str, int] = {}
    for status, stage, count in rows:
        key = stage or Status(status).value
        counts[key] = counts.get(key, 0) + count
    return counts
