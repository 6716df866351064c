"""What mails say: a letter, written when it is sent, in its reader's language, and its MIME form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import formatdate, parseaddr
from typing import Any

from css_inline import CSSInliner
from flask import current_app
from flask_babel import force_locale, get_locale
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.accounts.service import confirmation_token
from portal.ideas.workflow import Status, StatusRule
from portal.notifications import coming_back, links
from portal.notifications.models import Mail
from portal.notifications.policy import PERSONAL_KINDS, Kind, Reason
from portal.notifications.stories import Story
from portal.options import option
from portal.text import clean_line, plain
from portal.zones import told_in

SUBJECT_MAX = 160
WORDS_MAX = 120

_BLOCKS = re.compile(r"\n[ \t]*\n|\n(?=[ \t]{0,3}(?:[-*+]|\d{1,3}[.)])[ \t])")
_SIGNS = re.compile(r'[()<>@,:;\\".\[\]=?]')
_BULLET = re.compile(r"[ \t]{0,3}[-*+][ \t]")


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


_headers = HeaderRegistry()
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
        return self.quotes[0].paragraphs[0] if self.quotes else self.sentences[0] if self.sentences else self.lead


def letter_of(story: Story, reader: User, before: Sequence[Story] = ()) -> Letter:
    """Write down a story for its reader, with what happened to the same idea shortly before."""
    token = links.stop_token(reader.id, story.idea.id, story.kind)
    verdict = _verdict_token(story, reader)
    reply_to = coming_back.reply_address(story, reader)
    objection = links.objection_token(reader.id, story.change.id) if story.change and story.objectable_until else ""
    return Letter(
        subject=subject_of(story),
        lead=story.why + ".",
        title=story.idea.title,
        source=next((earlier.source for earlier in [*before, story] if earlier.source), None),
        target=next((later.target for later in [story, *reversed(before)] if later.target), None),
        quotes=[*_quotes(story), *(quote for earlier in reversed(before) for quote in _quotes(earlier))],
        sentences=[*story.sentences, *_shortly_before(before), *_company(story), *_reply_hint(reply_to)],
        button=_button(story),
        url=address_of(story, reader),
        also=_("Only partly, or no") if verdict else _("This is not what I meant") if objection else "",
        also_url=_also_at(verdict, objection),
        foot=story.because,
        stop_label=_("Stop for this idea"),
        stop_url=links.absolute_url("notifications.stop", token=token),
        quieter_url=_quieter_at(story, token),
        settings_url=links.absolute_url("notifications.preferences"),
        thread=f"idea-{story.idea.id}",
        reply_to=reply_to,
    )


def _quieter_at(story: Story, token: str) -> str:
    """Return where somebody who is told as one of an audience can ask for decisions only; empty for the others."""
    if story.kind in PERSONAL_KINDS or story.kind is Kind.VERDICT_ASKED:
        return ""
    return links.absolute_url("notifications.stop", token=token, _anchor="stop-idea")


def _also_at(verdict: str, objection: str) -> str:
    if verdict:
        return links.absolute_url("verdicts.by_mail", token=verdict, says="partly")
    return links.absolute_url("notifications.objection_by_mail", token=objection) if objection else ""


def address_of(story: Story, reader: User) -> str:
    """Return where its reader finds what a story tells of, or answers it."""
    verdict = _verdict_token(story, reader)
    if story.kind is Kind.CREDITED:
        return links.absolute_url("changelog.credit", entry_id=story.entry_id)
    if verdict:
        return links.absolute_url("verdicts.by_mail", token=verdict, says="yes")
    if story.team:
        endpoint, values = story.team.place
        return links.absolute_url(endpoint, **values)
    idea = story.main if story.kind is Kind.MERGED and story.main else story.idea
    return links.absolute_url("ideas.show", idea_id=idea.id, _anchor=story.place)


def _verdict_token(story: Story, reader: User) -> str:
    return links.verdict_token(reader.id, story.round_id) if story.round_id else ""


def _button(story: Story) -> str:
    if story.team:
        return _("Read the draft") if story.team.draft else _("Read and answer")
    if story.kind is Kind.CREDITED:
        return _("Say yes or no")
    if story.kind is Kind.VERDICT_ASKED:
        return _("Yes, it does")
    return _("Read and answer") if story.asks_for_words else _("See the idea")


def confirmation_letter(mail: Mail) -> Letter | Suppressed:
    """Ask somebody to show that the address is theirs."""
    user = mail.user
    if user is None or not user.is_active:
        return Suppressed("account suspended")
    if user.confirmed_at and not user.mail_stopped_at:
        return Suppressed("address confirmed")
    return Letter(
        subject=_("Confirm your address"),
        lead=_("Is this address yours, %(name)s?", name=user.name),
        title=_("Confirm your address"),
        sentences=[
            _("Confirm it, and we can tell you by mail what becomes of your ideas. The link works for 24 hours."),
            _("If you did not open an account with us, ignore this mail. Nothing else will come."),
        ],
        button=_("Confirm my address"),
        url=links.absolute_url("accounts.confirm", token=confirmation_token(user)),
        foot=_("You get this because somebody gave this address when opening an account."),
    )


def compose(letter: Letter, mail: Mail) -> EmailMessage:
    """Put a letter into its envelope: the headers and the recipient that we chose, a text part and an HTML part."""
    domain = links.mail_domain()
    name, _address = parseaddr(current_app.config["MAIL_FROM"])
    portal = str(option("name"))
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(_name_in_address(name or sender_name(portal)), addr_spec=sender_address())
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = header_text(letter.subject)
    message["Date"] = formatdate(mail.queued_at.timestamp())
    message["Message-ID"] = message_id(mail)
    message["Auto-Submitted"] = "auto-generated"
    if letter.thread:
        thread = [f"<{letter.thread}@{domain}>", *coming_back.replies_of(mail)]
        message["In-Reply-To"], message["References"] = thread[-1], " ".join(thread)
    if letter.reply_to:
        message["Reply-To"] = Address(_name_in_address(portal), addr_spec=letter.reply_to)
    if letter.stop_url:
        message["List-Id"] = f"<ideas.{domain}>"
        message["List-Unsubscribe"] = f"<{letter.stop_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    home, locale = links.absolute_url("ideas.index"), get_locale()
    text_dir = locale.text_direction if locale else "ltr"
    shown = {"letter": letter, "portal": portal, "home": home, "lang": str(locale or "en"), "text_dir": text_dir}
    shown["start"] = "right" if text_dir == "rtl" else "left"
    message.set_content(_render("emails/letter.txt", shown), cte="quoted-printable")
    html = _INLINER.inline(_render("emails/letter.html", shown))
    message.add_alternative(html, subtype="html", cte="quoted-printable")
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
    return parseaddr(current_app.config["MAIL_FROM"])[1]


def sender_name(portal: str) -> str:
    """Return who mails come from: ``Fellside ideas``."""
    return portal if "idea" in portal.lower() else _("%(portal)s ideas", portal=portal)


def paragraphs(markdown: str) -> list[str]:
    """Return people's words without markup, a paragraph or list item each, at most 120 words in all."""
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
    return shown


def subject_of(story: Story) -> str:
    """Return what a story is called in the lists of mail programs."""
    title = story.idea.title
    match story.kind:
        case Kind.DECIDED | Kind.PROGRESSED if story.target:
            return f"{story.target.label}: {title}"
        case Kind.NEEDS_INFO | Kind.QUESTION_REMINDER:
            return _("A question about: %(title)s", title=title)
        case Kind.ANSWERED:
            return _("Answered: %(title)s", title=title)
        case Kind.REPLIED:
            return _("%(who)s replied to you: %(title)s", who=story.who, title=title)
        case Kind.MENTIONED:
            return _("%(who)s calls you: %(title)s", who=story.who, title=title)
        case Kind.MERGED:
            return _("Joined with another idea: %(title)s", title=title)
        case Kind.MOVE_UNDONE:
            return _("Taken back: %(title)s", title=title)
        case Kind.MERGE_UNDONE:
            return _("On its own again: %(title)s", title=title)
        case Kind.RECEIVED:
            return _("Received: %(title)s", title=title)
        case Kind.PUBLISHED:
            return _("Published: %(title)s", title=title)
        case Kind.HIDDEN:
            return _("Hidden: %(title)s", title=title)
        case Kind.VERDICT_ASKED:
            return _("Does it solve your need? %(title)s", title=title)
        case Kind.CREDITED:
            return _("May we name you? It came out: %(title)s", title=title)
        case Kind.SPOKEN_FOR:
            return _("We gave a vote for you: %(title)s", title=title)
        case Kind.ASSIGNED:
            return _("Yours to look after: %(title)s", title=title)
    return f"{story.why}: {title}"


def _quotes(story: Story) -> list[Quote]:
    answer = story.answer
    quotes = [Quote(paragraphs(story.quote), by=story.quoted)]
    if answer:
        quotes.append(Quote(paragraphs(answer.alternative), heading=_("What you can do today")))
        quotes.append(Quote(paragraphs(answer.reversal), heading=_("What would change our mind")))
        quotes.append(Quote([answer.link] if answer.link else [], heading=_("Where to find it")))
    return [quote for quote in quotes if quote.paragraphs]


def _shortly_before(before: Sequence[Story]) -> list[str]:
    moves = [str(story.target.label) for story in before if story.target]
    return [_("Shortly before it was moved to %(statuses)s.", statuses=", ".join(moves))] if moves else []


def _company(story: Story) -> list[str]:
    behind_it = story.reason in {Reason.AUTHOR, Reason.VOTER} and story.idea.votes > 1
    if story.kind is not Kind.DECIDED or not behind_it:
        return []
    if story.target and story.target.kind is Status.SHIPPED:
        return [_("Thank you for asking for it.")]
    return [_("You are one of %(number)s people who asked for this.", number=story.idea.votes)]


def _reply_hint(reply_to: str) -> list[str]:
    """Say where the words of a reply will stand, before somebody writes one."""
    hint = _("Reply to this mail, and your words join the discussion, where everybody who sees the idea reads them.")
    return [hint] if reply_to else []


def _render(template: str, shown: dict[str, object]) -> str:
    return _encodable(current_app.jinja_env.get_template(template).render(shown))


def _name_in_address(name: str) -> str:
    """Return a name that may stand before an address; the library loses the quotes that signs would need."""
    return clean_line(_SIGNS.sub(" ", header_text(name)))[:60].strip()


def _encodable(text: str) -> str:
    """Return the text with a question mark for each half of a character."""
    return text.encode("utf-8", "replace").decode()
