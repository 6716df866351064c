"""Asks one server for many things over connections that stay open, and notes how long each answer took.

A program of its own, so that it shares nothing with what it measures: a plan as JSON on stdin, the figures on stdout.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import Any

WARM = 0.15  # the part of the time that is not counted
LEAST, LONGER = 100, 5  # so many answers are waited for, up to so many times as long
PATIENCE = 30.0  # seconds for one answer


def drive(plan: dict[str, Any]) -> dict[str, Any]:
    """Keep ``clients`` connections busy for so many ``seconds``; return what came back in how long."""
    requests = [request.encode("latin-1") for request in plan["requests"]]
    begin = time.perf_counter()
    end = begin + plan["seconds"]
    counted_from = begin + plan["seconds"] * WARM
    driver = _Driver(plan["port"], plan["clients"], iter(requests) if plan["once"] else cycle(requests))
    driver.run(end, begin + plan["seconds"] * LONGER)
    counted = [(sent, done) for sent, done in driver.answers if done >= counted_from]
    waits = sorted(done - sent for sent, done in counted)
    last = max((done for _sent, done in counted), default=end)
    return {
        "answers": len(waits),
        "all_answers": len(driver.answers),
        "per_second": len(waits) / max(last - counted_from, 1e-9),
        "median_ms": _at(waits, 0.5) * 1000,
        "p95_ms": _at(waits, 0.95) * 1000,
        "statuses": driver.statuses,
        "own_share": time.process_time() / max(time.perf_counter() - begin, 1e-9),
    }


class _Driver:
    """The connections; each waits for its answer before it asks again."""

    def __init__(self, port: int, clients: int, requests: Iterator[bytes]) -> None:
        self.answers: list[tuple[float, float]] = []
        self.statuses: Counter[str] = Counter()
        self._requests, self._poll = requests, select.epoll()
        self._open: dict[int, _Connection] = {}
        for _number in range(clients):
            connection = _Connection(port)
            self._open[connection.socket.fileno()] = connection
            self._poll.register(connection.socket.fileno(), select.EPOLLIN)

    def run(self, end: float, latest: float) -> None:
        """Ask until the time is over and enough was answered, or nothing is left to ask."""
        waiting = sum(self._ask(connection) for connection in self._open.values())
        while waiting:
            ready = self._poll.poll(PATIENCE)
            if not ready:
                raise SystemExit(f"no answer within {PATIENCE:g} seconds")
            for number, _event in ready:
                connection = self._open[number]
                status = connection.receive()
                if status is None:
                    continue
                done = time.perf_counter()
                self.answers.append((connection.sent, done))
                self.statuses[status] += 1
                over = done >= latest or (done >= end and len(self.answers) >= LEAST)
                if over or not self._ask(connection):
                    waiting -= 1

    def _ask(self, connection: _Connection) -> bool:
        request = next(self._requests, None)
        if request is not None:
            connection.send(request)
        return request is not None


class _Connection:
    """One connection, with what has arrived of the present answer."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent = 0.0
        self._received = b""

    def send(self, request: bytes) -> None:
        self._received, self.sent = b"", time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> str | None:
        """Take what is there; the status once the answer is complete."""
        arrived = self.socket.recv(262_144)
        if not arrived:
            raise SystemExit("the server closed a connection")
        self._received += arrived
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return None
        return head[9:12].decode()


def _length(head: bytes) -> int:
    place = head.lower().find(b"\r\ncontent-length:")
    return int(head[place + 17 :].split(b"\r\n", 1)[0]) if place >= 0 else 0


def _at(waits: list[float], share: float) -> float:
    return waits[min(int(len(waits) * share), len(waits) - 1)] if waits else 0.0


if __name__ == "__main__":
    json.dump(drive(json.load(sys.stdin)), sys.stdout)
