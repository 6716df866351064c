"""What follows from what: the only place where features meet."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from portal import events, outbox
from portal.accounts.events import ConfirmationWanted, MemberRegistered, RulesPublished
from portal.comments.events import CommentDeleted, CommentEdited, CommentPosted
from portal.events import Event
from portal.ideas import clocks
from portal.ideas.events import (
    BoardChanged,
    IdeaAnswered,
    IdeaEdited,
    IdeaHidden,
    IdeaMerged,
    IdeaMoved,
    IdeaPublished,
    IdeaRemoved,
    IdeaSubmitted,
    InfoStillNeeded,
    MergeUndone,
    OwnerAssigned,
    VoteCast,
)
from portal.membership import invitations, people
from portal.membership import letters as membership_letters
from portal.membership import reactions as membership
from portal.notifications import letters, mail, service
from portal.notifications import reactions as notifications
from portal.search import index as search

REACTIONS: dict[type[Event], tuple[events.Reaction, ...]] = {
    MemberRegistered: (notifications.ask_to_confirm_address, membership.tell_moderators),
    RulesPublished: (membership.tell_of_rules,),
    ConfirmationWanted: (notifications.ask_to_confirm_address,),
    IdeaSubmitted: (search.index_idea, notifications.tell_of_receipt),
    IdeaPublished: (search.index_idea, notifications.tell_of_publication),
    IdeaHidden: (search.index_idea, notifications.tell_of_hiding),
    IdeaRemoved: (search.index_idea,),
    IdeaEdited: (search.index_idea,),
    IdeaMoved: (search.index_idea, notifications.tell_of_move),
    IdeaAnswered: (search.index_idea, notifications.tell_of_answer),
    IdeaMerged: (search.index_idea, notifications.tell_of_merge),
    MergeUndone: (search.index_idea, notifications.tell_of_undone_merge),
    InfoStillNeeded: (notifications.remind_of_question,),
    OwnerAssigned: (notifications.tell_owner,),
    BoardChanged: (search.index_idea,),
    VoteCast: (notifications.tell_author_of_votes,),
    CommentPosted: (search.index_idea, notifications.tell_of_comment),
    CommentEdited: (search.index_idea,),
    CommentDeleted: (search.index_idea, notifications.count_comment_as_read),
}

LETTERS: dict[str, mail.Writer] = {
    service.CONFIRM: letters.confirmation_letter,
    invitations.LETTER: membership_letters.invitation_letter,
    invitations.SAMPLE: membership_letters.sample_letter,
    people.APPROVED: membership_letters.approved_letter,
    people.DECLINED: membership_letters.declined_letter,
    people.SUSPENDED: membership_letters.suspended_letter,
    people.LIFTED: membership_letters.lifted_letter,
    people.ROLE: membership_letters.role_letter,
    membership.WAITING: membership_letters.waiting_letter,
    membership.RULES: membership_letters.rules_letter,
}
"""Who writes which letter about an account: one entry for each kind of mail that is not about an idea."""

CHORES: tuple[Callable[[], int], ...] = (
    outbox.work_off,
    search.index_pending,
    mail.send_due,
    clocks.return_to_review,
    clocks.remind_of_questions,
)
"""What the worker does over and over; each says how much it did."""


def init_app(app: Flask) -> None:
    """Give the tables to those who carry them out."""
    app.extensions["reactions"] = REACTIONS
    app.extensions["reactions_by_name"] = {
        events.name_of(reaction): reaction for reactions in REACTIONS.values() for reaction in reactions
    }
    app.extensions["letters"] = LETTERS
    app.extensions["chores"] = CHORES
