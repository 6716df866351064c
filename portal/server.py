"""The production server: granian takes the requests, a few threads answer them, the worker runs beside."""

from __future__ import annotations

import ctypes
import fcntl
import logging
import multiprocessing
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import Flask
from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server import Server

from portal import create_app, worker
from portal.config import ConfigurationError
from portal.demand.log import SearchLog
from portal.gateway import Gateway
from portal.live.hub import Hub
from portal.live.reader import Reader
from portal.schema import read_schema
from portal.security.log import HidesTokens

THREADS = 8
BACKLOG, MOST_CONNECTIONS = 4_096, 100_000  # that wait to be taken up; that are open, in one process
SPARE = 1_000  # connections and files beside the streams
M_ARENA_MAX, HEAPS = -8, 2  # as malloc.h has it
STOP_WITHIN = 10  # seconds for requests under way, before a process is ended by force
ACCESS_LINE = '%(time)s %(addr)s "%(method)s %(path)s" %(status)d %(dt_ms).0f ms'

_kept: list[Any] = []  # what lives as long as this process: locks


def application() -> Gateway:
    """Build what one process of the server runs: ``granian --interface rsgi --factory portal.server:application``."""
    return _start_process({}, THREADS, "", None)


def serve(
    settings: Mapping[str, Any], *, host: str, port: int, processes: int, threads: int, access_log: bool, greeting: str
) -> None:
    """Answer requests until SIGTERM or Ctrl-C; say ``greeting`` once the portal is up.

    Raises ConfigurationError when the port cannot be had.
    """
    check_port(host, port)
    first = multiprocessing.Semaphore(1)
    server = Server(
        "portal.server:application",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        loop=Loops.asyncio,
        workers=processes,
        log_level=LogLevels.error,
        log_access=access_log,
        log_access_format=ACCESS_LINE,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_WITHIN,
        backlog=BACKLOG,
        backpressure=MOST_CONNECTIONS,
        factory=True,
    )
    start: Callable[..., Any] = partial(_start_process, dict(settings), threads, greeting, first)
    server.serve(target_loader=start, wrap_loader=False)


def check_port(host: str, port: int) -> None:
    """Raise ConfigurationError, with what to do, for an address that cannot be listened on."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except socket.gaierror:
        raise ConfigurationError(f"{host} is no address of this machine; choose one with --host.") from None
    except PermissionError:
        raise ConfigurationError(
            f"Port {port} is for the system's own services; choose one above 1023 with --port N."
        ) from None
    except OSError as problem:
        raise ConfigurationError(
            f"Port {port} of {host} cannot be used ({(problem.strerror or str(problem)).lower()}); "
            "stop what runs there, or choose another port with --port N."
        ) from None


def refuse_old_schema(command: str = "portal db upgrade") -> None:
    """Raise ConfigurationError when the database lacks migrations of this version."""
    schema = read_schema()
    if not schema.is_newest:
        was = f"at {schema.current}" if schema.current else "empty"
        raise ConfigurationError(f"The database is {was} and this version needs {schema.newest}. Run: {command}")


def _start_process(settings: Mapping[str, Any], threads: int, greeting: str, first: Any) -> Gateway:
    """Build the app in one process of the server, with the worker beside it where it belongs inside."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until granian listens; what was forked would only take a note
    _end_with_parent()
    _share_heaps()
    app = create_app(settings)
    logging.getLogger("granian.access").addFilter(HidesTokens())
    stop_worker = _run_worker_in_one_process(app) if app.config["WORKER"] == "inside" else None
    hub = Hub(app, _streams(app)) if app.config["STREAMS"] else None
    reader = Reader(app, hub) if hub is not None else None

    def end() -> None:
        if reader is not None:
            reader.stop()
        searches: SearchLog = app.extensions["search log"]
        searches.write_at_last()  # what was forked ends without ``atexit``
        if stop_worker is not None:
            stop_worker()

    if greeting and first.acquire(block=False):
        click.echo(greeting)
    if reader is not None:
        reader.start()
    return Gateway(app, threads, end, hub)


def _streams(app: Flask) -> int:
    """Return how many streams may be open: as many as are wanted, and as the system lets this process have open."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(int(app.config["STREAMS"]), max(hard - SPARE, 0))


def _share_heaps() -> None:
    """Let the threads of this process share two heaps: each of its own would keep the most that it ever needed."""
    with suppress(OSError, AttributeError):  # only where there is such a thing: glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="portal-parent", daemon=True).start()


def _run_worker_in_one_process(app: Flask) -> Callable[[], None] | None:
    """Start the worker here unless another process of this instance has it; whoever holds the lock file has."""
    return worker.start_inside(app) if hold(Path(app.config["INSTANCE"]) / "worker.lock") else None


def hold(file: Path) -> bool:
    """Take a lock that goes with this process, however it ends; whether nobody had it."""
    opened = file.open("a")
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        opened.close()
        return False
    _kept.append(opened)
    return True
