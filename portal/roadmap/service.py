"""What can be done with the roadmap, and the refusals that raises; the status of an idea is not its matter."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import db, utcnow
from portal.errors import Refusal
from portal.events import emit
from portal.ideas import followers
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.ideas.workflow import Status
from portal.roadmap import queries
from portal.roadmap.events import IdeaPlaced, ThemesChanged
from portal.roadmap.models import EXPECTED_MAX, HORIZON_OF, Horizon, Place, Theme
from portal.text import clean_line

MOST_THEMES = 30


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an idea stands on the roadmap, and when it may come; ``horizon`` None is off the roadmap."""

    theme_id: int | None
    horizon: Horizon | None
    expected: str = ""


class NotForTheRoadmap(Refusal):
    """The idea is neither decided nor parked."""

    def __init__(self, idea: Idea) -> None:
        super().__init__(
            _(
                "The roadmap shows what is planned, in progress or parked. This idea is: %(status)s.",
                status=idea.rule.label,
            )
        )


class NothingDecided(Refusal):
    """What is parked cannot stand among what is decided."""

    def __init__(self) -> None:
        super().__init__(_("This idea is parked, so it can only stand under Later. Put it back under review first."))


def spot_of(idea: Idea) -> Spot:
    """Return where the idea stands now."""
    place = queries.place_of(idea)
    return Spot(place.theme_id if place else None, queries.horizon_of(idea, place), idea.expected)


def place_idea(idea: Idea, spot: Spot, actor: User) -> Spot:
    """Put the idea where it is meant to stand, whatever its status, and return where it stood. Nobody is told."""
    lock(idea)
    if not idea.is_published or idea.status not in HORIZON_OF:
        raise NotForTheRoadmap(idea)
    if idea.status is Status.NOT_NOW and spot.horizon in {Horizon.NOW, Horizon.NEXT}:
        raise NothingDecided
    before, expected = spot_of(idea), clean_line(spot.expected)[:EXPECTED_MAX]
    if before == Spot(spot.theme_id, spot.horizon, expected):
        return before
    place = queries.place_of(idea) or Place(idea_id=idea.id)
    place.theme_id, place.kept_off, place.placed_at = spot.theme_id, spot.horizon is None, utcnow()
    follows = spot.horizon is HORIZON_OF[idea.status] and idea.status is not Status.NOT_NOW
    place.horizon, place.status = (None, None) if follows else (spot.horizon, idea.status)
    db.session.add(place)
    idea.expected = expected
    db.session.flush()
    emit(
        IdeaPlaced(
            actor_id=actor.id,
            idea_id=idea.id,
            theme_id=spot.theme_id,
            horizon=spot.horizon or "",
            expected=expected,
        )
    )
    return before


def who_hears(idea: Idea, actor: User) -> dict[str, int]:
    """Count who would be told if the status changed, by reason."""
    return followers.count_audience(idea, actor.id)


def add_theme(name: str, about: str, actor: User) -> Theme:
    """Add a theme as the last row."""
    themes = queries.list_themes()
    if len(themes) >= MOST_THEMES:
        raise Refusal(_("A roadmap has at most %(max)d themes.", max=MOST_THEMES))
    theme = Theme(name=clean_line(name), about=clean_line(about), position=_after(themes))
    db.session.add(theme)
    db.session.flush()
    emit(ThemesChanged(actor_id=actor.id, theme_id=theme.id, what="added"))
    return theme


def reword_theme(theme: Theme, name: str, about: str, actor: User) -> None:
    """Call a theme something else."""
    theme.name, theme.about = clean_line(name), clean_line(about)
    emit(ThemesChanged(actor_id=actor.id, theme_id=theme.id, what="reworded"))


def move_theme(theme: Theme, step: int, actor: User) -> None:
    """Move a theme up (-1) or down (+1) by one row; at the end of the list nothing happens."""
    themes = queries.list_themes()
    here = themes.index(theme)
    there = here + step
    if not 0 <= there < len(themes):
        return
    themes[here], themes[there] = themes[there], themes[here]
    for position, each in enumerate(themes):
        each.position = position
    emit(ThemesChanged(actor_id=actor.id, theme_id=theme.id, what="moved"))


def remove_theme(theme: Theme, actor: User) -> None:
    """Take a theme away; its ideas stay on the roadmap, in no theme."""
    emit(ThemesChanged(actor_id=actor.id, theme_id=theme.id, what="removed"))
    db.session.execute(sa.update(Place).where(Place.theme_id == theme.id).values(theme_id=None))
    db.session.delete(theme)
    db.session.flush()


def _after(themes: list[Theme]) -> int:
    return max((theme.position for theme in themes), default=-1) + 1
