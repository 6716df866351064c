"""What the demo community said twice: some pairs that wait, some that were decided, and a member's proposal.

It comes after the index is built, since the finder's word on each pair is kept with what was decided.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.duplicates import memory, scan, service
from portal.events import EventRecord, quietly, read
from portal.ideas.events import IdeaMerged
from portal.ideas.models import Idea
from portal.ideas.moves import move_idea
from portal.ideas.service import submit_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.search import index
from portal.transactions import transaction

COPIES: tuple[tuple[str, str, str, str], ...] = (
    (
        "Print a route on one sheet of A4",
        "Print my route on one sheet of A4 paper",
        "I print the route for my father, who has no phone. It comes out on six sheets, and four of them are empty.",
        "merged",
    ),
    (
        "Add a photo to a path note",
        "Add photos to a path note",
        "A note about a broken stile says little. With a photo I would see at once whether the dog can get over.",
        "merged",
    ),
    (
        "Turn prompts on a watch",
        "Turn prompts on a bike computer",
        "My bike computer shows the route but not where to turn. I would like the prompts of the app there.",
        "refused",
    ),
    (
        "A dark map for after sunset",
        "A dark map for after the sunset, without red",
        "After sunset the map blinds me. The dark one should stay readable for people who see no red.",
        "merged",
    ),
    (
        "Download a whole route for offline use",
        "Download a whole route for use offline, with the map around it",
        "There is no signal beyond the last farm. I want the whole route on the phone before I leave, and the map too.",
        "",
    ),
    (
        "Pause the recording when we stop for lunch",
        "Pause the recording by itself when we stop",
        "We stop for lunch, I forget to pause, and the recording says that we walked for nine hours.",
        "",
    ),
    (
        "Warn me when the last bus back is before I could finish",
        "Warn me when I could miss the last bus back",
        "The last bus back goes at four. Warn me when my pace means that I could not finish before it.",
        "",
    ),
)
"""What there was, how it was said again, in whose words, and what the team made of it so far."""

PROPOSED = (
    "Use tablet and phone at the same time",
    "my dad and me cant use it at the same time",
    "Both want one subscription on two screens at once.",
)


def leave_pairs(now: datetime | None = None) -> None:
    """Post what was said twice, compare everything, and decide on some; what the portal is without is left out."""
    now = now or utcnow()
    members = list(db.session.scalars(select(User).where(User.role == Role.MEMBER).order_by(User.id).limit(20)))
    pm_id = db.session.scalar(select(User.id).where(User.role == Role.PM).limit(1))
    if pm_id is None or not members:
        return
    with transaction(wake=False), quietly():
        posted = _post(members[-len(COPIES) :], now)
    while index.index_pending():
        pass
    scan.scan_all()
    with transaction(wake=False), quietly():
        _decide(posted, db.session.get_one(User, pm_id), now)
        _propose()
        for record in db.session.scalars(select(EventRecord).where(EventRecord.name == IdeaMerged.name)).all():
            memory.remember_merge(read(record))


def _post(authors: list[User], now: datetime) -> list[tuple[int, int, str]]:
    posted = []
    for days, (author, (there, title, need, verdict)) in enumerate(zip(authors, COPIES, strict=False), 1):
        first = _find(there)
        if first is not None:
            at = now - timedelta(days=days, hours=3)
            copy = submit_idea(author, first.board, title=title, need=need, at=at)
            index.note(copy.id)
            posted.append((copy.id, first.id, verdict))
    return posted


def _decide(posted: list[tuple[int, int, str]], pm: User, now: datetime) -> None:
    for copy_id, first_id, verdict in posted:
        copy, first = db.session.get_one(Idea, copy_id), db.session.get_one(Idea, first_id)
        if verdict == "merged":
            move_idea(copy, Status.MERGED, pm, MoveDetails(into=first), at=now - timedelta(hours=2))
        elif verdict == "refused":
            service.refuse_pair(copy, first, pm)


def _propose() -> None:
    title, other, why = PROPOSED
    idea, same = _find(title), _find(other)
    member = db.session.scalar(select(User).where(User.email.like("member@%")))
    if idea and same and member:
        service.propose(same, idea, member, why)


def _find(title: str) -> Idea | None:
    standing = select(Idea).where(Idea.publication == Publication.PUBLISHED, Idea.status != Status.MERGED)
    return db.session.scalar(standing.where(Idea.title == title))
