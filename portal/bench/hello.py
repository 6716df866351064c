"""The yardstick: Flask saying hello on the portal's own server. A program: ``hello.py PORT PROCESSES THREADS``."""

from __future__ import annotations

import sys

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server


def application() -> Flask:
    """Build an app that does nothing else."""
    app = Flask("hello")

    @app.get("/")
    def hello() -> str:
        """Greet."""
        return "Hello"

    return app


def serve(port: int, processes: int, threads: int) -> None:
    """Answer until SIGTERM."""
    server = Server(
        "hello:application", address="127.0.0.1", port=port, interface=Interfaces.WSGI, workers=processes,
        blocking_threads=threads, log_level=LogLevels.error, factory=True,
    )  # fmt: skip
    server.serve(target_loader=application, wrap_loader=False)


if __name__ == "__main__":
    serve(*map(int, sys.argv[1:4]))
