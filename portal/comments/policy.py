"""Who may do what with a comment."""

from __future__ import annotations

from portal.accounts.models import Person
from portal.comments.models import Comment


def may_edit(viewer: Person, comment: Comment) -> bool:
    """Authors, their own."""
    return viewer.is_signed_in and comment.author_id == viewer.id and comment.deleted_at is None


def may_delete(viewer: Person, comment: Comment) -> bool:
    """Authors, their own; moderators, any."""
    return comment.deleted_at is None and (viewer.is_moderator or may_edit(viewer, comment))
