"""Who reads which entries, and what of the ideas and people in them."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from portal.accounts.models import Guest
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.changelog import queries, service
from portal.changelog.models import Choice
from portal.changelog.service import TooNarrow
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.changelog.entries import let_out, seen_by, told_of, write
from tests.factories import make_board, make_idea, make_place, make_user, make_votes
from tests.support import queries as statements

pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize("audience", [Audience.MEMBERS, Audience.PRIVATE, Audience.STAFF])
def test_nothing_of_a_board_reaches_those_who_do_not_know_it(browse, audience):
    inside, open_board, listed = make_board("Inside", audience), make_board("Open"), make_user(name="Listed One")
    make_place(inside, listed, Role.OBSERVER)
    pm, teller = make_user(Role.OWNER), make_user(name="Quiet Author")
    hushed = make_idea("Buy the other company", board=inside, status=Status.PLANNED, author=teller)
    public = make_idea("Bigger labels", board=open_board, status=Status.PLANNED)
    make_votes(hushed, 5)
    secret, mixed = write(hushed, title="Merger", board=inside, author=pm), write(hushed, public, title="Two things")
    for entry in (secret, mixed):
        let_out(entry, hushed, public, actor=pm)
    with transaction(wake=False):
        service.choose(teller, Choice.ALWAYS)

    assert seen_by(Guest()) == ["Two things"]
    assert set(seen_by(listed)) == {"Two things", "Merger"}
    guest, reader = told_of(mixed), told_of(mixed, listed)
    assert ([idea.title for idea in guest.ideas], guest.asked, guest.thanks, guest.unnamed) == (
        ["Bigger labels"],
        1,
        [],
        1,
    )
    assert (len(reader.ideas), reader.asked, [thanks.user.name for thanks in reader.thanks]) == (
        2,
        7,
        ["Quiet Author"],
    )
    assert browse().get(f"/changelog/{secret.id}").status_code == 404
    for page in ("/changelog", f"/changelog/{mixed.id}", "/roadmap"):
        assert not re.search("Buy the other company|Merger|Quiet Author|Inside", browse().get(page).text)


def test_an_entry_about_a_closed_board_tells_of_its_own_ideas_only():
    inside, elsewhere = make_board("Inside", Audience.STAFF), make_idea(status=Status.PLANNED)

    with pytest.raises(TooNarrow):
        write(elsewhere, board=inside, author=make_user(Role.OWNER))


def test_who_writes_sees_only_ideas_that_are_theirs_to_see_and_loses_none_of_the_others(browse):
    inside, owner = make_board("Inside", Audience.PRIVATE), make_user(Role.OWNER)
    hushed = make_idea("Buy the other company", board=inside, status=Status.PLANNED, author=make_user(name="Quiet One"))
    entry, browser = write(hushed, author=owner), browse(make_user(Role.PM))

    pages = [browser.get(f"/changelog/{entry.id}/{page}").text for page in ("edit", "publish", "people")]
    words = {"seen": "1", "title": "Better", "body": "Now.", "kind": "new", "board": ""}
    browser.post(f"/changelog/{entry.id}/edit", data=words)
    browser.post(f"/changelog/{entry.id}/publish", data={"do": "now", "ships": [str(hushed.id)]})
    db.session.rollback()

    assert not any(re.search("Buy the other company|Quiet One", page) for page in pages)
    assert (entry.title, entry.is_published) == ("Better", True)
    assert [shipment.idea_id for shipment in queries.shipments_of(entry)] == [hushed.id]
    assert db.session.get_one(Idea, hushed.id).status is Status.PLANNED


def test_a_board_that_the_changelog_speaks_of_stays(browse):
    board = make_board("Maps")
    write(board=board)

    answer = browse(make_user(Role.OWNER)).post(f"/admin/boards/{board.id}/delete")

    assert "The changelog speaks of this board" in answer.text
    db.session.rollback()
    assert db.session.get(type(board), board.id) is not None


def test_drafts_are_for_those_who_may_publish_them(browse):
    here, there, on_board = make_board("Here"), make_board("There"), make_user()
    make_place(here, on_board, Role.PM)
    mine, theirs = write(title="Mine", board=here), write(title="Theirs", board=there)
    browsers = {"guest": browse(), "member": browse(make_user()), "pm here": browse(on_board)}

    answers = {
        who: [browser.get(f"/changelog/{entry.id}").status_code for entry in (mine, theirs)]
        for who, browser in browsers.items()
    }

    assert answers == {"guest": [404, 404], "member": [404, 404], "pm here": [200, 404]}
    assert [draft.title for draft in queries.drafts_of(on_board)] == ["Mine"]
    assert browsers["pm here"].post(f"/changelog/{theirs.id}/publish", data={"do": "now"}).status_code == 404
    whole = {"title": "All", "body": "Now.", "kind": "new", "board": ""}
    assert browsers["pm here"].post("/changelog/new", data=whole).status_code in {403, 422}
    assert browsers["pm here"].post("/changelog/new", data=whole | {"board": "here"}).status_code == 303


def test_the_list_goes_on_page_by_page_and_costs_the_same_however_many_there_are(browse):
    pm, idea = make_user(Role.PM), make_idea(status=Status.SHIPPED)
    now = datetime(2026, 5, 20, 12, tzinfo=UTC)
    for number in range(23):
        let_out(write(idea, title=f"Entry {number}", author=pm), actor=pm, at=now - timedelta(days=3 * number))
    browser = browse()

    browser.get("/changelog")
    with statements() as asked:
        first = browser.get("/changelog").text
    older = re.search(r'href="(/changelog\?after=[^"]+)"', first)[1]
    second = browser.get(older.replace("&amp;", "&")).text

    assert len(asked) <= 7
    assert re.findall(r'id="month-\d">([^<]+)<', first) == ["May 2026", "April 2026", "March 2026"]
    assert len(re.findall("<article", first)) == 20
    assert re.findall(r">(Entry \d+)</a>", second) == ["Entry 20", "Entry 21", "Entry 22"]
