"""Watching mails go: a mail server that takes everything, and how the portal gets on until the last one is out."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from portal.bench import sink
from portal.bench.processes import Server

LOOK_EVERY = 0.25  # seconds
STALLED = 120  # seconds without one more mail


@dataclass(slots=True)
class Drained:
    """How the mails of one moment went."""

    mailed_in: float = 0.0
    mails: int = 0
    distinct: int = 0
    memory_before: float = 0.0
    memory_most: float = 0.0
    memory_at: dict[int, float] = field(default_factory=dict)  # by the quarter of the mails that was out
    cpu_seconds: float = 0.0

    def lines(self) -> Iterator[str]:
        """Yield what was found."""
        rate = self.mails / self.mailed_in if self.mailed_in else 0.0
        yield f"- {self.mails:,} mails ({self.distinct:,} distinct) in {self.mailed_in:.1f} s: {rate:.0f} a second"
        yield f"- memory of the server {self.memory_before:.0f} MB before, {self.memory_most:.0f} MB at most"
        quarters = ", ".join(f"{self.memory_at[quarter]:.0f}" for quarter in sorted(self.memory_at))
        yield f"- memory after each quarter of the mails: {quarters} MB"
        each = self.cpu_seconds * 1000 / max(self.mails, 1)
        yield f"- processor of the server {self.cpu_seconds:.1f} s: {each:.1f} ms a mail"


@dataclass(slots=True)
class Taken:
    """The mail server, and what it took."""

    port: int

    def count(self) -> tuple[int, int]:
        """How many mails came, and how many of them were different ones."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=20) as client:
            _code, words = client.docmd("NOOP", "COUNT")
        number, distinct = words.split()
        return int(number), int(distinct)


@contextmanager
def mail_sink() -> Iterator[Taken]:
    """A mail server in a process of its own, for as long as the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([sys.executable, "-I", sink.__file__, str(port)])  # noqa: S603 - this Python, our file
    try:
        for _ in range(200):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield Taken(port)
    finally:
        process.terminate()
        process.wait(20)


def watch(
    server: Server, taken: Taken, number: int, minutes: float, begin: Callable[[], None], look: Callable[[float], None]
) -> Drained:
    """Let it ``begin``, and ``look`` on until this many mails are out, none came for two minutes, or time is over."""
    went = Drained(memory_before=server.memory())
    cpu, began = server.cpu_seconds(), time.perf_counter()
    begin()
    last, last_at = -1, began
    ends = began + minutes * 60
    while went.mails < number and time.perf_counter() < min(ends, last_at + STALLED):
        time.sleep(LOOK_EVERY)
        now = time.perf_counter()
        look(now - began)
        went.mails, went.distinct = taken.count()
        memory = server.memory()
        went.memory_most = max(went.memory_most, memory)
        went.memory_at.setdefault(4 * went.mails // number, memory)
        if went.mails != last:
            last, last_at = went.mails, now
    went.mailed_in, went.cpu_seconds = last_at - began, server.cpu_seconds() - cpu
    return went
