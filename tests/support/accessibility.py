"""Ask axe whether everybody can use a page."""

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
COLOURS = ["color-contrast", "link-in-text-block"]  # all that can differ between light and dark


def assert_accessible(page: Any) -> None:
    """A page keeps WCAG 2.2 at level AA and axe's best practice, in light and in dark."""
    for scheme, rules in (("light", None), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = violations(page, rules)
        assert not found, f"{page.url}, {scheme}:\n" + "\n".join(found)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")


def violations(page: Any, rules: list[str] | None = None) -> list[str]:
    """What axe objects to, a line an element; by all rules, or by those named."""
    if not page.evaluate("'axe' in window"):  # half a megabyte: once a page is enough
        page.evaluate(AXE_SCRIPT)
    which = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": RULES}
    asked = {"runOnly": which, "resultTypes": ["violations"], "preload": False}
    found = page.evaluate("asked => axe.run(asked).then(answer => answer.violations)", asked)
    return [
        f"{violation['id']} ({violation['help']}): {node['html'][:200]}"
        for violation in found
        for node in violation["nodes"]
    ]
