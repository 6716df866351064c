"""Which moves are offered and accepted, and what each demands."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from portal.accounts.roles import Role
from portal.db import db
from portal.errors import Refusal
from portal.ideas import moves
from portal.ideas.models import Answer, StatusChange
from portal.ideas.moves import DetailMissing, MoveDetails, MoveNotAllowed
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_idea, make_user, move_to
from tests.support import either_way, on_one_database
from tests.support.beginning import MOVES

pytestmark = pytest.mark.usefixtures("app")

TRIAGERS = {Role.MODERATOR, Role.PM, Role.ADMIN, Role.OWNER}
DECIDERS = {Role.PM, Role.ADMIN, Role.OWNER}
NOBODY: set[Role] = set()

# The product's table of moves, written out a second time.
ALLOWED = {
    "new": {"under_review": TRIAGERS, "needs_info": TRIAGERS, "not_now": DECIDERS, "declined": DECIDERS,
            "available": TRIAGERS, "merged": TRIAGERS},
    "under_review": {"needs_info": TRIAGERS, "planned": DECIDERS, "not_now": DECIDERS, "declined": DECIDERS,
                     "available": TRIAGERS, "merged": TRIAGERS},
    "needs_info": {"under_review": NOBODY},
    "planned": {"not_now": DECIDERS, "declined": DECIDERS, "merged": TRIAGERS, "in_progress": DECIDERS,
                "under_review": DECIDERS, "shipped": DECIDERS},
    "in_progress": {"under_review": DECIDERS, "shipped": DECIDERS},
    "shipped": {"confirmed": DECIDERS, "under_review": DECIDERS},
    "confirmed": {"under_review": DECIDERS},
    "available": {"confirmed": DECIDERS, "under_review": DECIDERS},
    "not_now": {"declined": DECIDERS, "merged": TRIAGERS, "under_review": DECIDERS},
    "declined": {"under_review": DECIDERS},
    "merged": {},
}  # fmt: skip

PAIRS = [(source, target) for source in Status for target in Status]


REASON, ANSWER = [{"reason"}], [{"answer"}]
DEMANDED = {
    "needs_info": ANSWER,
    "planned": ANSWER,
    "not_now": [{"answer"}, {"review_on", "reversal"}],
    "declined": [{"answer"}, {"reversal"}],
    "available": ANSWER,
    "merged": [{"into"}],
    "in_progress": [],
    "shipped": ANSWER,
    "confirmed": REASON,
}


def demanded(source, target):
    """What must be given, each as the set of fields of which one is enough."""
    if target is Status.UNDER_REVIEW:
        return [{"owner"}] if source is Status.NEW else REASON
    return DEMANDED[target.value]


def again(idea):
    """See what other requests did to it."""
    db.session.rollback()
    db.session.refresh(idea)


def who(source, target):
    return ALLOWED[source.value].get(target.value, NOBODY)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.OBSERVER, Role.MODERATOR, Role.PM, Role.ADMIN])
@on_one_database
def test_each_role_makes_the_moves_of_the_table_and_no_others(role):
    actor, idea, main = make_user(role), make_idea(), make_idea()
    everything = MoveDetails(
        answer="So be it.", reason="Because.", alternative="This.", reversal="That.", expected="June",
        link="https://example.org", review_on=date(2090, 1, 1), owner=actor, into=main,
    )  # fmt: skip

    made = set()
    for source, target in PAIRS:
        try:
            with transaction(wake=False):
                idea.status = source
                db.session.flush()
                moves.move_idea(idea, target, actor, everything)
                assert idea.status is target
                made.add((source, target))
                raise Refusal("and now back")
        except Refusal:
            continue

    assert made == {(source, target) for source, target in PAIRS if role in who(source, target)}


@pytest.mark.parametrize("role", [Role.OBSERVER, Role.MODERATOR, Role.PM, Role.ADMIN])
@on_one_database
def test_the_desk_offers_the_moves_of_the_table_and_no_others(browse, role):
    idea, browser = make_idea(), browse(make_user(role))

    for source in Status:
        move_to(idea, source)
        text = browser.get(f"/triage/first-look/{idea.id}").text
        offered = set(re.findall(r'action="[^"]*/move/([a-z_]+)\?|action="[^"]*/move/([a-z_]+)"', text))
        offered = {name for pair in offered for name in pair if name}
        if re.search(r'href="/triage/merge/\d+\?queue=first-look"[^>]*data-key="m"', text):
            offered.add("merged")
        assert offered == {target.value for target in Status if role in who(source, target)}, source


def test_moves_outside_the_table_are_refused_when_they_are_posted_all_the_same(browse):
    idea, browser = make_idea(), browse(make_user(Role.PM))

    for source in Status:
        target = next(status for status in Status if status is not source and (source, status) not in MOVES)
        move_to(idea, source)
        answer = browser.post(
            f"/triage/first-look/{idea.id}/move/{target.value}",
            data={f"{target.value}-answer": "Sneaked in", f"{target.value}-seen": source.value},
        )
        assert answer.status_code == 422, (source, target)
        again(idea)
        assert idea.status is source

    merged = browser.post(f"/triage/first-look/{idea.id}/move/merged", data={"merged-seen": "new"})
    assert merged.status_code == 422
    assert db.session.scalars(select(StatusChange)).all() == []


@either_way
def test_a_moderator_cannot_decide_by_posting(browse, headers):
    idea = make_idea(status=Status.UNDER_REVIEW)

    answer = browse(make_user(Role.MODERATOR)).post(
        f"/triage/first-look/{idea.id}/move/planned",
        data={"planned-answer": "Yes", "planned-seen": "under_review"},
        headers=headers,
    )

    assert answer.status_code == 403
    again(idea)
    assert idea.status is Status.UNDER_REVIEW


def test_each_demanded_detail_is_demanded():
    actor, main = make_user(Role.PM), make_idea()
    everything = {
        "answer": "So be it.", "reason": "Because.", "reversal": "That.", "review_on": date(2090, 1, 1),
        "owner": actor, "into": main,
    }  # fmt: skip
    idea = make_idea()

    for source, target in PAIRS:
        if actor.role not in who(source, target):
            continue
        for missing in demanded(source, target):
            given = {name: value for name, value in everything.items() if name not in missing}
            with pytest.raises(DetailMissing) as refused, transaction(wake=False):
                idea.status = source
                db.session.flush()
                moves.move_idea(idea, target, actor, MoveDetails(**given))
            assert refused.value.field in missing, (source, target)


@either_way
def test_a_missing_detail_brings_the_form_back_as_it_was_typed(browse, headers):
    idea = make_idea(status=Status.UNDER_REVIEW)

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/declined",
        data={
            "declined-answer": "It would drain the battery.",
            "declined-because": "1",
            "declined-reversal": " ",
            "declined-seen": "under_review",
        },
        headers=headers,
    )

    assert answer.status_code == 422
    assert "It would drain the battery." in answer.text
    assert re.search(r'<textarea[^>]*aria-invalid="true"[^>]*id="declined-reversal"', answer.text)
    assert '<option value="declined" selected>' in answer.text
    assert ("<html" in answer.text) is not headers
    again(idea)
    assert idea.status is Status.UNDER_REVIEW


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "example.org", "data:text/html,x", "https://", "ftp://example.org/x"]
)
@on_one_database
def test_only_addresses_of_the_web_can_be_linked(browse, link):
    idea = make_idea(status=Status.PLANNED)

    answer = browse(make_user(Role.PM)).post(
        f"/triage/promised/{idea.id}/move/shipped",
        data={"shipped-answer": "There.", "shipped-link": link, "shipped-seen": "planned"},
    )

    assert answer.status_code == 422
    assert "starting with https:// or http://" in answer.text
    again(idea)
    assert idea.status is Status.PLANNED


@pytest.mark.parametrize("day", ["2020-01-01", "soon"])
def test_an_idea_is_parked_until_a_day_to_come(browse, day):
    idea = make_idea(status=Status.UNDER_REVIEW)

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/not_now",
        data={"not_now-answer": "Later.", "not_now-review_on": day, "not_now-seen": "under_review"},
    )

    assert answer.status_code == 422
    assert 'id="not_now-review_on-error"' in answer.text


def test_a_form_takes_only_the_fields_that_its_move_asks_for(browse):
    idea = make_idea(status=Status.PLANNED)

    browse(make_user(Role.PM)).post(
        f"/triage/promised/{idea.id}/move/shipped",
        data={
            "shipped-answer": "There.",
            "shipped-expected": "never",
            "shipped-reversal": "no",
            "shipped-seen": "planned",
        },
    )

    again(idea)
    assert (idea.status, idea.expected) == (Status.SHIPPED, "")
    assert db.session.scalars(select(Answer.reversal)).all() == [""]


def test_an_owner_is_one_of_the_team(browse):
    idea, stranger = make_idea(), make_user()

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/under_review",
        data={"under_review-owner": stranger.id, "under_review-seen": "new"},
    )

    assert answer.status_code == 422
    again(idea)
    assert (idea.status, idea.owner_id) == (Status.NEW, None)


@either_way
def test_an_admin_moves_outside_the_workflow_with_a_reason_that_is_marked(browse, headers):
    idea, admin = make_idea(status=Status.NEEDS_INFO), make_user(Role.ADMIN, name="Ada")
    browser, address = browse(admin), f"/triage/needs-info/{idea.id}/override"

    without = browser.post(address, data={"override-target": "planned", "override-seen": "needs_info"}, headers=headers)
    browser.post(
        address,
        data={"override-target": "planned", "override-reason": "Asked by mistake.", "override-seen": "needs_info"},
        headers=headers,
    )

    assert without.status_code == 422
    again(idea)
    assert idea.status is Status.PLANNED
    assert [(change.overrides, change.reason) for change in db.session.scalars(select(StatusChange))] == [
        (True, "Asked by mistake.")
    ]
    assert "Outside the workflow" in browser.get(f"/triage/promised/{idea.id}").text


def test_only_admins_move_outside_the_workflow(browse):
    idea = make_idea(status=Status.NEEDS_INFO)

    answer = browse(make_user(Role.PM)).post(
        f"/triage/needs-info/{idea.id}/override",
        data={"override-target": "planned", "override-reason": "Please.", "override-seen": "needs_info"},
    )

    assert answer.status_code == 403


@pytest.mark.parametrize("publication", [Publication.HELD, Publication.HIDDEN])
def test_what_is_not_published_is_neither_moved_nor_answered(publication):
    pm, idea = make_user(Role.PM), make_idea(publication=publication)

    assert moves.moves_for(idea, pm) == []
    with pytest.raises(MoveNotAllowed), transaction():
        moves.move_idea(idea, Status.UNDER_REVIEW, pm, MoveDetails(owner=pm))
    with pytest.raises(Refusal), transaction():
        moves.answer_idea(idea, pm, MoveDetails(answer="Hello"))


@either_way
def test_the_answer_can_be_seen_before_it_is_published(browse, headers):
    idea = make_idea(status=Status.UNDER_REVIEW)

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{idea.id}/move/planned",
        data={"planned-answer": "**Yes.** <script>no</script>", "planned-seen": "under_review", "preview": "1"},
        headers=headers,
    )

    assert answer.status_code == 200
    assert "<strong>Yes.</strong> &lt;script&gt;" in answer.text
    assert "**Yes.**" in answer.text
    again(idea)
    assert idea.status is Status.UNDER_REVIEW
