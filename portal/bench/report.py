"""What was measured, as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path

from portal.bench.measure import How, Sized
from portal.db import utcnow


def machine() -> str:
    """Say in one line what this was measured on."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    system = dict(line.split("=", 1) for line in _lines("/etc/os-release") if "=" in line).get("PRETTY_NAME", "")
    return (
        f"{utcnow():%Y-%m-%d}, {os.cpu_count()} cores ({names[0] if names else platform.machine()}), {memory:.0f} GiB, "
        f"{system.strip(chr(34)) or platform.system()}, Python {platform.python_version()}; "
        f"load average before: {os.getloadavg()[0]:.1f}"
    )


def under_load(sized: Sized, how: How) -> Iterator[str]:
    """Yield the lines on one size."""
    yield f"### {sized.ideas:,} ideas, {sized.votes:,} votes, {sized.comments:,} comments, {sized.database}"
    yield ""
    yield (
        f"`--processes {how.processes} --threads {how.threads}`, {how.clients} clients, {how.rounds} rounds of "
        f"{how.seconds:g} s each, medians. H is bare Flask saying hello on the same server; × H by CPU compares "
        "the processor time of one answer, which other work on the machine distorts least."
    )
    yield ""
    yield from table(
        ("Request", "per second", "× H", "× H by CPU", "median ms", "p95 ms", "server CPU ms", "not 2xx"),
        [
            (
                name, f"{one.per_second:,.0f}", f"{one.of_hello:.3f}", f"{one.of_hello_cpu:.3f}",
                f"{one.median_ms:.1f}", f"{one.p95_ms:.1f}",
                f"{one.cpu_ms:.2f}", str(one.failed),
            )
            for name, one in sized.figures.items()
        ],
    )  # fmt: skip
    yield ""
    built = f"Built in {sized.built_in:.0f} s" if sized.built_in is not None else "Built earlier"
    indexed = f", indexed in {sized.indexed_in:.0f} s" if sized.indexed_in is not None else ""
    stored = f", {sized.size / 2**20:,.0f} MB on disk" if sized.size else ""
    yield (
        f"{built}{indexed}{stored}. First answer {sized.started_in:.1f} s after the start. Memory of all processes "
        f"{sized.memory[0]:.0f} MB at the first answer, {sized.memory[1]:.0f} MB after {sized.requests:,} requests. "
        f"The load generator used at most {sized.busiest_client:.0%} of a core."
    )
    yield ""


def from_inside(all_sizes: Sequence[Sized]) -> Iterator[str]:
    """Yield the lines on statements and weights, one column of statements for each size."""
    yield "### Statements a request makes, and what the answer weighs"
    yield ""
    largest = all_sizes[-1]
    sizes = [f"statements, {sized.ideas:,} ideas" for sized in all_sizes]
    yield from table(
        ("Request", *sizes, "kB", "kB compressed"),
        [
            (
                name,
                *(str(sized.inside[name].statements) for sized in all_sizes),
                f"{one.plain / 1000:.1f}",
                f"{one.compressed / 1000:.1f}",
            )
            for name, one in largest.inside.items()
        ],
    )
    yield ""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
