"""in the reader's words: why a draft was held back, whoever reads it; how many mails could not be taken in.

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column(
        "scheduled_drafts", sa.Column("held_why", sa.String(length=30), server_default=sa.text("''"), nullable=False)
    )
    op.add_column("scheduled_drafts", sa.Column("held_facts", sa.JSON(), nullable=True))
    op.add_column("mailboxes", sa.Column("flagged", sa.Integer(), server_default="0", nullable=False))


def downgrade():
    op.drop_column("mailboxes", "flagged")
    op.drop_column("scheduled_drafts", "held_facts")
    op.drop_column("scheduled_drafts", "held_why")
