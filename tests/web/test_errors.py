"""Saying no and failing, and where people are sent."""

from urllib.parse import quote, urljoin, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from portal.accounts import service
from portal.credentials import service as credentials
from portal.pages import views as pages
from portal.web.responses import own_path
from tests.factories import PASSWORD, make_idea, make_rules, make_user
from tests.support import HTMX, either_way, on_one_database

TRICKY = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "//evil.example/..",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "/\\\\evil.example",
    "//\\evil.example",
    "https://evil.example",
    "http://evil.example",
    "HTTPS://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http:\\\\evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\tscript:alert(1)",
    "\tjavascript:alert(1)",
    "data:text/html,hi",
    "vbscript:x",
    "mailto:x@evil.example",
    "ftp://evil.example",
    "file:///etc/passwd",
    "blob:x",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    "\n//evil.example",
    " //evil.example",
    "  https://evil.example",
    "\u00a0//evil.example",
    "\u3000//evil.example",
    "\ufeff//evil.example",
    "\x00//evil.example",
    "/\x00/evil.example",
    "\x01https://evil.example",
    "\x1f//evil.example",
    "\x7f//evil.example",
    "/x\r\nLocation: https://evil.example",
    "/x\r\nSet-Cookie: a=b",
    "/x\nX: y",
    "evil.example",
    "www.evil.example/x",
    "@evil.example",
    "user@evil.example",
    "//user:pw@evil.example",
    "//127.0.0.1@evil.example",
    "//evil.example:443",
    "//[::1]/",
    "//[",
    "/\\[",
    "?next=//evil.example",
    "#//evil.example",
    ".//evil.example",
    "..//evil.example",
    "../../evil.example",
    "",
    " ",
    "/ /evil.example",
    "/" + "a" * 3000,
    "///",
    "//",
    "/\\",
    "\\",
    ":",
    "://evil.example",
    "//%65vil.example",
    "//evil%E3%80%82example",
    "//evil。example",
    "／／evil.example",
    "/\u2028/evil.example\n",
]
FINE = [
    "/",
    "/ideas/5",
    "/ideas/5?all=1#comment-3",
    "/search?q=a%20b",
    "/boards/maps",
    "/%2F/evil.example",
    "/%5Cevil.example",
    "/ideas/5?to=https://evil.example",
    "/x//y",
    "/@evil.example",
    "/ideas/ä",
    "/.//evil",
    "/a:b",
]


@pytest.mark.parametrize("target", TRICKY, ids=range(len(TRICKY)))
def test_s35_no_tricky_target_is_an_own_path(target):
    assert own_path(target, "/fallback") == "/fallback"


@pytest.mark.parametrize("target", FINE)
def test_s35_own_paths_lead_to_this_portal_however_a_browser_reads_them(target):
    assert own_path(target, "/fallback") == target
    assert urlsplit(urljoin("http://portal.example/sign-in", target)).netloc == "portal.example"


def test_s35_every_place_that_redirects_stays_in_the_portal(browse):
    make_rules()
    user = make_user(with_password=True)
    signed_in, guest = browse(make_user()), browse()
    agreement = {"agreed": "y", "version": "1"}

    for target in TRICKY:
        there = f"?next={quote(target.encode('utf-8', 'replace'))}"
        answers = [
            signed_in.get(f"/sign-in{there}"),
            signed_in.get(f"/sign-up{there}"),
            signed_in.get(f"/rules/agree{there}"),
            signed_in.post(f"/sign-in{there}&then=vote"),
            signed_in.post(f"/rules/agree{there}", data=agreement),
            signed_in.post(f"/appearance{there}", data={"theme": "", "language": ""}),
            guest.post(f"/sign-in{there}", data={"email": user.email, "password": PASSWORD}),
        ]
        for answer in answers:
            assert answer.status_code == 303, target
            assert answer.location in {"/", "/appearance"}, target
        guest = browse()


@either_way
def test_s35_a_page_that_a_browser_names_as_its_own_is_believed_only_on_this_host(browse, headers):
    idea = make_idea()
    for referrer in (
        "https://evil.example/x",
        "http://localhost.evil.example/",
        "//evil.example",
        "nonsense",
        "http://[",
    ):
        told = {**headers, "Referer": referrer, "HX-Current-URL": referrer}

        led = browse().post(f"/ideas/{idea.id}/vote", headers=told)

        assert (led.headers.get("HX-Redirect") or led.location) == "/sign-in"


HOSTS = [
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "evil.example#localhost",
    "localhost@evil.example",
]


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/", "/sign-in", "/.well-known/security.txt", "/nope", "/assets/x"])
@on_one_database
def test_s36_a_foreign_host_is_refused(browse, host, path):
    answer = browse().get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert "evil" not in answer.text


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-up", "/account/confirmation", "/sign-in/link", "/password/forgotten"]
)
@on_one_database
def test_s36_a_foreign_host_changes_nothing(browse, path, monkeypatch):
    called = []
    monkeypatch.setattr(credentials, "ask_to_sign_up", lambda *_: called.append("sign up"))
    monkeypatch.setattr(credentials, "ask_to_sign_in", lambda *_: called.append("link"))
    monkeypatch.setattr(credentials, "ask_for_new_password", lambda *_: called.append("reset"))
    monkeypatch.setattr(service, "ask_for_confirmation", lambda _: called.append("ask"))
    monkeypatch.setattr(service, "find_by_password", lambda *_: called.append("find"))

    answer = browse(make_user()).post(path, data={"email": "a@example.org"}, headers={"Host": "evil.example"})

    assert answer.status_code == 400 and called == []


def test_s36_forwarded_headers_count_for_nothing_without_a_proxy(browse):
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}

    answer = browse().get("/.well-known/security.txt", headers=forged)

    assert "evil" not in answer.text
    assert "Strict-Transport-Security" not in answer.headers


@either_way
def test_a_missing_page_is_a_404_in_words(browse, headers):
    answer = browse().get("/nothing/here", headers=headers)

    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.text
    assert ("<html" in answer.text) is (headers is not HTMX)
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("path", "method"), [("/sign-out", "GET"), ("/rules", "POST"), ("/ideas", "PUT"), ("/", "TRACE")]
)
@on_one_database
def test_a_wrong_verb_is_a_405(browse, path, method):
    answer = browse().open(path, method=method)

    assert answer.status_code == 405
    assert answer.headers["Allow"]


def test_too_much_at_once_is_a_413(browse):
    answer = browse().post("/sign-in", data={"email": "x" * 2_000_000})

    assert answer.status_code == 413
    assert "more than we can take" in answer.text


@either_way
def test_a_database_that_does_not_answer_is_a_503_without_asking_it_again(app, browse, monkeypatch, headers):
    browser = browse(make_user())

    def fail(*_, **__):
        raise OperationalError("SELECT 1", {}, Exception("secret host of the database"))

    monkeypatch.setattr(pages.accounts, "rules_versions", fail)
    monkeypatch.setattr("portal.notifications.queries.count_unread", lambda person: 1 / 0 if person.is_signed_in else 0)

    answer = browser.get("/rules", headers=headers)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "10"
    assert "secret host" not in answer.text and "Try again" in answer.text


@either_way
def test_s67_a_fault_is_apologised_for_with_its_number_and_nothing_else(app, browse, monkeypatch, headers, caplog):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr(pages.accounts, "rules_versions", lambda: 1 / 0)

    answer = browse(make_user()).get("/rules", headers=headers)

    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text and "Traceback" not in answer.text and "/portal/" not in answer.text
    [record] = [record for record in caplog.records if record.name == "portal.web.errors"]
    assert record.args[0] in answer.text
    caplog.clear()
