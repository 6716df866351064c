"""What follows for the team: what is given to somebody, asked of them, or waits."""

from __future__ import annotations

import sqlalchemy as sa

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.events import Recorded
from portal.ideas.models import StatusChange
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.notifications.noting import count_as_read, idea_of, tell_one, tell_owner_too
from portal.notifications.policy import Kind, Reason
from portal.notifications.told_before import events_with
from portal.talk.events import NoteWritten
from portal.talk.models import AnswerDraft, Note


def tell_who_asked(recorded: Recorded) -> None:
    """Tell the colleague who asked a question that it was answered, or never was; owners hear of it as such."""
    idea, change = idea_of(recorded), db.session.get(StatusChange, recorded.event.change_id)
    if idea is None or change is None or change.undone_at is not None:
        return
    if (change.source, change.target) != (Status.NEEDS_INFO, Status.UNDER_REVIEW):
        return
    asked = sa.select(User).join(StatusChange, StatusChange.actor_id == User.id)
    asked = asked.where(StatusChange.idea_id == idea.id, StatusChange.target == Status.NEEDS_INFO)
    asked = asked.where(StatusChange.id < change.id, StatusChange.undone_at.is_(None))
    asker = db.session.scalar(asked.order_by(StatusChange.id.desc()).limit(1))
    if asker is not None and asker.id != idea.owner_id and asker.is_staff_on(idea.board_id):
        tell_one(recorded, Kind.QUESTION_SETTLED, Reason.WRITER, asker.id)


def tell_owner(recorded: Recorded) -> None:
    """Tell somebody that an idea is theirs to look after; it is news no more for whoever it was given to before."""
    others = (Notification.kind == Kind.ASSIGNED) & (Notification.idea_id == recorded.event.idea_id)
    count_as_read(recorded, others & (Notification.user_id != (recorded.event.owner_id or 0)))
    tell_one(recorded, Kind.ASSIGNED, Reason.OWNER, recorded.event.owner_id)


def tell_owner_of_late_promise(recorded: Recorded) -> None:
    """Tell whoever looks after an idea that the day passed by which the next word was promised, if none came since."""
    idea = idea_of(recorded)
    if idea is not None and idea.due_at is not None and idea.due_at < utcnow():
        tell_owner_too(recorded, Kind.PROMISE_LATE, idea)


def count_late_promise_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold a promise for which the word came, or another day was named."""
    idea = idea_of(recorded)
    if idea is not None and (idea.due_at is None or idea.due_at > utcnow()):
        late = Notification.kind == Kind.PROMISE_LATE
        count_as_read(recorded, (Notification.idea_id == idea.id) & late)


def tell_of_matches(recorded: Recorded) -> None:
    """Tell whoever keeps a search of the new ideas that answer it."""
    tell_one(recorded, Kind.MATCHED, Reason.WATCHER, recorded.event.user_id)


def tell_of_note(recorded: Recorded) -> None:
    """Tell whom a note for the team calls by name, and whoever looks after the idea; nobody of one that is gone."""
    idea, note = idea_of(recorded), db.session.get(Note, recorded.event.note_id)
    if idea is None or note is None or note.deleted_at is not None:
        return
    for user_id in recorded.event.mentioned:
        tell_one(recorded, Kind.NOTED, Reason.MENTIONED, user_id)
    tell_owner_too(recorded, Kind.NOTED, idea)


def count_note_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold a note that is gone."""
    said = events_with(recorded.event.idea_id, NoteWritten.name, "note_id", recorded.event.note_id)
    count_as_read(recorded, Notification.event_id.in_(said))


def ask_reviewer(recorded: Recorded) -> None:
    """Tell a colleague that a draft waits for their look."""
    tell_one(recorded, Kind.REVIEW_ASKED, Reason.REVIEWER, recorded.event.reviewer_id)


def tell_of_review(recorded: Recorded) -> None:
    """Tell those who have a part in a draft what was said about it, or that it went out."""
    draft = db.session.get(AnswerDraft, recorded.event.draft_id)
    if draft is not None:
        for user_id in (draft.author_id, draft.edited_by_id):
            tell_one(recorded, Kind.REVIEWED, Reason.WRITER, user_id)
        tell_one(recorded, Kind.REVIEWED, Reason.REVIEWER, draft.reviewer_id)


def tell_of_held_back(recorded: Recorded) -> None:
    """Tell whoever planned a draft that it did not go out, and why."""
    tell_one(recorded, Kind.HELD_BACK, Reason.WRITER, recorded.event.user_id)
