"""Answers before they are published: drafted, looked at by a colleague, and what becomes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.boards.queries import team_of
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.talk.events import DraftDropped, DraftPublished, DraftReopened, DraftReviewed, DraftSaved, ReviewAsked
from portal.talk.models import REMARK_MAX, AnswerDraft, DraftRemark, DraftState, ScheduledDraft
from portal.text import clean_text, render_markdown


class DraftChanged(Refusal):
    """The draft is no longer what the person saw."""

    def __init__(self) -> None:
        super().__init__(
            _("Somebody changed this draft meanwhile. What you wrote is still here; look at the draft once more.")
        )


class DraftClosed(Refusal):
    """Nothing can become of the draft any more."""

    def __init__(self, draft: AnswerDraft) -> None:
        super().__init__(_("This draft is closed: %(state)s.", state=draft.state.label))
        self.state = draft.state


def save_draft(
    idea: Idea,
    author: User,
    target: str,
    fields: dict[str, Any],
    shown: dict[str, str],
    draft: AnswerDraft | None = None,
    version: int | None = None,
) -> AnswerDraft:
    """Keep what was written for a move, as a new draft or as the next version of one.

    Who changes words that were approved or sent back has to ask again. Raises DraftChanged, DraftClosed.
    """
    lock(idea)
    if not any(text.strip() for text in shown.values()):
        raise Refusal(_("Write something first."))
    if draft is None:
        draft = AnswerDraft(idea_id=idea.id, author_id=author.id, version=0)
        db.session.add(draft)
    else:
        _refresh(draft, version)
        if (draft.target, draft.fields) == (target, fields):
            return draft
    if draft.state in (DraftState.APPROVED, DraftState.SENT_BACK):
        draft.state = DraftState.WRITING
    draft.target, draft.fields, draft.shown = target, fields, shown
    draft.version += 1
    _forget_plan(draft)  # other words need another decision
    draft.edited_by_id, draft.edited_at = author.id, utcnow()
    db.session.flush()
    emit(DraftSaved(actor_id=author.id, idea_id=idea.id, draft_id=draft.id))
    return draft


def ask_for_review(draft: AnswerDraft, actor: User, reviewer_id: int | None, words: str) -> DraftRemark:
    """Ask a colleague to look at the draft."""
    _hold(draft)
    reviewer = next((person for person in team_of(draft.idea.board) if person.id == reviewer_id), None)
    if reviewer is None:
        raise Refusal(_("Choose who is to look at it."))
    if reviewer.id == draft.edited_by_id:
        raise Refusal(_("Whoever wrote the last words cannot look at them as somebody else."))
    draft.reviewer, draft.state, draft.asked_at = reviewer, DraftState.IN_REVIEW, utcnow()
    remark = _remark(draft, actor, words, DraftState.IN_REVIEW)
    emit(
        ReviewAsked(
            actor_id=actor.id,
            idea_id=draft.idea_id,
            draft_id=draft.id,
            reviewer_id=reviewer.id,
            remark_id=remark.id,
        )
    )
    return remark


def review(draft: AnswerDraft, actor: User, verdict: DraftState, words: str, version: int | None) -> None:
    """Approve the draft as it was seen, or send it back with words. Raises DraftChanged, DraftClosed."""
    _hold(draft, version)
    if draft.edited_by_id == actor.id:
        raise Refusal(_("Whoever wrote the last words cannot look at them as somebody else."))
    if verdict is DraftState.SENT_BACK and not words.strip():
        raise Refusal(_("Say what should change."))
    draft.state = verdict
    remark = _remark(draft, actor, words, verdict)
    _tell(draft, actor, remark, verdict.value)


def say(draft: AnswerDraft, actor: User, words: str) -> DraftRemark:
    """Say something about the draft without a verdict."""
    _hold(draft)
    if not words.strip():
        raise Refusal(_("Write something first."))
    remark = _remark(draft, actor, words, None)
    _tell(draft, actor, remark, "")
    return remark


def drop(draft: AnswerDraft, actor: User) -> None:
    """Give the draft up; it can be taken up again."""
    _hold(draft)
    draft.state, draft.closed_at = DraftState.DROPPED, utcnow()
    _forget_plan(draft)
    emit(DraftDropped(actor_id=actor.id, idea_id=draft.idea_id, draft_id=draft.id))


def reopen(draft: AnswerDraft, actor: User) -> None:
    """Take a draft up again that was given up."""
    lock(draft.idea)
    db.session.refresh(draft)
    if draft.state is DraftState.DROPPED:
        draft.state, draft.closed_at = DraftState.WRITING, None
        emit(DraftReopened(actor_id=actor.id, idea_id=draft.idea_id, draft_id=draft.id))


def publish(draft: AnswerDraft, actor: User) -> None:
    """Note that what was drafted went out; one that is closed already stays as it is."""
    db.session.refresh(draft)
    if draft.is_open:
        draft.state, draft.closed_at = DraftState.PUBLISHED, utcnow()
        _forget_plan(draft)
        emit(DraftPublished(actor_id=actor.id, idea_id=draft.idea_id, draft_id=draft.id))


def unpublish(idea: Idea, since: datetime, actor: User, *, with_move: bool) -> None:
    """Open the draft again that went out with a move or an answer that is taken back; if approved, it is so still."""
    went_out = select(AnswerDraft).where(AnswerDraft.idea_id == idea.id, AnswerDraft.closed_at >= since)
    went_out = went_out.where(AnswerDraft.state == DraftState.PUBLISHED, (AnswerDraft.target != "answer") == with_move)
    draft = db.session.scalar(went_out.order_by(AnswerDraft.closed_at, AnswerDraft.id).limit(1))
    if draft is None:
        return
    said = select(DraftRemark.verdict).where(DraftRemark.draft_id == draft.id, DraftRemark.verdict != "")
    last = said.where(DraftRemark.at >= draft.edited_at).order_by(DraftRemark.id.desc()).limit(1)
    approved = db.session.scalar(last) == DraftState.APPROVED
    draft.state, draft.closed_at = DraftState.APPROVED if approved else DraftState.WRITING, None
    emit(DraftReopened(actor_id=actor.id, idea_id=idea.id, draft_id=draft.id))


def _tell(draft: AnswerDraft, actor: User, remark: DraftRemark, verdict: str) -> None:
    emit(
        DraftReviewed(actor_id=actor.id, idea_id=draft.idea_id, draft_id=draft.id, remark_id=remark.id, verdict=verdict)
    )


def _remark(draft: AnswerDraft, actor: User, words: str, verdict: DraftState | None) -> DraftRemark:
    body = clean_text(words)
    if len(body) > REMARK_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(body), max=REMARK_MAX))
    remark = DraftRemark(
        draft_id=draft.id,
        author_id=actor.id,
        verdict=verdict.value if verdict else "",
        body=body,
        body_html=render_markdown(body),
    )
    db.session.add(remark)
    db.session.flush()
    return remark


def _forget_plan(draft: AnswerDraft) -> None:
    db.session.execute(sa.delete(ScheduledDraft).where(ScheduledDraft.draft_id == draft.id))


def _hold(draft: AnswerDraft, version: int | None = None) -> None:
    lock(draft.idea)
    _refresh(draft, version if version is not None else draft.version)


def _refresh(draft: AnswerDraft, version: int | None) -> None:
    db.session.refresh(draft)
    if not draft.is_open:
        raise DraftClosed(draft)
    if version != draft.version:
        raise DraftChanged
