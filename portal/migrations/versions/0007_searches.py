"""search: what staff keep an eye on.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=400), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("alert", sa.String(length=20), nullable=False),
        sa.Column("saved_at", moment, nullable=False),
        sa.Column("known", sa.LargeBinary(), nullable=False),
        _refers("saved_searches", "user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_searches_user_id_name")),
    )
    op.create_table(
        "saved_matches",
        sa.Column("search_id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("found_at", moment, nullable=False),
        sa.Column("mailed_at", moment, nullable=True),
        _refers("saved_matches", "search_id", "saved_searches"),
        _refers("saved_matches", "idea_id", "ideas"),
        sa.PrimaryKeyConstraint("search_id", "idea_id", name=op.f("pk_saved_matches")),
    )
    op.create_index(op.f("ix_saved_matches_idea_id"), "saved_matches", ["idea_id"])
    op.create_table(
        "watch_tasks",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        _refers("watch_tasks", "idea_id", "ideas"),
        sa.PrimaryKeyConstraint("idea_id", name=op.f("pk_watch_tasks")),
    )
    op.create_index(op.f("ix_watch_tasks_asked_at"), "watch_tasks", ["asked_at"])


def downgrade():
    op.drop_table("watch_tasks")
    op.drop_table("saved_matches")
    op.drop_table("saved_searches")


def _refers(table, column, other):
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete="CASCADE")
