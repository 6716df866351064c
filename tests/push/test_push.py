"""Browsers that are told at once: who is told what, how it gets there, and when it does not."""

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.boards.models import Audience, Board
from portal.db import db
from portal.ideas import service as ideas
from portal.ideas.moves import MoveDetails, move_idea
from portal.ideas.workflow import Status
from portal.push import keys
from portal.push import service as pushes
from portal.push.models import Push
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user

here_allowed = pytest.mark.settings(OUTGOING_ALLOW="127.0.0.1")


def tell(user, browser, session_hash=None, browser_hash=""):
    with transaction(wake=False):
        keys.make_keys()
        row = pushes.subscribe(user, **browser, session_hash=session_hash, browser_hash=browser_hash, browser="Firefox")
        return row.id


def vote(idea, voter):
    with transaction():
        ideas.cast_vote(idea, voter)


def plan(idea):
    pm = make_user(Role.PM)
    with transaction():
        move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
        move_idea(idea, Status.PLANNED, pm, MoveDetails(answer="We **build** it.", expected="June"))


def ends():
    db.session.rollback()
    rows = db.session.scalars(select(Push).order_by(Push.id))
    return [row.suppressed or ("sent" if row.done_at else "set aside" if row.given_up_at else "waits") for row in rows]


@here_allowed
def test_a_voter_is_told_of_a_decision_in_words_that_only_their_browser_can_read(service, settle):
    idea, voter = make_idea("Show the wells"), make_user()
    vote(idea, voter)
    tell(voter, service.browser())
    idea_id = idea.id

    plan(idea)
    settle()

    (told,) = service.got
    assert told.message == {
        "title": "Show the wells",
        "body": "An idea you voted for has moved",
        "url": f"/ideas/{idea_id}",
        "tag": f"idea-{idea_id}",
        "lang": "en",
    }
    assert told.is_signed and b"wells" not in told.body
    assert told.headers["Content-Encoding"] == "aes128gcm" and told.headers["TTL"] == "86400"
    assert "idea" not in told.headers["Topic"] and len(told.headers["Topic"]) == 32
    assert ends()[-1] == "sent"


@here_allowed
def test_s09_what_a_reader_may_not_see_any_more_is_not_sent(service, settle):
    board, voter = make_board(), make_user()
    idea = make_idea("Show the wells", board=board)
    vote(idea, voter)
    tell(voter, service.browser())
    plan(idea)
    from portal import outbox

    outbox.work_off()
    with transaction():
        db.session.get_one(Board, board.id).audience = Audience.STAFF
    settle()

    assert service.got == [] and set(ends()) == {"no longer visible"}
