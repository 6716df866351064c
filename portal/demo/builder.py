"""Building the demo community in an empty portal, by the same services that its people would use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.events import MemberRegistered, RulesAccepted
from portal.accounts.models import Rules, RulesAcceptance, User, name_key
from portal.accounts.passwords import hash_password
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.comments.models import Comment, CommentRevision
from portal.comments.service import edit_comment, post_comment
from portal.db import db, utcnow
from portal.demo import calling, choices, content, demand, digest, inboxes, returned
from portal.demo.closed import closed_boards
from portal.demo.crowd import Crowd, rows_of
from portal.demo.outcomes import Outcomes
from portal.demo.plan import Act, Plan, make_plan
from portal.events import EventRecord, emit, quietly
from portal.ideas.events import IdeaFollowed, InfoStillNeeded, TagsChanged
from portal.ideas.merging import undo_merge
from portal.ideas.models import Answer, Follow, Idea, StatusChange, Tag, Vote
from portal.ideas.moves import answer_idea, move_idea
from portal.ideas.promises import next_word_due, running
from portal.ideas.service import hide_idea, submit_idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.options import decide
from portal.transactions import transaction

NAME = "Fellside"
QUESTION = "What would make your next walk better?"
HOST = "fellside.example"
PASSWORD = "a fine day on the fells"  # noqa: S105 - everybody may know it: it opens the demo only
ONE_IN = 12  # of those who only vote wants mails

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Account:
    """An account that everybody may sign in to."""

    key: str
    role: Role

    @property
    def email(self) -> str:
        """The address to sign in with."""
        return f"{self.key}@{HOST}"


ACCOUNTS = tuple(
    Account(role.value, role) for role in (Role.MEMBER, Role.OBSERVER, Role.MODERATOR, Role.PM, Role.ADMIN)
)


def build(
    on_progress: Progress = lambda _done, _total: None,
    *,
    community: content.Community | None = None,
    now: datetime | None = None,
    members: int | None = None,
) -> None:
    """The community is there, with two years behind it; nobody is told, but the demo accounts have an inbox.

    All or nothing: it is one transaction. The search index is not touched.
    """
    community, now = community or content.load(), now or utcnow()
    plan = make_plan(community, now) if members is None else make_plan(community, now, members)
    with transaction(wake=False), quietly():
        builder = _Builder(community, plan, now)
        builder.prepare()
        closed = [act for board in builder.closed for act in board.acts(now)]
        acts = sorted([*plan.acts, *closed, *demand.backings(now)], key=lambda act: act.at)
        for done, act in enumerate(acts):
            builder.do(act)
            if done % 200 == 0:
                on_progress(done, len(acts))
        builder.finish()
    on_progress(1, 1)


class _Builder:
    """The portal while it is filled, act by act."""

    def __init__(self, community: content.Community, plan: Plan, now: datetime) -> None:
        self.community, self.plan, self.now = community, plan, now
        self.users: dict[str, int] = {}
        self.boards: dict[str, Board] = {}
        self.closed = closed_boards()
        self.tags: dict[str, Tag] = {}
        self.ideas: dict[str, Idea] = {}
        self.comments: dict[str, Comment] = {}
        self.crowd = Crowd()
        self.steps: dict[str, Any] = {
            "join": self._join,
            "agree": self._agree,
            "post": self._post,
            "tag": self._tag,
            "hide": self._hide,
            "step": self._step,
            "update": self._update,
            "comment": self._comment,
            "vote": self._vote,
            "back": self._back,
            "follow": self._follow,
            "thank": self._thank,
            "remind": self._remind,
            "return": self._return,
        }

    def prepare(self) -> None:
        """Make boards, tags, rules and everybody's account; when they joined stands in each."""
        for place, board in enumerate(self.community.boards):
            self.boards[board.slug] = Board(
                slug=board.slug,
                name=board.name,
                description=board.description,
                question=board.question,
                team=board.team,
                position=place,
            )
        for place, closed in enumerate(self.closed, len(self.boards)):
            self.boards[closed.board["slug"]] = closed.make(place)
        self.tags = {tag.slug: Tag(name=tag.name.lower()) for tag in self.community.tags}
        texts = [
            ("rules", "", self.plan.start),
            ("rules-2", content.page("rules-2-changes", NAME), self.plan.rules_changed),
        ]
        rules = [
            Rules(version=number, body=content.page(page, NAME), changes=changes, published_at=at)
            for number, (page, changes, at) in enumerate(texts, 1)
        ]
        db.session.add_all([*self.boards.values(), *self.tags.values(), *rules])
        decide("second_factor", [])  # one press makes anybody an admin here
        db.session.flush()
        self._make_accounts()
        for closed in self.closed:
            closed.give_places(self.boards[closed.board["slug"]], self.users, self.now)

    def do(self, act: Act) -> None:
        """Do one act; all that the crowd did before it is written first."""
        if act.kind not in {"join", "agree", "vote", "follow", "thank"}:
            self.crowd.write()
        self.steps[act.kind](act)

    def finish(self) -> None:
        """Write what is left, and give the demo accounts their inboxes."""
        self.crowd.write()
        db.session.flush()
        Outcomes(self.ideas, self.users, self.boards, self.now).write()
        with _back_then(self.now):
            demand.leave_searches(self.users, "moderator", self.now)
        inboxes.fill([self.users[account.key] for account in ACCOUNTS if account.key in self.users], self.now)
        with _back_then(self.now):
            choices.choose(db.session.get_one(User, self.users["member"]), db.session.get_one(User, self.users["pm"]))
            digest.make_one(db.session.get_one(User, self.users["member"]), self.now)
            returned.let_mails_come_back(but=self.users["member"])

    def _make_accounts(self) -> None:
        people = {person.key: person for person in self.community.people}
        held = {idea.author for idea in self.community.ideas if idea.publication is Publication.HELD}
        shared = {account.key: hash_password(PASSWORD) for account in ACCOUNTS}
        rows = []
        for number, member in enumerate(self.plan.members):
            person = people.get(member.key)
            rows.append(
                {
                    "email": f"{member.key}@{HOST}",
                    "name": member.name,
                    "name_key": name_key(member.name),
                    "role": person.role if person else Role.MEMBER,
                    "team": (person and person.team) or None,
                    "about": (person and person.about) or None,
                    "password_hash": shared.get(member.key),
                    "created_at": member.since,
                    "confirmed_at": min(member.since + timedelta(minutes=7), self.now),
                    "trusted_at": member.since if person and member.key not in held else None,
                    "wants_mail": bool(person) or number % ONE_IN == 0,
                }
            )
        db.session.execute(rows_of(User), rows)
        numbers = {email: number for number, email in db.session.execute(select(User.id, User.email))}
        self.users = {member.key: numbers[f"{member.key}@{HOST}"] for member in self.plan.members}

    def _join(self, act: Act) -> None:
        user_id = self.users[act.who]
        self.crowd.note(MemberRegistered(actor_id=user_id, user_id=user_id), act.at)

    def _agree(self, act: Act) -> None:
        user_id = self.users[act.who]
        self.crowd.add(RulesAcceptance, user_id=user_id, version=act.what, accepted_at=act.at)
        self.crowd.note(RulesAccepted(actor_id=user_id, version=act.what), act.at)

    def _post(self, act: Act) -> None:
        story = act.what
        idea = submit_idea(
            self._user(act.who),
            self.boards[story.board],
            title=story.title,
            need=story.need,
            proposal=story.proposal,
            held=story.publication is Publication.HELD,
            at=act.at,
        )
        self.ideas[act.idea] = idea
        self.crowd.behind[idea.id] = {self.users[act.who]}

    def _tag(self, act: Act) -> None:
        idea = self.ideas[act.idea]
        idea.tags = [self.tags[slug] for slug in act.what]
        emit(
            TagsChanged(actor_id=self.users[act.who], idea_id=idea.id, tags=sorted(tag.name for tag in idea.tags)),
            act.at,
        )

    def _hide(self, act: Act) -> None:
        with _back_then(act.at):
            hide_idea(
                self.ideas[act.idea],
                self._user(act.who),
                _(
                    "It points at somebody who lives there and calls on others to bother him. "
                    "Rules 3 and 4 leave no room for that. "
                    "You are welcome to write about the blocked bridleway without him."
                ),
            )

    def _step(self, act: Act) -> None:
        idea, step = self.ideas[act.idea], act.what
        db.session.refresh(idea)
        if idea.status is step.to:
            return  # the author's answer has put it back under review
        if idea.status is Status.MERGED:
            with _back_then(act.at):
                undo_merge(idea, self._user(act.who), step.reason)
            self.crowd.behind |= self._supporters(idea, self.ideas[self._was_merged_into(act.idea)])
            return
        into = self.ideas[step.into] if step.into else None
        move_idea(
            idea,
            step.to,
            self._user(act.who) if act.who else None,
            MoveDetails(
                answer=step.answer,
                reason=step.reason,
                alternative=step.alternative,
                reversal=step.reversal,
                link=step.link,
                expected=_month(act.at, step.expected_after_days),
                review_on=_day(act.at, step.review_after_days),
                owner=self._user(act.who) if step.to is Status.UNDER_REVIEW and act.who and not idea.owner_id else None,
                into=into,
            ),
            at=act.at,
        )
        if into is not None:
            self.crowd.behind |= self._supporters(into)

    def _remind(self, act: Act) -> None:
        idea = self.ideas[act.idea]
        if idea.status is Status.NEEDS_INFO and idea.reminded_at is None:
            idea.reminded_at = act.at
            emit(InfoStillNeeded(idea_id=idea.id), act.at)

    def _return(self, act: Act) -> None:
        """Do what the clock does to a question without an answer, and to an idea whose day has come."""
        idea = self.ideas[act.idea]
        if idea.status is Status.NEEDS_INFO and idea.due_at and idea.due_at <= act.at:
            reason = _("No answer came within 21 days, so the team decides with what is known.")
        elif idea.status is Status.NOT_NOW and idea.review_on and idea.review_on <= act.at.date():
            reason = _("The date to look at it again has come.")
        else:
            return
        move_idea(idea, Status.UNDER_REVIEW, None, MoveDetails(reason=reason), at=act.at)

    def _update(self, act: Act) -> None:
        idea = self.ideas[act.idea]
        answer_idea(idea, self._user(act.who), MoveDetails(answer=act.what.answer), at=act.at)

    def _comment(self, act: Act) -> None:
        idea, said = self.ideas[act.idea], act.what
        db.session.refresh(idea)
        waited = idea.status is Status.NEEDS_INFO
        reply_to = self.comments[said.reply_to] if said.reply_to else None
        with _back_then(act.at) if waited else nullcontext():
            words = said.before or said.body
            self.comments[said.key] = post_comment(idea, self._user(act.who), words, reply_to, at=act.at)
            calling.call(idea, self.comments[said.key])
        if said.before:
            self._edit(self.comments[said.key], said.body, act.at)
        if waited and idea.status is not Status.NEEDS_INFO:
            idea.status_since, idea.due_at = act.at, next_word_due(idea, act.at)
            begun = running(idea)
            if begun is not None:
                begun.made_at, begun.due_at = act.at, idea.due_at or begun.due_at

    def _vote(self, act: Act) -> None:
        idea, voter_id = self.ideas[act.idea], self.users[act.who]
        if idea.takes_votes and voter_id not in self.crowd.behind[idea.id]:
            self.crowd.vote(idea, voter_id, act.at)

    def _back(self, act: Act) -> None:
        """Do it where the community has both the idea and the person by then."""
        idea, person = self.ideas.get(act.idea), db.session.get(User, self.users.get(act.who, 0))
        if idea is None or person is None or person.created_at > act.at:
            return
        with _back_then(act.at):
            demand.back(idea, person, act.what, act.at)
        self.crowd.behind |= self._supporters(idea.merged_into or idea)

    def _follow(self, act: Act) -> None:
        idea, user_id = self.ideas[act.idea], self.users[act.who]
        if user_id not in self.crowd.behind[idea.id]:
            self.crowd.add(Follow, idea_id=idea.id, user_id=user_id, since=act.at, is_voter=False, by_choice=True)
            self.crowd.note(IdeaFollowed(actor_id=user_id, idea_id=idea.id), act.at)

    def _thank(self, act: Act) -> None:
        self.crowd.thank(self.comments[act.what], self.users[act.who], act.at)

    def _supporters(self, *ideas: Idea) -> dict[int, set[int]]:
        """Return who is behind each of these ideas, directly or through a merged one."""
        return {
            idea.id: set(
                db.session.scalars(
                    select(Vote.voter_id)
                    .join(Idea, Idea.id == Vote.idea_id)
                    .where(sa.or_(Idea.id == idea.id, Idea.merged_into_id == idea.id))
                )
            )
            for idea in ideas
        }

    def _edit(self, comment: Comment, body: str, at: datetime) -> None:
        """Say it differently a few minutes after it was posted."""
        with _back_then(at):
            edit_comment(comment, body)
        comment.edited_at = at + timedelta(minutes=11)
        revised = sa.update(CommentRevision).where(CommentRevision.comment_id == comment.id)
        db.session.execute(revised.values(at=comment.edited_at))

    def _was_merged_into(self, key: str) -> str:
        story = next(idea for idea in self.community.ideas if idea.key == key)
        return next(step.into for step in story.path if step.into)

    def _user(self, key: str) -> User:
        return db.session.get_one(User, self.users[key])


@contextmanager
def _back_then(at: datetime) -> Iterator[None]:
    """Date what a service writes that knows no other time than now."""
    tables: tuple[Any, ...] = (EventRecord, StatusChange, Answer)
    marks = [db.session.scalar(select(sa.func.max(table.id))) or 0 for table in tables]
    yield
    db.session.flush()
    for table, mark in zip(tables, marks, strict=True):
        db.session.execute(sa.update(table).where(table.id > mark).values(at=at))


def _month(at: datetime, after_days: int | None) -> str:
    return "" if after_days is None else f"{at + timedelta(days=after_days):%B %Y}"


def _day(at: datetime, after_days: int | None) -> Any:
    return None if after_days is None else (at + timedelta(days=after_days)).date()
