"""taking back: what an undo of a move restores, and acts on many ideas.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("status_changes", sa.Column("before", sa.JSON(), nullable=True))
    op.add_column("status_changes", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("answers", sa.Column("due_before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("answers", sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "bulk_acts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("what", sa.JSON(), nullable=False),
        sa.Column("chosen", sa.String(length=100), nullable=False),
        sa.Column("back", sa.String(length=300), nullable=False),
        sa.Column("tell", sa.String(length=20), nullable=False),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_bulk_acts_actor_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_acts")),
    )
    op.create_index(op.f("ix_bulk_acts_step_id"), "bulk_acts", ["step", "id"])
    op.create_index(op.f("ix_bulk_acts_actor_id_id"), "bulk_acts", ["actor_id", "id"])
    op.create_table(
        "bulk_items",
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["act_id"], ["bulk_acts.id"], name=op.f("fk_bulk_items_act_id_bulk_acts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_bulk_items_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("act_id", "idea_id", name=op.f("pk_bulk_items")),
    )
    op.create_index(op.f("ix_bulk_items_act_id_state_idea_id"), "bulk_items", ["act_id", "state", "idea_id"])
    op.create_index(op.f("ix_bulk_items_idea_id"), "bulk_items", ["idea_id"])


def downgrade():
    op.drop_table("bulk_items")
    op.drop_table("bulk_acts")
    op.drop_column("answers", "taken_back_at")
    op.drop_column("answers", "due_before")
    op.drop_column("status_changes", "undone_at")
    op.drop_column("status_changes", "before")
