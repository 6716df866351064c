"""What can happen in the talk of the team."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class NoteWritten(Event, name="talk.note_written"):
    """Somebody left a note for the team, and called some colleagues by name."""

    note_id: int
    mentioned: list[int] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class NoteEdited(Event, name="talk.note_edited"):
    """A note says something else now; nobody is told again."""

    note_id: int


@dataclass(frozen=True, kw_only=True)
class NoteDeleted(Event, name="talk.note_deleted"):
    """A note was taken away."""

    note_id: int


@dataclass(frozen=True, kw_only=True)
class NoteRestored(Event, name="talk.note_restored"):
    """A note was brought back."""

    note_id: int


@dataclass(frozen=True, kw_only=True)
class DraftSaved(Event, name="talk.draft_saved"):
    """An answer was drafted, or a draft says something else now."""

    draft_id: int


@dataclass(frozen=True, kw_only=True)
class ReviewAsked(Event, name="talk.review_asked"):
    """A colleague was asked to look at a draft."""

    draft_id: int
    reviewer_id: int
    remark_id: int


@dataclass(frozen=True, kw_only=True)
class DraftReviewed(Event, name="talk.draft_reviewed"):
    """Somebody spoke about a draft; the verdict is the state that came with it, or empty."""

    draft_id: int
    remark_id: int
    verdict: str = ""


@dataclass(frozen=True, kw_only=True)
class DraftPublished(Event, name="talk.draft_published"):
    """A draft went out."""

    draft_id: int


@dataclass(frozen=True, kw_only=True)
class DraftDropped(Event, name="talk.draft_dropped"):
    """A draft was given up."""

    draft_id: int


@dataclass(frozen=True, kw_only=True)
class DraftReopened(Event, name="talk.draft_reopened"):
    """A draft that was given up was taken up again."""

    draft_id: int


@dataclass(frozen=True, kw_only=True)
class SnippetsChanged(Event, name="talk.snippets_changed"):
    """Shared wording was written, changed or taken away."""

    snippet_id: int
    done: str


@dataclass(frozen=True, kw_only=True)
class DraftPlanned(Event, name="talk.draft_planned"):
    """A draft goes out by itself at a moment."""

    draft_id: int
    at: str


@dataclass(frozen=True, kw_only=True)
class DraftUnplanned(Event, name="talk.draft_unplanned"):
    """A draft that was to go out by itself waits for somebody again."""

    draft_id: int


@dataclass(frozen=True, kw_only=True)
class DraftHeldBack(Event, name="talk.draft_held_back"):
    """A draft did not go out at its moment: why, and who had planned it."""

    draft_id: int
    user_id: int | None
    held: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    why: str = ""  # in words, as it was written down at first
