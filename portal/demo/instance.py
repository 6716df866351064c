"""The folder of a demo: set up once, used again, thrown away when asked."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flask_migrate
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import LABELS
from portal.config import ConfigurationError
from portal.db import db
from portal.demo import (
    builder,
    decisions,
    duplicates,
    lineage,
    many,
    objections,
    organisations,
    promises,
    sending,
    talk,
    verdicts,
    workflow,
)
from portal.opening import opened
from portal.search import index

MARK = "this-is-a-demo"
OURS = ("portal.db", "portal.db-wal", "portal.db-shm", "worker.lock", MARK)

Progress = Callable[[str], Any]


def settings(folder: Path, port: int) -> dict[str, Any]:
    """Return what makes a portal the demo, whatever the PORTAL_* variables say."""
    return {
        "NAME": builder.NAME,
        "QUESTION": builder.QUESTION,
        "BASE_URL": f"http://127.0.0.1:{port}",
        "INSTANCE": str(folder.absolute()),
        "DATABASE_URL": "",
        "MAIL_URL": "catch:",
        "MAIL_FROM": f"ideas@{builder.HOST}",
        "WORKER": "inside",
        "HOLD_FIRST_POST": True,
        "LIMITS_STORAGE": "memory://",
        "LIMITS_OVERRIDE": "mail.address = 500 per day",  # everybody who tries the demo comes from this machine
        "PRODUCTION": False,
        "DEMO": True,
        "DEMO_ACCOUNTS": [(account.email, LABELS[account.role]) for account in builder.ACCOUNTS],
    }


def set_up(chosen: Mapping[str, Any], *, fresh: bool, progress: Progress) -> None:
    """The demo is ready to be served: tables, community, search index. What is there already is used.

    Raises ConfigurationError for a folder in which a portal lives that is no demo.
    """
    folder = Path(chosen["INSTANCE"])
    if fresh and folder.is_dir():
        _throw_away(folder)
    with opened(chosen, any_schema=True), _alone(folder):
        flask_migrate.upgrade()
        is_empty = db.session.scalar(select(User.id).limit(1)) is None
        if is_empty:
            (folder / MARK).write_text(
                "With --fresh, portal demo throws away the database and the index in this folder.\n"
            )
            _build(progress)
        elif not (folder / MARK).exists():
            raise ConfigurationError(
                f"{folder} holds a portal that is no demo. Choose another folder with --instance DIR."
            )
        if not index.engine().is_healthy():
            with progress("Making it searchable") as at:
                index.rebuild(at)


def greeting(port: int) -> str:
    """Return what to say once the demo answers."""
    at = f"http://127.0.0.1:{port}"
    accounts = "\n".join(f"  {account.role.label:<16} {account.email}" for account in builder.ACCOUNTS)
    return (
        f"\n{builder.NAME} is up at {at}\n\n"
        f"Sign in as one of these, or make an account of your own:\n{accounts}\n"
        f"  The password of all is: {builder.PASSWORD}\n\n"
        f"Mails go nowhere; read them at {at}/mail-catcher\n"
        "Stop with Ctrl-C. The next start goes on with what is there; --fresh begins anew.\n"
    )


def _build(progress: Progress) -> None:
    with progress("Building the community, once") as at:
        builder.build(at)
    with progress("Making it searchable") as at:
        index.rebuild(at)
    duplicates.leave_pairs()
    objections.leave_objection()
    lineage.tie_together()
    decisions.write_records()
    organisations.name_who_is_behind()
    promises.put_days_off()
    verdicts.give_verdicts()
    talk.let_the_team_talk()
    sending.plan_and_fail()
    many.change_many_ideas()
    workflow.tend_to_the_workflow()


def _throw_away(folder: Path) -> None:
    if (folder / "portal.db").exists() and not (folder / MARK).exists():
        raise ConfigurationError(
            f"{folder} holds a portal that is no demo, so it stays. Choose another folder with --instance DIR."
        )
    with _alone(folder, "worker.lock"):
        for name in OURS:
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / "index", ignore_errors=True)


@contextmanager
def _alone(folder: Path, name: str = "setup.lock") -> Iterator[None]:
    """Hold a lock on the folder, or say that somebody else works in it."""
    with (folder / name).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigurationError(
                f"Another demo runs in {folder}. Stop it first, or choose another folder with --instance DIR."
            ) from None
        yield
