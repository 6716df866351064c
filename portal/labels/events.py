"""What can happen to private labels."""

from __future__ import annotations

from dataclasses import dataclass

from portal.events import Event


@dataclass(frozen=True, kw_only=True)
class LabelsChanged(Event, name="idea.labels_changed"):
    """The team gave an idea other words of its own."""

    labels: list[str]


@dataclass(frozen=True, kw_only=True)
class LabelRenamed(Event, name="label.renamed"):
    """A label is called otherwise on all ideas."""

    label_id: int


@dataclass(frozen=True, kw_only=True)
class LabelRemoved(Event, name="label.removed"):
    """A label was taken off all ideas."""

    label_id: int
