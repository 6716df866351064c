"""Pairs are found as ideas come and change, wait in order, and are never asked about again once refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.duplicates import memory, queries, scan, service
from portal.duplicates.events import ProposalSettled
from portal.duplicates.models import Decision, Found, Pair, Proposal, Scan, State, ToCompare, Verdict
from portal.duplicates.report import Share, make_report
from portal.events import EventRecord
from portal.ideas import merging, moves
from portal.ideas import service as ideas
from portal.ideas.queries import number_in
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.models import Notification
from portal.search import index
from portal.transactions import transaction
from portal.triage import queries as triage
from portal.triage import queues
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support.queries import queries as counted
from tests.test_properties import at_once

pytestmark = pytest.mark.usefixtures("app")

SAME = ("Offline maps for the whole valley please", "Offline maps for the whole valley")
NEED = "There is no signal up there, and without maps I turn back."


@pytest.fixture
def alike(settle):
    """Two ideas that the finder takes for one, and some that it does not."""
    index.rebuild()
    for title in ("Dark mode", "Share my position", "Print a route on one page", "Warn me of ice on the path"):
        make_idea(title, need="Something else entirely.")
    first, second = (make_idea(title, need=NEED) for title in SAME)
    settle()
    return first, second


def found(one, other) -> Pair | None:
    db.session.rollback()
    return queries.find_pair(one.id, other.id)


def refuse(one, other, actor):
    with transaction(wake=False):
        service.refuse_pair(one, other, actor)


def merge(idea, main, actor):
    with transaction(wake=False):
        return moves.move_idea(idea, Status.MERGED, actor, MoveDetails(into=main))


def test_ideas_that_come_in_are_compared_and_pairs_wait_the_surest_first(alike, settle):
    first, second = alike
    pm = make_user(Role.PM)

    pairs, more = queries.page_of_waiting(pm)

    assert [(pair.first_id, pair.second_id) for pair in pairs] == [(first.id, second.id)] and not more
    assert pairs[0].strength == "same" and pairs[0].rank == 1 and 0.5 < pairs[0].score <= 1
    assert {"map", "vallei"} <= pairs[0].stems
    assert queues.count_all(pm, None)["duplicates"] == 1


def test_what_an_edit_changes_is_looked_at_again(alike, settle):
    first, second = alike

    with transaction(wake=False):
        ideas.edit_idea(second, second.author, title="Louder alarm clock", need="I oversleep.", proposal="")
    settle()
    assert found(first, second) is None

    with transaction(wake=False):
        ideas.edit_idea(second, second.author, title=SAME[0], need=NEED, proposal="")
    settle()
    assert found(first, second).state is State.OPEN


def test_an_archive_is_looked_through_once_in_steps_that_survive_an_end(monkeypatch, settle):
    index.rebuild()
    monkeypatch.setattr(scan, "BATCH", 2)
    with transaction(wake=False):
        board = make_board()
    made = [make_idea(title, need=NEED, board=board) for title in (*SAME, "Dark mode", "Print a route", "Warn of ice")]
    db.session.execute(sa.delete(scan.ToCompare))
    db.session.commit()
    index.rebuild()

    assert scan._go_on() == 2  # and then the process dies
    halfway = db.session.get_one(Scan, 1)
    assert (halfway.done, halfway.total, halfway.done_at) == (2, 5, None)
    db.session.expunge_all()
    settle()

    done = db.session.get_one(Scan, 1)
    assert (done.done, done.last_id) == (5, made[-1].id) and done.done_at
    assert found(made[0], made[1]).found is Found.COMPUTED
    assert scan.scan_all() == 5


def test_refused_once_two_ideas_are_never_suggested_again_to_anybody(alike, settle):
    first, second = alike
    pm, other = make_user(Role.PM), make_user(Role.MODERATOR)
    assert [one.idea.id for one in triage.alike(first, pm)][:1] == [second.id]

    refuse(second, first, pm)
    note = scan.note
    with transaction(wake=False):
        note(first.id), note(second.id)
    settle()
    scan.scan_all()

    for person in (pm, other):
        assert queries.page_of_waiting(person) == ([], False)
        assert queues.count_all(person, None)["duplicates"] == 0
        assert second.id not in [one.idea.id for one in triage.alike(first, person)]
        assert first.id not in [one.idea.id for one in triage.alike(second, person)]
    kept = db.session.scalars(select(Decision)).one()
    assert (kept.verdict, kept.strength, kept.rank, kept.suggested) == (Verdict.REFUSED, "same", 1, True)

    with transaction(wake=False):
        service.reopen_pair(first, second, pm)
    assert len(queries.page_of_waiting(pm)[0]) == 1
    assert make_report(pm).suggested.refused == 0


def test_merges_and_undos_are_remembered_wherever_they_were_made(alike, settle):
    first, second = alike
    pm = make_user(Role.PM)

    merge(second, first, pm)
    settle()
    assert found(first, second).state is State.MERGED
    report = make_report(pm)
    assert (report.suggested.merged, report.recall, report.ranks[1, 1]) == (1, Share(1, 1), 1)

    with transaction(wake=False):
        merging.undo_merge(second, pm, "It was another valley.")
    settle()
    assert found(first, second).state is State.OPEN
    assert make_report(pm).is_empty  # undone at once, it was a slip

    merge(second, first, pm)
    settle()
    db.session.execute(sa.update(Decision).values(at=utcnow() - 2 * service.SLIP))
    db.session.commit()
    with transaction(wake=False):
        merging.undo_merge(second, pm, "It was another valley.")
    settle()
    report = make_report(pm)
    assert (report.suggested.merged, report.suggested.taken_back, report.merges) == (0, 1, 0)


def test_a_merge_that_nobody_suggested_counts_as_missed(alike, settle):
    pm = make_user(Role.PM)
    one, other = make_idea("Gaiters that fit", need="Mud."), make_idea("A tide table", need="Water.")
    settle()

    merge(one, other, pm)
    settle()

    report = make_report(pm)
    assert (report.recall, report.unranked, report.suggested.share.of) == (Share(0, 1), 1, 0)


def test_pairs_are_for_those_who_work_on_both_boards(settle):
    index.rebuild()
    open_board, inside = make_board("Open"), make_board("Inside", Audience.PRIVATE)
    make_idea(SAME[0], need=NEED, board=open_board), make_idea(SAME[1], need=NEED, board=inside)
    settle()
    one_board, both = make_user(), make_user()
    make_place(open_board, one_board, Role.PM)
    make_place(open_board, both, Role.PM), make_place(inside, both, Role.OBSERVER)

    seen = {who.id: len(queries.page_of_waiting(who)[0]) for who in (one_board, both, make_user(Role.ADMIN))}

    assert list(seen.values()) == [0, 1, 1]
    assert len(queries.page_of_waiting(make_user(Role.MODERATOR))[0]) == 0  # knows nothing of the private board


def test_on_a_one_way_board_the_team_sees_pairs_and_can_only_note_them(settle):
    index.rebuild()
    board = make_board("Letters", one_way=True)
    first, second = (make_idea(title, need=NEED, board=board) for title in SAME)
    settle()
    pm = make_user(Role.PM)
    assert len(queries.page_of_waiting(pm)[0]) == 1

    with pytest.raises(merging.CannotMerge):
        merge(second, first, pm)
    with transaction(wake=False):
        service.keep_apart(first, second, pm)

    assert queries.page_of_waiting(pm)[0] == []
    assert make_report(pm).suggested.kept_apart == 1


def test_members_propose_champions_weigh_more_and_two_of_them_confirm(settle):
    index.rebuild()
    copy, main = make_idea("Gaiters that fit", need="Mud."), make_idea("A tide table", need="Water.")
    member, champions = make_user(), [make_user(Role.CHAMPION) for _ in range(2)]

    def weight_after(person) -> tuple[float, bool]:
        with transaction(wake=False):
            service.propose(copy, main, person, "Both are about the shore.")
        pair = found(copy, main)
        return pair.weight, pair.confirmed

    (one, _), (two, first_champion), (three, second_champion) = map(weight_after, [member, *champions])

    assert one < two - one < three and (first_champion, second_champion) == (False, True)
    assert weight_after(member)[0] == three  # said twice is said once
    assert found(copy, main).found is Found.PROPOSED
    assert queries.keeper_of(copy, main, db.session.scalars(select(Proposal)).all()).id == main.id


@pytest.mark.parametrize("verdict", ["merged", "refused"])
def test_who_proposed_hears_what_became_of_it_once_it_can_no_longer_be_a_slip(verdict, settle):
    index.rebuild()
    copy, main = make_idea("Gaiters that fit", need="Mud."), make_idea("A tide table", need="Water.")
    member, pm = make_user(), make_user(Role.PM)
    with transaction(wake=False):
        service.propose(copy, main, member)
    merge(copy, main, pm) if verdict == "merged" else refuse(copy, main, pm)
    settle()
    told = select(Notification).where(Notification.user_id == member.id)
    assert db.session.scalars(told).all() == []

    db.session.execute(sa.update(Pair).values(decided_at=utcnow() - 2 * service.SLIP))
    db.session.commit()
    for _ in range(2):
        memory.tell_proposers()
        settle()

    news = db.session.scalars(told).one()
    assert (news.kind, news.reason, news.record.data["verdict"]) == ("proposal_settled", "proposer", verdict)


def test_several_workers_tell_a_proposer_once(app, settle):
    index.rebuild()
    copy, main = make_idea("Gaiters that fit", need="Mud."), make_idea("A tide table", need="Water.")
    with transaction(wake=False):
        service.propose(copy, main, make_user())
    refuse(copy, main, make_user(Role.PM))
    settle()
    db.session.execute(sa.update(Pair).values(decided_at=utcnow() - 2 * service.SLIP))
    db.session.commit()

    problems = at_once(app, [memory.tell_proposers] * 6)

    told = select(sa.func.count()).where(EventRecord.name == ProposalSettled.name)
    assert (problems, db.session.scalar(told)) == ([], 1)


def test_what_says_nothing_and_what_there_is_too_often_is_compared_and_then_left_alone(settle):
    index.rebuild()
    make_idea("What is it?", need="It is what it is.")
    for _ in range(16):
        make_idea("Dark mode for the night", need="My eyes hurt.")
    settle()

    assert db.session.scalars(select(ToCompare.idea_id)).all() == []


def test_a_number_or_an_address_says_which_idea_is_meant():
    twelve = ("#12", "https://ideas.fellside.example/ideas/12?s=x#c", "/portal/ideas/12/")
    none = ("http://[", "/a" * 100_000, "ideas for 12")

    assert [number_in(typed) for typed in (*twelve, *none)] == [12, 12, 12, None, None, None]


def test_the_queue_is_one_statement_however_long_it_is(alike, settle):
    pm = make_user(Role.PM)
    queries.page_of_waiting(pm)

    with counted() as statements:
        db.session.expunge_all()
        queries.page_of_waiting(db.session.merge(pm, load=False))

    assert len(statements) == 1


@pytest.mark.parametrize(
    ("right", "of", "between"),
    [(0, 0, (0, 100)), (0, 10, (0, 28)), (8, 10, (49, 94)), (80, 100, (71, 87)), (10, 10, (72, 100))],
)
def test_the_interval_of_a_share_is_that_of_wilson(right, of, between):
    assert Share(right, of).between == between
    assert Share(right, of).is_enough is (of >= 30)
