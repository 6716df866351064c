"""Moving ideas along the workflow: what the team can do with them, and the refusals that raises."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.boards.models import Board
from portal.db import db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import followers, policy, promises, workflow
from portal.ideas.events import BoardChanged, IdeaAnswered, IdeaMoved, OwnerAssigned, TagsChanged
from portal.ideas.merging import merge
from portal.ideas.models import Answer, Idea, StatusChange, Tag
from portal.ideas.service import count_on_board, lock, lock_in_order
from portal.ideas.steps import DetailMissing, MoveDetails, MoveNotAllowed, Tell, enter, remember
from portal.ideas.taking_back import undo_move as undo_move
from portal.ideas.workflow import Move, News, Status, StatusRule
from portal.text import clean_line, clean_text, render_markdown


def moves_for(idea: Idea, actor: User) -> list[Move]:
    """Return the moves that this person may make with this idea now, in the order of the workflow."""
    if not idea.is_published:
        return []
    ways_out = workflow.current().moves_from(idea.rule)
    return [move for move in ways_out if policy.may_make(actor, (move, idea))]


def move_idea(
    idea: Idea,
    target: Status,
    actor: User | None,
    details: MoveDetails,
    *,
    override: bool = False,
    stage: str = "",
    at: datetime | None = None,
) -> StatusChange:
    """Move the idea, write what was said with it, and count who will be told.

    ``actor`` is None when the portal itself moves it. Raises MoveNotAllowed, DetailMissing, CannotMerge.
    """
    at = at or utcnow()
    into = details.into if target is Status.MERGED else None
    lock_in_order(idea, *([into.merged_into or into] if into else []))
    move = _allowed_move(idea, target, stage, actor, override)
    _demand(move, details)
    if target is Status.MERGED:
        return merge(idea, actor, details, at)
    change = remember(idea, target, actor, details.reason, at, stage)
    change.overrides = move.overrides
    if details.owner is not None:
        idea.owner_id = details.owner.id
        change.before = (change.before or {}) | {"owner_given": details.owner.id}
    enter(idea, target, at, stage)
    goes_on = change.source is target  # from one stage of a status to another what was said of it stays
    idea.expected = clean_line(details.expected) or (idea.expected if goes_on else "")
    idea.review_on = details.review_on or (idea.review_on if goes_on else None)
    answer = _say(idea, actor, details, at, change) if details.answer.strip() else None
    promises.turn_over(idea, at)
    for write in current_app.extensions["beside_moves"]:
        write(idea, change, answer, details)
    if details.tell is not Tell.NOBODY:
        quiet_too = move.news is not News.STEP
        change.told = followers.count_told(idea, actor.id if actor else None, move.tells, also_quiet=quiet_too)
    emit(
        IdeaMoved(
            actor_id=actor.id if actor else None,
            idea_id=idea.id,
            change_id=change.id,
            source=change.source,
            target=target,
            source_stage=change.source_stage,
            target_stage=stage,
            news=move.news,
            tells=list(move.tells),
            answer_id=answer.id if answer else None,
            tell=details.tell.value,
            act_id=details.act_id,
        ),
        at,
    )
    return change


def check_move(idea: Idea, goal: StatusRule, actor: User, details: MoveDetails) -> Move:
    """Return the move by which the idea would get there; raise what making it would raise, and change nothing."""
    move = _allowed_move(idea, goal.kind, goal.stage, actor, False)
    _demand(move, details)
    return move


def answer_idea(idea: Idea, actor: User, details: MoveDetails, *, at: datetime | None = None) -> Answer:
    """Give the team's public word without moving the idea; the next word is due anew."""
    if not details.answer.strip():
        raise DetailMissing("answer", _("Write the answer first."))
    lock(idea)
    if not idea.is_published or idea.status is Status.MERGED:
        raise Refusal(_("Only a published idea that stands for itself can be answered."))
    due_before = idea.due_at
    answer = _say(idea, actor, details, at or utcnow(), None)
    answer.due_before = due_before
    idea.due_at = promises.next_word_due(idea, answer.at)
    promises.turn_over(idea, answer.at)
    emit(IdeaAnswered(actor_id=actor.id, idea_id=idea.id, answer_id=answer.id), answer.at)
    return answer


def assign_owner(
    idea: Idea, owner: User | None, actor: User, *, tell: Tell = Tell.EVERYBODY, act_id: int | None = None
) -> None:
    """Make somebody responsible, or nobody."""
    lock(idea)
    if owner is not None and not owner.is_staff_on(idea.board_id):
        raise Refusal(_("%(name)s is not on the team and cannot own an idea.", name=owner.name))
    owner_id = owner.id if owner else None
    if idea.owner_id != owner_id:
        idea.owner_id = owner_id
        event = OwnerAssigned(actor_id=actor.id, idea_id=idea.id, owner_id=owner_id, tell=tell.value, act_id=act_id)
        emit(event)


def change_board(idea: Idea, board: Board, actor: User) -> None:
    """Put the idea on another board."""
    lock(idea)
    if idea.board_id == board.id:
        return
    before = idea.board_id
    if idea.is_published and idea.status is not Status.MERGED:
        count_on_board(before, -1)
        count_on_board(board.id, +1)
    idea.board_id = board.id
    emit(BoardChanged(actor_id=actor.id, idea_id=idea.id, from_board_id=before, to_board_id=board.id))


def set_tags(idea: Idea, names: list[str], actor: User) -> None:
    """Give the idea exactly these tags, at most ten of at most 30 characters."""
    lock(idea)
    wanted = sorted({clean_line(name).lower()[:30] for name in names if clean_line(name)})
    if len(wanted) > 10:
        raise Refusal(_("An idea has at most ten tags."))
    if wanted == [tag.name for tag in idea.tags]:
        return
    for name in wanted:
        insert_if_absent(Tag, name=name)
    idea.tags = list(db.session.scalars(sa.select(Tag).where(Tag.name.in_(wanted)).order_by(Tag.name)))
    db.session.flush()
    emit(TagsChanged(actor_id=actor.id, idea_id=idea.id, tags=wanted))


def resume_review(idea: Idea, reason: str) -> None:
    """Put an idea whose question was answered, or never was, back under review."""
    move_idea(idea, Status.UNDER_REVIEW, None, MoveDetails(reason=reason))


def _allowed_move(idea: Idea, target: Status, stage: str, actor: User | None, override: bool) -> Move:
    tables = workflow.settled()
    source, goal = tables.rule(idea.status, idea.stage), tables.rule(target, stage)
    if not idea.is_published or goal.stage != stage:
        raise MoveNotAllowed(idea, target, stage)
    move = tables.move(source, goal)
    if move is not None and (policy.may_make(actor, (move, idea)) if actor else True):
        return move
    apart = Status.MERGED not in {idea.status, target} and goal.key != source.key
    if override and actor and policy.may_override(actor) and apart:
        return workflow.override(source, goal)
    raise MoveNotAllowed(idea, target, stage)


def _demand(move: Move, details: MoveDetails) -> None:
    for field in move.demands:
        if not _is_given(details, field):
            raise DetailMissing(field, _missing(field, move))
    if move.demands_one_of and not any(_is_given(details, field) for field in move.demands_one_of):
        raise DetailMissing(move.demands_one_of[0], _("Name a date, or what would change our mind."))


def _is_given(details: MoveDetails, field: str) -> bool:
    value = getattr(details, field)
    if field == "reversal" and details.record.has_condition:
        return True
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _missing(field: str, move: Move) -> str:
    if field == "answer" and move.target is Status.NEEDS_INFO:
        return _("Write the question.")
    return {
        "answer": _("Write the public answer. Everybody behind the idea will read it."),
        "reason": _("Give the reason."),
        "reversal": _("Say what would change our mind."),
        "owner": _("Name who looks at it."),
        "into": _("Choose the main idea."),
    }[field]


def _say(idea: Idea, actor: User | None, details: MoveDetails, at: datetime, change: StatusChange | None) -> Answer:
    body = clean_text(details.answer)
    answer = Answer(
        idea_id=idea.id,
        change_id=change.id if change else None,
        author_id=actor.id if actor else None,
        status=idea.status,
        stage=idea.stage,
        body=body,
        body_html=render_markdown(body),
        alternative=clean_text(details.alternative),
        reversal=clean_text(details.reversal),
        link=clean_line(details.link),
        at=at,
    )
    db.session.add(answer)
    db.session.flush()
    idea.answered_at = at
    return answer
