"""What can happen in a discussion."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class CommentPosted(Event, name="comment.posted"):
    """Somebody said something about an idea."""

    comment_id: int
    reply_to_id: int | None = None
    mentioned: list[int] = field(default_factory=list)  # whom it calls by name


@dataclass(frozen=True, kw_only=True)
class CommentEdited(Event, name="comment.edited"):
    """A comment says something else now."""

    comment_id: int


@dataclass(frozen=True, kw_only=True)
class CommentDeleted(Event, name="comment.deleted"):
    """A comment was taken back by its author or removed by a moderator."""

    comment_id: int


@dataclass(frozen=True, kw_only=True)
class CommentFoundHelpful(Event, name="comment.found_helpful"):
    """Somebody was helped by a comment."""

    comment_id: int


@dataclass(frozen=True, kw_only=True)
class ThanksTakenBack(Event, name="comment.thanks_taken_back"):
    """Somebody does not find a comment helpful any more."""

    comment_id: int
