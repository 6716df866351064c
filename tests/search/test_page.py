"""The search page: operators, facets, what was probably meant, where words were found; nothing of what is hidden."""

import re
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from portal.accounts.models import Guest, User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas import moves
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.search import index, results
from portal.search.asking import read
from portal.search.engine import NeedsRebuild
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_user, make_votes
from tests.search.test_asking import anything
from tests.support import HTMX
from tests.support.queries import queries as statements

pytestmark = pytest.mark.usefixtures("app")


def titles(page):
    return re.findall(r"<h3><a [^>]*>(.*?)</a></h3>", page.text.replace("<mark>", "").replace("</mark>", ""))


def look(browser, typed, **more):
    return browser.get("/search", query_string={"q": typed, **more})


@pytest.fixture
def ideas():
    """Six ideas about maps, each different in one way."""
    ines, noor = make_user(name="Ines Weber"), make_user(name="Noor")
    outdoor, indoor = make_board("Out of doors"), make_board("Indoor")
    at = datetime(2025, 3, 14, 12, tzinfo=UTC)
    found = {
        "plain": make_idea("Maps of huts", author=ines, board=outdoor, at=at),
        "planned": make_idea("Maps of lakes", author=noor, board=outdoor, status=Status.PLANNED),
        "declined": make_idea("Maps of caves", author=noor, board=indoor, status=Status.DECLINED),
        "tagged": make_idea("Maps of halls", author=noor, board=indoor),
        "backed": make_idea("Maps of towns", author=noor, board=indoor),
        "answered": make_idea("Maps of roads", author=noor, board=indoor, answered_at=datetime(2025, 5, 1, tzinfo=UTC)),
    }
    make_votes(found["backed"], 3)
    with transaction(wake=False):
        moves.set_tags(found["tagged"], ["paper"], make_user(Role.PM))
    index.rebuild()
    return {name: f"Maps of {place}" for name, place in PLACES.items()}


@pytest.fixture
def ines(ideas, browse):
    """The browser of somebody who wrote one of them."""
    return browse(db.session.scalars(select(User).where(User.name == "Ines Weber")).one())


PLACES = {
    "plain": "huts", "planned": "lakes", "declined": "caves", "tagged": "halls", "backed": "towns", "answered": "roads",
}  # fmt: skip
ALL = set(PLACES)


OPERATORS = {
    "status:planned": {"planned"},
    "status:Planned,declined": {"planned", "declined"},
    "status:open": ALL - {"planned", "declined"},
    "-status:declined -status:planned": ALL - {"planned", "declined"},
    'board:"out of doors"': {"plain", "planned"},
    "board:indoor -tag:paper": {"declined", "backed", "answered"},
    "author:weber": {"plain"},
    '-author:"Noor"': {"plain"},
    "author:me": {"plain"},
    "tag:Paper": {"tagged"},
    "votes:>3": {"backed"},
    "votes:0..1": ALL - {"backed"},
    "year:2025": {"plain"},
    "before:2025-03-15 after:2025-03-14": {"plain"},
    "before:2025-03-14": set(),
    "-before:2025-04": ALL - {"plain"},
    "is:answered": {"answered"},
    "is:mine": {"plain"},
    "-is:open": {"planned", "declined"},
    "-lakes -huts": ALL - {"planned", "plain"},
}


def test_operators_narrow_a_search_down_with_words_and_alone(ideas, ines):
    wrong = {}
    for typed, expected in OPERATORS.items():
        for asked in (f"maps {typed}", typed):
            found = titles(look(ines, asked))
            if set(found) != {ideas[name] for name in expected} or len(set(found)) != len(found):
                wrong[asked] = found

    assert wrong == {}


def test_status_has_its_name_in_the_language_of_the_viewer_too(browse, ideas):
    german = browse(make_user(locale="de"))

    for typed in ("status:geplant", "status:planned", "status:Geplant"):
        assert titles(look(german, f"maps {typed}")) == [ideas["planned"]]


NOTES = {
    "status:nonsense": "There is no status “nonsense”. There are New, Under review",
    "board:nonsense": "You know no board “nonsense”. There are out-of-doors, indoor",
    "author:nonsense": "You can see no idea by anybody called “nonsense”",
    "tag:nonsense": "You can see no idea tagged “nonsense”",
    "before:yesterday": "“before:yesterday” is no date",
    "votes:many": "“votes:many” is no number",
    "is:nonsense": "There is no “is:nonsense”",
    "author:me": "Sign in to look for your own ideas",
}


def test_a_limit_that_means_nothing_is_left_out_and_the_page_says_so(browse, ideas):
    for typed, says in NOTES.items():
        page = look(browse(), f"maps {typed}")

        assert says in page.text, typed
        assert len(titles(page)) == 6, typed
        assert f'value="maps {typed}"' in page.text


def test_a_year_long_before_the_portal_has_no_ideas(browse, ideas):
    assert titles(look(browse(), "maps year:0001")) == titles(look(browse(), "year:0001")) == []


def test_a_field_that_does_not_exist_is_a_word(browse, ideas):
    page = look(browse(), "maps of:huts colour:huts")

    assert "“colour:” is taken as a word" in page.text


def test_older_addresses_are_read_as_what_can_be_typed(browse, ideas):
    page = browse().get("/search?q=maps&status=planned&board=out-of-doors&author=noor&before=2100-01-01")

    assert titles(page) == [ideas["planned"]]
    assert 'value="maps status:planned board:out-of-doors author:noor before:2100-01-02"' in page.text


def test_facets_count_what_each_would_leave_and_can_be_taken_back(browse, ideas):
    browser = browse()

    page = look(browser, "maps status:planned board:indoor")
    links = dict(re.findall(r'<a href="([^"]+)"[^>]*>([^<]+?) <span class="num">', page.text))
    numbers = dict(re.findall(r'<a href="[^"]+"[^>]*>([^<]+?) <span class="num">(\d+)</span>', page.text))

    assert titles(page) == []
    assert (numbers["Planned"], numbers["New"], numbers["Declined"]) == ("0", "3", "1")
    assert numbers["Out of doors"] == "1"
    assert [url for url, label in links.items() if label == "New"] == ["/search?q=maps+board:indoor+status:new"]
    assert re.search(r'href="/search\?q=maps\+board:indoor"[^>]*>.*?Status: planned', page.text)


def test_whoever_types_hears_how_many_there_are_and_of_answers_with_the_words(browse, ideas):
    manager, idea = make_user(Role.PM), make_idea("Ride along", status=Status.UNDER_REVIEW)
    with transaction():
        moves.move_idea(idea, Status.PLANNED, manager, MoveDetails(answer="You will get maps for it."))
    index.rebuild()

    page = browse().get("/search?q=maps", headers=HTMX)

    assert '<div hx-swap-oob="innerHTML:#live">7 ideas, 1 answer</div>' in page.text
    assert "<b>In the answer:</b> You will get <mark>maps</mark> for it." in page.text
    assert "<html" not in page.text


def test_a_misspelt_word_is_put_right_and_can_be_searched_as_it_was_typed(browse, ideas):
    make_idea("Maps of huts in winter", board=None)
    index.rebuild()

    page = look(browse(), "hutz status:new")
    exactly = look(browse(), '"hutz" status:new')

    assert "Showing results for" in page.text and 'value="hutz status:new"' in page.text
    assert sorted(titles(page)) == ["Maps of huts", "Maps of huts in winter"]
    assert quote_plus('"hutz"') in page.text
    assert "No idea matches" in exactly.text and "Showing results" not in exactly.text


def test_while_there_is_no_index_the_database_answers_and_the_page_says_so(browse, ideas, monkeypatch):
    def broken(*_anything, **_more):
        raise NeedsRebuild

    monkeypatch.setattr(type(index.engine()), "search", broken)
    monkeypatch.setattr(type(index.engine()), "correction", broken)

    page = look(browse(), "maps -caves board:indoor")

    assert "The search index is being rebuilt" in page.text
    assert set(titles(page)) == {ideas["tagged"], ideas["backed"], ideas["answered"]}


def test_searches_without_sense_are_answered(browse, ideas):
    for typed in ("the", "the and of", '"*"', "???", "% _", "-", "离线地图", "🚠", "x" * 10_000):
        page = look(browse(), typed)

        assert (page.status_code, titles(page)) == (200, []), typed


def test_any_text_gets_a_page(ines):
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(anything)
    def gets_a_page(typed):
        assert look(ines, typed.encode("utf-8", "replace").decode()).status_code == 200

    gets_a_page()


def test_a_search_asks_the_database_as_often_for_many_ideas_as_for_few(ines):
    look(ines, "maps")
    with statements() as few:
        look(ines, "maps status:new")
    for number in range(30):
        make_idea(f"Maps of place {number}", author=make_user())
    index.rebuild()
    with statements() as many:
        look(ines, "maps status:new")

    assert len(many) <= len(few) <= 20


# What is hidden


def test_s05_counts_facets_names_and_corrections_are_of_what_the_viewer_may_see(browse, ideas):
    hider = make_user(name="Zanzibari")
    closed, apart = make_board("Vault", Audience.STAFF), make_board("Letters", one_way=True)
    make_idea("Maps of quokkas", author=hider, board=closed)
    make_idea("Maps of quokkas again", author=hider, board=apart)
    hidden = make_idea("Maps of quokkas, hidden", author=hider, publication=Publication.HIDDEN)
    make_comment(make_idea("Maps of staff", author=hider, board=closed), body="Okapi")
    with transaction(wake=False):
        moves.set_tags(hidden, ["okapis"], make_user(Role.PM))
    index.rebuild()
    browser = browse(make_user())
    nothing = {
        typed: look(browser, typed.format("nonsensical")).text for typed in ("{}", "author:{}", "tag:{}", "board:{}")
    }

    page = look(browser, "maps").text
    for name, typed in (("quokkas", "{}"), ("zanzibari", "author:{}"), ("okapis", "tag:{}"), ("vault", "board:{}")):
        assert name not in page.lower()
        said = look(browser, typed.format(name)).text
        assert _bare(said).replace(name, "X") == _bare(nothing[typed]).replace("nonsensical", "X")
    assert "6 ideas" in page
    assert "quokka" not in look(browser, "quokkaz").text.replace("quokkaz", "")


def test_s05_a_word_that_only_hidden_ideas_have_is_put_right_as_if_nothing_had_it(browse, ideas):
    browser = browse(make_user())
    before = look(browser, "mapz").text
    make_idea("The mapz merger", board=make_board("Vault", Audience.STAFF))
    index.rebuild()

    assert "Showing results for" in before
    assert _bare(look(browser, "mapz").text) == _bare(before)
    assert "The <mark>mapz</mark> merger" in look(browse(make_user(Role.PM)), "mapz").text


def test_s05_ideas_with_some_of_the_words_are_found_however_many_hidden_ones_have_all(ideas):
    make_idea("Quiet zones")
    index.rebuild()
    before = results.search_ideas(Guest(), read("maps quiet")).total
    vault = make_board("Vault", Audience.STAFF)
    for number in range(6):
        make_idea(f"Maps quiet {number}", board=vault)
    index.rebuild()

    assert results.search_ideas(Guest(), read("maps quiet")).total == before == 7


def _bare(text):
    return re.sub(r'csrf_token[^>]+|X-CSRFToken[^}]+|X-Search[^}]+|[?&]s=[^"]+', "", text)


def test_s05_how_many_are_found_of_very_many_does_not_tell_how_many_are_hidden(app, monkeypatch):
    monkeypatch.setattr(results, "RANKED", 10)
    monkeypatch.setattr(results, "DEPTHS", (12, 24, 48))
    board, closed = make_board("Open"), make_board("Shut", Audience.STAFF)
    for number in range(15):
        make_idea(f"Maps of place {number}", board=board)
        make_idea(f"Maps of secret {number}", board=closed)
    index.rebuild()

    found = results.search_ideas(make_user(), read("maps"))

    assert (found.total, found.cut) == (10, True)
