"""The index follows what may be found: words of an idea that went out of sight lead nowhere."""

import threading

import pytest
from sqlalchemy import select

from portal import worker
from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas import moves, service
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.search import index
from portal.search.index import engine
from portal.search.models import IndexTask
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user


@pytest.mark.parametrize("how", ["hidden", "moved to a closed board"])
def test_s05_the_words_of_a_merged_idea_that_went_out_of_sight_no_longer_find_the_main_one(browse, settle, how):
    admin, closed = make_user(Role.ADMIN), make_board("Inside", Audience.STAFF)
    main, merged = make_idea("Export to a spreadsheet"), make_idea("Tables for my neighbour Zanzibari")
    merged_id = merged.id
    with transaction():
        moves.move_idea(merged, Status.MERGED, admin, MoveDetails(into=main))
    index.rebuild()
    assert "Export to a spreadsheet" in browse().get("/search?q=zanzibari").text

    with transaction():
        merged = db.session.get_one(Idea, merged_id)
        if how == "hidden":
            service.hide_idea(merged, db.session.merge(admin), "It names somebody.")
        else:
            moves.change_board(merged, db.session.merge(closed), db.session.merge(admin))
    settle()

    assert "Export to a spreadsheet" not in browse().get("/search?q=zanzibari").text


def test_an_index_that_is_being_built_anew_does_not_keep_the_worker_from_stopping(app, monkeypatch, caplog):
    idea, stop = make_idea("Show springs on the map"), threading.Event()
    index.rebuild()
    with transaction():
        index.forget([idea.id])
    said = index._said
    monkeypatch.setattr(index, "_said", lambda ids: stop.set() or said(ids))
    app.extensions["chores"] = (index.index_pending,)

    worker.run(app, stop)

    assert [hit.id for hit in engine().search("springs")] == [idea.id], "the old one answers"
    assert db.session.scalars(select(IndexTask.idea_id)).all() == [idea.id]
    assert caplog.messages == []


def test_while_there_is_no_index_similar_ideas_come_from_the_newest_titles_and_the_panel_says_so(app, browse):
    make_idea("Dark mode for the web app")
    make_idea("A dark web mode", board=make_board("Inside", Audience.STAFF))

    shown = browse().get("/search/similar?title=Dark+mode+in+the+web").text

    assert "only titles of the newest ideas" in shown and "for the <mark>web</mark> app" in shown
    assert "A <mark>dark</mark>" not in shown
