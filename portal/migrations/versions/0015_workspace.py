"""workspace: what people put aside in triage, and where they are looking.

Revision: 0015, after 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "triage_asides",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("comments", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_triage_asides_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_triage_asides_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "idea_id", "queue", name=op.f("pk_triage_asides")),
    )
    op.create_index(op.f("ix_triage_asides_idea_id"), "triage_asides", ["idea_id"], unique=False)
    op.create_table(
        "triage_presence",
        sa.Column("user_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_triage_presence_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_triage_presence_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_triage_presence")),
    )
    op.create_index(op.f("ix_triage_presence_idea_id"), "triage_presence", ["idea_id"], unique=False)


def downgrade():
    op.drop_table("triage_presence")
    op.drop_table("triage_asides")
