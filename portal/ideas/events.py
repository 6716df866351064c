"""What can happen to ideas."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class IdeaSubmitted(Event, name="idea.submitted"):
    """A member posted an idea; it may still be held."""


@dataclass(frozen=True, kw_only=True)
class IdeaPublished(Event, name="idea.published"):
    """A held or hidden idea was let through."""

    before: str = "held"  # how it was shown until then
    since: str | None = None  # from when it counted as posted, and when its next word was due, until then
    due: str | None = None
    trusted: bool = False  # whether its author's ideas were held until then


@dataclass(frozen=True, kw_only=True)
class PublishingUndone(Event, name="idea.publishing_undone"):
    """An idea was let through by mistake, and is where it was."""

    published_by: int  # the event


@dataclass(frozen=True, kw_only=True)
class IdeaHidden(Event, name="idea.hidden"):
    """A moderator took an idea out of sight."""

    reason: str
    before: str = "published"  # how it was shown until then


@dataclass(frozen=True, kw_only=True)
class HidingUndone(Event, name="idea.hiding_undone"):
    """An idea was taken out of sight by mistake, and is where it was."""

    hidden_by: int  # the event


@dataclass(frozen=True, kw_only=True)
class IdeaRemoved(Event, name="idea.removed"):
    """Its author took an idea back."""


@dataclass(frozen=True, kw_only=True)
class IdeaEdited(Event, name="idea.edited"):
    """Title or text changed; the revision has what stood there before."""

    revision_id: int


@dataclass(frozen=True, kw_only=True)
class IdeasImported(Event, name="idea.imported"):
    """Ideas came in from another place, silently."""

    source: str
    count: int


@dataclass(frozen=True, kw_only=True)
class VoteCast(Event, name="idea.vote_cast"):
    """A member put themselves behind an idea."""


@dataclass(frozen=True, kw_only=True)
class VoteWithdrawn(Event, name="idea.vote_withdrawn"):
    """A member took their vote back."""


@dataclass(frozen=True, kw_only=True)
class IdeaFollowed(Event, name="idea.followed"):
    """Somebody asked to be told of changes."""


@dataclass(frozen=True, kw_only=True)
class IdeaUnfollowed(Event, name="idea.unfollowed"):
    """Somebody asked not to be told any more."""


@dataclass(frozen=True, kw_only=True)
class IdeaMoved(Event, name="idea.moved"):
    """An idea changed its status; an official answer may have come with it."""

    change_id: int
    source: str
    target: str
    answer_id: int | None = None
    source_stage: str = ""
    target_stage: str = ""
    news: str = ""  # of what importance; events from before admins could decide it say nothing
    tells: list[str] | None = None  # for which reasons people hear of it
    tell: str = "everybody"
    act_id: int | None = None  # the act on many ideas that it was part of


@dataclass(frozen=True, kw_only=True)
class MoveUndone(Event, name="idea.move_undone"):
    """A move was taken back: the idea stands as if it had not been made."""

    change_id: int
    source: str  # where the move had led, and the idea no longer stands
    target: str  # where it stands again
    withdrawn_id: int | None = None  # the answer that came with the move, taken back too
    tell: str = "everybody"
    act_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class AnswerUndone(Event, name="idea.answer_undone"):
    """What the team said in public without a move was taken back."""

    answer_id: int


@dataclass(frozen=True, kw_only=True)
class IdeaAnswered(Event, name="idea.answered"):
    """The team said something in public without moving the idea."""

    answer_id: int


@dataclass(frozen=True, kw_only=True)
class IdeaMerged(Event, name="idea.merged"):
    """An idea was joined to a main idea."""

    into_id: int
    change_id: int


@dataclass(frozen=True, kw_only=True)
class MergeUndone(Event, name="idea.merge_undone"):
    """A merge was taken back; votes and status are as before."""

    from_id: int
    change_id: int
    merge_id: int | None = None  # the change that was the merge


@dataclass(frozen=True, kw_only=True)
class MergeObjected(Event, name="idea.merge_objected"):
    """A supporter of a merged idea said that the main one is not what they meant."""

    into_id: int
    change_id: int


@dataclass(frozen=True, kw_only=True)
class ObjectionTakenBack(Event, name="idea.objection_taken_back"):
    """Somebody came along with a merge after all."""

    into_id: int
    change_id: int


@dataclass(frozen=True, kw_only=True)
class PairRefused(Event, name="idea.pair_refused"):
    """The team looked at two ideas and said that they are not the same."""

    other_id: int


@dataclass(frozen=True, kw_only=True)
class PairReopened(Event, name="idea.pair_reopened"):
    """That two ideas are not the same was taken back."""

    other_id: int


@dataclass(frozen=True, kw_only=True)
class OwnerAssigned(Event, name="idea.owner_assigned"):
    """Somebody became responsible for an idea."""

    owner_id: int | None
    tell: str = "everybody"
    act_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class TeamAssigned(Event, name="idea.team_assigned"):
    """A team took an idea over, or none looks after it any more; its name then, for when the team is gone."""

    team_id: int | None
    called: str


@dataclass(frozen=True, kw_only=True)
class BoardChanged(Event, name="idea.board_changed"):
    """An idea went to another board."""

    from_board_id: int
    to_board_id: int


@dataclass(frozen=True, kw_only=True)
class TagsChanged(Event, name="idea.tags_changed"):
    """An idea was given other tags."""

    tags: list[str]


@dataclass(frozen=True, kw_only=True)
class InfoStillNeeded(Event, name="idea.info_still_needed"):
    """A question to the author has waited for a week."""


@dataclass(frozen=True, kw_only=True)
class AddressRevealed(Event, name="idea.address_revealed"):
    """Somebody of the team read the mail address of somebody behind an idea, for a reason."""

    user_id: int
    reason: str
