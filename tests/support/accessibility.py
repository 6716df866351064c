"""Ask axe whether everybody can use a page."""

from collections.abc import Iterable, Iterator
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]  # all that can differ between light and dark
SEEN = '[...document.querySelectorAll("body *")].filter(element => element.checkVisibility())'
ASK = """asked => {{
    const within = {within};
    return within.length === 0 ? [] : axe.run(within, asked).then(answer => answer.violations);
}}"""


def assert_accessible(page: Any) -> None:
    """A page keeps WCAG 2.2 at level AA and axe's best practice, in light and in dark."""
    for scheme, rules in (("light", None), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = violations(page, rules)
        assert not found, f"{page.url}, {scheme}:\n" + "\n".join(found)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")


def violations_of_a_page(page: Any) -> Iterator[str]:
    """What axe objects to, wide and narrow, in light and in dark; the colours of what both widths show, once."""
    page.set_viewport_size({"width": 1280, "height": 900})
    for scheme, rules in (("light", None), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        yield from (f"1280 px, {scheme}: {found}" for found in violations(page, rules))
    page.evaluate(f"window.seenWide = new Set({SEEN})")
    page.set_viewport_size({"width": 390, "height": 900})
    only_narrow = f"{SEEN}.filter(element => !window.seenWide.has(element))"
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        yield from (f"390 px, {scheme}: {found}" for found in violations(page, COLOURS, within=only_narrow))
    yield from (f"390 px: {found}" for found in violations(page, without=COLOURS))


def violations(
    page: Any, rules: list[str] | None = None, *, without: Iterable[str] = (), within: str = "document"
) -> list[str]:
    """What axe objects to, a line an element; by all rules, or by those named; in the page, or in some elements."""
    if not page.evaluate("'axe' in window"):  # half a megabyte: once a page is enough
        page.evaluate(AXE_SCRIPT)
    which = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": RULES}
    asked = {"runOnly": which, "resultTypes": ["violations"], "preload": False}
    asked["rules"] = {rule: {"enabled": False} for rule in without}
    found = page.evaluate(ASK.format(within=within), asked)
    return [
        f"{violation['id']} ({violation['help']}): {node['html'][:200]}"
        for violation in found
        for node in violation["nodes"]
    ]
