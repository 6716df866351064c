"""What the journal says that open pages should know: which idea changed, and what of it.

A page says what it shows: ``/live?on=idea-42,idea-43,board-3,roadmap``. Topics are ``idea-N``, ``board-N`` and
``boards`` (ideas that came out on one board, or on any), ``roadmap``, ``changelog`` and ``triage``. News of one's own
inbox comes without asking.

A message of the stream holds fragments that replace elements by their ids, made once for everybody who may see the
idea, with nothing personal in them::

    id: 481
    data: <b id="idea-42-count" hx-swap-oob="true">288</b>

Its number is given back after an interruption (``Last-Event-ID``, or ``after=481``): what changed since comes first.
A page that never had one says instead how many seconds old it is (``age=1.4``). ``event: refetch`` means that too much
happened meanwhile: get the whole page anew. ``event: hello`` comes first, and only brings a number.

``/live/poll?on=…&after=481`` gives the same fragments in one answer, and the next number in the header ``X-Live``. 304:
nothing changed. 205: get the whole page anew. 204: there is nothing here for whoever asks.

``fragments.render(change, locale)`` makes the fragments of a change, and ``fragments.badge(unread, newest, locale)``
those that say how many news somebody has not read; an empty text is not sent. Both run as if a guest asked for the page
``/live``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from portal.db import db
from portal.events import EventRecord
from portal.ideas.models import Idea

VOTES, STATUS, ANSWER, COMMENTS, TEXT = "votes", "status", "answer", "comments", "text"
NEW, MERGED, ROADMAP, CHANGELOG, TEAM, THANKS = "new", "merged", "roadmap", "changelog", "team", "thanks"

KINDS: dict[str, tuple[str, ...]] = {
    "idea.vote_cast": (VOTES,),
    "idea.vote_withdrawn": (VOTES,),
    "idea.vote_cast_on_behalf": (VOTES,),
    "idea.vote_on_behalf_taken_back": (VOTES,),
    "idea.votes_set_aside": (VOTES,),
    "idea.votes_given_back": (VOTES,),
    "idea.backed_instead": (VOTES,),
    "idea.submitted": (NEW,),
    "idea.published": (NEW,),
    "idea.hiding_undone": (NEW,),
    "idea.hidden": (TEAM,),
    "idea.publishing_undone": (TEAM,),
    "idea.removed": (TEAM,),
    "idea.board_changed": (NEW, TEXT),
    "idea.edited": (TEXT,),
    "idea.tags_changed": (TEXT,),
    "idea.moved": (STATUS, ANSWER),
    "idea.move_undone": (STATUS, ANSWER),
    "idea.answered": (ANSWER,),
    "idea.answer_undone": (ANSWER,),
    "idea.merged": (MERGED, STATUS, VOTES, COMMENTS),
    "idea.merge_undone": (MERGED, STATUS, VOTES, COMMENTS),
    "idea.merge_objected": (VOTES,),
    "idea.objection_taken_back": (VOTES,),
    "promise.missed": (STATUS,),
    "promise.renewed": (STATUS,),
    "roadmap.idea_placed": (STATUS, ROADMAP),
    "comment.posted": (COMMENTS,),
    "comment.edited": (COMMENTS,),
    "comment.deleted": (COMMENTS,),
    "comment.found_helpful": (THANKS,),
    "comment.thanks_taken_back": (THANKS,),
    "changelog.published": (CHANGELOG,),
    "changelog.edited": (CHANGELOG,),
    "changelog.withdrawn": (CHANGELOG,),
    "idea.owner_assigned": (TEAM,),
    "idea.team_assigned": (TEAM,),
    "idea.labels_changed": (TEAM,),
    "idea.nature_said": (TEAM,),
    "idea.scored": (TEAM,),
    "duplicate.proposed": (TEAM,),
    "duplicate.settled": (TEAM,),
    "talk.note_written": (TEAM,),
    "talk.note_edited": (TEAM,),
    "talk.note_deleted": (TEAM,),
    "talk.note_restored": (TEAM,),
    "talk.draft_saved": (TEAM,),
    "talk.draft_reviewed": (TEAM,),
    "talk.draft_published": (TEAM,),
    "talk.draft_dropped": (TEAM,),
    "talk.draft_reopened": (TEAM,),
    "talk.review_asked": (TEAM,),
}
"""What each fact of the journal changes on pages, by its name there; what is not in the table changes none."""

CHANGED_COMMENT = frozenset({"comment.deleted", "comment.found_helpful", "comment.thanks_taken_back"})
"""What happens to a comment that pages may show already."""

OTHERS = ("into_id", "from_id")
"""Where a fact names a second idea that it changes too."""


@dataclass(frozen=True, slots=True)
class Change:
    """What changed of one idea, or, without an idea, in the changelog of a board (or of none: everywhere).

    Whoever makes fragments of it reads how things stand now: several facts about one idea are one change.
    """

    id: int  # the newest fact in the journal that it stands for
    idea_id: int | None
    board_id: int | None
    kinds: frozenset[str]
    comments: frozenset[int] = frozenset()  # which of its comments are not as pages have them

    @property
    def topics(self) -> frozenset[str]:
        """What pages listen to that should hear of it."""
        found = set()
        if self.idea_id is not None:
            found |= {f"idea-{self.idea_id}", "triage"}
        if NEW in self.kinds:
            found |= {f"board-{self.board_id}", "boards"}
        if self.kinds & {STATUS, ROADMAP, MERGED}:
            found.add("roadmap")
        if self.kinds & {STATUS, CHANGELOG}:
            found.add("changelog")
        return frozenset(found)

    @property
    def in_public(self) -> Change | None:
        """What of it is not only for the team; None when nothing is."""
        kinds = self.kinds - {TEAM}
        return Change(self.id, self.idea_id, self.board_id, kinds, self.comments) if kinds else None


@dataclass(frozen=True, slots=True)
class Fact:
    """A row of the journal, as far as pages care."""

    id: int
    name: str
    idea_id: int | None
    data: dict[str, Any]


def newest() -> int:
    """Return the highest number in the journal."""
    return db.session.scalar(select(sa.func.max(EventRecord.id))) or 0


def gather(facts: Iterable[Fact]) -> list[Change]:
    """Join facts into changes, one for each idea, oldest first; an idea that others were merged into changes with them.

    Two statements, whatever their number.
    """
    kinds: dict[int, set[str]] = defaultdict(set)
    comments: dict[int, set[int]] = defaultdict(set)
    latest: dict[int, int] = {}
    entries: dict[int, int] = {}
    for fact in facts:
        said = KINDS.get(fact.name)
        if said is None:
            continue
        if fact.idea_id is None:
            if "entry_id" in fact.data:
                entries[fact.data["entry_id"]] = fact.id
            continue
        if fact.name in CHANGED_COMMENT:
            comments[fact.idea_id].add(fact.data["comment_id"])
        for idea_id in (fact.idea_id, *(fact.data[other] for other in OTHERS if fact.data.get(other))):
            kinds[idea_id].update(said)
            latest[idea_id] = max(latest.get(idea_id, 0), fact.id)
    changes = _of_ideas(kinds, latest, comments) + _of_entries(entries)
    return sorted(changes, key=lambda change: change.id)


def _of_ideas(kinds: dict[int, set[str]], latest: dict[int, int], comments: dict[int, set[int]]) -> list[Change]:
    if not kinds:
        return []
    rows = db.session.execute(select(Idea.id, Idea.board_id).where(Idea.id.in_(kinds))).all()
    return [
        Change(latest[number], number, board_id, frozenset(kinds[number]), frozenset(comments.get(number, ())))
        for number, board_id in rows
    ]


def _of_entries(entries: dict[int, int]) -> list[Change]:
    if not entries:
        return []
    from portal.changelog.models import Entry

    rows = db.session.execute(select(Entry.id, Entry.board_id).where(Entry.id.in_(entries))).all()
    boards = {board_id: entries[entry_id] for entry_id, board_id in sorted(rows, key=lambda row: entries[row[0]])}
    return [Change(newest_fact, None, board_id, frozenset({CHANGELOG})) for board_id, newest_fact in boards.items()]
