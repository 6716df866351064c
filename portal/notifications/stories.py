"""What a notification says: one story, told in the inbox and in the mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.comments.models import Comment
from portal.db import db
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.queries import ideas_visible_to
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.notifications.policy import Kind, Reason
from portal.text import plain
from portal.web.dates import day

Numbered = Idea | User | Answer | Comment | StatusChange
Row = TypeVar("Row", Idea, User, Answer, Comment, StatusChange)

_AUTHOR, _VOTER, _COMMENTER, _FOLLOWER, _OWNER = Reason

WHY: dict[Kind, dict[Reason, Any]] = {
    Kind.RECEIVED: {_AUTHOR: _l("We have received your idea")},
    Kind.PUBLISHED: {_AUTHOR: _l("Your idea is out now")},
    Kind.HIDDEN: {_AUTHOR: _l("A moderator took your idea out of sight")},
    Kind.DECIDED: {
        _AUTHOR: _l("Your idea has moved"),
        _VOTER: _l("An idea you voted for has moved"),
        _COMMENTER: _l("An idea you commented on has moved"),
        _FOLLOWER: _l("An idea you follow has moved"),
        _OWNER: _l("An idea you look after has moved"),
    },
    Kind.NEEDS_INFO: {
        _AUTHOR: _l("We have a question about your idea"),
        _VOTER: _l("We asked the author of an idea you voted for"),
        _COMMENTER: _l("We asked the author of an idea you commented on"),
        _FOLLOWER: _l("We asked the author of an idea you follow"),
    },
    Kind.QUESTION_REMINDER: {_AUTHOR: _l("Our question to you is still open")},
    Kind.ANSWERED: {
        _AUTHOR: _l("We answered your idea"),
        _VOTER: _l("We answered an idea you voted for"),
        _COMMENTER: _l("We answered an idea you commented on"),
        _FOLLOWER: _l("We answered an idea you follow"),
        _OWNER: _l("An idea you look after was answered"),
    },
    Kind.COMMENTED: {
        _AUTHOR: _l("%(who)s commented on your idea"),
        _COMMENTER: _l("%(who)s joined a discussion you take part in"),
        _FOLLOWER: _l("%(who)s commented on an idea you follow"),
        _OWNER: _l("%(who)s commented on an idea you look after"),
    },
    Kind.REPLIED: {_COMMENTER: _l("%(who)s replied to you")},
    Kind.MERGED: {
        _AUTHOR: _l("Your idea was joined with another"),
        _VOTER: _l("An idea you voted for was joined with another"),
        _COMMENTER: _l("An idea you commented on was joined with another"),
        _FOLLOWER: _l("An idea you follow was joined with another"),
        _OWNER: _l("An idea you look after was joined with another"),
    },
    Kind.MERGE_UNDONE: {
        _AUTHOR: _l("Your idea stands on its own again"),
        _VOTER: _l("An idea you voted for stands on its own again"),
        _COMMENTER: _l("An idea you commented on stands on its own again"),
        _FOLLOWER: _l("An idea you follow stands on its own again"),
        _OWNER: _l("An idea you look after stands on its own again"),
    },
    Kind.ASSIGNED: {_OWNER: _l("You look after this idea now")},
}
WHY[Kind.PROGRESSED] = WHY[Kind.DECIDED]

BECAUSE: dict[Kind | Reason, Any] = {
    Kind.REPLIED: _l("You get this because somebody replied to your comment."),
    Reason.AUTHOR: _l("You get this because the idea is yours."),
    Reason.VOTER: _l("You get this because you voted."),
    Reason.COMMENTER: _l("You get this because you commented."),
    Reason.FOLLOWER: _l("You get this because you follow the idea."),
    Reason.OWNER: _l("You get this because you look after the idea."),
}


@dataclass(frozen=True, slots=True)
class Story:
    """One notification with all that is shown of it, as far as its reader may see it now."""

    notification: Notification
    idea: Idea
    kind: Kind
    reason: Reason
    actor: User | None = None
    source: Status | None = None
    target: Status | None = None
    answer: Answer | None = None
    comment: Comment | None = None
    change: StatusChange | None = None
    main: Idea | None = None
    hidden_because: str = ""

    @property
    def is_moot(self) -> bool:
        """Whether what it told of was taken back, so that there is nothing left to say."""
        gone = self.comment is None or self.comment.deleted_at is not None
        return gone and self.is_comment

    @property
    def is_comment(self) -> bool:
        """Whether it tells of somebody's words in the discussion."""
        return self.kind in {Kind.COMMENTED, Kind.REPLIED}

    @property
    def asks_for_words(self) -> bool:
        """Whether its reader is likely to answer in the discussion."""
        return self.is_comment or self.kind in {Kind.NEEDS_INFO, Kind.QUESTION_REMINDER}

    @property
    def place(self) -> str:
        """The id of what it tells of on the idea's page; empty for the top."""
        return f"comment-{self.comment.id}-said" if self.comment else ""

    @property
    def who(self) -> str:
        """The name of whoever did it."""
        return self.actor.shown_name if self.actor else str(_("Somebody"))

    @property
    def why(self) -> str:
        """One line that says why the reader is told."""
        if self.kind is Kind.VOTED:
            votes = self.idea.votes
            return ngettext("%(num)d person is behind your idea now", "%(num)d people are behind your idea now", votes)
        if self.target is Status.SHIPPED and self.reason in {Reason.AUTHOR, Reason.VOTER} and self.idea.votes > 1:
            return _("Shipped. You were one of %(number)s who asked", number=self.idea.votes)
        return str(WHY[self.kind][self.reason]) % {"who": self.who}

    @property
    def because(self) -> str:
        """The sentence at the foot of a mail that says why it came."""
        return str(BECAUSE.get(self.kind) or BECAUSE[self.reason])

    @property
    def quote(self) -> str:
        """The words that matter, as their author wrote them, in Markdown."""
        if self.is_comment:
            return self.comment.body if self.comment else ""
        if self.kind is Kind.HIDDEN:
            return self.hidden_because
        if self.answer:
            return self.answer.body
        return self.change.reason if self.change and not self.change.overrides else ""

    @property
    def quoted(self) -> str:
        """Whose words they are."""
        if self.is_comment:
            return self.who
        speaker = self.answer.author if self.answer else self.actor if self.change else None
        return speaker.speaks_as if speaker else ""

    @property
    def short_quote(self) -> str:
        """The words that matter, cut to what two lines hold."""
        return plain(self.quote, 180) if self.quote else ""

    @property
    def sentences(self) -> list[str]:
        """What to know beyond the words: what happens next, and what the reader can do."""
        idea, due = self.idea, self.idea.due_at
        match self.kind:
            case Kind.RECEIVED if not idea.is_published:
                return [_("A moderator looks at first ideas, usually within a day. You hear from us when it is out.")]
            case Kind.RECEIVED | Kind.PUBLISHED if due:
                return [_("You get a first answer by %(date)s. Until then others can vote and comment.", date=day(due))]
            case Kind.HIDDEN:
                return [_("You can still see it yourself. If you think this is a mistake, write to us.")]
            case Kind.MERGED if self.main:
                return [_("It now lives in “%(title)s”, and votes for it count there.", title=self.main.title)]
            case Kind.QUESTION_REMINDER:
                return [_("Answer with a comment. Without an answer we go on with what we know.")]
            case Kind.NEEDS_INFO if self.reason is Reason.AUTHOR:
                return [_("Answer with a comment under your idea.")]
            case Kind.ASSIGNED if due:
                return [_("The next word on it is due by %(date)s.", date=day(due))]
            case Kind.DECIDED | Kind.PROGRESSED | Kind.ANSWERED if due:
                return [_("Next update by %(date)s.", date=day(due))]
        return []


def tell(notifications: Sequence[Notification], reader: Person) -> list[Story]:
    """Return the stories of these notifications that their reader may still see, in the same order."""
    records = {n.id: n.record for n in notifications}
    data = [record.data for record in records.values()]
    seen = ideas_visible_to(reader).options(joinedload(Idea.board))
    ideas = _by_id(seen, Idea, [n.idea_id for n in notifications] + [facts.get("into_id") for facts in data])
    actors = _by_id(select(User), User, [record.actor_id for record in records.values()])
    said = select(Answer).options(joinedload(Answer.author))
    answers = _by_id(said, Answer, [facts.get("answer_id") for facts in data])
    comments = _by_id(select(Comment), Comment, [facts.get("comment_id") for facts in data])
    changes = _by_id(select(StatusChange), StatusChange, [facts.get("change_id") for facts in data])
    questions = _questions([n for n in notifications if n.kind == Kind.QUESTION_REMINDER])

    def story(n: Notification, idea: Idea) -> Story:
        facts = n.record.data
        return Story(
            notification=n,
            idea=idea,
            kind=Kind(n.kind),
            reason=Reason(n.reason),
            actor=actors.get(n.record.actor_id),
            source=Status(facts["source"]) if "source" in facts else None,
            target=Status(facts["target"]) if "target" in facts else None,
            answer=answers.get(facts.get("answer_id")) or questions.get(n.id),
            comment=comments.get(facts.get("comment_id")),
            change=changes.get(facts.get("change_id")),
            main=ideas.get(facts.get("into_id")),
            hidden_because=str(facts.get("reason", "")),
        )

    stories = [story(n, ideas[n.idea_id]) for n in notifications if n.idea_id in ideas]
    return [told for told in stories if not told.is_moot]


def _by_id(query: sa.Select[Row], table: type[Numbered], ids: Iterable[int | None]) -> dict[int | None, Row]:
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return {}
    rows = db.session.scalars(query.where(table.id.in_(wanted)))
    return {row.id: row for row in rows}


def _questions(reminders: Sequence[Notification]) -> dict[int, Answer]:
    """The question that each reminder is about: what was said last when it was asked."""
    if not reminders:
        return {}
    ids = [reminder.idea_id for reminder in reminders]
    asked = select(Answer).where(Answer.idea_id.in_(ids), Answer.status == Status.NEEDS_INFO).order_by(Answer.id)
    by_idea = {answer.idea_id: answer for answer in db.session.scalars(asked.options(joinedload(Answer.author)))}
    return {reminder.id: by_idea[reminder.idea_id] for reminder in reminders if reminder.idea_id in by_idea}
