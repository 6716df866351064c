"""Who would hear of an act on many ideas, counted before it is done."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.accounts.models import User
from portal.bulk import kinds
from portal.bulk.models import BulkAct
from portal.db import db
from portal.ideas import moves
from portal.ideas.followers import audience_of
from portal.ideas.models import Idea
from portal.notifications.deciding import decided
from portal.notifications.policy import Kind, Way, kind_of_move, ways


def count(act: BulkAct, ideas: Sequence[Idea], actor: User) -> dict[str, int]:
    """Count the people who would hear, the mails if each idea is told by itself, and those if all are told in one."""
    told: set[int] = set()
    mails: list[int] = []
    for idea in ideas:
        hearing = _hearing_of_move(act, idea, actor) if act.is_moving else _new_owner(act, actor, idea)
        told |= set(hearing)
        mails += [user_id for user_id, by_mail in hearing.items() if by_mail]
    return {"people": len(told), "mails": len(mails), "letters": len(set(mails))}


def _hearing_of_move(act: BulkAct, idea: Idea, actor: User) -> dict[int, bool]:
    """Return who hears that this idea is moved, and whether by mail."""
    move = moves.check_move(idea, kinds.goal_of(act), actor, kinds.read_details(act))
    kind = kind_of_move(move.source, move.target, move.news)
    reasons = [reason for reason in move.tells if reason in ways(kind)]
    hearing = _reached(audience_of(idea.id, actor.id, reasons), kind, idea.board_id) if reasons else {}
    owner_id = act.what["details"]["owner"] or idea.owner_id
    if owner_id and owner_id != actor.id and owner_id not in hearing:
        given = move.source.value == "new" and move.target.value == "under_review"
        hearing |= _reached(_person(owner_id), Kind.ASSIGNED if given else kind, idea.board_id)
    return hearing


def _new_owner(act: BulkAct, actor: User, idea: Idea) -> dict[int, bool]:
    owner_id = act.what.get("owner")
    if not owner_id or owner_id == actor.id:
        return {}
    return _reached(_person(owner_id), Kind.ASSIGNED, idea.board_id)


def _person(user_id: int) -> sa.Select[int, str]:
    person = sa.select(User.id.label("user_id"), sa.literal("owner").label("reason"))
    return person.where(User.id == user_id, User.suspended_at.is_(None))


def _reached(people: sa.Select[int, str], kind: Kind, board_id: int | None) -> dict[int, bool]:
    found = db.session.execute(decided(kind, people, board_id))
    return {told.user_id: told.way == Way.MAIL for told in found}
