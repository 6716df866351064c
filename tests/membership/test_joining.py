"""Who may join, by which mode and which way."""

from datetime import timedelta

import pytest

from portal.accounts import queries as accounts
from portal.accounts.models import RulesAcceptance
from portal.accounts.roles import Role
from portal.accounts.service import FieldRefused
from portal.boards.models import Audience, BoardMember
from portal.db import db, utcnow
from portal.membership import invitations, people, service
from portal.membership.service import MembershipRefused, check_may_join, join
from portal.options import decide
from portal.transactions import transaction
from tests.factories import PASSWORD, make_board, make_rules, make_user
from tests.support import on_one_database


@pytest.fixture
def mode(app):
    """Decide how the portal takes members: ``mode("domains", domains=["example.org"])``."""

    def choose(membership, **more):
        with transaction():
            for name, value in {"membership": membership, **more}.items():
                decide(name, value)

    return choose


def invited(email="noor@example.org", by=None, **what):
    by = by or make_user(Role.OWNER)
    with transaction():
        return invitations.invite(by, [email], **what)[0]


def joined(email="noor@example.org", name="Noor", **more):
    with transaction():
        return join(email=email, name=name, password_hash=None, **more)


WAYS = {
    "alone": {},
    "vouched for": {"vouched": True},
    "invited": {"invitation": True},
}
ENDS = {
    ("open", "alone"): "in",
    ("open", "vouched for"): "in",
    ("open", "invited"): "in",
    ("domains", "alone"): "refused",
    ("domains", "vouched for"): "in",
    ("domains", "invited"): "in",
    ("approval", "alone"): "waits",
    ("approval", "vouched for"): "in",
    ("approval", "invited"): "in",
    ("invitation", "alone"): "refused",
    ("invitation", "vouched for"): "in",
    ("invitation", "invited"): "in",
}


@pytest.mark.parametrize(("membership", "way"), ENDS)
def test_each_mode_takes_people_by_each_way_as_the_table_says(mode, membership, way):
    mode(membership, domains=["fellside.example"])
    more = dict(WAYS[way])
    if more.get("invitation"):
        more["invitation"] = invited()

    try:
        end = "in" if joined(**more).is_approved else "waits"
    except MembershipRefused:
        end = "refused"

    assert end == ENDS[membership, way]
    assert (accounts.find_by_email("noor@example.org") is None) == (end == "refused")


@pytest.mark.parametrize("email", ["ann@fellside.example", "ann@FELLSIDE.example", "ann@pikes.example"])
def test_domains_let_in_exactly_their_people(mode, email):
    mode("domains", domains=["fellside.example", "pikes.example"])

    check_may_join(email)


@pytest.mark.parametrize(
    "email",
    ["ann@fellside.example.org", "ann@notfellside.example", "ann@sub.fellside.example", "fellside.example@x.org"],
)
def test_domains_that_only_look_alike_are_others(mode, email):
    mode("domains", domains=["fellside.example"])

    with pytest.raises(MembershipRefused, match="@fellside.example"):
        check_may_join(email)


def test_whoever_joins_has_agreed_to_rules_and_notice_of_the_day(app):
    make_rules()
    make_rules("Second.")

    user = joined()

    db.session.rollback()
    row = db.session.query(RulesAcceptance).filter_by(user_id=user.id).one()
    assert row.version == 2 and row.accepted_at is not None
    assert user.confirmed_at is not None


def test_s17_an_invitation_is_good_once(app):
    invitation = invited()
    joined(invitation=invitation)

    with pytest.raises(MembershipRefused, match="used already"):
        check_may_join("noor@example.org", invitation)


def test_s17_an_invitation_is_good_for_its_address_only(app):
    with pytest.raises(MembershipRefused, match="another address"):
        joined("eve@example.org", "Eve", invitation=invited())


def test_s17_an_invitation_ends_after_seven_days_and_when_withdrawn(app):
    owner = make_user(Role.OWNER)
    late, withdrawn = invited("late@example.org", owner), invited("back@example.org", owner)
    with transaction():
        late.expires_at = utcnow() - timedelta(seconds=1)
        invitations.withdraw(withdrawn, owner)

    for invitation in (late, withdrawn):
        with pytest.raises(MembershipRefused, match="no longer good"):
            check_may_join(invitation.email, invitation)


def test_s17_tokens_hang_on_address_role_board_and_way(app):
    board = make_board("Secret", Audience.PRIVATE)
    invitation = invited(role=Role.MODERATOR, board=board)
    token, handed = invitations.token_of(invitation), invitations.token_of(invitation, invitations.HANDED)

    assert invitations.find(token) == (invitation, True)
    assert invitations.find(handed) == (invitation, False)
    for field, value in (("email", "eve@example.org"), ("role", Role.PM), ("board_id", None), ("nonce", "0" * 64)):
        kept = getattr(invitation, field)
        setattr(invitation, field, value)
        assert invitations.token_of(invitation) != token
        setattr(invitation, field, kept)
    for wrong in ("", "1", f"{invitation.id}-", token[:-1], token + "A", "x" * 200, f"99999999999999-{token}", "٣-x"):
        assert invitations.find(wrong) is None


def test_sending_again_makes_the_link_of_before_void(app):
    owner = make_user(Role.OWNER)
    invitation = invited(by=owner)
    before = invitations.token_of(invitation)

    with transaction():
        invitations.resend(invitation, owner)

    assert invitations.find(before) is None
    assert invitations.find(invitations.token_of(invitation)) is not None


def test_an_invitation_to_a_board_gives_the_rank_there_and_none_in_the_portal(app):
    board = make_board("Secret", Audience.PRIVATE)
    invitation = invited(role=Role.MODERATOR, board=board)

    user = joined(invitation=invitation)

    place = db.session.get(BoardMember, (board.id, user.id))
    assert user.role is Role.MEMBER and place.role is Role.MODERATOR
    assert user.rank_on(board.id) is Role.MODERATOR


def test_a_role_is_given_only_while_whoever_invited_may_give_it(app):
    owner, admin = make_user(Role.OWNER), make_user(Role.ADMIN)
    invitation = invited(by=admin, role=Role.PM)
    with transaction():
        people.set_role(admin, Role.MEMBER, owner)

    db.session.refresh(invitation)
    with pytest.raises(MembershipRefused):
        joined(invitation=invitation)


def test_an_address_with_an_account_cannot_join_again(app):
    make_user(email="noor@example.org")

    with pytest.raises(FieldRefused):
        joined()


def test_an_account_takes_a_place_on_a_board_but_no_role_from_an_invitation(app):
    board, user = make_board("Secret", Audience.PRIVATE), make_user(email="noor@example.org")
    owner = make_user(Role.OWNER)
    to_board, to_role = invited(by=owner, board=board), invited(by=owner, role=Role.ADMIN)

    with transaction():
        service.accept(to_board, user)
        service.accept(to_role, user)

    assert db.session.get(BoardMember, (board.id, user.id)) is not None
    assert user.role is Role.MEMBER


def test_s17_somebody_elses_account_cannot_use_an_invitation(app):
    board, eve = make_board("Secret", Audience.PRIVATE), make_user(email="eve@example.org")

    with pytest.raises(MembershipRefused, match="another address"):
        service.accept(invited(board=board), eve)


FORM = {"name": "Noor", "password": PASSWORD, "agreed": "y", "version": "1"}


@pytest.mark.parametrize(
    ("membership", "email", "words"),
    [
        ("open", "noor@example.org", ""),
        ("approval", "noor@example.org", ""),
        ("domains", "noor@fellside.example", ""),
        ("domains", "noor@example.org", "@fellside.example"),
        ("invitation", "noor@example.org", "by invitation only"),
    ],
)
@on_one_database
def test_s16_the_form_says_what_the_mode_says_and_nothing_of_accounts(browse, mode, membership, email, words):
    make_rules()
    mode(membership, domains=["fellside.example"])
    unknown = browse().post("/sign-up", data=FORM | {"email": email})
    make_user(email=email)
    known = browse().post("/sign-up", data=FORM | {"email": email, "name": "Noor too"})

    assert (unknown.status_code, unknown.location) == (known.status_code, known.location)
    assert unknown.status_code == (422 if words else 303)
    assert words in unknown.text and words in known.text
