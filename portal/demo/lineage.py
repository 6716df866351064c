"""In the demo, teams look after ideas, some ideas belong together, and solutions stand under the need they are for."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.roles import Role
from portal.boards.models import Board
from portal.db import db
from portal.events import quietly
from portal.ideas.models import Idea, Nature
from portal.ideas.teamwork import assign_team
from portal.ideas.workflow import Category, Publication
from portal.labels.service import set_labels
from portal.links.models import Kind
from portal.links.service import back_need, link_ideas, say_nature
from portal.teams.service import add_member, make_team
from portal.transactions import transaction

NEED = "Let someone at home see where I am"
SOLUTIONS = ("Tell a contact when I am overdue from a walk", "Check-in timer for people who walk alone")
LINKS: tuple[tuple[str, Kind, str], ...] = (
    ("Let local groups mark where water is safe to drink", Kind.SOLVES, "Which springs have water right now?"),
    ("Share my live position with one person for a day", Kind.RELATES, "Tell a contact when I am overdue from a walk"),
    ("Offline search for places in the area I saved", Kind.PART_OF, "Download a whole route for offline use"),
    (
        "Let me correct a path note that somebody else wrote",
        Kind.FOLLOWS,
        "Path notes should say how old they are, and fade",
    ),
    (
        "Gradient arrows on the route, as on a road atlas",
        Kind.BUILDS_ON,
        "Show how steep a section is before I commit to it",
    ),
    ("Turn prompts on a watch", Kind.RELATES, "Quiet mode for turn-by-turn"),
)
LABELS = {
    "Download a whole route for offline use": ["renewals", "quick win"],
    "Bigger labels on the map": ["accessibility law"],
    "Share my live position with one person for a day": ["ask legal"],
    "Sign in with a passkey": ["quick win"],
}
MOST_OF_A_TEAM = 12


def tie_together() -> None:
    """Make the teams and give them ideas, tie ideas to each other, and leave words that only the team reads."""
    with transaction(wake=False), quietly():
        boss = _one(Role.OWNER) or _one(Role.ADMIN)
        pm = _one(Role.PM)
        if boss is None or pm is None:
            return
        _make_teams(boss)
        _put_under_need(pm)
        for first, kind, second in LINKS:
            _tie(first, kind, second, pm)
        for title, labels in LABELS.items():
            if idea := _idea(title):
                set_labels(idea, labels, pm)


def _make_teams(boss: User) -> None:
    staff = db.session.scalars(select(User).where(User.role.in_([Role.PM, Role.MODERATOR])).order_by(User.id)).all()
    boards = db.session.scalars(select(Board).order_by(Board.position, Board.id)).all()
    names = (_("Maps"), _("Safety"), _("Support"))
    for place, name in enumerate(names):
        team = make_team(name, "", boss)
        for user in staff[place::3] or staff[:1]:
            add_member(team, user, boss)
        mine = [board.id for board in boards[place::3]]
        owed = select(Idea).where(Idea.board_id.in_(mine), Idea.publication == Publication.PUBLISHED)
        ideas = db.session.scalars(owed.where(Idea.owner_id.is_not(None)).order_by(Idea.id))
        for idea in [idea for idea in ideas if idea.rule.category in {Category.OPEN, Category.COMMITTED}][
            :MOST_OF_A_TEAM
        ]:
            assign_team(idea, team, boss)


def _put_under_need(pm: User) -> None:
    need = _idea(NEED)
    if need is None:
        return
    for title in SOLUTIONS:
        solution = _idea(title)
        if solution is not None:
            say_nature(solution, Nature.SOLUTION, pm)
            link_ideas(solution, need, Kind.SOLVES, pm)
    both = _idea("Path notes should say how old they are, and fade")
    others = select(User).where(User.role == Role.MEMBER, User.confirmed_at.is_not(None)).order_by(User.id).limit(4)
    if both is not None and both.takes_votes:
        for member in db.session.scalars(others).all():
            back_need(both, member)


def _tie(first: str, kind: Kind, second: str, pm: User) -> None:
    one, other = _idea(first), _idea(second)
    if one is not None and other is not None:
        link_ideas(one, other, kind, pm)


def _idea(title: str) -> Idea | None:
    """Return the published idea with this title that stands for itself."""
    found = select(Idea).where(Idea.title == title, Idea.publication == Publication.PUBLISHED)
    return db.session.scalar(found.where(Idea.merged_into_id.is_(None)).order_by(Idea.id).limit(1))


def _one(role: Role) -> User | None:
    return db.session.scalar(select(User).where(User.role == role).order_by(User.id).limit(1))
