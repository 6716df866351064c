"""What of a mail is its writer's own, in both languages and as the usual mail programs write it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.inbound.reading import read
from portal.inbound.words import own_words, unfolded, words_of_html

MAILS = {
    "a telephone, English": (
        "Yes please.\n\n- one\n- two\n\nOn Tue, 3 May 2026 at 10:00, Fellside <i@x.example> wrote:\n> hello\n> there",
        "Yes please.\n\n- one\n- two",
    ),
    "a heading over two lines": (
        "Fine.\n\nSent from my iPhone\n\nOn Tue, 3 May 2026 at 10:00, Fellside ideas\n<i@x.example> wrote:\n> hello",
        "Fine.",
    ),
    "German, with a closing": (
        "Ja, bitte.\n\nMit freundlichen Grüßen\nAda\n\nAm 3. Mai 2026 um 10:00 schrieb Fellside <i@x.de>:\n\n> Hallo",
        "Ja, bitte.",
    ),
    "below the quotation": (
        "Am 03.05.26 um 10:00 schrieb Fellside:\n> Hallo\n> Frage?\n\nDie Antwort darunter.\n\n-- \nAda\nTel. 1",
        "Die Antwort darunter.",
    ),
    "between quotations": ("> Which one?\nThe second.\n> And when?\nToday.", "The second.\nToday."),
    "Outlook, English": ("Answer\n\nFrom: Fellside <i@x>\nSent: Tuesday\nTo: Ada\nSubject: Re\n\nold text", "Answer"),
    "Outlook, German": (
        "Antwort\n\nVon: F <i@x>\nGesendet: Montag\nAn: Ada\nBetreff: Re\n\nalter Text",
        "Antwort",
    ),
    "Outlook, with a rule": ("ok\n\n________________________________\nFrom: x\nold", "ok"),
    "German telephone": ("Geht.\n\nVon meinem iPhone gesendet\n\n> Am 3. Mai schrieb Fellside:\n> Hallo", "Geht."),
    "thanks that go on": (
        "Thanks,\nbut it fails as soon as I open two of them at the same time.\nAda",
        "Thanks,\nbut it fails as soon as I open two of them at the same time.\nAda",
    ),
    "nothing of one's own": ("On Tue, 3 May 2026, Fellside wrote:\n> hello", ""),
    "empty": ("", ""),
}


@pytest.mark.parametrize("mail", list(MAILS))
def test_only_the_words_of_its_writer_are_left(mail):
    text, own = MAILS[mail]

    assert own_words(text) == own
    assert own_words(text.replace("\n", "\r\n")) == own


def test_lines_that_were_broken_softly_are_joined():
    assert (
        unfolded("This is one \nline.\n> quoted \n> too\n-- \nAda") == "This is one line.\n> quoted \n> too\n-- \nAda"
    )


def test_html_is_read_without_quotations_scripts_and_what_outlook_hangs_on():
    html = (
        "<style>p{}</style><p>One<br>two</p><blockquote>old <blockquote>older</blockquote></blockquote>"
        "<ul><li>three</ul>"
        "<div id='divRplyFwdMsg'>From: x</div><p>old</p>"
    )

    assert words_of_html(html) == "One\ntwo\n\n- three"


@pytest.mark.parametrize(
    "piece",
    ["\n", " \n", "On\n", "From: \n", "On a", "Am schrieb ", "> ", "_", "-", "* ", "--\n", "<div>", "wrote:\n"]
    + ["a\n", "<a ", "<a b='", "<!--", "<blockquote><b>"],
)
def test_no_text_makes_a_pattern_go_astray(piece):
    """It would go on for minutes, or hours."""
    began = time.process_time()
    own = own_words(piece * 20_000)
    text = words_of_html(piece * 20_000)

    assert len(own) <= 40_000
    assert len(text) <= len(piece) * 20_000
    assert time.process_time() - began < 5


MAIL = b"From: ada@home.example\nTo: ideas@portal.example\n"
PARTS = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(2_000))


@pytest.mark.parametrize(
    "raw",
    [
        MAIL + PARTS + b"\nhello",
        MAIL + b"Content-Type: message/rfc822\n\n" * 2_000 + b"\nhello",
        *(MAIL + b"Content-Type: text/plain; charset=%s\n\n" % name + b"abc" * 200_000 + b"-x"
          for name in (b"punycode", b"idna", b"undefined")),
        MAIL + b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 2_000_000,
        b"".join(b"Cc: " + b'"' * 9_000 + b"\n" for _ in range(200)) + MAIL + b"\nhello",
    ],
)  # fmt: skip
def test_no_mail_keeps_its_reader_busy_or_stops_it(raw):
    began = time.process_time()
    incoming = read(raw)

    assert incoming.sender == "ada@home.example"
    assert incoming.recipients == [] or incoming.recipients == ["ideas@portal.example"]
    assert incoming.content().files == 0
    assert time.process_time() - began < 5


def test_a_sender_that_does_not_fit_is_nobody():
    assert read(b"From: ada@home.example" + b", " * 6_000 + b"eve@elsewhere.example\n\nhello").sender == ""


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_arrives_can_be_read(raw):
    for mail in (
        raw,
        b"From: " + raw,
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" + raw,
        b"To: a@b.example\n\n" + raw,
    ):
        incoming = read(mail)
        known = (
            incoming.sender,
            incoming.recipients,
            incoming.answers,
            incoming.message_id,
            incoming.is_from_a_machine,
        )

        assert incoming.content().files >= 0
        assert len(known) == 5
        assert not incoming.is_proven_by("mx.example")
