"""What can be done in a discussion, and the refusals that raises."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.comments import calling
from portal.comments.events import CommentDeleted, CommentEdited, CommentFoundHelpful, CommentPosted, ThanksTakenBack
from portal.comments.models import Comment, CommentMention, CommentRevision, Helpful
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.moves import resume_review
from portal.ideas.service import follow_because, lock
from portal.ideas.workflow import Status
from portal.text import clean_text, render_markdown


class CommentsClosed(Refusal):
    """The discussion is over in this status."""

    def __init__(self, idea: Idea) -> None:
        super().__init__(_("The discussion is closed: this idea is %(status)s.", status=idea.rule.label))


def post_comment(
    idea: Idea, author: User, body: str, reply_to: Comment | None = None, at: datetime | None = None
) -> Comment:
    """Say something about the idea and follow it. A reply to a reply joins the same thread.

    When the idea waits for information from its author, the author's words put it back under review.
    """
    lock(idea)
    if not idea.takes_comments(at or utcnow()):
        raise CommentsClosed(idea)
    called = calling.find_called(idea, clean_text(body)) if at is None else {}  # what is brought in calls nobody
    others = {user_id: handle for user_id, handle in called.items() if user_id != author.id}
    calling.refuse_too_many(others, author)
    at = at or utcnow()
    parent_id = (reply_to.parent_id or reply_to.id) if reply_to else None
    comment = Comment(idea_id=idea.id, author_id=author.id, parent_id=parent_id, at=at)
    _write(comment, body)
    db.session.add(comment)
    db.session.flush()
    if called:
        calling.remember(comment, called)
    idea.comments += 1
    follow_because(idea, author, is_commenter=True)
    answered = reply_to.id if reply_to else None
    posted = CommentPosted(
        actor_id=author.id,
        idea_id=idea.id,
        comment_id=comment.id,
        reply_to_id=answered,
        mentioned=sorted(others),
    )
    emit(posted, at)
    if idea.status is Status.NEEDS_INFO and author.id == idea.author_id:
        resume_review(idea, _("The author answered."))
    return comment


def edit_comment(comment: Comment, body: str) -> None:
    """Say it differently while the discussion is open; what it said before is kept, and nobody is told again.

    What was deleted stays deleted.
    """
    _lock(comment)
    if not comment.idea.takes_comments(utcnow()):
        raise CommentsClosed(comment.idea)
    if comment.deleted_at is not None:
        raise Refusal(_("Somebody else was faster. Reload the page to see how things are now."))
    if clean_text(body) == comment.body:
        return
    called = calling.find_called(comment.idea, clean_text(body))
    before = CommentRevision(comment_id=comment.id, editor_id=comment.author_id, body=comment.body)
    db.session.add(before)
    db.session.flush()
    calling.remember_in(before, comment)
    _write(comment, body)
    calling.remember(comment, called)
    comment.edited_at = utcnow()
    emit(CommentEdited(actor_id=comment.author_id, idea_id=comment.idea_id, comment_id=comment.id))


def delete_comment(comment: Comment, actor: User) -> None:
    """Take the words away; replies stay, and so does the place where they stood.

    What they were before an edit is left to moderators.
    """
    _lock(comment)
    if comment.deleted_at is not None:
        return
    comment.deleted_at, comment.deleted_by_id = utcnow(), actor.id
    comment.body = comment.body_html = ""
    db.session.execute(sa.delete(CommentMention).where(CommentMention.comment_id == comment.id))
    comment.idea.comments -= 1
    emit(CommentDeleted(actor_id=actor.id, idea_id=comment.idea_id, comment_id=comment.id))


def mark_helpful(comment: Comment, user: User) -> None:
    """Thank somebody for a comment; once is enough, and not for one's own."""
    if comment.author_id == user.id:
        raise Refusal(_("Others decide whether your comment helps."))
    if comment.deleted_at is None and insert_if_absent(Helpful, comment_id=comment.id, user_id=user.id):
        _count_helpful(comment, +1)
        emit(CommentFoundHelpful(actor_id=user.id, idea_id=comment.idea_id, comment_id=comment.id))


def unmark_helpful(comment: Comment, user: User) -> None:
    """Take the thanks back."""
    mine = sa.delete(Helpful).where(Helpful.comment_id == comment.id, Helpful.user_id == user.id)
    if count_rows(mine):
        _count_helpful(comment, -1)
        emit(ThanksTakenBack(actor_id=user.id, idea_id=comment.idea_id, comment_id=comment.id))


def _lock(comment: Comment) -> None:
    """Hold the comment's idea and read the comment as it is then, so that two people at once count one change."""
    lock(comment.idea)
    db.session.refresh(comment)


def _write(comment: Comment, body: str) -> None:
    comment.body = clean_text(body)
    comment.body_html = render_markdown(comment.body)


def _count_helpful(comment: Comment, change: int) -> None:
    comment.helpful = Comment.helpful + change
    db.session.flush()
