"""Commands that bring in what people said elsewhere."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import IO

import click

from portal.cli.progress import progress
from portal.imports.ideas import SHOWN, Report, bring_index_up_to_date, import_ideas
from portal.imports.reading import Source
from portal.opening import opened
from portal.text import clean_line


@click.group(name="import")
def import_() -> None:
    """Bring in what people said elsewhere."""


@import_.command()
@click.argument("file", type=click.File("rb"))
@click.option("--board", metavar="SLUG", help="The board for rows that name none. Default: the first one.")
@click.option(
    "--source", metavar="NAME", help="Where the ideas come from. Default: the file's name without its endings."
)
@click.option("--dry-run", is_flag=True, help="Count what would happen, and write nothing.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Read only the first N rows.")
def ideas(file: IO[bytes], board: str | None, source: str | None, dry_run: bool, limit: int | None) -> None:
    """Bring in ideas from FILE: CSV with a header row, or JSON lines; .gz as well; - for stdin.

    \b
    Columns   title (needed), body or need, proposal, board, status, tags, type (becomes a tag), author,
              created, id, duplicate_of (becomes a merge). Others are named and left out; so are vote counts,
              for every vote here has a person behind it.
    Again     A row whose id came in before from the same source is left as it is, also when its text changed;
              without an id, the text itself tells. So nothing is doubled, and a broken-off import goes on.
    Silently  Nobody is told. Authors become accounts that nobody can sign in to; ideas without an author
              belong to one named Imported. Rows that cannot come in are listed with the reason.
    """
    name = clean_line(source or _name_of(file))[:40] or "import"
    with opened():
        size = _size_of(file)
        with progress("Reading") as at:
            report = import_ideas(
                Source(file),
                source=name,
                board=board,
                dry_run=dry_run,
                limit=limit,
                on_batch=lambda done: at(done, max(size, done)),
            )
        if report.added + report.merged and not dry_run:
            with progress("Indexing") as at:
                bring_index_up_to_date(report.added, at)
    _tell(report, dry_run)


def _tell(report: Report, dry_run: bool) -> None:
    for problem in report.problems:
        click.echo(problem, err=True)
    if report.bad > SHOWN:
        click.echo(f"… and {report.bad - SHOWN} more like these.", err=True)
    if report.ignored:
        click.echo(
            f"Left out these columns: {', '.join(clean_line(name)[:40] for name in list(report.ignored)[:SHOWN])}.",
            err=True,
        )
    would = "would be " if dry_run else ""
    click.echo(
        f"{report.source}: {report.rows} rows read; {report.added} ideas {would}added to {report.board}, "
        f"{report.known} were there already, {report.merged} {would}merged as duplicates, {report.bad} problems."
    )
    if dry_run:
        click.echo("This was a dry run: nothing was written.")


def _name_of(file: IO[bytes]) -> str:
    name = getattr(file, "name", "")
    return re.sub(r"(\.(gz|csv|tsv|jsonl|ndjson|json|txt))+$", "", Path(name).name) if isinstance(name, str) else ""


def _size_of(file: IO[bytes]) -> int:
    try:
        return os.fstat(file.fileno()).st_size
    except (OSError, io.UnsupportedOperation):
        return 1
