"""The workspace as one person sees it: where they are, what waits, and what can be done with the idea before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from flask import abort, request, url_for
from flask_babel import get_timezone

from portal.accounts.models import User
from portal.boards.models import Board
from portal.boards.queries import list_worked_on, team_of
from portal.bulk.wishes import wishes
from portal.decisions.models import DECIDED
from portal.decisions.page import Deciding, open_decisions
from portal.demand.queries import Receipts, receipts_of
from portal.ideas import queries as ideas
from portal.ideas.models import Idea
from portal.ideas.moves import moves_for
from portal.ideas.workflow import MAIN_ROAD, Status
from portal.scores.queries import Card, card_of
from portal.search.asking import MOST_LETTERS
from portal.triage import asides, presence, queries, queues
from portal.triage.belonging import Belonging, belonging_of
from portal.triage.forms import Offer, offer_answer, offer_move, offer_override, offer_record
from portal.triage.queues import MOST_COUNTED, Group, Page, Place, Queue
from portal.triage.talk import Talk, talk_about
from portal.web.kept import kept
from portal.web.paging import cursor, place
from portal.web.responses import own_path
from portal.web.session import can, viewer


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in triage somebody is: the queue, the board it is narrowed to, and the page of it."""

    queue: Queue
    board: Board | None = None
    page: str = ""
    back: str = ""  # the page that somebody came from, if it was another one

    def url(self, endpoint: str, **values: Any) -> str:
        """Return an address that keeps this queue, board and page."""
        kept = {"queue": self.queue.name, "board": self.board.slug if self.board else None, "page": self.page or None}
        if self.queue.name == queues.FIND:
            kept["q"] = self.queue.query
        return url_for(f"triage.{endpoint}", **{**kept, "back": self.back or None, **values})

    @property
    def filter(self) -> str:
        """The search that shows what is shown here, or something much like it."""
        board = f" board:{self.board.slug}" if self.board else ""
        return f"{self.queue.query}{board}".strip()

    @property
    def limits(self) -> tuple[str, ...]:
        """Limits that a filter may have, as one types them in every language."""
        return ("status:planned", "board:maps", "tag:huts", "votes:>50", "before:2026-03")

    @property
    def after(self) -> Place | None:
        """The place after which this page of the queue begins."""
        found = place(self.page, (str, int))
        try:
            return (self.queue.parse(found[0]), found[1]) if found else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody sent that did not go through: shown again, so that nothing is lost."""

    offer: Offer | None = None
    sentence: str = ""
    preview: str | None = None
    kept: list[tuple[str, str]] = field(default_factory=list)
    inserted: bool = False  # whether wording was put into the answer


@dataclass(frozen=True, slots=True)
class Desk:
    """One idea, and all that this person may do with it."""

    reading: queries.Reading
    receipts: Receipts
    offers: list[Offer]
    override: Offer | None
    chosen: str
    may_merge: bool
    staff: list[User]
    tags: list[str]
    days: list[tuple[str, date]]
    snoozed_until: datetime | None
    here: Sequence[presence.Here]
    belonging: Belonging
    typed: Typed
    decisions: Deciding
    talk: Talk
    card: Card

    @property
    def tagged(self) -> list[str]:
        """The idea's own tags."""
        return [tag.name for tag in self.idea.tags]

    @property
    def idea(self) -> Idea:
        """The idea on the desk."""
        return self.reading.idea


@dataclass(frozen=True, slots=True)
class Tab:
    """One queue to choose."""

    queue: Queue | queues.Elsewhere
    url: str
    count: int | None
    group: Group = Group.ALL
    key: str = ""  # that leads there, or "here"

    @property
    def number(self) -> str:
        """How much waits there, as people read it; nothing where nobody counts."""
        if self.count is None:
            return ""
        return str(self.count) if self.count < MOST_COUNTED else f"{MOST_COUNTED - 1}+"


@dataclass(frozen=True)
class Workspace:
    """Queues, list and desk."""

    spot: Spot
    named: dict[str, Queue]
    counts: dict[str, int]
    boards: list[Board]
    page: Page
    desk: Desk | None
    opened: bool
    finished: bool = False

    @cached_property
    def tabs(self) -> list[Tab]:
        """The queues to choose from; keys lead to those beside the one that is open."""
        board = Spot(next(iter(self.named.values())), self.spot.board)
        tabs = [
            Tab(queue, board.url("queue", queue=name), self.counts.get(name), queue.group)
            for name, queue in self.named.items()
        ]
        pairs = queues.DUPLICATES
        chosen = self.spot.board.slug if self.spot.board else None
        tabs.insert(2, Tab(pairs, url_for(pairs.endpoint, board=chosen), self.counts[pairs.name]))
        here = next((at for at, tab in enumerate(tabs) if tab.queue.name == self.spot.queue.name), 0)
        keys = {(here - 1) % len(tabs): "[", (here + 1) % len(tabs): "]"}
        if tabs[here].queue.name == self.spot.queue.name:
            keys[here] = "here"
        return [replace(tab, key=keys.get(at, "")) for at, tab in enumerate(tabs)]

    def has(self, group: str) -> bool:
        """Whether there is a queue of this group."""
        return any(queue.group == group for queue in self.named.values())

    @property
    def wishes(self) -> list[tuple[str, str]]:
        """What this person can do with many ideas at once, each with its name."""
        return wishes() if can("bulk.act") else []

    @property
    def waiting_here(self) -> str:
        """How much waits in this queue."""
        number = next((tab.number for tab in self.tabs if tab.queue.name == self.spot.queue.name), "")
        return number or f"{len(self.page.rows)}{'+' if self.page.more else ''}"

    @property
    def older_url(self) -> str | None:
        """The next page of the queue."""
        if not self.page.more:
            return None
        key, number = self.page.rows[-1].place
        return self.spot.url("queue", page=cursor(str(key), number))

    @property
    def position(self) -> int | None:
        """Where the idea on the desk is in the list, counted from one; unknown on later pages."""
        numbers = [row.idea.id for row in self.page.rows]
        here = self.desk.idea.id if self.desk else None
        return numbers.index(here) + 1 if here in numbers and not self.spot.page else None

    @property
    def next_id(self) -> int | None:
        """The idea after the one on the desk."""
        numbers = [row.idea.id for row in self.page.rows]
        here = self.desk.idea.id if self.desk else None
        following = numbers[numbers.index(here) + 1 :] if here in numbers else numbers
        return following[0] if following else None

    @property
    def waiting_elsewhere(self) -> Tab | None:
        """The next queue with something in it."""
        tabs = [tab for tab in self.tabs if tab.count is not None and tab.queue.name != queues.SNOOZED]
        here = next((at for at, tab in enumerate(tabs) if tab.queue.name == self.spot.queue.name), 0)
        return next((tab for tab in tabs[here + 1 :] + tabs[:here] if tab.count), None)


def spot_of(name: str) -> Spot:
    """Return where the request is, or answer 404."""
    queue = queues.queue_named(name, viewer(), request.args.get("q", "")[:MOST_LETTERS]) or abort(404)
    slug = request.args.get("board")
    boards = {board.slug: board for board in list_worked_on(viewer())} if slug else {}
    back = own_path(request.args.get("back"), "")
    return Spot(queue, boards.get(slug or ""), request.args.get("page", ""), back)


def open_workspace(
    spot: Spot, idea: Idea | None, *, opened: bool, finished: bool = False, typed: Typed | None = None
) -> Workspace:
    """Return everything that the workspace shows; without an idea the first of the queue lies on the desk."""
    page = queues.page_of(spot.queue, viewer(), spot.board, spot.after)
    if not page.rows and spot.page:
        spot = Spot(spot.queue, spot.board)
        page = queues.page_of(spot.queue, viewer(), spot.board)
    if idea is None and page.rows:
        idea = ideas.get_idea(page.rows[0].idea.id, viewer())
    desk = open_desk(idea, typed or Typed()) if idea else None
    counts = queues.count_all(viewer(), spot.board)
    return Workspace(spot, queues.queues_of(viewer()), counts, list_worked_on(viewer()), page, desk, opened, finished)


def open_queues(spot: Spot) -> Workspace:
    """Return the queues alone, with how much waits in each by now."""
    counts = queues.count_all(viewer(), spot.board)
    return Workspace(spot, queues.queues_of(viewer()), counts, [], Page([], False), None, opened=False)


def open_desk(idea: Idea, typed: Typed) -> Desk:
    """Return the idea with what this person may do now; what was typed stays in its form while that is offered."""
    me, staff = viewer(), team_of(idea.board)
    offers: list[Offer] = []
    may_merge = False
    if isinstance(me, User) and can("idea.triage", idea) and idea.is_published and idea.status is not Status.MERGED:
        moves = sorted(moves_for(idea, me), key=lambda move: _likelihood(idea.status, move.target))
        may_merge = any(move.target is Status.MERGED for move in moves)
        offers = [offer_move(move, idea, staff, me, blank=True) for move in moves if move.target is not Status.MERGED]
        offers.append(offer_answer(idea, blank=True))
    reading = queries.read(idea, me)
    deciding = open_decisions(idea, me, [offer.target for offer in offers if offer.target], reading.changes)
    if offers and idea.status in DECIDED and can("decision.revise", idea):
        offers.append(offer_record(idea, deciding.standing.record if deciding.standing else None, blank=True))
    override = offer_override(idea, blank=True) if offers and can("idea.override", idea) else None
    again = typed.offer
    if again is not None:
        again.form.seen.data = idea.rule.key
        if override and again.name == override.name:
            again.form.target.choices = override.form.target.choices
            override = again
        elif any(offer.name == again.name for offer in offers):
            offers = [again if offer.name == again.name else offer for offer in offers]
        else:
            typed = Typed(None, typed.sentence, None, again.typed())
    names = [offer.name for offer in offers]
    chosen = again.name if again and again.name in names else (names[0] if names else "")
    return Desk(
        reading=reading,
        receipts=receipts_of(idea, me),
        offers=offers,
        override=override,
        chosen=chosen,
        may_merge=may_merge,
        staff=staff,
        tags=_tags_for(idea),
        days=asides.days_to_choose(get_timezone()),
        snoozed_until=asides.snoozed_until(idea, me),
        here=presence.others_at(idea, me),
        typed=typed,
        decisions=deciding,
        talk=talk_about(idea, me, staff),
        belonging=belonging_of(reading, me),
        card=card_of(idea),
    )


def _tags_for(idea: Idea) -> list[str]:
    """Return the tags that ideas on its board have, the idea's own among them."""
    board_id = idea.board_id
    usual: list[str] = kept(("tags", board_id), timedelta(minutes=1), lambda: ideas.tags_in_use([board_id]))
    return sorted({*usual, *(tag.name for tag in idea.tags)})


def _likelihood(source: Status, target: Status) -> tuple[bool, int]:
    """Sort the steps ahead on the main road first, then all others as the workflow lists them."""
    ahead = MAIN_ROAD[MAIN_ROAD.index(source) + 1 :] if source in MAIN_ROAD else ()
    return target not in ahead, list(Status).index(target)


def next_idea(spot: Spot, left: Place | None, leaving: int) -> int | None:
    """Return what comes after a place in the queue, or else what comes first; None when nothing is left."""
    for after in ([left] if left else []) + [None]:
        for row in queues.page_of(spot.queue, viewer(), spot.board, after, limit=2).rows:
            if row.idea.id != leaving:
                return row.idea.id
    return None
