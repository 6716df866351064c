"""The demo community: the same on every build, and true to the rules that the portal keeps."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from portal import doctor
from portal.accounts import queries as accounts
from portal.accounts.models import Rules, RulesAcceptance, User
from portal.accounts.passwords import is_right
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.comments.models import Comment, CommentMention, CommentRevision
from portal.db import db, utcnow
from portal.demand.models import Receipt
from portal.demo import builder, content, demand, duplicates, objections
from portal.demo.closed import closed_boards
from portal.demo.names import made_up_names
from portal.demo.plan import make_plan
from portal.duplicates.models import Decision, Proposal, Verdict
from portal.events import EventRecord, OutboxRow
from portal.ideas.models import Idea, Objection, StatusChange, Vote
from portal.ideas.queries import ideas_visible_to
from portal.ideas.workflow import Publication, Status
from portal.notifications.digests import making as digests
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import Kind
from portal.search import index
from tests.support import on_one_database

TODAY = datetime(2026, 5, 6, 12, tzinfo=UTC)
SAID_AGAIN = {title for title, *_said in duplicates.COPIES} | set(duplicates.PROPOSED[:2])


@pytest.fixture(scope="module")
def part():
    """A part of the community: every twelfth idea, whatever people said twice or backed, and all that is hidden."""
    whole = content.load()
    picked = {idea.key for idea in whole.ideas if idea.publication is not Publication.PUBLISHED}
    picked |= {idea.key for idea in whole.ideas[::12]}
    picked |= {idea.key for idea in whole.ideas if idea.author == "member" or idea.title in SAID_AGAIN}
    picked |= {act.idea for act in demand.backings(TODAY)}
    picked |= {step.into for idea in whole.ideas if idea.key in picked for step in idea.path if step.into}
    ideas = tuple(replace(idea, similar_to=()) for idea in whole.ideas if idea.key in picked)
    return replace(whole, ideas=ideas, comments=tuple(comment for comment in whole.comments if comment.idea in picked))


@pytest.fixture
def built(once, part):
    """The part, built."""

    def build():
        now = utcnow()
        builder.build(community=part, now=now, members=100)
        return now

    return part, once("demo", build)


def mean_votes(titles):
    return float(db.session.scalar(select(func.avg(Idea.votes)).where(Idea.title.in_(titles))))


def count(model, *where):
    return db.session.scalar(select(func.count()).select_from(model).where(*where))


def test_the_same_day_gives_the_same_plan(part):
    one, same = make_plan(part, TODAY, 50), make_plan(part, TODAY, 50)
    later = make_plan(part, TODAY + timedelta(days=3), 50)

    assert one == same
    beginnings = [[(act.kind, act.who, act.idea) for act in plan.acts[:50]] for plan in (one, later)]
    assert beginnings[0] == beginnings[1]


def test_the_whole_community_fits_into_the_two_years_before_any_hour():
    whole = content.load()
    for now in (TODAY, TODAY.replace(hour=0, minute=1)):
        plan = make_plan(whole, now, 100)

        assert all(plan.start <= act.at <= now for act in plan.acts)
        assert plan.acts == sorted(plan.acts, key=lambda act: act.at)


def test_names_never_end_and_never_repeat():
    names = made_up_names(Random(1), {"ada wren"})

    many = [next(names) for _name in range(3000)]

    assert len({name.casefold() for name in many}) == 3000


def test_what_is_written_is_there(built):
    part, _now = built

    assert count(Idea) == len(part.ideas) + sum(len(board.ideas) for board in closed_boards())
    assert count(Comment) == len(part.comments)
    assert count(User) == len(part.people) + 100
    statuses = dict(db.session.execute(select(Idea.title, Idea.status)).all())
    assert {idea.title: statuses[idea.title] for idea in part.ideas if idea.status is not Status.NEEDS_INFO} == {
        idea.title: idea.status for idea in part.ideas if idea.status is not Status.NEEDS_INFO
    }
    held = [idea for idea in part.ideas if idea.publication is Publication.HELD]
    assert count(Idea, Idea.publication == Publication.HELD) == len(held)


def test_everything_adds_up(built):
    index.rebuild()

    assert [found.sentence for found in doctor.examine() if found.health is doctor.Health.BROKEN] == []


@on_one_database
def test_nothing_follows_and_no_mail_goes_out_but_the_members_digest(built):
    member = db.session.scalars(select(User.id).where(User.email == "member@fellside.example")).one()

    assert count(OutboxRow) == 0
    assert db.session.execute(select(Mail.user_id, Mail.kind)).all() == [(member, digests.LETTER)]


@on_one_database
def test_people_call_each_other_by_name_and_the_member_reads_of_it(built):
    member = db.session.scalars(select(User.id).where(User.email == "member@fellside.example")).one()
    called = select(User.name).join(CommentMention, CommentMention.user_id == User.id)

    assert {"Robin Hale", "Muriel Tate"} <= set(db.session.scalars(called))
    assert count(Notification, (Notification.user_id == member) & (Notification.kind == Kind.MENTIONED)) == 1


@on_one_database
def test_what_a_comment_said_before_its_edit_can_be_read(built):
    part, _now = built
    edited = [each for each in part.comments if each.before]
    said = select(Comment.body, CommentRevision.body).join(CommentRevision, CommentRevision.comment_id == Comment.id)

    assert edited and db.session.execute(said).all() == [(each.body, each.before) for each in edited]
    assert count(Comment, Comment.edited_at > Comment.at) == len(edited)


@on_one_database
def test_time_goes_forward(built):
    _part, now = built
    records = db.session.execute(select(EventRecord.at).order_by(EventRecord.id)).scalars().all()

    assert records == sorted(records)
    assert records[-1] <= now
    assert count(StatusChange, StatusChange.at > now) == 0
    joined_later = select(Vote).join(User, User.id == Vote.voter_id).where(Vote.cast_at < User.created_at)
    assert db.session.scalars(joined_later).all() == []
    too_soon = select(Comment).join(Idea, Idea.id == Comment.idea_id).where(Comment.at < Idea.published_at)
    assert db.session.scalars(too_soon).all() == []


@on_one_database
def test_votes_follow_appeal_and_rise_among_the_young(built):
    part, now = built
    loved, plain = (
        [idea.title for idea in part.ideas if low <= idea.appeal <= high and idea.publication is Publication.PUBLISHED]
        for low, high in ((15, 100), (1, 4))
    )
    assert mean_votes(loved) > 3 * mean_votes(plain)
    published = select(Idea).where(Idea.publication == Publication.PUBLISHED)
    rising = db.session.scalars(published.order_by(Idea.heat.desc()).limit(5)).all()
    assert sum(idea.published_at > now - timedelta(days=120) for idea in rising) >= 3


@on_one_database
def test_two_rules_were_in_force_and_everybody_agreed(built):
    _part, now = built

    assert [rules.version for rules in db.session.scalars(select(Rules).order_by(Rules.version))] == [1, 2]
    assert count(RulesAcceptance, RulesAcceptance.version == 2) == count(User)
    assert count(RulesAcceptance, RulesAcceptance.accepted_at > now) == 0


@on_one_database
def test_the_shared_accounts_can_be_signed_in_to_and_the_others_not(built):
    for account in builder.ACCOUNTS:
        user = db.session.scalars(select(User).where(User.email == account.email)).one()
        assert (user.role, is_right(builder.PASSWORD, user.password_hash)) == (account.role, True)
    assert count(User, User.password_hash.is_not(None)) == len(builder.ACCOUNTS)


@on_one_database
def test_the_member_finds_news_and_some_of_it_unread(built):
    member = db.session.scalars(select(User).where(User.email == builder.ACCOUNTS[0].email)).one()

    told = db.session.scalars(select(Notification).where(Notification.user_id == member.id)).all()

    assert len(told) >= 5
    assert 1 <= sum(news.read_at is None for news in told) < len(told)


def test_a_build_that_fails_leaves_nothing_behind(app, part, monkeypatch):
    monkeypatch.setattr(builder._Builder, "finish", lambda self: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        builder.build(community=part, members=10)

    assert [count(table) for table in (User, Idea, EventRecord)] == [0, 0, 0]


@on_one_database
def test_some_boards_are_not_for_everybody(built):
    member, admin = (accounts.find_by_email(f"{name}@fellside.example") for name in ("member", "admin"))
    outsider = db.session.scalars(select(User).where(~User.has_board_roles, User.role == Role.MEMBER)).first()

    private = db.session.scalars(select(Board).where(Board.audience == Audience.PRIVATE)).one()
    one_way = db.session.scalars(select(Board).where(Board.one_way)).one()

    def seen(board, person):
        return set(db.session.scalars(ideas_visible_to(person).where(Idea.board_id == board.id)))

    assert len(seen(private, member)) == len(seen(private, admin)) == private.ideas == 3
    assert seen(private, outsider) == set()
    assert {idea.author_id for idea in seen(one_way, member)} == {member.id}
    assert len(seen(one_way, admin)) == one_way.ideas == 2


def test_what_people_backed_instead_of_posting_is_left_when_they_did(built):
    part, now = built
    titles = {idea.key: idea.title for idea in part.ideas}
    backed = {(titles[act.idea], act.what["typed"], act.at) for act in demand.backings(now)}

    asked = select(Idea.title, Receipt.typed, Receipt.at).join(Idea, Idea.id == Receipt.idea_id)
    left = set(map(tuple, db.session.execute(asked)))
    assert left <= backed
    assert len(left) > len(backed) / 2  # who joins later in this part had nothing to back


@on_one_database
def test_what_was_said_twice_was_joined_or_not_and_somebody_objects(built):
    _part, now = built
    index.rebuild()

    duplicates.leave_pairs(now)
    objections.leave_objection()

    lately = select(Decision.verdict, func.count()).where(Decision.at > now - timedelta(days=1))
    verdicts = dict(db.session.execute(lately.group_by(Decision.verdict)).all())
    assert verdicts == {Verdict.MERGED: 3, Verdict.REFUSED: 1}
    assert (count(Proposal), count(Objection)) == (1, 1)
    assert count(OutboxRow) == 0
