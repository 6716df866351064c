"""People of the demo call each other by name, in comments that are brought in with their dates."""

from __future__ import annotations

from sqlalchemy import select

from portal.comments.calling import find_called, remember
from portal.comments.events import CommentPosted
from portal.comments.models import Comment
from portal.db import db
from portal.events import EventRecord
from portal.ideas.models import Idea


def call(idea: Idea, comment: Comment) -> None:
    """Let a comment that was just posted call whom it names, as it did on its day."""
    called = find_called(idea, comment.body) if "@" in comment.body else {}
    if not called:
        return
    remember(comment, called)
    posted = select(EventRecord).where(EventRecord.name == CommentPosted.name, EventRecord.idea_id == idea.id)
    record = db.session.scalars(posted.order_by(EventRecord.id.desc()).limit(1)).one()
    record.data = record.data | {"mentioned": sorted(set(called) - {comment.author_id})}
