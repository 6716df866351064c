"""Inviting people, and accepting."""

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts import queries as accounts
from portal.accounts.roles import Role
from portal.boards.models import Audience, BoardMember
from portal.db import db, utcnow
from portal.ideas.models import Idea
from portal.membership import invitations, people, queries
from portal.membership.models import Invitation
from portal.notifications.models import CaughtMail
from portal.options import decide
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import PASSWORD, make_board, make_idea, make_rules, make_user
from tests.support import on_one_database

SEND = {"role": "member", "board": "", "note": "", "do": "send"}


def sent():
    db.session.rollback()
    return db.session.scalars(select(Invitation).order_by(Invitation.id)).all()


def account(address):
    db.session.rollback()
    return accounts.find_by_email(address)


def mails(address):
    db.session.rollback()
    return db.session.scalars(select(CaughtMail).where(CaughtMail.recipient == address).order_by(CaughtMail.id)).all()


def link_in(mail):
    return re.search(r"/invitation/\S+", mail.raw.replace("=\r\n", "").replace("=\n", ""))[0].split('"')[0]


def alike(page, address):
    """A page without what differs from person to person: who looks, tokens, pictures, times."""
    page = re.sub(r'value="[^"]{60,}"|X-CSRFToken[^}]*|av-\d|data-n="[^"]*"', "", page.replace(address, "…"))
    return re.sub(r"\s+", " ", re.sub(r"\d+", "9", page))


def invite(browser, addresses="noor@example.org", **more):
    return browser.post("/invitations", data={**SEND, "addresses": addresses, **more})


@pytest.fixture
def owner():
    return make_user(Role.OWNER, name="Olive Owner")


def test_an_invited_person_reads_who_and_why_joins_and_takes_part(browse, settle, owner):
    make_rules()
    idea = make_idea()
    invite(browse(owner), note="We spoke on Kirk Fell.")
    settle()
    mail = mails("noor@example.org")[0]
    assert mail.subject == "Olive Owner invites you to Ideas" and "We spoke on Kirk Fell." in mail.raw

    guest, link = browse(), link_in(mail)
    page = guest.get(link).text
    assert "Olive Owner" in page and "We spoke on Kirk Fell." in page and "noor@example.org" in page
    answer = guest.post(link, data={"name": "Noor", "password": PASSWORD, "agreed": "y", "version": "1"})

    assert answer.status_code == 303
    noor = account("noor@example.org")
    assert noor.confirmed_at and noor.is_approved and accounts.has_accepted_rules(noor)
    assert guest.post(f"/ideas/{idea.id}/vote").location == f"/ideas/{idea.id}"
    db.session.rollback()
    assert db.session.scalar(select(Idea.votes)) == 2
    assert queries.state_of(sent()[0]) is queries.State.ACCEPTED
    assert guest.get(link).status_code == 410


@pytest.mark.parametrize("mode", ["invitation", "domains", "approval"])
def test_the_link_works_in_each_mode_and_in_a_closed_portal(browse, settle, owner, mode):
    make_rules()
    invite(browse(owner))
    settle()
    with transaction():
        decide("membership", mode)
        decide("domains", ["elsewhere.example"])
        decide("reading", "members")

    guest, link = browse(), link_in(mails("noor@example.org")[0])
    assert guest.get(link).status_code == 200
    guest.post(link, data={"name": "Noor", "password": PASSWORD, "agreed": "y", "version": "1"})

    assert account("noor@example.org").is_approved
    assert guest.get("/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "a@b"), ("password", "short"), ("agreed", ""), ("version", "0")]
)
@on_one_database
def test_what_is_filled_in_wrongly_is_said_and_nothing_lost(browse, settle, owner, field, value):
    make_rules()
    invite(browse(owner))
    settle()
    form = {"name": "Noor", "password": PASSWORD, "agreed": "y", "version": "1", field: value}

    answer = browse().post(link_in(mails("noor@example.org")[0]), data=form)

    assert answer.status_code == 422 and sent()[0].accepted_at is None
    assert account("noor@example.org") is None


def test_s16_an_invitation_answers_the_same_whether_or_not_there_is_an_account(browse, settle):
    with transaction():
        decide("members_invite", True)
    make_user(email="known@example.org")
    answers = []
    for address in ("known@example.org", "unknown@example.org"):
        browser = browse(make_user(created_at=utcnow() - timedelta(days=9)))
        shown = browser.post("/invitations", data={**SEND, "addresses": address, "do": "preview"}).text
        done = invite(browser, address)
        settle()
        page = browser.get("/invitations").text
        pages = [alike(part, address) for part in (shown, page)]
        answers.append((pages, done.status_code, done.location, len(mails(address))))

    known, unknown = answers
    assert known[1:] == unknown[1:] == (303, "/invitations", 1)
    assert known[0] == unknown[0]
    assert "You have an account here already" in mails("known@example.org")[0].raw
    assert "You have an account here already" not in mails("unknown@example.org")[0].raw


def test_many_are_pasted_and_the_lines_that_cannot_be_used_stay(browse, owner):
    browser = browse(owner)
    lines = "ann@example.org", "Ben <ben@example.org>", "nobody at home", "ann@example.org", ",cat@example.org, Cat"
    pasted = "\n".join([*lines, "a@b.org c@d.org"])

    preview = browser.post("/invitations", data={**SEND, "addresses": pasted, "do": "preview"}).text
    assert "3 people will be invited" in preview and "2 lines cannot be used" in preview
    assert "Line 3, “nobody at home”" in preview and "Line 6" in preview and "Two addresses in one line" in preview
    assert "One address stood" in preview or "1 address stood there twice" in preview
    answer = invite(browser, pasted)

    assert [invitation.email for invitation in sent()] == ["ann@example.org", "ben@example.org", "cat@example.org"]
    assert answer.status_code == 422 and "nobody at home\na@b.org c@d.org</textarea>" in answer.text
    assert "3 invitations are on their way" in answer.text


def test_a_preview_and_a_sample_invite_nobody(browse, settle, owner):
    browser = browse(owner)
    browser.post("/invitations", data={**SEND, "addresses": "ann@example.org", "do": "preview"})
    answer = browser.post(
        "/invitations", data={**SEND, "addresses": "ann@example.org", "note": "Hello", "do": "sample"}
    )
    settle()

    assert sent() == [] and mails("ann@example.org") == []
    assert mails(owner.email)[0].subject.startswith("Sample: ") and "Hello" in mails(owner.email)[0].raw
    assert "/invitation/" not in mails(owner.email)[0].raw
    assert "ann@example.org" in answer.text and "A sample is on its way" in answer.text


CSVS = {
    "a heading": b"name,email\nAnn,ann@example.org\nBen,ben@example.org\n",
    "a heading, semicolons and a mark": "\ufeffE-Mail;Ort\nann@example.org;Bad Tölz\nben@example.org;Kühn\n".encode(),
    "no heading": b"Ann\tann@example.org\nBen\tben@example.org\n",
    "another encoding": "Jörg,ann@example.org\nBén,ben@example.org\n".encode("latin-1"),
    "quotes and blank rows": b'"Ann, of the fells","ann@example.org"\n\n,,\n"Ben","ben@example.org"\n',
}


@pytest.mark.parametrize("kind", CSVS)
@on_one_database
def test_a_csv_of_addresses_is_read(browse, owner, kind):
    data = {**SEND, "file": (io.BytesIO(CSVS[kind]), "people.csv")}

    browse(owner).post("/invitations", data=data, content_type="multipart/form-data")

    assert [invitation.email for invitation in sent()] == ["ann@example.org", "ben@example.org"]


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\x00\x00", b"a@example.org\n" * 72_000], ids=["a picture", "too large"]
)
def test_what_is_no_small_table_is_refused(browse, owner, data):
    form = {**SEND, "file": (io.BytesIO(data), "people.csv")}

    answer = browse(owner).post("/invitations", data=form, content_type="multipart/form-data")

    assert answer.status_code == 422 and sent() == []


def test_more_than_five_hundred_wait_for_the_next_go(browse, owner):
    answer = invite(browse(owner), "\n".join(f"p{number}@example.org" for number in range(503)))

    assert len(sent()) == 500 and "p502@example.org" in answer.text


def test_an_address_invited_already_is_not_invited_again(browse, owner):
    browser = browse(owner)
    invite(browser)
    answer = invite(browser)

    assert len(sent()) == 1 and answer.status_code == 422 and "invited this address already" in answer.text


def test_withdrawn_and_sent_again(browse, settle, owner):
    browser = browse(owner)
    invite(browser)
    settle()
    first = link_in(mails("noor@example.org")[0])

    browser.post(f"/invitations/{sent()[0].id}/resend")
    settle()
    second = link_in(mails("noor@example.org")[1])
    assert browse().get(first).status_code == 410 and browse().get(second).status_code == 200

    browser.post(f"/invitations/{sent()[0].id}/withdraw")
    assert browse().get(second).status_code == 410
    assert browser.post(f"/invitations/{sent()[0].id}/resend").status_code == 409
    kinds = db.session.scalars(select(SecurityEntry.kind)).all()
    assert {"invitation.sent", "invitation.withdrawn"} <= set(kinds)


@pytest.mark.parametrize(
    ("days", "on", "role", "may"),
    [
        (9, True, Role.MEMBER, True),
        (2, True, Role.MEMBER, False),
        (9, False, Role.MEMBER, False),
        (9, True, Role.OBSERVER, False),
        (0, False, Role.MODERATOR, True),
    ],
)
def test_members_invite_from_their_fourth_day_where_they_may(browse, days, on, role, may):
    with transaction():
        decide("members_invite", on)
    browser = browse(make_user(role, created_at=utcnow() - timedelta(days=days)))

    assert (browser.get("/invitations").status_code == 200) is may
    invite(browser)
    assert (len(sent()) == 1) is may


def test_members_invite_twenty_a_day_and_only_members(browse):
    with transaction():
        decide("members_invite", True)
    member = make_user(created_at=utcnow() - timedelta(days=9))
    board, browser = make_board("Inside"), browse(member)

    assert invite(browser, "x@example.org", role="moderator").status_code == 422
    assert invite(browser, "x@example.org", board=str(board.id)).status_code == 422
    invite(browser, "\n".join(f"p{number}@example.org" for number in range(19)))
    answer = invite(browser, "a@example.org\nb@example.org")
    assert answer.status_code == 422 and "1 more today" in answer.text and "b@example.org" in answer.text
    invite(browser, "a@example.org")

    assert len(sent()) == 20 and {invitation.role for invitation in sent()} == {Role.MEMBER}


def test_s08_nobody_invites_to_their_own_rank_or_a_higher_one_but_owners(browse):
    for inviter in (Role.MODERATOR, Role.ADMIN, Role.OWNER):
        browser = browse(make_user(inviter))
        for number, role in enumerate(Role):
            before = len(sent())
            invite(browser, f"{inviter.value}{number}@example.org", role=role.value)
            may = role is Role.MEMBER or inviter is Role.OWNER or (inviter is Role.ADMIN and role.rank < inviter.rank)
            assert (len(sent()) > before) is may, (inviter, role)


def test_members_see_only_the_invitations_they_sent(browse, owner):
    invite(browse(owner), "secret@example.org")
    moderator = browse(make_user(Role.MODERATOR))

    assert "secret@example.org" not in moderator.get("/invitations").text
    assert moderator.post(f"/invitations/{sent()[0].id}/withdraw").status_code == 404


@pytest.mark.settings(MAIL_URL="")
def test_without_a_mail_server_admins_hand_the_link_over_and_the_address_stays_unproven(browse, owner):
    make_rules()
    browser = browse(owner)
    invite(browser)

    link = re.search(r"/invitation/[\w-]+", browser.get("/invitations").text)[0]
    guest = browse()
    guest.post(link, data={"name": "Noor", "password": PASSWORD, "agreed": "y", "version": "1"})

    noor = account("noor@example.org")
    assert noor is not None and noor.confirmed_at is None
    assert "/invitation/" not in browse(make_user(Role.MODERATOR)).get("/invitations").text


def test_links_are_not_shown_where_mail_leaves_the_portal(browse, owner):
    browser = browse(owner)
    invite(browser)

    assert "/invitation/" not in browser.get("/invitations").text


def test_somebody_with_an_account_takes_the_board_by_one_press(browse, settle, owner):
    board, noor = make_board("Secret circle", Audience.PRIVATE), make_user(email="noor@example.org")
    invite(browse(owner), board=str(board.id))
    settle()
    link, browser = link_in(mails("noor@example.org")[0]), browse(noor)

    assert "Sign in" in browse().get(link).text
    assert "Secret circle" in browser.get(link).text
    browser.post(f"{link}/use")

    db.session.rollback()
    assert db.session.get(BoardMember, (board.id, noor.id)) is not None
    assert browser.get(f"/boards/{board.slug}").status_code == 200


def test_an_invitation_falls_with_whoever_sent_it(browse, settle, owner):
    admin = make_user(Role.ADMIN)
    with transaction():
        invitations.invite(admin, ["noor@example.org"], role=Role.PM)
    settle()
    link = link_in(mails("noor@example.org")[0])
    with transaction():
        people.suspend(admin, owner, reason="Rule 5.", days=None)

    assert browse().get(link).status_code == 410


def test_a_strangers_mailbox_is_not_filled(browse, settle):
    for _number in range(6):
        invite(browse(make_user(Role.MODERATOR)))
    settle()

    assert len(mails("noor@example.org")) == 2


def test_s08_a_place_on_a_board_falls_with_the_admin_who_offered_it(browse, settle, owner):
    admin, friend = make_user(Role.ADMIN), make_user(email="noor@example.org")
    board = make_board("Secret circle", Audience.PRIVATE)
    with transaction():
        made = invitations.invite(admin, ["noor@example.org"], board=board)
    settle()
    link = link_in(mails("noor@example.org")[0])
    with transaction():
        people.set_role(admin, Role.MEMBER, owner)

    browse(friend).post(f"{link}/use")

    db.session.rollback()
    assert db.session.get(BoardMember, (board.id, friend.id)) is None
    assert db.session.get(Invitation, made[0].id).accepted_at is None


@pytest.mark.settings(MAIL_URL="")
def test_s08_no_admin_is_handed_the_link_to_a_role_they_could_not_give(browse, owner):
    with transaction():
        for number, role in enumerate((Role.OWNER, Role.ADMIN, Role.PM)):
            invitations.invite(owner, [f"noor{number}@example.org"], role=role)

    pages = {viewer.role: browse(viewer).get("/invitations").text for viewer in (owner, make_user(Role.ADMIN))}

    links = {role: set(re.findall(r"/invitation/[\w-]+", page)) for role, page in pages.items()}
    assert len(links[Role.OWNER]) == 3 and len(links[Role.ADMIN]) == 1
