"""Measuring the search: that every line is there. How good the figures are is not asked here."""

import json
import re
from contextlib import ExitStack

from click.testing import CliRunner

from portal.bench import search
from portal.cli import portal
from portal.search.evaluation import TEXTS, measure

ISSUES = [
    {"id": "a", "title": "Dark mode for the web app", "body": "My eyes hurt.", "duplicate_of": ["b"]},
    {"id": "b", "title": "A dark mode", "body": "For the night."},
    {"id": "c", "title": "Export to a spreadsheet", "body": "Rows and\x00columns."},
]


def test_the_command_prints_both_engines_beside_others(postgres, tmp_path):
    (tmp_path / "labelled.jsonl").write_text("\n".join(map(json.dumps, ISSUES)))

    done = CliRunner().invoke(
        portal,
        ["bench", "search", "--data", str(tmp_path), "--ideas", "100", "--no-fresh", "--database", postgres.url()],
    )

    assert done.exit_code == 0, done.output
    rows = re.findall(r"^\| (.+?) \| (prefix|title|full) \| ([01]\.\d+)", done.output, re.MULTILINE)
    engines = {"Portal on Whoosh", "Portal on PostgreSQL", *search.PEERS}
    assert {(name, mode) for name, mode, _ in rows} == {(name, mode) for name in engines for mode in search.MODES}
    assert {share for name, _, share in rows if name.startswith("Portal")} == {"1.000"}
    assert re.search(r"\| Portal on PostgreSQL \| title \| (same|likely|possible) \|", done.output)
    assert "### 100 ideas" in done.output


def test_each_peer_finds_the_text_that_is_asked_for(postgres):
    for build in search.PEERS.values():
        with ExitStack() as closing:
            found = measure(build(ISSUES, postgres.url(), closing), ISSUES, TEXTS["title"])
        assert found.recall_at_1 == 1
