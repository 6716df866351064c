"""A mail server that takes everything and counts it, in a process of its own. A program: ``sink.py PORT``.

It answers ``NOOP COUNT`` with how many mails it took, and how many had a Message-ID that none before them had.
"""

from __future__ import annotations

import asyncio
import re
import sys

_NUMBER = re.compile(rb"^Message-ID:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Sink:
    """All mails that came, by their number."""

    def __init__(self) -> None:
        self.taken = 0
        self.numbers: set[bytes] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client until it leaves."""
        writer.write(b"220 sink\r\n")
        try:
            while line := await reader.readline():
                verb = line.strip().upper()
                if verb == b"DATA":
                    writer.write(b"354 go on\r\n")
                    self._take(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(self._answer(verb))
                await writer.drain()
                if verb == b"QUIT":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, verb: bytes) -> bytes:
        if verb == b"NOOP COUNT":
            return f"250 {self.taken} {len(self.numbers)}\r\n".encode()
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"

    def _take(self, mail: bytes) -> None:
        self.taken += 1
        found = _NUMBER.search(mail)
        self.numbers.add(found[1] if found else b"")


async def main(port: int) -> None:
    """Serve until ended."""
    sink = Sink()
    server = await asyncio.start_server(sink.talk, "127.0.0.1", port, limit=4 * 1024 * 1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
