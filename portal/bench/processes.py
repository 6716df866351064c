"""Servers as processes of their own: started, timed, weighed and stopped."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.bench import hello, load
from portal.config import PREFIX, ConfigurationError

START_WITHIN, STOP_WITHIN = 60, 20  # seconds
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A server on a port of this machine, and how long it took from start to first answer."""

    pid: int
    port: int
    started_in: float

    def cpu_seconds(self) -> float:
        """The processor time its processes have used so far."""
        return sum(_cpu_of(pid) for pid in self._pids())

    def memory(self) -> float:
        """What its processes take together in MB, what they share counted once."""
        return sum(_memory_of(pid) for pid in self._pids())

    def _pids(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(child) for child in task.read_text().split()]
        return found


def memory_of_this() -> float:
    """What this process takes in MB."""
    return _memory_of(os.getpid())


@contextmanager
def portal_server(settings: Mapping[str, Any], processes: int, threads: int) -> Iterator[Server]:
    """The portal as `portal serve` runs it, with these settings and no others of this shell."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(f"{PREFIX}_")}
    environment |= {f"{PREFIX}_{name}": json.dumps(value) for name, value in settings.items()}
    port = _free_port()
    command = ["-m", "portal.cli", "serve", "--port", str(port)]
    with _running([*command, "--processes", str(processes), "--threads", str(threads)], port, environment) as server:
        yield server


@contextmanager
def hello_server(processes: int, threads: int) -> Iterator[Server]:
    """The yardstick."""
    port = _free_port()
    command = [hello.__file__, str(port), str(processes), str(threads)]
    with _running(command, port, dict(os.environ)) as server:
        yield server


def drive(server: Server, requests: Sequence[str], *, clients: int, seconds: float, once: bool) -> dict[str, Any]:
    """Load a server from another process; return what ``load.drive`` found, and ``cpu_ms`` of the server an answer."""
    plan = {"port": server.port, "clients": clients, "seconds": seconds, "once": once, "requests": requests}
    before = server.cpu_seconds()
    driven = subprocess.run(  # noqa: S603 - this Python, with our own file
        [sys.executable, "-I", load.__file__], input=json.dumps(plan), capture_output=True, text=True, check=False
    )
    if driven.returncode:
        raise ConfigurationError(f"The server failed under load: {driven.stderr.strip()[-300:]}")
    figures: dict[str, Any] = json.loads(driven.stdout)
    figures["cpu_ms"] = (server.cpu_seconds() - before) * 1000 / max(figures["all_answers"], 1)
    return figures


@contextmanager
def _running(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    begin = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - this Python, with our own modules
        [sys.executable, *command], env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        while not _answers(port):
            if process.poll() is not None:
                said = (process.stderr.read() if process.stderr else b"").decode(errors="replace").strip()
                raise ConfigurationError(f"The server to measure did not start: {said[-500:]}")
            if time.perf_counter() - begin > START_WITHIN:
                raise ConfigurationError(f"The server to measure did not answer within {START_WITHIN} seconds.")
            time.sleep(0.01)
        yield Server(process.pid, port, time.perf_counter() - begin)
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_WITHIN)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory_of(pid: int) -> float:
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024
