"""Making stories of notifications, with all that they are about, as far as their reader may see it now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.accounts.readers import built_once
from portal.comments.models import Comment
from portal.db import db, lookup
from portal.ideas.models import Answer, Idea, Objection, StatusChange
from portal.ideas.queries import ideas_visible_to
from portal.ideas.workflow import Status
from portal.notifications import team
from portal.notifications.models import Notification
from portal.notifications.policy import Kind, Reason
from portal.notifications.stories import Story, place_in

Row = TypeVar("Row", Idea, User, Answer, Comment, StatusChange)


def stories_of(notifications: Sequence[Notification], reader: Person) -> list[Story]:
    """Return the stories of these notifications that their reader may still see, in the same order."""
    records = {n.id: n.record for n in notifications}
    data = [record.data for record in records.values()]
    ideas = _ideas(reader, [n.idea_id for n in notifications] + [_other(facts) for facts in data] + _matches(data))
    answers = _rows(Answer, [facts.get("answer_id") for facts in data])
    authors = {answer.author_id: answer.author for answer in answers.values() if answer.author}
    actors = authors | _rows(User, {record.actor_id for record in records.values()} - authors.keys())
    comments = _rows(Comment, [facts.get("comment_id") for facts in data])
    changes = _rows(StatusChange, [facts.get("change_id") for facts in data])
    questions = _questions([n for n in notifications if n.kind == Kind.QUESTION_REMINDER])
    objections = _objections([n for n in notifications if n.kind == Kind.MERGE_OBJECTED])
    talk = team.read(notifications)
    searches = _names_of_searches([facts.get("search_id") for facts in data])

    def story(n: Notification, idea: Idea) -> Story:
        facts = n.record.data
        return Story(
            notification=n,
            idea=idea,
            kind=Kind(n.kind),
            reason=Reason(n.reason),
            actor=actors.get(n.record.actor_id),
            source=place_in(facts, "source"),
            target=place_in(facts, "target"),
            answer=answers.get(facts.get("answer_id")) or questions.get(n.id),
            comment=comments.get(facts.get("comment_id")),
            change=changes.get(facts.get("change_id")),
            main=ideas.get(_other(facts)),
            hidden_because=str(facts.get("reason", "")),
            verdict=str(facts.get("verdict", "")),
            entry_id=facts.get("entry_id"),
            round_id=facts.get("round_id"),
            objections=objections.get(n.idea_id or 0, 0),
            search_id=facts.get("search_id"),
            search_name=searches.get(facts.get("search_id"), ""),
            team=talk.get(n.id),
            also=[ideas[i] for i in facts.get("idea_ids", ()) if i in ideas and i != n.idea_id],
        )

    stories = [story(n, ideas[n.idea_id]) for n in notifications if n.idea_id in ideas]
    return [told for told in stories if not told.is_moot and told.is_for(reader)]


def _other(facts: dict[str, Any]) -> int | None:
    """The idea that a merge or a proposal is about besides its own."""
    other: int | None = facts.get("into_id") or facts.get("other_id")
    return other


def _matches(data: Iterable[dict[str, Any]]) -> list[int | None]:
    return [idea_id for facts in data for idea_id in facts.get("idea_ids", ())]


def _names_of_searches(ids: Iterable[int | None]) -> dict[int | None, str]:
    """What kept searches are called; the feature that keeps them says so."""
    wanted = {id for id in ids if id is not None}
    return current_app.extensions["names_of_searches"](wanted) if wanted else {}


def _ideas(reader: Person, ids: Iterable[int | None]) -> dict[int | None, Idea]:
    """Those of the ideas that the reader may see."""
    wanted = {id for id in ids if id is not None}
    rows = db.session.scalars(*_seen(reader, len(wanted) == 1, **_named(wanted))) if wanted else ()
    return {idea.id: idea for idea in rows}


@built_once
def _seen(reader: Person, only_one: bool, *, number: int = 0, numbers: Sequence[int] = ()) -> sa.Select[Idea]:
    named = Idea.id == number if only_one else Idea.id.in_(numbers)
    return ideas_visible_to(reader).where(named).options(joinedload(Idea.board))


def _rows(table: type[Row], ids: Iterable[int | None]) -> dict[int | None, Row]:
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return {}
    rows = db.session.scalars(*_these(table, len(wanted) == 1, **_named(wanted)))
    return {row.id: row for row in rows}


@built_once
def _these(table: type[Row], only_one: bool, *, number: int = 0, numbers: Sequence[int] = ()) -> sa.Select[Row]:
    rows = select(table).where(table.id == number if only_one else table.id.in_(numbers))
    return rows.options(joinedload(Answer.author)) if table is Answer else rows


def _named(ids: set[int]) -> dict[str, Any]:
    """Name one thing or several: most mails are about one, and a statement about one is cheaper."""
    return {"numbers": list(ids)} if len(ids) != 1 else {"number": next(iter(ids))}


def _questions(reminders: Sequence[Notification]) -> dict[int, Answer]:
    """The question that each reminder is about: what was said last when it was asked."""
    if not reminders:
        return {}
    ids = [reminder.idea_id for reminder in reminders]
    asked = select(Answer).where(Answer.idea_id.in_(ids), Answer.status == Status.NEEDS_INFO).order_by(Answer.id)
    asked = asked.where(Answer.taken_back_at.is_(None))
    by_idea = {answer.idea_id: answer for answer in db.session.scalars(asked.options(joinedload(Answer.author)))}
    return {reminder.id: by_idea[reminder.idea_id] for reminder in reminders if reminder.idea_id in by_idea}


def _objections(told: Sequence[Notification]) -> dict[int, int]:
    """How many people object to the merge of each of these ideas now."""
    if not told:
        return {}
    standing = select(Objection.idea_id, sa.func.count()).where(Objection.ended_at.is_(None))
    of_these = standing.where(Objection.idea_id.in_([n.idea_id for n in told])).group_by(Objection.idea_id)
    return lookup(of_these)
