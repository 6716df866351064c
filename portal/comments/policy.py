"""Who may do what with a comment."""

from __future__ import annotations

from portal.accounts.models import Person
from portal.accounts.roles import MODERATORS
from portal.comments.models import Comment
from portal.ideas.policy import may_take_part


def may_edit(viewer: Person, comment: Comment) -> bool:
    """Authors, their own."""
    own = viewer.is_signed_in and comment.author_id == viewer.id
    return own and comment.deleted_at is None and may_take_part(viewer, comment)


def may_delete(viewer: Person, comment: Comment) -> bool:
    """Authors, their own; moderators, any."""
    if comment.deleted_at is not None:
        return False
    return viewer.is_one_of(MODERATORS, comment.idea.board_id) or may_edit(viewer, comment)


def may_read_removed(viewer: Person, comment: Comment) -> bool:
    """Moderators: what a comment said before an edit, once the comment is gone."""
    return viewer.is_one_of(MODERATORS, comment.idea.board_id)
