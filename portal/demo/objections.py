"""In the demo, the author of an idea that was merged lately says that it is something else."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from portal.db import db, utcnow
from portal.events import quietly
from portal.ideas.merges import WINDOW
from portal.ideas.models import Idea
from portal.ideas.objections import object_to_merge
from portal.ideas.workflow import Status
from portal.transactions import transaction


def leave_objection() -> None:
    """Let one author object, where an idea was merged within the days for that."""
    lately = select(Idea).where(Idea.status == Status.MERGED, Idea.status_since > utcnow() - WINDOW)
    with transaction(wake=False), quietly():
        idea = db.session.scalars(lately.where(Idea.author_id.is_not(None)).order_by(Idea.id.desc())).first()
        if idea is not None and idea.author is not None:
            object_to_merge(idea, idea.author, _("Mine is for people who see no red, at any hour."))
