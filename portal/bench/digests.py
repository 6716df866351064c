"""What digests cost: thousands due at the same moment, made and sent to the last one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import flask_migrate
import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select

from portal import worker
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.accounts.service import ensure_rules
from portal.bench import community, voters
from portal.bench.mailed import Drained, mail_sink, watch
from portal.bench.processes import portal_server
from portal.boards.models import Board
from portal.config import ConfigurationError
from portal.db import db, on_sqlite, utcnow
from portal.ideas import moves, service
from portal.ideas.models import Idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.digests import making
from portal.notifications.digests.models import Digest, DigestClock
from portal.notifications.digests.rhythm import Beat
from portal.notifications.models import Mail
from portal.opening import opened
from portal.transactions import transaction

IDEAS, ANSWERED = 5, 2  # each is one piece of news for everybody: answered, or moved
SMALL = 20  # ideas beside them


def measure(members: int, place: Path, database: str, minutes: float) -> Iterator[str]:
    """Build a portal where all these members have news for a digest, let all fall due, and yield what was found."""
    place.mkdir(parents=True, exist_ok=True)
    settings: dict[str, Any] = {
        "INSTANCE": str(place),
        "DATABASE_URL": database,
        "LIMITS": False,
        "FOLD_MINUTES": 0,
        "WORKER": "off",
        "MAIL_URL": "",
    }
    with opened(settings, any_schema=True):
        build(members)
        database = "SQLite" if on_sqlite() else "PostgreSQL"
    with mail_sink() as taken:
        settings |= {"WORKER": "inside", "MAIL_URL": f"smtp://127.0.0.1:{taken.port}"}
        made: list[float] = []

        def look(seconds: float) -> None:
            if not made and _made() >= members:
                made.append(seconds)

        with portal_server(settings, 1, 8) as server, opened(settings):
            went = watch(server, taken, members, minutes, fall_due, look)
    yield from _of(database, members, made, went)


def build(members: int) -> None:
    """Fill an empty portal: so many members voted for the same ideas, and news of each waits for their digests."""
    if sa.inspect(db.engine).get_table_names():
        raise ConfigurationError("The database is not empty. Give an empty one.")
    flask_migrate.upgrade()
    community.build(SMALL, lambda _done, _all: None)
    ensure_rules()
    pm = db.session.scalars(select(User).where(User.role == Role.PM).order_by(User.id)).first()
    board = db.session.scalars(select(Board).order_by(Board.id)).first()
    if pm is None or board is None:
        raise ConfigurationError("The small portal lacks people.")
    ideas = [_plan(pm, board, number) for number in range(IDEAS)]
    pm_id = pm.id
    worker.settle()  # nobody follows them yet
    people = voters.settle_in(members)
    for idea_id in ideas:
        voters.vote(idea_id, people)
    for number, idea_id in enumerate(ideas):
        _have_news(idea_id, pm_id, answered=number < ANSWERED)
    worker.settle()
    with transaction(wake=False):
        db.session.execute(sa.delete(Mail))


def fall_due() -> None:
    """Let the digests of all be due now."""
    zone = str(current_app.config["BABEL_DEFAULT_TIMEZONE"])
    due = Beat(zone, making.HOUR, making.WEEKDAY).after(utcnow() - timedelta(days=7))
    with transaction(wake=False):
        db.session.execute(sa.update(DigestClock).values(due_at=due))


def _plan(pm: User, board: Board, number: int) -> int:
    with transaction(wake=False):
        idea = service.submit_idea(pm, board, title=f"Idea number {number}", need="We do it by hand today.")
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
    with transaction(wake=False):
        moves.move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We build it in spring, with the first boats."))
    return idea.id


def _have_news(idea_id: int, pm_id: int, *, answered: bool) -> None:
    with transaction(wake=False):
        idea, pm = db.session.get_one(Idea, idea_id), db.session.get_one(User, pm_id)
        if answered:
            moves.answer_idea(idea, pm, MoveDetails(answer="It needs an hour more where the ferry is late."))
        else:
            details = MoveDetails(answer="We have begun, with the boats of the north.", expected="June")
            moves.move_idea(idea, Status.IN_PROGRESS, pm, details)


def _made() -> int:
    db.session.remove()
    return db.session.scalar(select(sa.func.count()).select_from(Digest)) or 0


def _of(database: str, members: int, made: list[float], went: Drained) -> Iterator[str]:
    yield f"{members:,} digests of {IDEAS} pieces of news each, due at the same moment, on {database}:"
    yield ""
    if made:
        yield f"- all made after {made[0]:.1f} s, the first of them on their way already"
    yield from went.lines()
