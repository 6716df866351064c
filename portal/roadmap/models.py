"""Tables of the roadmap: its themes, and where the team put single ideas."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Model, utcnow
from portal.ideas.models import Idea
from portal.ideas.workflow import Status

NAME_MAX, ABOUT_MAX, EXPECTED_MAX = 60, 160, 60


class Horizon(StrEnum):
    """How soon something is meant to come."""

    NOW = "now"
    NEXT = "next"
    LATER = "later"

    @property
    def label(self) -> str:
        """The column's head."""
        return str(_WORDS[self][0])

    @property
    def meaning(self) -> str:
        """The one line that defines the column."""
        return str(_WORDS[self][1])

    @property
    def status(self) -> Status:
        """The status that belongs to the column."""
        return STATUS_OF[self]


_WORDS = {
    Horizon.NOW: (_l("Now"), _l("Being built")),
    Horizon.NEXT: (lazy_pgettext("roadmap", "Next"), _l("Decided, not started")),
    Horizon.LATER: (_l("Later"), _l("We want to; no date")),
}
STATUS_OF = {Horizon.NOW: Status.IN_PROGRESS, Horizon.NEXT: Status.PLANNED, Horizon.LATER: Status.NOT_NOW}
HORIZON_OF = {status: horizon for horizon, status in STATUS_OF.items()}
"""Where an idea stands unless somebody put it elsewhere; what is parked stands nowhere until somebody puts it there."""


class Theme(Model):
    """What several ideas are about, in the words of whoever walks: one row of the roadmap."""

    __tablename__ = "roadmap_themes"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_MAX))
    about: Mapped[str] = mapped_column(sa.String(ABOUT_MAX), default="")
    position: Mapped[int] = mapped_column(default=0)


class Place(Model):
    """Where the team put one idea; its horizon holds only while the idea has the status it had then."""

    __tablename__ = "roadmap_places"

    idea_id: Mapped[int] = mapped_column(sa.ForeignKey("ideas.id", ondelete="CASCADE"), primary_key=True)
    theme_id: Mapped[int | None] = mapped_column(sa.ForeignKey("roadmap_themes.id", ondelete="SET NULL"), index=True)
    horizon: Mapped[Horizon | None]  # None: as its status says
    status: Mapped[Status | None]  # for which the horizon was chosen
    kept_off: Mapped[bool] = mapped_column(default=False)
    placed_at: Mapped[datetime] = mapped_column(default=utcnow)

    idea: Mapped[Idea] = relationship()
