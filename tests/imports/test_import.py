"""Importing ideas: each once, silently, and whatever strangers put into their files."""

import csv
import gzip
import io
import json

import pytest
from sqlalchemy import func, select

from portal import doctor
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.config import ConfigurationError
from portal.db import db
from portal.events import EventRecord, OutboxRow
from portal.ideas.merging import undo_merge
from portal.ideas.models import Follow, Idea, StatusChange, Vote
from portal.ideas.workflow import Publication, Status
from portal.imports import reading
from portal.imports.ideas import bring_index_up_to_date, import_ideas
from portal.imports.reading import Source
from portal.notifications.models import Mail, Notification
from portal.search import index
from portal.transactions import transaction
from tests.factories import make_board, make_user
from tests.support import on_one_database


def json_lines(*rows):
    """A file of JSON lines; a row that is text already stands as it is."""
    lines = [row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows]
    return io.BytesIO(b"\n".join(lines) + b"\n")


def table(header, *rows, delimiter=","):
    """A CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return io.BytesIO(text.getvalue().encode())


def bring_in(file, **options):
    """Import a file from "elsewhere" and return the report."""
    return import_ideas(Source(file), **{"source": "elsewhere", **options})


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def by_id(external_id):
    return db.session.scalar(select(Idea).where(Idea.external_id == external_id))


def broken():
    """What the doctor calls broken, apart from the index, which these tests do not always build."""
    findings = (finding for finding in doctor.examine() if finding.health is doctor.Health.BROKEN)
    return [finding.sentence for finding in findings if "index" not in finding.sentence]


FULL = {
    "id": "A-1",
    "title": "Offline maps",
    "body": "No signal\n\nup *there*.",
    "proposal": "Download them.",
    "type": "feature",
    "tags": ["Maps", "offline"],
    "author": "Ada Wren",
    "created": "2021-03-04T05:06:07.000+0000",
    "status": "planned",
}


def test_a_row_comes_in_with_everything_it_says(app):
    bring_in(json_lines(FULL))

    idea = by_id("A-1")
    assert (idea.title, idea.need, idea.proposal) == ("Offline maps", "No signal\n\nup *there*.", "Download them.")
    assert "<em>there</em>" in idea.need_html
    assert [tag.name for tag in idea.tags] == ["feature", "maps", "offline"]
    assert idea.published_at.isoformat() == "2021-03-04T05:06:07+00:00"
    assert (idea.status, idea.publication, idea.source) == (Status.PLANNED, Publication.PUBLISHED, "elsewhere")
    assert idea.author.name == "Ada Wren"
    assert idea.votes == count(Vote) == count(Follow) == 1
    assert idea.board.ideas == 1
    assert broken() == []


def test_a_second_run_doubles_nothing_and_changes_nothing(app):
    rows = [
        FULL,
        {"title": "Without an id", "body": "Told apart by its words"},
        {"id": "A-3", "title": "C", "duplicate_of": "A-1"},
    ]
    bring_in(json_lines(*rows))
    before = [count(table) for table in (Idea, User, Vote, Follow, StatusChange, Board)]

    rows[0] = FULL | {"title": "Another title now"}
    again = bring_in(json_lines(*rows))

    assert (again.added, again.known, again.merged, again.bad) == (0, 3, 0, 0)
    assert [count(table) for table in (Idea, User, Vote, Follow, StatusChange, Board)] == before
    assert by_id("A-1").title == "Offline maps"


def test_the_same_id_from_another_source_is_another_idea(app):
    bring_in(json_lines(FULL))
    bring_in(json_lines(FULL), source="somewhere")

    assert count(Idea) == 2
    assert count(User) == 2


def test_nobody_is_told_and_the_journal_says_it_once_a_batch(app):
    bring_in(json_lines(FULL, {"id": "A-2", "title": "Dark mode", "duplicate_of": ["A-1"]}))

    assert [count(table) for table in (OutboxRow, Notification, Mail)] == [0, 0, 0]
    imported = db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.imported")).all()
    assert [record.data for record in imported] == [{"source": "elsewhere", "count": 2}]


def test_a_dry_run_counts_exactly_and_writes_nothing(app):
    rows = [
        FULL,
        {"id": "A-2", "title": "Dark mode", "duplicate_of": ["A-1"]},
        {"id": "A-3"},
        {"id": "A-4", "title": "x", "colour": 1},
    ]

    dry = bring_in(json_lines(*rows), dry_run=True)
    assert [count(table) for table in (Idea, User, Board, EventRecord)] == [0, 0, 0, 0]
    real = bring_in(json_lines(*rows))

    assert (dry.rows, dry.added, dry.merged, dry.bad) == (real.rows, real.added, real.merged, real.bad) == (4, 3, 1, 1)
    assert dry.problems == real.problems == ["line 3: there is no title"]
    assert list(dry.ignored) == ["colour"]


def test_duplicates_are_merged_along_chains_and_circles_into_one_main_idea(app):
    rows = [
        {"id": "end", "title": "The main one", "author": "Ann"},
        {"id": "middle", "title": "Refers to the end", "duplicate_of": "end", "author": "Bob"},
        {"id": "start", "title": "Refers to the middle", "duplicate_of": ["gone", "middle"], "author": "Ann"},
        {"id": "one", "title": "Around", "duplicate_of": ["two"]},
        {"id": "two", "title": "And around", "duplicate_of": ["three"]},
        {"id": "three", "title": "And around", "duplicate_of": ["one"]},
        {"id": "into", "title": "Into the circle", "duplicate_of": "three"},
        {"id": "self", "title": "Refers to itself", "duplicate_of": "self"},
    ]

    report = bring_in(json_lines(*rows))

    mains = {
        idea.external_id: idea.merged_into and idea.merged_into.external_id for idea in db.session.scalars(select(Idea))
    }
    assert mains == {
        "end": None,
        "middle": "end",
        "start": "end",
        "one": None,
        "two": "one",
        "three": "one",
        "into": "one",
        "self": None,
    }
    assert by_id("end").votes == 2  # Ann is behind two of the three, and counts once
    assert (report.merged, report.bad) == (5, 1)
    assert report.problems == ["line 8: self is in, but not merged: self is not there"]
    assert broken() == []


def test_a_merge_that_staff_took_back_stays_taken_back(app):
    rows = [{"id": "1", "title": "First"}, {"id": "2", "title": "Second", "duplicate_of": "1"}]
    bring_in(json_lines(*rows))
    manager = make_user(Role.PM)
    with transaction():
        undo_merge(by_id("2"), manager, "They are different after all.")

    report = bring_in(json_lines(*rows))

    assert report.merged == 0
    assert by_id("2").merged_into_id is None


def test_an_import_that_broke_off_before_the_merges_goes_on(app):
    rows = [{"id": "1", "title": "First"}, {"id": "2", "title": "Second", "duplicate_of": "1"}]
    bring_in(json_lines(*[row | {"duplicate_of": []} for row in rows]))

    report = bring_in(json_lines(*rows))

    assert (report.added, report.known, report.merged) == (0, 2, 1)


HOSTILE = {
    "not JSON": (b'{"title": "x"', "not JSON"),
    "no object": (b'["a", "b"]', "not an object"),
    "nested without end": (b'{"title": ' + b"[" * 100_000, "not JSON"),
    "no title": (b'{"body": "x"}', "there is no title"),
    "a title of spaces and marks": (b'{"title": " \\u200b\\u202e "}', "there is no title"),
    "a title that is a list": (b'{"title": ["x"]}', "title is not a text"),
    "10 MB on a line": (b'{"title": "' + b"x" * 10_000_000 + b'"}', "longer than 1024 kB"),
    "a text too long": (json.dumps({"title": "x", "body": "y" * 20_001}).encode(), "longer than 20,000 characters"),
    "not UTF-8": (b'{"title": "caf\xe9"}', "not UTF-8"),
    "no date": (b'{"title": "x", "created": "yesterday"}', "created is not a date"),
    "a date to come": (b'{"title": "x", "created": "2999-01-01"}', "lies in the future"),
    "a date before time": (b'{"title": "x", "created": "0001-01-01T00:00:00+14:00"}', "created is not a date"),
    "no such status": (b'{"title": "x", "status": "frobnicated"}', "no status is called frobnicated"),
    "merged into nothing": (b'{"title": "x", "status": "merged"}', "duplicate_of does not say"),
    "no such board": (b'{"title": "x", "board": "nowhere"}', "there is no board nowhere"),
    "an endless id": (json.dumps({"title": "x", "id": "y" * 101}).encode(), "the id is longer"),
    "an id twice": (b'{"title": "x", "id": "first"}', "the same as line 1"),
}


@pytest.mark.parametrize(("line", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
@on_one_database
def test_a_bad_row_is_named_with_its_reason_and_the_others_come_in(app, line, reason):
    report = bring_in(json_lines({"id": "first", "title": "Before"}, line, {"id": "last", "title": "After"}))

    assert (report.rows, report.added, report.bad) == (3, 2, 1)
    assert report.problems[0].startswith("line 2: ")
    assert reason in report.problems[0]
    assert by_id("last").title == "After"


def test_what_could_do_harm_elsewhere_comes_in_as_mere_text(app):
    report = bring_in(
        json_lines(
            {
                "id": "f\x00orm",
                "title": "=cmd|'/c calc'!A1\x00",
                "body": "<script>alert(1)</script>\x00 \ud800",
                "tags": "a\x00b",
                "author": "\x00Eve\u202e",
            }
        )
    )

    idea = by_id("form")
    assert report.bad == 0
    assert idea.title == "=cmd|'/c calc'!A1"
    assert "<script" not in idea.need_html
    assert idea.author.name == "Eve"
    assert [tag.name for tag in idea.tags] == ["ab"]


def test_a_long_title_is_cut_at_a_word_and_kept_whole_in_the_text(app):
    long = "word " * 60

    bring_in(json_lines({"id": "1", "title": long, "body": "And more."}))

    assert by_id("1").title.endswith("word…")
    assert len(by_id("1").title) <= 140
    assert by_id("1").need == f"{long.strip()}\n\nAnd more."


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_comes_in_whatever_separates_its_cells(app, delimiter):
    file = table(
        ["ID", "Title", "Description", "Labels", "Votes"],
        ["1", 'With "quotes"', "Two\nlines; here", "a,b", "17"],
        ["2", "Plain"],
        delimiter=delimiter,
    )

    report = bring_in(file)

    assert (report.added, list(report.ignored)) == (2, ["Votes"])
    assert (by_id("1").title, by_id("1").need) == ('With "quotes"', "Two\nlines; here")
    assert [tag.name for tag in by_id("1").tags] == ["a", "b"]
    assert by_id("1").votes == 0


def test_a_table_with_bad_rows_is_read_on_behind_them(app):
    file = io.BytesIO(
        b"\xef\xbb\xbfid,title\r\n1,First\r\n2,Too,many\r\n3,caf\xe9\r\n4,"
        + b"x" * (reading.LINE_MAX + 1)
        + b"\r\n5,Last\r\n"
    )

    report = bring_in(file)

    assert [idea.external_id for idea in db.session.scalars(select(Idea).order_by(Idea.id))] == ["1", "5"]
    assert report.problems == [
        "line 3: 3 cells under 2 columns",
        "line 4: not UTF-8 text",
        "line 5: longer than 1024 kB",
    ]


def test_a_packed_file_that_is_cut_off_gives_what_it_has(app):
    packed = gzip.compress(
        b"".join(json.dumps({"id": str(n), "title": f"Idea {n * n * 7919}"}).encode() + b"\n" for n in range(2000))
    )

    report = bring_in(io.BytesIO(packed[: len(packed) // 2]))

    assert report.added > 100
    assert report.bad == 1
    assert "damaged here" in report.problems[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'[{"title": "x"}]', "one JSON list"),
        (b"\xff\xfet\x00i\x00", "first line cannot be read"),
        (b"title,Title\nx,y\n", "same name"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_a_sentence(app, data, reason):
    with pytest.raises(ConfigurationError, match=reason):
        bring_in(io.BytesIO(data))


def test_an_empty_file_is_nothing_to_bring_in(app):
    assert bring_in(io.BytesIO(b"\n\n")).rows == 0


def test_authors_get_accounts_that_nobody_can_sign_in_to_and_nobodys_words_are_put_in_a_members_mouth(app):
    member = make_user(name="Ada Wren")
    bring_in(
        json_lines(
            {"id": "1", "title": "By a namesake", "author": "ada  wren"},
            {"id": "2", "title": "By an address", "author": "bob@example.org"},
            {"id": "3", "title": "By nobody"},
            {"id": "4", "title": "By nobody else"},
        )
    )

    authors = [by_id(str(number)).author for number in range(1, 5)]
    assert [author.name for author in authors] == ["ada wren (imported)", "bob", "Imported", "Imported"]
    assert member not in authors
    assert {(author.password_hash, author.can_get_mail, author.email.partition("@")[2]) for author in authors} == {
        (None, False, "imported.invalid")
    }


def test_a_board_is_the_rows_own_else_the_one_asked_for(app):
    make_board("Maps")
    make_board("Safety")

    bring_in(json_lines({"id": "1", "title": "One", "board": "Maps"}, {"id": "2", "title": "Two"}), board="safety")

    assert [by_id("1").board.slug, by_id("2").board.slug] == ["maps", "safety"]
    assert broken() == []
    with pytest.raises(ConfigurationError, match="There is no board moon. There are: maps, safety"):
        bring_in(json_lines(FULL), board="moon")


def test_only_so_many_rows_are_read_as_were_asked_for(app):
    report = bring_in(json_lines(*({"id": str(number), "title": f"Idea {number}"} for number in range(10))), limit=4)

    assert (report.rows, report.added, count(Idea)) == (4, 4, 4)


def test_what_came_in_can_be_found_under_its_own_words_and_those_merged_into_it(app):
    report = bring_in(
        json_lines(
            {"id": "1", "title": "Offline maps"},
            {"id": "2", "title": "Cartography without reception", "duplicate_of": "1"},
        )
    )

    bring_index_up_to_date(report.added, lambda _done, _total: None)

    assert by_id("1").id in [hit.id for hit in index.engine().search("cartography")]
    assert [f.sentence for f in doctor.examine() if f.health is doctor.Health.BROKEN] == []
