"""What every answer carries, what no page ever runs, and what the portal does not even look at."""

from __future__ import annotations

import html
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.comments.models import BODY_MAX, Comment
from portal.db import db
from portal.decisions.queries import reasons_for
from portal.ideas import service
from portal.ideas.models import TEXT_MAX, TITLE_MAX, TITLE_MIN, Idea
from portal.ideas.moves import MoveDetails, answer_idea, move_idea, set_tags
from portal.ideas.workflow import Status
from portal.search import index
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_rules, make_user
from tests.support import HTMX, Browser, on_one_database

pytestmark = pytest.mark.usefixtures("app")

HOSTILE = [
    line for line in (Path(__file__).parent / "hostile.txt").read_text().splitlines() if not line.startswith("# One")
]
PUBLIC = (
    "/",
    "/?sort=new",
    "/search",
    "/search?q=maps",
    "/rules",
    "/privacy",
    "/how-we-decide",
    "/sign-in",
    "/sign-up",
)


# What every answer carries (S28, S29, S33)


def some_answers(browser: Browser, idea: Idea) -> dict[str, Any]:
    """One answer of each kind: pages, fragments, errors, files, redirects."""
    return {
        "a page": browser.get("/"),
        "an idea": browser.get(f"/ideas/{idea.id}"),
        "a fragment": browser.get("/", headers=HTMX),
        "nothing there": browser.get("/nothing/there"),
        "a wrong verb": browser.delete("/"),
        "a refused change": browser.post("/ideas", headers={"Origin": "https://elsewhere.example"}),
        "a redirect": browser.get("/inbox"),
        "a file": browser.get("/static/icons.svg"),
        "a missing file": browser.get("/static/nothing.js"),
        "health": browser.get("/healthz"),
        "words for machines": browser.get("/robots.txt"),
    }


def test_s28_s29_every_answer_tells_browsers_to_be_strict(browse):
    idea = make_idea()

    for browser in (browse(), browse(make_user(Role.PM))):
        for what, answer in some_answers(browser, idea).items():
            headers = answer.headers
            assert headers["X-Content-Type-Options"] == "nosniff", what
            assert headers["Referrer-Policy"] == "same-origin", what
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", what
            assert headers["Cross-Origin-Resource-Policy"] == "same-origin", what
            assert "camera=()" in headers["Permissions-Policy"], what
            assert "Access-Control-Allow-Origin" not in headers, what
            assert_strict(headers["Content-Security-Policy"])
            answer.close()


def assert_strict(policy: str) -> None:
    said = {line.split()[0]: set(line.split()[1:]) for line in policy.split("; ")}
    assert said["default-src"] == {"'none'"}
    assert said["script-src"] == said["style-src"] == said["connect-src"] == said["form-action"] == {"'self'"}
    assert said["base-uri"] == said["frame-ancestors"] == {"'none'"}
    assert not re.search(r"unsafe|https?:|\*", policy)


@pytest.mark.settings(
    BASE_URL="https://ideas.example.org",
    SECRET_KEY="a secret of the tests, and of nobody else, quite long",
    TRUSTED_HOSTS=["ideas.example.org", "localhost"],
)
def test_s29_behind_tls_browsers_are_told_to_stay_there(browse):
    at_home = {"base_url": "https://ideas.example.org"}

    answers = [browse().get(path, **at_home) for path in ("/", "/nothing", "/static/icons.svg")]

    for answer in answers:
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        answer.close()


def test_s33_pages_for_everybody_set_no_cookie(browse):
    idea = make_idea()

    for path in (*PUBLIC, f"/ideas/{idea.id}", f"/boards/{idea.board.slug}", f"/people/{idea.author_id}", "/nothing"):
        browser = browse()
        browser.carries_token = False
        with browser.session_transaction() as session:
            session.clear()
        answer = browser.get(path)
        if path in {"/sign-in", "/sign-up"}:
            continue  # their forms need one
        assert "Set-Cookie" not in answer.headers, path
        assert "csrf_token" not in answer.text, path


def test_s33_what_depends_on_a_person_is_kept_by_nobody(browse):
    idea = make_idea()
    browser = browse(make_user(Role.PM))

    for path in (*PUBLIC, f"/ideas/{idea.id}", "/inbox", "/account", "/triage/first-look", "/nothing"):
        answer = browser.get(path, follow_redirects=True)
        assert answer.headers["Cache-Control"] == "private, no-store", path
        assert {"Cookie", "HX-Request"} <= set(answer.vary), path


def test_s33_refusals_are_kept_by_nobody(browse):
    for path in ("/nothing", "/ideas/987654", "/boards/none"):
        assert browse().get(path).headers["Cache-Control"] == "private, no-store"


def test_page_and_fragment_of_one_address_are_kept_apart(browse):
    for headers in ({}, HTMX):
        assert "HX-Request" in browse().get("/", headers=headers).vary


# Hosts (S36)


def test_s36_a_foreign_host_is_refused(browse):
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example"):
        answer = browse().get("/", headers={"Host": host})
        assert answer.status_code == 400
        assert "evil.example" not in answer.text


def test_s36_links_in_mails_have_the_configured_host_whatever_a_request_says(browse, app, settle):
    idea = make_idea()
    pm = make_user(Role.PM)

    answer = browse(pm).post(
        f"/triage/first-look/{idea.id}/move/not_now",
        data={
            "not_now-seen": "new",
            "not_now-answer": "Later.",
            "not_now-reversal": "Ten more.",
            "not_now-because": reasons_for(Status.NOT_NOW)[0].id,
        },
        headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
    )
    settle()

    from portal.notifications.models import CaughtMail

    mails = [mail.raw for mail in db.session.scalars(select(CaughtMail))]
    assert answer.status_code == 303
    assert mails
    assert not any("evil.example" in raw for raw in mails)
    assert any(urlsplit(app.config["BASE_URL"]).netloc in raw for raw in mails)


def test_s36_an_address_cannot_be_made_up_without_a_known_proxy(browse, app):
    seen = []
    app.before_request(lambda: seen.append(__import__("flask").request.remote_addr))

    browse().get("/healthz", headers={"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"})

    assert seen == ["127.0.0.1"]


# Text from people (S31)


class Page(HTMLParser):
    """Reads a page as a browser does, and notes everything that could run or load something."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self.shown: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/"):
            self.problems.append(f"a script: {attrs}")
        if tag in {
            "style",
            "object",
            "embed",
            "iframe",
            "frame",
            "base",
            "math",
            "marquee",
            "applet",
            "img",
            "image",
            "video",
        }:
            self.problems.append(f"<{tag}> {attrs}")
        for name, value in attrs:
            self._look(tag, name, value or "")

    def handle_data(self, data: str) -> None:
        self.shown.append(data)

    def handle_comment(self, data: str) -> None:
        self.problems.append(f"a comment: {data[:60]}")

    def _look(self, tag: str, name: str, value: str) -> None:
        if (
            name.startswith(("on", "hx-on", "data-hx"))
            or name in {"style", "srcdoc", "ping"}
            or not re.fullmatch(r"[a-z:-]+", name)
        ):
            self.problems.append(f"{name}={value!r} on <{tag}>")
        if name in {"href", "src", "action", "formaction", "xlink:href"} and not re.match(
            r"(https?://|mailto:|/|#|\?)", value
        ):
            self.problems.append(f"{name}={value!r} on <{tag}>")
        if name in {"action", "formaction", "src"} and not re.match(r"/(?!/)", value):
            self.problems.append(f"{name}={value!r} on <{tag}>")
        if name.startswith("hx-") and name.split("-")[1] in {"get", "post"} and not value.startswith("/"):
            self.problems.append(f"{name}={value!r} on <{tag}>")


def test_the_reader_of_pages_sees_what_could_run():
    bad = [
        "<script>x</script>",
        "<a href='java&#115;cript:x'>",
        "<p onclick=x>",
        "<img src=x>",
        "<p style=x>",
        "<form action=//x>",
    ]

    assert [text for text in bad if not Page(text).problems] == []
    assert Page('<a href="/ideas/1" hx-get="/ideas/1">x</a>').problems == []


def community_of(payload: str) -> dict[str, Any]:
    """A community in which every text that a page shows is this one."""
    short = payload[: TITLE_MAX - 1]
    author = make_user(name=short[:59])
    pm = make_user(Role.PM, name=f"PM {short[:55]}", team=f"{short[:58]}")
    board = make_board()
    with transaction(wake=False):
        board.name, board.description, board.question = short[:60], payload[:300], payload[:140]
    idea = make_idea(short, author=author, board=board, need=payload, proposal=payload)
    comment = make_comment(idea, author=author, body=payload)
    make_comment(idea, author=pm, body=payload, reply_to=comment)
    with transaction(wake=False):
        set_tags(idea, [payload[:30].replace(",", ";")], pm)
        answer_idea(idea, pm, MoveDetails(answer=payload, alternative=payload, reversal=payload, link=""))
        move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm, reason=payload))
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer=payload, expected=payload[:60], reason=payload))
    merged = make_idea(short, author=author, board=board, need=payload)
    with transaction(wake=False):
        move_idea(merged, Status.MERGED, pm, MoveDetails(into=idea, reason=payload))
    return {"author": author, "pm": pm, "idea": idea, "merged": merged, "comment": comment, "board": board}


TOGETHER = "\n\n".join(HOSTILE)


@pytest.mark.parametrize(
    "payload", [TOGETHER, HOSTILE[6], HOSTILE[9], HOSTILE[88]], ids=["all", "quote", "attribute", "link"]
)
def test_s31_no_text_in_any_field_becomes_anything_but_text(browse, settle, payload):
    make_rules(payload)
    made = ids_of(community_of(payload))
    settle()
    people = {who: browse(db.session.get_one(User, made[who])) for who in ("author", "pm")}
    pages = [
        f"/ideas/{made['idea']}",
        f"/ideas/{made['merged']}",
        f"/ideas/{made['idea']}/history",
        f"/boards/{made['board']}?status=all",
        f"/people/{made['author']}",
        f"/ideas/{made['idea']}/comments/new?reply_to={made['comment']}",
        f"/ideas/{made['idea']}/edit",
        f"/comments/{made['comment']}/edit",
        f"/triage/promised/{made['idea']}",
        f"/triage/merge/{made['merged']}",
        f"/triage/merge/{made['merged']}?into={made['idea']}",
        "/?sort=answered",
        "/inbox",
        "/account",
        "/rules",
        "/rules/agree",
        "/search?q=alert",
        "/search/similar?title=alert+script+evil+example",
    ]

    answers = {(path, who): browser.get(path) for who, browser in people.items() for path in pages}

    assert {answer.status_code for answer in answers.values()} <= {200, 303, 403, 404}
    assert sum(answer.status_code == 200 for answer in answers.values()) > len(pages)
    assert_nothing_runs({f"{path} as {who}": answer.text for (path, who), answer in answers.items()})


def test_s31_no_title_and_no_name_becomes_anything_but_text(browse, settle):
    board = make_board()
    with transaction():
        for number, payload in enumerate(HOSTILE):
            name = payload[:59]
            author = User(email=f"{number}@hostile.example", name=name, name_key=f"{number}", role=Role.MEMBER)
            db.session.add(author)
            db.session.flush()
            service.submit_idea(author, board, title=payload[:TITLE_MAX], need=payload)
    settle()
    staff = browse(make_user(Role.PM))
    pages, path = {}, "/?sort=new"
    while path:
        pages[path] = staff.get(path).text
        older = re.search(r'href="(/\?[^"]*after=[^"]*)"', pages[path])
        path = older and html.unescape(older[1])
    for path in (
        "/triage/first-look",
        "/search?q=alert",
        "/search?q=script+evil",
        "/search/similar?title=img+src+onerror+alert",
    ):
        pages[path] = staff.get(path).text

    assert len(pages) >= len(HOSTILE) // 20
    assert_nothing_runs(pages)


def assert_nothing_runs(pages: dict[str, str]) -> None:
    problems = [f"{where}: {problem}" for where, text in pages.items() for problem in Page(text).problems]
    assert not problems, "\n".join(["", *problems[:20]])


def ids_of(made: dict[str, Any]) -> dict[str, Any]:
    return {name: thing.slug if name == "board" else thing.id for name, thing in made.items()}


def test_s31_what_stands_in_an_address_comes_back_as_text(browse):
    make_idea()
    problems = []
    browser = browse(make_user(Role.PM))
    for payload in HOSTILE[::9]:
        for path, name in (
            ("/", "tag"),
            ("/", "status"),
            ("/", "after"),
            ("/search", "q"),
            ("/search", "author"),
            ("/search", "board"),
            ("/search", "after"),
            ("/search/similar", "title"),
            ("/ideas/new", "title"),
            ("/sign-in", "next"),
            ("/triage/first-look", "board"),
        ):
            answer = browser.get(path, query_string={name: payload})
            if answer.status_code >= 500:
                problems.append(f"{path}?{name}={payload}: {answer.status_code}")
            problems += [f"{path}?{name}={payload}: {problem}" for problem in Page(answer.text).problems]

    assert not problems, "\n".join(["", *problems[:20]])


# Redirects (S35)

ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "http:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " //evil.example",
    "%2f%2fevil.example",
    "/\n/evil.example",
    "//evil.example\\@localhost",
    "https://localhost@evil.example",
    "/%0d%0aSet-Cookie:x=1",
    "ideas/1",
    "?x",
    "",
    "/\u2028/evil.example",
    "//localhost:80@evil.example",
    "\x00//evil.example",
    "/\x00/evil.example",
    "////evil.example",
    "/.//evil.example",
    "http://[::1",
    "/a\rb",
]


@pytest.mark.parametrize("target", ELSEWHERE)
@on_one_database
def test_s35_nobody_is_led_elsewhere(browse, target):
    browser = browse(make_user())

    answer = browser.get("/sign-in", query_string={"next": target})

    assert answer.status_code in {200, 303}
    if answer.status_code == 303:
        went = urlsplit(answer.location)
        assert not went.scheme
        assert not went.netloc
        assert re.match(r"/(?![/\\])", answer.location)
        assert "\n" not in answer.location


# Limits of what is written (S38)

FIELDS = {"title": (TITLE_MIN, TITLE_MAX), "need": (10, TEXT_MAX), "proposal": (0, TEXT_MAX)}


@pytest.mark.parametrize("field", list(FIELDS))
def test_s38_a_text_of_an_idea_fits_its_limits_and_no_more(browse, field):
    least, most = FIELDS[field]
    author = make_user()
    make_board(), make_board()
    good = {
        "title": "Let me name my routes",
        "need": "Today they have numbers only.",
        "proposal": "",
        "board": "",
        "checked": "1",
    }

    outcomes = {
        length: browse(author).post("/ideas", data=good | {field: "x" * length}).status_code
        for length in {max(least - 1, 0), least, most, most + 1, most + 5_000}
    }

    assert outcomes == {length: 303 if least <= length <= most else 422 for length in outcomes}


def test_s38_a_comment_fits_its_limits_and_no_more(browse):
    idea, author = make_idea(), make_user()

    outcomes = {
        length: browse(author).post(f"/ideas/{idea.id}/comments", data={"body": "x" * length}).status_code
        for length in (0, 1, 2, BODY_MAX, BODY_MAX + 1, 10 * BODY_MAX)
    }

    assert outcomes == {length: 303 if 2 <= length <= BODY_MAX else 422 for length in outcomes}


ODD = {
    "nothing visible": ("\u200b\u200b\u200b\u200b\u200b\u200b", 422, None),
    "spaces": ("          ", 422, None),
    "NUL": ("A tit\x00le of mine", 303, "A title of mine"),
    "control characters": ("A tit\x07le\x1b of mine", 303, "A title of mine"),
    "a line break": ("A title\r\nof mine", 303, "A title of mine"),
    "direction marks": ("A \u202etitle\u202c of mine", 303, "A title of mine"),
    "right to left": ("عنوان من اليمين إلى اليسار", 303, "عنوان من اليمين إلى اليسار"),
    "emoji": ("Walk with 👩‍👩‍👧 and 🐕", 303, "Walk with 👩‍👩‍👧 and 🐕"),
    "parts of letters": ("Cafe\u0301 stops", 303, "Café stops"),
    "beyond the first plane": ("𝔘𝔫𝔦𝔠𝔬𝔡𝔢 title", 303, "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 title"),
}


@pytest.mark.parametrize("what", list(ODD))
@on_one_database
def test_s38_titles_are_kept_clean(browse, what):
    title, status, kept = ODD[what]
    make_board(), make_board()

    answer = browse(make_user()).post(
        "/ideas", data={"title": title, "need": "Today they have numbers only.\x00", "board": "", "checked": "1"}
    )

    db.session.rollback()
    assert answer.status_code == status
    idea = db.session.scalar(select(Idea))
    assert (idea.title if idea else None) == kept
    assert not idea or "\x00" not in idea.need


def test_s38_bytes_that_are_no_text_are_no_error(browse):
    idea = make_idea()
    browser = browse(make_user())

    answers = [
        browser.post(
            f"/ideas/{idea.id}/comments", data=b"body=%ff%fe%00abc", content_type="application/x-www-form-urlencoded"
        ),
        browser.get("/search?q=%ff%fe%00"),
        browser.get("/?tag=%00&status=%ff"),
        browser.get("/boards/%00"),
        browser.get("/search?author=%00"),
        browser.get("/search/similar?title=%00%00%00%00%00%00%00%00%00%00%00%00%00"),
        browser.get("/ideas/new?title=%00&board=%00"),
    ]

    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
    db.session.rollback()
    assert "\x00" not in "".join(db.session.scalars(select(Comment.body)))


def test_s07_what_a_form_does_not_ask_is_not_taken(browse):
    author, other = make_user(), make_user()
    make_board(), make_board()
    read_only = {
        "status": "shipped",
        "votes": "900",
        "author_id": other.id,
        "publication": "published",
        "published_at": "2020-01-01",
        "due_at": "",
        "owner_id": other.id,
        "merged_into_id": "1",
        "id": "77",
        "heat": "99",
        "source": "x",
        "external_id": "x",
    }

    browse(author).post(
        "/ideas",
        data={"title": "Name my routes", "need": "Numbers only today.", "board": "", "checked": "1"} | read_only,
    )
    db.session.rollback()
    idea = db.session.scalars(select(Idea)).one()
    browse(author).post(
        f"/ideas/{idea.id}/edit", data={"title": "Name all routes", "need": "Numbers only today."} | read_only
    )
    browse(author).post(
        f"/ideas/{idea.id}/comments",
        data={"body": "And more.", "author_id": other.id, "helpful": "9", "at": "2020-01-01"},
    )

    db.session.rollback()
    comment = db.session.scalars(select(Comment)).one()
    assert (idea.status, idea.votes, idea.author_id, idea.owner_id, idea.source) == (
        Status.NEW,
        1,
        author.id,
        None,
        None,
    )
    assert idea.title == "Name all routes"
    assert (comment.author_id, comment.helpful) == (author.id, 0)


# Searching (S40, S45)


def test_s40_wildcards_are_letters(browse):
    make_idea("An idea by one", author=make_user(name="Under_score"))
    make_idea("An idea by two", author=make_user(name="Underlined"))
    make_idea("An idea by three", author=make_user(name="Fifty % off"))
    staff = browse(make_user(Role.PM))

    found = {
        asked: staff.get("/search", query_string={"author": asked}).text
        for asked in ("Under_", "%", "\\", "' OR 1=1 --")
    }

    unknown = ["You can see no idea by anybody called" in text for text in found.values()]
    assert unknown == [False, False, True, True]
    assert "by one" in found["Under_"]
    assert "by two" not in found["Under_"]
    assert "by three" in found["%"]
    assert "by one" not in found["%"]


QUERIES = [
    "",
    " ",
    '"',
    '""',
    '"' * 200,
    "*",
    "* " * 100,
    "a* " * 60,
    "a b c d e f g h i j k l m n o p q r s t",
    "AND OR NOT",
    "(" * 200,
    "a AND (b OR (c AND (d",
    "[a TO z]",
    "{a TO}",
    "title:x",
    "author:*",
    "~",
    "a~9",
    "x^1e99",
    "-" * 200,
    "+" * 200,
    "a" * 200,
    '"a b c"~999999',
    "\\" * 200,
    "/" * 200,
    "' OR 1=1 --",
    "%%%",
    "___",
    "\u0000",
    "\u200b" * 50,
    "é" * 200,
    "日本語" * 60,
    "👩‍👩‍👧" * 20,
    "a-b-c-d-e-f-" * 16,
    "a.b.c.d." * 25,
    "'s" * 100,
    "1 2 3 4 5 6 7 8 9",
    '"a" "b" "c" "d" "e" "f" "g" "h"',
    "?a? b?",
    "<script>",
    "{{7*7}}",
]


def test_s45_no_query_is_an_error_or_takes_long(browse):
    for number in range(30):
        make_idea(f"Idea {number} about maps and a b c routes", need="a b c d e f g " * 20)
    index.rebuild()
    browser = browse(make_user(Role.PM))
    slow = []
    for asked in QUERIES:
        for path in ("/search", "/search/similar", "/triage/merge/1"):
            name = "title" if path.endswith("similar") else "q"
            began = time.process_time()
            answer = browser.get(path, query_string={name: asked})
            seconds = time.process_time() - began
            assert answer.status_code in {200, 404}, f"{path} {asked!r}: {answer.status_code}"
            if seconds > 2:
                slow.append(f"{path} {asked!r}: {seconds:.1f} s")

    assert slow == []


def test_s45_a_query_without_an_index_is_answered_from_the_database(browse):
    make_idea("Offline maps 100% complete")

    found = browse().get("/search", query_string={"q": "100%"}).text
    nothing = browse().get("/search", query_string={"q": "1__%"}).text

    assert "Offline maps" in found
    assert "Offline maps" not in nothing


# Bodies (S41) and parameters (S42)


def test_s41_too_much_is_refused_before_it_is_read(browse):
    idea = make_idea()
    browser = browse(make_user())
    url = f"/ideas/{idea.id}/comments"
    bodies = {
        "a long body": {"data": {"body": "x" * (1024 * 1024 + 1)}},
        "many parts": in_parts({f"field{number}": "x" for number in range(2_000)}),
        "a long field": in_parts({"body": "x" * (600 * 1024)}),
    }

    for what, body in bodies.items():
        began = time.process_time()
        answer = browser.post(url, **body)
        assert answer.status_code == 413, what
        assert time.process_time() - began < 2, what
    assert db.session.scalars(select(Comment)).all() == []


def in_parts(fields: dict[str, str]) -> dict[str, Any]:
    parts = [
        f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()
    ]
    return {"data": "".join([*parts, "--cut--\r\n"]).encode(), "content_type": "multipart/form-data; boundary=cut"}


BAD_CURSORS = ["x", "WzEsMl0.invented", "a" * 5_000, "%00", "[1,2]", "WyJ4IiwxXQ", "-1", "é", "{}", "null"]


@pytest.mark.parametrize("cursor", BAD_CURSORS)
def test_s42_a_cursor_that_is_not_ours_is_the_first_page(browse, cursor):
    idea = make_idea("The first of all")
    browser = browse(make_user(Role.PM))

    for sort in ("top", "new", "rising"):
        answer = browser.get("/", query_string={"sort": sort, "after": cursor})
        assert answer.status_code == 200
        assert "The first of all" in answer.text
    assert "The first of all" in browser.get("/triage/first-look", query_string={"page": cursor}).text
    assert browser.get("/inbox", query_string={"before": cursor}).status_code == 200
    assert browser.get(f"/people/{idea.author_id}", query_string={"after": cursor}).status_code == 200


def test_s42_numbers_and_days_that_are_none_are_left_out(browse):
    make_idea("The first of all")
    index.rebuild()
    staff = browse(make_user(Role.PM))

    for page in ("0", "-1", "x", "1e9", "9" * 20, "9" * 5_000, "", "١", "1.5"):
        assert staff.get("/search", query_string={"q": "first", "page": page}).status_code == 200, page
    for day in (
        "x",
        "2026-02-30",
        "0000-00-00",
        "9999-12-31",
        "0001-01-01",
        "99999-01-01",
        "2026-13-01",
        "20260101",
        "2026-W01-1",
    ):
        for name in ("after", "before"):
            assert staff.get("/search", query_string={"q": "first", name: day}).status_code == 200, (name, day)
    for number in ("0", "-1", "99999999999999999999", "x", "1.5", "%00"):
        assert staff.get(f"/ideas/{number}").status_code == 404, number
        assert staff.get(f"/people/{number}").status_code == 404, number
        assert staff.get("/triage/merge/1", query_string={"into": number}).status_code in {200, 400, 404}, number
    for number in ("99999999999999999999", "x", "-1"):
        answer = staff.post("/ideas/1/comments", data={"body": "A reply", "reply_to": number})
        assert answer.status_code in {303, 400, 404, 422}, number


def test_s67_no_answer_tells_how_the_portal_is_made(browse, app):
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.get("/breaks-for-this-test")
    def breaks() -> str:
        raise RuntimeError("a secret of /work and SELECT 1")

    answer = browse().get("/breaks-for-this-test")

    assert answer.status_code == 500
    assert not re.search(r"RuntimeError|SELECT|Traceback|/portal/|secret of", answer.text)
    assert re.search(r"noted it as [0-9a-f]{8}", answer.text)


@pytest.mark.parametrize(
    "path",
    ["/.git/config", "/instance/portal.db", "/static/../wsgi.py", "/static/%2e%2e/wsgi.py", "/static/", "/wsgi.py"],
)
@on_one_database
def test_s67_nothing_but_what_is_meant_to_be_served_is(browse, path):
    assert browse().get(path).status_code == 404
