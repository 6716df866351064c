"""Text that people write: clean on the way in, harmless and quick on the way out."""

from __future__ import annotations

import random
import re
import time
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import portal
from portal.text import clean_line, clean_text, plain, render_markdown

MOST = 20_000


class Reader(HTMLParser):
    """Notes the elements and attributes of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


BARE = ("p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "li", "hr", "h3", "h4", "h5", "h6")
ALLOWED: dict[str, set[str]] = {
    **dict.fromkeys((*BARE, "table", "thead", "tbody", "tr", "th", "td"), set()),
    "a": {"href", "title", "rel"},
    "ol": {"start"},
}


def assert_harmless(html: str) -> None:
    """Only elements and attributes of the list, and links that go to the web or to a mail address."""
    for tag, attributes in Reader(html).found:
        assert tag in ALLOWED, f"<{tag}> in {html!r}"
        assert set(attributes) <= ALLOWED[tag], f"{attributes} in {html!r}"
        if tag == "a":
            assert attributes["rel"] == "ugc nofollow noopener"
            scheme = (attributes.get("href") or "").partition(":")
            assert not scheme[1] or scheme[0].strip().lower() in {"http", "https", "mailto"} or "/" in scheme[0], html


HOSTILE = Path(__file__).parent / "web" / "hostile.txt"
PAYLOADS = [line for line in HOSTILE.read_text().splitlines() if line and not line.startswith("# ")]


def test_there_are_enough_hostile_texts():
    assert len(set(PAYLOADS)) >= 100


@pytest.mark.parametrize(
    "around", ["{}", "> {}", "- {}", "**{}**", "[x]({})", "![{}](x)", "`{}`", "| {} |\n|---|\n| b |"]
)
def test_s31_hostile_text_comes_out_harmless(around):
    for payload in PAYLOADS:
        assert_harmless(render_markdown(around.format(payload)))


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from(list("<>&\"'`*_[]()!#-+=|\\/:~ \n\tabjs\x00")) | st.characters(), max_size=200))
def test_s31_any_text_comes_out_harmless(text):
    assert_harmless(render_markdown(text))


def test_half_a_character_is_left_out_and_not_stumbled_over():
    assert render_markdown("a\ud800b") == "<p>ab</p>\n"


def test_markdown_says_what_people_mean():
    assert render_markdown("**Bold** and *soft*\nnext line") == (
        "<p><strong>Bold</strong> and <em>soft</em><br>\nnext line</p>\n"
    )
    assert render_markdown("# Title") == "<h3>Title</h3>\n"
    assert "<li>one</li>" in render_markdown("- one\n- two")
    assert 'href="https://example.org/a"' in render_markdown("See https://example.org/a")
    assert render_markdown("<b>no</b>") == "<p>&lt;b&gt;no&lt;/b&gt;</p>\n"
    assert render_markdown("") == ""


def test_a_short_version_has_no_markup_and_ends_at_a_word():
    assert plain("**One** two <b>three</b>\n\nfour & five", 100) == "One two <b>three</b> four & five"
    assert plain("alpha beta gamma delta", 12) == "alpha beta…"
    assert len(plain("word " * 500, 200)) <= 200


# Clean on the way in


def test_s38_a_line_is_one_line_without_anything_invisible():
    assert clean_line("  A\u0000 b\u200bc\u202ed\ufeff\r\n e\u0085 ") == "A bcd e"
    assert clean_line("e\u0301") == "é"
    assert clean_line("\ud800x") == "x"
    assert clean_line(None) == ""
    assert clean_line("نص من اليمين") == "نص من اليمين"
    assert clean_line("👩‍👩‍👧") == "👩‍👩‍👧"


def test_s38_a_text_keeps_its_lines_and_loses_its_control_characters():
    assert clean_text("a\r\nb\rc\x00\x07\n\n d ") == "a\nb\nc\n\n d"
    assert clean_text("e\u0301\ud800") == "é"
    assert clean_text(None) == ""


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(codec=None), max_size=100))
def test_s38_cleaning_twice_is_cleaning_once(text):
    for clean in (clean_line, clean_text):
        once = clean(text)
        assert clean(once) == once
        assert unicodedata.is_normalized("NFC", once) or clean is clean_line
        once.encode("utf-8")
        assert "\x00" not in once


# Quick, whatever the text

HARD = {
    "quotes": ">" * MOST,
    "spaced quotes": "> " * (MOST // 2),
    "quotes by the line": ">\n" * (MOST // 2),
    "nested lists": "".join(" " * depth + "- a\n" for depth in range(190)),
    "bullets": "- " * (MOST // 2),
    "numbers": "1. " * (MOST // 3),
    "stars": "*" * MOST,
    "stars and letters": "*a" * (MOST // 2),
    "underscores and letters": "_a " * (MOST // 3),
    "double stars": "**a " * (MOST // 4),
    "brackets": "[" * MOST,
    "closed brackets": "[]" * (MOST // 2),
    "links in links": "[a](" * (MOST // 4),
    "pictures": "![" * (MOST // 2),
    "references": "[a]: <" * (MOST // 6),
    "many references": "".join(f"[{n}]: x\n" for n in range(1500)) + "[1][2]" * 500,
    "backticks": "`" * MOST,
    "backticks of all lengths": "".join("`" * n + " " for n in range(1, 195)),
    "tildes": "~" * MOST,
    "struck": "~~a" * (MOST // 3),
    "angles": "<" * MOST,
    "comments": "<!--" * (MOST // 4),
    "tags": "<a " * (MOST // 3),
    "entities": "&" * MOST,
    "long entity": "&#" + "1" * (MOST - 2),
    "tables": "|" * MOST,
    "table lines": "|a" * 200 + "\n" + "|-" * 200 + "\n" + ("|b" * 200 + "\n") * 45,
    "addresses": "http://" * (MOST // 7),
    "one address": "http://" + "a" * (MOST - 7),
    "brackets in addresses": "http://a(" * (MOST // 9),
    "backslashes": "\\" * MOST,
    "headings": "#" * MOST,
    "heading ends": "# a " + "#" * (MOST - 4),
    "underlines": "a\n=" * (MOST // 3),
    "rules": "* " * (MOST // 2) + "a",
    "spaces": " " * MOST + "a",
    "tabs": "\t" * MOST + "a",
    "lines": "\n" * MOST,
    "returns": "\r" * MOST,
    "marks": "a" + "\u0301" * (MOST - 1),
    "wide letters": "𝔘" * (MOST // 2),
}


@pytest.mark.parametrize("what", list(HARD))
def test_s46_no_text_keeps_the_renderer_busy(what):
    text = HARD[what][:MOST]

    html, seconds = timed(lambda: render_markdown(text))

    assert seconds < 2, f"{what} took {seconds:.1f} s"
    assert_harmless(html)


def test_s46_no_random_text_keeps_the_renderer_busy():
    chance = random.Random(46)
    pieces = [
        "> ",
        "- ",
        "1. ",
        "*",
        "**",
        "_",
        "`",
        "```\n",
        "[",
        "](",
        ")",
        "![",
        "<",
        "\n",
        "\n\n",
        "    ",
        "|",
        "a",
        "~~",
        "\\",
    ]
    for _ in range(12):
        few = chance.sample(pieces, 4)
        text = "".join(chance.choice(few) for _ in range(MOST))[:MOST]

        _html, seconds = timed(lambda text=text: render_markdown(text))

        assert seconds < 2, f"{few} took {seconds:.1f} s"


# Regular expressions


def all_patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Every pattern that a module of the portal compiles, and every one that it writes out for re's functions."""
    import ast
    import importlib

    found = []
    root = Path(portal.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if "versions" in path.parts or path.name in {"env.py", "__main__.py"}:
            continue
        name = ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
        module = importlib.import_module(name)
        compiled = [(key, value) for key, value in vars(module).items() if isinstance(value, re.Pattern)]
        found += [(f"{name}.{key}", of_text(value)) for key, value in compiled]
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func)
                in {"re.sub", "re.search", "re.match", "re.findall", "re.split", "re.fullmatch"}
                and isinstance(node.args[0], ast.Constant)
            ):
                found.append((f"{name}:{node.lineno}", of_text(re.compile(node.args[0].value))))
    return found


def of_text(pattern: re.Pattern) -> re.Pattern[str]:
    """The same pattern for texts where it is one for bytes."""
    if isinstance(pattern.pattern, str):
        return pattern
    return re.compile(pattern.pattern.decode(), pattern.flags | re.ASCII)


ATOMS = [
    "a",
    "A",
    "1",
    " ",
    "\t",
    "\n",
    ">",
    "*",
    "_",
    "-",
    "#",
    "'",
    '"',
    "“",
    "/",
    ".",
    "<",
    "[",
    "(",
    "`",
    "&",
    "|",
    "é",
    "ideas/",
]
FULL_ONLY = {"portal.ideas.queries._NUMBER"}  # asked only whether it fits a whole text


def test_s47_every_pattern_is_quick_on_every_hostile_text():
    slow = []
    for name, pattern in all_patterns():
        full = name in FULL_ONLY
        for first in ATOMS:
            for text in (
                first * MOST,
                (first + " ") * (MOST // 2),
                (first + "a") * (MOST // 2) + "\x00",
                "http://" + first * MOST,
            ):
                _found, seconds = timed(
                    lambda p=pattern, t=text[:MOST], full=full: (p.fullmatch(t), full or p.sub("", t))
                )
                if seconds > 1:
                    slow.append(f"{name} on {first!r}: {seconds:.1f} s")

    assert slow == []


def timed(work):
    """What came out, and how much of this process's time it took."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start
