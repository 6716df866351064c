"""The production server as a process of its own, on the database of a test."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from tests.support.mail import free_port

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(app: Flask, **settings: str) -> Iterator[str]:
    """Serve what ``app`` serves, from another process; yields the address at which it answers."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "FLASK_"))}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "portal.cli", "serve", "--port", str(port)],
        env={
            **bare,
            "PYTHONPATH": str(ROOT),
            "PORTAL_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
            "PORTAL_INSTANCE": app.config["INSTANCE"],
            "PORTAL_SECRET_KEY": app.config["SECRET_KEY"],
            "PORTAL_BASE_URL": address,
            "PORTAL_WORKER": "off",
            "PORTAL_LIMITS": "false",
            "PORTAL_MAIL_URL": "catch:",
            **settings,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
    )
    try:
        while not _answers(port):
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.05)
        app.config["BASE_URL"] = address
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _answers(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0
