"""Text that people write: made clean on the way in, rendered safely once, shortened for lists."""

from __future__ import annotations

import html
import re
import unicodedata

import mistune
import nh3

_NESTING_MAX = 8
_QUOTE_RUN = re.compile(r"^[ \t]{0,3}(?:>[ \t]?){9,}", re.MULTILINE)
_LIST_INDENT = re.compile(r"^[ \t]{25,}", re.MULTILINE)
_SPACES = re.compile(r"\s+")
_TAGS = {
    "p",
    "br",
    "em",
    "strong",
    "del",
    "a",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "hr",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}

_markdown = mistune.create_markdown(escape=True, hard_wrap=True, plugins=["strikethrough", "table", "url"])
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="ugc nofollow noopener",
)


def render_markdown(text: str) -> str:
    """Return the text as HTML that is safe to show: Markdown without raw HTML, headings below the page's own."""
    flat = _LIST_INDENT.sub(" " * 24, _QUOTE_RUN.sub("> " * _NESTING_MAX, clean_text(text)))
    rendered = str(_markdown(flat))
    lowered = (
        rendered.replace("<h1>", "<h3>").replace("</h1>", "</h3>").replace("<h2>", "<h3>").replace("</h2>", "</h3>")
    )
    return _cleaner.clean(lowered)


def render_page(text: str) -> str:
    """Return the text of a whole page as HTML that is safe to show: its headings stand right below the page's title."""
    return render_markdown(text).replace("<h3>", "<h2>").replace("</h3>", "</h2>")


def plain(text: str, length: int) -> str:
    """Return the text without markup on one line, cut at a word to at most ``length`` characters."""
    line = html.unescape(_SPACES.sub(" ", nh3.clean(render_markdown(text[: length * 6]), tags=set())).strip())
    if len(line) <= length:
        return line
    return line[: length - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def clean_line(text: str | None) -> str:
    """Return a name or title in Unicode NFC on one line, without control, invisible and direction characters."""
    normal = unicodedata.normalize("NFC", text or "")
    kept = "".join(" " if c in "\t\r\n" else c for c in normal if c in "\t\r\n" or _is_visible(c))
    return _SPACES.sub(" ", kept).strip()


def clean_text(text: str | None) -> str:
    """Return a longer text in Unicode NFC with plain line ends and without control characters."""
    normal = unicodedata.normalize("NFC", (text or "").replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in normal if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}).strip()


def _is_visible(character: str) -> bool:
    # Cf holds zero-width and direction marks; the joiner that emoji and some scripts need stays.
    return character in "\u200d\u200c" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co"}
