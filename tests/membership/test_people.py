"""Looking after people: ranks, suspensions, letting in who waits."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts import service as accounts
from portal.accounts.models import AuthSession, User
from portal.accounts.roles import ADMINS, MODERATORS, Role
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.membership import invitations, people, queries
from portal.notifications.models import CaughtMail, Mail
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import make_idea, make_user
from tests.support import on_one_database

ROLES = list(Role)


def role_of(user):
    db.session.rollback()
    return db.session.get(User, user.id).role


def logged():
    db.session.rollback()
    return db.session.scalars(select(SecurityEntry.kind).order_by(SecurityEntry.id)).all()


@pytest.mark.parametrize("actor_role", ROLES)
@on_one_database
def test_s08_nobody_gives_roles_to_their_own_rank_or_a_higher_one(browse, actor_role):
    actor = make_user(actor_role)
    spare = [make_user(Role.OWNER), make_user(Role.OWNER)]  # so that it is not for want of an owner
    browser = browse(actor)
    for rank in (*ROLES, "self"):
        for given in ROLES:
            target = actor if rank == "self" else make_user(rank)
            before = target.role
            browser.post(f"/admin/people/{target.id}/role", data={"role": given.value})
            below = target.id != actor.id and before.rank < actor.role.rank
            may_give = actor.role is Role.OWNER or given.rank < actor.role.rank
            expected = given if actor.role in ADMINS and below and may_give else before
            assert role_of(target) is expected, (actor_role, rank, given)
    assert all(role_of(owner) is Role.OWNER for owner in spare)


@pytest.mark.parametrize("actor_role", ROLES)
@on_one_database
def test_s08_nobody_suspends_their_own_rank_or_a_higher_one(browse, actor_role):
    actor = make_user(actor_role)
    make_user(Role.OWNER)
    browser = browse(actor)
    for rank in (*ROLES, "self"):
        target = actor if rank == "self" else make_user(rank)
        browser.post(f"/admin/people/{target.id}/suspend", data={"reason": "Rule 3.", "days": "7"})
        db.session.rollback()
        may = actor_role in MODERATORS and target.id != actor.id and target.role.rank < actor.role.rank
        assert db.session.get(User, target.id).is_suspended is may, (actor_role, rank)


def test_s08_the_last_owner_cannot_be_lost_by_any_way(app):
    owner, other = make_user(Role.OWNER), make_user(Role.OWNER)
    with transaction():
        accounts.set_role(other, Role.ADMIN, owner)

    with pytest.raises(Refusal, match="last owner"), transaction():
        accounts.set_role(owner, Role.ADMIN, None)
    with pytest.raises(Refusal, match="last owner"), transaction():
        accounts.keep_an_owner(owner)


@pytest.mark.parametrize(
    "state",
    [
        {"suspended_at": utcnow()},
        {"leaves_at": utcnow() + timedelta(days=14)},
        {"erased_at": utcnow()},
    ],
)
def test_s08_an_owner_who_is_out_of_reach_does_not_count_as_the_other_one(app, state):
    owner = make_user(Role.OWNER)
    make_user(Role.OWNER, **state)

    with pytest.raises(Refusal, match="last owner"), transaction():
        accounts.set_role(owner, Role.MEMBER, None)


def test_s20_a_new_role_holds_with_the_next_request_of_every_session(browse):
    user, owner = make_user(Role.ADMIN), make_user(Role.OWNER)
    first, second = browse(user), browse(user)
    assert first.get("/admin/membership").status_code == second.get("/admin/membership").status_code == 200

    with transaction():
        people.set_role(user, Role.MEMBER, owner)

    assert first.get("/admin/membership").status_code == second.get("/admin/membership").status_code == 403
    assert "role.changed" in logged()


def test_s20_a_suspension_ends_every_session_at_once(browse):
    user, moderator, idea = make_user(), make_user(Role.MODERATOR), make_idea()
    first, second = browse(user), browse(user)

    browse(moderator).post(f"/admin/people/{user.id}/suspend", data={"reason": "Rule 3: insults.", "days": "3"})

    for browser in (first, second):
        assert browser.post(f"/ideas/{idea.id}/vote").location.startswith("/sign-in")
    assert db.session.scalars(select(AuthSession).where(AuthSession.user_id == user.id)).all() == []
    assert "suspended" in logged()


def test_the_suspended_read_why_and_until_when(app, browse, settle):
    user, moderator = make_user(), make_user(Role.MODERATOR)

    browse(moderator).post(f"/admin/people/{user.id}/suspend", data={"reason": "Rule 3: insults.", "days": "3"})
    settle()

    mail = db.session.scalars(select(CaughtMail).where(CaughtMail.recipient == user.email)).one()
    assert mail.subject == "Your account is suspended"
    assert "Rule 3: insults." in mail.raw and "sign in again on" in mail.raw.replace("=\n", "")
    assert "Rule 3: insults." in browse(moderator).get(f"/admin/people/{user.id}").text


@pytest.mark.parametrize(("days", "shut"), [("1", True), ("7", True), ("30", False), ("", False), ("8", False)])
@on_one_database
def test_moderators_suspend_for_a_week_at_most(browse, days, shut):
    user = make_user()

    browse(make_user(Role.MODERATOR)).post(f"/admin/people/{user.id}/suspend", data={"reason": "Rule 3.", "days": days})

    db.session.rollback()
    assert db.session.get(User, user.id).is_suspended is shut


def test_a_suspension_ends_by_itself_or_is_lifted(browse):
    moderator, admin = make_user(Role.MODERATOR), make_user(Role.ADMIN)
    over = make_user(suspended_at=utcnow() - timedelta(days=3), suspended_until=utcnow() - timedelta(seconds=1))
    for_good = make_user(suspended_at=utcnow())
    assert not over.is_suspended

    assert browse(moderator).post(f"/admin/people/{for_good.id}/lift").status_code == 409
    assert browse(admin).post(f"/admin/people/{for_good.id}/lift").status_code == 303

    db.session.rollback()
    assert not db.session.get(User, for_good.id).is_suspended


def test_a_suspension_takes_open_invitations_back(app):
    inviter, owner = make_user(Role.MODERATOR), make_user(Role.OWNER)
    with transaction():
        invitation = invitations.invite(inviter, ["noor@example.org"])[0]
    with transaction():
        people.suspend(inviter, owner, reason="Rule 5.", days=None)

    assert queries.state_of(invitation) is queries.State.WITHDRAWN


def test_who_waits_is_let_in_with_a_letter(browse, settle):
    user = make_user(approved_at=None)
    browser = browse(make_user(Role.MODERATOR))

    listed = browser.get("/admin/people?state=waiting").text
    browser.post(f"/admin/people/{user.id}/approve", data={"words": "Good to have you."})
    settle()

    assert user.name in listed and user.email not in listed
    db.session.rollback()
    assert db.session.get(User, user.id).is_approved
    mail = db.session.scalars(select(CaughtMail).where(CaughtMail.recipient == user.email)).one()
    assert mail.subject == "You are in" and "Good to have you." in mail.raw


def test_who_is_turned_away_is_told_and_forgotten(browse, settle):
    user = make_user(approved_at=None, email="noor@example.org")
    number = user.id

    browse(make_user(Role.MODERATOR)).post(f"/admin/people/{number}/decline", data={"words": "We are full."})
    settle()

    db.session.rollback()
    assert db.session.get(User, number) is None
    mail = db.session.scalars(select(CaughtMail).where(CaughtMail.recipient == "noor@example.org")).one()
    assert "We are full." in mail.raw


def test_who_was_let_in_cannot_be_turned_away(browse):
    user = make_user()

    assert browse(make_user(Role.ADMIN)).post(f"/admin/people/{user.id}/decline").status_code == 409
    assert db.session.get(User, user.id) is not None


def test_moderators_hear_of_who_waits_once_a_day(app, settle):
    moderator = make_user(Role.MODERATOR)
    make_user(Role.PM), make_user(Role.MODERATOR, suspended_at=utcnow())
    with transaction():
        for number in range(3):
            user = accounts.open_account(
                email=f"n{number}@example.org", name=f"N {number}", password_hash=None, approved=False, confirmed=True
            )
    settle()

    told = db.session.scalars(select(Mail.recipient).where(Mail.kind == "waiting")).all()
    assert told == [moderator.email]
    assert not user.is_approved


def test_people_are_found_by_name_role_and_state(browse):
    moderator, noor = make_user(Role.MODERATOR), make_user(name="Noor of the Fells")
    suspended = make_user(name="Shut Out", suspended_at=utcnow())
    browser = browse(moderator)

    assert noor.name in browser.get("/admin/people?q=noor").text
    assert noor.name not in browser.get("/admin/people?q=100%").text
    assert noor.name not in browser.get("/admin/people?role=pm").text
    shut = browser.get("/admin/people?state=suspended").text
    assert suspended.name in shut and noor.name not in shut


def test_the_list_of_people_goes_on(browse, monkeypatch):
    monkeypatch.setattr(queries.people, "__kwdefaults__", {"page": 2})
    browser = browse(make_user(Role.ADMIN, name="Zed"))
    names = [make_user(name=f"Person number {number}").name for number in range(4)]

    page, seen = browser.get("/admin/people").text, []
    for _page in range(3):
        seen += [name for name in [*names, "Zed"] if f">{name}</a>" in page]
        if "before=" in page:
            page = browser.get("/admin/people?before=" + page.split("before=")[1].split('"')[0]).text

    assert sorted(seen) == sorted([*names, "Zed"])


def test_s06_addresses_are_for_admins_and_each_look_is_written_down(browse):
    user, moderator, admin = make_user(email="noor@example.org"), make_user(Role.MODERATOR), make_user(Role.ADMIN)

    for path in (f"/admin/people/{user.id}", "/admin/people"):
        assert "noor@example.org" not in browse(moderator).get(path).text
    assert browse(moderator).post(f"/admin/people/{user.id}/address").status_code == 403
    assert user.name not in browse(moderator).get("/admin/people?q=noor@example.org").text
    assert "noor@example.org" not in browse(admin).get(f"/admin/people/{user.id}").text
    assert "address.revealed" not in logged()

    assert "noor@example.org" in browse(admin).post(f"/admin/people/{user.id}/address").text
    assert "address.revealed" in logged()
    assert user.name in browse(admin).get("/admin/people?q=noor@example.org").text


@pytest.mark.parametrize("path", ["role", "second-factors"])
def test_s22_roles_and_factors_of_others_ask_for_proof_again(browse, path):
    user, admin = make_user(), make_user(Role.ADMIN)
    browser = browse(admin)
    with transaction():
        row = db.session.scalars(select(AuthSession).where(AuthSession.user_id == admin.id)).one()
        row.proved_at = utcnow() - timedelta(minutes=16)

    for answer in (browser.get(f"/admin/people/{user.id}/{path}"), browser.post(f"/admin/people/{user.id}/{path}")):
        assert answer.status_code == 303 and answer.location.startswith("/account/prove")


def test_admins_sign_people_out_everywhere(browse):
    user, admin = make_user(), make_user(Role.ADMIN)
    theirs = browse(user)

    browse(admin).post(f"/admin/people/{user.id}/sign-out")

    assert theirs.get("/account").location.startswith("/sign-in")
    assert "sessions.ended" in logged()


@pytest.mark.parametrize("days", [None, 365])
@pytest.mark.parametrize("act", ["lift", "suspend"])
def test_s08_moderators_neither_lift_nor_shorten_what_only_admins_may_give(browse, days, act):
    moderator, user = make_user(Role.MODERATOR), make_user()
    with transaction():
        people.suspend(user, make_user(Role.ADMIN), reason="Rule 5.", days=days)
    until = user.suspended_until

    browse(moderator).post(f"/admin/people/{user.id}/{act}", data={"reason": "Enough.", "days": "1"})

    db.session.rollback()
    now = db.session.get(User, user.id)
    assert now.is_suspended and now.suspended_until == until


@pytest.mark.parametrize("days", [1, 7])
def test_moderators_lift_what_a_moderator_could_have_given(browse, days):
    moderator, user = make_user(Role.MODERATOR), make_user()
    with transaction():
        people.suspend(user, make_user(Role.ADMIN), reason="Rule 5.", days=days)

    browse(moderator).post(f"/admin/people/{user.id}/lift")

    db.session.rollback()
    assert not db.session.get(User, user.id).is_suspended


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_s08_moderators_turn_nobody_away_who_was_given_their_rank_or_a_higher_one(browse, role):
    user = make_user(role, approved_at=None)

    answer = browse(make_user(Role.MODERATOR)).post(f"/admin/people/{user.id}/decline")

    db.session.rollback()
    assert answer.status_code == 409 and db.session.scalar(select(User.id).where(User.id == user.id)) == user.id
