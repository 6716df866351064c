"""Who is told of what, and how: the whole policy as one table."""

from __future__ import annotations

from enum import StrEnum

from portal.ideas.workflow import News, Status


class Kind(StrEnum):
    """What people can be told of."""

    RECEIVED = "received"
    PUBLISHED = "published"
    HIDDEN = "hidden"
    DECIDED = "decided"
    PROGRESSED = "progressed"
    NEEDS_INFO = "needs_info"
    QUESTION_REMINDER = "question_reminder"
    ANSWERED = "answered"
    COMMENTED = "commented"
    REPLIED = "replied"
    MENTIONED = "mentioned"
    VOTED = "voted"
    MERGED = "merged"
    MERGE_UNDONE = "merge_undone"
    MOVE_UNDONE = "move_undone"
    MERGE_OBJECTED = "merge_objected"
    ASSIGNED = "assigned"
    PROMISE_LATE = "promise_late"
    PROPOSAL_SETTLED = "proposal_settled"
    CREDITED = "credited"
    VERDICT_ASKED = "verdict_asked"
    MATCHED = "matched"
    SPOKEN_FOR = "spoken_for"
    QUESTION_SETTLED = "question_settled"
    NOTED = "noted"
    REVIEW_ASKED = "review_asked"
    REVIEWED = "reviewed"
    HELD_BACK = "held_back"
    RULES_CHANGED = "rules_changed"
    ROLE_CHANGED = "role_changed"
    MAIL_STUCK = "mail_stuck"
    MAIL_FLOWS = "mail_flows"
    WORKFLOW_PROPOSED = "workflow_proposed"
    WORKFLOW_SETTLED = "workflow_settled"


class Reason(StrEnum):
    """Why somebody is told, the strongest first; each person hears of an event once, for the strongest."""

    AUTHOR = "author"
    VOTER = "voter"
    COMMENTER = "commenter"
    FOLLOWER = "follower"
    OWNER = "owner"
    PROPOSER = "proposer"
    WATCHER = "watcher"
    MENTIONED = "mentioned"
    REVIEWER = "reviewer"
    WRITER = "writer"
    MEMBER = "member"


class Way(StrEnum):
    """Where the news arrives; the inbox has everything."""

    INBOX = "inbox"
    DIGEST = "digest"
    MAIL = "mail"


class Topic(StrEnum):
    """What people choose about: kinds of news that belong together for them, in the order of the page."""

    DECISIONS = "decisions"
    PROGRESS = "progress"
    ANSWERS = "answers"
    REPLIES = "replies"
    MENTIONS = "mentions"
    COMMENTS = "comments"
    MINE = "mine"
    VERDICTS = "verdicts"
    COMMUNITY = "community"
    SEARCHES = "searches"
    WORK = "work"


_inbox, _digest, _mail = Way.INBOX, Way.DIGEST, Way.MAIL
_author, _voter, _commenter, _follower, _owner, _proposer, _watcher, _mentioned, _reviewer, _writer, _member = Reason

POLICY: dict[Kind, dict[Reason, Way]] = {
    Kind.RECEIVED: {_author: _mail},
    Kind.PUBLISHED: {_author: _mail},
    Kind.HIDDEN: {_author: _mail},
    Kind.DECIDED: {_author: _mail, _voter: _mail, _commenter: _mail, _follower: _mail, _owner: _inbox},
    Kind.PROGRESSED: {_author: _mail, _voter: _digest, _commenter: _digest, _follower: _digest, _owner: _inbox},
    Kind.NEEDS_INFO: {_author: _mail, _voter: _inbox, _commenter: _inbox, _follower: _inbox},
    Kind.QUESTION_REMINDER: {_author: _mail},
    Kind.ANSWERED: {_author: _mail, _voter: _digest, _commenter: _digest, _follower: _digest, _owner: _inbox},
    Kind.COMMENTED: {_author: _digest, _commenter: _digest, _follower: _digest, _owner: _inbox},
    Kind.REPLIED: {_commenter: _mail},
    Kind.MENTIONED: {_mentioned: _mail},
    Kind.VOTED: {_author: _inbox},
    Kind.MERGED: {_author: _mail, _voter: _mail, _commenter: _inbox, _follower: _inbox, _owner: _inbox},
    Kind.MERGE_UNDONE: {_author: _mail, _voter: _mail, _commenter: _inbox, _follower: _inbox, _owner: _inbox},
    Kind.MOVE_UNDONE: {_author: _mail, _voter: _mail, _commenter: _mail, _follower: _mail, _owner: _inbox},
    Kind.MERGE_OBJECTED: {_owner: _inbox},
    Kind.ASSIGNED: {_owner: _mail},
    Kind.PROMISE_LATE: {_owner: _mail},
    Kind.PROPOSAL_SETTLED: {_proposer: _inbox},
    Kind.VERDICT_ASKED: {_author: _mail, _voter: _mail},
    Kind.CREDITED: {_author: _mail, _follower: _mail},
    Kind.MATCHED: {_watcher: _inbox},
    Kind.SPOKEN_FOR: {_voter: _mail},
    Kind.QUESTION_SETTLED: {_writer: _inbox},
    Kind.NOTED: {_mentioned: _mail, _owner: _inbox},
    Kind.REVIEW_ASKED: {_reviewer: _mail},
    Kind.REVIEWED: {_writer: _mail, _reviewer: _inbox},
    Kind.HELD_BACK: {_writer: _mail},
    Kind.RULES_CHANGED: {_member: _inbox},  # the letter about it goes to everybody with an account
    Kind.ROLE_CHANGED: {_member: _inbox},
    Kind.MAIL_STUCK: {_member: _inbox},
    Kind.MAIL_FLOWS: {_member: _inbox},
    Kind.WORKFLOW_PROPOSED: {_member: _mail},
    Kind.WORKFLOW_SETTLED: {_proposer: _mail},
}

TOPIC_OF: dict[Kind, Topic] = {
    Kind.RECEIVED: Topic.MINE,
    Kind.PUBLISHED: Topic.MINE,
    Kind.HIDDEN: Topic.MINE,
    Kind.DECIDED: Topic.DECISIONS,
    Kind.PROGRESSED: Topic.PROGRESS,
    Kind.NEEDS_INFO: Topic.PROGRESS,
    Kind.QUESTION_REMINDER: Topic.MINE,
    Kind.ANSWERED: Topic.ANSWERS,
    Kind.COMMENTED: Topic.COMMENTS,
    Kind.REPLIED: Topic.REPLIES,
    Kind.MENTIONED: Topic.MENTIONS,
    Kind.VOTED: Topic.MINE,
    Kind.MERGED: Topic.MINE,
    Kind.MERGE_UNDONE: Topic.MINE,
    Kind.MOVE_UNDONE: Topic.DECISIONS,
    Kind.MERGE_OBJECTED: Topic.WORK,
    Kind.ASSIGNED: Topic.WORK,
    Kind.PROMISE_LATE: Topic.WORK,
    Kind.PROPOSAL_SETTLED: Topic.MINE,
    Kind.CREDITED: Topic.COMMUNITY,
    Kind.VERDICT_ASKED: Topic.VERDICTS,
    Kind.MATCHED: Topic.SEARCHES,
    Kind.SPOKEN_FOR: Topic.MINE,
    Kind.QUESTION_SETTLED: Topic.WORK,
    Kind.NOTED: Topic.WORK,
    Kind.REVIEW_ASKED: Topic.WORK,
    Kind.REVIEWED: Topic.WORK,
    Kind.HELD_BACK: Topic.WORK,
    Kind.RULES_CHANGED: Topic.COMMUNITY,
    Kind.ROLE_CHANGED: Topic.COMMUNITY,
    Kind.MAIL_STUCK: Topic.WORK,
    Kind.MAIL_FLOWS: Topic.WORK,
    Kind.WORKFLOW_PROPOSED: Topic.WORK,
    Kind.WORKFLOW_SETTLED: Topic.WORK,
}
"""Under which heading people find their choice about each kind."""

STAFF_TOPICS = frozenset({Topic.SEARCHES, Topic.WORK})
"""What only those are asked about who work on a board."""

QUIETED_KINDS = frozenset({Kind.PROGRESSED, Kind.ANSWERED, Kind.COMMENTED, Kind.VOTED})
"""What nobody hears of an idea who asked for its decisions only."""

ONLY_HERE_KINDS = frozenset({Kind.VOTED})
"""What stands in the inbox alone, whatever somebody chose for all else under its heading."""

STATUS_KINDS = frozenset(
    {Kind.DECIDED, Kind.PROGRESSED, Kind.NEEDS_INFO, Kind.MERGED, Kind.MERGE_UNDONE, Kind.MOVE_UNDONE}
)
TEAM_KINDS = frozenset({Kind.NOTED, Kind.REVIEW_ASKED, Kind.REVIEWED, Kind.HELD_BACK})
"""What only those may read who work on the idea's board, now as then."""

ADMIN_KINDS = frozenset({Kind.MAIL_STUCK, Kind.MAIL_FLOWS, Kind.WORKFLOW_PROPOSED})
"""What only admins read, now as then."""
DECIDER_KINDS = frozenset({Kind.WORKFLOW_SETTLED})
"""What only those read who may propose a workflow, now as then."""
PORTAL_KINDS = ADMIN_KINDS | DECIDER_KINDS | {Kind.RULES_CHANGED, Kind.ROLE_CHANGED}
"""What is about no idea."""

PERSONAL_KINDS = TEAM_KINDS | frozenset(
    {
        Kind.RECEIVED,
        Kind.PUBLISHED,
        Kind.HIDDEN,
        Kind.QUESTION_REMINDER,
        Kind.CREDITED,
        Kind.ASSIGNED,
        Kind.SPOKEN_FOR,
        Kind.MENTIONED,
    }
)
"""What concerns one person in their part, and not as one of an audience."""

FOLDED_KINDS = frozenset({Kind.DECIDED, Kind.PROGRESSED, Kind.NEEDS_INFO, Kind.ANSWERED})
"""What the team does to an idea in a short while becomes one mail."""
HELD_KINDS = FOLDED_KINDS | {Kind.MERGED, Kind.MERGE_UNDONE, Kind.ASSIGNED, Kind.HIDDEN, Kind.PUBLISHED}
"""What can be taken back for a while, and so is not mailed before."""

VOTES_WORTH_TELLING = (1, 5, 10, 25, 50, 100)

_NEWS = {News.STEP: Kind.PROGRESSED, News.QUESTION: Kind.NEEDS_INFO, News.DECISION: Kind.DECIDED}
_DECISIONS = frozenset({Status.PLANNED, Status.SHIPPED, Status.DECLINED, Status.NOT_NOW, Status.AVAILABLE})


def kinds_of(topic: Topic) -> list[Kind]:
    """Return the kinds of news that people choose about under this heading."""
    return [kind for kind, about in TOPIC_OF.items() if about is topic]


def usual(topic: Topic) -> Way:
    """Return how most news under this heading arrive for those who chose nothing: the louder way counts."""
    found = [way for kind in kinds_of(topic) for way in POLICY[kind].values()]
    return max(found, key=list(Way).index, default=Way.INBOX)


def ways(kind: Kind, way: Way | None = None) -> list[str]:
    """Return the reasons for which people hear of this kind, or hear of it in this way."""
    return [reason for reason, how in POLICY[kind].items() if way is None or how is way]


def kind_of_move(source: Status, target: Status, news: str = "") -> Kind:
    """Return what a move means to those who hear of it, as the workflow said; else by where it led."""
    if news:
        return _NEWS[News(news)]
    if target is Status.NEEDS_INFO:
        return Kind.NEEDS_INFO
    reopened = target is Status.UNDER_REVIEW and source not in {Status.NEW, Status.NEEDS_INFO}
    return Kind.DECIDED if reopened or target in _DECISIONS else Kind.PROGRESSED
