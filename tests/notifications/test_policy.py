"""Who is told of what: each row of the table, and the rules that hold for all rows."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from portal import events, outbox
from portal.accounts.roles import Role
from portal.comments import service as comments
from portal.db import db
from portal.events import EventRecord
from portal.ideas import merging, moves, objections
from portal.ideas import service as ideas
from portal.ideas.events import IdeaMoved, InfoStillNeeded
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import POLICY, Kind, Way, kind_of_move
from portal.transactions import transaction
from tests.factories import make_comment, make_idea, make_user, move_to
from tests.support.beginning import MOVES

ANSWER = MoveDetails(answer="This is what we say.", reversal="Ten more people.", reason="Things changed.")


class Cast:
    """An idea with one person for each reason to be told of it, and staff who act."""

    def __init__(self, publication: Publication = Publication.PUBLISHED) -> None:
        self.pm, self.owner = make_user(Role.PM), make_user(Role.PM, name="Owner")
        self.author, self.voter = make_user(name="Author"), make_user(name="Voter")
        self.commenter, self.follower = make_user(name="Commenter"), make_user(name="Follower")
        self.bystander = make_user(name="Bystander")
        self.idea = make_idea(author=self.author, publication=publication, owner_id=self.owner.id)
        if publication is Publication.PUBLISHED:
            with transaction():
                ideas.cast_vote(self.idea, self.voter)
                ideas.follow(self.idea, self.follower)
            self.comment = make_comment(self.idea, author=self.commenter)
        forget_what_was_told()

    def reasons_told(self, kind: Kind) -> dict[str, str]:
        """Who of the cast was told of this kind, and how."""
        outbox.work_off(500)
        names = {
            self.author.id: "author",
            self.voter.id: "voter",
            self.commenter.id: "commenter",
            self.follower.id: "follower",
            self.owner.id: "owner",
            self.pm.id: "pm",
            self.bystander.id: "bystander",
        }
        mailed = set(db.session.scalars(select(Mail.notification_id)))
        rows = db.session.scalars(select(Notification).where(Notification.kind == kind)).all()
        assert all(row.reason == names[row.user_id] for row in rows)
        assert {row.id for row in rows if row.way == Way.MAIL} == {row.id for row in rows if row.id in mailed}
        return {names[row.user_id]: Way(row.way) for row in rows}


def forget_what_was_told() -> None:
    """Carry out what follows so far, and start from an empty inbox."""
    outbox.work_off(500)
    with transaction():
        for table in (Mail, Notification):
            for row in db.session.scalars(select(table)):
                db.session.delete(row)
            db.session.flush()


def move(cast: Cast, source: Status, target: Status, details: MoveDetails = ANSWER) -> None:
    """Make a move, from a status that is simply given."""
    move_to(cast.idea, source)
    with transaction():
        moves.move_idea(cast.idea, target, cast.pm, details)


def merge(cast: Cast) -> None:
    """Join the idea with one of other people."""
    main = make_idea()
    forget_what_was_told()
    with transaction():
        moves.move_idea(cast.idea, Status.MERGED, cast.pm, MoveDetails(into=main))


def undo_merge(cast: Cast) -> None:
    """Join it, and take that back."""
    merge(cast)
    outbox.work_off(500)  # only whoever was told of the merge is told of its end
    with transaction():
        merging.undo_merge(cast.idea, cast.pm, "They differ.")


def object_to_merge(cast: Cast) -> None:
    """Join it, and let a voter say that it is something else."""
    forget_what_was_told()
    with transaction():
        moves.move_idea(cast.idea, Status.MERGED, cast.owner, MoveDetails(into=make_idea()))
    with transaction():
        objections.object_to_merge(cast.idea, cast.voter, "I meant the other door.")


def remind(cast: Cast) -> None:
    """Let a question wait for a week."""
    move_to(cast.idea, Status.NEEDS_INFO)
    with transaction():
        events.emit(InfoStillNeeded(idea_id=cast.idea.id))


def reassign(cast: Cast) -> None:
    """Take the idea from its owner and give it back."""
    for owner in (None, cast.owner):
        with transaction():
            moves.assign_owner(cast.idea, owner, cast.pm)


def within(act: Callable[[Cast], object]) -> Callable[[Cast], None]:
    """Do it in one transaction."""

    def done(cast: Cast) -> None:
        with transaction():
            act(cast)

    return done


ACTS: dict[Kind, Callable[[Cast], None]] = {
    Kind.HIDDEN: within(lambda cast: ideas.hide_idea(cast.idea, cast.pm, "It names a person.")),
    Kind.DECIDED: lambda cast: move(cast, Status.UNDER_REVIEW, Status.PLANNED),
    Kind.PROGRESSED: lambda cast: move(cast, Status.PLANNED, Status.IN_PROGRESS),
    Kind.NEEDS_INFO: lambda cast: move(cast, Status.UNDER_REVIEW, Status.NEEDS_INFO),
    Kind.QUESTION_REMINDER: remind,
    Kind.ANSWERED: within(lambda cast: moves.answer_idea(cast.idea, cast.pm, ANSWER)),
    Kind.COMMENTED: within(lambda cast: comments.post_comment(cast.idea, cast.bystander, "Me too.")),
    Kind.REPLIED: within(lambda cast: comments.post_comment(cast.idea, cast.bystander, "So do I.", cast.comment)),
    Kind.MERGED: merge,
    Kind.MERGE_UNDONE: undo_merge,
    Kind.MERGE_OBJECTED: object_to_merge,
    Kind.ASSIGNED: reassign,
}


@pytest.mark.parametrize("kind", ACTS)
def test_each_row_of_the_policy_tells_exactly_its_people(app, kind):
    cast = Cast()

    ACTS[kind](cast)

    assert cast.reasons_told(kind) == {reason.value: way for reason, way in POLICY[kind].items()}


def test_an_author_gets_a_receipt_by_mail(app):
    author = make_user()

    make_idea(author=author)
    outbox.work_off()

    assert db.session.scalars(select(Mail.kind).where(Mail.user_id == author.id)).all() == ["received"]


def test_an_author_hears_when_a_held_idea_is_let_through(app):
    cast = Cast(Publication.HELD)
    moderator = make_user(Role.MODERATOR)

    with transaction():
        ideas.publish_idea(cast.idea, moderator)
    outbox.work_off()

    assert db.session.scalars(select(Mail.kind).where(Mail.user_id == cast.author.id)).all() == ["published"]


@pytest.mark.parametrize(("source", "target"), MOVES)
def test_every_move_of_the_workflow_has_its_kind(source, target):
    decided = {Status.PLANNED, Status.SHIPPED, Status.DECLINED, Status.NOT_NOW, Status.AVAILABLE}
    reopened = target is Status.UNDER_REVIEW and source not in {Status.NEW, Status.NEEDS_INFO}

    kind = kind_of_move(source, target)

    assert (kind is Kind.DECIDED) is (target in decided or reopened)


def test_nobody_is_told_of_their_own_act(app):
    cast = Cast()

    with transaction():
        comments.post_comment(cast.idea, cast.commenter, "One more thing.")
        comments.post_comment(cast.idea, cast.author, "Thank you.", cast.comment)
        ideas.cast_vote(cast.idea, cast.follower)
    with transaction():
        moves.assign_owner(cast.idea, cast.pm, cast.pm)
    outbox.work_off()

    told = db.session.execute(
        select(Notification.user_id, EventRecord.actor_id).join(EventRecord, EventRecord.id == Notification.event_id)
    ).all()
    assert told
    assert all(user_id != actor_id for user_id, actor_id in told)


def test_somebody_with_several_reasons_hears_once_for_the_strongest(app):
    cast = Cast()
    with transaction():
        ideas.cast_vote(cast.idea, cast.commenter)
        ideas.follow(cast.idea, cast.commenter)

    move(cast, Status.UNDER_REVIEW, Status.PLANNED)
    outbox.work_off()

    mine = select(Notification.reason).where(Notification.user_id == cast.commenter.id)
    assert db.session.scalars(mine).all() == ["voter"]


def test_a_voter_who_also_comments_hears_of_comments(app):
    cast = Cast()
    with transaction():
        ideas.cast_vote(cast.idea, cast.commenter)

    with transaction():
        comments.post_comment(cast.idea, cast.bystander, "Me too.")
    outbox.work_off()

    mine = select(Notification.kind, Notification.reason).where(Notification.user_id == cast.commenter.id)
    assert db.session.execute(mine).all() == [("commented", "commenter")]


def test_whoever_is_replied_to_is_not_told_of_the_comment_as_well(app):
    cast = Cast()

    with transaction():
        comments.post_comment(cast.idea, cast.voter, "I agree.", cast.comment)
    outbox.work_off()

    mine = select(Notification.kind).where(Notification.user_id == cast.commenter.id)
    assert db.session.scalars(mine).all() == ["replied"]


def test_whoever_is_answered_within_a_thread_hears_of_the_reply_and_its_beginner_of_a_comment(app):
    idea, beginner, second = make_idea(), make_user(), make_user()
    first = make_comment(idea, author=beginner)
    reply = make_comment(idea, author=second, reply_to=first)
    forget_what_was_told()

    make_comment(idea, reply_to=reply)
    outbox.work_off()

    told = select(Notification.user_id, Notification.kind).where(Notification.user_id.in_([beginner.id, second.id]))
    assert dict(db.session.execute(told).all()) == {beginner.id: "commented", second.id: "replied"}


def test_a_comment_that_is_gone_before_anybody_was_told_tells_nobody(app):
    comment = make_comment()
    with transaction():
        comments.delete_comment(comment, comment.author)

    outbox.work_off()

    assert count(Notification, Notification.kind == Kind.COMMENTED) == 0


def test_an_author_who_muted_the_idea_hears_of_no_votes(app):
    author = make_user()
    idea = make_idea(author=author)
    with transaction():
        ideas.unfollow(idea, author)

    with transaction():
        ideas.cast_vote(idea, make_user())
    outbox.work_off()

    assert count(Notification, Notification.kind == Kind.VOTED) == 0


def test_reactions_that_run_twice_change_nothing(app):
    cast = Cast()
    move(cast, Status.UNDER_REVIEW, Status.PLANNED)
    outbox.work_off()
    before = count(Notification), count(Mail)

    record = db.session.scalars(select(EventRecord).where(EventRecord.name == IdeaMoved.name)).one()
    for reaction in events.reactions_to(IdeaMoved):
        with transaction():
            reaction(events.read(record))

    assert (count(Notification), count(Mail)) == before
    assert before == (5, 4)


def test_only_the_owner_hears_that_a_question_was_answered(app):
    cast = Cast()
    move_to(cast.idea, Status.NEEDS_INFO)

    with transaction():
        moves.resume_review(cast.idea, "The author answered.")

    assert cast.reasons_told(Kind.PROGRESSED) == {"owner": Way.INBOX}


def test_a_new_owner_hears_of_it_by_mail_and_once(app):
    cast = Cast()

    move(cast, Status.NEW, Status.UNDER_REVIEW, MoveDetails(owner=cast.owner))
    outbox.work_off()

    mine = select(Notification.kind).where(Notification.user_id == cast.owner.id)
    assert db.session.scalars(mine).all() == ["assigned"]
    assert count(Mail, Mail.user_id == cast.owner.id) == 1


def test_a_question_is_not_reminded_of_once_it_was_answered(app):
    cast = Cast()
    with transaction():
        events.emit(InfoStillNeeded(idea_id=cast.idea.id))

    outbox.work_off()

    assert count(Notification) == 0


def test_a_muted_idea_tells_nothing(app):
    cast = Cast()
    with transaction():
        ideas.unfollow(cast.idea, cast.commenter)

    with transaction():
        comments.post_comment(cast.idea, cast.voter, "I agree.", cast.comment)
    move(cast, Status.UNDER_REVIEW, Status.PLANNED)
    outbox.work_off()

    assert count(Notification, Notification.user_id == cast.commenter.id) == 0


def test_people_behind_merged_ideas_hear_of_the_main_one(app):
    cast, main = Cast(), make_idea()
    with transaction():
        moves.move_idea(cast.idea, Status.MERGED, cast.pm, MoveDetails(into=main))
    forget_what_was_told()

    with transaction():
        moves.answer_idea(db.session.get_one(Idea, main.id), cast.pm, ANSWER)
    outbox.work_off()

    assert count(Notification, Notification.user_id == cast.voter.id) == 1


def test_an_author_hears_of_votes_at_round_numbers_only(app):
    author = make_user()
    idea = make_idea(author=author)
    forget_what_was_told()

    for _ in range(6):
        with transaction():
            ideas.cast_vote(idea, make_user())
    outbox.work_off()

    assert count(Notification, Notification.kind == Kind.VOTED) == 2  # the first and the fifth


def test_a_vote_taken_back_and_cast_again_is_no_news(app):
    idea, voter = make_idea(), make_user()

    for _ in range(3):
        with transaction():
            ideas.cast_vote(idea, voter)
        outbox.work_off()
        with transaction():
            ideas.withdraw_vote(idea, voter)

    assert count(Notification, Notification.kind == Kind.VOTED) == 1


def test_telling_many_takes_the_same_statements_as_telling_few(app, monkeypatch):
    few, many = make_idea(), make_idea()
    for idea, number in ((few, 2), (many, 25)):
        with transaction():
            for _ in range(number):
                ideas.follow(idea, make_user())
    forget_what_was_told()
    pm = make_user(Role.PM)

    statements = [count_statements(idea, pm) for idea in (few, many)]

    assert statements[0] == statements[1]


def count_statements(idea: Idea, pm: object) -> int:
    """Count what telling everybody of an answer asks of the database."""
    from sqlalchemy import event

    with transaction():
        moves.answer_idea(idea, pm, ANSWER)
    seen: list[str] = []

    def see(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", see)
    try:
        outbox.work_off()
    finally:
        event.remove(db.engine, "before_cursor_execute", see)
    return len(seen)


def count(table: type, *which: object) -> int:
    """Count rows."""
    return db.session.scalar(select(func.count()).select_from(table).where(*which)) or 0
