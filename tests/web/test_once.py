"""Forms that are sent twice: what they make is made once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from portal import once
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.changelog.models import Entry
from portal.comments import service as comments
from portal.comments.models import Comment
from portal.db import db, utcnow
from portal.decisions.models import Reason
from portal.ideas.models import Answer, Idea, StatusChange
from portal.notifications.models import Notification
from portal.once import SentForm
from portal.organisations.models import Organisation, Segment
from portal.roadmap.models import Theme
from portal.search import saved
from portal.search.models import SavedSearch
from portal.sso.models import Provider
from portal.talk.models import AnswerDraft, DraftRemark, Note, Snippet
from portal.teams.models import Team
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support import HTMX, Browser, either_way, on_one_database
from tests.support.side_by_side import at_once

pytestmark = pytest.mark.usefixtures("app")

TOKEN = re.compile(r'name="csrf_token"(?: type="hidden")? value="([\w.-]+)"')


def number_of(model: type) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def token_on(browser: Browser, address: str) -> str:
    """The token of a form as the page has it."""
    found = TOKEN.search(browser.get(address).text)
    assert found, address
    return found[1]


def test_s57_a_comment_sent_twice_at_the_same_moment_is_one_comment_and_one_notice(app, browse, settle):
    idea, speaker = make_idea(author=make_user()), make_user()
    number, author = idea.id, idea.author_id
    token = token_on(browse(speaker), f"/ideas/{number}")
    browsers = [browse(speaker), browse(speaker)]
    answers = []

    def send(browser: Browser) -> None:
        form = {"csrf_token": token, "body": "I need this daily."}
        answers.append(browser.post(f"/ideas/{number}/comments", data=form).location)

    problems = at_once(app, [lambda browser=browser: send(browser) for browser in browsers])
    settle()

    assert problems == []
    assert number_of(Comment) == 1
    assert db.session.get_one(Idea, number).comments == 1
    assert len(answers) == 2 and len(set(answers)) == 1 and "#comment-" in answers[0]
    told = select(Notification.user_id).where(Notification.kind == "commented")
    assert db.session.scalars(told).all() == [author]


@either_way
def test_s57_what_is_said_again_on_purpose_or_in_other_words_is_said(browse, headers):
    idea, speaker = make_idea(), browse(make_user())
    other = browse(make_user())
    where = f"/ideas/{idea.id}/comments"
    first = {"csrf_token": speaker.token(), "body": "So do I."}

    speaker.post(where, data=first, headers=headers)
    speaker.post(where, data=first | {"body": "So do we."}, headers=headers)
    other.post(where, data=first, headers=headers)
    with time_machine.travel(utcnow() + timedelta(seconds=5)):
        speaker.post(where, data={"csrf_token": speaker.token(), "body": "So do I."}, headers=headers)

    assert number_of(Comment) == 4


@on_one_database
def test_s57_words_that_were_taken_away_can_be_sent_again_and_what_was_refused_is_not_known(browse):
    idea, author = make_idea(), make_user()
    speaker, where = browse(author), f"/ideas/{idea.id}/comments"
    form = {"csrf_token": speaker.token(), "body": "Said in haste."}

    refused = speaker.post(where, data=form | {"body": "x"})
    left = number_of(SentForm)
    speaker.post(where, data=form)
    with transaction():
        comments.delete_comment(db.session.scalars(select(Comment)).one(), author)
    speaker.post(where, data=form)

    assert (refused.status_code, left) == (422, 0)
    standing = select(func.count()).select_from(Comment).where(Comment.deleted_at.is_(None))
    assert db.session.scalar(standing) == 1


def test_s57_an_idea_a_note_an_answer_and_a_move_sent_twice_are_made_once_and_answered_alike(browse):
    idea, pm = make_idea(), make_user(Role.PM)
    number = idea.id
    browser = browse(pm)
    words = {"title": "Let me name my routes", "need": "Today they have numbers.", "board": idea.board.slug}
    desk = f"/triage/first-look/{number}"
    answer = {"answer-seen": "new", "answer-answer": "We read this, and look at it next week."}
    move = {"under_review-seen": "new", "under_review-owner": str(pm.id)}
    forms = [
        ("/ideas", words | {"checked": "1"}, Idea),
        (f"{desk}/notes", {"note": "Support hears this often."}, Note),
        (f"{desk}/answer", answer, Answer),
        (f"{desk}/move/under_review", move, StatusChange),
    ]

    for where, form, kind in forms:
        before = number_of(kind)
        form |= {"csrf_token": browser.token()}
        answers = [browser.post(where, data=form) for _ in range(2)]
        assert number_of(kind) == before + 1, where
        assert {answer.status_code for answer in answers} == {303}, where
        assert len({answer.location for answer in answers}) == 1, where


@on_one_database
def test_a_form_sent_again_answers_nothing_of_what_somebody_else_has_under_its_number(browse):
    reader, other = make_user(Role.PM), make_user(Role.PM)
    browser = browse(reader)
    form = {"csrf_token": browser.token(), "name": "Maps", "q": "map", "alert": "none"}
    browser.post("/search/saved", data=form)
    with transaction():
        db.session.delete(db.session.scalars(select(SavedSearch)).one())
    with transaction():
        saved.save_search(other, "bear near the hut", name="Said in private")

    again = browser.post("/search/saved", data=form)

    assert "map" in again.location and "bear" not in again.location
    assert number_of(SavedSearch) == 2


SEARCH = {"name": "Maps", "q": "map", "alert": "none"}
PLACES: list[tuple[str, dict[str, str], type]] = [
    ("/changelog/new", {"title": "Version 5", "body": "It is out.", "kind": "new", "seen": "0"}, Entry),
    ("/admin/boards", {"name": "Winter", "slug": "winter", "audience": "public", "position": "0"}, Board),
    ("/admin/teams", {"name": "Winter people", "about": "Snow."}, Team),
    ("/roadmap/themes", {"name": "Winter", "about": "Snow."}, Theme),
    ("/admin/reasons", {"label": "Too cold", "about": "We freeze.", "kinds": "declined"}, Reason),
    ("/admin/organisations", {"name": "Winter club", "domains": "winter.example"}, Organisation),
    ("/admin/segments", {"name": "Winter people"}, Segment),
    ("/admin/providers/new/openid", {"name": "Club", "issuer": "https://id.example"}, Provider),
    ("/search/saved", SEARCH, SavedSearch),
    ("/triage/save", SEARCH | {"name": "Maps too"}, SavedSearch),
    ("/triage/snippets", {"name": "Thanks", "body": "Thank you, {author}."}, Snippet),
    ("/triage/first-look/{idea}/answer", {"answer-seen": "new", "answer-answer": "Soon.", "draft": "1"}, AnswerDraft),
    ("/triage/drafts/{draft}/say", {"words": "Too early?"}, DraftRemark),
    ("/triage/drafts/{draft}/ask", {"words": "Look, please.", "reviewer": "{reader}"}, DraftRemark),
]


def test_s57_whatever_else_a_form_makes_it_makes_once_and_what_is_gone_again(browse):
    owner, colleague, idea = make_user(Role.OWNER), make_user(Role.PM), make_idea()
    browser, known = browse(owner), {"idea": str(idea.id), "reader": str(make_user(Role.PM).id)}
    browse(colleague).post(
        f"/triage/first-look/{idea.id}/answer",
        data={"answer-seen": "new", "answer-answer": "We look at it.", "draft": "1"},
    )
    db.session.rollback()
    known["draft"] = str(db.session.scalars(select(AnswerDraft.id)).one())

    for where, form, kind in PLACES:
        where = where.format(**known)
        sent = {name: value.format(**known) if "{author}" not in value else value for name, value in form.items()}
        sent["csrf_token"] = browser.token()
        before = number_of(kind)
        answers = [browser.post(where, data=sent) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303], where
        assert number_of(kind) == before + 1, where
        assert len({answer.location for answer in answers}) == 1, where

    (team,) = db.session.scalars(select(Team.id).where(Team.name == "Winter people"))
    form = dict(PLACES[2][1], csrf_token=browser.token())
    browser.post(f"/admin/teams/{team}/delete")
    browser.post("/admin/teams", data=form)
    assert number_of(Team) == 1


@on_one_database
def test_s57_a_vote_with_words_sent_twice_brings_them_once(browse):
    idea, browser = make_idea(author=make_user()), browse(make_user())
    form = {"csrf_token": browser.token(), "title": "Name my routes", "origin": "typed", "body": "I need this daily."}

    answers = [browser.post(f"/ideas/{idea.id}/back/now", data=form) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert number_of(Comment) == 1


@on_one_database
def test_s57_a_note_added_twice_in_place_stands_there_once(browse):
    idea, browser = make_idea(), browse(make_user(Role.PM))
    form = {"csrf_token": browser.token(), "note": "Support hears this often."}

    shown = [browser.post(f"/triage/first-look/{idea.id}/notes", data=form, headers=HTMX).text for _ in range(2)]

    assert [page.count("Support hears this often.") for page in shown] == [1, 1]


@on_one_database
def test_forms_are_known_for_a_day_and_nothing_of_them_is_kept_but_a_hash(browse):
    browse(make_user()).post(f"/ideas/{make_idea().id}/comments", data={"csrf_token": "", "body": "No token."})
    speaker = browse(make_user())
    speaker.post(f"/ideas/{make_idea().id}/comments", data={"csrf_token": speaker.token(), "body": "Quillwords."})
    db.session.rollback()
    (kept,) = db.session.execute(select(SentForm.key, SentForm.made)).all()

    assert re.fullmatch(r"[0-9a-f]{64}", kept.key) and kept.made
    with transaction():
        assert once.forget_old() == 0
    with time_machine.travel(utcnow() + timedelta(days=1, minutes=1)), transaction():
        assert once.forget_old() == 1
