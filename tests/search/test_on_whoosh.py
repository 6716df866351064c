"""What holds for an index in files only."""

import os
import random
import stat
import time
import tracemalloc

import pytest

from portal.search import engine as engine_module
from portal.search.engine import Document, NeedsRebuild
from portal.search.on_whoosh import WhooshEngine
from tests.support.engines import IDEAS, ids


@pytest.fixture
def engine(tmp_path):
    engine = WhooshEngine(tmp_path / "search")
    engine.rebuild(IDEAS)
    return engine


def test_whoever_seeds_random_numbers_does_the_index_no_harm(engine):
    for number in range(6, 9):
        random.seed(7)
        engine.index([Document(number, "Seeded")])

    assert set(ids(engine.search("seeded"))) == {6, 7, 8}


def test_a_rebuild_that_fails_leaves_no_files(engine):
    def breaking():
        yield IDEAS[0]
        raise RuntimeError("the database went away")

    before = sorted(path.name for path in engine.folder.iterdir())
    with pytest.raises(RuntimeError):
        engine.rebuild(breaking())

    assert sorted(path.name for path in engine.folder.iterdir()) == before


def test_only_the_owner_may_look_into_the_folder(engine):
    assert stat.S_IMODE(os.stat(engine.folder).st_mode) == 0o700


def _remove_everything(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _remove_table_of_contents(folder):
    next(folder.glob("index-*/*.toc")).unlink()


def _scribble_over_table_of_contents(folder):
    next(folder.glob("index-*/*.toc")).write_bytes(b"scribble" * 40)


def _empty_the_segment(folder):
    next(folder.glob("index-*/*.seg")).write_bytes(b"")


def _cut_the_segment(folder):
    segment = next(folder.glob("index-*/*.seg"))
    segment.write_bytes(segment.read_bytes()[: segment.stat().st_size // 2])


def _point_to_another_make(folder):
    (folder / "current").write_text("index-0-00000000")


# Whoosh leaves open what it failed to read.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "harm",
    [
        _remove_everything,
        _remove_table_of_contents,
        _scribble_over_table_of_contents,
        _empty_the_segment,
        _cut_the_segment,
        _point_to_another_make,
    ],
)
def test_harm_is_noticed_and_a_rebuild_cures_it(engine, harm):
    harm(engine.folder)
    fresh = WhooshEngine(engine.folder)

    assert not fresh.is_healthy()
    with pytest.raises(NeedsRebuild):
        fresh.similar("dark mode")
    with pytest.raises(NeedsRebuild):
        fresh.index([Document(6, "Into the void")])

    fresh.rebuild(IDEAS)
    assert fresh.is_healthy()
    assert set(ids(fresh.search('"dark mode"'))) == {1, 4}


def test_deleting_the_index_under_a_running_engine_is_noticed(engine):
    assert engine.search("dark")
    _remove_everything(engine.folder)
    time.sleep(engine_module.LOOK_AGAIN)

    with pytest.raises(NeedsRebuild):
        engine.search("dark")


def test_opening_an_index_reads_it_where_it_lies(tmp_path):
    engine, chance = WhooshEngine(tmp_path / "large"), random.Random(1)
    engine.rebuild(Document(n, f"Idea {n}", chance.randbytes(5_000).hex(" ", 4)) for n in range(100))
    engine.search("idea")

    tracemalloc.start()
    engine._open(None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert engine.search("idea")
    assert peak < engine.size() / 4
