"""What can be noted on ideas, and the refusals that raises."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from portal import mentions
from portal.accounts.models import User
from portal.boards.queries import team_of
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.limits import LIMITS, TooMuch, wait
from portal.mentions import Found
from portal.talk.events import NoteDeleted, NoteEdited, NoteRestored, NoteWritten
from portal.talk.models import NOTE_MAX, Note, NoteMention
from portal.text import clean_text, render_markdown


def write_note(idea: Idea, author: User, body: str) -> tuple[Note, Found]:
    """Leave a note for the team, and call the colleagues named in it; return it with whom it called."""
    body = _clean(body)
    found = mentions.find(body, team_of(idea.board))
    called = {user_id: handle for user_id, handle in found.people.items() if user_id != author.id}
    _refuse_too_many(called, author)
    note = Note(idea_id=idea.id, author_id=author.id, body=body, body_html=render_markdown(body))
    db.session.add(note)
    db.session.flush()
    _remember(note, found.people)
    emit(NoteWritten(actor_id=author.id, idea_id=idea.id, note_id=note.id, mentioned=sorted(called)))
    return note, Found(called, found.nobody)


def edit_note(note: Note, body: str) -> None:
    """Say it differently; nobody is told again."""
    _lock(note)
    if note.deleted_at is not None:
        raise Refusal(_("Somebody else was faster. Reload the page to see how things are now."))
    body = _clean(body)
    if body == note.body:
        return
    found = mentions.find(body, team_of(note.idea.board))
    if len(found.people) > mentions.MOST:
        raise _too_many()
    note.body, note.body_html, note.edited_at = body, render_markdown(body), utcnow()
    db.session.execute(sa.delete(NoteMention).where(NoteMention.note_id == note.id))
    _remember(note, found.people)
    emit(NoteEdited(actor_id=note.author_id, idea_id=note.idea_id, note_id=note.id))


def delete_note(note: Note, actor: User) -> None:
    """Take a note away; for a day it can be brought back."""
    _lock(note)
    if note.deleted_at is None:
        note.deleted_at = utcnow()
        emit(NoteDeleted(actor_id=actor.id, idea_id=note.idea_id, note_id=note.id))


def restore_note(note: Note, actor: User) -> None:
    """Bring a note back."""
    _lock(note)
    if note.deleted_at is not None:
        note.deleted_at = None
        emit(NoteRestored(actor_id=actor.id, idea_id=note.idea_id, note_id=note.id))


def forget_name(user: User) -> None:
    """Take the name of somebody who is erased out of the notes that called them."""
    called = select(Note, NoteMention.handle).join(NoteMention).where(NoteMention.user_id == user.id)
    for note, handle in db.session.execute(called).all():
        note.body = note.body.replace(f"@{handle}", "@…")
        note.body_html = render_markdown(note.body)


def _clean(body: str) -> str:
    body = clean_text(body)
    if not body:
        raise Refusal(_("Write something first."))
    if len(body) > NOTE_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(body), max=NOTE_MAX))
    return body


def _refuse_too_many(called: dict[int, str], author: User) -> None:
    if len(called) > mentions.MOST:
        raise _too_many()
    if not called:
        return
    for rate in LIMITS["mentions"].rates:
        since = utcnow() - timedelta(seconds=rate.get_expiry())
        before = select(sa.func.count()).select_from(NoteMention).join(Note, Note.id == NoteMention.note_id)
        number = db.session.scalar(before.where(Note.author_id == author.id, Note.at > since)) or 0
        if number + len(called) > rate.amount:
            raise TooMuch(rate.get_expiry(), wait(rate.get_expiry()))


def _too_many() -> Refusal:
    return Refusal(
        ngettext(
            "A note can call at most %(num)d colleague.", "A note can call at most %(num)d colleagues.", mentions.MOST
        )
    )


def _remember(note: Note, people: dict[int, str]) -> None:
    db.session.add_all(
        NoteMention(note_id=note.id, user_id=user_id, handle=handle) for user_id, handle in people.items()
    )
    db.session.flush()


def _lock(note: Note) -> None:
    """Hold the note's idea and read the note as it is then."""
    lock(note.idea)
    db.session.refresh(note)
