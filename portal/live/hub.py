"""The open streams of one process: they live in its event loop, where one more costs little."""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask
from granian import rsgi

from portal.limits import household

log = logging.getLogger(__name__)

PER_PERSON, PER_ADDRESS = 3, 20  # streams of one member; of all visitors from one address
HEARTBEAT = 15.0  # seconds
AT_A_TIME = 200  # streams written to before pages have their turn
GREETED_AT_ONCE = 500
COME_BACK = (1_000, 4_000)  # milliseconds after which a browser asks again, so that not all do at once
GONE: tuple[type[Exception], ...] = (rsgi.ProtocolClosed, rsgi.ProtocolError)  # type: ignore[attr-defined]
MEMBER = "member"
PLACE, WISH = "portal.live", "portal.live.wish"
"""Under what the view finds the hub in the surroundings of a request, and leaves what was agreed."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A stream that may be opened: for whom, about what, from where on."""

    topics: frozenset[str]
    locale: str
    address: str
    user_id: int | None = None
    session: str = ""  # the row of the session, and what else decides what its owner may
    mark: int = 0
    ends_at: datetime | None = None  # when the session runs out, unless it is used meanwhile
    rules: tuple[Any, ...] = ()  # the house rules under which it was opened
    after: int | None = None
    age: float | None = None

    @property
    def whose(self) -> tuple[str, Any]:
        """For whom streams are counted."""
        return (MEMBER, self.user_id) if self.user_id is not None else ("address", household(self.address))


class Stream:
    """One open page."""

    __slots__ = ("peer", "transport", "wish")

    def __init__(self, wish: Wish, transport: Any, peer: str) -> None:
        self.wish, self.transport, self.peer = wish, transport, peer


Batch = list[tuple[bytes, Collection[Stream]]]


class Hub:
    """All open streams, by what they are about. Opening, writing and closing happen in the event loop.

    What there is to be heard comes from a reader, in a thread of its own, of which nothing is known here.
    """

    def __init__(self, app: Flask, most: int) -> None:
        self.stirred = threading.Event()  # set when whoever reads should look
        self._most, self._limited = most, bool(app.config["LIMITS"])
        self._lock = threading.Lock()  # over the index, which the reader looks into
        self._streams: set[Stream] = set()
        self._by_topic: dict[str, set[Stream]] = defaultdict(set)
        self._by_whose: dict[tuple[str, Any], set[Stream]] = defaultdict(set)
        self._arrived: list[Stream] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._batches: asyncio.Queue[Batch] = asyncio.Queue()
        self._posted = self._written = 0  # batches

    # The event loop's side

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Belong to this loop from now on; when the process is told to end, end all streams at once."""
        self._loop = loop
        self._tasks = {loop.create_task(self._write_batches()), loop.create_task(self._keep_alive())}
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_soon)  # the loop hears of the signal all the same

    def is_full_for(self, wish: Wish) -> bool:
        """Whether this would be one stream too many; those whose reader has left are not counted."""
        if self._closing or len(self._streams) >= self._most:
            return True
        most = PER_PERSON if wish.user_id is not None else PER_ADDRESS
        theirs = self._by_whose.get(wish.whose, ())
        if not self._limited or len(theirs) < most:
            return False
        for stream in list(theirs):
            self._write(stream, b":\n\n")
        return len(self._by_whose.get(wish.whose, ())) >= most

    def open(self, wish: Wish, transport: Any, peer: str) -> None:
        """Keep a stream."""
        stream = Stream(wish, transport, peer)
        with self._lock:
            self._streams.add(stream)
            self._by_whose[wish.whose].add(stream)
            for topic in wish.topics:
                self._by_topic[topic].add(stream)
            self._arrived.append(stream)
        self._write(stream, b"retry: %d\n\n" % random.randint(*COME_BACK))  # noqa: S311 - spreads load, guards nothing
        self.stirred.set()

    def close(self, streams: Iterable[Stream]) -> None:
        """End streams; their browsers come back and are asked anew who they are."""
        with self._lock:
            for stream in streams:
                if stream not in self._streams:
                    continue
                self._streams.discard(stream)
                _take_out(self._by_topic, stream.wish.topics, stream)
                _take_out(self._by_whose, [stream.wish.whose], stream)
                stream.transport = None  # what was the last hold on the connection

    def _stop_soon(self, *_signal: Any) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.stop)

    def stop(self) -> None:
        """End all streams; none is opened any more."""
        self._closing = True
        self.close(list(self._streams))

    async def _write_batches(self) -> None:
        while True:
            for data, streams in await self._batches.get():
                for count, stream in enumerate(streams, 1):
                    self._write(stream, data)
                    if count % AT_A_TIME == 0:
                        await asyncio.sleep(0)
            self._written += 1

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            for count, stream in enumerate(list(self._streams), 1):
                self._write(stream, b":\n\n")
                if count % AT_A_TIME == 0:
                    await asyncio.sleep(0)

    def _write(self, stream: Stream, data: bytes) -> None:
        """Hand over to the server, which queues without bound and so never waits; note that somebody has left."""
        if stream.transport is None:
            return
        try:
            stream.transport.send_bytes(data).__await__().__next__()
        except StopIteration:
            return
        except GONE:
            pass
        except Exception:  # one stream must not keep the others from hearing anything
            log.exception("a stream could not be written to")
        self.close([stream])

    # The reader's side, in its thread

    def post(self, batch: Batch) -> None:
        """Have this written, in the order in which it comes."""
        if batch and self._loop is not None and not self._closing:
            self._posted += 1
            self._loop.call_soon_threadsafe(self._batches.put_nowait, batch)

    def close_soon(self, streams: list[Stream]) -> None:
        """Have these ended."""
        if streams and self._loop is not None:
            self._loop.call_soon_threadsafe(self.close, streams)

    @property
    def is_behind(self) -> bool:
        """Whether something posted is not written yet: what happens meanwhile is told of together, once it is."""
        return self._posted != self._written

    def all(self) -> list[Stream]:
        """Return every open stream."""
        with self._lock:
            return list(self._streams)

    def about(self, topics: Iterable[str]) -> set[Stream]:
        """Return the streams that are about any of these."""
        with self._lock:
            return set().union(*(self._by_topic.get(topic, ()) for topic in topics))

    def of_users(self, user_ids: Iterable[int]) -> dict[int, list[Stream]]:
        """Return the streams of those of these people who have any."""
        with self._lock:
            found = {user_id: self._by_whose.get((MEMBER, user_id)) for user_id in user_ids}
            return {user_id: list(streams) for user_id, streams in found.items() if streams}

    def users(self) -> set[int]:
        """Return the members who listen."""
        with self._lock:
            return {number for kind, number in self._by_whose if kind == MEMBER}

    def arrivals(self) -> list[Stream]:
        """Return streams that nobody has greeted yet, each once; when very many come at once, some at a time."""
        with self._lock:
            arrived, self._arrived = self._arrived[:GREETED_AT_ONCE], self._arrived[GREETED_AT_ONCE:]
            if self._arrived:
                self.stirred.set()
            return arrived

    def greet_later(self, streams: list[Stream]) -> None:
        """Give arrivals back that could not be greeted."""
        with self._lock:
            self._arrived = streams + self._arrived

    @property
    def is_empty(self) -> bool:
        """Whether nobody listens."""
        return not self._streams


def _take_out(index: dict[Any, set[Stream]], keys: Iterable[Any], stream: Stream) -> None:
    for key in keys:
        index[key].discard(stream)
        if not index[key]:
            del index[key]
