"""A portal in which each kind of page has something to show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from portal.accounts import service as accounts
from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.db import utcnow
from portal.ideas import moves, service
from portal.ideas.models import Idea
from portal.ideas.moves import MoveDetails
from portal.ideas.workflow import Publication, Status
from portal.transactions import transaction
from tests.factories import make_board, make_comment, make_idea, make_rules, make_user, make_votes

ENDLESS = ("Hikingwithoutanyendorpause" * 5)[:120]  # a title may be one word
REVIEW, PLANNED = Status.UNDER_REVIEW, Status.PLANNED
ROADS = {
    Status.NEW: (),
    REVIEW: (REVIEW,),
    Status.NEEDS_INFO: (Status.NEEDS_INFO,),
    PLANNED: (REVIEW, PLANNED),
    Status.IN_PROGRESS: (REVIEW, PLANNED, Status.IN_PROGRESS),
    Status.SHIPPED: (REVIEW, PLANNED, Status.SHIPPED),
    Status.CONFIRMED: (Status.AVAILABLE, Status.CONFIRMED),
    Status.AVAILABLE: (Status.AVAILABLE,),
    Status.NOT_NOW: (Status.NOT_NOW,),
    Status.DECLINED: (Status.DECLINED,),
}


class Scene:
    """People, boards, and ideas in every state."""

    def __init__(self, settle: Callable[[], None]) -> None:
        make_rules("Be kind. Say why.")
        self.board, self.shelf = make_board("Navigation"), make_board("Empty shelf")
        self.author, self.member, self.quiet = (
            make_user(name=name, with_password=True) for name in ("Ines", "Noor", "Quiet")
        )
        self.manager, self.admin, self.owner = (
            make_user(Role.PM, name="Petra", team="Product team"),
            make_user(Role.ADMIN, name="Ada"),
            make_user(Role.OWNER, name="Olive"),
        )
        self.endless = make_idea(ENDLESS, author=self.author, board=self.board, at=utcnow() - timedelta(days=12))
        self.ideas = {status: self._idea_in(status) for status in ROADS}
        self.own = make_idea("Mark huts with a shower", author=self.member, board=self.board)
        self.held = make_idea("Something first", author=self.author, board=self.board, publication=Publication.HELD)
        self.merged = make_idea("Use offline maps elsewhere", author=self.member, board=self.board)
        self._let_people_talk()
        self._let_people_change_things()
        settle()
        self._change_the_rules()

    def _idea_in(self, status: Status) -> Idea:
        idea = make_idea(f"Use offline maps, {status.label}", author=self.author, board=self.board)
        for step in ROADS[status]:
            with transaction(wake=False):
                moves.move_idea(idea, step, self.manager, self._words())
        return idea

    def _words(self) -> MoveDetails:
        return MoveDetails(
            answer="**We thought about it.** And this is what came out of it.",
            reason="We looked again.",
            alternative="Print the map.",
            reversal="A second person who asks.",
            expected="June",
            link="https://example.org/",
            owner=self.manager,
        )

    def _let_people_talk(self) -> None:
        first = make_comment(
            self.endless, author=self.member, body="**Yes**, see <https://example.org> and `this`.\n\n> so"
        )
        make_comment(self.endless, author=self.author, body="Thank you.", reply_to=first)
        for number in range(28):
            make_comment(self.endless, author=(self.member, self.manager)[number % 2], body=f"Comment number {number}")
        self.comment = make_comment(self.ideas[PLANNED], author=self.member, body="Mine.")
        make_votes(self.endless, 2)

    def _let_people_change_things(self) -> None:
        with transaction(wake=False):
            moves.set_tags(self.endless, ["water", "huts"], self.manager)
        with transaction(wake=False):
            moves.move_idea(self.merged, Status.MERGED, self.manager, MoveDetails(into=self.ideas[PLANNED]))
        with transaction(wake=False):
            service.edit_idea(
                self.own, self.member, title="Mark huts with showers", need="I smell too long.", proposal=""
            )

    def _change_the_rules(self) -> None:
        self.unready = make_user(name="Unready")
        make_rules("Be kind. Say why. Close the gate.")
        for user in (self.author, self.member, self.quiet, self.manager, self.admin, self.owner):
            agree(user)


def agree(user: User) -> None:
    """Let somebody accept the rules in force."""
    with transaction(wake=False):
        accounts.accept_rules(user)
