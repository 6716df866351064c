"""Measuring the search page: that every kind of search is there and answered. How fast it is is not asked here."""

from click.testing import CliRunner

from portal.bench.search_page import KINDS
from portal.cli import portal


def test_the_command_prints_how_long_each_kind_of_search_takes(tmp_path):
    done = CliRunner().invoke(portal, ["bench", "search-page", "--ideas", "40", "--keep", str(tmp_path)])

    assert done.exit_code == 0, done.output
    rows = [line.split(" | ") for line in done.output.splitlines() if line.startswith("| ")]
    assert [row[0].removeprefix("| ") for row in rows[2:]] == list(KINDS)
    assert all(float(row[1]) > 0 for row in rows[2:])
