"""Holds many open streams of one server, and says when all of them have heard of a change.

A program of its own, so that it shares nothing with what it measures: a plan as JSON on the first line of stdin; on
stdout ``open``, and then, each time that every stream has heard, the moment by the clock that all processes share.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from typing import Any

AT_ONCE = 50  # streams asked for before the first of them has answered
PATIENCE = 120.0  # seconds until all are open, or all have heard
HEARD = b"data: <"


def listen(plan: dict[str, Any]) -> None:
    """Open a stream for each request of the plan, and watch them until stdin ends."""
    poll = select.epoll()
    connections: dict[int, socket.socket] = {}
    requests = plan["requests"]
    for place in range(0, len(requests), AT_ONCE):
        some = [_ask(plan["port"], request) for request in requests[place : place + AT_ONCE]]
        for connection in some:
            if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                raise SystemExit("a stream was refused")
            connection.setblocking(False)
            connections[connection.fileno()] = connection
            poll.register(connection, select.EPOLLIN)
    _read_greetings(poll, connections)
    print("open", flush=True)
    poll.register(sys.stdin, select.EPOLLIN)
    heard: set[int] = set()
    while True:
        for number, _event in poll.poll(PATIENCE):
            if number == sys.stdin.fileno():
                return
            arrived = connections[number].recv(65_536)
            if not arrived:
                raise SystemExit("a stream ended")
            if HEARD in arrived:
                heard.add(number)
        if len(heard) == len(connections):
            print(json.dumps(time.monotonic()), flush=True)
            heard.clear()


def _ask(port: int, request: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    connection.sendall(request.encode("latin-1"))
    return connection


def _read_greetings(poll: select.epoll, connections: dict[int, socket.socket]) -> None:
    """Read what comes first, until it has been quiet for a second."""
    while ready := poll.poll(1.0):
        for number, _event in ready:
            connections[number].recv(65_536)


if __name__ == "__main__":
    listen(json.loads(sys.stdin.readline()))
