"""What can be done with links between ideas, and the refusals that raises."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import count_rows, db, insert_if_absent, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import supporters
from portal.ideas.models import Idea, Nature
from portal.ideas.service import VotingClosed, follow_because, lock, lock_in_order, withdraw_vote
from portal.links.events import IdeaLinked, IdeaUnlinked, NatureSaid, NeedBacked, NeedUnbacked
from portal.links.models import Kind, Link, NeedBacker
from portal.links.queries import nature_of

MOST_LINKS = 50
MOST_STEPS = 200


class CannotLink(Refusal):
    """These two ideas cannot be tied like this."""


def link_ideas(idea: Idea, other: Idea, kind: Kind, actor: User, *, outward: bool = True) -> Link | None:
    """Tie two ideas; ``outward``: ``idea`` is the first of the two. Return None where they were tied like this before.

    What is part of, follows from, solves or builds on something never leads back to itself.
    """
    lock_in_order(idea, other)
    first, second = (idea, other) if outward else (other, idea)
    if kind is Kind.RELATES:
        first, second = sorted((idea, other), key=lambda each: each.id)
    _check(first, second, kind)
    made = insert_if_absent(
        Link, idea_id=first.id, other_id=second.id, kind=kind, made_by_id=actor.id, made_at=utcnow()
    )
    if not made:
        return None
    emit(IdeaLinked(actor_id=actor.id, idea_id=first.id, other_id=second.id, kind=kind, outward=True))
    emit(IdeaLinked(actor_id=actor.id, idea_id=second.id, other_id=first.id, kind=kind, outward=False))
    same = sa.select(Link).where(Link.idea_id == first.id, Link.other_id == second.id, Link.kind == kind)
    return db.session.scalar(same)


def unlink_ideas(link_id: int, actor: User) -> None:
    """Untie two ideas; doing it twice is doing it once."""
    link = db.session.get(Link, link_id, with_for_update=True)
    if link is None:
        return
    first, second, kind = link.idea_id, link.other_id, link.kind
    db.session.delete(link)
    db.session.flush()
    emit(IdeaUnlinked(actor_id=actor.id, idea_id=first, other_id=second, kind=kind, outward=True))
    emit(IdeaUnlinked(actor_id=actor.id, idea_id=second, other_id=first, kind=kind, outward=False))


def spring_from(idea: Idea, source: Idea, kind: Kind, author: User) -> None:
    """Note what a new idea answers or builds on, as its author says while posting it."""
    if kind is Kind.SOLVES:
        idea.nature = Nature.SOLUTION
        db.session.flush()
    try:
        link_ideas(idea, source, kind, author)
    except CannotLink:  # the other idea changed meanwhile: the new one stands for itself, and nothing typed is lost
        idea.nature = None
        db.session.flush()


def say_nature(idea: Idea, nature: Nature | None, actor: User) -> None:
    """Say whether an idea is a need, a solution or both; None leaves that to how it is written."""
    lock(idea)
    if idea.nature is nature:
        return
    before = idea.nature
    idea.nature = nature
    db.session.flush()
    now = nature_of(idea)
    is_solution = sa.select(Link.id).where(Link.idea_id == idea.id, Link.kind == Kind.SOLVES)
    is_need = sa.select(Link.id).where(Link.other_id == idea.id, Link.kind == Kind.SOLVES)
    if now is Nature.NEED and db.session.scalar(is_solution.limit(1)):
        idea.nature = before
        raise CannotLink(_("This idea stands as a solution under a need. Take that link away first."))
    if now is Nature.SOLUTION and db.session.scalar(is_need.limit(1)):
        idea.nature = before
        raise CannotLink(_("Solutions stand under this idea, so it names a need. Take those links away first."))
    emit(NatureSaid(actor_id=actor.id, idea_id=idea.id, nature=nature or ""))


def back_need(idea: Idea, person: User) -> None:
    """Let somebody stand behind the need without the solution; a vote they gave for both they take back with that."""
    idea = lock(idea.merged_into or idea)
    if not idea.takes_votes:
        raise VotingClosed(idea)
    if nature_of(idea) is not Nature.BOTH:
        raise Refusal(_("Only an idea with a need and a solution lets you choose between the two."))
    if supporters.is_behind(idea, person):
        withdraw_vote(idea, person)
    if insert_if_absent(NeedBacker, idea_id=idea.id, user_id=person.id, at=utcnow()):
        follow_because(idea, person, by_choice=True)
        emit(NeedBacked(actor_id=person.id, idea_id=idea.id))


def unback_need(idea: Idea, person: User) -> None:
    """Take that back; without it nothing happens."""
    idea = idea.merged_into or idea
    mine = sa.delete(NeedBacker).where(NeedBacker.idea_id == idea.id, NeedBacker.user_id == person.id)
    if count_rows(mine):
        emit(NeedUnbacked(actor_id=person.id, idea_id=idea.id))


def _check(first: Idea, second: Idea, kind: Kind) -> None:
    if first.id == second.id:
        raise CannotLink(_("An idea cannot be tied to itself."))
    for each in (first, second):
        if each.merged_into_id is not None:
            raise CannotLink(_("“%(title)s” was joined to another idea. Tie the main one.", title=each.title))
        ends = (
            sa.select(sa.func.count()).select_from(Link).where((Link.idea_id == each.id) | (Link.other_id == each.id))
        )
        if (db.session.scalar(ends) or 0) >= MOST_LINKS:
            raise CannotLink(_("“%(title)s” has %(max)d links. That is enough.", title=each.title, max=MOST_LINKS))
    if kind is Kind.SOLVES and nature_of(first) is Nature.NEED:
        raise CannotLink(_("“%(title)s” names a need and proposes nothing yet.", title=first.title))
    if kind is Kind.SOLVES and nature_of(second) is Nature.SOLUTION:
        raise CannotLink(_("“%(title)s” is a solution. Tie the need behind it.", title=second.title))
    if kind is not Kind.RELATES and _leads_to(second.id, first.id, kind):
        raise CannotLink(_("That would go round in a circle: the two are tied the other way already."))


def _leads_to(start: int, goal: int, kind: Kind) -> bool:
    met, near = {start}, [start]
    for _step in range(MOST_STEPS):
        if goal in met or not near:
            break
        up = sa.select(Link.other_id).where(Link.kind == kind, Link.idea_id.in_(near))
        near = sorted(set(db.session.scalars(up)) - met)
        met |= set(near)
    return goal in met
