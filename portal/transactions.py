"""The one place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from portal import worker
from portal.db import db, write_lock


@contextmanager
def transaction(wake: bool = True) -> Iterator[None]:
    """Commit all that happens inside, or none of it; then wake whoever carries out what follows.

    What was read before is read again inside, so that decisions are made on what is true now.
    """
    with write_lock():
        try:
            yield
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise
    if wake:
        worker.wake()
