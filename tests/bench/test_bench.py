"""The measuring itself: that what it builds is sound and what it prints is complete. How fast is not asked here."""

import json
import re
import sqlite3
import sys
from contextlib import closing
from subprocess import run

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from portal import doctor
from portal.bench import community, inside, visits
from portal.cli import portal
from portal.comments.models import Comment
from portal.db import db
from portal.ideas import heat
from portal.ideas.models import Follow, Idea, Vote
from portal.ideas.service import EXCERPT
from portal.search import index
from portal.text import plain, render_markdown
from portal.triage.queues import QUEUES

IDEAS = 50
WORKS = (
    "Board, guest", "Board, signed in", "Board, deep page, guest", "Board, deep page, signed in",
    "Board, one board and status, rising, signed in", "Board, one tag, new, signed in", "Board, own votes",
    "Idea, 20 comments, guest", "Idea, 20 comments, signed in", "Ideas at random, signed in", "Search",
    "Similar ideas while typing", "Inbox", "Triage, first look", "Vote",
)  # fmt: skip


def test_a_community_built_in_bulk_is_as_sound_as_one_that_grew(app):
    community.build(IDEAS)
    index.rebuild()

    broken = [finding.sentence for finding in doctor.examine() if finding.health is doctor.Health.BROKEN]
    assert broken == []
    assert db.session.scalar(select(func.count()).select_from(Idea)) == IDEAS
    assert db.session.scalar(select(func.count()).select_from(Vote)) == pytest.approx(20 * IDEAS, rel=0.1)
    assert db.session.scalar(select(func.count()).select_from(Comment)) == pytest.approx(5 * IDEAS, rel=0.1)
    for idea in db.session.scalars(select(Idea)):
        assert idea.need_html == render_markdown(idea.need)
        assert idea.excerpt == plain(idea.need, EXCERPT)
        assert _follow_reasons(idea) == _reasons(idea)
        if not idea.merged_into_id and not _merged_into(idea):
            assert idea.heat == pytest.approx(_heat_of(idea))


def test_every_request_of_the_plan_is_answered_with_few_statements(app):
    community.build(IDEAS)
    index.rebuild()
    db.session.rollback()

    works = visits.plan(app)
    seen = {work.name: inside.look(app, work) for work in works}

    assert tuple(seen) == WORKS
    for work in works:
        assert inside._answer(app, work.asks[-1]).status_code == 200, work.name
        assert seen[work.name].plain >= seen[work.name].compressed > 0
    assert seen["Board, guest"].statements <= 2
    assert seen["Board, signed in"].statements <= 6
    # The idea, its tags, moves, links, who wants another solution, promises, answers and comments, one statement each;
    # decisions and verdicts only where the moves say that there may be some.
    assert seen["Idea, 20 comments, guest"].statements <= 8
    # And who it is, their vote and follow, what they found helpful, and their unread news.
    assert seen["Idea, 20 comments, signed in"].statements <= 12


def test_the_command_prints_every_line_and_leaves_a_kept_portal(tmp_path):
    arguments = ["--ideas", str(IDEAS), "--seconds", "0.3", "--rounds", "1", "--clients", "2", "--keep", str(tmp_path)]

    done = run([sys.executable, "-m", "portal.cli", "bench", *arguments], capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    rows = dict(re.findall(r"^\| ([^|]+) \| (.+) \|$", done.stdout, re.MULTILINE))
    assert {"Hello", *WORKS} <= rows.keys()
    under_load = done.stdout.partition("### Statements")[0]
    failed = {row[0]: row[1] for row in re.findall(r"^\| ([^|]+) \|.* (\d+) \|$", under_load, re.MULTILINE)}
    assert set(failed.values()) == {"0"}, failed
    assert "First answer" in done.stdout
    with closing(sqlite3.connect(tmp_path / str(IDEAS) / "portal.db")) as kept:
        assert kept.execute("SELECT count(*) FROM ideas").fetchone() == (IDEAS,)


def test_the_pages_of_triage_are_measured_at_every_size_side_by_side(tmp_path):
    arguments = ["bench", "triage", "--ideas", "20", "--ideas", "40", "--keep", str(tmp_path)]

    done = run([sys.executable, "-m", "portal.cli", *arguments], capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr
    figure = r"[\d.]+ \([\d.]+\)"
    rows = re.findall(rf"^\| ([^|]+) \| {figure} \| {figure} \| \d+ \| [\d.]+ \|$", done.stdout, re.MULTILINE)
    assert rows == [*QUEUES, "snoozed", "a filter, status:open votes:>20"]


def test_a_database_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "100").mkdir()
    sqlite3.connect(tmp_path / "100" / "portal.db").execute("CREATE TABLE mine (id INTEGER)").connection.close()

    refused = CliRunner().invoke(portal, ["bench", "--ideas", "100", "--rounds", "1", "--keep", str(tmp_path)])

    assert refused.exit_code == 1
    assert "not empty" in refused.output


def test_the_load_generator_counts_what_came_back():
    from portal.bench import load
    from portal.bench.processes import hello_server

    with hello_server(1, 1) as server:
        plan = {"port": server.port, "clients": 2, "seconds": 5, "once": True}
        plan["requests"] = [f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in ["/"] * 30 + ["/no"] * 3]
        done = run([sys.executable, "-I", load.__file__], input=json.dumps(plan), capture_output=True, text=True)

    figures = json.loads(done.stdout)
    assert figures["all_answers"] == 33
    assert figures["statuses"] == {"200": 30, "404": 3}


def _follow_reasons(idea):
    rows = db.session.scalars(select(Follow).where(Follow.idea_id == idea.id))
    return {row.user_id: (row.is_author, row.is_voter, row.is_commenter) for row in rows}


def _reasons(idea):
    voters = set(db.session.scalars(select(Vote.voter_id).where(Vote.idea_id == idea.id)))
    said = set(db.session.scalars(select(Comment.author_id).where(Comment.idea_id == idea.id)))
    return {person: (person == idea.author_id, person in voters, person in said) for person in voters | said}


def _merged_into(idea):
    return db.session.scalar(select(Idea.id).where(Idea.merged_into_id == idea.id)) is not None


def _heat_of(idea):
    warmth = heat.COLD
    for at in db.session.scalars(select(Vote.cast_at).where(Vote.idea_id == idea.id)):
        warmth = heat.with_vote(warmth, at)
    return warmth
