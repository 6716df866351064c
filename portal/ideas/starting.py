"""The workflow that a portal starts with, in the form in which admins' own is kept: plain words, numbers and lists."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

EVERYBODY = ["author", "voter", "commenter", "follower"]

WORDS: dict[str, tuple[object, object]] = {
    "new": (_l("New"), _l("Received. Nobody from the team has looked yet.")),
    "under_review": (_l("Under review"), _l("A named person is looking. No promise yet.")),
    "needs_info": (_l("Needs info"), _l("We asked a question and wait for the answer.")),
    "planned": (_l("Planned"), _l("We intend to do it.")),
    "in_progress": (_l("In progress"), _l("Work has begun.")),
    "shipped": (_l("Shipped"), _l("It is there for you to use.")),
    "confirmed": (_l("Confirmed"), _l("The people who asked say it solves their need.")),
    "available": (_l("Already available"), _l("It exists already. The answer says where.")),
    "not_now": (_l("Not now"), _l("Good, but parked until a date or a condition.")),
    "declined": (_l("Declined"), _l("We will not do it, and say why.")),
    "merged": (_l("Merged"), _l("Supported under another idea.")),
}
"""What a status is called and means until somebody calls it something else."""


def _status(
    key: str,
    days: int = 0,
    *,
    votes: bool = True,
    edits: bool = False,
    comments: bool = True,
    comments_days: int = 0,
) -> dict[str, Any]:
    return {
        "key": key,
        "kind": key,
        "label": "",
        "meaning": "",
        "glyph": key,
        "hue": key,
        "votes": votes,
        "comments": comments,
        "comments_days": comments_days,
        "edits": edits,
        "days": days,
    }


def _rows(
    sources: str,
    target: str,
    by: str,
    demands: str = "",
    *,
    offers: str = "",
    one_of: str = "",
    news: str = "step",
    tells: list[str] | None = None,
) -> list[dict[str, Any]]:
    return [
        {
            "from": source,
            "to": target,
            "by": by,
            "demands": demands.split(),
            "one_of": one_of.split(),
            "offers": offers.split(),
            "news": news,
            "tells": list(EVERYBODY if tells is None else tells),
        }
        for source in sources.split()
    ]


_MOVES = [
    _rows("new", "under_review", "triager", "owner"),
    _rows("new under_review", "needs_info", "triager", "answer", news="question"),
    _rows("needs_info", "under_review", "system", tells=[]),
    _rows("under_review", "planned", "decider", "answer", offers="expected reversal", news="decision"),
    _rows(
        "new under_review planned",
        "not_now",
        "decider",
        "answer",
        one_of="review_on reversal",
        offers="alternative",
        news="decision",
    ),
    _rows(
        "new under_review not_now planned",
        "declined",
        "decider",
        "answer reversal",
        offers="alternative",
        news="decision",
    ),
    _rows("new under_review", "available", "triager", "answer", offers="link", news="decision"),
    _rows("new under_review planned not_now", "merged", "triager", "into", offers="reason", news="decision"),
    _rows("planned", "in_progress", "decider", offers="answer expected"),
    _rows("planned in_progress", "under_review", "decider", "reason", news="decision"),
    _rows("planned in_progress", "shipped", "decider", "answer", offers="link", news="decision"),
    _rows("shipped available", "confirmed", "decider", "reason"),
    _rows("shipped confirmed available", "under_review", "decider", "reason", news="decision"),
    _rows("declined not_now", "under_review", "decider", "reason", news="decision"),
]

STARTING: dict[str, Any] = {
    "statuses": [
        _status("new", 10, edits=True),
        _status("under_review", 30, edits=True),
        _status("needs_info", 21, edits=True),
        _status("planned", 60),
        _status("in_progress", 45),
        _status("shipped", votes=False, comments_days=30),
        _status("confirmed", votes=False, comments=False),
        _status("available", votes=False, comments_days=30),
        _status("not_now"),
        _status("declined", votes=False, comments_days=30),
        _status("merged", votes=False, comments=False),
    ],
    "moves": [row for rows in _MOVES for row in rows],
}
"""Merged goes back to the status it came from, by undoing the merge: that is no row of its own."""
