"""Commands that look after an instance: db, search, doctor."""

from __future__ import annotations

import sys

import click
import flask_migrate

from portal import doctor
from portal.boards.service import ensure_board
from portal.cli.progress import progress
from portal.opening import opened
from portal.schema import read_schema
from portal.search import index
from portal.transactions import transaction


@click.group()
def database() -> None:
    """Bring the database's tables to this version, or back."""


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Make or change the tables up to REVISION, by default the newest; a new portal gets its first board.

    Nothing happens when they are there already.
    """
    with opened(any_schema=True):
        flask_migrate.upgrade(revision=revision)
        if read_schema().is_newest:
            with transaction(wake=False):
                ensure_board()
        click.echo(f"The database is at {read_schema().current}.")


@database.command()
@click.argument("revision", default="-1")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Undo migrations down to REVISION, by default the last one.

    What is kept in tables and columns that go is lost: make a backup first.
    """
    with opened(any_schema=True):
        if not yes:
            click.confirm(
                f"Undo migrations from {read_schema().current} to {revision}, with what they hold?", abort=True
            )
        flask_migrate.downgrade(revision=revision)
        click.echo(f"The database is at {read_schema().current or 'nothing'}.")


@database.command()
def check() -> None:
    """Compare the tables with what the code expects; exit code 1 when a migration is missing."""
    with opened():
        flask_migrate.check()


@database.command()
def current() -> None:
    """Say at which migration the database is, and which is the newest."""
    with opened(any_schema=True):
        schema = read_schema()
        click.echo(f"{schema.current or 'nothing'}" + ("" if schema.is_newest else f" (newest: {schema.newest})"))


@click.group()
def search() -> None:
    """Look after the search index."""


@search.command()
def rebuild() -> None:
    """Build the search index anew from the database. The old one answers until the new one is done."""
    with opened():
        with progress("Indexing") as at:
            count = index.rebuild(on_progress=at)
        click.echo(f"{count} ideas can be found.")


@click.command(name="doctor")
@click.option("--mail-to", metavar="ADDRESS", help="Also send a test mail there.")
def examine(mail_to: str | None) -> None:
    """Look at settings, database, search index, mail and what waits to be done, and say in words how they are.

    Changes nothing. Each line begins with ok, attention or broken; the exit code is 1 when something is broken.
    """
    worst = doctor.Health.OK
    with opened(any_schema=True):
        for finding in doctor.examine(mail_to):
            worst = max(worst, finding.health)
            click.echo(f"{finding.health.label:<10}{finding.sentence}")
    if worst is doctor.Health.BROKEN:
        sys.exit(1)
