"""The ``portal bench`` command."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from portal.bench import report
from portal.bench.measure import How, built, folder, measure
from portal.config import ConfigurationError

IDEAS_BESIDE_STREAMS = 1_000
FEW = 20  # ideas of the small portal, whose statements are compared with those of the large ones


@click.group(invoke_without_command=True)
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
@click.pass_context
def bench(
    ctx: click.Context,
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
    if ctx.invoked_subcommand:
        return
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


@bench.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    metavar="PLACE",
    help="A file of labelled texts, or a folder of such: one JSON object a line with id, title, body, duplicate_of.",
)
@click.option(
    "--queries",
    type=click.IntRange(0, 1_000_000),
    default=100,
    show_default=True,
    help="How many of the known duplicates are asked for; 0 for all.",
)
@click.option(
    "--ideas",
    "sizes",
    type=click.IntRange(100, 1_000_000),
    multiple=True,
    default=[1_000],
    show_default=True,
    help="With how many made-up ideas speed is measured; may be given several times.",
)
@click.option("--peers/--no-peers", default=True, show_default=True, help="Whether others' ways are measured beside.")
@click.option(
    "--fresh/--no-fresh", default=True, show_default=True, help="Whether servers are started to see how soon."
)
@click.option("--database", default="", metavar="URL", help="A PostgreSQL instead of a throw-away one; it stays clean.")
def search(data: Path | None, queries: int, sizes: tuple[int, ...], peers: bool, fresh: bool, database: str) -> None:
    """Measure how well and how fast ideas are found, by both kinds of index and by what others do.

    Quality needs labelled texts (--data): each marked duplicate is asked for, as half a title, a title, and in full,
    and the others of its group should be found. Times are medians and 95th percentiles in milliseconds unless they
    say otherwise.
    """
    from portal.bench import search as bench_search

    click.echo(f"Measured on {report.machine()}.\n")
    kinds = bench_search.engines(database, _say)
    for name, issues in bench_search.read_issues(data) if data else ():
        for line in bench_search.quality(kinds, name, issues, queries, peers, database, _say):
            click.echo(line)
    for size in sorted(set(sizes)):
        for line in bench_search.speed(kinds, size, _say):
            click.echo(line)
    for line in bench_search.freshness(kinds, database, _say) if fresh else ():
        click.echo(line)


@bench.command()
@click.option(
    "--ideas",
    type=click.IntRange(20, 1_000_000),
    default=10_000,
    show_default=True,
    help="How many ideas, with votes and comments.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep what is built in this folder, and measure what is there already.",
)
def search_page(ideas: int, keep: Path | None) -> None:
    """Measure the search page inside the process: limits, facets with counts and passages included."""
    from portal.bench import search_page as pages

    click.echo(f"Measured on {report.machine()}, {ideas:,} ideas.\n")
    with folder(keep) as place, built(ideas, place / f"{ideas}") as app:
        for line in pages.lines(app):
            click.echo(line)


@bench.command()
@click.option(
    "--ideas",
    "sizes",
    type=click.IntRange(20, 1_000_000),
    multiple=True,
    default=[1_000, 100_000],
    show_default=True,
    help="How many ideas, with votes and comments; may be given several times.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep what is built in this folder, and measure what is there already.",
)
def triage(sizes: tuple[int, ...], keep: Path | None) -> None:
    """Measure the pages of triage inside the process: the first page of each queue with its desk, and of a filter."""
    from portal.bench import triage as pages

    click.echo(f"Measured on {report.machine()}.\n")
    with folder(keep) as place, ExitStack() as open_ones:
        apps = {size: open_ones.enter_context(built(size, place / f"{size}")) for size in sorted(set(sizes))}
        found = pages.figures(apps)
    for line in pages.lines(found):
        click.echo(line)


@bench.command()
@click.option("--few", type=click.IntRange(1, 1000), default=10, show_default=True, help="Voters of a small idea.")
@click.option("--many", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True, help="Of a large one.")
@click.option("--database", default="", metavar="URL", help="An empty database instead of SQLite; it stays filled.")
@click.option("--minutes", type=click.FloatRange(0.1, 600), default=30.0, show_default=True, help="To watch mails go.")
def loop(few: int, many: int, database: str, minutes: float) -> None:
    """Measure what a decision costs where few and where many voted, and how what follows from it drains.

    The requests are measured inside the process. Then the production server decides one more idea of the large kind,
    and tells all voters, over a mail server of this machine that takes everything.
    """
    from portal.bench import loop as closing

    click.echo(f"Measured on {report.machine()}.\n")
    with folder(None) as place:
        for line in closing.measure(few, many, place / "loop", database, minutes):
            click.echo(line)


@bench.command()
@click.option("--members", type=click.IntRange(1, 1_000_000), default=10_000, show_default=True, help="Who get one.")
@click.option("--database", default="", metavar="URL", help="An empty database instead of SQLite; it stays filled.")
@click.option("--minutes", type=click.FloatRange(0.1, 600), default=30.0, show_default=True, help="To watch mails go.")
def digests(members: int, database: str, minutes: float) -> None:
    """Measure what digests cost that are all due at the same moment, from the first that is made to the last mail.

    The production server makes and sends them, over a mail server of this machine that takes everything.
    """
    from portal.bench import digests as by_turns

    click.echo(f"Measured on {report.machine()}.\n")
    with folder(None) as place:
        for line in by_turns.measure(members, place / "digests", database, minutes):
            click.echo(line)


@bench.command()
@click.option(
    "--streams",
    "numbers",
    type=click.IntRange(10, 15_000),
    multiple=True,
    default=[10_000],
    show_default=True,
    help="How many open pages; may be given several times.",
)
@click.option("--votes", type=click.IntRange(1, 100), default=10, show_default=True, help="How many they hear of.")
@click.option("--seconds", type=click.FloatRange(0.05, 60), default=3.0, show_default=True, help="As of portal bench.")
def streams(numbers: tuple[int, ...], votes: int, seconds: float) -> None:
    """Measure what open streams cost: their memory, how soon all hear of a vote, and pages meanwhile.

    All pages show the idea that is voted for; half of them belong to members. Two processes beside the
    server hold them.
    """
    from portal.bench import streams as open_streams

    click.echo(f"Measured on {report.machine()}.\n")
    with folder(None) as place, built(IDEAS_BESIDE_STREAMS, place / "streams") as app:
        found = [
            open_streams.measure(app, place / "streams", one, votes, seconds, _say) for one in sorted(set(numbers))
        ]
    for line in open_streams.lines(found):
        click.echo(line)


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
