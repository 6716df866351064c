"""The loop that works off what follows, as a thread of the one process or as a process of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from flask import Flask, current_app

log = logging.getLogger(__name__)

PAUSE = 1.0  # seconds between looks when nobody wakes us
_work_waits = threading.Event()


def wake() -> None:
    """Tell the worker of this process, if there is one, that there may be work."""
    _work_waits.set()


def work_once(stop: threading.Event | None = None) -> int:
    """Do each chore once, or those before ``stop``; return how much was done. One's failure keeps no other back."""
    done = 0
    for chore in _chores():
        if stop is not None and stop.is_set():
            break
        try:
            done += chore()
        except Exception:
            log.exception("chore %s failed", chore.__name__)
    return done


def settle() -> None:
    """Work until nothing is due."""
    while sum(chore() for chore in _chores()):
        pass


def run(app: Flask, stop: threading.Event) -> None:
    """Work until told to stop."""
    while not stop.is_set():
        _work_waits.clear()
        with app.app_context():
            done = work_once(stop)
        if not done:
            _work_waits.wait(PAUSE)


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
