"""What is typed and not posted yet waits for its author, and for nobody else."""

from portal.db import db
from portal.ideas import queries
from tests.factories import make_board, make_user


def test_a_draft_is_kept_clean_and_within_its_limits(browse):
    user, board = make_user(), make_board()
    browser = browse(user)
    typed = {"title": "Warn\0 of black ice", "need": "x" * 30_000, "board": board.slug}

    for proposal in ("", "A sign."):
        answer = browser.post("/ideas/draft", data={**typed, "proposal": proposal})
        assert answer.status_code == 303

    db.session.rollback()
    draft = queries.draft_of(user)
    assert (draft.title, len(draft.need), draft.proposal, draft.board) == (
        "Warn of black ice", 25_000, "A sign.", board.slug,
    )  # fmt: skip


def test_an_emptied_form_leaves_no_draft(browse):
    user = make_user()
    browser = browse(user)
    browser.post("/ideas/draft", data={"title": "Warn of black ice"})

    browser.post("/ideas/draft", data={"title": " ", "need": "\n"})

    db.session.rollback()
    assert queries.draft_of(user) is None
