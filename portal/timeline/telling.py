"""How facts of the journal are told: one sentence each, and who may read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from portal.accounts.models import Person, User
from portal.boards.models import Board
from portal.events import EventRecord
from portal.ideas.models import Idea, Nature
from portal.ideas.workflow import Status
from portal.links.models import Kind
from portal.links.words import NATURES, READ


@dataclass(frozen=True, slots=True)
class Known:
    """What the sentences of one timeline speak of: no more than its reader may know."""

    viewer: Person
    for_team: bool
    users: dict[int, User]
    boards: dict[int, Board]
    ideas: dict[int, Idea]
    tags: list[str] = field(default_factory=list)  # as they were before the fact that is told

    def name(self, user_id: int | None) -> str:
        """Return what somebody is called here: the team by name among itself, as the team to everybody else."""
        user = self.users.get(user_id) if user_id else None
        if user is None:
            return _("Former member") if user_id else _("The portal")
        return user.shown_name if self.for_team else user.speaks_as


@dataclass(frozen=True, slots=True)
class Told:
    """A fact in words: what somebody did, with an icon, perhaps the idea it leads to, and what was said with it."""

    sentence: str
    icon: str = "history"
    other: Idea | None = None
    detail: str = ""
    address: str = ""  # of the page, where more of it stands


Teller = Callable[[EventRecord, Known], Told | None]
"""Tells one kind of fact; None where its reader may not know what it speaks of."""


def _edited(record: EventRecord, known: Known) -> Told:
    return Told(_("changed the words"), "pencil", address=f"revision-{record.data['revision_id']}")


def _owner(record: EventRecord, known: Known) -> Told:
    owner_id = record.data["owner_id"]
    if owner_id is None:
        return Told(_("left it without an owner"), "user")
    if owner_id == record.actor_id:
        return Told(_("took it over"), "user-check")
    return Told(_("made %(name)s responsible", name=known.name(owner_id)), "user-check")


def _team(record: EventRecord, known: Known) -> Told:
    name = record.data["called"]
    return Told(_("gave it to the team %(name)s", name=name) if name else _("took it from its team"), "users")


def _board(record: EventRecord, known: Known) -> Told | None:
    before, after = (known.boards.get(record.data[key]) for key in ("from_board_id", "to_board_id"))
    if before and after:
        return Told(_("put it from the board %(old)s on %(new)s", old=before.name, new=after.name), "arrow-right")
    return Told(_("put it on another board"), "arrow-right") if known.for_team else None


def _tags(record: EventRecord, known: Known) -> Told:
    before, after = set(known.tags), set(record.data["tags"])
    known.tags[:] = sorted(after)
    return Told(_changed(_("tagged it"), _("changed the tags"), before, after), "tag")


def _labels(record: EventRecord, known: Known) -> Told:
    names = ", ".join(record.data["labels"])
    return Told(_("labelled it for the team: %(names)s", names=names) if names else _("took its labels off"), "lock")


def _changed(first: str, later: str, before: set[str], after: set[str]) -> str:
    parts = [f"+ {name}" for name in sorted(after - before)] + [f"− {name}" for name in sorted(before - after)]
    return f"{later if before else first}: {', '.join(parts)}"


def _linked(record: EventRecord, known: Known) -> Told | None:
    other = known.ideas.get(record.data["other_id"])
    act = READ[Kind(record.data["kind"]), record.data["outward"]][1]
    return Told(str(act), "link", other) if other else None


def _unlinked(record: EventRecord, known: Known) -> Told | None:
    other = known.ideas.get(record.data["other_id"])
    return Told(_("untied this from"), "link", other) if other else None


def _nature(record: EventRecord, known: Known) -> Told:
    nature = record.data["nature"]
    if not nature:
        return Told(_("left it to the words whether this is a need or a solution"), "info")
    return Told(_("said what this is: %(nature)s", nature=str(NATURES[Nature(nature)])), "info")


def _hidden(record: EventRecord, known: Known) -> Told:
    return Told(_("took it out of sight"), "eye-off", detail=record.data["reason"])


def _published(record: EventRecord, known: Known) -> Told:
    return Told(_("let it through"), "eye")


def _reminded(record: EventRecord, known: Known) -> Told:
    return Told(_("reminded the author of the question"), "bell")


def _objected(record: EventRecord, known: Known) -> Told:
    return Told(_("said “this is not what I meant”"), "flag")


def _came_along(record: EventRecord, known: Known) -> Told:
    return Told(_("came along with the merge after all"), "flag")


def _pair_refused(record: EventRecord, known: Known) -> Told | None:
    other = known.ideas.get(record.data["other_id"])
    return Told(_("said that this is not the same as"), "x", other) if other else None


def _pair_reopened(record: EventRecord, known: Known) -> Told | None:
    other = known.ideas.get(record.data["other_id"])
    return Told(_("put the question again whether this is the same as"), "copy", other) if other else None


def _revealed(record: EventRecord, known: Known) -> Told:
    return Told(_("read the mail address of somebody behind it"), "mail", detail=record.data["reason"])


def _placed(record: EventRecord, known: Known) -> Told:
    off = _("took it off the roadmap")
    return Told(_("placed it on the roadmap") if record.data["horizon"] else off, "flag-triangle-right")


def _move_undone(record: EventRecord, known: Known) -> Told:
    label = Status(record.data["source"]).label if record.data["source"] in set(Status) else record.data["source"]
    return Told(_("took a move back: %(status)s", status=label), "undo-2")


def _answer_undone(record: EventRecord, known: Known) -> Told:
    return Told(_("took an answer back"), "undo-2")


def _note(record: EventRecord, known: Known) -> Told:
    return Told(_("wrote a note for the team"), "lock", address=f"note-{record.data['note_id']}")


def _simply(icon: str, sentence: Callable[[], str]) -> Teller:
    return lambda _record, _known: Told(sentence(), icon)


def _set_aside(record: EventRecord, known: Known) -> Told:
    sentence = ngettext("set %(num)d vote aside", "set %(num)d votes aside", len(record.data["user_ids"]))
    return Told(sentence, "eye-off", detail=record.data["reason"])


def _given_back(record: EventRecord, known: Known) -> Told:
    number = len(record.data["user_ids"])
    return Told(ngettext("let %(num)d vote count again", "let %(num)d votes count again", number), "undo-2")


def _exists(record: EventRecord, known: Known) -> Told | None:
    other = known.ideas.get(record.data["other_id"])
    return Told(_("said that this exists already:"), "copy", other) if other else None


def _spoken_for(record: EventRecord, known: Known) -> Told:
    off = _("took back a vote for an organisation")
    return Told(_("voted for an organisation") if record.data["stands"] else off, "users")


def _scored(record: EventRecord, known: Known) -> Told:
    value = record.data["value"]
    return Told(_("gave it the score %(value)s", value=f"{value:.4g}") if value else _("changed its score"), "info")


def _renewed(record: EventRecord, known: Known) -> Told:
    day = format_date(date.fromisoformat(record.data["due_on"]), _("d MMMM y"))
    return Told(_("promised the next word by %(day)s", day=day), "calendar-clock", detail=record.data["reason"])


PUBLIC: dict[str, Teller] = {
    "idea.edited": _edited,
    "idea.owner_assigned": _owner,
    "idea.team_assigned": _team,
    "idea.board_changed": _board,
    "idea.tags_changed": _tags,
    "idea.linked": _linked,
    "idea.unlinked": _unlinked,
    "idea.nature_said": _nature,
    "verdict.asked": _simply("message-circle-question-mark", lambda: _("asked everybody behind it whether it helped")),
    "promise.renewed": _renewed,
    "promise.missed": _simply("clock", lambda: _("noted that the day of a promise had passed")),
}
"""What everybody reads who may see the idea."""

TEAM: dict[str, Teller] = {
    "idea.labels_changed": _labels,
    "idea.hidden": _hidden,
    "idea.published": _published,
    "idea.hiding_undone": _simply("undo-2", lambda: _("brought it back into sight")),
    "idea.publishing_undone": _simply("undo-2", lambda: _("took back that it was let through")),
    "idea.info_still_needed": _reminded,
    "idea.merge_objected": _objected,
    "idea.objection_taken_back": _came_along,
    "idea.pair_refused": _pair_refused,
    "idea.pair_reopened": _pair_reopened,
    "idea.move_undone": _move_undone,
    "idea.answer_undone": _answer_undone,
    "duplicate.proposed": _exists,
    "roadmap.idea_placed": _placed,
    "talk.note_written": _note,
    "talk.note_edited": _simply("lock", lambda: _("changed a note")),
    "talk.note_deleted": _simply("lock", lambda: _("took a note away")),
    "talk.note_restored": _simply("lock", lambda: _("brought a note back")),
    "talk.review_asked": _simply("user-check", lambda: _("asked a colleague to look at an answer")),
    "talk.draft_reviewed": _simply("user-check", lambda: _("looked at the draft of an answer")),
    "talk.draft_reopened": _simply("pencil", lambda: _("took a draft up again")),
    "talk.draft_published": _simply("send", lambda: _("sent a draft out")),
    "talk.draft_planned": _simply("calendar-clock", lambda: _("planned when a draft goes out")),
    "talk.draft_unplanned": _simply("calendar-clock", lambda: _("let a planned draft wait")),
    "talk.draft_held_back": _simply("calendar-clock", lambda: _("held a planned draft back")),
    "talk.draft_dropped": _simply("trash-2", lambda: _("gave up a draft")),
    "decision.revised": _simply("file-text", lambda: _("changed the record of the decision")),
    "idea.vote_cast_on_behalf": _simply("user-plus", lambda: _("voted for somebody else")),
    "idea.vote_on_behalf_taken_back": _simply("undo-2", lambda: _("took back a vote for somebody else")),
    "idea.votes_set_aside": _set_aside,
    "idea.organisation_spoken_for": _spoken_for,
    "idea.scored": _scored,
    "idea.votes_given_back": _given_back,
}
"""What only the team of the idea's board reads besides."""

WITH_ADDRESSES: dict[str, Teller] = {"idea.address_revealed": _revealed}
"""What only those read who may ask for addresses themselves."""

SPEAKS_OF = {
    "users": ("owner_id",),
    "boards": ("from_board_id", "to_board_id"),
    "ideas": ("other_id",),
}
"""Which numbers of a record lead where."""
