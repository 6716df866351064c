"""What a notification says: one story, told in the inbox and in the mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from portal.accounts.models import Person, User
from portal.accounts.roles import Role
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.ideas.merges import WINDOW
from portal.ideas.models import Answer, Idea, Objection, StatusChange
from portal.ideas.queries import ideas_visible_to
from portal.ideas.workflow import Status, StatusRule, rule_of
from portal.notifications import team
from portal.notifications.models import Notification
from portal.notifications.policy import TEAM_KINDS, Kind, Reason
from portal.notifications.team import TeamTalk
from portal.text import plain
from portal.web.dates import day

ALSO = 5  # titles that one line names besides its own
Numbered = Idea | User | Answer | Comment | StatusChange
Row = TypeVar("Row", Idea, User, Answer, Comment, StatusChange)

_AUTHOR, _VOTER, _COMMENTER, _FOLLOWER, _OWNER, _PROPOSER, _WATCHER, _MENTIONED, _REVIEWER, _WRITER, _MEMBER = Reason

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
    Kind.MENTIONED: {_MENTIONED: _l("%(who)s calls you in a discussion")},
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
    Kind.MOVE_UNDONE: {
        _AUTHOR: _l("What we did with your idea was a mistake and is taken back"),
        _VOTER: _l("What we did with an idea you voted for was a mistake and is taken back"),
        _COMMENTER: _l("What we did with an idea you commented on was a mistake and is taken back"),
        _FOLLOWER: _l("What we did with an idea you follow was a mistake and is taken back"),
        _OWNER: _l("What was done with an idea you look after is taken back"),
    },
    Kind.ASSIGNED: {_OWNER: _l("You look after this idea now")},
    Kind.PROMISE_LATE: {_OWNER: _l("A promise on an idea you look after is late")},
    Kind.SPOKEN_FOR: {_VOTER: _l("We gave a vote for you")},
    Kind.QUESTION_SETTLED: {_WRITER: _l("The question you asked is settled")},
    Kind.PROPOSAL_SETTLED: {_PROPOSER: _l("We looked at what you proposed as a duplicate")},
}
WHY[Kind.PROGRESSED] = WHY[Kind.DECIDED]
WHY[Kind.VERDICT_ASKED] = dict.fromkeys((_AUTHOR, _VOTER), _l("Does it solve your need?"))
WHY[Kind.CREDITED] = dict.fromkeys((_AUTHOR, _FOLLOWER), _l("We would like to thank you by name"))

BECAUSE: dict[Kind | Reason, Any] = {
    Kind.CREDITED: _l("You get this because you had a part in what came out. We ask once."),
    Kind.SPOKEN_FOR: _l("You get this because somebody of the team voted for you."),
    Kind.REPLIED: _l("You get this because somebody replied to your comment."),
    Kind.QUESTION_SETTLED: _l("You get this because you asked the question."),
    Kind.HELD_BACK: _l("You get this because you planned it."),
    Reason.AUTHOR: _l("You get this because the idea is yours."),
    Reason.VOTER: _l("You get this because you voted."),
    Reason.COMMENTER: _l("You get this because you commented."),
    Reason.FOLLOWER: _l("You get this because you follow the idea."),
    Reason.OWNER: _l("You get this because you look after the idea."),
    Reason.PROPOSER: _l("You get this because you proposed it."),
    Reason.WATCHER: _l("You get this because you keep a search."),
    Reason.MENTIONED: _l("You get this because somebody called you by name."),
    Reason.REVIEWER: _l("You get this because a colleague asked you to look at it."),
    Reason.WRITER: _l("You get this because you wrote it."),
    Reason.MEMBER: _l("You get this because you have an account."),
}


def place_in(facts: Mapping[str, Any], end: str) -> StatusRule | None:
    """Return where a move began or led, as the journal has it."""
    return rule_of(Status(facts[end]), str(facts.get(f"{end}_stage", ""))) if end in facts else None


@dataclass(frozen=True, slots=True)
class Story:
    """One notification with all that is shown of it, as far as its reader may see it now."""

    notification: Notification
    idea: Idea
    kind: Kind
    reason: Reason
    actor: User | None = None
    source: StatusRule | None = None
    target: StatusRule | None = None
    answer: Answer | None = None
    comment: Comment | None = None
    change: StatusChange | None = None
    main: Idea | None = None
    hidden_because: str = ""
    entry_id: int | None = None  # of the changelog
    round_id: int | None = None  # of the question whether it helped
    verdict: str = ""  # on what its reader had proposed
    objections: int = 0
    search_id: int | None = None  # of the kept search that it answers
    search_name: str = ""
    also: Sequence[Idea] = ()  # what answers it besides
    team: TeamTalk | None = None  # what only the team may read

    @property
    def is_moot(self) -> bool:
        """Whether what it told of was taken back, so that there is nothing left to say."""
        match self.kind:
            case Kind.MERGE_OBJECTED:
                return not self.objections
            case Kind.ANSWERED:
                return self.answer is not None and self.answer.taken_back_at is not None
            case Kind.ASSIGNED:
                return self.idea.owner_id != self.notification.user_id
            case Kind.PROMISE_LATE:
                due, theirs = self.idea.due_at, self.idea.owner_id == self.notification.user_id
                return not theirs or due is None or due >= utcnow()
            case Kind.COMMENTED | Kind.REPLIED | Kind.MENTIONED:
                return self.comment is None or self.comment.deleted_at is not None
            case Kind.MOVE_UNDONE:
                return False
            case Kind.NOTED | Kind.REVIEW_ASKED | Kind.REVIEWED | Kind.HELD_BACK:
                return self.team is None or self.team.is_gone
        return self.change is not None and self.change.undone_at is not None

    def is_for(self, reader: Person) -> bool:
        """Whether its reader may know of it: the talk of the team is for those who work there now."""
        return self.kind not in TEAM_KINDS or reader.reads_as_staff_on(self.idea.board_id)

    @property
    def still_joined(self) -> bool:
        """Whether the merge it tells of still stands; its moment is the one since which the idea is merged."""
        merged = self.idea.status is Status.MERGED
        return merged and self.change is not None and self.idea.status_since == self.change.at

    @property
    def objectable_until(self) -> datetime | None:
        """Until when its reader may say that a merge is not what they meant; None where they may not."""
        if self.kind is not Kind.MERGED or self.reason is Reason.OWNER or not self.still_joined or not self.change:
            return None
        until = self.change.at + WINDOW
        return until if utcnow() < until else None

    @property
    def is_comment(self) -> bool:
        """Whether it tells of somebody's words in the discussion."""
        return self.kind in {Kind.COMMENTED, Kind.REPLIED, Kind.MENTIONED}

    @property
    def asks_for_words(self) -> bool:
        """Whether its reader is likely to answer in the discussion."""
        return self.is_comment or self.kind in {Kind.NEEDS_INFO, Kind.QUESTION_REMINDER}

    @property
    def place(self) -> str:
        """The id of what it tells of on the idea's page; empty for the top."""
        if self.kind is Kind.VERDICT_ASKED:
            return "verdict"
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
        if self.kind is Kind.MATCHED:
            return ngettext(
                "%(num)d new idea for your search “%(name)s”",
                "%(num)d new ideas for your search “%(name)s”",
                1 + len(self.also),
                name=self.search_name or "…",
            )
        if self.kind is Kind.MERGE_OBJECTED:
            return ngettext(
                "%(num)d person says of a merge: this is not what I meant",
                "%(num)d people say of a merge: this is not what I meant",
                self.objections,
            )
        shipped = self.target is not None and self.target.kind is Status.SHIPPED
        if shipped and self.reason in {Reason.AUTHOR, Reason.VOTER} and self.idea.votes > 1:
            return _("Shipped. You were one of %(number)s who asked", number=self.idea.votes)
        if self.team:
            return self.team.why(self.who, self.reason)
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
        if self.team:
            return self.team.words
        if self.kind is Kind.MOVE_UNDONE:
            return ""
        if self.answer:
            return self.answer.body
        if not self.change or self.change.overrides or self.kind is Kind.MERGE_OBJECTED:
            return ""
        return self.change.notice or self.change.reason

    @property
    def quoted(self) -> str:
        """Whose words they are; what the portal says by itself is nobody's."""
        if self.kind is Kind.HELD_BACK:
            return ""
        if self.is_comment or self.team:
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
            case Kind.MERGED:
                return self._of_merge()
            case Kind.MERGE_OBJECTED if self.main:
                return [_("It was joined with “%(title)s”. What they meant stands in triage.", title=self.main.title)]
            case Kind.PROPOSAL_SETTLED if self.main:
                return [_of_proposal(self.verdict, self.main)]
            case Kind.MATCHED if self.also:
                return [_("And: %(titles)s", titles=" · ".join(idea.title for idea in self.also[:ALSO]))]
            case Kind.CREDITED:
                return [_("It came out, and you had a part in it. Until you say yes the changelog says “a member”.")]
            case Kind.SPOKEN_FOR:
                return [_("You asked for this elsewhere. If you did not, take the vote back on the page of the idea.")]
            case Kind.VERDICT_ASKED:
                return [_("It came out some time ago, and you asked for it. Your answer decides what becomes of it.")]
            case Kind.QUESTION_REMINDER:
                return [_("Answer with a comment. Without an answer we go on with what we know.")]
            case Kind.NEEDS_INFO if self.reason is Reason.AUTHOR:
                return [_("Answer with a comment under your idea.")]
            case Kind.PROMISE_LATE if due:
                return [_("Everybody reads that we promised a word by %(date)s.", date=day(due))]
            case Kind.ASSIGNED if due:
                return [_("The next word on it is due by %(date)s.", date=day(due))]
            case Kind.MOVE_UNDONE if self.target:
                return [_("It is %(status)s again, as it was before.", status=self.target.label)]
            case Kind.DECIDED | Kind.PROGRESSED | Kind.ANSWERED if due:
                return [_("Next update by %(date)s.", date=day(due))]
        return []

    def _of_merge(self) -> list[str]:
        said = []
        if self.main:
            said.append(_("It now lives in “%(title)s”, and votes for it count there.", title=self.main.title))
        until = self.objectable_until
        if until and self.reason not in {Reason.AUTHOR, Reason.VOTER}:
            said.append(_("If that is not what you meant, say so by %(date)s.", date=day(until)))
        elif until:
            said.append(
                _("If that is not what you meant, say so by %(date)s, and you get your vote back.", date=day(until))
            )
        return said


def tell(notifications: Sequence[Notification], reader: Person) -> list[Story]:
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


def _of_proposal(verdict: str, main: Idea) -> str:
    if verdict == "merged":
        return _("You were right: it was joined with “%(title)s”.", title=main.title)
    if verdict == "refused":
        return _(
            "The team thinks it is something else than “%(title)s”, so both stay. Thank you for looking.",
            title=main.title,
        )
    return _("The team agrees about “%(title)s”. Where these are, ideas stay apart.", title=main.title)


def _rows(table: type[Row], ids: Iterable[int | None]) -> dict[int | None, Row]:
    wanted = {id for id in ids if id is not None}
    if not wanted:
        return {}
    rows = db.session.scalars(_these(table, len(wanted) == 1), _named(wanted))
    return {row.id: row for row in rows}


def _ideas(reader: Person, ids: Iterable[int | None]) -> dict[int | None, Idea]:
    """Those of the ideas that the reader may see."""
    wanted = {id for id in ids if id is not None}
    only_one = len(wanted) == 1
    if isinstance(reader, User) and reader.standing is not None and not reader.has_board_roles:
        seen = _seen_by_all_like(reader.standing, only_one)
    else:
        seen = ideas_visible_to(reader).where(_is_one(Idea, only_one)).options(joinedload(Idea.board))
    rows = db.session.scalars(seen, _named(wanted) | {"reader_id": reader.id}) if wanted else ()
    return {idea.id: idea for idea in rows}


class _Anyone(Person):
    """Whoever has one role in the portal and none on single boards: all that then decides what they see, but who."""

    id: Any = bindparam("reader_id", type_=sa.Integer)
    has_board_roles = False

    def __init__(self, role: Role) -> None:
        self.role = role

    @property
    def standing(self) -> Role:
        """The role."""
        return self.role


@cache
def _seen_by_all_like(role: Role, only_one: bool) -> sa.Select[Idea]:
    """Build the statement once for each role: it is asked for every single mail."""
    return ideas_visible_to(_Anyone(role)).where(_is_one(Idea, only_one)).options(joinedload(Idea.board))


@cache
def _these(table: type[Row], only_one: bool) -> sa.Select[Row]:
    """Build each statement once: they are asked for every single mail, and most mails are about one thing."""
    rows = select(table).where(_is_one(table, only_one))
    return rows.options(joinedload(Answer.author)) if table is Answer else rows


def _is_one(table: type[Numbered], only_one: bool) -> sa.ColumnElement[bool]:
    return table.id == bindparam("number") if only_one else table.id.in_(bindparam("numbers", expanding=True))


def _named(ids: set[int]) -> dict[str, Any]:
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
    return {idea_id: number for idea_id, number in db.session.execute(of_these)}  # noqa: C416 - rows are no tuples
