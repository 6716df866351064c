"""S48: whatever people write, a mail has only the headers and recipients that the portal chose."""

import unicodedata
from email import message_from_bytes
from email.policy import default

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.accounts.models import User
from portal.db import utcnow
from portal.notifications.mails.letter import SUBJECT_MAX, Letter, Quote, compose, header_text
from portal.notifications.models import Mail

HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "In-Reply-To", "References", "List-Id",
    "List-Unsubscribe", "List-Unsubscribe-Post", "MIME-Version", "Content-Type", "X-Auto-Response-Suppress",
}  # fmt: skip
HOSTILE = st.sampled_from(
    [
        "\r\nBcc: x@example.org",
        "\nTo: x@example.org",
        "=?utf-8?q?=0ABcc=3A_x@example.org?=",
        "=?utf-8?b?DQpCY2M6IHg=?=",
        "\x00",
        "\u2028Bcc: x@example.org",
        "\x0b",
        "\x85",
        "\ud800",
        "\u202e",
        "<x@example.org>",
        ", x@example.org",
        "; charset=x",
        "\r\n\r\n<script>",
        "Å" * 90,
        "a" * 300,
        "🧭" * 40,
    ]  # fmt: skip
)
WORDS = st.lists(st.one_of(HOSTILE, st.text(max_size=40)), max_size=6).map("".join)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(title=WORDS, portal=WORDS, quote=WORDS)
def test_s48_whatever_people_write_a_mail_has_only_our_headers_and_our_recipient(app, title, portal, quote):
    app.config["NAME"] = portal
    user = User(id=7, email="ann@example.org", name="Ann")
    mail = Mail(id=3, key="event-1-7", kind="decided", user=user, queued_at=utcnow())
    letter = Letter(
        subject=f"Planned: {title}", lead="An idea has moved.", title=title, button="See it", url="http://x/",
        foot="You voted.",
        quotes=[Quote([quote])], stop_url="http://127.0.0.1:8000/mail/stop/" + "t" * 200, settings_url="http://x/inbox",
        thread="idea-1",
    )  # fmt: skip

    raw = compose(letter, mail).as_bytes()
    got = message_from_bytes(raw, policy=default)

    assert set(got.keys()) == HEADERS
    assert len(got.keys()) == len(HEADERS)
    assert got["To"] == "ann@example.org"
    assert [address.addr_spec for address in got["From"].addresses] == ["ideas@127.0.0.1"]
    assert got["Subject"].lstrip().startswith("Planned:")
    assert "\n" not in got["Subject"]
    assert got["List-Unsubscribe"] == f"<{letter.stop_url}>"
    assert not got.defects
    assert all(len(line) < 998 for line in raw.split(b"\r\n"))
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]


@settings(max_examples=100, deadline=None)
@given(WORDS)
def test_text_for_a_header_is_one_visible_line(text):
    line = header_text(text)

    assert len(line) <= SUBJECT_MAX
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in line)
    assert "=?" not in line
    assert header_text(line) == line
