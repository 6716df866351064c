"""The one place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from portal import worker
from portal.db import db, write_lock


@contextmanager
def transaction(wake: bool = True, keep: bool = False) -> Iterator[None]:
    """Commit all that happens inside, or none of it; then wake whoever carries out what follows.

    What was read before is read again inside, so that decisions are made on what is true now. With ``keep``, what is
    known at the end is not read once more for the answer: for changes of single rows that are held until then.
    """
    session = db.session()
    with write_lock():
        try:
            yield
            session.expire_on_commit = not keep
            session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.expire_on_commit = True
    if wake:
        worker.wake()
