"""What holds for an index in PostgreSQL only."""

import time

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import portal
from portal.config import ConfigurationError
from portal.search import engine as engine_module
from portal.search import on_postgres
from portal.search.engine import Document, NeedsRebuild
from portal.search.evaluation import new_postgres_engine
from portal.search.models import SearchDocument, SearchIndex, SearchPostings, SearchSegment
from portal.search.on_postgres import PostgresEngine
from tests.support.engines import IDEAS, another, ids


@pytest.fixture
def engine(postgres):
    engine = new_postgres_engine(postgres.url())
    engine.rebuild(IDEAS)
    yield engine
    engine.database.dispose()


def do(engine, statement):
    with engine.database.begin() as connection:
        return connection.execute(statement)


def test_many_small_writes_do_not_become_many_segments(engine):
    for number in range(40):
        engine.index([Document(100 + number, f"Small change number{number}")])

    assert len(engine._current().segments) <= on_postgres.MOST_UNSETTLED
    assert engine.is_healthy()
    assert ids(engine.search("number7 ")) == [107]


WORDS = st.sampled_from(["dark", "mode", "export", "roadmap", "account", "night", "settings", "toggle", "vote"])
TEXT = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)
CHANGES = st.lists(st.tuples(st.integers(1, 9), st.none() | st.tuples(TEXT, TEXT, TEXT)), max_size=40)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_after_whatever_changes_it_answers_as_if_built_anew(engine, changes):
    kept = {idea.id: idea for idea in IDEAS}
    engine.rebuild(IDEAS)
    for number, texts in changes:
        if texts is None:
            engine.remove([number])
            kept.pop(number, None)
        else:
            kept[number] = Document(number, *texts)
            engine.index([kept[number]])

    assert engine.ids() == kept.keys()
    assert engine.is_healthy()
    for word in ("dark", "mode night", "export", '"vote toggle"'):
        plain = [idea for idea in kept.values() if _has(idea, word)]
        assert set(ids(engine.search(word, limit=50))) >= {idea.id for idea in plain}


def test_words_of_what_was_removed_are_gone_from_the_database(engine):
    engine.index([Document(9, "Zanzibari secrets")])
    engine.remove([9])

    texts = do(engine, sa.select(SearchDocument.sequence)).scalars().all()
    assert not any("zanzibari" in text for text in texts)


def test_who_still_reads_what_was_replaced_looks_again(engine):
    other = another(engine)
    assert ids(other.search("spreadsheet")) == [2]

    engine.rebuild([Document(50, "A roadmap for everybody")])
    other._looked_at = time.monotonic() + 60

    assert ids(other.search("everybody roadmap")) == [50], "words that were not in memory show that it is another index"


@pytest.mark.parametrize(
    "harm",
    [
        sa.delete(SearchIndex),
        sa.update(SearchIndex).values(format=0),
        sa.text("DROP TABLE search_index"),
    ],
    ids=["no index", "another make", "no table"],
)
def test_a_missing_index_is_noticed(engine, harm):
    do(engine, harm)
    fresh = another(engine)

    assert not fresh.is_healthy()
    with pytest.raises(NeedsRebuild):
        fresh.similar("dark mode")
    with pytest.raises(NeedsRebuild):
        fresh.index([Document(6, "Into the void")])


@pytest.mark.parametrize(
    "harm",
    [
        sa.delete(SearchPostings).where(SearchPostings.word == "dark"),
        sa.delete(SearchDocument).where(SearchDocument.idea_id == 2),
        sa.delete(SearchSegment),
    ],
    ids=["a word", "a document", "everything"],
)
def test_a_damaged_index_is_noticed_and_a_rebuild_cures_it(engine, harm):
    do(engine, harm)
    fresh = another(engine)

    assert not fresh.is_healthy() or fresh.ids() != {idea.id for idea in IDEAS}
    fresh.rebuild(IDEAS)

    assert fresh.is_healthy()
    assert set(ids(fresh.search('"dark mode"'))) == {1, 4}


def test_deleting_the_index_under_a_running_engine_is_noticed(engine):
    assert engine.search("dark")
    do(engine, sa.delete(SearchIndex))
    time.sleep(engine_module.LOOK_AGAIN)

    with pytest.raises(NeedsRebuild):
        engine.search("dark")


def test_both_kinds_find_the_same(engine, tmp_path):
    from portal.search.on_whoosh import WhooshEngine

    files = WhooshEngine(tmp_path / "search")
    files.rebuild(IDEAS)

    for asked in ("dark mode", "company acount", "spreadsh", '"mode of reminding"', "nothing of the sort"):
        assert engine.search(asked) == files.search(asked)
        assert engine.similar(asked, "at night") == files.similar(asked, "at night")


def test_a_portal_on_sqlite_refuses_to_search_in_postgresql(tmp_path):
    with pytest.raises(ConfigurationError, match="PORTAL_SEARCH=postgres keeps the search index in PostgreSQL"):
        portal.create_app({"INSTANCE": str(tmp_path), "SEARCH": "postgres", "TESTING": True})


def test_the_engine_of_a_portal_is_that_of_its_settings(postgres_database, tmp_path):
    settings = {"INSTANCE": str(tmp_path), "SQLALCHEMY_DATABASE_URI": postgres_database.url, "TESTING": True}

    app = portal.create_app(settings | {"SEARCH": "postgres"})

    assert isinstance(app.extensions["search"], PostgresEngine)


def _has(idea, asked):
    text = f"{idea.title} | {idea.body} | {idea.said}".lower()
    if asked.startswith('"'):
        return asked.strip('"') in text
    return all(word in text.split() for word in asked.split())
