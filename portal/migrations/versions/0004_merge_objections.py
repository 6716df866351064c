"""merges: what supporters object to, what they were told, and whether the merged words are quoted.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("status_changes", sa.Column("notice", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("status_changes", sa.Column("quoted", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "merge_objections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=280), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["change_id"],
            ["status_changes.id"],
            name=op.f("fk_merge_objections_change_id_status_changes"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_merge_objections_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_merge_objections_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merge_objections")),
        sa.UniqueConstraint("change_id", "user_id", name=op.f("uq_merge_objections_change_id_user_id")),
    )
    op.create_index(
        "ix_merge_objections_standing",
        "merge_objections",
        ["idea_id", "user_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_merge_objections_user_id"), "merge_objections", ["user_id"])


def downgrade():
    op.drop_table("merge_objections")
    op.drop_column("status_changes", "quoted")
    op.drop_column("status_changes", "notice")
