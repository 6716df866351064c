"""Links between ideas, needs and solutions: said from one end, read from both, and only by those who may."""

from __future__ import annotations

import pytest

from portal.accounts.roles import Role
from portal.boards.models import Audience
from portal.db import db
from portal.ideas import service as idea_service
from portal.ideas import supporters
from portal.ideas.models import Idea, Nature
from portal.links import service
from portal.links.models import Kind, NeedBacker
from portal.links.queries import lineage_of, ties_of
from portal.links.words import CHOICES, READ, choice_of, read_choice
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_user
from tests.support import either_way

pytestmark = pytest.mark.usefixtures("app")


def tie(idea, other, kind=Kind.RELATES, **how):
    with transaction(wake=False):
        return service.link_ideas(idea, other, kind, make_user(Role.PM), **how)


def read(idea, viewer):
    return [(tie.label, tie.other.title) for tie in ties_of(idea, viewer)]


def vote(idea, *people):
    with transaction(wake=False):
        for person in people:
            idea_service.cast_vote(idea, person)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_link_is_read_from_both_ends_and_made_once(kind):
    first = make_idea("The first", proposal="A way to do it.")
    second, reader = make_idea("The second"), make_user()

    made, again = tie(first, second, kind), tie(first, second, kind)
    from_the_other_end = tie(second, first, kind, outward=False)

    assert made is not None and again is None and from_the_other_end is None
    assert read(first, reader) == [(str(READ[kind, True][0]), "The second")]
    assert read(second, reader) == [(str(READ[kind, False][0]), "The first")]


def test_a_choice_reads_back_as_what_was_chosen():
    for value, _label in CHOICES:
        assert choice_of(*read_choice(value)) == value
    assert read_choice("relates-back") is None is read_choice("nonsense")


def test_a_link_is_unknown_to_whoever_may_not_know_of_its_other_end(browse):
    private, alone = make_board("Inside", Audience.PRIVATE), make_board("Apart", one_way=True)
    shown = make_idea("Shown to all", proposal="Do it.")
    for secret in (make_idea("Zzsecret plan", board=private), make_idea("Zzsecret wish", board=alone)):
        for kind in (Kind.RELATES, Kind.SOLVES, Kind.BUILDS_ON):
            tie(shown, secret, kind)
    admin = make_user(Role.ADMIN)

    for who in (make_user(), None):
        browser = browse(*([who] if who else []))
        for address in (f"/ideas/{shown.id}", f"/ideas/{shown.id}/history"):
            assert "Zzsecret" not in browser.get(address).text
    assert len(ties_of(shown, admin)) == 6
    db.session.rollback()
    assert "Zzsecret plan" in browse(admin).get(f"/ideas/{shown.id}").text


def test_nothing_is_part_of_itself_however_long_the_way(browse):
    ideas_ = [make_idea(f"Part {number}") for number in range(4)]
    for part, whole in zip(ideas_, ideas_[1:], strict=False):
        tie(part, whole, Kind.PART_OF)

    answer = browse(make_user(Role.PM)).post(
        f"/triage/first-look/{ideas_[3].id}/links", data={"kind": "part_of", "other": str(ideas_[0].id)}
    )

    assert answer.status_code == 422 and "go round in a circle" in answer.text


@either_way
def test_the_team_ties_two_ideas_by_number_address_or_words_and_takes_it_back(browse, settle, headers):
    pm, idea = make_user(Role.PM), make_idea("Mark the wells", proposal="Blue dots.")
    other = make_idea("Know where to drink")
    browser, address = browse(pm), f"/triage/first-look/{idea.id}/links"
    settle()
    pm, idea, other = (db.session.merge(thing, load=True) for thing in (pm, idea, other))

    words = browser.post(address, data={"kind": "solves", "other": "where to drink"}, headers=headers)
    found = browser.get(words.headers.get("HX-Redirect") or words.location)
    data = {"kind": "solves", "other": f"http://localhost/ideas/{other.id}"}
    tied = browser.post(address, data=data, headers=headers, follow_redirects=True)
    db.session.rollback()
    made = ties_of(idea, pm)
    gone = browser.post(f"{address}/{made[0].id}/remove", headers=headers, follow_redirects=True)

    db.session.rollback()
    assert f'name="other" value="{other.id}"' in found.text
    assert "A solution for the need: “Know where to drink”." in tied.text
    assert [(tie.kind, tie.outward) for tie in made] == [(Kind.SOLVES, True)]
    assert "No longer tied to" in gone.text
    assert ties_of(idea, pm) == []


def test_a_need_alone_solves_nothing_and_a_solution_is_no_need(browse):
    need, both = make_idea("I get lost"), make_idea("I get wet", proposal="A roof.")
    solution = make_idea("Draw lines", proposal="Red ones.", nature=Nature.SOLUTION)

    for first, second in ((need, both), (both, solution)):
        with pytest.raises(service.CannotLink):
            tie(first, second, Kind.SOLVES)
    tie(solution, need, Kind.SOLVES)
    with pytest.raises(service.CannotLink), transaction(wake=False):
        service.say_nature(solution, Nature.NEED, make_user(Role.PM))


def test_people_with_a_need_count_once_whichever_solution_they_want():
    people = [make_user() for _number in range(5)]
    need = make_idea("I get lost", proposal="Something.", author=people[0])
    lines = make_idea("Draw lines", proposal="Red.", author=people[1])
    dots = make_idea("Draw dots", proposal="Blue.", author=people[2])
    hidden = make_idea("Secret", proposal="Ways.", board=make_board("Inside", Audience.PRIVATE), author=people[4])
    for solution in (lines, dots, hidden):
        tie(solution, need, Kind.SOLVES)
    vote(lines, people[0], people[2])
    with transaction(wake=False):
        service.back_need(need, people[3])

    line = lineage_of(need, make_user(), votes=False)

    assert [tie.other.title for tie in line.solutions] == ["Draw lines", "Draw dots"]
    assert (line.with_need, line.need_only) == (4, 1)


def test_backing_the_need_takes_the_vote_for_the_solution_back_and_voting_again_ends_it(browse):
    idea, person = make_idea("Mark wells", proposal="Blue dots."), make_user()
    vote(idea, person)
    browser = browse(person)

    shown = browser.get(f"/ideas/{idea.id}").text
    for _twice in range(2):
        browser.post(f"/ideas/{idea.id}/need-only")
    db.session.rollback()
    alone = (db.session.get_one(Idea, idea.id).votes, lineage_of(idea, person, votes=False).need_only)
    browser.post(f"/ideas/{idea.id}/vote")
    db.session.rollback()
    both = (db.session.get_one(Idea, idea.id).votes, lineage_of(idea, person, votes=True).need_only)
    browser.post(f"/ideas/{idea.id}/need-only/withdraw")

    db.session.rollback()
    assert "want another solution" in shown
    assert (alone, both) == ((1, 1), (2, 0))
    assert db.session.get(NeedBacker, (idea.id, person.id)) is None
    assert supporters.is_behind(db.session.get_one(Idea, idea.id), person)


def test_a_need_without_a_solution_has_votes_alone(browse):
    idea = make_idea("I get lost")

    page = browse(person := make_user()).get(f"/ideas/{idea.id}")
    refused = browse(person).post(f"/ideas/{idea.id}/need-only")

    assert "I have this need, but want another solution" not in page.text
    assert refused.status_code == 409


def test_a_member_posts_another_solution_under_a_need(browse):
    need, author = make_idea("I get lost in fog"), make_user()
    browser = browse(author)
    form = browser.get(f"/ideas/new?from=solves-{need.id}")
    words = {"title": "Ring a bell at each hut", "need": "In fog one hears more than one sees.", "checked": "1"}

    again = browser.post("/ideas", data={"springs": f"solves-{need.id}", "title": "x"})
    posted = browser.post("/ideas", data=words | {"springs": f"solves-{need.id}", "board": need.board.slug})

    db.session.rollback()
    line = lineage_of(need, author, votes=False)
    assert f'name="springs" type="hidden" value="solves-{need.id}"' in form.text and "I get lost in fog" in form.text
    assert again.status_code == 422 and f'value="solves-{need.id}"' in again.text
    assert posted.status_code == 303
    assert [(tie.other.title, tie.other.nature) for tie in line.solutions] == [
        ("Ring a bell at each hut", Nature.SOLUTION)
    ]


def test_what_is_taken_further_keeps_its_parents_and_their_authors(browse):
    anna, bert, cora = (make_user(name=name) for name in ("Anna Fell", "Bert Tarn", "Cora Beck"))
    root = make_idea("Mark the wells", author=anna, proposal="Dots.")
    child = make_idea("Mark the wells in blue", author=bert, proposal="Blue dots.")
    tie(child, root, Kind.BUILDS_ON)
    browser = browse(cora)
    form = browser.get(f"/ideas/new?from=builds_on-{child.id}").text
    words = {
        "title": "Mark the wells in blue, with depth",
        "need": child.need,
        "proposal": "Blue dots.",
        "checked": "1",
    }

    posted = browser.post("/ideas", data=words | {"springs": f"builds_on-{child.id}", "board": child.board.slug})

    db.session.rollback()
    fork = db.session.get_one(Idea, int(posted.location.split("/ideas/")[1].split("?")[0]))
    page = browser.get(f"/ideas/{fork.id}").text
    assert "Mark the wells in blue</textarea>" in form.replace("\r\n", "").replace("\n", "")
    assert [author.name for author in lineage_of(fork, cora, votes=True).authors] == ["Bert Tarn", "Anna Fell"]
    assert "Written on from ideas of" in page and "Anna Fell" in page


def test_nobody_builds_on_what_they_may_not_see(browse):
    secret = make_idea("Zzsecret", board=make_board("Inside", Audience.PRIVATE))
    board = make_board("Open")
    browser = browse(make_user())
    words = {"title": "Something of my own", "need": "Today this takes me an hour.", "checked": "1"}

    form = browser.get(f"/ideas/new?from=builds_on-{secret.id}")
    posted = browser.post("/ideas", data=words | {"springs": f"builds_on-{secret.id}", "board": board.slug})

    db.session.rollback()
    assert "Zzsecret" not in form.text and posted.status_code == 303
    assert ties_of(secret, make_user(Role.ADMIN)) == []
