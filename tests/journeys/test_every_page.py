"""Every kind of page: for everybody, in light and dark, wide and narrow; and none of them is heavy."""

import gzip
from datetime import timedelta

import pytest
from flask import abort
from playwright.sync_api import expect

from portal.accounts.passwords import hash_password
from portal.changelog import service as changelog
from portal.changelog.models import Choice, Kind, Part
from portal.changelog.service import Words
from portal.credentials import links
from portal.credentials.models import Purpose
from portal.db import db, utcnow
from portal.demand.log import search_log
from portal.demand.service import back_instead, note_search
from portal.errors import Refusal
from portal.ideas.models import Nature
from portal.ideas.teamwork import assign_team
from portal.ideas.workflow import Status
from portal.labels.models import Label
from portal.labels.service import set_labels
from portal.links.models import Kind as LinkKind
from portal.links.service import link_ideas, say_nature
from portal.membership import invitations, setting_up
from portal.notifications.links import stop_token
from portal.notifications.models import CaughtMail
from portal.roadmap import service as roadmap
from portal.roadmap.models import Horizon
from portal.roadmap.service import Spot
from portal.teams.service import add_member, make_team
from portal.transactions import transaction
from tests.factories import PASSWORD, make_user
from tests.journeys.pages_of_deciding import pages_of_how_it_is_decided, pages_of_what_is_set
from tests.journeys.scene import Scene
from tests.support.accessibility import violations_of_a_page

HTML = 30_000  # bytes, gzipped
SPACING = """* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }
    p { margin-block-end: 2em !important }"""
SPREAD = "text => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text); document.adoptedStyleSheets = [sheet] }"
TOO_WIDE = """() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return "";
    const outside = ({left, right}) => left < -1 || right > room + 1;
    const out = [...document.querySelectorAll("body *")].filter(e => outside(e.getBoundingClientRect()));
    return `${document.documentElement.scrollWidth} px: ` + out.slice(-3).map(e => e.outerHTML.slice(0, 120)).join();
}"""


def ideas_for_a_visitor(scene):
    yield (
        None,
        [
            f"/ideas/{scene.endless.id}",
            f"/ideas/{scene.endless.id}?all=1",
            f"/ideas/{scene.merged.id}",
            *(f"/ideas/{idea.id}" for idea in scene.ideas.values()),
            f"/ideas/{scene.own.id}/history",
        ],
    )


def pages_of_a_visitor(scene):
    yield (
        None,
        [
            "/",
            "/?sort=answered&status=declined&tag=water",
            "/boards/empty-shelf",
            "/ideas/new?title=Use+offline+maps+everywhere",
            "/search",
            "/search?q=offline",
            "/search?q=hovercraft",
            "/search/similar?title=Use+offline+maps+everywhere",
            "/sign-in",
            f"/sign-in?next=/ideas/{scene.endless.id}&then=vote",
            "/sign-up",
            "/sign-in/link",
            "/password/forgotten",
            "/look-into-your-mail",
            *(mailed(purpose, scene.quiet) for purpose in ("sign_up", "sign_in", "reset", "change_address")),
            "/password/no-longer",
            "/rules",
            "/privacy",
            "/how-we-decide",
            "/appearance",
            f"/people/{scene.author.id}",
            f"/mail/stop/{stop_token(scene.author.id, scene.endless.id, 'moved')}",
            "/mail/stop/nobody",
            "/mail-catcher",
            f"/mail-catcher/{db.session.query(CaughtMail.id).first()[0]}",
            "/confirm/no-longer",
            *(f"/trouble/{status}" for status in (400, 403, 404, 409, 429, 500, 503)),
        ],
    )


def mailed(purpose, user):
    """The path of a link to ``user``, or to somebody new."""
    new = purpose == "sign_up"
    data = {"aimed": {}, "locale": "", "to": "quiet@fells.example.org", "pair": "1", "alone": True}
    data["sign_up"] = {"name": "Newcomer", "password_hash": hash_password(PASSWORD), "rules": 1}
    with transaction(wake=False):
        address = "newcomer@example.org" if new else user.email
        token = links.token_of(links.make(Purpose(purpose), address, user=None if new else user, data=data))
    return {"sign_up": "/sign-up/", "sign_in": "/sign-in/link/", "reset": "/password/"}.get(
        purpose, "/address/"
    ) + token


def pages_of_members(scene):
    idea = scene.endless.id
    yield (
        scene.member,
        [
            "/",
            "/?who=mine",
            f"/ideas/{idea}",
            f"/ideas/{scene.own.id}",
            f"/ideas/{scene.own.id}/edit",
            f"/ideas/{scene.own.id}/remove",
            "/ideas/new?title=Use+offline+maps+everywhere",
            f"/ideas/{scene.ideas[Status.PLANNED].id}/comments/new?reply_to={scene.comment.id}",
            f"/ideas/{idea}/back?title=Mine",
            f"/comments/{scene.comment.id}/edit",
            f"/comments/{scene.comment.id}/delete",
            f"/sign-in?next=/ideas/{idea}&then=vote",
            "/account",
            "/account/address",
            "/inbox",
            "/inbox?show=replies",
            "/triage",
        ],
    )
    backed = scene.ideas[Status.PLANNED]
    with transaction(wake=False):
        back_instead(backed, scene.quiet, typed="Maps without network", differs="Mine is about huts.")
    yield scene.quiet, ["/inbox", "/account/backed", f"/ideas/{backed.id}/differs", f"/ideas/{backed.id}?backed=1"]
    yield scene.unready, ["/rules/agree"]
    yield scene.author, [f"/ideas/{scene.held.id}"]


def pages_of_the_team(scene):
    new = scene.ideas[Status.NEW].id
    with transaction(wake=False):
        back_instead(scene.ideas[Status.NEW], scene.quiet, typed="Maps without network", differs="Mine is about huts.")
    note_search("avalanche risk", 0, scene.quiet)
    search_log().write_down(everything=True)
    yield (
        scene.manager,
        [
            f"/ideas/{new}",
            "/admin/searches?least=1",
            "/admin/searches?aside=1",
            "/triage/first-look",
            "/triage/mine",
            "/triage/hidden",
            *(f"/triage/first-look/{idea.id}" for idea in (scene.endless, scene.held, scene.merged)),
            *(
                f"/triage/first-look/{scene.ideas[status].id}"
                for status in (Status.NEW, Status.PLANNED, Status.DECLINED)
            ),
            f"/triage/merge/{new}",
            f"/triage/merge/{new}?into={scene.ideas[Status.PLANNED].id}",
            "/search?q=offline&author=Ines",
            "/",
        ],
    )
    yield scene.admin, ["/mail/health"]


def pages_of_those_who_run_the_portal(scene):
    waiting, shut = make_user(name="Wanda", approved_at=None), make_user(name="Shut", suspended_at=utcnow())
    with transaction(wake=False):
        letters = invitations.invite(
            scene.owner, ["new@example.org", scene.quiet.email], board=scene.shelf, words="Do come.\n\nYours"
        )
    person = f"/admin/people/{scene.quiet.id}"
    yield (
        scene.owner,
        [
            "/admin",
            "/admin/people",
            "/admin/people?state=suspended&q=nobody",
            *(f"/admin/people/{user.id}" for user in (scene.quiet, waiting, shut, scene.owner)),
            *(f"{person}/{page}" for page in ("role", "suspend", "second-factors")),
            "/invitations",
            "/admin/portal",
            "/admin/membership",
            "/admin/rules",
            "/admin/privacy",
            "/admin/begin",
            "/admin/mail-test",
            "/admin/mails",
            "/admin/mails/browsers",
        ],
    )
    yield None, [*(f"/invitation/{invitations.token_of(letter)}" for letter in letters), "/invitation/no-longer"]
    yield scene.quiet, [f"/invitation/{invitations.token_of(letters[1])}"]
    yield waiting, ["/", "/waiting"]


def pages_of_what_became(scene):
    shipped, planned, parked = (scene.ideas[status] for status in (Status.SHIPPED, Status.PLANNED, Status.NOT_NOW))
    with transaction(wake=False):
        theme = roadmap.add_theme("Out of signal", "Before you leave.", scene.manager)
        roadmap.place_idea(planned, Spot(theme.id, Horizon.NOW, "June"), scene.manager)
        roadmap.place_idea(parked, Spot(theme.id, Horizon.LATER), scene.manager)
    with transaction(wake=False):
        words = Words("Maps offline", "Open a **route**.\n\n- Keep it.", Kind.NEW, scene.board, [shipped, planned])
        entry, draft = (changelog.write_entry(words, scene.manager) for _each in range(2))
        changelog.name_person(entry, scene.member, shipped, Part.TESTED, scene.manager)
        changelog.publish(entry, scene.manager, ())
        changelog.schedule(draft, scene.manager, utcnow() + timedelta(days=3), "Europe/London", [planned.id])
        changelog.choose(scene.author, Choice.ALWAYS)
    yield None, ["/roadmap", "/roadmap?by=board", "/changelog", f"/changelog/{entry.id}", f"/ideas/{shipped.id}"]
    yield scene.quiet, ["/roadmap?who=voted", "/account/credits"]
    yield scene.member, [f"/changelog/{entry.id}/credit", "/account/credits"]
    yield (
        scene.manager,
        [
            "/roadmap",
            f"/roadmap/ideas/{planned.id}?horizon=later",
            "/roadmap/more",
            "/roadmap/themes",
            f"/roadmap/themes/{theme.id}",
            "/changelog",
            "/changelog/drafts",
            "/changelog/new",
            *(f"/changelog/{draft.id}/{page}" for page in ("edit", "publish", "people")),
            f"/changelog/{entry.id}/people",
        ],
    )


def pages_of_what_belongs_together(scene):
    need, planned, idea = scene.ideas[Status.NEW], scene.ideas[Status.PLANNED], scene.endless
    with transaction(wake=False):
        say_nature(planned, Nature.SOLUTION, scene.manager)
        link_ideas(planned, need, LinkKind.SOLVES, scene.manager)
        link_ideas(idea, need, LinkKind.BUILDS_ON, scene.manager)
        link_ideas(idea, planned, LinkKind.RELATES, scene.manager)
        set_labels(idea, ["ask legal", "quick win"], scene.manager)
        team = make_team("Maps", "All that is drawn", scene.owner)
        add_member(team, scene.manager, scene.owner)
        assign_team(idea, team, scene.manager)
    label = db.session.query(Label.id).first()[0]
    both = [f"/ideas/{each.id}{page}" for each in (idea, need) for page in ("", "/history")]
    yield scene.quiet, [*both, f"/ideas/new?from=solves-{need.id}", f"/ideas/new?from=builds_on-{need.id}"]
    desk = f"/triage/first-look/{idea.id}"
    found = f"{desk}/links?kind=part_of&other=offline"
    yield scene.manager, [desk, found, f"{desk}/links?kind=part_of&other=hovercraft", "/labels", f"/labels/{label}"]
    yield scene.owner, ["/admin/teams", f"/admin/teams/{team.id}"]


@pytest.fixture
def scene(app, once, settle):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.add_url_rule("/trouble/<int:status>", "trouble", be_in_trouble)
    return once("scene", lambda: Scene(settle))


def be_in_trouble(status):
    """Refuse, fail or be busy, as asked."""
    if status == 409:
        raise Refusal("Voting is closed: this has shipped.")
    if status == 500:
        raise RuntimeError("on purpose")
    abort(status)


ALL_PAGES = [
    ideas_for_a_visitor,
    pages_of_a_visitor,
    pages_of_members,
    pages_of_the_team,
    pages_of_those_who_run_the_portal,
    pages_of_what_became,
    pages_of_what_belongs_together,
    pages_of_how_it_is_decided,
    pages_of_what_is_set,
]


@pytest.mark.settings(DEMO=True)
@pytest.mark.parametrize("pages", ALL_PAGES)
def test_every_page_is_for_everybody_and_light(open_page, scene, pages):
    objections = []

    for user, paths in pages(scene):
        page = open_page(user)
        for path in paths:
            answer = page.goto(path)
            failed = answer.status >= 500 and "/trouble/" not in path
            objections += [f"{path}: {answer.status}"] if failed else []
            size = len(gzip.compress(answer.body(), 6))
            objections += [f"{path}: {size} bytes"] if size > HTML else []
            objections += [f"{path}: {each}" for each in [*violations_of_a_page(page), *runs_out(page)]]

    assert not objections, "\n".join(objections)


@pytest.mark.settings(DEMO=True)
def test_forms_that_come_back_are_for_everybody(open_page, scene):
    visitor, member, unready = open_page(), open_page(scene.member), open_page(scene.unready)
    objections = []

    for page, path, button in (
        (visitor, "/sign-in", "Sign in"),
        (visitor, "/sign-up", "Agree and open the account"),
        (visitor, "/sign-in/link", "Mail me a link"),
        (visitor, mailed("sign_up", scene.quiet), "Open my account"),
        (visitor, mailed("reset", scene.quiet), "Save the password and sign in"),
        (member, "/account/address", "Send the two mails"),
        (member, "/ideas/new", "Post idea"),
        (member, f"/ideas/{scene.own.id}/comments/new", "Comment"),
        (member, "/account/security", "Change password"),
        (unready, "/rules/agree", "Agree and go on"),
    ):
        page.goto(path)
        page.get_by_role("main").get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        page.evaluate("scrollTo(0, 0)")  # or the header may lie over half a link, which counts as too small
        objections += [f"{path}: {each}" for each in [*violations_of_a_page(page), *runs_out(page)]]

    assert not objections, "\n".join(objections)


def test_the_set_up_is_for_everybody(app, open_page):
    app.extensions.pop(setting_up.DONE)
    setting_up.print_code(app)
    page = open_page()

    page.goto("/set-up")
    objections = [*violations_of_a_page(page), *runs_out(page)]
    page.get_by_role("button", name="Set up the portal").click()
    expect(page.get_by_role("alert")).to_be_visible()

    assert [*objections, *violations_of_a_page(page), *runs_out(page)] == []


def runs_out(page):
    """What would make somebody scroll sideways: on the smallest screen, with text spread out, from right to left."""
    page.set_viewport_size({"width": 320, "height": 640})
    for what, *prepare in (
        ("as it is", "0"),
        ("spread out", SPREAD, SPACING),
        ("right to left", "document.dir = 'rtl'"),
    ):
        page.evaluate(*prepare)
        if found := page.evaluate(TOO_WIDE):
            yield f"320 px, {what}: {found}"
