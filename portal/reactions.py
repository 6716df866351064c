"""What follows from what: the only place where features meet."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from portal import events, outbox
from portal.accounts.events import ConfirmationWanted, MemberRegistered, RoleChanged, RulesPublished
from portal.boards.events import BoardEdited
from portal.bulk import carrying as bulk
from portal.bulk import letters as bulk_letters
from portal.bulk import telling as bulk_telling
from portal.changelog import clocks as changelog
from portal.changelog.events import CreditOffered
from portal.comments.events import CommentDeleted, CommentEdited, CommentPosted
from portal.credentials import addresses, factors, links, notices
from portal.credentials import letters as credential_letters
from portal.credentials import service as credentials
from portal.decisions import clocks as decision_clocks
from portal.decisions import reactions as decisions
from portal.decisions.events import NeedRepeated
from portal.decisions.service import record_move
from portal.demand import reactions as demand
from portal.duplicates import memory as duplicates
from portal.duplicates import scan
from portal.duplicates.events import ProposalSettled
from portal.events import Event
from portal.ideas import clocks
from portal.ideas.events import (
    AnswerUndone,
    BoardChanged,
    HidingUndone,
    IdeaAnswered,
    IdeaEdited,
    IdeaHidden,
    IdeaMerged,
    IdeaMoved,
    IdeaPublished,
    IdeaRemoved,
    IdeaSubmitted,
    InfoStillNeeded,
    MergeObjected,
    MergeUndone,
    MoveUndone,
    ObjectionTakenBack,
    OwnerAssigned,
    PublishingUndone,
    TagsChanged,
    VoteCast,
    VoteWithdrawn,
)
from portal.inbound import letters as inbound_letters
from portal.inbound import mailbox
from portal.labels.events import LabelsChanged
from portal.membership import invitations, mail_proof, people
from portal.membership import letters as membership_letters
from portal.membership import reactions as membership
from portal.notifications import letters, portal_reactions, pushing, service, team_reactions
from portal.notifications import reactions as notifications
from portal.notifications.digests import letters as digest_letters
from portal.notifications.digests import making as digests
from portal.notifications.digests import turns
from portal.notifications.events import MailFlows, MailStuck
from portal.notifications.mails import line, sending
from portal.organisations import domains
from portal.organisations.events import OrganisationSpokenFor, VoteCastForSomebody, VotesGivenBack
from portal.privacy import clocks as privacy
from portal.privacy import gathering
from portal.privacy import letters as privacy_letters
from portal.privacy.service import EXPORT_LETTER, LEAVING_LETTER
from portal.promises import clocks as promises
from portal.promises import letters as promise_letters
from portal.promises.events import PromiseMissed, PromiseRenewed
from portal.quarters import letters as quarter_letters
from portal.scores import clocks as scores
from portal.search import changes, saved, watching
from portal.search import index as search
from portal.search import letters as search_letters
from portal.search.events import MatchesFound
from portal.security import letters as security_letters
from portal.security import retention
from portal.security import service as security
from portal.sso import handover
from portal.sso import letters as sso_letters
from portal.sso import service as sso
from portal.talk import clocks as talk
from portal.talk import scheduling
from portal.talk.events import DraftHeldBack, DraftPublished, DraftReviewed, NoteDeleted, NoteWritten, ReviewAsked
from portal.triage import asides, weekly
from portal.triage import letters as triage_letters
from portal.verdicts import clocks as verdicts
from portal.verdicts.events import VerdictAsked
from portal.workflows import letters as workflow_letters
from portal.workflows import reactions as workflow_reactions
from portal.workflows.events import (
    WorkflowChanged,
    WorkflowProposalAccepted,
    WorkflowProposalRefused,
    WorkflowProposed,
)

REACTIONS: dict[type[Event], tuple[events.Reaction, ...]] = {
    MemberRegistered: (notifications.ask_to_confirm_address, membership.tell_moderators),
    RulesPublished: (membership.tell_of_rules, portal_reactions.note_rules_in_inboxes),
    RoleChanged: (portal_reactions.note_role_in_inbox,),
    MailStuck: (portal_reactions.tell_admins_of_stuck_mail,),
    MailFlows: (portal_reactions.tell_admins_of_flowing_mail,),
    ConfirmationWanted: (notifications.ask_to_confirm_address,),
    IdeaSubmitted: (
        search.index_idea,
        scan.compare_idea,
        notifications.tell_of_receipt,
        demand.forget_those_who_posted,
    ),
    IdeaPublished: (search.index_idea, scan.compare_idea, notifications.tell_of_publication),
    IdeaHidden: (search.index_idea, notifications.tell_of_hiding),
    IdeaRemoved: (search.index_idea,),
    IdeaEdited: (search.index_idea, scan.compare_idea),
    IdeaMoved: (
        search.index_idea,
        team_reactions.count_late_promise_as_read,
        notifications.tell_of_move,
        team_reactions.tell_who_asked,
        verdicts.plan_to_ask,
    ),
    IdeaAnswered: (search.index_idea, team_reactions.count_late_promise_as_read, notifications.tell_of_answer),
    MoveUndone: (
        search.index_idea,
        notifications.tell_of_undone_move,
        verdicts.end_after_undo,
        decisions.watch_what_stands_again,
    ),
    HidingUndone: (search.index_idea, notifications.forget_undone_hiding),
    PublishingUndone: (search.index_idea, notifications.forget_undone_publication),
    AnswerUndone: (search.index_idea, notifications.forget_undone_answer),
    IdeaMerged: (
        search.index_idea,
        duplicates.remember_merge,
        notifications.tell_of_merge,
        team_reactions.count_late_promise_as_read,
        decisions.see_whether_it_returns,
    ),
    MergeUndone: (
        search.index_idea,
        duplicates.remember_undo,
        notifications.tell_of_undone_merge,
        notifications.count_objection_as_read,
        decisions.watch_what_stands_again,
    ),
    MergeObjected: (
        duplicates.remember_objection,
        notifications.tell_of_objection,
    ),
    ObjectionTakenBack: (notifications.count_objection_as_read, decisions.see_whether_it_returns),
    PromiseMissed: (team_reactions.tell_owner_of_late_promise,),
    PromiseRenewed: (team_reactions.count_late_promise_as_read,),
    ProposalSettled: (notifications.tell_proposer,),
    InfoStillNeeded: (notifications.remind_of_question,),
    OwnerAssigned: (team_reactions.tell_owner,),
    BoardChanged: (search.index_idea,),
    BoardEdited: (search.index_board,),
    VoteCast: (notifications.tell_author_of_votes, decisions.see_whether_it_returns),
    NeedRepeated: (decisions.see_whether_it_returns,),
    VoteCastForSomebody: (notifications.tell_of_vote_given, decisions.see_whether_it_returns),
    OrganisationSpokenFor: (decisions.see_whether_it_returns,),
    VotesGivenBack: (decisions.see_whether_it_returns,),
    VoteWithdrawn: (demand.forget_those_who_withdrew,),
    CreditOffered: (notifications.ask_about_credit,),
    VerdictAsked: (notifications.ask_for_verdicts,),
    CommentPosted: (search.index_idea, notifications.tell_of_comment),
    TagsChanged: (changes.watch_idea,),
    LabelsChanged: (changes.watch_idea,),
    WorkflowProposed: (workflow_reactions.tell_admins_of_proposal,),
    WorkflowChanged: (workflow_reactions.count_proposal_as_read,),
    WorkflowProposalAccepted: (workflow_reactions.tell_proposer,),
    WorkflowProposalRefused: (workflow_reactions.count_proposal_as_read, workflow_reactions.tell_proposer),
    MatchesFound: (team_reactions.tell_of_matches,),
    NoteWritten: (team_reactions.tell_of_note,),
    NoteDeleted: (team_reactions.count_note_as_read,),
    ReviewAsked: (team_reactions.ask_reviewer,),
    DraftReviewed: (team_reactions.tell_of_review,),
    DraftPublished: (team_reactions.tell_of_review,),
    DraftHeldBack: (team_reactions.tell_of_held_back,),
    CommentEdited: (search.index_idea,),
    CommentDeleted: (search.index_idea, notifications.count_comment_as_read),
}

LETTERS: dict[str, sending.Writer] = {
    service.CONFIRM: letters.confirmation_letter,
    inbound_letters.LETTER: inbound_letters.reply_letter,
    digests.LETTER: digest_letters.digest_letter,
    factors.NOTICE: notices.second_factor_letter,
    invitations.LETTER: membership_letters.invitation_letter,
    invitations.SAMPLE: membership_letters.sample_letter,
    people.APPROVED: membership_letters.approved_letter,
    people.DECLINED: membership_letters.declined_letter,
    people.SUSPENDED: membership_letters.suspended_letter,
    people.LIFTED: membership_letters.lifted_letter,
    people.ROLE: membership_letters.role_letter,
    membership.WAITING: membership_letters.waiting_letter,
    membership.RULES: membership_letters.rules_letter,
    sso.LINKED_LETTER: sso_letters.linked_letter,
    sso.UNLINKED_LETTER: sso_letters.unlinked_letter,
    sso.ADDRESS_LETTER: sso_letters.address_letter,
    credentials.SIGN_UP_LETTER: credential_letters.sign_up_letter,
    credentials.SIGN_IN_LETTER: credential_letters.sign_in_letter,
    credentials.RESET_LETTER: credential_letters.new_password_letter,
    credentials.PASSWORD_CHANGED_LETTER: credential_letters.password_changed_letter,
    addresses.NEW_ADDRESS_LETTER: credential_letters.new_address_letter,
    addresses.AGREE_LETTER: credential_letters.agree_letter,
    addresses.CHANGED_LETTER: credential_letters.address_changed_letter,
    credential_letters.PROOF_LETTER: credential_letters.proof_letter,
    security.NEW_BROWSER: security_letters.new_browser_letter,
    turns.TRIAGE_NOTE: triage_letters.triage_note,
    promises.LETTER: promise_letters.late_promises_letter,
    watching.LETTER: search_letters.saved_searches_letter,
    quarter_letters.LETTER: quarter_letters.quarter_letter,
    workflow_letters.PROPOSED_LETTER: workflow_letters.proposed_letter,
    workflow_letters.SETTLED_LETTER: workflow_letters.settled_letter,
    bulk_telling.LETTER: bulk_letters.letter_about_many,
    bulk_telling.UNDONE_LETTER: bulk_letters.letter_about_many,
    mail_proof.LETTER: mail_proof.test_letter,
    LEAVING_LETTER: privacy_letters.leaving_letter,
    EXPORT_LETTER: privacy_letters.export_letter,
}
"""Who writes which letter about an account: one entry for each kind of mail that is not about an idea."""

NEWS_LETTERS = frozenset(
    {
        promises.LETTER,
        watching.LETTER,
        quarter_letters.LETTER,
        workflow_letters.PROPOSED_LETTER,
        workflow_letters.SETTLED_LETTER,
        bulk_telling.LETTER,
        bulk_telling.UNDONE_LETTER,
        digests.LETTER,
        turns.TRIAGE_NOTE,
    }
)
"""Those that are news all the same: they wait for quiet hours to end, and do not go out during a pause."""

BESIDE_MOVES: tuple[Callable[..., None], ...] = (record_move,)
"""What is written in the transaction of a move itself, by features that ideas know nothing of."""

CHORES: tuple[Callable[[], int], ...] = (
    outbox.work_off,
    bulk.carry_on,
    bulk_telling.tell_together,
    bulk.tidy,
    search.index_pending,
    scan.look,
    duplicates.tell_proposers,
    watching.tell_of_changed,
    watching.tell_of_counted,
    watching.mail_of_the_day,
    digests.make_due,
    mailbox.look,
    scheduling.publish_due,
    sending.send_due,
    line.watch,
    pushing.send_due,
    clocks.return_to_review,
    clocks.remind_of_questions,
    verdicts.ask_due,
    verdicts.conclude_due,
    quarter_letters.send_last_quarter,
    weekly.write_to_team,
    promises.note_missed,
    promises.raise_late,
    decision_clocks.return_when_met,
    changelog.publish_due,
    domains.sort_by_domain,
    scores.count_again,
    gathering.make_exports,
    gathering.remove_old_exports,
    privacy.erase_those_who_left,
    links.forget_old,
    handover.forget_hand_overs,
    retention.forget_what_is_old,
    asides.forget_old,
    talk.forget_deleted_notes,
)
"""What the worker does over and over; each says how much it did."""


def init_app(app: Flask) -> None:
    """Give the tables to those who carry them out."""
    app.extensions["reactions"] = REACTIONS
    app.extensions["reactions_by_name"] = {
        events.name_of(reaction): reaction for reactions in REACTIONS.values() for reaction in reactions
    }
    app.extensions["letters"] = LETTERS
    app.extensions["news_letters"] = NEWS_LETTERS
    app.extensions["beside_moves"] = BESIDE_MOVES
    app.extensions["names_of_searches"] = saved.names_of
    app.extensions["chores"] = CHORES
