"""Tables on small screens: they move sideways in a place that the keyboard reaches and that has a name."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).parents[2] / "templates"


def test_each_table_of_a_page_can_be_moved_by_whoever_uses_it():
    pages = [path for path in TEMPLATES.rglob("*.html") if path.relative_to(TEMPLATES).parts[0] != "emails"]
    before = [
        (path.name, text[: found.start()].rpartition("<div")[2])
        for path in pages
        for text in [path.read_text()]
        for found in re.finditer("<table", text)
    ]

    assert len(before) >= 6
    fit = re.compile(r' class="([\w-]+ )?scrolls" tabindex="0" role="region" aria-label="[^"]+">\s*$')
    assert [name for name, place in before if not fit.match(place)] == []
