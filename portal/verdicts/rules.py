"""When people are asked, and what their answers decide: the defaults, what admins decided, and the one rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from portal.ideas.workflow import Status
from portal.options import decide, option
from portal.verdicts.models import End, Round

SETTLES_AFTER = timedelta(days=7)
"""The first answers come from the keenest: nothing is decided by them alone unless all have answered."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What admins decide about it; times in days, shares in percent of the answers."""

    after_shipping: int = 14
    after_available: int = 7
    open_for: int = 30
    least: int = 3
    confirms: int = 70
    reopens: int = 40

    def wait_after(self, status: Status) -> timedelta:
        """Return how long people try it out before they are asked."""
        return timedelta(days=self.after_shipping if status is Status.SHIPPED else self.after_available)


def current_rules() -> Rules:
    """Return the rules that hold."""
    decided: Mapping[str, Any] = option("verdicts")
    return Rules(**{each.name: int(decided.get(each.name, each.default)) for each in fields(Rules)})


def decide_rules(rules: Rules) -> None:
    """Let these rules hold from now on, for rounds that are open too."""
    decide("verdicts", asdict(rules))


def end_of(asked: Round, rules: Rules, now: datetime) -> End | None:
    """Return how this round ends now; None while answers are waited for.

    Enough answers are ``least`` of them, or all where fewer people were asked. Then so many percent of yes confirm what
    came, and so many of no reopen it. When its time is over and the answers say neither, opinions differ.
    """
    if asked.asked_at is None:
        return None
    everybody = asked.answers >= asked.asked > 0
    over = now >= asked.asked_at + timedelta(days=rules.open_for)
    settled = everybody or over or now >= asked.asked_at + SETTLES_AFTER
    if settled and asked.answers and asked.answers >= min(rules.least, asked.asked):
        if asked.no * 100 >= rules.reopens * asked.answers:
            return End.REOPENED
        if asked.yes * 100 >= rules.confirms * asked.answers:
            return End.CONFIRMED
    return End.MIXED if over or everybody else None
