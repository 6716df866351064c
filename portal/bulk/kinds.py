"""The kinds of acts on many ideas: whether one can be done with an idea, doing it, and taking it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.accounts.models import User
from portal.accounts.roles import DECIDERS
from portal.boards.models import Board
from portal.bulk.models import UNDO_WITHIN, BulkAct
from portal.db import db
from portal.errors import Refusal
from portal.ideas import moves
from portal.ideas.models import Idea, StatusChange
from portal.ideas.steps import MoveDetails, Record, Tell
from portal.ideas.teamwork import assign_team
from portal.ideas.workflow import StatusRule, place_named
from portal.teams.models import Team
from portal.triage import asides

MOST_TAGS = 10
Values = dict[str, Any]


class AlreadySo(Refusal):
    """Nothing would change."""

    def __init__(self) -> None:
        super().__init__(_("It is like that already."))


class ChangedSince(Refusal):
    """Somebody did something else with it after the act, and that stays."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of act.

    ``check`` raises what doing it would raise; ``do`` returns what ``undo`` needs, which raises ChangedSince where
    something else has been done since.
    """

    name: str
    label: object
    check: Callable[[BulkAct, Idea, User], None]
    do: Callable[[BulkAct, Idea, User], Values]
    undo: Callable[[BulkAct, Idea, User, Values], None]
    tells: bool = False  # whether somebody may hear of it


def check(act: BulkAct, idea: Idea, actor: User) -> None:
    """Raise why this cannot be done with this idea by this person now."""
    if not actor.is_active or not actor.is_one_of(DECIDERS, idea.board_id):
        raise Refusal(_("You do not decide on the board %(name)s.", name=idea.board.name))
    KINDS[act.kind].check(act, idea, actor)


def do(act: BulkAct, idea: Idea, actor: User) -> Values:
    """Do it with this idea; return what taking it back needs."""
    check(act, idea, actor)
    return KINDS[act.kind].do(act, idea, actor)


def undo(act: BulkAct, idea: Idea, actor: User, before: Values) -> None:
    """Take it back from this idea, exactly; raise why that cannot be."""
    if not actor.is_active or not actor.is_one_of(DECIDERS, idea.board_id):
        raise Refusal(_("You do not decide on the board %(name)s.", name=idea.board.name))
    KINDS[act.kind].undo(act, idea, actor, before)


def write_details(details: MoveDetails) -> Values:
    """Write down what is said with a move."""
    written = {name: getattr(details, name) for name in SAID}
    record = {name: _written(value) for name, value in asdict(details.record).items()}
    owner = details.owner.id if details.owner else None
    return written | {"review_on": _written(details.review_on), "owner": owner, "record": record}


def read_details(act: BulkAct) -> MoveDetails:
    """Return what is said with the move of an act, to its people in its way."""
    written = act.what["details"]
    record = dict(written["record"])
    record["back_on"] = _day(record["back_on"])
    return MoveDetails(
        **{name: written[name] for name in SAID},
        review_on=_day(written["review_on"]),
        owner=_user(written["owner"]),
        record=Record(**record),
        tell=act.tell,
        act_id=act.id,
    )


def goal_of(act: BulkAct) -> StatusRule:
    """Return where an act moves ideas to."""
    goal = place_named(act.what["target"])
    if goal is None:
        raise Refusal(_("This status is no more."))
    return goal


SAID = ("answer", "reason", "alternative", "reversal", "expected", "link")


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _user(user_id: int | None) -> User | None:
    return db.session.get(User, user_id) if user_id else None


# Owner


def _check_owner(act: BulkAct, idea: Idea, _actor: User) -> None:
    owner = _user(act.what["owner"])
    if idea.owner_id == (owner.id if owner else None):
        raise AlreadySo
    if owner is not None and not owner.is_staff_on(idea.board_id):
        raise Refusal(_("%(name)s is not on the team and cannot own an idea.", name=owner.name))


def _assign(act: BulkAct, idea: Idea, actor: User) -> Values:
    before, owner = idea.owner_id, _user(act.what["owner"])
    moves.assign_owner(idea, owner, actor, tell=act.tell, act_id=act.id)
    return {"owner": before, "now": owner.id if owner else None}


def _unassign(_act: BulkAct, idea: Idea, actor: User, before: Values) -> None:
    if idea.owner_id != before["now"]:
        raise ChangedSince(_("Somebody assigned it anew since."))
    if before["owner"] and _user(before["owner"]) is None:
        raise ChangedSince(_("Whoever owned it is here no more."))
    moves.assign_owner(idea, _user(before["owner"]), actor, tell=Tell.NOBODY)


# Team


def _check_team(act: BulkAct, idea: Idea, _actor: User) -> None:
    if idea.team_id == act.what["team"]:
        raise AlreadySo


def _give_team(act: BulkAct, idea: Idea, actor: User) -> Values:
    before = idea.team_id
    assign_team(idea, _team(act.what["team"]), actor)
    return {"team": before, "now": act.what["team"]}


def _take_team(_act: BulkAct, idea: Idea, actor: User, before: Values) -> None:
    if idea.team_id != before["now"]:
        raise ChangedSince(_("Somebody gave it to another team since."))
    assign_team(idea, _team(before["team"]), actor)


def _team(team_id: int | None) -> Team | None:
    if team_id is None:
        return None
    team = db.session.get(Team, team_id)
    if team is None:
        raise Refusal(_("This team is no more."))
    return team


# Tags


def _names(idea: Idea) -> set[str]:
    return {tag.name for tag in idea.tags}


def _check_more_tags(act: BulkAct, idea: Idea, _actor: User) -> None:
    more = set(act.what["tags"]) - _names(idea)
    if not more:
        raise AlreadySo
    if len(more) + len(idea.tags) > MOST_TAGS:
        raise Refusal(_("An idea has at most ten tags."))


def _add_tags(act: BulkAct, idea: Idea, actor: User) -> Values:
    before, wanted = _names(idea), set(act.what["tags"])
    moves.set_tags(idea, sorted(before | wanted), actor)
    return {"added": sorted(wanted - before)}


def _check_fewer_tags(act: BulkAct, idea: Idea, _actor: User) -> None:
    if not set(act.what["tags"]) & _names(idea):
        raise AlreadySo


def _remove_tags(act: BulkAct, idea: Idea, actor: User) -> Values:
    before, unwanted = _names(idea), set(act.what["tags"])
    moves.set_tags(idea, sorted(before - unwanted), actor)
    return {"removed": sorted(unwanted & before)}


def _restore_tags(_act: BulkAct, idea: Idea, actor: User, before: Values) -> None:
    added, removed = set(before.get("added", ())), set(before.get("removed", ()))
    now = _names(idea)
    if not (added & now or removed - now):
        raise ChangedSince(_("Somebody changed its tags since."))
    moves.set_tags(idea, sorted((now - added) | removed), actor)


# Board


def _check_board(act: BulkAct, idea: Idea, actor: User) -> None:
    board = _board(act.what["board"])
    if idea.board_id == board.id:
        raise AlreadySo
    if not actor.is_one_of(DECIDERS, board.id):
        raise Refusal(_("You do not decide on the board %(name)s.", name=board.name))


def _change_board(act: BulkAct, idea: Idea, actor: User) -> Values:
    before = idea.board_id
    moves.change_board(idea, _board(act.what["board"]), actor)
    return {"board": before, "now": act.what["board"]}


def _change_board_back(_act: BulkAct, idea: Idea, actor: User, before: Values) -> None:
    if idea.board_id != before["now"]:
        raise ChangedSince(_("Somebody put it on another board since."))
    moves.change_board(idea, _board(before["board"]), actor)


def _board(board_id: int) -> Board:
    board = db.session.get(Board, board_id)
    if board is None:
        raise Refusal(_("This board is no more."))
    return board


# Status


def _check_move(act: BulkAct, idea: Idea, actor: User) -> None:
    goal = goal_of(act)
    if idea.rule.key == goal.key:
        raise AlreadySo
    moves.check_move(idea, goal, actor, read_details(act))


def _move(act: BulkAct, idea: Idea, actor: User) -> Values:
    goal = goal_of(act)
    change = moves.move_idea(idea, goal.kind, actor, read_details(act), stage=goal.stage)
    return {"change": change.id}


def _move_back(act: BulkAct, idea: Idea, actor: User, before: Values) -> None:
    change = db.session.scalar(sa.select(StatusChange).where(StatusChange.id == before["change"]))
    if change is None or change.undone_at is not None:
        raise ChangedSince(_("Somebody took it back already."))
    moves.undo_move(idea, change, actor, within=2 * UNDO_WITHIN, act_id=act.id)


# Snoozing


def _check_snooze(act: BulkAct, idea: Idea, actor: User) -> None:
    if asides.snoozed_until(idea, actor) == datetime.fromisoformat(act.what["until"]):
        raise AlreadySo


def _snooze(act: BulkAct, idea: Idea, actor: User) -> Values:
    before = asides.snoozed_until(idea, actor)
    asides.snooze(idea, datetime.fromisoformat(act.what["until"]), actor)
    return {"until": before.isoformat() if before else None}


def _wake(act: BulkAct, idea: Idea, _actor: User, before: Values) -> None:
    actor = act.actor  # whose queues they are
    if actor is None:
        return
    if asides.snoozed_until(idea, actor) != datetime.fromisoformat(act.what["until"]):
        raise ChangedSince(_("It is not snoozed until that day any more."))
    if before["until"]:
        asides.snooze(idea, datetime.fromisoformat(before["until"]), actor)
    else:
        asides.wake(idea, actor)


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("owner", _l("Assign"), _check_owner, _assign, _unassign, tells=True),
        Kind("team", _l("Give to a team"), _check_team, _give_team, _take_team),
        Kind("add_tags", _l("Add tags"), _check_more_tags, _add_tags, _restore_tags),
        Kind("remove_tags", _l("Remove tags"), _check_fewer_tags, _remove_tags, _restore_tags),
        Kind("board", _l("Put on another board"), _check_board, _change_board, _change_board_back),
        Kind("snooze", _l("Snooze for yourself"), _check_snooze, _snooze, _wake),
        Kind("move", _l("Move"), _check_move, _move, _move_back, tells=True),
    )
}
