"""When everything in the demo happened: the written story and the votes around it as one list of acts in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import accumulate
from random import Random
from typing import Any

from portal.accounts.models import name_key
from portal.accounts.roles import STAFF_READERS
from portal.demo.content import Comment, Community, Idea, Step
from portal.demo.names import made_up_names
from portal.ideas.workflow import Publication, Status

SEED = 1907
DAYS = 730
MEMBERS = 1_200  # beyond those who write
VOTES_AT_MOST = 430  # for an appeal of 100
RULES_CHANGED = 160  # days ago
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody with an account, written or made up, since a moment."""

    key: str
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens: ``kind`` names what, ``who`` is a member's key, ``what`` the rest."""

    at: datetime
    kind: str
    who: str = ""
    idea: str = ""
    what: Any = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everybody there is, and everything that happened, in order."""

    start: datetime
    rules_changed: datetime
    members: list[Member]
    acts: list[Act]


def make_plan(community: Community, now: datetime, members: int = MEMBERS) -> Plan:
    """Lay the community out over the two years before ``now``; the same community and day give the same plan."""
    planner = _Planner(community, now)
    story = sorted(planner.story(), key=lambda act: act.at)
    people = planner.people(story, members)
    crowd = planner.crowd(story, people)
    acts = sorted([*story, *crowd, *planner.agreements(people)], key=lambda act: act.at)
    return Plan(planner.start, planner.rules_changed, people, acts)


class _Planner:
    """The moments of one community before one moment."""

    def __init__(self, community: Community, now: datetime) -> None:
        self.community, self.now = community, now
        self.midnight = datetime.combine(now.date(), time(), UTC)
        self.start = self.midnight - (DAYS + 10) * DAY
        self.rules_changed = self.midnight - RULES_CHANGED * DAY + timedelta(hours=9)
        self.ideas = {idea.key: idea for idea in community.ideas}
        self.posted: dict[str, datetime] = {}
        self.steps: dict[str, list[tuple[datetime, Step]]] = {}

    def story(self) -> Iterator[Act]:
        """Yield what the files tell: ideas, steps, updates and comments."""
        for idea in self.community.ideas:
            yield from self._idea(idea)
        said: dict[str, datetime] = {}
        for comment in self.community.comments:
            said[comment.key] = self._comment_moment(comment, said)
            yield Act(said[comment.key], "comment", comment.author, comment.idea, comment)

    def people(self, story: list[Act], members: int) -> list[Member]:
        """Return the team, those who write, since shortly before they first did, and those who only vote."""
        first: dict[str, datetime] = {}
        for act in story:
            first.setdefault(act.who, act.at)
        random = _random("people")
        written = []
        for person in self.community.people:
            early = self.start + timedelta(hours=random.randrange(5, 90))
            before = first.get(person.key, self.now - 90 * DAY) - timedelta(
                days=random.randrange(1, 50), hours=random.randrange(9)
            )
            written.append(
                Member(person.key, person.name, early if person.role in STAFF_READERS else max(before, self.start))
            )
        names = made_up_names(random, {name_key(person.name) for person in self.community.people})
        span = self.now - self.start - 2 * DAY
        crowd = [
            Member(f"walker{number}", next(names), self.start + 4 * DAY + (span - 4 * DAY) * random.random() ** 1.3)
            for number in range(members)
        ]
        return sorted([*written, *crowd], key=lambda member: member.since)

    def crowd(self, story: list[Act], people: list[Member]) -> Iterator[Act]:
        """Yield votes by appeal, thanks for comments, and a few who follow without voting."""
        staff = {person.key for person in self.community.people if person.role in STAFF_READERS}
        written = {person.key for person in self.community.people}
        voters = _Crowd([member for member in people if member.key not in staff], written)
        for act in story:
            if act.kind == "post" and act.what.publication is Publication.PUBLISHED:
                yield from self._votes(act.what, voters)
            if act.kind == "comment":
                yield from self._thanks(act, voters)

    def agreements(self, people: list[Member]) -> Iterator[Act]:
        """Yield who joined when, and who agreed to which rules when."""
        random = _random("rules")
        for member in people:
            yield Act(member.since, "join", member.key)
            if member.since < self.rules_changed:
                yield Act(member.since, "agree", member.key, what=1)
            later = self.rules_changed + timedelta(days=random.expovariate(1 / 12), minutes=5)
            yield Act(
                min(max(member.since, later if member.since < self.rules_changed else member.since), self.now),
                "agree",
                member.key,
                what=2,
            )

    def _idea(self, idea: Idea) -> Iterator[Act]:
        random = _random(f"{idea.key}")
        posted = self._moment(random, idea, 0, self.start)
        self.posted[idea.key] = posted
        yield Act(posted, "post", idea.author, idea.key, idea)
        if idea.publication is Publication.HELD:
            return
        if idea.tags:
            yield Act(self._between(random, posted, posted + DAY), "tag", "moderator", idea.key, idea.tags)
        if idea.publication is Publication.HIDDEN:
            yield Act(self._between(random, posted, posted + DAY / 4), "hide", "moderator", idea.key)
        at, steps = posted, []
        for step in idea.path:
            at = self._moment(random, idea, step.after_days, at)
            steps.append((at, step))
            yield Act(at, "step", step.by or "", idea.key, step)
            yield from self._clock(idea, step, at)
        self.steps[idea.key] = steps
        for word in idea.updates:
            before = max([posted, *(when for when, step in steps if step.after_days <= word.after_days)])
            yield Act(self._moment(random, idea, word.after_days, before), "update", word.by, idea.key, word)

    def _clock(self, idea: Idea, step: Step, at: datetime) -> Iterator[Act]:
        """Yield what the portal does by itself when nothing else happened meanwhile."""
        acts = []
        if step.to is Status.NEEDS_INFO:
            acts = [Act(at + 7 * DAY, "remind", "", idea.key), Act(at + 21 * DAY, "return", "", idea.key)]
        elif step.review_after_days is not None:
            due = datetime.combine((at + step.review_after_days * DAY).date(), time(0, 1), UTC)
            acts = [Act(due, "return", "", idea.key)]
        yield from (act for act in acts if act.at < self.now)

    def _comment_moment(self, comment: Comment, said: dict[str, datetime]) -> datetime:
        """Return a moment of its day: after what it answers and what the team said, before the talk is closed."""
        random = _random(f"{comment.key}")
        idea, closes = self.ideas[comment.idea], self.now
        after = max(self.posted[idea.key], said.get(comment.reply_to or "", self.start))
        for at, step in self.steps.get(idea.key, []):
            if not step.to.rule.takes_comments and step.after_days >= comment.after_days:
                closes = min(closes, at)
            elif step.after_days <= comment.after_days:
                after = max(after, at)
        return self._moment(random, idea, comment.after_days, after, closes)

    def _votes(self, idea: Idea, voters: _Crowd) -> Iterator[Act]:
        random = _random(f"votes {idea.key}")
        opens, steps = self.posted[idea.key], [at for at, _step in self.steps[idea.key]]
        closes = self._votes_close(idea)
        wanted = max(0, round(VOTES_AT_MOST * idea.appeal / 100 * random.uniform(0.85, 1.15)) - 1)
        moments = sorted(self._vote_moment(random, opens, closes, steps) for _vote in range(wanted))
        chosen = {idea.author}
        for at in moments:
            who = voters.choose(random, at, chosen)
            if who:
                chosen.add(who)
                yield Act(at, "vote", who, idea.key)
        for _follower in range(random.choices((0, 1, 2), weights=(75, 20, 5))[0]):
            at = self._between(random, opens, self.now)
            who = voters.choose(random, at, chosen)
            if who:
                chosen.add(who)
                yield Act(at, "follow", who, idea.key)

    def _votes_close(self, idea: Idea) -> datetime:
        """Return when votes ended for good."""
        closing: datetime | None = None
        for at, step in self.steps[idea.key]:
            closing = None if step.to.rule.takes_votes else closing or at
        return closing or self.now

    def _vote_moment(self, random: Random, opens: datetime, closes: datetime, steps: list[datetime]) -> datetime:
        """Return a moment: most come while an idea is young, some all along, some when the team says something."""
        kind = random.random()
        if kind < 0.5:
            at = opens + timedelta(days=random.expovariate(1 / 9))
        elif kind < 0.85 or not steps:
            at = opens + (closes - opens) * random.random()
        else:
            at = random.choice(steps) + timedelta(days=random.expovariate(1 / 3))
        at = at.replace(hour=_hour(random), minute=random.randrange(60), second=random.randrange(60))
        return at if opens < at < closes else self._between(random, opens, closes)

    def _thanks(self, comment: Act, voters: _Crowd) -> Iterator[Act]:
        random = _random(f"thanks {comment.what.key}")
        chosen = {comment.who}
        for _mark in range(min(14, int(random.paretovariate(1.2)) - 1)):
            at = comment.at + timedelta(days=random.expovariate(1 / 5), minutes=3)
            who = voters.choose(random, at, chosen) if at < self.now else None
            if who:
                chosen.add(who)
                yield Act(at, "thank", who, comment.idea, comment.what.key)

    def _moment(
        self, random: Random, idea: Idea, after_days: int, after: datetime, before: datetime | None = None
    ) -> datetime:
        """Return a moment on that day of the idea's life, later than ``after`` and earlier than ``before`` or now."""
        before = before or self.now
        at = (
            self.midnight
            - (idea.age - after_days) * DAY
            + timedelta(hours=_hour(random), minutes=random.randrange(60), seconds=random.randrange(60))
        )
        at = max(at, after + timedelta(minutes=random.randrange(4, 90)))
        return at if at < before else self._between(random, after, before)

    def _between(self, random: Random, after: datetime, before: datetime) -> datetime:
        return after + (min(before, self.now) - after) * random.uniform(0.2, 0.8)


class _Crowd:
    """Members to choose from, some livelier than others; those who write are the liveliest."""

    def __init__(self, members: list[Member], written: set[str]) -> None:
        random = _random("crowd")
        self._keys = [member.key for member in members]
        self._since = [member.since for member in members]
        weights = (random.paretovariate(1.4) + (3 if member.key in written else 0) for member in members)
        self._weights = list(accumulate(min(weight, 8) for weight in weights))

    def choose(self, random: Random, at: datetime, but: set[str]) -> str | None:
        """Return somebody who was there then and is not in ``but``; None when a dozen tries find nobody."""
        there = bisect_left(self._since, at)
        if not there:
            return None
        for _try in range(12):
            mark = random.random() * self._weights[there - 1]
            who = self._keys[bisect_left(self._weights, mark, 0, there - 1)]
            if who not in but:
                return who
        return None


def _random(what: str) -> Random:
    """Return chance that falls the same way each time, for each thing its own."""
    return Random(f"{SEED} {what}")  # noqa: S311 - it makes a story, and guards nothing


def _hour(random: Random) -> int:
    return random.choices(range(6, 24), weights=(2, 4, 5, 6, 6, 6, 6, 5, 5, 5, 5, 6, 8, 10, 11, 9, 6, 2))[0]
