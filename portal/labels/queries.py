"""Reading private labels: only the team of an idea's board reads them, and knows only those of its own boards."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from flask import abort
from sqlalchemy import ColumnElement, select

from portal.accounts.models import Person
from portal.accounts.readers import built_once
from portal.boards.models import Board
from portal.boards.queries import is_worked_on_by
from portal.db import db
from portal.ideas.models import Idea
from portal.ideas.queries import is_seen_by
from portal.labels.models import NAME_MAX, Label, idea_labels
from portal.text import clean_line

MOST_OFFERED, MOST_NAMED = 200, 12


def labels_on(idea: Idea, viewer: Person) -> list[str]:
    """Return the labels of the idea, by name; for those who do not work on its board there are none."""
    return list(db.session.scalars(*_names_on(viewer, idea_id=idea.id)))


def labels_known_to(viewer: Person) -> list[tuple[Label, int]]:
    """Return the labels in use on boards that the viewer works on, by name, with the number of ideas there."""
    rows = (
        select(Label, sa.func.count())
        .join(idea_labels, idea_labels.c.label_id == Label.id)
        .join(Idea, Idea.id == idea_labels.c.idea_id)
        .where(_is_labelled_for(viewer))
        .group_by(Label.id, Label.name)
        .order_by(Label.name)
        .limit(MOST_OFFERED)
    )
    return [(label, number) for label, number in db.session.execute(rows)]


def names_known_to(viewer: Person, limit: int = MOST_NAMED) -> list[str]:
    """Return the first names in use on boards that the viewer works on; one idea is enough, so none is counted."""
    return list(db.session.scalars(*_names_in_use(viewer, limit)))


def get_label(label_id: int, viewer: Person) -> Label:
    """Return a label in use on a board that the viewer works on, or answer 404."""
    on = select(idea_labels.c.label_id).join(Idea, Idea.id == idea_labels.c.idea_id).where(_is_labelled_for(viewer))
    return db.session.scalar(select(Label).where(Label.id == label_id, Label.id.in_(on))) or abort(404)


def has_label(names: Collection[str]) -> ColumnElement[bool]:
    """Say which ideas carry one of these labels; to be used only where the viewer works on their boards."""
    on = select(idea_labels.c.idea_id).join(Label, Label.id == idea_labels.c.label_id)
    return Idea.id.in_(on.where(Label.name.in_(list(names))))


def labelled_for(viewer: Person, names: Collection[str]) -> ColumnElement[bool]:
    """Say which ideas carry one of these labels on boards that the viewer works on."""
    return has_label(names) & _is_labelled_for(viewer)


def is_known(name: str, viewer: Person) -> bool:
    """Whether an idea on a board that the viewer works on carries this label."""
    return db.session.scalar(select(Idea.id).where(labelled_for(viewer, [name])).limit(1)) is not None


def typed(name: str) -> str:
    """Return a label as it is kept, however it was typed."""
    return clean_line(name).lower()[:NAME_MAX].strip()


def labels_by_idea(ids: Collection[int], viewer: Person) -> dict[int, tuple[str, ...]]:
    """Return the labels of those of these ideas whose labels the viewer reads, by name."""
    rows = (
        select(idea_labels.c.idea_id, Label.name)
        .join(Label, Label.id == idea_labels.c.label_id)
        .join(Idea, Idea.id == idea_labels.c.idea_id)
        .where(idea_labels.c.idea_id.in_(ids), _is_labelled_for(viewer))
        .order_by(Label.name)
    )
    found: dict[int, tuple[str, ...]] = {}
    for idea_id, name in db.session.execute(rows):
        found[idea_id] = (*found.get(idea_id, ()), name)
    return found


def ideas_with(label: Label, viewer: Person, limit: int = 200) -> list[Idea]:
    """Return the ideas with this label on boards that the viewer works on, the newest first."""
    on = select(idea_labels.c.idea_id).where(idea_labels.c.label_id == label.id)
    found = select(Idea).where(Idea.id.in_(on), _is_labelled_for(viewer))
    return list(db.session.scalars(found.order_by(Idea.published_at.desc(), Idea.id.desc()).limit(limit)))


@built_once
def _names_on(viewer: Person, *, idea_id: int) -> sa.Select[str]:
    seen = select(Idea.id).where(_is_labelled_for(viewer), Idea.id == idea_id)
    names = select(Label.name).join(idea_labels, idea_labels.c.label_id == Label.id)
    return names.where(idea_labels.c.idea_id.in_(seen)).order_by(Label.name)


@built_once
def _names_in_use(viewer: Person, limit: int) -> sa.Select[str]:
    carries = select(idea_labels.c.idea_id).join(Idea, Idea.id == idea_labels.c.idea_id)
    in_use = carries.where(idea_labels.c.label_id == Label.id, _is_labelled_for(viewer)).exists()
    return select(Label.name).where(in_use).order_by(Label.name).limit(limit)


def _is_labelled_for(viewer: Person) -> ColumnElement[bool]:
    """Say of which ideas the viewer may read labels."""
    return is_seen_by(viewer) & Idea.board_id.in_(select(Board.id).where(is_worked_on_by(viewer)))
