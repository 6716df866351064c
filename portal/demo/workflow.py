"""In the demo, admins added a status of their own, and a product manager proposes another clock."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.events import quietly
from portal.transactions import transaction
from portal.workflows import drafting, queries, service


def tend_to_the_workflow() -> None:
    """Let a trial stand between beginning and shipping, and somebody ask for a shorter clock."""
    with transaction(wake=False), quietly():
        key = drafting.free_key(queries.now_held()[1], "in_progress", "trial")

        def with_trials(held: drafting.Document) -> drafting.Document:
            words = {"label": _("On trial"), "meaning": _("Some of you walk with it already.")}
            return drafting.with_new_status(held, "in_progress", key, **words, days=30, glyph="ahead", hue="not_now")

        def shorter(held: drafting.Document) -> drafting.Document:
            return drafting.with_status(held, "under_review", days=21)

        reason = _("Half of what we begin is tried on a few walks first. People should see that.")
        version = service.change_workflow(with_trials, _somebody(Role.ADMIN), base=0, reason=reason)
        version.at = utcnow() - timedelta(days=40)
        reason = _("Three weeks are enough to say something, even if it is “not yet”.")
        base = queries.now_held()[0]
        service.propose_workflow(shorter, _somebody(Role.PM), base=base, reason=reason).at = utcnow() - timedelta(
            days=2
        )


def _somebody(role: Role) -> User:
    return db.session.scalars(sa.select(User).where(User.role == role).order_by(User.id).limit(1)).one()
