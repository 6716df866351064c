"""Workers that can be killed: processes forked from one that has loaded the portal, so that each starts at once.

A program as well, with the portal's settings in its environment. For each line it reads it
forks a worker and answers with its number; it buries the dead before.
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

    def start(self) -> int:
        """Let a worker begin; return its number."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.born.append(int(self.process.stdout.readline()))
        return self.born[-1]

    def kill(self, pid: int) -> None:
        """End a worker in whatever it is doing."""
        os.kill(pid, signal.SIGKILL)
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
                os.kill(pid, signal.SIGKILL)
        process.terminate()
        process.communicate(timeout=10)


def main() -> None:
    """Bear a worker for each line."""
    from portal import create_app, worker
    from portal.db import db

    app = create_app()
    last = 0
    for _line in sys.stdin:
        if last:
            os.waitpid(last, 0)
        last = os.fork()
        if last == 0:
            with app.app_context():
                db.engine.dispose(close=False)  # what the nursery opened is its own
            worker.run(app, threading.Event())
        print(last, flush=True)


if __name__ == "__main__":
    main()
