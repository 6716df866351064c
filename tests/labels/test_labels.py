"""Private labels: the team's own words, and nobody else's."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas.models import Idea
from portal.labels import queries, service
from portal.search import index, saved
from portal.search.asking import read
from portal.search.models import Alert, SavedMatch
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support import either_way
from tests.support.browser import timeless

pytestmark = pytest.mark.usefixtures("app")


def label(idea, *names):
    with transaction(wake=False):
        service.set_labels(idea, list(names), make_user(Role.PM))


def names_known_to(viewer):
    return [(label.name, number) for label, number in queries.labels_known_to(viewer)]


@either_way
def test_labels_are_set_on_the_desk_and_put_back_by_one_undo(browse, headers):
    pm, idea = make_user(Role.PM), make_idea()
    label(idea, "legal")
    browser = browse(pm)
    address = f"/triage/first-look/{idea.id}/labels"

    saved = browser.post(address, data={"labels": "Q3,  Big  Customer,q3"}, headers=headers, follow_redirects=True)
    db.session.rollback()
    now = queries.labels_on(idea, pm)
    browser.post(f"{address}?labels=legal", headers=headers)

    db.session.rollback()
    assert "Private labels saved." in saved.text
    assert now == ["big customer", "q3"]
    assert queries.labels_on(idea, pm) == ["legal"]


def test_too_many_labels_are_refused_and_what_was_typed_stays(browse):
    idea = make_idea()

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/labels", data={"labels": ",".join(f"word{n}" for n in range(21))}
    )

    db.session.rollback()
    assert answer.status_code == 422
    assert "at most 20 private labels" in answer.text and "word20" in answer.text


@pytest.mark.parametrize(
    "address", ["/ideas/{id}", "/ideas/{id}/history", "/", "/search?q=maps", "/ideas/{id}/feed.xml"]
)
def test_no_page_of_members_holds_a_label(browse, settle, address):
    idea = make_idea("Print the maps", author=(author := make_user()))
    label(idea, "zzprivate")
    address, browsers = address.format(id=idea.id), [browse(author), browse(make_user()), browse()]
    settle()

    for browser in browsers:
        assert "zzprivate" not in browser.get(address).text


def test_colleagues_know_the_labels_of_their_own_boards_only(browse):
    near, far = make_board("Near"), make_board("Far", Audience.PRIVATE)
    local = make_user(name="Works Nearby")
    make_place(near, local, Role.MODERATOR)
    label(make_idea(board=near), "open secret")
    hidden = make_idea(board=far)
    label(hidden, "merger", "open secret")
    admin, member = make_user(Role.ADMIN), make_user()

    assert names_known_to(admin) == [("merger", 1), ("open secret", 2)]
    assert names_known_to(local) == [("open secret", 1)]
    assert names_known_to(member) == []
    assert queries.labels_on(hidden, local) == queries.labels_on(hidden, member) == []
    page = browse(local).get("/labels")
    assert "open secret" in page.text and "merger" not in page.text


def test_a_label_renamed_to_another_becomes_one_with_it():
    pm, both, one = make_user(Role.PM), make_idea(), make_idea()
    label(both, "legal", "law")
    label(one, "law")
    law = next(label for label, _number in queries.labels_known_to(pm) if label.name == "law")

    with transaction(wake=False):
        service.rename_label(law, "Legal", pm)

    assert names_known_to(pm) == [("legal", 2)]


def found(browser, typed):
    page = browser.get("/search", query_string={"q": typed}).text
    return sorted(re.findall(r"<h3><a [^>]*>(.*?)</a></h3>", page.replace("<mark>", "").replace("</mark>", ""))), page


def test_the_team_searches_by_labels_of_its_own_boards(browse):
    near, far = make_board("Near"), make_board("Far")
    local = make_user(name="Works Nearby")
    make_place(near, local, Role.MODERATOR)
    here, there, other = (
        make_idea(title, board=board)
        for title, board in (("Maps of huts", near), ("Maps of lakes", far), ("Maps", near))
    )
    pm, local = browse(make_user(Role.PM)), browse(local)
    label(here, "big customer", "legal")
    label(there, "legal", "merger")
    label(other, "q3")
    index.rebuild()

    assert found(pm, "label:legal")[0] == found(pm, "maps label:Legal")[0] == [here.title, there.title]
    assert found(pm, 'label:"Big Customer" label:q3')[0] == [other.title, here.title]
    assert found(pm, "maps -label:legal")[0] == [other.title]
    assert found(local, "label:legal")[0] == [here.title]
    assert found(local, "-label:legal")[0] == found(local, "maps -label:legal")[0] == [other.title, there.title]
    rows, page = found(local, "maps")
    facet = page.partition("<h2>Private label</h2>")[2].partition("</section>")[0]
    assert sorted(re.findall(r">([^<]+) <span", facet)) == ["big customer", "legal", "q3"]
    unknown, made_up = (found(local, f"maps label:{name}") for name in ("merger", "zqnothing"))
    assert unknown[0] == rows
    assert "There are big customer, legal, q3." in unknown[1]
    assert same(unknown[1], "merger") == same(made_up[1], "zqnothing")


def test_label_is_a_word_to_those_who_do_not_work_here(browse):
    idea = make_idea("Maps of huts")
    label(idea, "legal")
    make_idea("The legal maps, on a label")
    index.rebuild()
    for reader in (browse(make_user()), browse()):
        there, made_up = (found(reader, f"label:{name}") for name in ("legal", "zqnothing"))

        assert idea.title not in there[0]
        assert "“label:” is taken as a word. There are status:, board:" in there[1]
        assert "is:, label:" not in there[1]
        assert "Private label" not in reader.get("/search?q=maps").text
        assert idea.title in found(reader, "maps -label:legal")[0]


def test_a_kept_search_for_a_label_tells_when_an_idea_gets_it(settle):
    pm, idea = make_user(Role.PM), make_idea("Maps").id
    label(make_idea(), "legal")
    with transaction():
        search = saved.save_search(pm, "label:legal", name="Law", alert=Alert.INBOX).id
        member = make_user()
        kept = saved.save_search(member, "maps label:legal", name="Law").query
    settle()
    label(db.session.get(Idea, idea), "legal")
    settle()

    db.session.rollback()
    assert db.session.scalars(select(SavedMatch.idea_id).where(SavedMatch.search_id == search)).all() == [idea]
    assert read(kept).operators == ()


def same(page, word):
    return timeless(page).replace(word, "X")
