"""promises: the ledger of what the team promised, begun with what the history of ideas says.

Revision: 0013, after 0012
"""

from datetime import UTC, datetime, time

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "promises",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["idea_id"], ["ideas.id"], name=op.f("fk_promises_idea_id_ideas"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promises")),
    )
    _note_what_was_promised()
    op.create_index(
        "ix_promises_running",
        "promises",
        ["idea_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_promises_to_keep",
        "promises",
        ["due_at"],
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_promises_idea_id_made_at"), "promises", ["idea_id", "made_at"])
    op.create_index(op.f("ix_promises_due_at"), "promises", ["due_at"])
    op.create_index(op.f("ix_promises_raised_at"), "promises", ["raised_at"])


def downgrade():
    op.drop_table("promises")


def _note_what_was_promised():
    """Write down what the moves say of earlier promises, and what runs now.

    Answers without a move began a promise too, but nothing says by when the one before was due: it is left out.
    Nobody is told now of what is late already.
    """
    op.execute(
        """
        INSERT INTO promises (idea_id, kind, status, made_at, due_at, ended_at, outcome, reason)
        SELECT c.idea_id,
               CASE WHEN c.source = 'new' THEN 'answer' ELSE 'update' END,
               c.source, c.since_before, c.due_before, c.at,
               CASE WHEN c.at > c.due_before THEN 'late' WHEN c.target = 'merged' THEN 'dropped' ELSE 'kept' END, ''
        FROM status_changes c
        WHERE c.due_before IS NOT NULL AND c.source IN ('new', 'under_review', 'planned', 'in_progress')
          AND NOT EXISTS (
            SELECT 1 FROM answers a
            WHERE a.idea_id = c.idea_id AND a.change_id IS NULL AND a.at > c.since_before AND a.at <= c.at)
        """
    )
    op.execute(
        """
        INSERT INTO promises (idea_id, kind, status, made_at, due_at, reason, missed_at, raised_at)
        SELECT id,
               CASE WHEN status = 'new' AND answered_at IS NULL THEN 'answer' ELSE 'update' END,
               status,
               CASE WHEN answered_at > status_since THEN answered_at ELSE status_since END,
               due_at, '',
               CASE WHEN due_at < CURRENT_TIMESTAMP THEN due_at END,
               CASE WHEN due_at < CURRENT_TIMESTAMP THEN due_at END
        FROM ideas
        WHERE due_at IS NOT NULL AND publication IN ('published', 'hidden')
          AND status IN ('new', 'under_review', 'planned', 'in_progress')
        """
    )
    _note_reviews()


def _note_reviews():
    """Parked ideas are looked at again by the end of a day."""
    parked = "SELECT id, status_since, review_on FROM ideas WHERE status = 'not_now' AND review_on IS NOT NULL"
    columns = {"id": sa.Integer(), "status_since": sa.DateTime(timezone=True), "review_on": sa.Date()}
    rows = op.get_bind().execute(sa.text(f"{parked} AND publication IN ('published', 'hidden')").columns(**columns))
    promises = sa.table(
        "promises",
        *(sa.column(name, sa.String()) for name in ("kind", "status", "reason")),
        *(sa.column(name, sa.DateTime(timezone=True)) for name in ("made_at", "due_at")),
        sa.column("idea_id", sa.Integer()),
    )
    notes = [
        {
            "idea_id": row.id,
            "kind": "review",
            "status": "not_now",
            "reason": "",
            "made_at": row.status_since,
            "due_at": datetime.combine(row.review_on, time(23, 59, 59), UTC),
        }
        for row in rows
    ]
    if notes:
        op.bulk_insert(promises, notes)
