"""What can be done with ideas by the people who write and back them, and the refusals that raises."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import aliased

from portal.accounts.models import User
from portal.accounts.roles import MODERATORS
from portal.boards.models import Board
from portal.db import db, insert_if_absent, insert_or_change, number_of, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import followers, heat, queries, supporters
from portal.ideas.events import (
    AddressRevealed,
    IdeaEdited,
    IdeaFollowed,
    IdeaHidden,
    IdeaPublished,
    IdeaRemoved,
    IdeaSubmitted,
    IdeaUnfollowed,
    VoteCast,
    VoteWithdrawn,
)
from portal.ideas.models import TEXT_MAX, Draft, Follow, Idea, Revision, Vote, VoteOrigin
from portal.ideas.promises import begin, begin_again, next_word_due
from portal.ideas.workflow import Publication, Status
from portal.security.log import note
from portal.text import clean_line, clean_text, plain, render_markdown

EXCERPT = 200

_merged = aliased(Idea)


class VotingClosed(Refusal):
    """The idea takes no votes in this status."""

    def __init__(self, idea: Idea) -> None:
        super().__init__(_("Voting is closed: this idea is %(status)s.", status=idea.rule.label))


class OthersAreBehindIt(Refusal):
    """An idea that others back or discuss is no longer its author's to delete."""

    def __init__(self) -> None:
        super().__init__(
            _("Other people voted or commented, so this idea is theirs too. You can edit it while it is open.")
        )


class EditingClosed(Refusal):
    """The idea has moved on, and its words are what people voted for."""

    def __init__(self) -> None:
        super().__init__(_("This idea has moved on, so its words stay as they are. Add a comment instead."))


def submit_idea(
    author: User,
    board: Board,
    *,
    title: str,
    need: str,
    proposal: str = "",
    held: bool = False,
    at: datetime | None = None,
) -> Idea:
    """Post an idea, backed and followed by its author; ``held`` ideas wait for a moderator."""
    at = at or utcnow()
    idea = Idea(
        author_id=author.id,
        board_id=board.id,
        publication=Publication.HELD if held else Publication.PUBLISHED,
        published_at=at,
        status_since=at,
        status=Status.NEW,
        stage="",
    )
    idea.due_at = next_word_due(idea, at)
    write_text(idea, title, need, proposal)
    db.session.add(idea)
    db.session.flush()
    if not held:
        count_on_board(idea.board_id, +1)
        begin(idea, at)
    insert_if_absent(Vote, idea_id=idea.id, voter_id=author.id, cast_at=at)
    count(idea, +1, heat.with_vote(idea.heat, at))
    follow_because(idea, author, is_author=True, is_voter=True)
    emit(IdeaSubmitted(actor_id=author.id, idea_id=idea.id), at)
    return idea


def edit_idea(idea: Idea, editor: User, *, title: str, need: str, proposal: str) -> None:
    """Change the words; what stood there before is kept as a revision. Saving the same again changes nothing."""
    lock(idea)
    if idea.status is Status.MERGED or not (editor.is_one_of(MODERATORS, idea.board_id) or queries.is_open(idea)):
        raise EditingClosed
    before = Revision(idea_id=idea.id, editor_id=editor.id, title=idea.title, need=idea.need, proposal=idea.proposal)
    write_text(idea, title, need, proposal)
    if (before.title, before.need, before.proposal) == (idea.title, idea.need, idea.proposal):
        return
    db.session.add(before)
    db.session.flush()
    idea.edited_at = utcnow()
    emit(IdeaEdited(actor_id=editor.id, idea_id=idea.id, revision_id=before.id))


def remove_idea(idea: Idea, author: User) -> None:
    """Take one's own idea back, as long as nobody else is behind it or in its discussion."""
    lock(idea)
    others = sa.select(Vote.voter_id).where(Vote.idea_id == idea.id, Vote.voter_id != author.id).limit(1)
    if idea.comments or db.session.scalar(others) or idea.merged_into_id or supporters.merged_ids(idea):
        raise OthersAreBehindIt
    _leave_public(idea, Publication.REMOVED)
    emit(IdeaRemoved(actor_id=author.id, idea_id=idea.id))


def publish_idea(idea: Idea, moderator: User) -> None:
    """Let a held or hidden idea through; its author's next ideas are not held."""
    lock(idea)
    if idea.publication not in {Publication.HELD, Publication.HIDDEN}:
        return
    at, trusts = utcnow(), bool(idea.author and not idea.author.trusted_at)
    published = IdeaPublished(
        actor_id=moderator.id,
        idea_id=idea.id,
        before=idea.publication.value,
        since=idea.published_at.isoformat(),
        due=idea.due_at.isoformat() if idea.due_at else None,
        trusted=trusts,
    )
    if idea.publication is Publication.HELD:
        idea.published_at = idea.status_since = at
    begin_again(idea, at)
    idea.publication = Publication.PUBLISHED
    if idea.author and trusts:
        idea.author.trusted_at = at
    if idea.status is not Status.MERGED:
        count_on_board(idea.board_id, +1)
    emit(published, at)


def hide_idea(idea: Idea, moderator: User, reason: str) -> None:
    """Take an idea out of sight; its author is told the reason."""
    reason = clean_reason(reason)
    if not reason:
        raise Refusal(_("Give the reason. The author will read it."))
    lock(idea)
    if idea.publication in {Publication.HIDDEN, Publication.REMOVED}:
        return
    before = idea.publication
    _leave_public(idea, Publication.HIDDEN)
    emit(IdeaHidden(actor_id=moderator.id, idea_id=idea.id, reason=reason, before=before.value))


def cast_vote(idea: Idea, voter: User, at: datetime | None = None) -> None:
    """Put ``voter`` behind ``idea``; doing it twice is doing it once. On a merged idea it counts on the main one."""
    at = at or utcnow()
    idea = lock_main(idea)
    if not idea.takes_votes:
        raise VotingClosed(idea)
    already, aside = supporters.already_and_aside(idea, voter)
    if insert_if_absent(Vote, idea_id=idea.id, voter_id=voter.id, cast_at=at, set_aside_at=aside):
        warmer = idea.heat if aside or voter.is_staff_on(idea.board_id) else heat.with_vote(idea.heat, at)
        count(idea, 0 if already or aside else +1, warmer)
        follow_because(idea, voter, is_voter=True)
        emit(VoteCast(actor_id=voter.id, idea_id=idea.id), at)


def withdraw_vote(idea: Idea, voter: User, *, quiet: bool = False) -> None:
    """Take the vote back, also one that counts here through a merge; without such a vote nothing happens.

    A vote on a merged idea whose voter objected to the merge does not count here, and stays. ``quiet`` says that the
    voter did not do it, so that the journal does not say so.
    """
    idea = lock_main(idea)
    if not idea.takes_votes:
        raise VotingClosed(idea)
    mine = sa.select(Vote).where(Vote.voter_id == voter.id, supporters.is_given_to(idea.id)).order_by(Vote.idea_id)
    votes = list(db.session.scalars(mine))
    if not votes:
        return
    counted = any(vote.set_aside_at is None for vote in votes)
    for vote in votes:
        voted = lock(db.session.get_one(Idea, vote.idea_id))
        if vote.set_aside_at is None:
            colder = heat.without_vote(voted.heat, vote.cast_at) if warms(vote, voter, voted) else voted.heat
            count(voted, 0 if voted is idea else -1, colder)
        db.session.delete(vote)
        _stop_following_because(voted.id, voter.id, is_voter=False)
    idea.votes -= counted
    db.session.flush()
    if not quiet:
        emit(VoteWithdrawn(actor_id=voter.id, idea_id=idea.id))


def warms(vote: Vote, voter: User, idea: Idea) -> bool:
    """Whether a vote lets an idea rise: not one of the team, nor one that the team gave for somebody."""
    return vote.origin is not VoteOrigin.BEHALF and not voter.is_staff_on(idea.board_id)


def follow(idea: Idea, user: User) -> None:
    """Tell ``user`` of changes from now on."""
    before = followers.follows(idea, user)
    follow_because(idea, user, by_choice=True, muted=False, decisions_only=False)
    if not before:
        emit(IdeaFollowed(actor_id=user.id, idea_id=idea.id))


def follow_quietly(idea: Idea, user: User) -> None:
    """Tell ``user`` of decisions on an idea from now on, and of what is said to them, but of nothing else."""
    before = followers.follows(idea, user)
    kept = {} if before else {"by_choice": True}
    follow_because(idea, user, muted=False, decisions_only=True, **kept)
    if not before:
        emit(IdeaFollowed(actor_id=user.id, idea_id=idea.id))


def unfollow(idea: Idea, user: User) -> None:
    """Tell ``user`` of no more changes, also not when they vote or comment later, or through an idea merged into it."""
    before = followers.follows(idea, user)
    follow_because(idea, user, by_choice=False, muted=True, decisions_only=False)
    if before:
        emit(IdeaUnfollowed(actor_id=user.id, idea_id=idea.id))


def follow_as_before(idea: Idea, user: User, choices: Collection[str]) -> None:
    """Tell ``user`` of changes as before they wanted to hear no more: with the choices they had made by then."""
    before = followers.follows(idea, user)
    follow_because(idea, user, muted=False, **{name: name in choices for name in followers.CHOICES})
    if not choices:  # then there may have been nothing of their own, or what came along with an idea merged into it
        _forget_without_reason(_of(idea.id, user.id))
    if not before and followers.follows(idea, user):
        emit(IdeaFollowed(actor_id=user.id, idea_id=idea.id))


def follow_because(idea: Idea, user: User, **reasons: bool) -> None:
    """Note why ``user`` is told of changes (is_author, is_voter, is_commenter, by_choice), or of how few."""
    insert_or_change(Follow, {"idea_id": idea.id, "user_id": user.id}, **reasons)


def reveal_address(idea: Idea, voter: User, actor: User, reason: str) -> str:
    """Return the mail address of somebody behind the idea; who asked, and why, stays in the journal for good."""
    emit(AddressRevealed(actor_id=actor.id, idea_id=idea.id, user_id=voter.id, reason=reason))
    note("address.revealed", user=voter, actor=actor, idea=idea.id)
    return voter.email


def save_draft(user: User, *, title: str, need: str, proposal: str, board: str) -> None:
    """Keep what is in the form; an empty form keeps nothing."""
    typed: dict[str, Any] = {
        "title": clean_line(title)[:1000],
        "need": clean_text(need)[:25_000],
        "proposal": clean_text(proposal)[:25_000],
    }
    if not any(typed.values()):
        discard_draft(user)
        return
    insert_if_absent(Draft, user_id=user.id)
    kept = sa.update(Draft).where(Draft.user_id == user.id)
    db.session.execute(kept.values(board=clean_line(board)[:60], saved_at=utcnow(), **typed))


def discard_draft(user: User) -> None:
    """Forget what was in the form."""
    db.session.execute(sa.delete(Draft).where(Draft.user_id == user.id))


def write_text(idea: Idea, title: str, need: str, proposal: str) -> None:
    """Put words into an idea, clean, with what is shown of them."""
    idea.title, idea.need, idea.proposal = clean_line(title), clean_text(need), clean_text(proposal)
    idea.need_html, idea.proposal_html = render_markdown(idea.need), render_markdown(idea.proposal)
    idea.excerpt = plain(idea.need or idea.proposal, EXCERPT)


def clean_reason(text: str) -> str:
    """Return a reason as it is kept; refuse one that is longer than an idea may be."""
    reason = clean_text(text)
    if len(reason) > TEXT_MAX:
        raise Refusal(_("This is %(count)d letters long; at most %(max)d fit.", count=len(reason), max=TEXT_MAX))
    return reason


def lock(idea: Idea) -> Idea:
    """Read the idea again and hold it until the transaction ends, so that counters and rules see what is true."""
    db.session.refresh(idea, with_for_update={"of": Idea})
    return idea


_MAIN_HELD = (
    sa.select(Idea)
    .where(Idea.id == sa.func.coalesce(
        sa.select(_merged.merged_into_id).where(_merged.id == sa.bindparam("idea_id")).scalar_subquery(),
        sa.bindparam("idea_id"),
    ))
    .with_for_update(of=Idea)
    .execution_options(populate_existing=True)
)  # fmt: skip


def lock_main(idea: Idea) -> Idea:
    """Read and hold the idea for which votes count, as ``lock`` does: of one that is merged, the main one."""
    asked = {"idea_id": number_of(idea)}
    while True:
        looking = db.session.begin_nested()
        held = db.session.scalars(_MAIN_HELD, asked).one()
        if held.merged_into_id is None:
            looking.commit()
            return held
        looking.rollback()  # merged as we waited: it goes free, for whoever undoes a merge holds the main idea first


def lock_in_order(*ideas: Idea) -> None:
    """Hold several ideas; whoever needs the same ones waits, and nobody waits for each other."""
    for idea in sorted(ideas, key=lambda idea: idea.id):
        lock(idea)


def count(idea: Idea, change: int, new_heat: float) -> None:
    """Move the counters of a locked idea with the rows they count."""
    idea.votes += change
    idea.heat = new_heat


def count_on_board(board_id: int, change: int) -> None:
    """Move a board's counter of published ideas."""
    db.session.execute(sa.update(Board).where(Board.id == board_id).values(ideas=Board.ideas + change))


def _leave_public(idea: Idea, publication: Publication) -> None:
    if idea.is_published and idea.status is not Status.MERGED:
        count_on_board(idea.board_id, -1)
    idea.publication = publication


def _stop_following_because(idea_id: int, user_id: int, **reasons: bool) -> None:
    mine = _of(idea_id, user_id)
    db.session.execute(sa.update(Follow).where(mine).values(**reasons))
    _forget_without_reason(mine)


def _forget_without_reason(which: sa.ColumnElement[bool]) -> None:
    left = sa.or_(Follow.is_author, Follow.is_voter, Follow.is_commenter, Follow.by_choice, Follow.muted)
    db.session.execute(sa.delete(Follow).where(which, ~left))


def _of(idea_id: int, user_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(Follow.idea_id == idea_id, Follow.user_id == user_id)
