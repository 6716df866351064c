"""From a vote to “it solves my need”, as whoever voted hears of it on each channel, with scripts and without."""

import re
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import select

from portal import outgoing
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas import moves
from portal.ideas import service as ideas
from portal.ideas.models import Idea
from portal.ideas.steps import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications.digests.making import HOUR, WEEKDAY
from portal.notifications.digests.models import DigestClock
from portal.notifications.digests.rhythm import Beat
from portal.push import keys
from portal.push import service as pushes
from portal.transactions import transaction
from portal.verdicts import service as verdicts
from portal.verdicts.models import Round, Says
from tests.factories import make_idea, make_user
from tests.support.databases import on_one_database
from tests.support.live import People
from tests.support.mails import words_of
from tests.support.push import PushService
from tests.support.serving import serving

WELLS = "Show the wells"


@pytest.fixture
def come(app: Flask, chromium: Any, scripts: bool) -> Iterator[Callable[..., Any]]:
    """Open pages of the production server, which tells open pages what others do."""
    with serving(app) as address:
        people = People(app, chromium, address)
        yield partial(people.open_page, javascript=scripts)
        people.leave()


@pytest.fixture
def push_service(monkeypatch: Any, tmp_path: Any) -> Iterator[PushService]:
    """A push service that the portal takes for one of the open internet."""
    running = PushService(tmp_path)
    monkeypatch.setattr(outgoing, "_resolve", lambda host, port: ["127.0.0.1"])
    monkeypatch.setattr(outgoing, "_trust", lambda: ssl.create_default_context(cafile=running.certificate))
    yield running
    running.stop()


@on_one_database
@pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")
def test_a_voter_hears_on_each_channel_until_the_idea_is_confirmed(app, come, scripts, settle, smtp, push_service):
    app.config["MAIL_URL"] = smtp.url
    voter, author = make_user(name="Noor"), make_user(name="Ines")
    manager, address = make_user(Role.PM, name="Petra", team="Product team").id, voter.email
    idea = make_idea(WELLS, author=author).id
    others = [make_user().id for _ in range(3)]
    noor, everybody = voter.id, [author.id, *others]
    with transaction():
        keys.make_keys()
        pushes.subscribe(voter, **push_service.browser(), session_hash=None, browser_hash="", browser="Firefox")
        for other in others:
            ideas.cast_vote(db.session.get_one(Idea, idea), db.session.get_one(User, other))

    def move(target: Status, **said: Any) -> None:
        with transaction():
            who = db.session.get_one(User, manager)
            owner = {"owner": who} if target is Status.UNDER_REVIEW else {}
            moves.move_idea(db.session.get_one(Idea, idea), target, who, MoveDetails(**said, **owner))

    def mails(words: str) -> list[Any]:
        return [mail for mail in smtp.got if address in str(mail["To"]) and words in mail["Subject"]]

    page, feed = come(voter), come(voter)
    page.goto(f"/ideas/{idea}")
    page.locator(".idea__head").get_by_role("button", name=re.compile("Vote for")).click()
    expect(page.locator(".idea__head").get_by_role("button", name=re.compile("Vote for"))).to_have_attribute(
        "aria-pressed", "true"
    )
    feed.goto("/feeds")
    feed.get_by_role("button", name="Make my address").click()
    private = feed.locator("a[href*='/feeds/private/'][href*='inbox.atom']").first.get_attribute("href")
    badge = page.locator(".trail [aria-current]")

    # Planned: the open page, the inbox, the mail, the browser and the feed
    move(Status.UNDER_REVIEW)
    move(Status.PLANNED, answer="We **draw** them in spring.")
    settle()
    if not scripts:
        page.reload()
    expect(badge).to_contain_text("Planned")
    if scripts:
        expect(page.locator("#bell")).to_have_attribute("aria-label", re.compile("unread"))
    page.goto("/inbox")
    line = page.locator(".news-row").filter(has_text="An idea you voted for has moved")
    expect(line.locator(".shift")).to_contain_text(re.compile("Under review.*Planned", re.S))
    expect(line).to_contain_text("We draw them in spring.")
    (mail,) = mails("Planned: ")
    assert "We draw them in spring." in words_of(mail) and "You get this because you voted." in words_of(mail)
    assert "An idea you voted for has moved" in push_service.bodies
    assert "We <strong>draw</strong> them" in feed.request.get(private).text().replace("&lt;", "<").replace("&gt;", ">")
    line.get_by_role("button", name=WELLS, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WELLS)

    # In progress: no mail of its own, but in the digest
    move(Status.IN_PROGRESS)
    settle()
    assert not mails("In progress")
    digest_is_due(noor)
    settle()
    (digest,) = [mail for mail in smtp.got if address in str(mail["To"]) and "Stop the digest" in words_of(mail)]
    assert WELLS in words_of(digest) and "In progress" in words_of(digest)

    # Shipped: at once, everywhere
    move(Status.SHIPPED, answer="The wells are on the map.")
    settle()
    if not scripts:
        page.reload()
    expect(badge).to_contain_text("Shipped")
    assert len(mails("Shipped: ")) == 1
    page.goto("/inbox")
    expect(page.locator(".news-row").filter(has_text="Shipped. You were one of 5 who asked")).to_have_count(1)

    # Two weeks later: whether it helped, answered from the mail without signing in
    with transaction():
        verdicts.ask(db.session.scalars(select(Round).where(Round.idea_id == idea)).one())
    settle()
    (question,) = mails("Does it solve your need?")
    stranger = come()
    stranger.goto(re.search(r"https?://\S+/mail/verdict/\S+says=yes", words_of(question)).group())
    expect(stranger.get_by_label("Yes", exact=False).first).to_be_checked()
    stranger.get_by_role("button", name="Send my answer").click()
    expect(stranger.get_by_text("You said: Yes")).to_be_visible()

    # The others say the same: confirmed, which everybody sees and nobody is mailed of at once
    for user_id in everybody:
        with transaction():
            standing = db.session.scalars(select(Round).where(Round.idea_id == idea)).one()
            verdicts.answer(standing, db.session.get_one(User, user_id), Says.YES, "")
    settle()
    page.goto(f"/ideas/{idea}")
    expect(badge).to_contain_text("Confirmed")
    page.goto("/inbox")
    expect(page.locator(".news-row").filter(has_text="Confirmed")).to_have_count(1)
    told = [mail["Subject"] for mail in smtp.got if address in str(mail["To"])]
    assert len(told) == len(set(told)) == 4, told
    assert feed.request.get(private).text().count("<entry>") >= 4


def digest_is_due(user_id: int) -> None:
    """Let it be the last Friday at eight for whoever waits for a digest."""
    db.session.rollback()
    zone = db.session.get_one(User, user_id).timezone or "Europe/London"
    before = Beat(zone, HOUR, WEEKDAY).after(utcnow() - timedelta(days=7))
    with transaction():
        change = sa.update(DigestClock).where(DigestClock.user_id == user_id).values(due_at=before)
        db.session.execute(change, execution_options={"synchronize_session": False})
