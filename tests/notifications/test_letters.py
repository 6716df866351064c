"""What mails look like: in a browser in light and dark, wide and narrow, and by what mail programs can show."""

import random
from dataclasses import replace

import pytest

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas.models import TITLE_MAX, Answer, StatusChange
from portal.ideas.workflow import Status, rule_of
from portal.notifications.letters import letter_of
from portal.notifications.mails.letter import Entry, Letter, Quote, Section, compose
from portal.notifications.mails.sections import section, shares
from portal.notifications.models import Mail, Notification
from portal.notifications.policy import POLICY, PORTAL_KINDS, TEAM_KINDS, Kind
from portal.notifications.stories import Story
from tests.factories import make_comment, make_idea, make_user
from tests.support.accessibility import COLOURS, violations
from tests.support.databases import on_one_database
from tests.support.mail_clients import problems_of

LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamter" * 2
STOP = "http://127.0.0.1:8000/mail/stop/abc"


def a_mail() -> Mail:
    return Mail(
        id=3, key="event-1-7", kind="decided", user=User(id=7, email="ann@example.org", name="Ann"), queued_at=utcnow()
    )


def html_of(letter: Letter) -> str:
    return compose(letter, a_mail()).get_body(("html",)).get_content()


def text_of(letter: Letter) -> str:
    return compose(letter, a_mail()).get_body(("plain",)).get_content().replace("\r\n", "\n")


def the_fullest() -> Letter:
    """A letter with all that a letter can have, in words as long as they come."""
    places = [rule_of(status) for status in Status]
    moved = [Entry(f"Idea {n}", "http://127.0.0.1:8000/ideas/1", "Moved.", place, places[0], "We do it & more.", "Team")
             for n, place in enumerate(places)]  # fmt: skip
    return Letter(
        subject="Planned: Offline routes",
        lead="An idea you voted for has moved.",
        title=f"Offline routes {LONG}",
        source=places[0],
        target=places[3],
        quotes=[
            Quote(["Yes, we will.", LONG], by="Safety team"),
            Quote(["A paper map."], heading="What you can do today"),
        ],
        sections=[Section("Moved", moved, more="and 3 more"), Section("Besides", [Entry(LONG)])],
        sentences=["Next update by 30 June.", "You are one of 198 people who asked for this."],
        button="See the idea",
        url="http://127.0.0.1:8000/ideas/1",
        code="123456",
        also="This is not what I meant",
        also_url="http://127.0.0.1:8000/mail/objection/abc",
        foot="You get this because you voted.",
        stop_label="Stop for this idea",
        stop_url=STOP,
        settings_url="http://127.0.0.1:8000/inbox",
    )


@on_one_database
def test_a_letter_holds_nothing_that_a_mail_program_cannot_show(app):
    assert problems_of(html_of(the_fullest())) == []


@on_one_database
def test_the_table_finds_what_mail_programs_cannot_show(app):
    html = html_of(the_fullest())

    for bad, word in {
        '<img src="https://x/y.gif">': "img",
        '<div style="display:flex">': "display:flex",
        '<p style="position:absolute">': "position",
        '<p style="background:url(x)">': "fetches",
        '<p style="border-inline-start:4px solid red">': "border-inline-start",
        '<p style="font-weight:650">': "hundred",
        "<table><tr><td>": "role=presentation",
        "<style>.x { color: red }</style>": "does not stand in the elements",
        '<a href="/ideas">': "link",
    }.items():
        assert word in "; ".join(problems_of(html.replace("</body>", bad + "</body>"))), bad


@on_one_database
def test_each_kind_of_news_makes_a_letter_that_all_programs_show(app):
    idea = make_idea("A “tricky” title <b> & ü")
    author, comment = make_user(Role.PM, team="Safety team"), make_comment(idea, body="Amber, *not* red.\n\nPlease.")
    answer = Answer(
        idea_id=idea.id, author=author, body="We will.\n\n- soon\n- well", alternative="Paper", reversal="Snow"
    )
    now, (new, planned) = utcnow(), (rule_of(Status.NEW), rule_of(Status.PLANNED))
    change = StatusChange(id=5, idea_id=idea.id, source=new.kind, target=planned.kind, reason="Because.", at=now)
    db.session.expunge(change) if change in db.session else None
    seen = set()

    for kind, reasons in POLICY.items():
        for reason in reasons if kind not in TEAM_KINDS | PORTAL_KINDS else ():
            told = Notification(id=9, user_id=author.id, idea_id=idea.id, kind=kind, reason=reason, at=now)
            moved = {"source": new, "target": planned} if kind in {Kind.DECIDED, Kind.PROGRESSED} else {}
            story = Story(
                told, idea, kind, reason, author, answer=answer, comment=comment, change=change, entry_id=1, **moved
            )
            letter = letter_of(story, author)
            assert problems_of(html_of(letter)) == [], (kind, reason)
            assert idea.title in text_of(letter)
            seen.add(kind)

    assert seen | TEAM_KINDS | PORTAL_KINDS == set(Kind)
    db.session.rollback()


@pytest.mark.parametrize("seed", range(20))
def test_what_is_named_of_lists_is_shared_fairly_and_never_too_much(seed):
    chance = random.Random(seed)  # noqa: S311 - no secret
    numbers = [chance.choice([0, 1, 3, 40, 500]) for _ in range(chance.randrange(1, 9))]
    each, in_all = chance.randrange(1, 25), chance.randrange(1, 60)

    shown = shares(numbers, each, in_all)

    wanted = [min(number, each) for number in numbers]
    assert sum(shown) == min(in_all, sum(wanted))
    assert all(0 <= named <= most for named, most in zip(shown, wanted, strict=True))
    cut = [named for named, most in zip(shown, wanted, strict=True) if named < most]
    assert max(cut, default=0) - min(cut, default=0) <= 1
    assert all(named >= max(shown) - 1 for named in cut)


@on_one_database
def test_the_longest_digest_is_cut_off_by_no_mail_program(app):
    place = rule_of(Status.UNDER_REVIEW)
    one = Entry(
        "Ä" * TITLE_MAX, "http://127.0.0.1:8000/ideas/" + "1" * 80, "ä" * 320, place, place, "ö" * 180, "Ü" * 60
    )
    shown = shares([500] * 7)  # six headings of ideas, one of the portal; late and new ones come besides
    lists = [section("Under a heading", [one] * number, 500) for number in [*shown, 5, 5]]

    html = html_of(replace(the_fullest(), sections=lists, quotes=[]))

    assert problems_of(html) == []
    assert [one.more for one in lists[:2]] == [f"and {500 - number} more" for number in shown[:2]]


OF_PAGES = ["landmark-one-main", "region"]  # a mail program has its own around a mail


@pytest.mark.parametrize("width", [600, 360])
def test_everybody_can_read_a_letter_in_light_and_in_dark_wide_and_narrow(app, chromium, width):
    page = chromium.new_page(viewport={"width": width, "height": 900})
    page.set_content(html_of(the_fullest()))
    grounds = {}

    for scheme, rules in (("light", None), ("dark", COLOURS)):
        page.emulate_media(color_scheme=scheme)
        assert violations(page, rules, without=() if rules else OF_PAGES) == [], scheme
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    column = page.evaluate("document.querySelector('.column').getBoundingClientRect().width")
    page.close()

    assert grounds == {"light": "rgb(249, 251, 249)", "dark": "rgb(16, 21, 19)"}
    assert column == min(560, width - 32)
