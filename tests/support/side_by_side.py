"""Several people at the same moment."""

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from portal.db import db


def at_once(app: Flask, acts: list[Callable[[], Any]]) -> list[BaseException]:
    """Do all of this at the same moment, each in a context and a session of its own; return what went wrong."""
    db.session.rollback()
    start, problems = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                start.wait(20)
                act()
            except BaseException as problem:
                problems.append(problem)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    db.session.rollback()
    return problems
