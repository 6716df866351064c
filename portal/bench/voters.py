"""Members by the thousand who voted for one idea, as the bench needs them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User, name_key
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas.models import Follow, Idea, Vote
from portal.transactions import transaction

BATCH = 1000


def settle_in(number: int) -> list[int]:
    """Let this many members in who get mails; return their ids."""
    now = utcnow()
    rows = [
        {
            "email": f"voter{n}@voters.example",
            "name": f"Voter {n}",
            "name_key": name_key(f"Voter {n}"),
            "role": Role.MEMBER,
            "confirmed_at": now,
            "approved_at": now,
            "created_at": now,
            "wants_mail": True,
            "shortcuts_on": True,
            "theme": "",
        }
        for n in range(number)
    ]
    with transaction(wake=False):
        for start in range(0, number, BATCH):
            db.session.execute(sa.insert(User), rows[start : start + BATCH])
    return list(db.session.scalars(select(User.id).where(User.email.like("voter%")).order_by(User.id)))


def vote(idea_id: int, voters: Sequence[int]) -> None:
    """Let all of them vote for an idea, who then follow it."""
    now = utcnow()
    there = set(db.session.scalars(select(Vote.voter_id).where(Vote.idea_id == idea_id)))
    new = [voter for voter in voters if voter not in there]
    with transaction(wake=False):
        for start in range(0, len(new), BATCH):
            some = new[start : start + BATCH]
            votes = [{"idea_id": idea_id, "voter_id": voter, "cast_at": now, "note": ""} for voter in some]
            db.session.execute(sa.insert(Vote), votes)
            follows = [{"idea_id": idea_id, "user_id": v, "is_voter": True, "since": now} for v in some]
            db.session.execute(sa.insert(Follow), follows)
        db.session.execute(sa.update(Idea).where(Idea.id == idea_id).values(votes=Idea.votes + len(new)))
