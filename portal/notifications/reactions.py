"""What follows for people from what happened to ideas they have a part in."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.models import User
from portal.comments.calling import sees
from portal.comments.events import CommentPosted
from portal.comments.models import Comment
from portal.db import db
from portal.events import EventRecord, Recorded
from portal.ideas.events import IdeaAnswered, IdeaMoved
from portal.ideas.followers import REASONS, backers_of
from portal.ideas.merges import count_objections, merge_of
from portal.ideas.models import Answer, StatusChange, Vote, VoteOrigin
from portal.ideas.supporters import counts_for
from portal.ideas.workflow import Status
from portal.notifications import service
from portal.notifications.models import Mail, Notification
from portal.notifications.noting import (
    count_as_read,
    has_muted,
    idea_of,
    tell,
    tell_audience,
    tell_author,
    tell_one,
    tell_owner_too,
)
from portal.notifications.policy import VOTES_WORTH_TELLING, Kind, Reason, kind_of_move
from portal.notifications.told_before import events_with, told_of_merge, told_of_move, was_mailed


def ask_to_confirm_address(recorded: Recorded) -> None:
    """Send a new member the link that shows the address is theirs."""
    user = db.session.get(User, recorded.event.user_id)
    if user and (not user.confirmed_at or user.mail_stopped_at):
        service.queue_confirmation(user, key=f"confirm-{recorded.id}")


def tell_of_receipt(recorded: Recorded) -> None:
    """Give the author a receipt with the date by which we answer."""
    tell_author(recorded, Kind.RECEIVED)


def tell_of_publication(recorded: Recorded) -> None:
    """Tell the author that the idea can be seen now, unless that was taken back at once."""
    idea = idea_of(recorded)
    if idea is not None and idea.is_published:
        tell_author(recorded, Kind.PUBLISHED)


def tell_of_hiding(recorded: Recorded) -> None:
    """Tell the author that the idea was taken out of sight, and why, unless that was taken back at once."""
    idea = idea_of(recorded)
    if idea is not None and not idea.is_published:
        tell_author(recorded, Kind.HIDDEN)


def tell_of_move(recorded: Recorded) -> None:
    """Tell everybody behind the idea where it stands now; an answered question concerns its owner only."""
    idea = idea_of(recorded)
    if idea is None:
        return
    change = db.session.get(StatusChange, recorded.event.change_id)
    if change is not None and change.undone_at is not None:
        return
    source, target = Status(recorded.event.source), Status(recorded.event.target)
    kind = kind_of_move(source, target, recorded.event.news)
    if (source, target) == (Status.NEW, Status.UNDER_REVIEW):
        tell_owner_too(recorded, Kind.ASSIGNED, idea)
    tells = recorded.event.tells
    if tells is None:
        tells = [] if (source, target) == (Status.NEEDS_INFO, Status.UNDER_REVIEW) else list(REASONS)
    if tells:
        tell_audience(recorded, kind, idea, tells)
    tell_owner_too(recorded, kind, idea)


def tell_of_answer(recorded: Recorded) -> None:
    """Tell everybody behind the idea what the team said."""
    idea, answer = idea_of(recorded), db.session.get(Answer, recorded.event.answer_id)
    if idea is not None and not (answer and answer.taken_back_at):
        tell_audience(recorded, Kind.ANSWERED, idea)
        tell_owner_too(recorded, Kind.ANSWERED, idea)


def tell_of_undone_move(recorded: Recorded) -> None:
    """Tell those who had heard of a move that it was taken back; for all others its line is gone, as if unsaid."""
    idea = idea_of(recorded)
    if idea is None:
        return
    moved = events_with(idea.id, IdeaMoved.name, "change_id", recorded.event.change_id)
    tell(recorded, Kind.MOVE_UNDONE, told_of_move(idea, moved, recorded.event), mailed=was_mailed(moved))
    count_as_read(recorded, Notification.event_id.in_(moved))


def forget_undone_answer(recorded: Recorded) -> None:
    """Let nobody's unread count hold an answer that was taken back; its mails were not sent yet."""
    said = events_with(recorded.event.idea_id, IdeaAnswered.name, "answer_id", recorded.event.answer_id)
    count_as_read(recorded, Notification.event_id.in_(said))


def forget_undone_hiding(recorded: Recorded) -> None:
    """Take the line back that told the author of it, and the mail that waits with it."""
    _unsay(recorded.event.hidden_by)


def forget_undone_publication(recorded: Recorded) -> None:
    """Take the line back that told the author of it, and the mail that waits with it."""
    _unsay(recorded.event.published_by)


def tell_of_merge(recorded: Recorded) -> None:
    """Tell the people of the merged idea where it lives now; nobody of a merge that was taken back at once."""
    idea = idea_of(recorded)
    merge = merge_of(idea) if idea else None
    if idea is not None and merge is not None and merge.id == recorded.event.change_id:
        tell_audience(recorded, Kind.MERGED, idea)
        tell_owner_too(recorded, Kind.MERGED, idea)


def tell_of_undone_merge(recorded: Recorded) -> None:
    """Tell whoever was told of a merge, and whoever made it, that it was taken back; note how many that is."""
    idea, merge_id = idea_of(recorded), recorded.event.merge_id
    if idea is None or merge_id is None:
        return
    tell(recorded, Kind.MERGE_UNDONE, told_of_merge(idea, merge_id, recorded.event.actor_id))
    merge, change = db.session.get(StatusChange, merge_id), db.session.get(StatusChange, recorded.event.change_id)
    tell_one(recorded, Kind.MERGE_UNDONE, Reason.OWNER, merge.actor_id if merge else None)
    if change is not None:
        told = select(sa.func.count()).where(Notification.event_id == recorded.id)
        change.told = db.session.scalar(told) or 0


def tell_of_objection(recorded: Recorded) -> None:
    """Tell whoever made a merge, and who looks after the two ideas; one line stands for all until it was read."""
    idea, merge = idea_of(recorded), db.session.get(StatusChange, recorded.event.change_id)
    if idea is None or merge is None or count_objections(idea.id) == 0:
        return
    main_owner = idea.merged_into.owner_id if idea.merged_into else None
    known = select(Notification.user_id).where(
        Notification.idea_id == idea.id, Notification.kind == Kind.MERGE_OBJECTED, Notification.read_at.is_(None)
    )
    for user_id in {merge.actor_id, idea.owner_id, main_owner} - set(db.session.scalars(known)):
        tell_one(recorded, Kind.MERGE_OBJECTED, Reason.OWNER, user_id)


def count_objection_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold objections of which none is left."""
    idea_id = recorded.event.idea_id
    if idea_id is not None and count_objections(idea_id) == 0:
        count_as_read(recorded, (Notification.idea_id == idea_id) & (Notification.kind == Kind.MERGE_OBJECTED))


def remind_of_question(recorded: Recorded) -> None:
    """Remind the author that the team waits for an answer, if it still does."""
    idea = idea_of(recorded)
    if idea and idea.status is Status.NEEDS_INFO:
        tell_author(recorded, Kind.QUESTION_REMINDER)


def tell_proposer(recorded: Recorded) -> None:
    """Tell a member what became of the duplicate they proposed."""
    tell_one(recorded, Kind.PROPOSAL_SETTLED, Reason.PROPOSER, recorded.event.user_id)


def ask_for_verdicts(recorded: Recorded) -> None:
    """Ask everybody behind an idea that came out whether it solves their need."""
    idea = idea_of(recorded)
    if idea is not None:
        tell(recorded, Kind.VERDICT_ASKED, backers_of(idea))


def ask_about_credit(recorded: Recorded) -> None:
    """Ask somebody who had a part in what came out whether it may name them."""
    idea, user_id = idea_of(recorded), recorded.event.user_id
    if idea is not None:
        reason = Reason.AUTHOR if idea.author_id == user_id else Reason.FOLLOWER
        tell_one(recorded, Kind.CREDITED, reason, user_id, also_of_own_act=True)


def tell_author_of_votes(recorded: Recorded) -> None:
    """Tell the author of the first vote by somebody else, and of a few round numbers after it."""
    idea = idea_of(recorded)
    if idea is None or idea.author_id is None or recorded.event.actor_id == idea.author_id:
        return
    if has_muted(idea.author_id, idea, also_quiet=False):
        return
    others = select(sa.func.count(sa.distinct(Vote.voter_id))).where(
        counts_for(idea.id), Vote.voter_id != idea.author_id, Vote.cast_at <= recorded.at
    )
    votes = db.session.scalar(others)
    told = select(sa.func.count()).where(
        Notification.user_id == idea.author_id, Notification.idea_id == idea.id, Notification.kind == Kind.VOTED
    )
    # A vote taken back and cast again reaches the same number twice.
    if votes in VOTES_WORTH_TELLING and (db.session.scalar(told) or 0) <= VOTES_WORTH_TELLING.index(votes):
        tell_author(recorded, Kind.VOTED)


def tell_of_vote_given(recorded: Recorded) -> None:
    """Tell somebody with an account that the team voted for them; nobody whose vote is gone again already."""
    idea, user_id = idea_of(recorded), recorded.event.user_id
    given = select(Vote.idea_id).where(Vote.voter_id == user_id, Vote.origin == VoteOrigin.BEHALF)
    if idea is not None and db.session.scalar(given.where(counts_for(idea.id)).limit(1)) is not None:
        tell_one(recorded, Kind.SPOKEN_FOR, Reason.VOTER, user_id)


def tell_of_comment(recorded: Recorded) -> None:
    """Tell whoever was replied to, then the others who take part; nobody of words that are gone already."""
    idea, comment = idea_of(recorded), db.session.get(Comment, recorded.event.comment_id)
    if idea is None or comment is None or comment.deleted_at is not None:
        return
    answered = db.session.get(Comment, recorded.event.reply_to_id) if recorded.event.reply_to_id else None
    if answered and not has_muted(answered.author_id, idea):
        tell_one(recorded, Kind.REPLIED, Reason.COMMENTER, answered.author_id)
    for user_id in recorded.event.mentioned:
        called = db.session.get(User, user_id)
        if called is not None and sees(called, idea) and not has_muted(user_id, idea):
            tell_one(recorded, Kind.MENTIONED, Reason.MENTIONED, user_id)
    tell_audience(recorded, Kind.COMMENTED, idea)
    tell_owner_too(recorded, Kind.COMMENTED, idea)


def count_comment_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold words that are gone: no inbox shows them."""
    posted = select(EventRecord.id).where(
        EventRecord.idea_id == recorded.event.idea_id,
        EventRecord.name == CommentPosted.name,
        EventRecord.data["comment_id"].as_integer() == recorded.event.comment_id,
    )
    count_as_read(recorded, Notification.event_id.in_(posted))


def _unsay(event_id: int) -> None:
    """Drop the lines that tell of an event, with the mails that wait; what was mailed stays said."""
    mailed = select(Mail.notification_id).where(Mail.done_at.is_not(None), Mail.suppressed.is_(None))
    sent = mailed.where(Mail.notification_id.is_not(None))
    unsent = sa.delete(Notification).where(Notification.event_id == event_id, Notification.id.not_in(sent))
    db.session.execute(unsent, execution_options={"synchronize_session": False})
