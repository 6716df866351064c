"""What somebody wrote in a mail themselves: without what they quoted, and without what stands under every mail."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import nh3
from mailparser_reply import EmailReplyParser
from mailparser_reply.constants import MAIL_LANGUAGES

MOST = 40_000  # characters that are looked at; four times what fits into a comment
MOST_HTML = 4 * MOST
LONG = 300  # no line that announces a quotation is longer
MOST_LINES = 150  # among which it is looked for; the library takes too long for more, and for runs of empty lines
LANGUAGES = ("en", "de")
CLOSING_MOST = 6  # lines that may follow a closing formula: a name, an office, a number

_ANNOUNCES = re.compile(
    r"^(?:on\b[^\n]{0,280}\bwrote|am\b[^\n]{0,280}\bschrieb\b[^\n]{0,120}|[^\n]{0,120}\bschrieb am\b[^\n]{0,120}):$",
    re.I,
)
_RULE = re.compile(r"^(?:_{20,}|-{3,} ?(?:original message|ursprüngliche nachricht|forwarded message) ?-{3,})$", re.I)
_SENT_FROM = re.compile(
    r"^(?:sent from (?:my |outlook|mail|yahoo)|get outlook for|gesendet (?:von|mit)|von meinem .{1,60} gesendet|"
    r"diese nachricht wurde von meinem)",
    re.I,
)
_CLOSING = re.compile(
    "^(?:" + "|".join(formula for name in LANGUAGES for formula in MAIL_LANGUAGES[name]["signatures"]) + r")[\s,.!]*$",
    re.I,
)


def own_words(text: str) -> str:
    """Return what its writer added to a mail, above, below or between what they quote."""
    lines = text[:MOST].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").split("\n")
    lines = lines[: _end_of_newest(lines)]
    lines = _without_quotations(lines)
    lines = _without_signature(lines)
    return "\n".join(line.rstrip() for line in lines).strip()


def words_of_html(html: str) -> str:
    """Return the text of a mail that has only an HTML part, without what it quotes."""
    reader = _Text()
    reader.feed(_tidied.clean(html[:MOST_HTML]))
    reader.close()
    text = "".join(reader.parts)
    text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def unfolded(text: str) -> str:
    """Join the lines that a mail program broke softly (format=flowed)."""
    joined: list[str] = []
    soft = False
    for line in text.replace("\r\n", "\n").split("\n"):
        quoted, signature = line.startswith(">"), line == "-- "
        if soft and not quoted and not signature:
            joined[-1] += line.removeprefix(" ")
        else:
            joined.append(line)
        soft = line.endswith(" ") and not quoted and not signature
    return "\n".join(joined)


def _end_of_newest(lines: list[str]) -> int:
    """Return after how many lines an older mail begins, by the headings that mail programs put over it."""
    shown = [line.strip() if len(line) <= LONG else "…" for line in lines[:MOST_LINES]]
    once = [line for number, line in enumerate(shown) if line or (number and shown[number - 1])]
    newest = EmailReplyParser(languages=list(LANGUAGES)).read("\n".join(once)).latest_reply or ""
    left = sum(bool(line.strip()) for line in newest.split("\n"))
    for number, line in enumerate(shown):
        if left <= 0 and line:
            return number
        left -= bool(line)
    return len(lines)


def _without_quotations(lines: list[str]) -> list[str]:
    kept: list[str] = []
    for number, line in enumerate(lines):
        bare = line.strip()
        if _RULE.match(bare[:LONG]):
            break
        if bare.startswith(">"):
            continue
        following = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if len(bare) <= LONG and (
            _ANNOUNCES.match(bare) or (following and _ANNOUNCES.match(f"{bare} {following}"[:LONG]))
        ):
            if not _ANNOUNCES.match(bare):
                lines[number + 1] = ""
            continue
        kept.append(line)
    return kept


def _without_signature(lines: list[str]) -> list[str]:
    """Leave out what stands under a mail: below the usual mark, a closing formula, and what a telephone adds."""
    for number, line in enumerate(lines):
        if line.rstrip() in {"--", "—", "__"}:
            lines = lines[:number]
            break
    while lines and (not lines[-1].strip() or _SENT_FROM.match(lines[-1].strip()[:LONG])):
        lines.pop()
    end, follow = len(lines), 0
    for number in range(len(lines) - 1, 0, -1):
        if _CLOSING.match(lines[number].strip()[:LONG]):
            end = number
        follow += bool(lines[number].strip())
        if follow > CLOSING_MOST or len(lines[number]) > 80:
            break
    return lines[:end]


class _Text(HTMLParser):
    """Gathers the text of a mail, but for quotations and what no one reads."""

    BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "table", "hr"})
    VOID = frozenset({"br", "hr"})
    SHOWN = BREAKS | {"blockquote", "span", "tbody", "td", "th"}
    UNREAD = frozenset({"script", "style", "title", "template"})
    QUOTES = re.compile(r"\b(?:gmail_quote|gmail_signature|moz-cite-prefix|yahoo_quoted|protonmail_quote)\b")
    REST = frozenset({"divRplyFwdMsg", "appendonsend", "mail-editor-reference-message-container"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.skipping: list[str] = []  # elements that are open since one of them was left out
        self.over = False  # all that follows is the mail that was answered

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Go on, or begin to leave out; the name is the library's."""
        about = dict(attrs)
        self.over = self.over or about.get("id") in self.REST
        if self.skipping or tag == "blockquote" or self.QUOTES.search(about.get("class") or ""):
            if tag not in self.VOID:
                self.skipping.append(tag)
        elif tag in self.BREAKS:
            self.parts.append("\n- " if tag == "li" else "\n")

    def handle_endtag(self, tag: str) -> None:
        """Stop leaving out where that ended."""
        if self.skipping:
            self.skipping.pop()
        elif tag in self.BREAKS - self.VOID:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep what is read."""
        if not self.skipping and not self.over:
            self.parts.append(re.sub(r"\s+", " ", data))


_tidied = nh3.Cleaner(
    tags=set(_Text.SHOWN),
    clean_content_tags=set(_Text.UNREAD),
    attributes={"*": {"class", "id"}},
    link_rel=None,
)
"""Closes what strangers left open, in one go: the parser above takes hours over some of what is never closed."""
