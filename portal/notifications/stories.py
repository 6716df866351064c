"""What a notification says: one story, told in the inbox and in the mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from portal.accounts.models import Person, User
from portal.comments.models import Comment
from portal.db import utcnow
from portal.ideas.merges import WINDOW
from portal.ideas.models import Answer, Idea, StatusChange
from portal.ideas.workflow import Status, StatusRule, rule_of
from portal.notifications.models import Notification
from portal.notifications.policy import TEAM_KINDS, Kind, Reason
from portal.notifications.team import TeamTalk
from portal.notifications.wording import BECAUSE, WHY
from portal.text import plain
from portal.web.dates import day

ALSO = 5  # titles that one line names besides its own


def place_in(facts: Mapping[str, Any], end: str) -> StatusRule | None:
    """Return where a move began or led, as the journal has it."""
    return rule_of(Status(facts[end]), str(facts.get(f"{end}_stage", ""))) if end in facts else None


@dataclass(frozen=True, slots=True)
class Story:
    """One notification with all that is shown of it, as far as its reader may see it now."""

    notification: Notification
    idea: Idea
    kind: Kind
    reason: Reason
    actor: User | None = None
    source: StatusRule | None = None
    target: StatusRule | None = None
    answer: Answer | None = None
    comment: Comment | None = None
    change: StatusChange | None = None
    main: Idea | None = None
    hidden_because: str = ""
    entry_id: int | None = None  # of the changelog
    round_id: int | None = None  # of the question whether it helped
    verdict: str = ""  # on what its reader had proposed
    objections: int = 0
    search_id: int | None = None  # of the kept search that it answers
    search_name: str = ""
    also: Sequence[Idea] = ()  # what answers it besides
    team: TeamTalk | None = None  # what only the team may read

    @property
    def is_moot(self) -> bool:
        """Whether what it told of was taken back, so that there is nothing left to say."""
        match self.kind:
            case Kind.MERGE_OBJECTED:
                return not self.objections
            case Kind.ANSWERED:
                return self.answer is not None and self.answer.taken_back_at is not None
            case Kind.ASSIGNED:
                return self.idea.owner_id != self.notification.user_id
            case Kind.PROMISE_LATE:
                due, theirs = self.idea.due_at, self.idea.owner_id == self.notification.user_id
                return not theirs or due is None or due >= utcnow()
            case Kind.COMMENTED | Kind.REPLIED | Kind.MENTIONED:
                return self.comment is None or self.comment.deleted_at is not None
            case Kind.MOVE_UNDONE:
                return False
            case Kind.NOTED | Kind.REVIEW_ASKED | Kind.REVIEWED | Kind.HELD_BACK:
                return self.team is None or self.team.is_gone
        return self.change is not None and self.change.undone_at is not None

    def is_for(self, reader: Person) -> bool:
        """Whether its reader may know of it: the talk of the team is for those who work there now."""
        if self.kind is Kind.MATCHED:
            return reader.works_here
        return self.kind not in TEAM_KINDS or reader.reads_as_staff_on(self.idea.board_id)

    @property
    def still_joined(self) -> bool:
        """Whether the merge it tells of still stands; its moment is the one since which the idea is merged."""
        merged = self.idea.status is Status.MERGED
        return merged and self.change is not None and self.idea.status_since == self.change.at

    @property
    def objectable_until(self) -> datetime | None:
        """Until when its reader may say that a merge is not what they meant; None where they may not."""
        if self.kind is not Kind.MERGED or self.reason is Reason.OWNER or not self.still_joined or not self.change:
            return None
        until = self.change.at + WINDOW
        return until if utcnow() < until else None

    @property
    def is_comment(self) -> bool:
        """Whether it tells of somebody's words in the discussion."""
        return self.kind in {Kind.COMMENTED, Kind.REPLIED, Kind.MENTIONED}

    @property
    def asks_for_words(self) -> bool:
        """Whether its reader is likely to answer in the discussion."""
        return self.is_comment or self.kind in {Kind.NEEDS_INFO, Kind.QUESTION_REMINDER}

    @property
    def place(self) -> str:
        """The id of what it tells of on the idea's page; empty for the top."""
        if self.kind is Kind.VERDICT_ASKED:
            return "verdict"
        return f"comment-{self.comment.id}-said" if self.comment else ""

    @property
    def who(self) -> str:
        """The name of whoever did it."""
        return self.actor.shown_name if self.actor else str(_("Somebody"))

    @property
    def why(self) -> str:
        """One line that says why the reader is told."""
        if self.kind is Kind.VOTED:
            votes = self.idea.votes
            return ngettext("%(num)d person is behind your idea now", "%(num)d people are behind your idea now", votes)
        if self.kind is Kind.MATCHED:
            return ngettext(
                "%(num)d new idea for your search “%(name)s”",
                "%(num)d new ideas for your search “%(name)s”",
                1 + len(self.also),
                name=self.search_name or "…",
            )
        if self.kind is Kind.MERGE_OBJECTED:
            return ngettext(
                "%(num)d person says of a merge: this is not what I meant",
                "%(num)d people say of a merge: this is not what I meant",
                self.objections,
            )
        shipped = self.target is not None and self.target.kind is Status.SHIPPED
        if shipped and self.reason in {Reason.AUTHOR, Reason.VOTER} and self.idea.votes > 1:
            return _("Shipped. You were one of %(number)s who asked", number=self.idea.votes)
        if self.team:
            return self.team.why(self.who, self.reason)
        return str(WHY[self.kind][self.reason]) % {"who": self.who}

    @property
    def because(self) -> str:
        """The sentence at the foot of a mail that says why it came."""
        return str(BECAUSE.get(self.kind) or BECAUSE[self.reason])

    @property
    def quote(self) -> str:
        """The words that matter, as their author wrote them, in Markdown."""
        if self.is_comment:
            return self.comment.body if self.comment else ""
        if self.kind is Kind.HIDDEN:
            return self.hidden_because
        if self.team:
            return self.team.words
        if self.kind is Kind.MOVE_UNDONE:
            return ""
        if self.answer:
            return self.answer.body
        if not self.change or self.change.overrides or self.kind is Kind.MERGE_OBJECTED:
            return ""
        return self.change.notice or self.change.reason

    @property
    def quoted(self) -> str:
        """Whose words they are; what the portal says by itself is nobody's."""
        if self.kind is Kind.HELD_BACK:
            return ""
        if self.is_comment or self.team:
            return self.who
        speaker = self.answer.author if self.answer else self.actor if self.change else None
        return speaker.speaks_as if speaker else ""

    @property
    def short_quote(self) -> str:
        """The words that matter, cut to what two lines hold."""
        return _short(self.quote) if self.quote else ""

    @property
    def sentences(self) -> list[str]:
        """What to know beyond the words: what happens next, and what the reader can do."""
        idea, due = self.idea, self.idea.due_at
        match self.kind:
            case Kind.RECEIVED if not idea.is_published:
                return [_("A moderator looks at first ideas, usually within a day. You hear from us when it is out.")]
            case Kind.RECEIVED | Kind.PUBLISHED if due:
                return [_("You get a first answer by %(date)s. Until then others can vote and comment.", date=day(due))]
            case Kind.HIDDEN:
                return [_("You can still see it yourself. If you think this is a mistake, write to us.")]
            case Kind.MERGED:
                return self._of_merge()
            case Kind.MERGE_OBJECTED if self.main:
                return [_("It was joined with “%(title)s”. What they meant stands in triage.", title=self.main.title)]
            case Kind.PROPOSAL_SETTLED if self.main:
                return [_of_proposal(self.verdict, self.main)]
            case Kind.MATCHED if self.also:
                return [_("And: %(titles)s", titles=" · ".join(idea.title for idea in self.also[:ALSO]))]
            case Kind.CREDITED:
                return [_("It came out, and you had a part in it. Until you say yes the changelog says “a member”.")]
            case Kind.SPOKEN_FOR:
                return [_("You asked for this elsewhere. If you did not, take the vote back on the page of the idea.")]
            case Kind.VERDICT_ASKED:
                return [_("It came out some time ago, and you asked for it. Your answer decides what becomes of it.")]
            case Kind.QUESTION_REMINDER:
                return [_("Answer with a comment. Without an answer we go on with what we know.")]
            case Kind.NEEDS_INFO if self.reason is Reason.AUTHOR:
                return [_("Answer with a comment under your idea.")]
            case Kind.PROMISE_LATE if due:
                return [_("Everybody reads that we promised a word by %(date)s.", date=day(due))]
            case Kind.ASSIGNED if due:
                return [_("The next word on it is due by %(date)s.", date=day(due))]
            case Kind.MOVE_UNDONE if self.target:
                return [_("It is %(status)s again, as it was before.", status=self.target.label)]
            case Kind.DECIDED | Kind.PROGRESSED | Kind.ANSWERED if due:
                return [_("Next update by %(date)s.", date=day(due))]
        return []

    def _of_merge(self) -> list[str]:
        said = []
        if self.main:
            said.append(_("It now lives in “%(title)s”, and votes for it count there.", title=self.main.title))
        until = self.objectable_until
        if until and self.reason not in {Reason.AUTHOR, Reason.VOTER}:
            said.append(_("If that is not what you meant, say so by %(date)s.", date=day(until)))
        elif until:
            said.append(
                _("If that is not what you meant, say so by %(date)s, and you get your vote back.", date=day(until))
            )
        return said


@lru_cache(200)  # many hear the same words
def _short(quote: str) -> str:
    return plain(quote, 180)


def _of_proposal(verdict: str, main: Idea) -> str:
    if verdict == "merged":
        return _("You were right: it was joined with “%(title)s”.", title=main.title)
    if verdict == "refused":
        return _(
            "The team thinks it is something else than “%(title)s”, so both stay. Thank you for looking.",
            title=main.title,
        )
    return _("The team agrees about “%(title)s”. Where these are, ideas stay apart.", title=main.title)
