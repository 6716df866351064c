"""Reading a mail as it came: who sent it, to which addresses, what it says, and what else it carries."""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser

from portal.inbound.words import MOST_HTML, own_words, unfolded, words_of_html

MOST_PARTS, MOST_HTML_PARTS = 100, 3
LONGEST_SENDER, LONGEST_ADDRESSES, LONGEST_IN_ALL = 1_000, 2_000, 6_000  # characters; the library takes long for more
FIT_FOR_THREADS = re.compile(r"<[!#-'*+\-./0-9=?A-Z^_`a-z{|}~]{1,120}@[A-Za-z0-9.\[\]:_-]{1,70}>")
TO = ("Delivered-To", "X-Original-To", "X-Envelope-To", "Envelope-To", "To", "Cc")
UNASKED = frozenset({"bulk", "junk", "list", "auto_reply"})
BY_MACHINES = ("X-Autoreply", "X-Autorespond", "X-Failed-Recipients", "Feedback-ID")
NOT_FILES = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "text/vcard"}
    | {"text/calendar", "application/ms-tnef", "text/x-vcard"}
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a mail says, and how many files it brings."""

    words: str
    files: int = 0


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail that came in, as far as it can be read without believing a word of it."""

    message: Message = field(repr=False)
    key: str  # the same when it comes again
    whole: str  # a hash of all of it, by which a mail is known whose number anybody may have written

    @property
    def message_id(self) -> str:
        """Its number, if it is one that may stand in a header of ours."""
        found = FIT_FOR_THREADS.fullmatch(header(self.message, "Message-ID"))
        return found[0] if found else ""

    @property
    def answers(self) -> list[str]:
        """The numbers of the mails that it answers, the nearest first."""
        near = header(self.message, "In-Reply-To")
        far = header(self.message, "References")[-2000:]
        return FIT_FOR_THREADS.findall(near)[:1] + FIT_FOR_THREADS.findall(far)[::-1][:20]

    @property
    def sender(self) -> str:
        """The one address that it says it is from; empty for none, several, or what can be read in two ways."""
        values = headers(self.message, "From")
        fits = len(values) == 1 and len(values[0]) <= LONGEST_SENDER
        found = _read_addresses(values[0]) if fits else None
        return found[0] if found and len(found) == 1 else ""

    @property
    def recipients(self) -> list[str]:
        """Every address that it was sent to, as far as it says."""
        return addresses_in([value for name in TO for value in headers(self.message, name)])

    @property
    def is_from_a_machine(self) -> bool:
        """Whether no person sent it: an answer must not be answered, or two machines talk for ever."""
        submitted = header(self.message, "Auto-Submitted").lower()
        if submitted and not submitted.startswith("no"):
            return True
        if header(self.message, "Precedence").lower() in UNASKED or header(self.message, "List-Id"):
            return True
        if header(self.message, "Return-Path").strip() == "<>":
            return True
        return any(header(self.message, name) for name in BY_MACHINES)

    def is_proven_by(self, server: str) -> bool:
        """Whether our own mail server ``server`` found the sender genuine (RFC 8601): by DMARC, or DKIM of that domain.

        Only the topmost word of that server counts: what stands below came with the mail.
        """
        domain = self.sender.rpartition("@")[2]
        for value in headers(self.message, "Authentication-Results"):
            named, *found = _results(value[:4000].lower())
            if (named.split() or [""])[0] == server.lower():
                failed = any(one.split()[:1] == ["dmarc=fail"] for one in found)
                return not failed and any(_proves(one, domain) for one in found)
        return False

    def content(self) -> Content:
        """Return what its writer says, and how many files came along."""
        plain: list[str] = []
        html: list[str] = []
        files = 0
        for part in list(self.message.walk())[:MOST_PARTS]:
            kind = part.get_content_type()
            if part.is_multipart() or kind in NOT_FILES:
                continue
            if part.get_content_disposition() == "attachment" or (part.get_filename() and not _is_inside(part)):
                files += 1
            elif kind == "text/plain":
                text = _text(part)
                plain.append(unfolded(text) if str(part.get_param("format", "")).lower() == "flowed" else text)
            elif kind == "text/html" and len(html) < MOST_HTML_PARTS:
                html.append(_text(part))
        said = "\n".join(plain) if any(text.strip() for text in plain) else "\n".join(map(words_of_html, html))
        return Content(own_words(said), files)


def read(raw: bytes) -> Incoming:
    """Read a mail; whatever it is, this gives something."""
    message = _parsed(raw)
    number = header(message, "Message-ID")
    said = f"{number}\n{header(message, 'From')}\n{header(message, 'Date')}".encode("utf-8", "replace")
    whole = hashlib.sha256(raw).hexdigest()
    return Incoming(message, hashlib.sha256(said).hexdigest() if number else whole, whole)


def _parsed(raw: bytes) -> Message:
    """Return the mail with its parts; of one in which parts hold parts without end only what is said before them."""
    try:
        message = message_from_bytes(raw, policy=policy.compat32)
        for _part in message.walk():
            pass
    except RecursionError:
        return BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
    return message


def header(message: Message, name: str) -> str:
    """Return the first header of this name on one line; empty if there is none."""
    return next(iter(headers(message, name)), "")


def headers(message: Message, name: str) -> list[str]:
    """Return every header of this name, each on one line."""
    return [re.sub(r"[\r\n]+[ \t]*", " ", str(value)).strip()[:10_000] for value in message.get_all(name, [])]


def subject_of(message: Message) -> str:
    """Return the subject, decoded."""
    value = header(message, "Subject")
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError, MessageError):
        return value


def addresses_in(values: list[str]) -> list[str]:
    """Return the addresses that headers name, each once and in lower case; what cannot be read is left out."""
    found: list[str] = []
    left = LONGEST_IN_ALL
    for value in values:
        some = value if len(value) <= LONGEST_ADDRESSES else value[:LONGEST_ADDRESSES].rpartition(",")[0]
        left -= len(some)
        if left < 0:
            break
        found += _read_addresses(some) or _bare(some)
    return list(dict.fromkeys(found))


def _bare(value: str) -> list[str]:
    bare = value.strip()
    return [bare.strip("<>").lower()] if re.fullmatch(r"<?[^\s<>,;@]{1,64}@[^\s<>,;@]{1,255}>?", bare) else []


def _read_addresses(value: str) -> list[str]:
    """Return the addresses in one header, none of them if anything about it is doubtful."""
    try:
        parsed = policy.default.header_factory("To", value)
        doubtful = bool(parsed.defects) or any(group.display_name is not None for group in parsed.groups)
        return [] if doubtful else [str(one.addr_spec).lower() for one in parsed.addresses]
    except Exception:  # the library's parser stumbles over some of what strangers send
        return []


def _results(value: str) -> list[str]:
    """Return what stands between the semicolons, without comments; no word in quotes passes for more than a word."""
    found, depth, quoted, escaped = [""], 0, False, False
    for sign in value:
        if escaped or (sign == "\\" and (quoted or depth)):
            escaped = not escaped
        elif depth:
            depth += (sign == "(") - (sign == ")")
            found[-1] += " " if not depth else ""
        elif sign == '"':
            quoted = not quoted
        elif quoted:
            found[-1] += sign if sign.isalnum() or sign in "@.-_" else "_"
        elif sign == "(":
            depth = 1
        elif sign == ";":
            found.append("")
        else:
            found[-1] += sign
    return [""] if quoted or depth else found


def _proves(result: str, domain: str) -> bool:
    method, *about = result.split() or [""]
    words = dict(word.partition("=")[::2] for word in about if "=" in word)
    if method == "dmarc=pass":
        return words.get("header.from", domain) == domain
    if method == "dkim=pass":
        signer = words.get("header.d") or words.get("header.i", "").rpartition("@")[2]
        return "." in signer and (domain == signer or domain.endswith(f".{signer}"))
    return False


def _is_inside(part: Message) -> bool:
    """Whether a part with a name is a picture that the text shows, such as a logo under it."""
    return part.get_content_maintype() == "image" and bool(part.get("Content-ID"))


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else str(payload or "").encode("utf-8", "replace")
    raw, charset = raw[: 4 * MOST_HTML], str(part.get_content_charset() or "utf-8")
    try:
        known = codecs.lookup(charset).name != "punycode"  # which is for names, and takes minutes over a page
        text = raw.decode(charset if known else "utf-8", "replace")
    except (LookupError, ValueError):
        text = raw.decode("utf-8", "replace")
    return text[:MOST_HTML]
