"""What a few people of the demo chose about being reached."""

from __future__ import annotations

from sqlalchemy import select

from portal.accounts.models import User
from portal.boards.models import Board
from portal.db import db
from portal.ideas import service as ideas
from portal.ideas.models import Follow, Idea
from portal.notifications import choosing
from portal.notifications.policy import Topic, Way
from portal.notifications.reach import Rhythm


def choose(member: User, pm: User) -> None:
    """Let the member hear less of comments, and nothing at night; let the product manager have a daily digest."""
    board = db.session.scalars(
        select(Board).where(Board.audience == "public").order_by(Board.position, Board.id)
    ).first()
    choosing.choose_topics(member, {Topic.COMMENTS: Way.INBOX, Topic.ANSWERS: Way.MAIL}, {})
    if board is not None:
        choosing.choose_topics(member, {Topic.COMMENTS: Way.DIGEST}, {}, board)
    choosing.choose_quiet_hours(member, 22, 7)
    choosing.choose_rhythm(pm, Rhythm.DAILY, 7, 4)
    followed = select(Idea).join(Follow, Follow.idea_id == Idea.id).where(Follow.user_id == member.id, ~Follow.muted)
    for idea, act in zip(
        db.session.scalars(followed.order_by(Idea.id).limit(2)).all(),
        (ideas.follow_quietly, ideas.unfollow),
        strict=False,
    ):
        act(idea, member)
