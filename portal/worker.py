"""The loop that works off what follows, as a thread of the one process or as a process of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

from flask import Flask, current_app

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between looks when nobody wakes us
_work_waits = threading.Event()
_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)  # that of the worker one runs in

Part = TypeVar("Part")


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """A chore that does all or nothing does nothing now: the worker was told to stop."""


def is_told_to_stop() -> bool:
    """Whether the worker in which this runs shall end; never outside of one."""
    stop = _stop.get()
    return stop is not None and stop.is_set()


def until_stopped(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts of a chore for as long as the worker goes on; what is left waits for the next start."""
    for part in parts:
        if is_told_to_stop():
            return
        yield part


def all_or_stop(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts of what is of no use half done; raise Stopped once the worker is told to stop."""
    for part in parts:
        if is_told_to_stop():
            raise Stopped
        yield part


def wake() -> None:
    """Tell the worker of this process, if there is one, that there may be work."""
    _work_waits.set()


def work_once() -> int:
    """Do each chore once, until told to stop; return how much was done. One's failure keeps no other back."""
    done = 0
    for chore in until_stopped(_chores()):
        try:
            done += chore()
        except Stopped:
            log.info("chore %s was left for the next start", chore.__name__)
        except Exception:
            log.exception("chore %s failed", chore.__name__)
    return done


def settle() -> None:
    """Work until nothing is due."""
    while sum(chore() for chore in _chores()):
        pass


def run(app: Flask, stop: threading.Event) -> None:
    """Work until told to stop."""
    before = _stop.set(stop)
    try:
        while not stop.is_set():
            _work_waits.clear()
            with app.app_context():
                done = work_once()
            if not done:
                _work_waits.wait(PAUSE)
    finally:
        _stop.reset(before)


def start_inside(app: Flask) -> Callable[[], None]:
    """Start the worker as a thread of this process; return how to stop it."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(app, stop), name="portal-worker", daemon=True)
    thread.start()

    def end() -> None:
        stop.set()
        wake()
        thread.join(10)

    return end


def _chores() -> tuple[Callable[[], int], ...]:
    chores: tuple[Callable[[], int], ...] = current_app.extensions["chores"]
    return chores
