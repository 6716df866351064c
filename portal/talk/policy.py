"""Who may take part in the talk of the team: what it says is read by whoever reads its triage."""

from __future__ import annotations

from typing import Any

from portal.accounts.models import Person
from portal.accounts.roles import DECIDERS, MODERATORS, TRIAGERS
from portal.ideas.policy import board_of
from portal.talk.models import AnswerDraft, Note, Snippet


def may_write_notes(viewer: Person, thing: Any) -> bool:
    """Leave notes: whoever triages there; observers read them."""
    return viewer.is_one_of(TRIAGERS, board_of(thing))


def may_edit_note(viewer: Person, note: Note) -> bool:
    """Authors, their own."""
    return note.author_id == viewer.id and note.deleted_at is None and may_write_notes(viewer, note)


def may_delete_note(viewer: Person, note: Note) -> bool:
    """Authors, their own; moderators, any: also to bring it back."""
    own = note.author_id == viewer.id and may_write_notes(viewer, note)
    return own or viewer.is_one_of(MODERATORS, board_of(note))


def may_write_draft(viewer: Person, thing: Any) -> bool:
    """Draft answers, work on those of colleagues, ask for a review and speak about them: whoever triages there."""
    return viewer.is_one_of(TRIAGERS, board_of(thing))


def may_review(viewer: Person, draft: AnswerDraft) -> bool:
    """Approve it or send it back: anybody who triages there but whoever wrote its last words."""
    return draft.is_open and draft.edited_by_id != viewer.id and may_write_draft(viewer, draft)


def may_keep_snippets(viewer: Person, _thing: Any = None) -> bool:
    """Keep wording for oneself."""
    return viewer.is_one_of_anywhere(TRIAGERS)


def may_share_snippets(viewer: Person, board_id: int | None) -> bool:
    """Write and change wording for the team of one board, or of all."""
    return viewer.is_one_of(DECIDERS, board_id)


def may_change_snippet(viewer: Person, snippet: Snippet) -> bool:
    """One's own; what is shared, whoever decides there."""
    if snippet.is_shared:
        return may_share_snippets(viewer, snippet.board_id)
    return snippet.owner_id == viewer.id and may_keep_snippets(viewer)
