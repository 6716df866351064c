"""People who wait, closed portals, and pages kept for visitors."""

import pytest
from werkzeug.routing import AnyConverter, IntegerConverter

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas.models import Vote
from portal.options import decide
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_rules, make_user
from tests.support import HTMX

PLAIN_PAGES = ("/sign-in", "/sign-up", "/rules", "/privacy", "/appearance", "/healthz", "/robots.txt")


def choose(**options):
    with transaction():
        for name, value in options.items():
            decide(name, value)


def test_who_waits_reads_what_visitors_read_and_takes_no_part(browse):
    public, members = make_idea("For all"), make_idea("Inside", board=make_board("Members", Audience.MEMBERS))
    browser = browse(make_user(approved_at=None))

    page = browser.get("/")
    assert "For all" in page.text and "Inside" not in page.text
    assert browser.get(f"/ideas/{members.id}").status_code == 404
    assert browser.post(f"/ideas/{public.id}/vote").status_code == 403
    assert db.session.query(Vote).count() == 2  # of the two authors


@pytest.mark.parametrize("path", ["/", "/rules", "/account", "/search?q=water", "/inbox"])
def test_who_waits_sees_on_every_page_what_is_going_on(browse, path):
    words = "Your account waits for a moderator"

    assert words in browse(make_user(approved_at=None)).get(path).text
    assert words not in browse(make_user()).get(path).text


def test_a_closed_portal_shows_visitors_the_ways_in_and_nothing_else(browse, app):
    make_rules()
    idea = make_idea("A secret of the members")
    choose(reading="members")
    visitor = browse()

    for path in PLAIN_PAGES:
        assert visitor.get(path).status_code == 200, path
    for path in (
        "/",
        f"/ideas/{idea.id}",
        f"/boards/{idea.board.slug}",
        "/search?q=secret",
        "/ideas/new",
        "/how-we-decide",
    ):
        answer = visitor.get(path)
        assert answer.status_code == 303 and answer.location.startswith("/sign-in?next="), path
        assert "secret of the members" not in answer.text
    assert visitor.get("/search/similar?title=secret", headers=HTMX).status_code == 204
    assert "A secret of the members" in browse(make_user()).get("/").text


def value_for(converter):
    """Return something that the part of an address may be."""
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 1 if isinstance(converter, IntegerConverter) else "x"


def test_every_address_of_a_closed_portal_is_open_on_purpose(app, browse):
    """What is not listed as open leads a visitor to sign in, takes no visitors anyway, or says nothing to scripts."""
    from portal.web.membership_gate import OPEN, OPEN_GROUPS, UNSEEN

    choose(reading="members")
    visitor, wrong = browse(), []
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN | UNSEEN or rule.endpoint.split(".")[0] in OPEN_GROUPS or "GET" not in rule.methods:
            continue
        values = {name: value_for(turn) for name, turn in rule._converters.items()}
        with app.test_request_context():
            url = app.url_map.bind("localhost").build(rule.endpoint, values)
        answer = visitor.get(url)
        says_nothing = rule.endpoint.startswith("live.") and answer.status_code == 204 and not answer.data
        if not says_nothing and (answer.status_code != 303 or not answer.location.startswith("/sign-in")):
            wrong.append((rule.endpoint, answer.status_code))

    assert wrong == []


def test_who_waits_in_a_closed_portal_reads_that(browse):
    choose(reading="members", membership="approval")
    idea = make_idea("A secret of the members")
    browser = browse(make_user(approved_at=None))

    assert browser.get("/").location == "/waiting"
    assert browser.get(f"/ideas/{idea.id}").location == "/waiting"
    assert "waits for a moderator" in browser.get("/waiting").text
    assert browser.get("/account").status_code == 200


def test_pages_kept_for_visitors_are_not_shown_once_the_portal_is_closed(browse):
    make_idea("Seen by all until now")
    visitor = browse()
    assert "Seen by all until now" in visitor.get("/").text
    assert "Seen by all until now" in visitor.get("/").text

    choose(reading="members")
    assert visitor.get("/").status_code == 303

    choose(reading="public")
    assert "Seen by all until now" in visitor.get("/").text


def test_a_kept_page_is_not_served_while_it_is_not_known_whether_the_portal_is_open(app, browse):
    make_idea("Seen by all until now")
    visitor = browse()
    visitor.get("/")
    read_at, values = app.extensions["options"]

    app.extensions["options"] = (read_at, values | {"reading": "members"})  # as another process decided

    assert visitor.get("/").status_code == 303


def test_admins_decide_and_whoever_is_in_stays_in(browse):
    admin, member = make_user(Role.ADMIN), make_user()
    browser = browse(admin)

    answer = browser.post(
        "/admin/membership",
        data={"membership": "domains", "reading": "members", "domains": "@Fellside.example, pikes.example\n"},
    )

    assert answer.status_code == 303
    page = browser.get("/admin/membership").text
    assert "fellside.example\npikes.example" in page
    assert browse(member).get("/").status_code == 200


@pytest.mark.parametrize("domains", ["", "no domain at all", "-", "a@b.example"])
def test_membership_by_domain_needs_domains(browse, domains):
    answer = browse(make_user(Role.ADMIN)).post(
        "/admin/membership", data={"membership": "domains", "reading": "public", "domains": domains}
    )

    assert answer.status_code == 422
