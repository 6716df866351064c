"""What many people do at once, in the few statements that two years of it need."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from portal import events
from portal.comments.events import CommentFoundHelpful
from portal.comments.models import Comment, Helpful
from portal.db import db
from portal.events import EventRecord
from portal.ideas import heat
from portal.ideas.events import VoteCast
from portal.ideas.models import Follow, Idea, Vote


class Crowd:
    """What many people do at once, gathered and written in few statements, with counters and journal."""

    def __init__(self) -> None:
        self.behind: dict[int, set[int]] = {}
        self._rows: dict[Any, list[dict[str, Any]]] = {}
        self._events: list[dict[str, Any]] = []
        self._voted: dict[int, list[datetime]] = {}
        self._thanked: dict[int, int] = {}

    def add(self, table: Any, **values: Any) -> None:
        """Keep a row to be written."""
        self._rows.setdefault(table, []).append(values)

    def note(self, event: events.Event, at: datetime) -> None:
        """Keep an event for the journal."""
        own = {key: value for key, value in asdict(event).items() if key not in {"actor_id", "idea_id"}}
        self._events.append(
            {"name": event.name, "at": at, "actor_id": event.actor_id, "idea_id": event.idea_id, "data": own}
        )

    def vote(self, idea: Idea, voter_id: int, at: datetime) -> None:
        """Put somebody behind an idea whom nothing has put there before."""
        self.behind[idea.id].add(voter_id)
        self.add(Vote, idea_id=idea.id, voter_id=voter_id, cast_at=at)
        self.add(Follow, idea_id=idea.id, user_id=voter_id, since=at, is_voter=True, by_choice=False)
        self._voted.setdefault(idea.id, []).append(at)
        self.note(VoteCast(actor_id=voter_id, idea_id=idea.id), at)

    def thank(self, comment: Comment, user_id: int, at: datetime) -> None:
        """Find a comment helpful."""
        self.add(Helpful, comment_id=comment.id, user_id=user_id)
        self._thanked[comment.id] = self._thanked.get(comment.id, 0) + 1
        self.note(CommentFoundHelpful(actor_id=user_id, idea_id=comment.idea_id, comment_id=comment.id), at)

    def write(self) -> None:
        """Write what was gathered."""
        follows = self._rows.pop(Follow, [])
        for table, rows in self._rows.items():
            db.session.execute(rows_of(table), rows)
        if follows:
            self._write_follows(follows)
        if self._events:
            db.session.execute(rows_of(EventRecord), self._events)
        for idea_id, moments in self._voted.items():
            idea = db.session.get_one(Idea, idea_id)
            idea.votes += len(moments)
            for at in moments:
                idea.heat = heat.with_vote(idea.heat, at)
        for comment_id, marks in self._thanked.items():
            db.session.get_one(Comment, comment_id).helpful += marks
        db.session.flush()
        for gathered in (self._rows, self._events, self._voted, self._thanked):
            gathered.clear()

    def _write_follows(self, rows: list[dict[str, Any]]) -> None:
        """Follow for one more reason, whether or not there was one before."""
        asked = select(Follow.idea_id, Follow.user_id).where(Follow.idea_id.in_({row["idea_id"] for row in rows}))
        there = {(idea_id, user_id) for idea_id, user_id in db.session.execute(asked)}
        fresh = [row for row in rows if (row["idea_id"], row["user_id"]) not in there]
        if fresh:
            db.session.execute(rows_of(Follow), fresh)
        for row in rows:
            if (row["idea_id"], row["user_id"]) in there:
                follow = db.session.get_one(Follow, (row["idea_id"], row["user_id"]))
                follow.is_voter, follow.by_choice = (
                    follow.is_voter or row["is_voter"],
                    follow.by_choice or row["by_choice"],
                )


def rows_of(table: Any) -> sa.Insert:
    """Insert plain rows, past the objects: they are many."""
    return sa.insert(table.__table__)
