"""What the desk shows of where an idea belongs: its team, the team's own words for it, its links, and its story."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _

from portal.accounts.models import Person
from portal.ideas.models import Idea, Nature
from portal.labels.queries import labels_on, names_known_to
from portal.links.queries import Lineage, lineage_of, nature_of
from portal.links.words import CHOICES, NATURES
from portal.teams.models import Team
from portal.teams.queries import list_teams
from portal.timeline.queries import Happening, whole_timeline
from portal.triage.queries import Reading


@dataclass(frozen=True, slots=True)
class Belonging:
    """Where one idea belongs, as one colleague may know of it."""

    idea: Idea
    teams: list[Team]
    labels: list[str]
    known_labels: list[str]
    lineage: Lineage
    happenings: list[Happening]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What can be said of this idea and another one."""
        return [(value, str(label)) for value, label in CHOICES]

    @property
    def natures(self) -> list[tuple[str, str]]:
        """What the idea can be said to be; first that its words say it, and what they say."""
        written = NATURES[Nature.BOTH if self.idea.proposal.strip() else Nature.NEED]
        first = ("", _("As it is written: %(nature)s", nature=written))
        return [first, *((nature.value, str(NATURES[nature])) for nature in Nature)]

    @property
    def nature(self) -> str:
        """What the idea is taken for."""
        return str(NATURES[nature_of(self.idea)])


def belonging_of(reading: Reading, viewer: Person) -> Belonging:
    """Return where the idea on the desk belongs, as this colleague may know of it.

    Whether they back it is not asked: nobody chooses between need and solution here.
    """
    idea = reading.idea
    return Belonging(
        idea,
        list_teams(),
        labels_on(idea, viewer),
        names_known_to(viewer),
        lineage_of(idea, viewer, votes=False),
        whole_timeline(idea, viewer, reading.changes, reading.answers),
    )
