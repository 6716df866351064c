"""Roles and permissions, row by row as the product's table says; and the same on single boards."""

from __future__ import annotations

from typing import Any

import pytest

from portal import permissions
from portal.accounts import policy as accounts
from portal.accounts.models import Guest, User
from portal.accounts.roles import BOARD_ROLES, Role
from portal.bulk.models import BulkAct
from portal.db import db
from portal.ideas.workflow import By, Status
from portal.talk.models import AnswerDraft, DraftState, Note, Snippet
from tests.factories import make_board, make_comment, make_idea, make_place, make_user
from tests.support.beginning import MOVES

pytestmark = pytest.mark.usefixtures("app")

COLUMNS = (None, *Role)  # Visitor, Member, Champion, Observer, Moderator, PM, Admin, Owner: the table's own order

ROWS = """
Submit                            idea.submit              n y y n y y y y
Vote                              idea.vote                n y y n y y y y
Object to a merge                 idea.object              n y y n y y y y
Comment                           comment.post             n y y n y y y y
Follow                            idea.follow              n y y n y y y y
Thank for a comment               comment.mark             n y y n y y y y
Propose a duplicate               duplicate.propose        n y y n y y y y
Edit own idea, while open         own idea.edit            n y y n y y y y
Take own idea back                own idea.remove          n y y n y y y y
Edit own comment                  own comment.edit         n y y n y y y y
Delete own comment                own comment.delete       n y y n y y y y
Edit others' ideas                idea.edit                n n n n y n y y
Delete others' comments           comment.delete           n n n n y n y y
Read what removed comments said   comment.read_removed     n n n n y n y y
Say whether it helped             verdict.give             n y y n y y y y
Read why others said what         verdict.read             n n n y y y y y
Ask earlier, or nobody            verdict.steer            n n n n n y y y
What the answers decide           verdict.rules            n n n n n n y y
See voters' names                 votes.see_names          n n n y y y y y
See voters' mail                  votes.reveal_mail        n n n n n y y y
Backed instead of posting         receipt.see              n n n y y y y y
Hide a line of theirs             receipt.hide             n n n n y y y y
Set searches aside                searches.decide          n n n n y y y y
Staff search                      search.staff             n n n y y y y y
What waits for the team           triage.read              n n n y y y y y
Hold and restore                  idea.hold                n n n n y n y y
Hide                              idea.hide                n n n n y y y y
Suspend, up to seven days         people.suspend           n n n n y n y y
Suspend for longer, remove        people.suspend_for_long  n n n n n n y y
Triage                            idea.triage              n n n n y y y y
Move, as triage does              idea.move                n n n n y y y y
Move without deciding             triager's move.make      n n n n y y y y
Decide                            decider's move.make      n n n n n y y y
What only time does               system's move.make       n n n n n n n n
Change many ideas at once         bulk.act                 n n n n n y y y
Take back an act on many          own bulk.undo            n n n n n y y y
Take back another's act on many   bulk.undo                n n n n n n y y
Notes for the team                note.write               n n n n y y y y
Change one's own note             own note.edit            n n n n y y y y
Change another's note             note.edit                n n n n n n n n
Delete one's own note             own note.delete          n n n n y y y y
Delete any note                   note.delete              n n n n y n y y
Draft answers                     draft.write              n n n n y y y y
Approve drafts, or send back      draft.review             n n n n y y y y
Look at one's own draft           own draft.review         n n n n n n n n
Keep wording for oneself          snippet.keep             n n n n y y y y
Share wording                     snippet.share            n n n n n y y y
Change one's own wording          own snippet.change       n n n n y y y y
Change shared wording             snippet.change           n n n n n y y y
Answer                            idea.answer              n n n n y y y y
Put a decision's record right     decision.revise          n n n n n y y y
Publish changelog                 changelog.publish        n n n n n y y y
Plan on the roadmap               roadmap.plan             n n n n n y y y
Themes of the roadmap             roadmap.themes           n n n n n y y y
Vote for others                   vote.behalf              n n n n n y y y
Set votes aside                   vote.set_aside           n n n n y y y y
Organisations and segments        organisation.manage      n n n n n n y y
Outside the workflow              idea.override            n n n n n n y y
Boards                            board.manage             n n n n n n y y
People of boards                  board.people             n n n n n n y y
Ranks on boards                   board.rank               n n n n n n y y
Teams                             team.manage              n n n n n n y y
Private labels, all of them       label.manage             n n n n n y y y
Statuses and moves                workflow.decide          n n n n n n y y
Propose statuses and moves        workflow.propose         n n n n n y y y
Rules text                        rules.publish            n n n n n n y y
How the portal works              options.decide           n n n n n n y y
Users and roles                   people.role              n n n n n n y y
Members' mail addresses            people.address           n n n n n n y y
Who is who                        people.see               n n n n y n y y
Let in                            people.approve           n n n n y n y y
Invite                            invitation.send          n n n n y n y y
SSO                               sso.manage               n n n n n n y y
Ways to sign in                   sign_in.decide           n n n n n n y y
Mail and outbox                   outbox.see               n n n n n n y y
Audit log                         security.see             n n n n n n y y
One's own account                 account.use              n y y y y y y y
"""

TABLE = [
    (line[:34].strip(), line[34:59].strip(), dict(zip(COLUMNS, line[59:].split(), strict=True)))
    for line in ROWS.strip().splitlines()
]
ELSEWHERE = {"role.give": "rank by rank, below"}
BY = {"triager's": By.TRIAGER, "decider's": By.DECIDER, "system's": By.SYSTEM}
ABOUT_IDEAS = {"idea", "comment", "vote", "votes", "verdict", "move", "triage", "note", "draft"}
BOARD_RIGHTS = {
    name
    for _row, name, _cells in TABLE
    if name in {"decision.revise", "roadmap.plan", "changelog.publish"}
    or (name.split(".")[0].split()[-1] in ABOUT_IDEAS and name != "idea.override")
}


def somebody(role: Role | None) -> User | Guest:
    return Guest() if role is None else make_user(role)


def asked_of(name: str, viewer: Any, board: Any) -> bool:
    """Whether the viewer has the permission, of a thing on this board; ``own`` means that they made it."""
    whose, _space, permission = name.rpartition(" ")
    author = viewer if whose == "own" and isinstance(viewer, User) else make_user()
    thing: Any = make_idea(author=author, board=board)
    if permission.startswith("comment.") and permission != "comment.post":
        thing = make_comment(thing, author=author)
    if permission in {"note.edit", "note.delete"}:
        thing = Note(idea=thing, author_id=author.id)
    if permission == "draft.review":
        thing = AnswerDraft(idea=thing, edited_by_id=author.id, state=DraftState.IN_REVIEW)
    if permission == "snippet.change":
        thing = Snippet(owner_id=author.id if whose == "own" else None, board_id=board.id)
    if permission == "snippet.share":
        thing = board.id
    if permission == "bulk.undo":
        thing = BulkAct(actor_id=author.id)
    if permission == "move.make":
        thing = (next(move for move in MOVES.values() if move.by is BY[whose]), thing)
    if permission.startswith("people.") and permission not in {"people.see", "people.approve"}:
        thing = make_user()
    if permission == "board.rank":
        thing = Role.PM
    if permission == "idea.submit":
        thing = board
    return permissions.can(viewer, permission, thing)


def test_the_table_speaks_of_every_permission():
    named = {name.rpartition(" ")[2] for _row, name, _cells in TABLE}

    assert named | set(ELSEWHERE) == set(permissions.PERMISSIONS)


@pytest.mark.parametrize("role", COLUMNS)
def test_s02_each_role_may_what_the_table_says(role):
    viewer, board = somebody(role), make_board()

    said = {row: asked_of(name, viewer, board) for row, name, _cells in TABLE}

    assert said == {row: cells[role] == "y" for row, _name, cells in TABLE}


@pytest.mark.parametrize("role", BOARD_ROLES)
def test_a_rank_on_one_board_holds_there_and_nowhere_else(role):
    viewer, here, elsewhere = make_user(), make_board(), make_board()
    make_place(here, viewer, role)

    on_it = {name: asked_of(name, viewer, here) for name in BOARD_RIGHTS}
    off_it = {name: asked_of(name, viewer, elsewhere) for name in BOARD_RIGHTS}

    rows = {name: cells for _row, name, cells in TABLE}
    adds_up = {name: "y" in (rows[name][role], rows[name][Role.MEMBER]) for name in BOARD_RIGHTS}
    assert on_it == adds_up
    assert off_it == {name: rows[name][Role.MEMBER] == "y" for name in BOARD_RIGHTS}


def test_ranks_on_boards_give_nothing_of_the_portal():
    viewer = make_user()
    for role in BOARD_ROLES:
        make_place(make_board(), viewer, role)

    given = {name for _row, name, cells in TABLE if cells[Role.MEMBER] == "n" and name not in BOARD_RIGHTS
             and asked_of(name, viewer, make_board())}  # fmt: skip

    # among what they may see, with the filters of the team; wording that they keep for themselves; and acts on many
    # ideas, of which each is asked for its board
    assert given == {"search.staff", "snippet.keep", "own snippet.change", "bulk.act", "own bulk.undo"}


def test_the_higher_rank_counts_and_what_both_allow_adds_up():
    pm_here, moderator_here = make_user(Role.MODERATOR), make_user(Role.PM)
    board = make_board()
    make_place(board, pm_here, Role.PM)
    make_place(board, moderator_here, Role.MODERATOR)

    idea = make_idea(board=board)

    assert (pm_here.rank_on(board.id), moderator_here.rank_on(board.id)) == (Role.PM, Role.PM)
    assert all(permissions.can(person, "idea.hold", idea) for person in (pm_here, moderator_here))
    assert all(permissions.can(person, "votes.reveal_mail", idea) for person in (pm_here, moderator_here))


def test_an_account_that_waits_may_what_visitors_may():
    waiting = make_user(Role.MODERATOR, approved_at=None)
    board = make_board()
    make_place(board, waiting, Role.PM)

    may = {name for _row, name, _cells in TABLE if asked_of(name, waiting, board)}

    assert may == {"account.use"}
    assert waiting.rank_on(board.id) is None


# Rank by rank

RANKS = list(Role)


def test_s08_nobody_acts_on_their_own_rank_or_a_higher_one():
    people = {role: (make_user(role), make_user(role)) for role in RANKS}
    wrong = [
        (mine, theirs, permission)
        for mine in RANKS
        for theirs in RANKS
        for permission in ("people.role", "people.suspend", "people.suspend_for_long")
        if permissions.can(people[mine][0], permission, people[theirs][1]) and RANKS.index(theirs) >= RANKS.index(mine)
    ]

    assert wrong == []
    assert permissions.can(people[Role.OWNER][0], "people.role", people[Role.ADMIN][0])
    assert not any(permissions.can(person, "people.role", person) for person, _other in people.values())


def test_s08_admins_give_roles_below_their_own_and_owners_all():
    given = {role: {other for other in RANKS if accounts.may_give_role(make_user(role), other)} for role in RANKS}

    assert given.pop(Role.OWNER) == set(Role)
    assert given.pop(Role.ADMIN) == set(Role) - {Role.ADMIN, Role.OWNER}
    assert not any(given.values())


def test_on_a_board_nobody_is_made_admin_or_owner():
    owner = make_user(Role.OWNER)

    assert {role for role in Role if permissions.can(owner, "board.rank", role)} == set(BOARD_ROLES)


def test_moderators_suspend_for_a_week_at_most():
    assert accounts.LONGEST_BY_MODERATORS.days == 7


def test_authors_edit_while_their_idea_is_open():
    author = make_user()
    idea = make_idea(author=author)
    before = permissions.can(author, "idea.edit", idea)
    idea.status = Status.PLANNED
    db.session.flush()

    assert (before, permissions.can(author, "idea.edit", idea)) == (True, False)
