"""What notifications tell of the team's own talk: notes that call somebody, and drafts that are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import Person
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.ideas.models import Idea
from portal.notifications.models import Notification
from portal.notifications.policy import TEAM_KINDS, Kind, Reason
from portal.talk import held_back
from portal.talk.models import AnswerDraft, DraftRemark, DraftState, Note


@dataclass(frozen=True, slots=True)
class TeamTalk:
    """The note, or the draft and what was said about it, that one notification tells of."""

    note: Note | None = None
    draft: AnswerDraft | None = None
    remark: DraftRemark | None = None
    verdict: str = ""
    held: str = ""  # why a draft did not go out at its moment

    @property
    def is_gone(self) -> bool:
        """Whether there is nothing left to read."""
        return self.draft is None and (self.note is None or self.note.deleted_at is not None)

    @property
    def words(self) -> str:
        """What was said, in Markdown."""
        said = self.note or self.remark
        return said.body if said else self.held

    @property
    def place(self) -> tuple[str, dict[str, Any]]:
        """Where it can be read and answered: the address and what it needs."""
        if self.draft is not None:
            return "triage.draft", {"draft_id": self.draft.id}
        note = self.note
        here = {"idea_id": note.idea_id, "_anchor": f"note-{note.id}"} if note else {}
        return "triage.desk", {"queue": "first-look", **here}

    def why(self, who: str, reason: Reason) -> str:
        """Return one line that says why the reader is told."""
        if self.draft is None:
            if reason is Reason.MENTIONED:
                return _("%(who)s mentions you in a note for the team", who=who)
            return _("%(who)s left a note on an idea you look after", who=who)
        if self.held:
            return _("What you planned did not go out")
        match self.verdict:
            case DraftState.IN_REVIEW:
                return _("%(who)s asks you to look at a draft", who=who)
            case DraftState.APPROVED:
                return _("%(who)s approved your draft", who=who)
            case DraftState.SENT_BACK:
                return _("%(who)s sent your draft back", who=who)
            case DraftState.PUBLISHED:
                return _("%(who)s published the draft you worked on", who=who)
        return _("%(who)s said something about a draft", who=who)

    def waits_for(self, user_id: int) -> bool:
        """Whether the draft still waits for this person's look."""
        return self.draft is not None and self.draft.state is DraftState.IN_REVIEW and self.draft.reviewer_id == user_id


def read(notifications: Sequence[Notification]) -> dict[int, TeamTalk]:
    """Return what each of those tells that are about the talk of the team."""
    told = [n for n in notifications if n.kind in TEAM_KINDS]
    if not told:
        return {}
    notes = {note.id: note for note in _rows(Note, told, "note_id")}
    drafts = {draft.id: draft for draft in _rows(AnswerDraft, told, "draft_id")}
    remarks = {remark.id: remark for remark in _rows(DraftRemark, told, "remark_id")}
    return {
        n.id: TeamTalk(
            note=notes.get(n.record.data.get("note_id")),
            draft=drafts.get(n.record.data.get("draft_id")),
            remark=remarks.get(n.record.data.get("remark_id")),
            verdict=_verdict(n.record.name, n.record.data),
            held=_held_back(n.record.data) if n.kind == Kind.HELD_BACK else "",
        )
        for n in told
    }


def is_told_to(viewer: Person) -> sa.ColumnElement[bool]:
    """Say which notifications the viewer may read as far as the team goes: its talk only while they work there.

    What a kept search found is for those who work somewhere: nobody else keeps searches.
    """
    if viewer.reads_as_staff:
        return sa.true()
    if not viewer.works_here:
        return Notification.kind.not_in(TEAM_KINDS | {Kind.MATCHED})
    worked_on = sa.select(Board.id).where(is_worked_on_by(viewer))
    return Notification.kind.not_in(TEAM_KINDS) | Idea.board_id.in_(worked_on)


def _held_back(facts: dict[str, Any]) -> str:
    return held_back.words(facts.get("held", ""), facts.get("facts", {}), facts.get("why", ""))


def _verdict(name: str, data: dict[str, Any]) -> str:
    return {"talk.review_asked": "in_review", "talk.draft_published": "published"}.get(name, data.get("verdict", ""))


def _rows(table: type[Any], told: Sequence[Notification], key: str) -> Sequence[Any]:
    wanted = {number for n in told if (number := n.record.data.get(key)) is not None}
    return db.session.scalars(sa.select(table).where(table.id.in_(wanted))).all() if wanted else []
