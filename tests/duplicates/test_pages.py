"""The queue, the workbench and the form of members, as requests see them; with htmx and without."""

from __future__ import annotations

import html

import pytest
import sqlalchemy as sa

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.duplicates import queries, service
from portal.duplicates.models import Pair, Proposal, State
from portal.ideas.models import Idea
from portal.search import index
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_rules, make_user, make_votes
from tests.support import HTMX
from tests.test_addresses import without_numbers

pytestmark = pytest.mark.usefixtures("app")

TITLES = (
    "Offline maps for the whole valley",
    "Offline maps for the whole valley please",
    "Offline maps of whole valley",
)
NEED = "There is no signal up there, and without maps I turn back."


@pytest.fixture
def three(settle) -> list[Idea]:
    """Three ideas, each like each."""
    make_rules()
    index.rebuild()
    made = [make_idea(title, need=NEED) for title in TITLES]
    others = (
        "Dark mode",
        "Share my position",
        "Print a route on one page",
        "Warn me of ice",
        "Louder voice",
        "A tide table",
    )
    for title in (
        *others,
        "Hush at night",
        "Name my tracks",
        "Undo a point",
        "Sign in with a passkey",
        "Bigger labels",
    ):
        make_idea(title, need=f"{title}: nothing more.")
    settle()
    return made


def state_of(one, other) -> State | None:
    db.session.rollback()
    pair = queries.find_pair(one.id, other.id)
    return pair.state if pair else None


def undo_in(page: str) -> str:
    return html.unescape(page.split("data-toast")[1].split('action="')[1].split('"')[0])


def bench(one, other) -> str:
    return f"/triage/duplicates/{one.id}/{other.id}"


def test_the_workbench_marks_what_both_say_and_shows_exactly_what_merging_would_do(three, browse):
    first, second, _third = three
    make_votes(first, 3)
    browser = browse(make_user(Role.PM))

    page = browser.get(bench(first, second)).text
    other_way = browser.get(f"{bench(first, second)}?keep={second.id}", headers=HTMX).text

    assert "<mark>maps</mark>" in page and "Keep this one" in page
    assert f'value="{first.id}" data-key="1" aria-keyshortcuts="1" checked' in page
    assert f'name="into" value="{first.id}"' in page and f'name="into" value="{second.id}"' in other_way
    assert "<!doctype" not in other_way and "One more idea looks like both" in page


def test_not_the_same_goes_on_to_the_next_pair_and_can_be_taken_back(three, browse):
    first, second, third = three
    browser = browse(make_user(Role.MODERATOR))

    gone_on = browser.post(f"{bench(first, second)}/refuse")
    toast = browser.get(gone_on.location).text

    assert state_of(first, second) is State.REFUSED
    assert gone_on.location.startswith("/triage/duplicates/") and gone_on.location != bench(first, second)
    undo = f"{bench(first, second)}/reopen"
    assert f'action="{undo}"' in toast
    assert browser.post(undo).location == bench(first, second)
    assert state_of(first, second) is State.OPEN
    assert state_of(first, third) is State.OPEN


def test_a_merge_from_the_workbench_leads_to_the_next_pair_and_its_undo_back(three, browse, settle):
    first, second, third = three
    browser = browse(make_user(Role.PM))
    page = browser.get(bench(first, third)).text
    action = page.split('class="after__msg" method="post" action="')[1].split('"')[0].replace("&amp;", "&")
    seen = page.split('name="seen" value="')[1].split('"')[0]

    merged = browser.post(action, data={"into": first.id, "seen": seen})
    following = browser.get(merged.location)
    shown = browser.get(following.location).text

    db.session.rollback()
    assert db.session.get_one(Idea, third.id).merged_into_id == first.id
    assert following.location == bench(first, second)
    undo = undo_in(shown)
    settle()
    back = browser.post(undo)
    assert browser.get(back.location).status_code == 200 and back.location.startswith(bench(first, third))
    settle()
    assert state_of(first, third) is State.OPEN


def test_several_are_joined_in_one_act_and_come_back_in_one(three, browse):
    keep, *others = three
    joined = [other.id for other in others]
    browser = browse(make_user(Role.PM))
    page = browser.get(f"/triage/duplicates/{keep.id}").text
    assert all(f'name="tick" value="{other.id}" checked' in page for other in others)
    one_only = browser.get(
        f"/triage/duplicates/{keep.id}?chosen=1&with={others[0].id}&with={others[1].id}&tick={others[0].id}",
        headers=HTMX,
    )
    assert "Merge 1 idea" in one_only.text

    answer = browser.post(f"/triage/duplicates/{keep.id}", data={"tick": joined})
    toast = browser.get(answer.location).text
    db.session.rollback()
    assert {idea.merged_into_id for idea in db.session.scalars(sa.select(Idea).where(Idea.id.in_(joined)))} == {keep.id}

    undo = undo_in(toast)
    browser.post(undo)
    db.session.rollback()
    assert {idea.merged_into_id for idea in db.session.scalars(sa.select(Idea))} == {None}


def test_observers_read_and_change_nothing(three, browse):
    first, second, _third = three
    browser = browse(make_user(Role.OBSERVER))

    page = browser.get(bench(first, second)).text

    assert "Not the same" not in page and 'name="into"' not in page
    assert browser.get("/triage/duplicates").status_code == browser.get("/triage/duplicates/report").status_code == 200
    assert browser.post(f"{bench(first, second)}/refuse").status_code == 403
    assert browser.post(f"/triage/duplicates/{first.id}", data={"tick": second.id}).status_code == 403


def test_the_desk_offers_not_the_same_and_stays(three, browse):
    first, second, _third = three
    browser = browse(make_user(Role.PM))
    desk = f"/triage/first-look/{first.id}"
    action = f"{bench(first, second)}/refuse?back={desk}"
    assert f'action="{action}"' in browser.get(desk).text

    assert browser.post(action).location == desk
    assert f"{second.id}/refuse" not in browser.get(desk).text


def test_a_member_proposes_by_pasting_an_address_and_the_team_reads_why(three, browse):
    first, other = three[0], make_idea("Gaiters that fit", need="Mud.")
    member = make_user(name="Wren")
    browser = browse(member)
    assert f'href="/ideas/{other.id}/same"' in browser.get(f"/ideas/{other.id}").text

    found = browser.get(f"/ideas/{other.id}/same?q=http://localhost/ideas/{first.id}").text
    sent = browser.post(f"/ideas/{other.id}/same", data={"other": str(first.id), "why": "Both need dry feet."})

    assert f'value="{first.id}" checked' in found
    assert sent.location == f"/ideas/{other.id}"
    assert "Both need dry feet." in browse(make_user(Role.PM)).get("/triage/duplicates").text


def test_nobody_proposes_or_learns_of_what_they_may_not_see(three, browse):
    idea, member = three[0], make_user()
    inside, apart = make_board("Inside", Audience.PRIVATE), make_board("Letters", one_way=True)
    secrets = [make_idea("Offline maps inside", board=inside, need=NEED), make_idea(TITLES[0], board=apart, need=NEED)]
    browser = browse(member)

    answers = [
        browser.post(f"/ideas/{idea.id}/same", data={"other": str(n)}) for n in (secrets[0].id, secrets[1].id, 987_654)
    ]
    searches = [browser.get(f"/ideas/{idea.id}/same?q={n}") for n in (secrets[0].id, secrets[1].id, 987_654)]

    assert {answer.status_code for answer in answers} == {422}
    said = [without_numbers(answer)[2] for answer in searches]
    assert len(set(said)) == 1 and "Offline maps inside" not in said[0]
    assert db.session.scalars(sa.select(Proposal)).all() == []
    assert browser.get(f"/ideas/{secrets[0].id}/same").status_code == 404
    own = make_idea("Offline maps, says a letter", board=apart, need=NEED, author=member)
    assert "/same" not in browser.get(f"/ideas/{own.id}").text
    assert browser.post(f"/ideas/{own.id}/same", data={"other": str(idea.id)}).status_code == 422


def test_two_champions_agree_and_the_team_joins_them_with_one_press(browse, settle):
    make_rules()
    index.rebuild()
    copy, main = make_idea("Gaiters that fit", need="Mud."), make_idea("A tide table", need="Water.")
    one, two = make_user(Role.CHAMPION), make_user(Role.CHAMPION)
    with transaction(wake=False):
        service.propose(copy, main, one)
    offered = browse(two).get(f"/ideas/{copy.id}/same").text
    assert main.title in offered

    browse(two).post(f"/ideas/{copy.id}/same", data={"other": str(main.id)})
    browser = browse(make_user(Role.PM))
    queue = browser.get("/triage/duplicates").text
    assert f"Merge into “{main.title}”" in queue
    browser.post(f"/triage/duplicates/{main.id}", data={"tick": str(copy.id)})

    db.session.rollback()
    assert db.session.get_one(Idea, copy.id).merged_into_id == main.id
    settle()
    assert db.session.scalars(sa.select(Pair)).one().state is State.MERGED


def test_the_report_card_says_when_there_is_too_little_to_say(three, browse):
    first, second, _third = three
    browser = browse(make_user(Role.PM))
    assert "Nothing to report yet." in browser.get("/triage/duplicates/report").text

    browser.post(f"{bench(first, second)}/refuse")

    assert "too few to say" in browser.get("/triage/duplicates/report").text
