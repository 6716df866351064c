"""Words that mean the same are learned from what the team joins, decided by it, and known to every search."""

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas import merging, moves
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.search import index, synonyms
from portal.search.engine import Document
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user
from tests.support.engines import IDEAS, ids

ALIKE = [("Dark colours at work", "Night colours at work"), ("A dark map, please", "A night map, please")]


def join(pairs, board=None):
    admin = make_user(Role.ADMIN)
    for title, other in pairs:
        more = {"board": board} if board else {}
        main, merged = make_idea(title, **more), make_idea(other, **more)
        with transaction():
            moves.move_idea(merged, Status.MERGED, admin, MoveDetails(into=main))
    return admin


def test_words_are_proposed_that_stood_in_for_each_other_in_two_merges_and_an_undone_one_counts_back(app):
    admin = join(ALIKE)
    assert [(pair.one_spelt, pair.other_spelt, pair.merges) for pair in synonyms.proposed()] == [("dark", "night", 2)]

    merged = db.session.scalars(db.select(Idea).where(Idea.merged_into_id.is_not(None))).first()
    with transaction():
        merging.undo_merge(merged, db.session.merge(admin), "They are not the same.")

    assert synonyms.proposed() == []


@pytest.mark.parametrize("audience", [Audience.MEMBERS, Audience.PRIVATE, Audience.STAFF])
def test_s05_nothing_is_learned_where_not_everybody_may_read(app, audience):
    join(ALIKE, make_board("Inside", audience))

    assert synonyms.proposed() == []


def test_an_admin_accepts_a_word_and_every_search_finds_the_other_one(browse):
    admin = join(ALIKE)
    make_idea("Read at night without glare", board=make_board("Other"))
    index.rebuild()
    visit = browse(db.session.merge(admin))
    assert "dark = night" in visit.get("/admin/synonyms").text

    answer = visit.post("/admin/synonyms", data={"one": "dark", "other": "night"}, follow_redirects=True)

    db.session.rollback()
    assert "dark = night" in answer.text and synonyms.proposed() == []
    assert "Read at <mark>night</mark>" in browse().get("/search?q=dark+glare").text
    visit.post("/admin/synonyms/take-back", data={"one": "dark", "other": "night"})
    db.session.rollback()
    assert [pair.key for pair in synonyms.proposed()] == [("dark", "night")]


def test_what_is_no_word_for_a_word_is_refused(browse):
    visit = browse(make_user(Role.ADMIN))
    for one, other in [("dark mode", "night"), ("the", "night"), ("nights", "night"), ("", "")]:
        assert visit.post("/admin/synonyms", data={"one": one, "other": other, "by_hand": 1}).status_code == 409
    assert synonyms.decided(True) == []


def test_engines_find_and_name_the_word_that_means_the_same_after_the_word_itself(new_engine):
    engine = new_engine()
    engine.rebuild([*IDEAS, Document(6, "Nocturnal colours for the web app"), Document(7, "Dark colours everywhere")])

    engine.read_synonyms = lambda: {"dark": ["nocturn"], "nocturn": ["dark"]}

    assert ids(engine.search("dark colours"))[:2] == [7, 6]
    assert "nocturn" in next(hit for hit in engine.similar("Dark colours") if hit.id == 6).words
    assert 6 in ids(engine.search('colours -"dark"')), "a phrase is found word for word"
