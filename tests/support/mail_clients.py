"""What mail programs can show: our own table of the few things that hold in all of them, and what a mail breaks of it.

Looked up for Apple Mail, Gmail, Outlook (Windows, with Word's engine; the web; phones), Yahoo and Thunderbird.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "p", "h1", "h2", "h3", "a",
    "span", "br",
}  # fmt: skip

EVERYWHERE, WITHOUT_IT_PLAINER = "everywhere", "where it is not known the mail looks plainer, and says the same"
PROPERTIES = {
    "background": EVERYWHERE,  # a colour; pictures are another matter
    "border-bottom": EVERYWHERE,
    "border-left": EVERYWHERE,  # the logical border-inline-start is not known to Gmail, Outlook and Yahoo
    "border-top": EVERYWHERE,
    "color": EVERYWHERE,
    "display": "none and inline-block everywhere but for Word, which shows blocks in a line as text in a line",
    "font-family": EVERYWHERE,
    "font-size": EVERYWHERE,
    "font-weight": "whole hundreds only: Yahoo forgets 650",
    "letter-spacing": EVERYWHERE,
    "line-height": EVERYWHERE,
    "margin": EVERYWHERE,
    "margin-top": EVERYWHERE,
    "max-height": WITHOUT_IT_PLAINER,  # of the preheader, which display: none hides already
    "max-width": "not in Word: the width attribute speaks there",
    "overflow": WITHOUT_IT_PLAINER,
    "overflow-wrap": WITHOUT_IT_PLAINER,
    "word-wrap": EVERYWHERE,
    "padding": "on cells everywhere; on links not in Word, which has a property of its own for the cell around them",
    "padding-bottom": EVERYWHERE,
    "padding-top": EVERYWHERE,
    "mso-padding-alt": "Word's own",
    "text-decoration": EVERYWHERE,
    "border-radius": WITHOUT_IT_PLAINER,  # square corners in Word
    "width": EVERYWHERE,
    "color-scheme": WITHOUT_IT_PLAINER,
    "supported-color-schemes": WITHOUT_IT_PLAINER,
}
IN_THE_DARK = {"color", "background", "border-color"}
FUNCTIONS = re.compile(r"(url|var|calc|min|max|clamp|image-set|linear-gradient|light-dark|attr|oklch|color-mix)\(")
GMAIL_CLIPS_AT = 102_000
GMAIL_DROPS_STYLES_OF = 8_192


def problems_of(html: str) -> list[str]:
    """What some mail program would not show as it is meant, a line each."""
    reader = _Reader()
    reader.feed(html)
    return [*reader.problems, *_of_the_whole(html, reader), *_of_styles(reader.styles)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.problems: list[str] = []
        self.metas: dict[str, str] = {}
        self.styles = ""
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        has = dict(attrs)
        self.in_style = tag == "style"
        if tag not in ELEMENTS:
            self.problems.append(f"<{tag}> is not for mails")
        if tag == "meta" and "name" in has:
            self.metas[has["name"]] = has["content"]
        if tag == "html" and not has.get("lang"):
            self.problems.append("no language")
        if tag == "table":
            wanted = {"role": "presentation", "cellpadding": "0", "cellspacing": "0", "border": "0"}
            self.problems += [f"a table without {k}={v}" for k, v in wanted.items() if has.get(k) != v]
            if not re.fullmatch(r"100%|560|", has.get("width", "")):
                self.problems.append(f"a table {has['width']} wide")
        if tag == "a" and not re.match(r"https?://[\w.:-]+/", has.get("href", "")):
            self.problems.append(f"a link to {has.get('href')}")
        self.problems += [
            f"{name} on <{tag}>" for name in has if name.startswith("on") or name in {"src", "srcset", "id"}
        ]
        self.problems += [f"<{tag}>: {problem}" for problem in _of_rule(has.get("style", ""), set(PROPERTIES))]

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self.styles += data

    def handle_endtag(self, tag: str) -> None:
        self.in_style = self.in_style and tag != "style"


def _of_rule(rule: str, known: set[str], important: bool = False) -> Iterator[str]:
    for declaration in filter(None, map(str.strip, rule.split(";"))):
        name, _colon, value = declaration.partition(":")
        if name.strip() not in known:
            yield f"{name} is not known everywhere"
        if FUNCTIONS.search(value):
            yield f"{declaration} reckons or fetches"
        if name == "font-weight" and not re.fullmatch(r"\s*[1-9]00\s*", value):
            yield f"{declaration} is no whole hundred"
        if name == "display" and value.strip() not in {"none", "inline-block"}:
            yield f"{declaration}"
        if important and "!important" not in value:
            yield f"{declaration} would lose against what stands in the element"


def _of_the_whole(html: str, reader: _Reader) -> Iterator[str]:
    if len(html.encode()) > GMAIL_CLIPS_AT:
        yield f"{len(html.encode())} bytes: Gmail cuts it off"
    for name in ("color-scheme", "supported-color-schemes"):
        if reader.metas.get(name) != "light dark":
            yield f"does not say {name}: light dark"
    if not html.lstrip().lower().startswith("<!doctype html>"):
        yield "no doctype"


def _of_styles(styles: str) -> Iterator[str]:
    if len(styles) > GMAIL_DROPS_STYLES_OF:
        yield f"{len(styles)} characters of styles: Gmail drops them"
    dark = "".join(re.findall(r"@media \(prefers-color-scheme: dark\) (\{(?:[^{}]|\{[^{}]*\})*\})", styles))[1:-1]
    outside = styles.replace(dark, "").replace("@media (prefers-color-scheme: dark) {}", "") if dark else styles
    if "@" in outside + dark:
        yield "another rule than the one for the dark"
    for rule in re.findall(r"\{([^{}]*)\}", dark):
        yield from _of_rule(rule, IN_THE_DARK, important=True)
    for selector in re.findall(r"([^{}]+)\{", outside):
        if selector.strip() != ":root":
            yield f"{selector.strip()} does not stand in the elements, where all programs heed it"
