"""Scores: given by the team, counted again by themselves, and nobody else's to read."""

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.scores import queries, service
from portal.scores.factors import STARTING, Factor, check
from portal.scores.formula import WrongFormula
from portal.scores.models import IdeaScore
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user, make_votes
from tests.organisations.steps import make_organisation
from tests.support import HTMX, on_one_database

pytestmark = pytest.mark.usefixtures("app")
PARTS = {"reach": "200", "impact": "2", "confidence": "80 %", "effort": "4"}


def give(idea, **changes):
    with transaction(wake=False):
        return service.give_score(idea, make_user(Role.PM), {**PARTS, **changes})


def test_a_score_is_worked_out_of_its_parts_and_waits_for_missing_ones():
    idea = make_idea()

    assert give(idea).value == pytest.approx(80)
    assert give(idea, impact="0,5").value == pytest.approx(20)

    assert give(idea, reach="1,000").value == pytest.approx(400)  # a thousand, not one
    with pytest.raises(service.PartUnclear, match="Reach: “1,00,0” is not clear.*: 1000 or 1.5"):
        give(idea, reach="1,00,0")

    give(idea, effort="")
    card = queries.card_of(idea)
    assert card.value is None
    assert [str(name) for name in card.missing] == ["Effort"]

    assert give(idea, **dict.fromkeys(PARTS, " ")) is None
    assert db.session.get(IdeaScore, idea.id) is None


@pytest.mark.parametrize(
    ("key", "typed"), [("reach", "many"), ("effort", "0"), ("impact", "4"), ("reach", "nan"), ("reach", "1.000,5")]
)
@on_one_database
def test_a_part_that_is_no_number_or_lies_outside_is_refused_and_nothing_is_saved(key, typed):
    idea = make_idea()

    with pytest.raises(service.PartRefused) as refusal:
        give(idea, **{key: typed})

    assert refusal.value.key == key
    db.session.rollback()
    assert db.session.get(IdeaScore, idea.id) is None


@on_one_database
def test_a_formula_must_fit_its_parts():
    wrong = {
        "reach * luck": [*STARTING],
        "reach": [*STARTING],
        "votes + votes2": [Factor("votes", "Votes"), Factor("votes2", "More")],
        "a": [Factor("a", " ")],
        "b": [Factor("b", "B", 3, 3)],
        "c + c": [Factor("c", "C"), Factor("c", "C again")],
        "d": [Factor("d", "D", float("nan"), 3)],
    }
    for formula, factors in wrong.items():
        with pytest.raises(WrongFormula):
            check(formula, factors)

    assert check("votes + 10 * organisations", []).factors == ()


def test_another_formula_counts_every_score_again_and_so_does_a_vote_or_an_organisation():
    idea = make_idea()
    give(idea)
    with transaction(wake=False):
        service.change_formula(
            make_user(Role.ADMIN), "votes * reach + 1000 * organisations", [Factor("reach", "Reach", 0, 1000)]
        )
    assert queries.card_of(idea).value == pytest.approx(200)

    voters = make_votes(idea, 1)
    make_organisation("Tarn", *voters)
    with transaction(wake=False):
        assert service.count_stale() == 1
        assert service.count_stale() == 0

    assert queries.card_of(idea).value == pytest.approx(1400)


def test_the_list_is_sorted_by_what_speaks_for_ideas_and_holds_only_boards_one_works_on(browse):
    closed, open_board = make_board("Closed", Audience.PRIVATE), make_board("Open")
    best, second, unscored = (make_idea(f"Idea number {n}", board=open_board) for n in range(3))
    secret = make_idea("Nobody may know", board=closed)
    for idea, reach in ((second, "10"), (best, "500"), (secret, "900")):
        give(idea, reach=reach)
    organisation = make_organisation("Tarn", *make_votes(unscored, 1))
    moderator = make_user()
    make_place(open_board, moderator, Role.MODERATOR)

    here = browse(moderator)
    by_score = here.get("/scores").text
    by_organisation = here.get("/scores?sort=organisations").text
    of_one = here.get(f"/scores?sort=votes&organisation={organisation.id}").text

    assert by_score.index(best.title) < by_score.index(second.title)
    assert unscored.title not in by_score
    assert unscored.title in by_organisation
    assert best.title not in by_organisation
    assert unscored.title in of_one
    assert best.title not in of_one
    assert secret.title not in by_score + by_organisation + of_one
    assert secret.title in browse(make_user(Role.ADMIN)).get("/scores").text
    assert browse(make_user()).get("/scores").status_code == 403


def test_parts_are_given_on_the_desk_either_way_and_a_slip_loses_nothing(browse):
    idea = make_idea()
    pm = browse(make_user(Role.PM))

    plain = pm.post(f"/ideas/{idea.id}/score", data=PARTS, follow_redirects=True)
    swapped = pm.post(f"/ideas/{idea.id}/score", data=PARTS, headers=HTMX)
    wrong = pm.post(f"/ideas/{idea.id}/score", data={**PARTS, "effort": "soon"}, headers=HTMX)

    assert ">80<" in plain.text
    assert ">80<" in swapped.text
    assert "<html" not in swapped.text
    assert wrong.status_code == 422
    assert 'value="soon"' in wrong.text
    assert 'value="200"' in wrong.text
    assert browse(make_user(Role.OBSERVER)).post(f"/ideas/{idea.id}/score", data=PARTS).status_code == 403
    assert ">80<" in pm.get(f"/triage/first-look/{idea.id}").text


@on_one_database
def test_an_admin_changes_the_formula_and_is_told_what_is_wrong_with_it(browse):
    admin = browse(make_user(Role.ADMIN))
    parts = {"key": ["worth", "cost"], "label": ["Worth", "Cost"], "low": ["0", "1"], "high": ["10", ""]}
    parts["hint"] = ["", ""]

    wrong = admin.post("/admin/score", data={"formula": "worth / price", **parts})
    right = admin.post("/admin/score", data={"formula": "worth / cost", **parts}, follow_redirects=True)

    assert wrong.status_code == 422
    assert "“price”" in wrong.text
    assert 'value="worth / price"' in wrong.text
    assert 'value="worth / cost"' in right.text
    assert "Worth" in browse(make_user(Role.PM)).get(f"/ideas/{make_idea().id}/score").text
