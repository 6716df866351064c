"""Readers that do not read: what is written for them must not pile up here."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
import termios

TOO_MUCH = 24 * 1024  # bytes that wait in the system for one reader, twice in a row; often it takes no more than 27 K


class SlowReaders:
    """Looks at how much waits for each connection, and cuts those that do not take it; known on Linux only."""

    def __init__(self) -> None:
        self._behind: set[str] = set()

    def look(self, peers: set[str]) -> None:
        """Cut the connections among these that were behind at the last look too; their browsers come back."""
        if not sys.platform.startswith("linux"):
            return
        behind = {peer: number for number in _waiting() if (peer := _peer(number)) in peers}
        for peer in self._behind & set(behind):
            _cut(behind[peer])
        self._behind = set(behind)


def _waiting() -> list[int]:
    """Return the connections of this process for which much waits."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            answer = fcntl.ioctl(int(name), termios.TIOCOUTQ, b"\0\0\0\0")
        except OSError:
            continue  # a file, or closed meanwhile
        if struct.unpack("i", answer)[0] >= TOO_MUCH:
            found.append(int(name))
    return found


def _peer(number: int) -> str:
    try:
        with socket.socket(fileno=os.dup(number)) as connection:
            host, port = connection.getpeername()[:2]
    except (OSError, ValueError):
        return ""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _cut(number: int) -> None:
    try:
        with socket.socket(fileno=os.dup(number)) as connection:
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
