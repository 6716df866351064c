"""Workers and servers that can be killed: forked from a process that has loaded the portal, so that each starts soon.

A program as well, with the portal's settings in its environment. For each line it reads it forks a worker, or for a
number the server on that port with all that belongs to it in a group of its own; it answers with the number of the
process. It buries the dead before.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Nursery:
    """The process that bears workers."""

    process: subprocess.Popen[str]
    born: list[int] = field(default_factory=list)

    def start(self, port: int | None = None) -> int:
        """Let a worker begin, or the server on this port; return its number."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{port or ''}\n")
        self.process.stdin.flush()
        self.born.append(int(self.process.stdout.readline()))
        return self.born[-1]

    def kill(self, pid: int) -> None:
        """End a worker, or all processes of a server at once, in whatever they are doing."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self.born.remove(pid)


@contextmanager
def nursery(settings: Mapping[str, str]) -> Iterator[Nursery]:
    """A nursery with these settings; nobody in it outlives the block."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    process = subprocess.Popen(
        [sys.executable, __file__],
        cwd=ROOT,
        env=environment | dict(settings) | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    here = Nursery(process)
    try:
        yield here
    finally:
        for pid in here.born:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        process.terminate()
        process.communicate(timeout=10)


def main() -> None:
    """Bear a worker or a server for each line."""
    from portal import create_app, worker
    from portal.cli.serving import serve
    from portal.db import db

    app = create_app()
    last = 0
    for line in sys.stdin:
        if last:
            os.waitpid(last, 0)
        last = os.fork()
        if last == 0:
            os.setpgid(0, 0)
            with app.app_context():
                db.engine.dispose(close=False)  # what the nursery opened is its own
            if line.strip():
                os.dup2(2, 1)  # the answers are the nursery's
                serve(["--port", line.strip()])
            worker.run(app, threading.Event())
        os.setpgid(last, last)  # whichever of the two is first
        print(last, flush=True)
    if last:  # whoever asked for it is gone
        with suppress(ProcessLookupError):
            os.killpg(last, signal.SIGKILL)


if __name__ == "__main__":
    main()
