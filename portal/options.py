"""What admins decide in the portal itself, while it runs; what its operator sets is in ``config``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.orm import Mapped, Session, mapped_column

from portal.db import Model, db

FRESH_FOR = 3.0  # seconds until another process's change is seen here


class OptionRow(Model):
    """One option that somebody decided; what has no row is as it was brought along."""

    __tablename__ = "options"

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(sa.JSON)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to decide: ``default`` holds until somebody does; text beginning with ``=`` names a setting."""

    name: str
    default: Any
    meaning: str


OPTIONS = {
    option.name: option
    for option in (
        Option("name", "=NAME", "What the portal calls itself in pages and mails."),
        Option("question", "=QUESTION", "The question over the box on the home page."),
        Option("reading", "public", "Who may read public boards: `public`, or `members` for a closed community."),
        Option("membership", "open", "Who may join: `open`, `domains`, `approval` or `invitation`."),
        Option("domains", [], "Mail domains whose people may join, where membership goes by domain."),
        Option("second_factor", ["admin", "owner"], "Roles that must prove themselves by a second factor."),
        Option("members_invite", False, "Whether members may invite others, from their fourth day on."),
        Option("rules_grace", "", "Until when whoever agreed to earlier rules may go on; no text: no time of grace."),
        Option("sample_ideas", [], "Numbers of the ideas that the set-up put there as samples."),
        Option("providers", [], "The sign-on providers that are switched on, as the sign-in page offers them."),
        Option("synonyms", {}, "Words, as stems, with those that mean the same."),
        Option("workflow", {}, "Statuses and moves as admins decided them; nothing: as in the beginning."),
        Option("calendars", {}, "Working days and clocks, for the portal and for single boards."),
        Option("late_raised_after", 3, "Days after which a promise that is late stands in the managers' mail."),
        Option("mails_a_day", 5, "Mails at once that somebody gets in a day at most who chose no other number."),
        Option("score", {}, "The formula of scores and its parts; nothing: as in the beginning."),
        Option("quarter_readers", [], "Mail addresses to which the page of each quarter goes."),
        Option("verdicts", {}, "When people are asked whether it helped, and what their answers decide."),
        Option("set_up", False, "Whether the first owner has set the portal up."),
    )
}


def option(name: str) -> Any:
    """Return what was decided, or the default; at most three seconds older than another process's change."""
    values = _values()
    if name in values:
        return values[name]
    default = OPTIONS[name].default
    return current_app.config[default[1:]] if isinstance(default, str) and default.startswith("=") else default


def known(app: Flask, name: str) -> Any:
    """Return what is known of an option without asking the database, for what stands in front of the app; else None."""
    read_at, values = app.extensions.get("options", (float("-inf"), {}))
    fresh = time.monotonic() - read_at <= FRESH_FOR or (app.testing and read_at > 0)
    return values.get(name, OPTIONS[name].default) if fresh else None


def decide(name: str, value: Any) -> None:
    """Decide an option, in the transaction of the caller; a name that is not in the table is a mistake in the code."""
    OPTIONS[name]
    row = db.session.get(OptionRow, name) or OptionRow(name=name)
    row.value = value
    db.session.add(row)
    db.session.flush()
    db.session.info["options changed"] = True


def _values() -> dict[str, Any]:
    if db.session.info.get("options changed"):
        return _read(db.session)  # this transaction sees its own decisions, nobody else does yet
    read_at, values = current_app.extensions.get("options", (float("-inf"), {}))
    if time.monotonic() - read_at > FRESH_FOR and not (current_app.testing and read_at > 0):
        values = _read(db.session)
        current_app.extensions["options"] = (time.monotonic(), values)
    return values


def _read(session: Any) -> dict[str, Any]:
    return {row.name: row.value for row in session.execute(sa.select(OptionRow.name, OptionRow.value))}


@sa.event.listens_for(Session, "after_commit")
@sa.event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    if session.info.pop("options changed", None) and current_app:
        current_app.extensions.pop("options", None)
