"""What became of the demo's ideas: the roadmap's themes and places, and what the changelog tells of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.accounts.models import User
from portal.boards.models import Board
from portal.changelog import service as changelog
from portal.changelog.models import Choice, Entry, Kind, Part
from portal.changelog.service import Words
from portal.db import db
from portal.demo.content import FOLDER
from portal.events import EventRecord
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from portal.roadmap import service as roadmap
from portal.roadmap.models import HORIZON_OF, Horizon
from portal.roadmap.service import Spot

ZONE = "Europe/London"


class Outcomes:
    """The team after two years: it plans, and it tells. What a smaller community lacks is left out."""

    def __init__(
        self, ideas: Mapping[str, Idea], users: Mapping[str, int], boards: Mapping[str, Board], now: datetime
    ) -> None:
        self.told: dict[str, Any] = json.loads((FOLDER / "outcomes.json").read_text(encoding="utf-8"))
        self.ideas, self.users, self.boards, self.now = ideas, users, boards, now

    def write(self) -> None:
        """Put the ideas in their themes, and write the changelog; the journal says that all this was done today."""
        mark = db.session.scalar(sa.select(sa.func.max(EventRecord.id))) or 0
        self._plan()
        for told in self.told["entries"]:
            self._publish(told)
        draft, coming = self._draft(self.told["draft"]), self._draft(self.told["scheduled"])
        if draft is not None:
            draft.made_at = self.now - timedelta(days=2)
        if coming is not None:
            at = (self.now + timedelta(days=self.told["scheduled"]["in_days"])).replace(hour=9, minute=0, second=0)
            author = db.session.get_one(User, coming.author_id)
            ships = [idea.id for idea in self._there(self.told["scheduled"]["ideas"])]
            changelog.schedule(coming, author, at, ZONE, ships)
        db.session.flush()
        db.session.execute(sa.update(EventRecord).where(EventRecord.id > mark).values(at=self.now))

    def _plan(self) -> None:
        themes: dict[str, int] = {}
        for row in self.told["themes"]:
            if self._there(row["ideas"]):
                theme = roadmap.add_theme(row["name"], row["about"], self._user("pm"))
                themes |= dict.fromkeys(row["ideas"], theme.id)
        for key in sorted({*themes, *self.told["later"]}):
            for idea in self._there([key]):
                db.session.refresh(idea)
                horizon = Horizon.LATER if key in self.told["later"] else HORIZON_OF.get(idea.status)
                if horizon and (idea.status is not Status.NOT_NOW or horizon is Horizon.LATER):
                    roadmap.place_idea(idea, Spot(themes.get(key), horizon, idea.expected), self._user("pm"))

    def _publish(self, told: dict[str, Any]) -> None:
        entry = self._draft(told)
        if entry is None:
            return
        ideas = self._there(told["ideas"])
        author, out = db.session.get_one(User, entry.author_id), max(idea.status_since for idea in ideas)
        for key, (part, idea) in told["parts"].items():
            if key in self.users:
                changelog.name_person(entry, self._user(key), self.ideas[idea], Part(part), author)
        changelog.publish(entry, author, (), at=out)
        entry.made_at = out - timedelta(days=3)
        for key in told["agreed"]:
            if key in self.users:
                changelog.choose(self._user(key), Choice.ALWAYS)

    def _draft(self, told: dict[str, Any]) -> Entry | None:
        ideas = self._there(told["ideas"])
        if not ideas or told["by"] not in self.users:
            return None
        board = self.boards[told["board"]]
        words = Words(told["title"], told["body"], Kind(told["kind"]), board, ideas)
        return changelog.write_entry(words, self._user(told["by"]))

    def _there(self, keys: Iterable[str]) -> list[Idea]:
        return [self.ideas[key] for key in keys if key in self.ideas]

    def _user(self, key: str) -> User:
        return db.session.get_one(User, self.users[key])
