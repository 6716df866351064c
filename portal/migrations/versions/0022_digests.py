"""digests: when each is due, and what goes into it.

Revision: 0022, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "digest_clocks",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        _refers_to("digest_clocks", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_digest_clocks")),
    )
    op.create_index(op.f("ix_digest_clocks_due_at"), "digest_clocks", ["due_at"])
    op.create_table(
        "digests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        _refers_to("digests", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digests")),
        sa.UniqueConstraint("user_id", "due_at", name=op.f("uq_digests_user_id_due_at")),
    )
    op.create_table(
        "digest_items",
        sa.Column("notification_id", sa.Integer(), nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=False),
        _refers_to("digest_items", "notification_id", "notifications"),
        _refers_to("digest_items", "digest_id", "digests"),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_digest_items")),
    )
    op.create_index(op.f("ix_digest_items_digest_id"), "digest_items", ["digest_id"])
    op.create_table(
        "unwanted_letters",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("letter", sa.String(length=30), nullable=False),
        _refers_to("unwanted_letters", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", "letter", name=op.f("pk_unwanted_letters")),
    )


def downgrade():
    for table in ("unwanted_letters", "digest_items", "digests", "digest_clocks"):
        op.drop_table(table)


def _refers_to(table, column, other):
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")
