"""What can be done with private labels."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.accounts.models import User
from portal.db import count_rows, db, insert_if_absent
from portal.errors import Refusal
from portal.events import emit
from portal.ideas.models import Idea
from portal.ideas.service import lock
from portal.labels.events import LabelRemoved, LabelRenamed, LabelsChanged
from portal.labels.models import Label, idea_labels
from portal.labels.queries import typed

MOST = 20


def set_labels(idea: Idea, names: list[str], actor: User) -> list[str]:
    """Give the idea exactly these labels and return those it had."""
    lock(idea)
    wanted = sorted({clean(name) for name in names if clean(name)})
    if len(wanted) > MOST:
        raise Refusal(_("An idea has at most %(max)d private labels.", max=MOST))
    before = _names(idea)
    if wanted == before:
        return before
    for name in wanted:
        insert_if_absent(Label, name=name)
    db.session.execute(sa.delete(idea_labels).where(idea_labels.c.idea_id == idea.id))
    chosen = sa.select(Label.id).where(Label.name.in_(wanted)).order_by(Label.id)
    rows = [{"idea_id": idea.id, "label_id": label_id} for label_id in db.session.scalars(chosen)]
    if rows:
        db.session.execute(sa.insert(idea_labels), rows)
    emit(LabelsChanged(actor_id=actor.id, idea_id=idea.id, labels=wanted))
    return before


def rename_label(label: Label, name: str, actor: User) -> None:
    """Call a label otherwise on all ideas; one that is there already takes them over."""
    wanted = clean(name)
    if not wanted:
        raise Refusal(_("Give the label a name."))
    if wanted == label.name:
        return
    other = db.session.scalar(sa.select(Label).where(Label.name == wanted))
    emit(LabelRenamed(actor_id=actor.id, label_id=label.id))
    if other is None:
        label.name = wanted
        db.session.flush()
        return
    theirs = sa.select(idea_labels.c.idea_id).where(idea_labels.c.label_id == other.id)
    db.session.execute(
        sa.delete(idea_labels).where(idea_labels.c.label_id == label.id, idea_labels.c.idea_id.in_(theirs))
    )
    moved = sa.update(idea_labels).where(idea_labels.c.label_id == label.id)
    db.session.execute(moved.values(label_id=other.id))
    db.session.delete(label)
    db.session.flush()


def remove_label(label: Label, actor: User) -> int:
    """Take a label off all ideas; return off how many."""
    off = count_rows(sa.delete(idea_labels).where(idea_labels.c.label_id == label.id))
    emit(LabelRemoved(actor_id=actor.id, label_id=label.id))
    db.session.delete(label)
    db.session.flush()
    return off


def clean(name: str) -> str:
    """Return a label as it is kept."""
    return typed(name)


def _names(idea: Idea) -> list[str]:
    names = sa.select(Label.name).join(idea_labels, idea_labels.c.label_id == Label.id)
    return list(db.session.scalars(names.where(idea_labels.c.idea_id == idea.id).order_by(Label.name)))
