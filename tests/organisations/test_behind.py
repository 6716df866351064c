"""Organisations and segments: who belongs where, and how many are behind an idea."""

from datetime import date, timedelta

import pytest

from portal.accounts.roles import Role
from portal.db import db, utcnow
from portal.ideas import objections, service
from portal.organisations import domains, honesty, queries, segments
from portal.organisations import service as organisations
from portal.organisations.models import Organisation, OrganisationMember, Way
from portal.organisations.segments import Rule
from portal.transactions import transaction
from tests.factories import make_idea, make_user, make_votes
from tests.organisations.steps import join, make_organisation
from tests.support import on_one_database

pytestmark = pytest.mark.usefixtures("app")


def test_an_organisation_counts_once_however_many_of_its_people_vote_also_through_merges():
    main, other = make_idea(), make_idea()
    a, b, c = make_votes(main, 3)
    d, e = make_votes(other, 2)
    make_organisation("Tarn", a, b)
    make_organisation("Beck", c, d)
    make_organisation("Fell", e)
    make_organisation("Nobody there")
    assert queries.count_behind(main.id) == 2
    assert queries.count_behind(other.id) == 2

    join(other, main)

    assert queries.count_behind(main.id) == 3
    assert [(row.organisation.name, row.people) for row in queries.who_is_behind(main)] == [
        ("Beck", 2),
        ("Tarn", 2),
        ("Fell", 1),
    ]
    assert queries.counts_by_idea([main.id, other.id]) == {main.id: 3}


def test_votes_set_aside_and_people_who_object_to_a_merge_count_for_no_organisation():
    main, other = make_idea(), make_idea()
    (a,), (b, c) = make_votes(main, 1), make_votes(other, 2)
    for name, user in (("Tarn", a), ("Beck", b), ("Fell", c)):
        make_organisation(name, user)
    join(other, main)

    with transaction(wake=False):
        objections.object_to_merge(other, b)
        honesty.set_aside(main, [c.id], make_user(Role.MODERATOR), "Made up accounts")

    assert queries.count_behind(main.id) == 1
    assert queries.counts_by_idea([main.id]) == {main.id: 1}
    with transaction(wake=False):
        honesty.give_back(main, [c.id], make_user(Role.MODERATOR))
        service.withdraw_vote(main, a)
    assert [row.organisation.name for row in queries.who_is_behind(main)] == ["Fell"]


def test_a_proven_address_brings_people_in_and_nothing_else_does():
    known = make_user(email="ann@tarn.example")
    make_user(email="bob@tarn.example", confirmed_at=None)
    make_user(email="eve@nottarn.example")
    make_user(email="tim@tarn.example.org")
    make_user(email="sub@mail.tarn.example")

    tarn = make_organisation("Tarn", domains="Tarn.example, @beck.example")

    assert [place.user_id for place in queries.people_of(tarn)] == [known.id]
    late = make_user(email="late@beck.example")
    assert domains.sort_by_domain() == 1
    assert db.session.get(OrganisationMember, late.id).way is Way.DOMAIN
    with transaction(wake=False):
        organisations.change_organisation(
            tarn, make_user(Role.ADMIN), name="Tarn", domains_typed="beck.example", about=""
        )
    assert [place.user_id for place in queries.people_of(tarn)] == [late.id]


@pytest.mark.parametrize("typed", ["gmail.com", "tarn", "tarn..example", "-tarn.example", "spoken-for.invalid", "a b"])
@on_one_database
def test_domains_that_belong_to_everybody_or_nobody_are_refused(typed):
    with pytest.raises(domains.NotADomain), transaction():
        organisations.make_organisation(make_user(Role.ADMIN), name="Tarn", domains_typed=typed)

    db.session.rollback()
    assert db.session.query(Organisation).count() == 0


def test_whoever_speaks_for_themselves_is_never_counted_for_an_organisation_again(browse):
    ann = make_user(email="ann@tarn.example")
    tarn, admin = make_organisation("Tarn", domains="tarn.example"), make_user(Role.ADMIN)
    page = browse(ann)

    assert "tarn.example" in page.get("/account/belonging").text
    page.post("/account/belonging", data={"alone": "1"})

    db.session.rollback()
    assert queries.belonging_of(ann).organisation_id is None
    with transaction(wake=False):
        domains.sort_now()
    with pytest.raises(organisations.NobodyToAdd), transaction():
        organisations.add_person(tarn, ann, admin)
    assert list(queries.people_of(tarn)) == []
    page.post("/account/belonging", data={"alone": "0"})
    db.session.rollback()
    assert [place.user_id for place in queries.people_of(tarn)] == [ann.id]


def test_who_is_taken_out_by_hand_is_not_brought_back_by_their_address():
    ann, admin = make_user(email="ann@tarn.example"), make_user(Role.ADMIN)
    tarn = make_organisation("Tarn", domains="tarn.example")

    with transaction(wake=False):
        organisations.remove_person(ann, admin)
        domains.sort_now()

    assert list(queries.people_of(tarn)) == []


def test_a_segment_holds_whom_its_rule_finds_and_whom_an_admin_put_there():
    old, young, ann = make_user(created_at=utcnow() - timedelta(days=400)), make_user(), make_user(locale="de")
    tarn, admin = make_organisation("Tarn", ann), make_user(Role.ADMIN)
    idea = make_idea(author=old)
    with transaction(wake=False):
        service.cast_vote(idea, ann)
        elders = segments.make_segment(
            admin, "Elders", Rule(joined_until=date.today() - timedelta(days=365), role="member")
        )
        germans = segments.make_segment(admin, "Tarn in German", Rule(organisations=(tarn.id,), language="de"))
        alone = segments.make_segment(admin, "Alone", Rule(belongs="no", role="member"))
        empty = segments.make_segment(admin, "By hand", Rule())
        segments.put_in(empty, young, admin)

    def people(segment):
        return set(db.session.scalars(segments.members_of(segment)))

    assert people(elders) == {old.id}
    assert people(germans) == {ann.id}
    assert people(empty) == {young.id}
    assert ann.id not in people(alone)
    assert {old.id, young.id} <= people(alone)
    assert segments.sizes([elders, germans, empty]) == {elders.id: 1, germans.id: 1, empty.id: 1}
    assert [(share.segment.name, share.people) for share in segments.shares_of(idea)] == [
        ("Alone", 1),
        ("Elders", 1),
        ("Tarn in German", 1),
    ]


def test_admins_keep_organisations_and_segments_and_nobody_else_reads_their_names(browse):
    ann = make_user(email="ann@tarn.example")
    admin = browse(make_user(Role.ADMIN))

    said = {"name": "Tarn Ltd", "domains": "tarn.example", "note": ""}
    made = admin.post("/admin/organisations", data=said, follow_redirects=True)
    twice = admin.post("/admin/organisations", data={**said, "domains": "beck.example"})
    taken = admin.post("/admin/organisations", data={**said, "name": "Beck"})
    segment = admin.post("/admin/segments", data={"name": "Testers"}, follow_redirects=True)
    put = admin.post("/admin/segments/1/people", data={"who": ann.email}, follow_redirects=True)

    assert ann.name in made.text
    assert (twice.status_code, taken.status_code) == (422, 422)
    assert "Tarn Ltd already" in taken.text
    assert "tarn.example" in taken.text
    assert "Testers" in segment.text
    assert ann.name in put.text
    idea = make_idea(author=ann)
    for reader in (browse(ann), browse()):
        for address in (f"/ideas/{idea.id}", f"/ideas/{idea.id}/count", "/account/belonging"):
            assert "Tarn Ltd" not in reader.get(address, follow_redirects=True).text
    assert browse(ann).get(f"/ideas/{idea.id}/behind").status_code == 403
    assert "Tarn Ltd" in browse(make_user(Role.OBSERVER)).get(f"/ideas/{idea.id}/behind").text
    assert browse(make_user(Role.PM)).get("/admin/organisations").status_code == 403
