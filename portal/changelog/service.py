"""What can be done with the changelog, and the refusals that raises."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.boards.models import Audience, Board
from portal.changelog import queries
from portal.changelog.events import CreditAnswered, CreditOffered, EntryEdited, EntryPublished, EntryWithdrawn
from portal.changelog.models import GIVEN, Choice, Credit, CreditChoice, Entry, Kind, Part, Shipment
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.moves import move_idea
from portal.ideas.queries import ideas_visible_to
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Category, Status
from portal.text import clean_line, clean_text, render_markdown


@dataclass(frozen=True, slots=True)
class Words:
    """What an entry says, what it is about, and the ideas it tells of."""

    title: str
    body: str
    kind: Kind
    board: Board | None
    ideas: Sequence[Idea]


class CannotShip(Refusal):
    """Some ideas cannot be moved, so nothing was published; each is named with its reason."""

    def __init__(self, refused: Sequence[tuple[Idea, Refusal]]) -> None:
        self.refused = [(idea.title, refusal.message) for idea, refusal in refused]
        reasons = " ".join(f"“{title}”: {message}" for title, message in self.refused)
        super().__init__(_("Nothing was published, and nobody is told. %(reasons)s", reasons=reasons))


class ChangedMeanwhile(Refusal):
    """Somebody else saved the entry."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else saved this entry meanwhile. What you wrote is still here."))


class TooNarrow(Refusal):
    """Not all who follow an idea could read the entry."""

    def __init__(self, board: Board, idea: Idea) -> None:
        super().__init__(
            _(
                "Not everybody knows of the board %(board)s, so an entry about it can tell of its own ideas only, and "
                "not of “%(title)s”.",
                board=board.name,
                title=idea.title,
            )
        )


def write_entry(words: Words, author: User) -> Entry:
    """Keep a draft that only those see who may publish it."""
    entry = Entry(author_id=author.id, title=clean_line(words.title))
    db.session.add(entry)
    _put_into(entry, words)
    return entry


def change_entry(entry: Entry, words: Words, editor: User, seen: int) -> None:
    """Say it better; a published one shows that it was edited. ``seen`` is the version the editor had read."""
    lock(entry)
    if entry.version != seen:
        raise ChangedMeanwhile
    entry.version += 1
    _put_into(entry, words)
    if entry.is_published:
        entry.edited_at = utcnow()
        _give_credits(entry, editor)
        emit(EntryEdited(actor_id=editor.id, entry_id=entry.id))


def publish(entry: Entry, actor: User, ship: Collection[int], at: datetime | None = None) -> int:
    """Let the entry out, and move those of its ideas that it ships; return how many people hear, counted by idea.

    Raises CannotShip, with every reason, when any of them cannot be moved: then the caller's transaction undoes all.
    """
    lock(entry)
    if entry.is_published:
        return 0
    told, refused = 0, []
    for shipment in queries.shipments_of(entry):
        shipment.ships = shipment.idea_id in ship
        if shipment.ships and shipment.idea.status.category is not Category.DONE:
            try:
                note = MoveDetails(answer=release_note(entry))
                told += move_idea(shipment.idea, Status.SHIPPED, actor, note, at=at).told
            except Refusal as refusal:
                refused.append((shipment.idea, refusal))
    if refused:
        raise CannotShip(refused)
    entry.published_at, entry.edited_at = at or utcnow(), None
    entry.publish_at, entry.scheduled_by_id, entry.trouble = None, None, ""
    _give_credits(entry, actor)
    emit(EntryPublished(actor_id=actor.id, entry_id=entry.id), at)
    return told


def schedule(entry: Entry, actor: User, at: datetime, zone: str, ship: Collection[int]) -> None:
    """Let the entry out by itself at a moment, as ``actor`` would do it then."""
    lock(entry)
    if entry.is_published:
        raise Refusal(_("This entry is out already."))
    if at <= utcnow():
        raise Refusal(_("This moment is over. Choose a later one, or publish now."))
    for shipment in queries.shipments_of(entry):
        shipment.ships = shipment.idea_id in ship
    entry.publish_at, entry.timezone, entry.scheduled_by_id, entry.trouble = at, zone, actor.id, ""


def unschedule(entry: Entry, trouble: str = "") -> None:
    """Keep the entry a draft; ``trouble`` says why it did not come out."""
    lock(entry)
    entry.publish_at, entry.scheduled_by_id, entry.trouble = None, None, trouble


def withdraw(entry: Entry, actor: User) -> None:
    """Make a published entry a draft again; ideas that it moved stay where they are."""
    lock(entry)
    if entry.is_published:
        entry.published_at = entry.edited_at = None
        emit(EntryWithdrawn(actor_id=actor.id, entry_id=entry.id))


def remove_draft(entry: Entry) -> None:
    """Throw a draft away."""
    lock(entry)
    if entry.is_published:
        raise Refusal(_("This entry is out. Unpublish it first."))
    for table in (Shipment, Credit):
        db.session.execute(sa.delete(table).where(table.entry_id == entry.id))
    db.session.delete(entry)
    db.session.flush()


def name_person(entry: Entry, user: User, idea: Idea, part: Part, actor: User) -> None:
    """Note somebody's part that only the team can know; they are asked before anybody reads their name."""
    lock(entry)
    if part not in GIVEN or user.is_former or not user.is_active:
        raise Refusal(_("This person cannot be thanked."))
    if db.session.scalar(ideas_visible_to(user).where(Idea.id == idea.id)) is None:
        raise Refusal(_("%(name)s does not know of this idea, so they cannot have had a part in it.", name=user.name))
    insert_if_absent(Credit, entry_id=entry.id, user_id=user.id, idea_id=idea.id, part=part)
    if entry.is_published:
        _ask(entry, actor)


def take_name_back(entry: Entry, user_id: int) -> None:
    """Forget a part that the team had noted."""
    mine = sa.and_(Credit.entry_id == entry.id, Credit.user_id == user_id, Credit.part.in_(GIVEN))
    db.session.execute(sa.delete(Credit).where(mine))


def answer_credit(credit: Credit, agreed: bool) -> None:
    """Note whether one entry may name the person."""
    if credit.agreed is not agreed:
        credit.agreed = agreed
        emit(CreditAnswered(actor_id=credit.user_id, idea_id=credit.idea_id, entry_id=credit.entry_id, agreed=agreed))


def choose(user: User, choice: Choice) -> None:
    """Note what the person wants done with their name from now on, in every entry."""
    db.session.execute(sa.delete(CreditChoice).where(CreditChoice.user_id == user.id))
    if choice is not Choice.ASK:
        insert_if_absent(CreditChoice, user_id=user.id, choice=choice)


def release_note(entry: Entry) -> str:
    """Return what the followers of an idea read: the whole entry."""
    return f"**{entry.title}**\n\n{entry.body}".strip()


def lock(entry: Entry) -> Entry:
    """Read the entry again and hold it until the transaction ends."""
    db.session.refresh(entry, with_for_update={"of": Entry})
    return entry


def _put_into(entry: Entry, words: Words) -> None:
    for idea in words.ideas:
        if words.board and words.board.audience is not Audience.PUBLIC and idea.board_id != words.board.id:
            raise TooNarrow(words.board, idea)
    entry.title, entry.body, entry.kind = clean_line(words.title), clean_text(words.body), words.kind
    entry.body_html = render_markdown(entry.body)
    entry.board_id = words.board.id if words.board else None
    db.session.flush()
    wanted = {idea.id for idea in words.ideas}
    for table in (Shipment, Credit):
        gone = sa.and_(table.entry_id == entry.id, table.idea_id.not_in(wanted))
        db.session.execute(sa.delete(table).where(gone))
    for idea_id in sorted(wanted):
        insert_if_absent(Shipment, entry_id=entry.id, idea_id=idea_id, ships=False)


def _give_credits(entry: Entry, actor: User) -> None:
    """Note who wrote the ideas and those merged into them; whoever can be asked is asked, once."""
    known = {credit.user_id: credit for credit in queries.credits_of(entry)}
    main_ids = [shipment.idea_id for shipment in queries.shipments_of(entry)]
    merged = sa.select(Idea).where(sa.or_(Idea.id.in_(main_ids), Idea.merged_into_id.in_(main_ids)))
    for idea in sorted(db.session.scalars(merged), key=lambda idea: (idea.merged_into_id is not None, idea.id)):
        part = Part.SUGGESTED_TOO if idea.merged_into_id else Part.SUGGESTED
        if idea.author is None or idea.author.is_former:
            continue
        credit = known.get(idea.author.id)
        if credit is None:
            main_id = idea.merged_into_id or idea.id
            credit = Credit(entry_id=entry.id, user_id=idea.author.id, idea_id=main_id, part=part)
            known[idea.author.id] = credit
            db.session.add(credit)
        elif credit.part in GIVEN:
            credit.part = part
    db.session.flush()
    _ask(entry, actor)


def _ask(entry: Entry, actor: User) -> None:
    waiting = [credit for credit in queries.credits_of(entry) if credit.asked_at is None and credit.agreed is None]
    choices = queries.choices_of([credit.user_id for credit in waiting])
    for credit in waiting:
        if credit.user_id not in choices and credit.user.is_active and not credit.user.is_former:
            credit.asked_at = utcnow()
            emit(CreditOffered(actor_id=actor.id, idea_id=credit.idea_id, entry_id=entry.id, user_id=credit.user_id))
