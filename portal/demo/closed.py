"""The boards of the demo community that not everybody may know of, or read whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board, BoardMember
from portal.db import db
from portal.demo import content
from portal.demo.plan import Act

FILE = Path(__file__).parent / "fellside" / "closed-boards.json"
VOTED_AFTER = timedelta(hours=7)


@dataclass(frozen=True, slots=True)
class ClosedBoard:
    """One such board, who belongs to it, and its ideas with those who voted for them."""

    board: dict[str, Any]
    people: dict[str, str]
    ideas: list[dict[str, Any]]

    def make(self, position: int) -> Board:
        """Return the board, at its place behind the others."""
        return Board(**self.board | {"audience": Audience(self.board["audience"])}, position=position)

    def give_places(self, board: Board, people: Mapping[str, int], since: datetime) -> None:
        """Put everybody who belongs to it on its list; ``people`` has their ids by key."""
        for key, role in self.people.items():
            db.session.get_one(User, people[key]).has_board_roles = True
            db.session.add(BoardMember(board_id=board.id, user_id=people[key], role=Role(role), added_at=since))

    def acts(self, now: datetime) -> Iterator[Act]:
        """What happened on it."""
        for number, told in enumerate(self.ideas):
            key, at = f"{self.board['slug']}-{number}", now - timedelta(days=told["age"], hours=3)
            about = {name: told[name] for name in ("title", "need", "author", "age")}
            story = content.Idea(key=key, board=self.board["slug"], appeal=1, **about)
            yield Act(at, "post", told["author"], key, story)
            for place, voter in enumerate(told["voters"], 1):
                yield Act(at + place * VOTED_AFTER, "vote", voter, key)


def closed_boards() -> list[ClosedBoard]:
    """Return them, as they are told beside the rest of the community."""
    return [ClosedBoard(**told) for told in json.loads(FILE.read_text(encoding="utf-8"))]
