"""The ``portal bench`` command."""

from __future__ import annotations

from pathlib import Path

import click

from portal.bench import report
from portal.bench.measure import How, folder, measure
from portal.config import ConfigurationError

FEW = 20  # ideas of the small portal, whose statements are compared with those of the large ones


@click.command()
@click.option(
    "--ideas",
    "sizes",
    type=click.IntRange(20, 1_000_000),
    multiple=True,
    default=[10_000],
    show_default=True,
    help="How many ideas, with 20 votes and 5 comments each; may be given several times.",
)
@click.option("--clients", type=click.IntRange(1, 500), default=16, show_default=True, help="Who asks at a time.")
@click.option(
    "--seconds",
    type=click.FloatRange(0.05, 60),
    default=2.0,
    show_default=True,
    help="How long each kind of request is made in each round.",
)
@click.option(
    "--rounds", type=click.IntRange(1, 20), default=3, show_default=True, help="How often; medians are printed."
)
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True, help="As of portal serve.")
@click.option("--threads", type=click.IntRange(1, 256), default=8, show_default=True, help="As of portal serve.")
@click.option("--database", default="", metavar="URL", help="An empty database instead of SQLite; it stays filled.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep what is built in this folder, and measure what is there already.",
)
def bench(
    sizes: tuple[int, ...],
    clients: int,
    seconds: float,
    rounds: int,
    processes: int,
    threads: int,
    database: str,
    keep: Path | None,
) -> None:
    """Build portals of these sizes, measure them, and print the figures as Markdown.

    Each is served by the production server with its limits off, on a port of 127.0.0.1, and asked by a process beside
    it. Nothing of your own instance is read or changed. 10,000 ideas take a minute or two to build, and each size takes
    two to measure.
    """
    if database and len(sizes) > 1:
        raise ConfigurationError("A given database takes one size: leave --database out, or give --ideas once.")
    how = How(clients, seconds, rounds, processes, threads)
    click.echo(f"Measured on {report.machine()}.\n")
    with folder(keep) as place:
        found = [measure(FEW, place / f"{FEW}", "", None, _say)]
        for ideas in sorted(set(sizes)):
            instance = place / (f"{ideas}-given" if database else f"{ideas}")
            found.append(measure(ideas, instance, database, how, _say))
            for line in report.under_load(found[-1], how):
                click.echo(line)
        for line in report.from_inside(found):
            click.echo(line)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
