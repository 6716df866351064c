"""How honestly a number counts: what it is made of, what looks odd, and votes that are set aside."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.doctor import examine
from portal.errors import Refusal
from portal.ideas import service, supporters
from portal.ideas.models import Vote, VoteOrigin
from portal.organisations import behalf, honesty
from portal.transactions import transaction
from portal.verdicts.queries import is_asked
from tests.factories import make_idea, make_user, make_votes
from tests.organisations.steps import counter_is_true, fresh, join
from tests.support import on_one_database

pytestmark = pytest.mark.usefixtures("app")
WHY = "All from one address book"
"""Why votes are set aside here."""


def set_aside(idea, *people):
    with transaction(wake=False):
        return honesty.set_aside(idea, [user.id for user in people], make_user(Role.MODERATOR), WHY)


def give_back(idea, *people):
    with transaction(wake=False):
        return honesty.give_back(idea, [user.id for user in people], make_user(Role.MODERATOR))


def test_votes_set_aside_count_nowhere_and_come_back_exactly():
    idea = make_idea()
    a, b, c = make_votes(idea, 3)
    before = (fresh(idea).votes, fresh(idea).heat)

    assert set_aside(idea, a, b) == 2

    assert fresh(idea).votes == supporters.count_supporters(idea) == 2
    assert fresh(idea).heat < before[1]
    assert [one.user.id for one in supporters.voters(idea) if one.user.id in {a.id, b.id, c.id}] == [c.id]
    assert supporters.ballot(idea, a).cast  # their own vote is still theirs
    assert give_back(idea, a, b) == 2
    assert fresh(idea).votes == before[0]
    assert fresh(idea).heat == pytest.approx(before[1])
    assert counter_is_true(idea)


def test_nobody_gets_around_it_by_voting_again_or_through_a_merge():
    main, other = make_idea(), make_idea()
    (ann,) = make_votes(other, 1)
    set_aside(other, ann)
    join(other, main)
    assert fresh(main).votes == 2

    for act in (service.withdraw_vote, service.cast_vote, service.cast_vote):
        with transaction(wake=False):
            act(main, ann)

    assert db.session.get(Vote, (main.id, ann.id)).set_aside_at is not None
    assert fresh(main).votes == 2
    give_back(main, ann)
    assert fresh(main).votes == 3
    assert counter_is_true(main)
    assert counter_is_true(other)


def test_a_vote_through_a_merge_is_set_aside_where_it_was_given_too():
    main, other = make_idea(), make_idea()
    ann, bob = make_votes(other, 2)
    join(other, main)

    set_aside(main, ann)

    assert (fresh(main).votes, fresh(other).votes) == (3, 2)
    assert list(examine_counters()) == []
    give_back(main, ann)
    assert (fresh(main).votes, fresh(other).votes) == (4, 3)
    assert bob.id in {one.user.id for one in supporters.voters(main)}


def test_votes_of_what_was_joined_meanwhile_are_left_to_the_main_idea():
    main, other = make_idea(), make_idea()
    (ann,) = make_votes(other, 1)
    join(other, main)

    with pytest.raises(Refusal, match="faster"):
        set_aside(other, ann)

    assert (fresh(main).votes, fresh(other).votes) == (3, 2)


def test_whose_vote_is_set_aside_does_not_decide_either_whether_it_helped():
    idea = make_idea()
    ann, bob = make_votes(idea, 2)

    set_aside(idea, ann)

    assert [is_asked(fresh(idea), who) for who in (ann, bob, idea.author)] == [False, True, True]


def examine_counters():
    return [finding for finding in examine() if "counter says" in str(finding)]


def test_the_parts_of_a_number_add_up_for_the_team_and_for_everybody(browse):
    old, pm = make_user(created_at=utcnow() - timedelta(days=60)), make_user(Role.PM)
    idea, other = make_idea(author=old), make_idea()
    a, b, c, d = (make_user(created_at=utcnow() - timedelta(days=30)) for _ in range(4))
    with transaction(wake=False):
        service.cast_vote(idea, a)
        behalf.vote_for(idea, b, pm, "At the fair in May")
        service.cast_vote(idea, c)
        service.cast_vote(other, d)
        db.session.get(Vote, (idea.id, c.id)).origin = VoteOrigin.IMPORTED
    young = make_user()
    with transaction(wake=False):
        service.cast_vote(idea, young)
    join(other, idea)
    set_aside(idea, young)

    team, public = honesty.count_in_full(honesty.casts(idea)), honesty.count_of(idea, a)

    assert (team.total, team.own, team.behalf, team.imported, team.merged, team.aside) == (6, 4, 1, 1, 2, 1)
    assert team.total == team.own + team.behalf + team.imported == fresh(idea).votes
    assert (public.total, public.own, public.behalf, public.imported, public.merged, public.aside) == (6, 4, 1, 1, 2, 1)
    give_back(idea, young)
    assert honesty.count_in_full(honesty.casts(idea)).young == 2  # and the author of the other idea
    page = browse().get(f"/ideas/{idea.id}/count")
    assert page.status_code == 200
    assert young.name not in page.text


def test_many_votes_within_minutes_are_a_burst_and_imports_are_none():
    idea = make_idea(at=utcnow() - timedelta(days=3))
    voters = make_votes(idea, honesty.BURST + 1)
    with transaction(wake=False):
        db.session.get(Vote, (idea.id, voters[0].id)).cast_at = utcnow() - timedelta(hours=2)
    assert {cast.voter_id for cast in honesty.casts(idea) if cast.in_burst} == {user.id for user in voters[1:]}

    with transaction(wake=False):
        db.session.get(Vote, (idea.id, voters[1].id)).origin = VoteOrigin.IMPORTED

    assert not any(cast.in_burst for cast in honesty.casts(idea))


@settings(max_examples=60)
@given(st.lists(st.integers(0, 60 * 40), max_size=40))
def test_a_moment_is_in_a_burst_if_and_only_if_enough_others_are_near(seconds):
    start = datetime(2026, 5, 1, tzinfo=UTC)
    moments = sorted(start + timedelta(seconds=number) for number in seconds)

    def crowded(moment):
        windows = [[m for m in moments if first <= m <= first + honesty.WITHIN] for first in moments]
        return any(moment in window and len(window) >= honesty.BURST for window in windows)

    assert honesty.in_bursts(moments) == [crowded(moment) for moment in moments]


@on_one_database
def test_the_team_sets_votes_aside_with_a_reason_and_the_voter_reads_that_they_are(browse):
    idea = make_idea()
    ann, bob = make_votes(idea, 2)
    moderator = make_user(Role.MODERATOR)
    here, address = browse(moderator), f"/ideas/{idea.id}/behind"

    silent = here.post(f"{address}/aside", data={"person": [ann.id], "reason": ""})
    nobody = here.post(f"{address}/aside", data={"reason": WHY})
    here.post(f"{address}/aside", data={"person": [ann.id], "reason": WHY})

    assert (silent.status_code, nobody.status_code) == (422, 422)
    assert f'value="{ann.id}" checked' in silent.text
    assert f'value="{WHY}"' in nobody.text
    assert WHY in here.get(f"{address}?show=aside").text
    assert "does not count" in browse(ann).get(f"/ideas/{idea.id}/count").text
    assert WHY not in browse(ann).get(f"/ideas/{idea.id}/count").text
    assert "does not count" not in browse(bob).get(f"/ideas/{idea.id}/count").text
    here.post(f"{address}/back", data={"person": [ann.id]})
    assert fresh(idea).votes == 3
    assert browse(make_user(Role.OBSERVER)).post(f"{address}/aside", data={"person": [ann.id]}).status_code == 403
    assert browse(make_user(Role.OBSERVER)).get(address).status_code == 200
