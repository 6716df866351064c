"""Ask axe whether everybody can use a page."""

from typing import Any

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def assert_accessible(page: Any) -> None:
    """A page keeps WCAG 2.2 at level AA and axe's best practice, in light and in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = violations(page)
        assert not found, f"{page.url}, {scheme}:\n" + "\n".join(found)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")


def violations(page: Any, rules: list[str] | None = None) -> list[str]:
    """What axe objects to, a line an element; by all rules, or by those named."""
    from axe_playwright_python.sync_playwright import Axe

    which = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": RULES}
    answer = Axe().run(page, options={"runOnly": which, "resultTypes": ["violations"]}).response
    return [
        f"{violation['id']} ({violation['help']}): {node['html'][:200]}"
        for violation in answer["violations"]
        for node in violation["nodes"]
    ]
