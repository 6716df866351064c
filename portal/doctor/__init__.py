"""Is this instance well? What ``portal doctor`` looks at, each finding one sentence in plain words."""

from __future__ import annotations

from portal.doctor import post, records, surroundings, work
from portal.doctor.findings import Finding, Findings, Health

__all__ = ["Finding", "Health", "examine"]


def examine(mail_to: str | None = None) -> Findings:
    """Yield what is found, in the order in which one would mend it."""
    yield from surroundings.settings()
    yield from surroundings.secret()
    yield from surroundings.limits()
    if (yield from surroundings.database()):
        for look in (
            records.counters,
            records.promises,
            records.merges,
            records.workflow,
            work.outbox,
            work.mails,
            work.index,
        ):
            yield from look()
    yield from post.leaving(mail_to)
    yield from post.arriving()
