"""Reading the talk of the team, each time from what the viewer may read of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, select
from sqlalchemy.orm import contains_eager, joinedload

from portal import mentions
from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.accounts.roles import TRIAGERS
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by, team_of
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.talk.models import OPEN_STATES, AnswerDraft, DraftRemark, DraftState, Note, ScheduledDraft, Snippet

LISTED = 100


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes on one idea: all that their part of the desk shows."""

    idea: Idea
    notes: list[Note]
    handles: list[str]  # whom a note can call, as it may be typed


def notes_on(idea: Idea, viewer: Person, team: Sequence[User] | None = None) -> Notes:
    """Return what the team noted on an idea, newest first; whoever reads its triage may read it."""
    found = db.session.scalars(*_said_on(idea_id=idea.id)).all()
    calls = mentions.handles_of(team_of(idea.board) if team is None else team)
    return Notes(idea, list(found), [names[0] for number, names in calls.items() if names and number != viewer.id])


def get_note(idea: Idea, note_id: int) -> Note:
    """Return a note on this idea, deleted or not, or answer 404."""
    note = db.session.scalar(
        select(Note).where(Note.id == note_id, Note.idea_id == idea.id).options(joinedload(Note.idea))
    )
    return note or abort(404)


def is_team_talk_for(viewer: Person) -> ColumnElement[bool]:
    """Say on which ideas the viewer reads what the team says among itself."""
    seen = is_seen_by(viewer)
    if viewer.reads_as_staff:
        return seen
    return seen & Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer)))


def notes_visible_to(viewer: Person) -> Select[Note]:
    """Every read of notes beyond one idea starts here."""
    shown = select(Note).join(Idea, Idea.id == Note.idea_id).where(Note.deleted_at.is_(None), is_team_talk_for(viewer))
    return shown.options(contains_eager(Note.idea).joinedload(Idea.board), joinedload(Note.author))


def find_notes(viewer: Person, words: str, limit: int = LISTED) -> list[Note]:
    """Return the newest notes that hold all these words; without words, the newest of all."""
    found = notes_visible_to(viewer)
    for word in words.split()[:8]:
        found = found.where(Note.body.icontains(word, autoescape=True))
    return list(db.session.scalars(found.order_by(Note.at.desc(), Note.id.desc()).limit(limit)))


def drafts_visible_to(viewer: Person) -> Select[AnswerDraft]:
    """Every read of drafts starts here."""
    seen = select(AnswerDraft).join(Idea, Idea.id == AnswerDraft.idea_id).where(is_team_talk_for(viewer))
    return seen.options(
        contains_eager(AnswerDraft.idea).joinedload(Idea.board),
        joinedload(AnswerDraft.author),
        joinedload(AnswerDraft.reviewer),
        joinedload(AnswerDraft.edited_by),
        joinedload(AnswerDraft.schedule).joinedload(ScheduledDraft.by),
    )


def get_draft(draft_id: int, viewer: Person) -> AnswerDraft:
    """Return a draft that the viewer may read, or answer 404."""
    return db.session.scalar(drafts_visible_to(viewer).where(AnswerDraft.id == draft_id)) or abort(404)


def drafts_on(idea: Idea) -> list[AnswerDraft]:
    """Return the drafts for an idea of which something can still become, newest first."""
    return list(db.session.scalars(*_drafts_on(idea_id=idea.id)))


def waits_for(viewer: Person) -> ColumnElement[bool]:
    """Say which drafts the viewer was asked to look at and has not."""
    return (AnswerDraft.reviewer_id == viewer.id) & (AnswerDraft.state == DraftState.IN_REVIEW)


DRAFT_LISTS = ("for-you", "yours", "planned", "all")


def list_drafts(viewer: Person, which: str) -> list[AnswerDraft]:
    """Return open drafts: those that wait for the viewer, those the viewer has a part in, or all; the oldest first."""
    drafts = drafts_visible_to(viewer)
    if which == "for-you":
        drafts = drafts.where(waits_for(viewer))
    elif which == "yours":
        drafts = drafts.where(
            (AnswerDraft.author_id == viewer.id) | (AnswerDraft.edited_by_id == viewer.id),
            AnswerDraft.state.in_(OPEN_STATES),
        )
    else:
        drafts = drafts.where(AnswerDraft.state.in_(OPEN_STATES))
    if which == "planned":
        drafts = drafts.join(ScheduledDraft, ScheduledDraft.draft_id == AnswerDraft.id)
        soonest = ScheduledDraft.publish_at.nulls_first(), AnswerDraft.id
        return list(db.session.scalars(drafts.order_by(*soonest).limit(LISTED)))
    return list(db.session.scalars(drafts.order_by(AnswerDraft.edited_at, AnswerDraft.id).limit(LISTED)))


def goes_out_at(idea_id: SQLColumnExpression[int]) -> sa.ScalarSelect[datetime | None]:
    """Say, inside another statement, when the next draft for an idea goes out by itself."""
    planned = select(sa.func.min(ScheduledDraft.publish_at)).join(AnswerDraft)
    return planned.where(AnswerDraft.idea_id == idea_id).correlate(Idea).scalar_subquery()


def count_waiting(viewer: Person) -> sa.ScalarSelect[int]:
    """Count, inside another statement, the drafts that wait for the viewer's word."""
    waiting = select(sa.func.count()).select_from(AnswerDraft).join(Idea, Idea.id == AnswerDraft.idea_id)
    return waiting.where(is_team_talk_for(viewer), waits_for(viewer)).scalar_subquery()


def remarks_on(draft: AnswerDraft) -> list[DraftRemark]:
    """Return what was said about a draft, oldest first."""
    said = select(DraftRemark).where(DraftRemark.draft_id == draft.id).options(joinedload(DraftRemark.author))
    return list(db.session.scalars(said.order_by(DraftRemark.at, DraftRemark.id)))


def snippets_visible_to(viewer: Person) -> Select[Snippet]:
    """Every read of kept wording starts here: one's own, and what is shared with the viewer's teams."""
    boards = select(Board.id).where(is_worked_on_by(viewer, TRIAGERS))
    shared = Snippet.owner_id.is_(None) & (Snippet.board_id.is_(None) | Snippet.board_id.in_(boards))
    return select(Snippet).where((Snippet.owner_id == viewer.id) | shared)


def list_snippets(viewer: Person, board_id: int | None = None) -> list[Snippet]:
    """Return the wording the viewer has, by name; of one board, what fits there."""
    return list(db.session.scalars(*_wording_for(viewer, board_id is not None, board_id=board_id)))


def get_snippet(snippet_id: int, viewer: Person) -> Snippet:
    """Return one piece of wording, or answer 404."""
    return db.session.scalar(snippets_visible_to(viewer).where(Snippet.id == snippet_id)) or abort(404)


@built_once
def _said_on(*, idea_id: int) -> Select[Note]:
    said = select(Note).where(Note.idea_id == idea_id, Note.deleted_at.is_(None)).options(joinedload(Note.author))
    return said.order_by(Note.at.desc(), Note.id.desc())


@built_once
def _drafts_on(*, idea_id: int) -> Select[AnswerDraft]:
    of_it = select(AnswerDraft).where(AnswerDraft.idea_id == idea_id, AnswerDraft.state.in_(OPEN_STATES))
    people = joinedload(AnswerDraft.author), joinedload(AnswerDraft.reviewer), joinedload(AnswerDraft.schedule)
    return of_it.options(*people).order_by(AnswerDraft.id.desc())


@built_once
def _wording_for(viewer: Person, one_board: bool, *, board_id: int | None) -> Select[Snippet]:
    found = snippets_visible_to(viewer).options(joinedload(Snippet.board))
    if one_board:
        found = found.where(Snippet.board_id.is_(None) | (Snippet.board_id == board_id))
    return found.order_by(sa.func.lower(Snippet.name), Snippet.id)
