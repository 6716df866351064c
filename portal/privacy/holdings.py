"""What the portal holds about people: where it stands, where it goes in an export, and what erasing makes of it.

Every column that refers to an account has a row here; a test compares this table with the database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy.orm import InstrumentedAttribute

from portal.accounts.models import AuthSession, Picture, RulesAcceptance
from portal.boards.models import BoardMember
from portal.bulk.models import BulkAct
from portal.changelog.models import Credit, CreditChoice, Entry
from portal.comments.models import Comment, CommentMention, CommentRevision, Helpful, RevisionMention
from portal.credentials.models import Authenticator, KnownBrowser, MailedLink, Passkey, RecoveryCode
from portal.decisions.models import Decision as DecisionRecord
from portal.decisions.models import Need
from portal.demand.models import Receipt, SetAside
from portal.duplicates.models import Decision, Pair, Proposal
from portal.events import EventRecord
from portal.feeds.models import FeedAddress
from portal.ideas.models import Answer, Draft, Follow, Idea, Objection, Revision, StatusChange, Vote, VoteSetAside
from portal.links.models import Link, NeedBacker
from portal.membership.models import Invitation
from portal.notifications.digests.models import Digest, DigestClock, UnwantedLetter
from portal.notifications.models import CaughtMail, Mail, Notification, ReceivedMail
from portal.notifications.reach import BoardChoice, Reach, TopicChoice
from portal.organisations.models import OrganisationMember, OrganisationVote, SegmentMember
from portal.privacy.models import Export
from portal.push.models import Push, Subscription
from portal.scores.models import IdeaScore
from portal.search.models import SavedSearch
from portal.security.models import SecurityEntry
from portal.sso.models import Identity
from portal.talk.models import AnswerDraft, DraftRemark, Note, NoteMention, ScheduledDraft, Snippet
from portal.teams.models import TeamMember
from portal.triage.models import Aside, Presence
from portal.verdicts.models import Verdict
from portal.workflows.models import WorkflowVersion


class Fate(Enum):
    """What becomes of a row when the person it refers to is erased."""

    GOES = "goes"  # the whole row is deleted
    STAYS = "stays"  # the row is whole without the person: only the number of an empty account is left in it
    IS_FREED = "is freed"  # it stays, and refers to nobody


@dataclass(frozen=True, slots=True)
class Holding:
    """One column that refers to people."""

    column: InstrumentedAttribute[Any]
    section: str  # the name of its file in an export
    fate: Fate
    only: tuple[str, ...] = ()  # what of the row is about the person; empty: all but secrets and inner workings
    leaves_out: tuple[str, ...] = ()
    emptied: dict[str, Any] = field(default_factory=dict)  # what of a row that stays is about the person

    @property
    def model(self) -> Any:
        """The table's model."""
        return self.column.class_

    @property
    def name(self) -> str:
        """The column as the database calls it."""
        return f"{self.model.__tablename__}.{self.column.key}"


HOLDINGS = (
    Holding(Idea.author_id, "ideas", Fate.STAYS, leaves_out=("heat", "owner_id", "team_id", "reminded_at", "excerpt")),
    Holding(Revision.editor_id, "ideas_before_edits", Fate.STAYS),
    Holding(Comment.author_id, "comments", Fate.STAYS),
    Holding(CommentRevision.editor_id, "comments_before_edits", Fate.STAYS),
    Holding(Vote.voter_id, "votes", Fate.STAYS, leaves_out=("cast_by_id",), emptied={"note": ""}),
    Holding(Vote.cast_by_id, "votes_given_for_others", Fate.STAYS, only=("idea_id", "cast_at")),
    Holding(VoteSetAside.voter_id, "votes_not_counted", Fate.STAYS, only=("idea_id", "at"), emptied={"reason": ""}),
    Holding(VoteSetAside.by_id, "votes_set_aside", Fate.STAYS, only=("idea_id", "at", "reason")),
    Holding(OrganisationMember.user_id, "belonging", Fate.GOES, leaves_out=("by_id",)),
    Holding(OrganisationMember.by_id, "belonging_decided", Fate.STAYS, only=("organisation_id", "at")),
    Holding(OrganisationVote.cast_by_id, "organisations_spoken_for", Fate.STAYS, only=("idea_id", "cast_at", "note")),
    Holding(SegmentMember.user_id, "segments", Fate.GOES),
    Holding(IdeaScore.by_id, "scores_given", Fate.STAYS, only=("idea_id", "at")),
    Holding(Objection.user_id, "merges_objected_to", Fate.STAYS, emptied={"words": ""}),
    Holding(Need.user_id, "still_needed", Fate.STAYS, emptied={"words": ""}),
    Holding(DecisionRecord.decider_id, "decisions", Fate.STAYS, only=("idea_id", "status", "at", "evidence")),
    Holding(CommentMention.user_id, "comments_that_name_you", Fate.GOES, only=("comment_id", "handle")),
    Holding(RevisionMention.user_id, "edited_comments_that_named_you", Fate.GOES, only=("handle",)),
    Holding(Helpful.user_id, "found_helpful", Fate.STAYS),
    Holding(Follow.user_id, "follows", Fate.GOES),
    Holding(
        Receipt.user_id,
        "backed_instead_of_posting",
        Fate.GOES,
        only=("idea_id", "typed", "differs", "origin", "way", "at", "edited_at"),
    ),
    Holding(Draft.user_id, "draft", Fate.GOES),
    Holding(Notification.user_id, "inbox", Fate.GOES, only=("idea_id", "kind", "reason", "way", "at", "read_at")),
    Holding(Reach.user_id, "when_you_are_reached", Fate.GOES, leaves_out=("links_key",)),
    Holding(DigestClock.user_id, "next_digest", Fate.GOES),
    Holding(Digest.user_id, "digests", Fate.GOES, only=("due_at", "made_at")),
    Holding(UnwantedLetter.user_id, "unwanted_letters", Fate.GOES),
    Holding(TopicChoice.user_id, "what_reaches_you", Fate.GOES),
    Holding(BoardChoice.user_id, "what_reaches_you_from_boards", Fate.GOES),
    Holding(Mail.user_id, "mails", Fate.GOES, only=("kind", "recipient", "queued_at", "done_at", "suppressed")),
    Holding(ReceivedMail.user_id, "mails_you_sent_us", Fate.GOES, only=("what", "outcome", "idea_id", "at")),
    Holding(SavedSearch.user_id, "kept_searches", Fate.GOES, only=("name", "query", "shared", "alert", "saved_at")),
    Holding(Verdict.user_id, "verdicts", Fate.STAYS, emptied={"words": ""}),
    Holding(FeedAddress.user_id, "private_feeds", Fate.GOES, only=("made_at",)),
    Holding(Subscription.user_id, "browsers_told_at_once", Fate.GOES, only=("browser", "made_at", "told_at")),
    Holding(Push.user_id, "told_at_once", Fate.GOES, only=("kind", "queued_at", "done_at", "suppressed")),
    Holding(Aside.user_id, "ideas_put_aside", Fate.GOES, only=("idea_id", "queue", "at", "until")),
    Holding(Presence.user_id, "idea_looked_at", Fate.GOES, only=("idea_id", "since", "seen_at")),
    Holding(AuthSession.user_id, "signed_in_devices", Fate.GOES),
    Holding(KnownBrowser.user_id, "known_browsers", Fate.GOES),
    Holding(Identity.user_id, "linked_sign_ins", Fate.GOES),
    Holding(Passkey.user_id, "passkeys", Fate.GOES),
    Holding(Authenticator.user_id, "authenticator", Fate.GOES),
    Holding(RecoveryCode.user_id, "recovery_codes", Fate.GOES),
    Holding(
        MailedLink.user_id, "mailed_links", Fate.GOES, only=("purpose", "email", "made_at", "expires_at", "used_at")
    ),
    Holding(RulesAcceptance.user_id, "agreements", Fate.GOES),
    Holding(SecurityEntry.user_id, "security_log", Fate.STAYS, emptied={"address": "", "browser": "", "data": {}}),
    Holding(
        SecurityEntry.actor_id,
        "acts_on_other_accounts",
        Fate.STAYS,
        only=("at", "kind", "address", "browser"),
        emptied={"address": "", "browser": ""},
    ),
    Holding(BoardMember.user_id, "places_on_boards", Fate.GOES, leaves_out=("added_by_id",)),
    Holding(BoardMember.added_by_id, "places_given_to_others", Fate.STAYS, only=("board_id", "added_at")),
    Holding(
        Invitation.invited_by_id,
        "invitations_sent",
        Fate.STAYS,
        only=("email", "role", "board_id", "note", "invited_at", "expires_at", "accepted_at", "withdrawn_at"),
        emptied={"note": ""},
    ),
    Holding(
        Invitation.accepted_by_id,
        "invitation_accepted",
        Fate.STAYS,
        only=("email", "role", "board_id", "note", "invited_at", "accepted_at"),
        emptied={"email": "", "note": ""},
    ),
    Holding(Credit.user_id, "parts_in_what_came_out", Fate.GOES),
    Holding(CreditChoice.user_id, "being_named", Fate.GOES),
    Holding(Entry.author_id, "changelog_entries", Fate.STAYS, only=("title", "body", "made_at", "published_at")),
    Holding(Entry.scheduled_by_id, "changelog_scheduled", Fate.IS_FREED, only=("title", "publish_at", "timezone")),
    Holding(Export.user_id, "exports", Fate.GOES, only=("asked_at", "done_at", "expires_at", "size")),
    Holding(Picture.user_id, "picture", Fate.GOES),
    Holding(Answer.author_id, "official_answers", Fate.STAYS),
    Holding(WorkflowVersion.author_id, "workflows", Fate.STAYS, only=("at", "state", "reason")),
    Holding(StatusChange.actor_id, "status_changes", Fate.STAYS, only=("idea_id", "source", "target", "at", "reason")),
    Holding(TeamMember.user_id, "teams", Fate.GOES),
    Holding(Link.made_by_id, "ideas_tied_together", Fate.STAYS, only=("idea_id", "other_id", "kind", "made_at")),
    Holding(NeedBacker.user_id, "needs_backed", Fate.STAYS),
    Holding(
        BulkAct.actor_id,
        "acts_on_many_ideas",
        Fate.STAYS,
        only=("kind", "chosen", "tell", "planned_at", "begun_at", "done_at", "undone_at"),
    ),
    Holding(Idea.owner_id, "ideas_looked_after", Fate.IS_FREED, only=("id", "title")),
    Holding(Receipt.hidden_by_id, "lines_hidden", Fate.STAYS, only=("idea_id", "hidden_at")),
    Holding(SetAside.by_id, "searches_set_aside", Fate.STAYS, only=("stems", "verdict", "at")),
    Holding(
        Proposal.proposer_id, "duplicates_proposed", Fate.STAYS, only=("idea_id", "why", "at"), emptied={"why": ""}
    ),
    Holding(Pair.decided_by_id, "pairs_decided", Fate.STAYS, only=("first_id", "second_id", "state", "decided_at")),
    Holding(Decision.actor_id, "verdicts_on_duplicates", Fate.STAYS, only=("first_id", "second_id", "verdict", "at")),
    Holding(Note.author_id, "notes_for_the_team", Fate.STAYS, only=("idea_id", "body", "at", "edited_at")),
    Holding(NoteMention.user_id, "notes_that_name_you", Fate.GOES, only=("handle",)),
    Holding(AnswerDraft.author_id, "answers_drafted", Fate.STAYS, only=("idea_id", "target", "shown", "made_at")),
    Holding(AnswerDraft.edited_by_id, "drafts_edited", Fate.STAYS, only=("idea_id", "target", "edited_at")),
    Holding(AnswerDraft.reviewer_id, "drafts_to_look_at", Fate.IS_FREED, only=("idea_id", "target", "asked_at")),
    Holding(ScheduledDraft.by_id, "drafts_planned", Fate.IS_FREED, only=("draft_id", "set_at", "publish_at")),
    Holding(DraftRemark.author_id, "words_about_drafts", Fate.STAYS, only=("verdict", "body", "at")),
    Holding(Snippet.owner_id, "wording_kept", Fate.GOES, only=("name", "body", "edited_at")),
    Holding(Comment.deleted_by_id, "comments_removed", Fate.STAYS, only=("idea_id", "deleted_at")),
    Holding(EventRecord.actor_id, "journal", Fate.STAYS, only=("name", "at", "idea_id")),
)

ADDRESSES: tuple[InstrumentedAttribute[Any], ...] = (
    Mail.recipient,
    CaughtMail.recipient,
    MailedLink.email,
    Invitation.email,
    Identity.email,
)
"""Columns that hold mail addresses, also of rows that refer to no account."""

NEVER = frozenset(
    {
        *("token_hash", "nonce", "browser_hash", "code_hash", "sealed_secret", "public_key", "credential_id"),
        *("password_hash", "name_key", "image", "last_step", "sign_count"),
        *("locked_until", "locked_by", "attempts", "available_at", "error", "steps", "steps_done", "file"),
    }
)
"""Columns that leave the portal in no export: secrets, and what only the portal's own machinery reads."""
