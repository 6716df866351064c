"""What was decided on ideas like the one on the desk, and when deciding otherwise is warned of."""

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.decisions import queries
from portal.decisions.models import Decision
from portal.decisions.precedents import Contradiction, Precedent, contradictions, precedents
from portal.ideas import moves
from portal.ideas.models import Idea
from portal.ideas.steps import MoveDetails, Record
from portal.ideas.workflow import Status
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support import either_way

WELLS, AGAIN = "Show wells and springs on the map", "Show springs and wells on our maps"
NEED = "On long walks we run out of water and do not know where the next spring is."


def decide(idea, target=Status.DECLINED, because=None, answer="We cannot know which springs carry water."):
    with transaction(wake=False):
        details = MoveDetails(answer=answer, reversal="A register of springs.", record=Record(because=because))
        moves.move_idea(idea, target, make_user(Role.PM), details)


def like(strength, then, now=None, reason=None):
    """A precedent with an idea that was decided so then, and stands so now."""
    idea = Idea(id=1, status=now or then, stage="")
    return Precedent(Decision(idea=idea, status=then, reason_id=reason), strength, [])


# The rule, without a database

SAME_NO = like("same", Status.DECLINED, reason=3)
LIKELY_YES = like("likely", Status.PLANNED, Status.SHIPPED, reason=7)
POSSIBLE_YES = like("possible", Status.PLANNED)
TURNED = like("possible", Status.DECLINED, Status.IN_PROGRESS, reason=3)
OPEN_AGAIN = like("same", Status.DECLINED, Status.UNDER_REVIEW, reason=3)
EVERY = [SAME_NO, LIKELY_YES, POSSIBLE_YES, TURNED, OPEN_AGAIN]


@pytest.mark.parametrize(
    ("target", "reason", "against"),
    [
        (Status.PLANNED, None, [(SAME_NO, "idea")]),
        (Status.PLANNED, 3, [(SAME_NO, "reason"), (TURNED, "reason")]),
        (Status.AVAILABLE, None, [(SAME_NO, "idea")]),
        (Status.DECLINED, None, [(LIKELY_YES, "idea")]),
        (Status.NOT_NOW, 3, [(LIKELY_YES, "idea"), (TURNED, "reason")]),
        (Status.DECLINED, 7, [(LIKELY_YES, "reason")]),
        (Status.IN_PROGRESS, 3, []),
        (Status.UNDER_REVIEW, None, []),
    ],
)
def test_what_contradicts_what(target, reason, against):
    assert contradictions(EVERY, target, reason) == [Contradiction(*each) for each in against]


# With the search engine


def test_the_desk_shows_what_was_decided_on_ideas_like_this_one_and_why(app, browse, settle):
    reason = queries.reasons_for(Status.DECLINED)[0]
    label = reason.label
    decide(make_idea(WELLS, need=NEED), because=reason.id)
    make_idea("Sell stickers at the huts", need="I like stickers.")
    settle()
    idea_id = make_idea(AGAIN, need=NEED).id
    settle()

    desk = browse(make_user(Role.PM)).get(f"/triage/first-look/{idea_id}").text

    assert "Decided before: 1 idea like this one" in desk
    assert label in desk
    assert "We cannot know which springs carry water." in desk


@either_way
def test_deciding_otherwise_on_nearly_the_same_is_warned_of_and_possible(app, browse, settle, headers):
    decide(make_idea(WELLS, need=NEED))
    idea_id = make_idea(AGAIN, need=NEED, status=Status.UNDER_REVIEW).id
    settle()
    pm = browse(make_user(Role.PM))

    desk = pm.get(f"/triage/first-look/{idea_id}").text
    planned, declined = desk.split('id="against-planned"')[1], desk.split('id="against-declined"')[1]
    done = pm.post(
        f"/triage/first-look/{idea_id}/move/planned",
        data={"planned-seen": "under_review", "planned-answer": "There is a register now."},
        headers=headers,
    )

    assert "came to something else" in planned.split("</div>\n")[0]
    assert "came to something else" not in declined.split("<fieldset")[0].split('name="declined-answer"')[0]
    assert done.status_code in {200, 303}
    db.session.rollback()
    assert db.session.get_one(Idea, idea_id).status is Status.PLANNED


def test_choosing_a_reason_shows_where_it_was_given_and_did_not_hold(app, browse, settle):
    first, second = queries.reasons_for(Status.DECLINED)[:2]
    first_id, second_id = first.id, second.id
    turned = make_idea(WELLS, need=NEED)
    decide(turned, because=first_id)
    pm = make_user(Role.PM)
    with transaction(wake=False):
        moves.move_idea(turned, Status.UNDER_REVIEW, pm, MoveDetails(reason="A register came."))
        turned.status = Status.SHIPPED
    decide(make_idea("Sell stickers at the huts", need="I like stickers."), because=second_id)
    idea_id = make_idea(AGAIN, need=NEED).id
    settle()
    browser = browse(make_user(Role.MODERATOR))

    def asked(reason, **headers):
        query = {"target": "declined", "name": "declined", "declined-because": reason}
        return browser.get(f"/ideas/{idea_id}/precedents", query_string=query, headers=headers).text

    fragment = asked(first_id, **{"HX-Request": "true"})
    assert fragment.lstrip().startswith('<div id="against-declined"')
    assert "The same reason was given for an idea like this one, and it came to something else" in fragment
    assert "Sell stickers" in asked(second_id)
    assert "<html" in asked("nonsense")


def test_nobody_learns_of_decisions_on_boards_that_are_not_theirs(app, settle):
    listed = make_board("Closed", audience=Audience.PRIVATE)
    decide(make_idea(WELLS, need=NEED, board=listed))
    idea_id = make_idea(AGAIN, need=NEED, board=make_board("Open")).id
    settle()
    idea, helper = db.session.get_one(Idea, idea_id), make_user()
    make_place(idea.board, helper, Role.PM)

    assert precedents(idea, make_user(Role.PM)) == []
    assert precedents(idea, helper) == []
    assert [each.idea.title for each in precedents(idea, make_user(Role.OWNER))] == [WELLS]


def test_without_an_index_there_are_none(app):
    decide(make_idea(WELLS, need=NEED))

    assert precedents(make_idea(AGAIN, need=NEED), make_user(Role.PM)) == []
