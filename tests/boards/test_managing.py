"""Admins make boards, say who belongs to them, and take people off again."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Audience, Board, BoardMember
from portal.boards.service import address_of, narrows
from portal.comments import service as comments
from portal.db import db
from portal.events import EventRecord
from portal.ideas import moves, service
from portal.ideas.models import Follow, Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Status
from portal.notifications import leaving
from portal.notifications.models import CaughtMail, Mail, Notification
from portal.security.models import SecurityEntry
from portal.transactions import transaction
from tests.factories import make_board, make_idea, make_place, make_user
from tests.support import on_one_database

pytestmark = [pytest.mark.usefixtures("app")]


@pytest.fixture
def admin():
    return make_user(Role.ADMIN, name="The Admin")


@pytest.fixture
def office(browse, admin):
    """The admin's browser; no second factor is demanded here."""
    from portal.options import decide

    with transaction():
        decide("second_factor", [])
    return browse(admin)


def test_a_board_is_made_and_found_under_its_name(office):
    form = {"name": "Café & Küche", "audience": "members", "question": "What is missing?", "position": "3"}

    answer = office.post("/admin/boards", data=form, follow_redirects=True)

    db.session.rollback()
    board = db.session.scalars(select(Board).where(Board.slug == "cafe-kuche")).one()
    assert "The board Café &amp; Küche is open." in answer.text
    assert (board.audience, board.question, board.position) == (Audience.MEMBERS, "What is missing?", 3)
    assert "What is missing?" in office.get("/boards/cafe-kuche").text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "x"}, "at least two letters"),
        ({"slug": "Not An Address"}, "Use small letters, digits and hyphens"),
        ({"slug": "taken"}, "Another board has this address already."),
        ({"audience": "everybody"}, "Not a valid choice"),
        ({"position": "many"}, "Not a valid integer value"),
        ({"question": "?" * 141}, "Use at most 140 characters."),
    ],
)
@on_one_database
def test_what_cannot_be_a_board_is_said_at_its_field(office, changes, said):
    make_board("Taken")

    answer = office.post("/admin/boards", data={"name": "Winter", "audience": "public"} | changes)

    assert (answer.status_code, said in answer.text) == (422, True)
    assert db.session.scalars(select(Board.name)).all() == ["Taken"]


def test_narrowing_is_spoken_of_before_it_is_done_and_then_holds_at_once(office, browse):
    board, reader = make_board("Ideas"), browse(make_user())
    make_idea("Open to all", board=board)
    form = {"name": "Ideas", "slug": "ideas", "audience": "private", "one_way": "y"}

    asked = office.post(f"/admin/boards/{board.id}", data=form)
    db.session.rollback()
    before = board.audience
    office.post(f"/admin/boards/{board.id}", data=form | {"sure": "private True"})
    db.session.rollback()

    assert asked.status_code == 200
    assert "Nothing is saved yet." in asked.text
    assert "only these people know of the board" in asked.text
    assert "members see only what they wrote themselves" in asked.text
    assert 'value="private True"' in asked.text
    assert (before, board.audience, board.one_way) == (Audience.PUBLIC, Audience.PRIVATE, True)
    assert reader.get("/boards/ideas").status_code == 404
    assert "board.opened_to" in db.session.scalars(select(SecurityEntry.kind)).all()


def test_what_was_read_for_one_audience_is_not_agreed_to_for_another(office):
    board = make_board("Ideas")
    form = {"name": "Ideas", "slug": "ideas", "audience": "staff", "sure": "members False"}

    office.post(f"/admin/boards/{board.id}", data=form)

    db.session.rollback()
    assert board.audience is Audience.PUBLIC


def test_opening_a_board_needs_no_second_word(office):
    board = make_board("Ideas", Audience.STAFF)

    office.post(f"/admin/boards/{board.id}", data={"name": "Ideas", "slug": "ideas", "audience": "public"})

    db.session.rollback()
    assert board.audience is Audience.PUBLIC


def test_narrowing_is_whatever_takes_sight_from_somebody():
    wider = {("members", "public"), ("private", "public"), ("staff", "public"), ("private", "members"),
             ("staff", "members")}  # fmt: skip

    found = {
        (one.value, other.value) for one in Audience for other in Audience if not narrows(one, False, other, False)
    }

    assert found == wider | {(one.value, one.value) for one in Audience}
    assert narrows(Audience.PUBLIC, False, Audience.PUBLIC, True)
    assert not narrows(Audience.PUBLIC, True, Audience.PUBLIC, False)


def test_only_an_empty_board_is_deleted(office):
    full, empty, person = make_board("Full"), make_board("Empty"), make_user()
    make_idea(board=full)
    make_place(empty, person)

    answers = [office.post(f"/admin/boards/{board.id}/delete") for board in (full, empty)]

    db.session.rollback()
    assert [answer.status_code for answer in answers] == [409, 303]
    assert db.session.scalars(select(Board.name)).all() == ["Full"]
    assert not person.has_board_roles


def test_people_are_put_on_the_list_by_name_or_address(office):
    board = make_board("Quiet", Audience.PRIVATE)
    one, other = make_user(name="Ada Example"), make_user(email="bob@example.org")

    for who in ("ada example", "BOB@example.org"):
        office.post(f"/admin/boards/{board.id}/people", data={"who": who, "role": "pm"})
    unknown = office.post(f"/admin/boards/{board.id}/people", data={"who": "Nobody Here", "role": "pm"})

    db.session.rollback()
    assert {place.user_id: place.role for place in db.session.scalars(select(BoardMember))} == {
        one.id: Role.PM,
        other.id: Role.PM,
    }
    assert one.has_board_roles
    assert unknown.status_code == 422
    assert "Invite them first" in unknown.text
    assert "bob@example.org" not in office.get(f"/admin/boards/{board.id}/people").text


def test_s08_admins_are_on_no_list_and_nobody_becomes_one_there(office):
    board, owner, member = make_board(), make_user(Role.OWNER, name="The Owner"), make_user(name="Some Member")

    listed = office.post(f"/admin/boards/{board.id}/people", data={"who": "The Owner", "role": "member"})
    raised = office.post(f"/admin/boards/{board.id}/people", data={"who": "Some Member", "role": "admin"})
    make_place(board, member)
    again = office.post(f"/admin/boards/{board.id}/people/{member.id}", data={"role": "owner"})

    db.session.rollback()
    assert [answer.status_code for answer in (listed, raised, again)] == [409, 422, 403]
    assert [place.role for place in db.session.scalars(select(BoardMember))] == [Role.MEMBER]
    assert owner.has_board_roles is False


def test_s20_a_rank_on_a_board_holds_from_the_next_request_on_and_no_longer_than_it_is_there(office, browse):
    board, member = make_board("Quiet", Audience.PRIVATE), make_user(name="Pm To Be")
    idea, theirs = make_idea("Inside", board=board), browse(member)

    def reached():
        return [theirs.get(path).status_code for path in (f"/ideas/{idea.id}", f"/triage/first-look/{idea.id}")]

    before = reached()
    office.post(f"/admin/boards/{board.id}/people", data={"who": "Pm To Be", "role": "pm"})
    during = reached()
    office.post(f"/admin/boards/{board.id}/people/{member.id}", data={"role": "member"})
    lowered = reached()
    office.post(f"/admin/boards/{board.id}/people/{member.id}/remove")
    after = reached()

    assert (before, during, lowered, after) == ([404, 403], [200, 200], [200, 403], [404, 403])
    db.session.rollback()
    kinds = db.session.scalars(select(SecurityEntry.kind).where(SecurityEntry.user_id == member.id)).all()
    assert kinds.count("role.changed") == 3


def test_s22_ranks_take_a_fresh_proof(office, admin):
    from datetime import timedelta

    from portal.accounts.models import AuthSession
    from portal.db import utcnow

    board, member = make_board(), make_user(name="Some Member")
    with transaction():
        for row in db.session.scalars(select(AuthSession).where(AuthSession.user_id == admin.id)):
            row.proved_at = utcnow() - timedelta(minutes=16)

    shown = office.get(f"/admin/boards/{board.id}/people")
    sent = office.post(f"/admin/boards/{board.id}/people", data={"who": "Some Member", "role": "pm"})

    db.session.rollback()
    assert all(answer.status_code in {303, 403} for answer in (shown, sent))
    assert not member.has_board_roles


def test_a_board_leads_its_own_question_and_address(office):
    assert address_of("  Straße & Übergang! ") == "strasse-ubergang"
    assert address_of("中文") == ""
    assert "an address of letters" in office.post("/admin/boards", data={"name": "中文", "audience": "public"}).text


# Leaving


def test_s10_leaving_a_board_takes_along_all_that_followed_from_being_there(admin):
    board, leaver, stayer = make_board("Quiet", Audience.PRIVATE), make_user(), make_user()
    idea = make_idea("Inside", board=board)
    elsewhere = make_idea("Outside", board=make_board())
    for person in (leaver, stayer):
        make_place(board, person, Role.PM)
        with transaction():
            for each in (idea, elsewhere):
                service.follow(each, person)
    with transaction():
        moves.move_idea(idea, Status.UNDER_REVIEW, admin, MoveDetails(owner=leaver))
        moves.move_idea(elsewhere, Status.UNDER_REVIEW, admin, MoveDetails(owner=admin))
    settle_reactions()
    before = left_of(leaver)

    with transaction():
        leaving.take_off(board, leaver, admin)

    assert before["follows"] == before["told"] == {idea.id, elsewhere.id}
    assert left_of(leaver) == {"follows": {elsewhere.id}, "told": {elsewhere.id}, "owns": set(), "unsent": set()}
    assert left_of(stayer)["follows"] == {idea.id, elsewhere.id}
    assert not leaver.has_board_roles


def settle_reactions():
    from portal import outbox

    while outbox.work_off():
        pass


def left_of(user: User) -> dict[str, set[int | None]]:
    db.session.rollback()
    told = select(Notification).where(Notification.user_id == user.id)
    unsent = select(Notification.idea_id).join(Mail, Mail.notification_id == Notification.id)
    return {
        "follows": set(db.session.scalars(select(Follow.idea_id).where(Follow.user_id == user.id))),
        "told": {each.idea_id for each in db.session.scalars(told)},
        "owns": set(db.session.scalars(select(Idea.id).where(Idea.owner_id == user.id))),
        "unsent": set(db.session.scalars(unsent.where(Mail.user_id == user.id, Mail.done_at.is_(None)))),
    }


@pytest.mark.parametrize("how", ["the list", "the audience", "the board of the idea", "one way"])
def test_s09_what_was_queued_is_not_sent_to_whoever_may_not_look_any_more(admin, settle, how):
    board, reader = make_board("Open", Audience.PRIVATE if how == "the list" else Audience.PUBLIC), make_user()
    make_place(board, reader)
    number, address = reader.id, reader.email
    idea = make_idea("Said in confidence", board=board)
    with transaction():
        service.follow(idea, reader)
    with transaction():
        moves.move_idea(idea, Status.DECLINED, admin, MoveDetails(answer="No, and here is why.", reversal="Ten more."))
        comments_to(idea)
    settle_reactions()
    queued = db.session.scalars(select(Mail).where(Mail.user_id == reader.id, Mail.done_at.is_(None))).all()

    with transaction():
        if how == "the list":
            db.session.delete(db.session.get_one(BoardMember, (board.id, reader.id)))
            reader.has_board_roles = False
        elif how == "the audience":
            board.audience = Audience.STAFF
        elif how == "one way":
            board.one_way = True
        else:
            moves.change_board(idea, make_staff_board(), admin)
    settle()

    sent = select(CaughtMail).where(CaughtMail.recipient == address)
    assert len(queued) == 1
    assert db.session.scalars(sent).all() == []
    assert db.session.scalars(select(Mail.suppressed).where(Mail.user_id == number)).all() == ["no longer visible"]


def make_staff_board() -> Board:
    board = Board(name="Staff", slug="staff", audience=Audience.STAFF)
    db.session.add(board)
    db.session.flush()
    return board


def comments_to(idea: Idea) -> None:
    comments.post_comment(idea, db.session.get_one(User, idea.author_id), "One more thing.")


# Merging where members are kept apart


def test_ideas_of_a_one_way_board_are_not_joined(browse):
    pm, board = make_user(Role.PM), make_board(one_way=True)
    one, other = make_idea("Mine", board=board), make_idea("Also mine", board=board)

    shown = browse(pm).get(f"/triage/merge/{one.id}?into={other.id}")
    sent = browse(pm).post(f"/triage/merge/{one.id}", data={"into": other.id, "seen": "new"})

    db.session.rollback()
    assert "On a one-way board ideas stay apart" in shown.text
    assert (sent.status_code, one.merged_into_id) == (422, None)


def test_a_pm_of_one_board_joins_nothing_to_a_board_they_do_not_sort(browse):
    here, there, pm = make_board(), make_board(), make_user()
    make_place(here, pm, Role.PM)
    one, other = make_idea("Mine", board=here), make_idea("Theirs", board=there)

    answer = browse(pm).post(f"/triage/merge/{one.id}", data={"into": other.id, "seen": "new"})

    db.session.rollback()
    assert (answer.status_code, one.merged_into_id) == (403, None)


def test_the_desk_of_a_pm_of_one_board_holds_that_board_only(browse):
    here, there, pm = make_board("Here"), make_board("Quillboard"), make_user()
    make_place(here, pm, Role.PM)
    make_idea("Sort me", board=here)
    make_idea("Not yours", board=there)

    desk, front = browse(pm).get("/triage/first-look").text, browse(make_user()).get("/").text

    assert "Sort me" in desk and "Not yours" not in desk
    assert "Quillboard" not in desk
    assert 'href="/triage"' in desk and 'href="/triage"' not in front


def test_the_owner_of_an_idea_is_somebody_who_works_on_its_board(admin):
    private, pm, outside = make_board("Quiet", Audience.PRIVATE), make_user(), make_user(Role.PM)
    make_place(private, pm, Role.PM)
    from portal.boards.queries import team_of

    assert {person.id for person in team_of(private)} == {pm.id, admin.id}
    assert {person.id for person in team_of(make_board())} == {outside.id, admin.id}


# Voters


def test_an_address_is_shown_for_a_reason_that_is_kept(browse):
    pm, idea = make_user(Role.PM), make_idea()
    address, theirs = idea.author.email, browse(pm)
    url = f"/ideas/{idea.id}/voters/{idea.author_id}/address"

    looked, without = theirs.get(url), theirs.post(url, data={"reason": "why"})
    told = theirs.post(url, data={"reason": "They asked us to call them back."})

    assert [address in answer.text for answer in (looked, without, told)] == [False, False, True]
    assert [answer.status_code for answer in (looked, without, told)] == [200, 422, 200]
    db.session.rollback()
    kept = db.session.scalars(select(EventRecord).where(EventRecord.name == "idea.address_revealed")).one()
    assert (kept.actor_id, kept.data["reason"]) == (pm.id, "They asked us to call them back.")
    assert db.session.scalars(select(SecurityEntry.kind)).all().count("address.revealed") == 1


def test_the_team_reads_who_voted_and_never_an_address(browse):
    idea, voter = make_idea(), make_user(name="Behind It")
    with transaction():
        service.cast_vote(idea, voter)

    page = browse(make_user(Role.OBSERVER)).get(f"/ideas/{idea.id}/voters")

    assert "Behind It" in page.text
    assert "@example.org" not in page.text
    assert "Who voted" not in browse(make_user()).get(f"/ideas/{idea.id}").text
