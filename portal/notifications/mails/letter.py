"""A letter, and how it becomes a mail: its two parts, its headers and its envelope, in its reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import quoprimime
from email.headerregistry import BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import formatdate, parseaddr
from functools import lru_cache
from typing import Any

from css_inline import CSSInliner
from flask import current_app
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.ideas.workflow import StatusRule
from portal.notifications import links
from portal.notifications.mails import coming_back
from portal.notifications.mails.addresses import in_header, on_the_line
from portal.notifications.models import Mail
from portal.options import option
from portal.text import clean_line, plain
from portal.zones import told_in

SUBJECT_MAX = 160
WORDS_MAX = 120

_BLOCKS = re.compile(r"\n[ \t]*\n|\n(?=[ \t]{0,3}(?:[-*+]|\d{1,3}[.)])[ \t])")
_SIGNS = re.compile(r'[()<>@,:;\\".\[\]=?]')
_BULLET = re.compile(r"[ \t]{0,3}[-*+][ \t]")
_SAID_BY_ALL = {"Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted"}


class _AsItIs(BaseHeader):
    """A header of ours that must stay on one line; the library would fold and encode a long address."""

    max_count = 1

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """Take the value for what it is."""
        kwds["parse_tree"] = kwds["decoded"] = value

    def fold(self, *, policy: Policy) -> str:
        """Stay on one line, however long."""
        return f"{self.name}: {self}{policy.linesep}"


class _Headers(HeaderRegistry):
    """The library's, which would make a class anew for each header of each mail, and read again what all mails say."""

    def __init__(self) -> None:
        super().__init__()
        self._classes: dict[str, Any] = {}
        self._said_by_all = lru_cache(200)(super().__call__)

    def __getitem__(self, name: str) -> Any:
        """Return the class of a header."""
        made = self._classes.get(name)
        return made or self._classes.setdefault(name, super().__getitem__(name))

    def __call__(self, name: str, value: Any) -> Any:
        """Return a header as its class reads it."""
        return self._said_by_all(name, value) if name in _SAID_BY_ALL else super().__call__(name, value)


_headers = _Headers()
for _name in ("List-Unsubscribe", "List-Id", "Message-ID", "In-Reply-To", "References"):
    _headers.map_to_type(_name, _AsItIs)
POLICY = SMTP.clone(header_factory=_headers, cte_type="7bit")
_INLINER = CSSInliner(load_remote_stylesheets=False, minify_css=True)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Why a mail is not sent after all."""

    why: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's words in a letter, a paragraph each, under a heading where it needs one."""

    paragraphs: list[str]
    by: str = ""
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing among several of which a letter tells: what it is called, where it is, and what there is to say."""

    title: str
    url: str = ""
    text: str = ""
    source: StatusRule | None = None
    target: StatusRule | None = None
    quote: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What a letter tells under one heading."""

    heading: str
    entries: list[Entry]
    more: str = ""  # how much is left out


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person: both its parts show exactly this."""

    subject: str
    lead: str
    title: str
    button: str
    url: str
    foot: str
    source: StatusRule | None = None
    target: StatusRule | None = None
    quotes: list[Quote] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    code: str = ""  # six digits that do the same as the button where it was asked for
    code_alone: bool = False  # they are what the letter brings; the button does something else
    also: str = ""  # what else can be done at once, and where
    also_url: str = ""
    stop_url: str = ""
    stop_label: str = ""
    quieter_url: str = ""  # where to hear less of the idea, and not nothing
    settings_url: str = ""
    thread: str = ""  # what mail programs file it under
    reply_to: str = ""  # where a reply becomes a comment

    @property
    def preheader(self) -> str:
        """What mail programs show beside the subject."""
        if self.sections:
            return " · ".join(entry.title for section in self.sections for entry in section.entries[:2])[:200]
        said = self.sentences[:-1] if self.reply_to else self.sentences  # the last one says what a reply does
        return self.quotes[0].paragraphs[0] if self.quotes else said[0] if said else self.lead


def compose(letter: Letter, mail: Mail) -> EmailMessage:
    """Put a letter into its envelope: the headers and the recipient that we chose, a text part and an HTML part."""
    domain = links.mail_domain()
    name, _address = parseaddr(current_app.config["MAIL_FROM"])
    portal = str(option("name"))
    message = EmailMessage(policy=POLICY.clone(utf8=not on_the_line(mail.to).isascii()))
    message["From"] = in_header(sender_address(), _name_in_address(name or sender_name(portal)))
    message["To"] = in_header(mail.to)
    message["Subject"] = header_text(letter.subject)
    message["Date"] = formatdate(mail.queued_at.timestamp())
    message["Message-ID"] = message_id(mail)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # some servers heed that and not the line before
    if letter.thread:
        thread = [f"<{letter.thread}@{domain}>", *coming_back.replies_of(mail)]
        message["In-Reply-To"], message["References"] = thread[-1], " ".join(thread)
    if letter.reply_to:
        message["Reply-To"] = in_header(letter.reply_to, _name_in_address(portal))
    if letter.stop_url:
        message["List-Id"] = f"<ideas.{domain}>"
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    home, locale = links.absolute_url("ideas.index"), get_locale()
    text_dir = locale.text_direction if locale else "ltr"
    shown = {"letter": letter, "portal": portal, "home": home, "lang": str(locale or "en"), "text_dir": text_dir}
    shown["start"] = "right" if text_dir == "rtl" else "left"
    message["MIME-Version"], message["Content-Type"], message.epilogue = "1.0", "multipart/alternative", ""
    message.attach(_part("plain", _render("emails/letter.txt", shown)))
    message.attach(_part("html", _INLINER.inline(_render("emails/letter.html", shown))))
    return message


@contextmanager
def in_language_of(user: User | None, asked: str | None = None) -> Iterator[None]:
    """Speak the user's language and tell their time inside; without an account, the language they ``asked`` in."""
    language = (user.locale if user else None) or asked or current_app.config["DEFAULT_LOCALE"]
    with told_in(user.timezone if user else None), force_locale(language):
        yield


def message_id(mail: Mail) -> str:
    """Return the number under which the world knows this mail; trying again does not change it."""
    return f"<{mail.key}@{links.mail_domain()}>"


def header_text(text: str) -> str:
    """Return text that may stand in a header: one line of visible characters that no mail program decodes into more."""
    line = clean_line(_encodable(text)).replace("=?", "= ?")
    return line if len(line) <= SUBJECT_MAX else line[: SUBJECT_MAX - 1].rstrip() + "…"


def sender_address() -> str:
    """Return the address that mails come from."""
    return on_the_line(parseaddr(current_app.config["MAIL_FROM"])[1])


def sender_name(portal: str) -> str:
    """Return who mails come from: ``Fellside ideas``."""
    return portal if "idea" in portal.lower() else _("%(portal)s ideas", portal=portal)


def paragraphs(markdown: str) -> list[str]:
    """Return people's words without markup, a paragraph or list item each, at most 120 words in all."""
    return list(_paragraphs(markdown))


@lru_cache(100)  # many hear the same words
def _paragraphs(markdown: str) -> tuple[str, ...]:
    shown: list[str] = []
    left = WORDS_MAX
    for block in filter(None, (block.strip() for block in _BLOCKS.split(markdown))):
        text = plain(block, 2000)
        words = text.split()
        if not words:
            continue
        cut = " ".join(words[:left]) + "…" if len(words) > left else text
        shown.append(f"• {cut}" if _BULLET.match(block) else cut)
        left -= len(words)
        if left <= 0:
            break
    return tuple(shown)


def _part(kind: str, text: str) -> EmailMessage:
    """Return one part as ``set_content`` makes it, without the questions that it asks itself for any text."""
    part = EmailMessage(policy=POLICY)
    part["Content-Type"] = f'text/{kind}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    lines = b"\n".join([*text.encode().splitlines(), b""])
    part.set_payload(quoprimime.body_encode(lines.decode("latin-1"), POLICY.max_line_length or 78))
    return part


def _render(template: str, shown: dict[str, object]) -> str:
    return _encodable(current_app.jinja_env.get_template(template).render(shown))


def _name_in_address(name: str) -> str:
    """Return a name that may stand before an address; the library loses the quotes that signs would need."""
    return clean_line(_SIGNS.sub(" ", header_text(name)))[:60].strip()


def _encodable(text: str) -> str:
    """Return the text with a question mark for each half of a character."""
    return text.encode("utf-8", "replace").decode()
