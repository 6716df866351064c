"""said before: what comments said before they were edited, and which forms have done their work already.

Revision: 0028, after 0027
"""

import sqlalchemy as sa
from alembic import op

from portal.db import UTCDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "comment_revisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("comment_id", sa.Integer(), nullable=False),
        sa.Column("editor_id", sa.Integer(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"],
            ["comments.id"],
            name=op.f("fk_comment_revisions_comment_id_comments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["editor_id"], ["users.id"], name=op.f("fk_comment_revisions_editor_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_revisions")),
    )
    op.create_index(op.f("ix_comment_revisions_comment_id"), "comment_revisions", ["comment_id"], unique=False)
    op.create_index(op.f("ix_comment_revisions_editor_id"), "comment_revisions", ["editor_id"], unique=False)
    op.create_table(
        "comment_revision_mentions",
        sa.Column("revision_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["comment_revisions.id"],
            name=op.f("fk_comment_revision_mentions_revision_id_comment_revisions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_comment_revision_mentions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("revision_id", "user_id", name=op.f("pk_comment_revision_mentions")),
    )
    op.create_index(
        op.f("ix_comment_revision_mentions_user_id"), "comment_revision_mentions", ["user_id"], unique=False
    )
    op.create_table(
        "sent_forms",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("made", sa.Integer(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sent_forms")),
    )
    op.create_index(op.f("ix_sent_forms_at"), "sent_forms", ["at"], unique=False)


def downgrade():
    op.drop_index(op.f("ix_sent_forms_at"), table_name="sent_forms")
    op.drop_table("sent_forms")
    op.drop_index(op.f("ix_comment_revision_mentions_user_id"), table_name="comment_revision_mentions")
    op.drop_table("comment_revision_mentions")
    op.drop_index(op.f("ix_comment_revisions_editor_id"), table_name="comment_revisions")
    op.drop_index(op.f("ix_comment_revisions_comment_id"), table_name="comment_revisions")
    op.drop_table("comment_revisions")
