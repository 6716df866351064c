"""What follows for people from what happened: one notification each, and the mails that carry some of them."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, String, literal, select

from portal.accounts.models import User
from portal.comments.calling import sees
from portal.comments.events import CommentPosted
from portal.comments.models import Comment
from portal.db import UTCDateTime, db, insert_absent, utcnow
from portal.events import EventRecord, Recorded
from portal.ideas.events import IdeaAnswered, IdeaMoved
from portal.ideas.followers import REASONS, backers_of
from portal.ideas.merges import count_objections, merge_of
from portal.ideas.models import Answer, Follow, Idea, StatusChange, Vote, VoteOrigin
from portal.ideas.steps import Tell
from portal.ideas.supporters import counts_for
from portal.ideas.taking_back import fold_window
from portal.ideas.workflow import Status
from portal.notifications import pushing, service
from portal.notifications.deciding import decided
from portal.notifications.digests import making as digests
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import HELD_KINDS, VOTES_WORTH_TELLING, Kind, Reason, Way, kind_of_move, ways
from portal.notifications.recipients import audience
from portal.notifications.told_before import events_with, told_of_merge, told_of_move, was_mailed
from portal.talk.events import NoteWritten
from portal.talk.models import AnswerDraft, Note


def ask_to_confirm_address(recorded: Recorded) -> None:
    """Send a new member the link that shows the address is theirs."""
    user = db.session.get(User, recorded.event.user_id)
    if user and (not user.confirmed_at or user.mail_stopped_at):
        service.queue_confirmation(user, key=f"confirm-{recorded.id}")


def tell_of_receipt(recorded: Recorded) -> None:
    """Give the author a receipt with the date by which we answer."""
    _tell_author(recorded, Kind.RECEIVED)


def tell_of_publication(recorded: Recorded) -> None:
    """Tell the author that the idea can be seen now."""
    _tell_author(recorded, Kind.PUBLISHED)


def tell_of_hiding(recorded: Recorded) -> None:
    """Tell the author that the idea was taken out of sight, and why, unless that was taken back at once."""
    idea = _idea(recorded)
    if idea is not None and not idea.is_published:
        _tell_author(recorded, Kind.HIDDEN)


def tell_of_move(recorded: Recorded) -> None:
    """Tell everybody behind the idea where it stands now; an answered question concerns its owner only."""
    idea = _idea(recorded)
    if idea is None:
        return
    change = db.session.get(StatusChange, recorded.event.change_id)
    if change is not None and change.undone_at is not None:
        return
    source, target = Status(recorded.event.source), Status(recorded.event.target)
    kind = kind_of_move(source, target, recorded.event.news)
    if (source, target) == (Status.NEW, Status.UNDER_REVIEW):
        _tell_owner(recorded, Kind.ASSIGNED, idea)
    tells = recorded.event.tells
    if tells is None:
        tells = [] if (source, target) == (Status.NEEDS_INFO, Status.UNDER_REVIEW) else list(REASONS)
    if tells:
        _tell_audience(recorded, kind, idea, tells)
    _tell_owner(recorded, kind, idea)


def tell_who_asked(recorded: Recorded) -> None:
    """Tell the colleague who asked a question that it was answered, or never was; owners hear of it as such."""
    idea, change = _idea(recorded), db.session.get(StatusChange, recorded.event.change_id)
    if idea is None or change is None or change.undone_at is not None:
        return
    if (change.source, change.target) != (Status.NEEDS_INFO, Status.UNDER_REVIEW):
        return
    asked = sa.select(User).join(StatusChange, StatusChange.actor_id == User.id)
    asked = asked.where(StatusChange.idea_id == idea.id, StatusChange.target == Status.NEEDS_INFO)
    asked = asked.where(StatusChange.id < change.id, StatusChange.undone_at.is_(None))
    asker = db.session.scalar(asked.order_by(StatusChange.id.desc()).limit(1))
    if asker is not None and asker.id != idea.owner_id and asker.is_staff_on(idea.board_id):
        _tell_one(recorded, Kind.QUESTION_SETTLED, Reason.WRITER, asker.id)


def tell_of_answer(recorded: Recorded) -> None:
    """Tell everybody behind the idea what the team said."""
    idea, answer = _idea(recorded), db.session.get(Answer, recorded.event.answer_id)
    if idea is not None and not (answer and answer.taken_back_at):
        _tell_audience(recorded, Kind.ANSWERED, idea)
        _tell_owner(recorded, Kind.ANSWERED, idea)


def tell_of_undone_move(recorded: Recorded) -> None:
    """Tell those who had heard of a move that it was taken back; for all others its line is gone, as if unsaid."""
    idea = _idea(recorded)
    if idea is None:
        return
    moved = events_with(idea.id, IdeaMoved.name, "change_id", recorded.event.change_id)
    _tell(recorded, Kind.MOVE_UNDONE, told_of_move(idea, moved, recorded.event), mailed=was_mailed(moved))
    _count_as_read(recorded, Notification.event_id.in_(moved))


def forget_undone_answer(recorded: Recorded) -> None:
    """Let nobody's unread count hold an answer that was taken back; its mails were not sent yet."""
    said = events_with(recorded.event.idea_id, IdeaAnswered.name, "answer_id", recorded.event.answer_id)
    _count_as_read(recorded, Notification.event_id.in_(said))


def forget_undone_hiding(recorded: Recorded) -> None:
    """Take the line back that told the author of it, and the mail that waits with it."""
    mailed = select(Mail.notification_id).where(Mail.done_at.is_not(None), Mail.suppressed.is_(None))
    unsaid = Notification.event_id == recorded.event.hidden_by
    sent = mailed.where(Mail.notification_id.is_not(None))
    unsent = sa.delete(Notification).where(unsaid, Notification.id.not_in(sent))
    db.session.execute(unsent, execution_options={"synchronize_session": False})


def tell_of_merge(recorded: Recorded) -> None:
    """Tell the people of the merged idea where it lives now; nobody of a merge that was taken back at once."""
    idea = _idea(recorded)
    merge = merge_of(idea) if idea else None
    if idea is not None and merge is not None and merge.id == recorded.event.change_id:
        _tell_audience(recorded, Kind.MERGED, idea)
        _tell_owner(recorded, Kind.MERGED, idea)


def tell_of_undone_merge(recorded: Recorded) -> None:
    """Tell whoever was told of a merge, and whoever made it, that it was taken back; note how many that is."""
    idea, merge_id = _idea(recorded), recorded.event.merge_id
    if idea is None or merge_id is None:
        return
    _tell(recorded, Kind.MERGE_UNDONE, told_of_merge(idea, merge_id, recorded.event.actor_id))
    merge, change = db.session.get(StatusChange, merge_id), db.session.get(StatusChange, recorded.event.change_id)
    _tell_one(recorded, Kind.MERGE_UNDONE, Reason.OWNER, merge.actor_id if merge else None)
    if change is not None:
        told = select(sa.func.count()).where(Notification.event_id == recorded.id)
        change.told = db.session.scalar(told) or 0


def tell_of_objection(recorded: Recorded) -> None:
    """Tell whoever made a merge, and who looks after the two ideas; one line stands for all until it was read."""
    idea, merge = _idea(recorded), db.session.get(StatusChange, recorded.event.change_id)
    if idea is None or merge is None or count_objections(idea.id) == 0:
        return
    main_owner = idea.merged_into.owner_id if idea.merged_into else None
    known = select(Notification.user_id).where(
        Notification.idea_id == idea.id, Notification.kind == Kind.MERGE_OBJECTED, Notification.read_at.is_(None)
    )
    for user_id in {merge.actor_id, idea.owner_id, main_owner} - set(db.session.scalars(known)):
        _tell_one(recorded, Kind.MERGE_OBJECTED, Reason.OWNER, user_id)


def count_objection_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold objections of which none is left."""
    idea_id = recorded.event.idea_id
    if idea_id is not None and count_objections(idea_id) == 0:
        _count_as_read(recorded, (Notification.idea_id == idea_id) & (Notification.kind == Kind.MERGE_OBJECTED))


def remind_of_question(recorded: Recorded) -> None:
    """Remind the author that the team waits for an answer, if it still does."""
    idea = _idea(recorded)
    if idea and idea.status is Status.NEEDS_INFO:
        _tell_author(recorded, Kind.QUESTION_REMINDER)


def tell_owner(recorded: Recorded) -> None:
    """Tell somebody that an idea is theirs to look after; it is news no more for whoever it was given to before."""
    others = (Notification.kind == Kind.ASSIGNED) & (Notification.idea_id == recorded.event.idea_id)
    _count_as_read(recorded, others & (Notification.user_id != (recorded.event.owner_id or 0)))
    _tell_one(recorded, Kind.ASSIGNED, Reason.OWNER, recorded.event.owner_id)


def tell_owner_of_late_promise(recorded: Recorded) -> None:
    """Tell whoever looks after an idea that the day passed by which the next word was promised, if none came since."""
    idea = _idea(recorded)
    if idea is not None and idea.due_at is not None and idea.due_at < utcnow():
        _tell_owner(recorded, Kind.PROMISE_LATE, idea)


def count_late_promise_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold a promise for which the word came, or another day was named."""
    idea = _idea(recorded)
    if idea is not None and (idea.due_at is None or idea.due_at > utcnow()):
        late = Notification.kind == Kind.PROMISE_LATE
        _count_as_read(recorded, (Notification.idea_id == idea.id) & late)


def tell_proposer(recorded: Recorded) -> None:
    """Tell a member what became of the duplicate they proposed."""
    _tell_one(recorded, Kind.PROPOSAL_SETTLED, Reason.PROPOSER, recorded.event.user_id)


def ask_for_verdicts(recorded: Recorded) -> None:
    """Ask everybody behind an idea that came out whether it solves their need."""
    idea = _idea(recorded)
    if idea is not None:
        _tell(recorded, Kind.VERDICT_ASKED, backers_of(idea))


def ask_about_credit(recorded: Recorded) -> None:
    """Ask somebody who had a part in what came out whether it may name them."""
    idea, user_id = _idea(recorded), recorded.event.user_id
    if idea is not None:
        reason = Reason.AUTHOR if idea.author_id == user_id else Reason.FOLLOWER
        _tell_one(recorded, Kind.CREDITED, reason, user_id, also_of_own_act=True)


def tell_author_of_votes(recorded: Recorded) -> None:
    """Tell the author of the first vote by somebody else, and of a few round numbers after it."""
    idea = _idea(recorded)
    if idea is None or idea.author_id is None or recorded.event.actor_id == idea.author_id:
        return
    if _has_muted(idea.author_id, idea, also_quiet=False):
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
        _tell_author(recorded, Kind.VOTED)


def tell_of_vote_given(recorded: Recorded) -> None:
    """Tell somebody with an account that the team voted for them; nobody whose vote is gone again already."""
    idea, user_id = _idea(recorded), recorded.event.user_id
    given = select(Vote.idea_id).where(Vote.voter_id == user_id, Vote.origin == VoteOrigin.BEHALF)
    if idea is not None and db.session.scalar(given.where(counts_for(idea.id)).limit(1)) is not None:
        _tell_one(recorded, Kind.SPOKEN_FOR, Reason.VOTER, user_id)


def tell_of_comment(recorded: Recorded) -> None:
    """Tell whoever was replied to, then the others who take part; nobody of words that are gone already."""
    idea, comment = _idea(recorded), db.session.get(Comment, recorded.event.comment_id)
    if idea is None or comment is None or comment.deleted_at is not None:
        return
    answered = db.session.get(Comment, recorded.event.reply_to_id) if recorded.event.reply_to_id else None
    if answered and not _has_muted(answered.author_id, idea):
        _tell_one(recorded, Kind.REPLIED, Reason.COMMENTER, answered.author_id)
    for user_id in recorded.event.mentioned:
        called = db.session.get(User, user_id)
        if called is not None and sees(called, idea) and not _has_muted(user_id, idea):
            _tell_one(recorded, Kind.MENTIONED, Reason.MENTIONED, user_id)
    _tell_audience(recorded, Kind.COMMENTED, idea)
    _tell_owner(recorded, Kind.COMMENTED, idea)


def tell_of_matches(recorded: Recorded) -> None:
    """Tell whoever keeps a search of the new ideas that answer it."""
    _tell_one(recorded, Kind.MATCHED, Reason.WATCHER, recorded.event.user_id)


def tell_of_note(recorded: Recorded) -> None:
    """Tell whom a note for the team calls by name, and whoever looks after the idea; nobody of one that is gone."""
    idea, note = _idea(recorded), db.session.get(Note, recorded.event.note_id)
    if idea is None or note is None or note.deleted_at is not None:
        return
    for user_id in recorded.event.mentioned:
        _tell_one(recorded, Kind.NOTED, Reason.MENTIONED, user_id)
    _tell_owner(recorded, Kind.NOTED, idea)


def count_note_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold a note that is gone."""
    said = events_with(recorded.event.idea_id, NoteWritten.name, "note_id", recorded.event.note_id)
    _count_as_read(recorded, Notification.event_id.in_(said))


def ask_reviewer(recorded: Recorded) -> None:
    """Tell a colleague that a draft waits for their look."""
    _tell_one(recorded, Kind.REVIEW_ASKED, Reason.REVIEWER, recorded.event.reviewer_id)


def tell_of_review(recorded: Recorded) -> None:
    """Tell those who have a part in a draft what was said about it, or that it went out."""
    draft = db.session.get(AnswerDraft, recorded.event.draft_id)
    if draft is not None:
        for user_id in (draft.author_id, draft.edited_by_id):
            _tell_one(recorded, Kind.REVIEWED, Reason.WRITER, user_id)
        _tell_one(recorded, Kind.REVIEWED, Reason.REVIEWER, draft.reviewer_id)


def tell_of_held_back(recorded: Recorded) -> None:
    """Tell whoever planned a draft that it did not go out, and why."""
    _tell_one(recorded, Kind.HELD_BACK, Reason.WRITER, recorded.event.user_id)


def count_comment_as_read(recorded: Recorded) -> None:
    """Let nobody's unread count hold words that are gone: no inbox shows them."""
    posted = select(EventRecord.id).where(
        EventRecord.idea_id == recorded.event.idea_id,
        EventRecord.name == CommentPosted.name,
        EventRecord.data["comment_id"].as_integer() == recorded.event.comment_id,
    )
    _count_as_read(recorded, Notification.event_id.in_(posted))


def _count_as_read(recorded: Recorded, which: ColumnElement[bool]) -> None:
    told = sa.update(Notification).where(which, Notification.read_at.is_(None))
    db.session.execute(told.values(read_at=recorded.at), execution_options={"synchronize_session": False})


def _tell_audience(recorded: Recorded, kind: Kind, idea: Idea, among: Collection[str] = REASONS) -> None:
    _tell(recorded, kind, audience(kind, idea.id, recorded.event.actor_id, among))


def _tell_author(recorded: Recorded, kind: Kind) -> None:
    """Authors hear of their own posting, as a receipt, and otherwise only of what others do."""
    idea = _idea(recorded)
    if idea is not None:
        _tell_one(recorded, kind, Reason.AUTHOR, idea.author_id, also_of_own_act=kind is Kind.RECEIVED)


def _tell_owner(recorded: Recorded, kind: Kind, idea: Idea) -> None:
    if Reason.OWNER in ways(kind):
        _tell_one(recorded, kind, Reason.OWNER, idea.owner_id)


def _tell_one(
    recorded: Recorded, kind: Kind, reason: Reason, user_id: int | None, also_of_own_act: bool = False
) -> None:
    if user_id is not None and (also_of_own_act or user_id != recorded.event.actor_id):
        person = select(User.id.label("user_id"), literal(reason.value, String).label("reason"))
        _tell(recorded, kind, person.where(User.id == user_id, User.suspended_at.is_(None)))


def _tell(recorded: Recorded, kind: Kind, people: Select[int, str], mailed: ColumnElement[bool] | None = None) -> None:
    """Write a notification for each of ``people`` (user_id, reason) who has none of this event, and mails for some.

    What was done with many ideas at once is mailed once for all of it, by whoever did it; or nobody hears of it. Who
    is not ``mailed`` what others are reads it in the digest.
    """
    tell = Tell(getattr(recorded.event, "tell", Tell.EVERYBODY))
    if tell is Tell.NOBODY:
        return
    idea = _idea(recorded)
    told = decided(kind, people, idea.board_id if idea else None).subquery()
    insert_absent(
        Notification,
        ["user_id", "event_id", "idea_id", "kind", "reason", "way", "at"],
        select(
            told.c.user_id,
            literal(recorded.id),
            literal(recorded.event.idea_id),
            literal(kind.value, String),
            told.c.reason,
            told.c.way,
            literal(recorded.at, UTCDateTime),
        ),
    )
    if mailed is not None:
        _keep_for_digest(recorded, kind, mailed)
    digests.expect(recorded.id)
    if tell is Tell.DIGEST:
        return
    due = max(utcnow(), recorded.at + fold_window()) if kind in HELD_KINDS else utcnow()
    insert_absent(
        Mail,
        ["key", "kind", "user_id", "notification_id", "available_at"],
        select(
            literal(f"event-{recorded.id}-", String) + sa.cast(Notification.user_id, String),
            Notification.kind,
            Notification.user_id,
            Notification.id,
            literal(due, UTCDateTime),
        ).where(Notification.event_id == recorded.id, Notification.kind == kind, Notification.way == Way.MAIL),
    )
    pushing.queue(recorded.id, kind, due, told)


def _keep_for_digest(recorded: Recorded, kind: Kind, mailed: ColumnElement[bool]) -> None:
    others = (Notification.event_id == recorded.id) & (Notification.kind == kind) & (Notification.way == Way.MAIL)
    later = sa.update(Notification).where(others, ~mailed).values(way=Way.DIGEST)
    db.session.execute(later, execution_options={"synchronize_session": False})


def _has_muted(user_id: int | None, idea: Idea, also_quiet: bool = True) -> bool:
    silent = Follow.muted if also_quiet else Follow.muted | Follow.decisions_only
    muted = select(Follow.user_id).where(Follow.user_id == user_id, Follow.idea_id == idea.id, silent)
    return db.session.scalar(muted) is not None


def _idea(recorded: Recorded) -> Idea | None:
    return db.session.get(Idea, recorded.event.idea_id)
