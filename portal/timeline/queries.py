"""Reading what happened to an idea: moves and answers from their tables, all else from the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, select

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.boards.models import Board
from portal.boards.queries import is_known_to
from portal.db import db
from portal.events import EventRecord
from portal.ideas import policy, queries
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.workflow import Status, StatusRule
from portal.timeline.telling import PUBLIC, SPEAKS_OF, TEAM, WITH_ADDRESSES, Known, Teller, Told

MOST = 400  # facts of the journal; older ones stay in the journal


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, as one reader may know it."""

    at: datetime
    who: str
    sentence: str
    icon: str = ""
    led_to: StatusRule | None = None
    other: Idea | None = None
    detail: str = ""
    address: str = ""
    told: int = 0
    outside: bool = False  # a move outside the workflow
    for_team: bool = False  # nobody else reads it


def public_timeline(idea: Idea, viewer: Person) -> list[Happening]:
    """Return what everybody reads who may see the idea, oldest first; of other ideas what the viewer may know."""
    return _timeline(idea, viewer, PUBLIC, for_team=False)


def whole_timeline(
    idea: Idea, viewer: Person, changes: list[StatusChange] | None = None, answers: list[Answer] | None = None
) -> list[Happening]:
    """Return what the team of the idea's board reads, oldest first; to everybody else what is public.

    Moves and answers that the page has read already are not read again.
    """
    if not policy.may_read_triage(viewer, idea):
        return public_timeline(idea, viewer)
    tellers = PUBLIC | TEAM | (WITH_ADDRESSES if policy.may_reveal_address(viewer, idea) else {})
    return _timeline(idea, viewer, tellers, changes, answers, for_team=True)


def _timeline(
    idea: Idea,
    viewer: Person,
    tellers: dict[str, Teller],
    changes: list[StatusChange] | None = None,
    answers: list[Answer] | None = None,
    *,
    for_team: bool,
) -> list[Happening]:
    changes = queries.status_changes(idea, viewer) if changes is None else changes
    answers = queries.answers(idea) if answers is None else answers
    records = _records(idea, tellers)
    known = _known(records, viewer, for_team)
    said = {answer.change_id for answer in answers if answer.change_id is not None}
    told = [_received(idea, known)]
    told += [_moved(change, idea, known, change.id in said) for change in changes]
    told += [_answered(answer, known) for answer in answers if answer.change_id is None]
    for record in records:
        words = tellers[record.name](record, known)
        if words is not None:
            told.append(_happening(record, words, known))
    return sorted(told, key=lambda happening: happening.at)  # what happened in one moment stays in its order


def _records(idea: Idea, tellers: Iterable[str]) -> list[EventRecord]:
    """Return the newest facts of these kinds about the idea, oldest first."""
    return list(db.session.scalars(*_facts_of(tuple(sorted(tellers)), idea_id=idea.id)))[::-1]


@built_once
def _facts_of(names: tuple[str, ...], *, idea_id: int) -> Select[EventRecord]:
    facts = select(EventRecord).where(EventRecord.idea_id == idea_id, EventRecord.name.in_(names))
    return facts.order_by(EventRecord.id.desc()).limit(MOST)


def _known(records: list[EventRecord], viewer: Person, for_team: bool) -> Known:
    """Read everything that the facts speak of, with one statement for each kind of thing."""
    numbers = {
        what: {record.data[key] for record in records for key in keys if record.data.get(key)}
        for what, keys in SPEAKS_OF.items()
    }
    people = numbers["users"] | {record.actor_id for record in records if record.actor_id}
    users = select(User).where(User.id.in_(people))
    boards = select(Board).where(Board.id.in_(numbers["boards"]), is_known_to(viewer))
    ideas = queries.ideas_visible_to(viewer).where(Idea.id.in_(numbers["ideas"]))
    return Known(
        viewer,
        for_team,
        {user.id: user for user in db.session.scalars(users)} if people else {},
        {board.id: board for board in db.session.scalars(boards)} if numbers["boards"] else {},
        {other.id: other for other in db.session.scalars(ideas)} if numbers["ideas"] else {},
    )


def _happening(record: EventRecord, words: Told, known: Known) -> Happening:
    return Happening(
        record.at,
        known.name(record.actor_id),
        words.sentence,
        icon=words.icon,
        other=words.other,
        detail=words.detail,
        address=words.address,
        for_team=record.name not in PUBLIC,
    )


def _received(idea: Idea, known: Known) -> Happening:
    who = idea.author.shown_name if idea.author else _("Former member")
    return Happening(idea.published_at, who, _("posted this"), led_to=Status.NEW.rule)


def _moved(change: StatusChange, idea: Idea, known: Known, answered: bool) -> Happening:
    other: Idea | None = None
    if change.idea_id != idea.id:
        sentence, other = _("joined with this one"), change.idea
    elif change.into is not None:
        sentence, other = _("joined this to"), change.into
    elif change.source is Status.MERGED:
        sentence = _("took the merge back")
    elif answered:
        sentence = _("moved this from %(before)s to %(after)s, with an answer",
                     before=change.came_from.label, after=change.led_to.label)  # fmt: skip
    else:
        sentence = _("moved this from %(before)s to %(after)s",
                     before=change.came_from.label, after=change.led_to.label)  # fmt: skip
    return Happening(
        change.at,
        _name(change.actor, known, _("The portal")),
        sentence,
        icon="merge" if other else "",
        led_to=change.led_to,
        other=other,
        detail=change.reason,
        told=change.told if known.for_team else 0,
        outside=change.overrides,
    )


def _answered(answer: Answer, known: Known) -> Happening:
    return Happening(answer.at, _name(answer.author, known, _("Team")), _("answered"), "reply")


def _name(user: User | None, known: Known, nobody: str) -> str:
    if user is None:
        return nobody
    return user.shown_name if known.for_team else user.speaks_as
