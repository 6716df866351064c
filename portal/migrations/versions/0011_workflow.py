"""workflow: stages of statuses, and every version of the tables that was proposed or held.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STAGES = (
    ("ideas", "stage"),
    ("answers", "stage"),
    ("status_changes", "source_stage"),
    ("status_changes", "target_stage"),
)


def upgrade():
    for table, name in STAGES:
        op.add_column(table, sa.Column(name, sa.String(length=40), server_default=sa.text("''"), nullable=False))
    op.create_table(
        "workflow_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("base_id", sa.Integer(), nullable=True),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_workflow_versions_author_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["base_id"], ["workflow_versions.id"], name=op.f("fk_workflow_versions_base_id_workflow_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_versions")),
    )


def downgrade():
    op.drop_table("workflow_versions")
    for table, name in reversed(STAGES):
        op.drop_column(table, name)
