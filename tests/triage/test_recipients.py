"""Who hears of what is about to be done, said before it is done and found to be so afterwards."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db, utcnow
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.models import Follow, Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications import recipients
from portal.notifications.models import Mail, Notification
from portal.notifications.reach import Reach, Rhythm
from portal.transactions import transaction
from portal.triage.recipients import step_named
from portal.triage.views import recipients as pages
from tests.factories import make_board, make_comment, make_idea, make_place, make_user, make_votes, move_to
from tests.support import HTMX, PLAIN
from tests.support.queries import queries

pytestmark = pytest.mark.usefixtures("app")


@pytest.fixture
def crowd():
    """An idea with somebody of each kind behind it."""
    owner = make_user(Role.PM, name="Owner")
    idea = make_idea("Huts on a map", author=make_user(name="Author"))
    plain, no_mail, unconfirmed, paused, no_digest, muted, quiet, gone = make_votes(idea, 8)
    make_comment(idea, author=make_user(name="Commenter"))
    move_to(idea, Status.UNDER_REVIEW)
    with transaction():
        ideas.follow(idea, make_user(name="Follower"))
        for user, name in ((plain, "Plain"), (no_mail, "No mail"), (unconfirmed, "Unconfirmed"), (paused, "Paused"),
                           (no_digest, "No digest"), (muted, "Muted"), (quiet, "Quiet"), (gone, "Gone")):  # fmt: skip
            user = db.session.merge(user)
            user.name, user.name_key = name, name.lower()
        db.session.merge(no_mail).wants_mail = False
        db.session.merge(unconfirmed).confirmed_at = None
        db.session.merge(gone).suspended_at = utcnow()
        db.session.add(Reach(user_id=paused.id, paused_until=utcnow() + timedelta(days=9)))
        db.session.add(Reach(user_id=no_digest.id, digest=Rhythm.NEVER))
        db.session.get_one(Follow, {"user_id": muted.id, "idea_id": idea.id}).muted = True
        db.session.get_one(Follow, {"user_id": quiet.id, "idea_id": idea.id}).decisions_only = True
        db.session.get_one(Idea, idea.id).owner_id = owner.id
    return idea


def names(idea, actor, name: str) -> dict[str, dict[str, str]]:
    """Who hears of it by which way, with what is said beside each name."""
    step = step_named(idea, name)
    found = {}
    for way in recipients.BY:
        people = recipients.people(step.kind, idea, actor.id, step.among, way, None, 100)
        found[str(way)] = {one.user.name: one.why_not for one in people}
    return found


STEPS = {
    "planned": lambda idea, actor: moves.move_idea(idea, Status.PLANNED, actor, MoveDetails(answer="Yes.")),
    "needs_info": lambda idea, actor: moves.move_idea(idea, Status.NEEDS_INFO, actor, MoveDetails(answer="Which?")),
    "answer": lambda idea, actor: moves.answer_idea(idea, actor, MoveDetails(answer="We read this.")),
}


@pytest.mark.parametrize("name", STEPS)
def test_what_is_said_before_is_exactly_what_happens(crowd, settle, name):
    idea_id = crowd.id
    settle()
    actor = make_user(Role.PM, name="Actor")
    idea, before = db.session.get_one(Idea, idea_id), db.session.scalars(select(Notification.id)).all()
    with transaction():
        ideas.follow(idea, actor)
    said, counted = names(idea, actor, name), recipients.count(*_asked(idea, actor, name))

    with transaction():
        STEPS[name](idea, actor)
    settle()

    db.session.rollback()
    told = db.session.scalars(select(Notification).where(Notification.id.not_in(before))).all()
    happened = {way: {n.user.name for n in told if n.way == way} for way in ("mail", "digest", "inbox")}
    assert {way: set(people) for way, people in said.items() if way != "out"} == happened
    mailed = {mail.user.name for mail in db.session.scalars(select(Mail)) if mail.notification in told}
    assert mailed == set(said["mail"])
    assert {way: len(people) for way, people in said.items() if people} == {w: n for w, n in counted.by.items() if n}
    assert counted.told == len(told)
    assert said["out"]["Actor"] == "does it" and said["out"]["Gone"] == "account suspended"
    assert said["out"]["Muted"] == "wants no more of this idea"
    if name == "planned":
        assert {"Author", "Plain", "Commenter", "Follower", "Quiet"} <= set(said["mail"])
        assert said["inbox"]["No mail"] == "mails off" and said["inbox"]["Paused"] == "paused"
        assert said["inbox"]["Unconfirmed"] == "address not confirmed" and said["inbox"]["Owner"] == ""
    if name == "answer":
        assert said["out"]["Quiet"] == "asked for decisions only"
        assert "Plain" in said["digest"] and said["inbox"]["No digest"] == "chosen: no digest"


def _asked(idea, actor, name):
    step = step_named(idea, name)
    return step.kind, idea, actor.id, step.among


@pytest.mark.parametrize("kind", ["private", "staff", "one-way"])
def test_whoever_lost_sight_of_the_board_is_left_out(kind):
    board = make_board("Somewhere", one_way=kind == "one-way")
    idea = make_idea("Huts on a map", board=board, author=make_user(name="Author"))
    move_to(idea, Status.UNDER_REVIEW)
    stranger, colleague = make_votes(idea, 2)
    with transaction():
        if kind != "one-way":
            db.session.merge(board).audience = Audience(kind)
    make_place(board, colleague, Role.PM if kind != "private" else Role.MEMBER)

    said = names(db.session.get_one(Idea, idea.id), make_user(Role.ADMIN), "planned")

    assert said["out"][stranger.name] == "may not see the board"
    assert colleague.name in said["mail"]
    assert ("Author" in said["mail"]) is (kind == "one-way")


def test_the_team_reads_numbers_in_the_form_and_names_on_a_page(crowd, browse):
    url = f"/triage/recipients/{crowd.id}/planned"
    pm = browse(make_user(Role.PM))

    short = pm.get(f"{url}?short=1", headers=HTMX).text
    page = pm.get(url, headers=PLAIN).text
    out = pm.get(f"{url}?way=out").text

    assert "6 by mail" in short and "left out" in short and "<html" not in short
    assert "Plain" in page and "Muted" not in page
    assert "Muted" in out and "wants no more of this idea" in out
    desk = pm.get(f"/triage/first-look/{crowd.id}").text
    assert url in desk and f"/triage/recipients/{crowd.id}/answer" in desk
    assert pm.get(f"/triage/recipients/{crowd.id}/shipped-yesterday").status_code == 404
    assert browse(make_user()).get(url).status_code == 403
    assert browse().get(url).status_code in {302, 303}


def test_a_form_left_open_is_told_that_the_idea_has_moved_on(crowd, browse):
    """The number is asked for when the form comes into view, which may be after the idea has been moved."""
    url, pm = f"/triage/recipients/{crowd.id}/planned", browse(make_user(Role.PM))
    move_to(crowd, Status.PLANNED)

    assert "The idea was moved to Planned meanwhile." in pm.get(f"{url}?short=1", headers=HTMX).text
    assert pm.get(url).status_code == 404


def test_pages_of_names_follow_each_other_and_cost_the_same_however_many_hear(crowd, browse, monkeypatch):
    monkeypatch.setattr(pages, "ON_A_PAGE", 2)
    url, pm = f"/triage/recipients/{crowd.id}/planned?way=mail", browse(make_user(Role.PM))
    pm.get(url)
    seen, costs = [], []

    while url:
        with queries() as asked:
            page = pm.get(url).text
        costs.append(len(asked))
        seen += [
            name
            for name in ("Author", "Commenter", "Follower", "No digest", "Plain", "Quiet")
            if f">{name}</a>" in page
        ]
        url = page.split('btn btn--sm" href="')[1].split('"')[0].replace("&amp;", "&") if "Show more" in page else ""

    assert seen == ["Author", "Commenter", "Follower", "No digest", "Plain", "Quiet"]
    assert len(set(costs)) == 1 and len(costs) == 3


def test_afterwards_the_team_reads_what_became_of_each_mail(crowd, settle, browse, smtp):
    settle()
    smtp.refuse("550 No such person here")
    with transaction():
        STEPS["planned"](db.session.get_one(Idea, crowd.id), make_actor_now())
    settle()
    page = browse(make_user(Role.ADMIN)).get(f"/triage/sent/{crowd.id}").text

    facts = dict(zip(*(iter(_cells(page)),) * 2, strict=False))
    assert facts["Told in the inbox"].startswith("9 ")
    assert facts["Mails: Sent"] == "5" and facts["Mails: Set aside"] == "1"
    assert facts["In the inbox only"] == "3"
    assert browse(make_user()).get(f"/triage/sent/{crowd.id}").status_code == 403


def make_actor_now() -> User:
    return db.session.scalars(select(User).where(User.name == "Owner")).one()


def _cells(page: str) -> list[str]:
    cells = re.findall(r"<d[td][^>]*>(.*?)</d[td]>", page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]


def test_the_form_counts_its_people_in_place(crowd, open_page):
    page = open_page(make_user(Role.PM))
    page.goto(f"/triage/first-look/{crowd.id}")
    page.locator("#move-to").select_option("planned")
    page.locator("#form-planned textarea").first.fill("Yes, in June.")

    page.locator("#recipients-planned").scroll_into_view_if_needed()
    page.get_by_text("6 by mail").wait_for()

    assert page.locator("#form-planned textarea").first.input_value() == "Yes, in June."
    page.get_by_role("link", name="Who exactly, and why").click()
    page.get_by_role("heading", name="Who would hear of it").wait_for()


def test_the_button_of_a_step_counts_nobody_who_asked_for_decisions_only(crowd, browse):
    page = browse(make_user(Role.PM)).get(f"/triage/first-look/{crowd.id}").text

    told = {
        name: int(re.search(r"tell (\d+) people", form).group(1))
        for name, form in re.findall(r'id="form-(\w+)"(.*?)</form>', page, re.S)
        if "tell " in form
    }
    assert told["answer"] == told["planned"] - 1
