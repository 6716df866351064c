"""Why somebody is told of something, in words."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from portal.notifications.policy import Kind, Reason

_AUTHOR, _VOTER, _COMMENTER, _FOLLOWER, _OWNER, _PROPOSER, _WATCHER, _MENTIONED, _REVIEWER, _WRITER, _MEMBER = Reason
WHY: dict[Kind, dict[Reason, Any]] = {
    Kind.RECEIVED: {_AUTHOR: _l("We have received your idea")},
    Kind.PUBLISHED: {_AUTHOR: _l("Your idea is out now")},
    Kind.HIDDEN: {_AUTHOR: _l("A moderator took your idea out of sight")},
    Kind.DECIDED: {
        _AUTHOR: _l("Your idea has moved"),
        _VOTER: _l("An idea you voted for has moved"),
        _COMMENTER: _l("An idea you commented on has moved"),
        _FOLLOWER: _l("An idea you follow has moved"),
        _OWNER: _l("An idea you look after has moved"),
    },
    Kind.NEEDS_INFO: {
        _AUTHOR: _l("We have a question about your idea"),
        _VOTER: _l("We asked the author of an idea you voted for"),
        _COMMENTER: _l("We asked the author of an idea you commented on"),
        _FOLLOWER: _l("We asked the author of an idea you follow"),
    },
    Kind.QUESTION_REMINDER: {_AUTHOR: _l("Our question to you is still open")},
    Kind.ANSWERED: {
        _AUTHOR: _l("We answered your idea"),
        _VOTER: _l("We answered an idea you voted for"),
        _COMMENTER: _l("We answered an idea you commented on"),
        _FOLLOWER: _l("We answered an idea you follow"),
        _OWNER: _l("An idea you look after was answered"),
    },
    Kind.COMMENTED: {
        _AUTHOR: _l("%(who)s commented on your idea"),
        _COMMENTER: _l("%(who)s joined a discussion you take part in"),
        _FOLLOWER: _l("%(who)s commented on an idea you follow"),
        _OWNER: _l("%(who)s commented on an idea you look after"),
    },
    Kind.REPLIED: {_COMMENTER: _l("%(who)s replied to you")},
    Kind.MENTIONED: {_MENTIONED: _l("%(who)s mentions you in a discussion")},
    Kind.MERGED: {
        _AUTHOR: _l("Your idea was joined with another"),
        _VOTER: _l("An idea you voted for was joined with another"),
        _COMMENTER: _l("An idea you commented on was joined with another"),
        _FOLLOWER: _l("An idea you follow was joined with another"),
        _OWNER: _l("An idea you look after was joined with another"),
    },
    Kind.MERGE_UNDONE: {
        _AUTHOR: _l("Your idea stands on its own again"),
        _VOTER: _l("An idea you voted for stands on its own again"),
        _COMMENTER: _l("An idea you commented on stands on its own again"),
        _FOLLOWER: _l("An idea you follow stands on its own again"),
        _OWNER: _l("An idea you look after stands on its own again"),
    },
    Kind.MOVE_UNDONE: {
        _AUTHOR: _l("What we did with your idea was a mistake and is taken back"),
        _VOTER: _l("What we did with an idea you voted for was a mistake and is taken back"),
        _COMMENTER: _l("What we did with an idea you commented on was a mistake and is taken back"),
        _FOLLOWER: _l("What we did with an idea you follow was a mistake and is taken back"),
        _OWNER: _l("What was done with an idea you look after is taken back"),
    },
    Kind.ASSIGNED: {_OWNER: _l("You look after this idea now")},
    Kind.PROMISE_LATE: {_OWNER: _l("A promise on an idea you look after is late")},
    Kind.SPOKEN_FOR: {_VOTER: _l("We gave a vote for you")},
    Kind.QUESTION_SETTLED: {_WRITER: _l("The question you asked is settled")},
    Kind.PROPOSAL_SETTLED: {_PROPOSER: _l("We looked at what you proposed as a duplicate")},
}
WHY[Kind.PROGRESSED] = WHY[Kind.DECIDED]
WHY[Kind.VERDICT_ASKED] = dict.fromkeys((_AUTHOR, _VOTER), _l("Does it solve your need?"))
WHY[Kind.CREDITED] = dict.fromkeys((_AUTHOR, _FOLLOWER), _l("We would like to thank you by name"))
BECAUSE: dict[Kind | Reason, Any] = {
    Kind.CREDITED: _l("You get this because you had a part in what came out. We ask once."),
    Kind.SPOKEN_FOR: _l("You get this because somebody of the team voted for you."),
    Kind.REPLIED: _l("You get this because somebody replied to your comment."),
    Kind.QUESTION_SETTLED: _l("You get this because you asked the question."),
    Kind.HELD_BACK: _l("You get this because you planned it."),
    Reason.AUTHOR: _l("You get this because the idea is yours."),
    Reason.VOTER: _l("You get this because you voted."),
    Reason.COMMENTER: _l("You get this because you commented."),
    Reason.FOLLOWER: _l("You get this because you follow the idea."),
    Reason.OWNER: _l("You get this because you look after the idea."),
    Reason.PROPOSER: _l("You get this because you proposed it."),
    Reason.WATCHER: _l("You get this because you keep a search."),
    Reason.MENTIONED: _l("You get this because somebody mentioned you."),
    Reason.REVIEWER: _l("You get this because a colleague asked you to look at it."),
    Reason.WRITER: _l("You get this because you wrote it."),
    Reason.MEMBER: _l("You get this because you have an account."),
}
