"""sending: attempts at mails, how the way to the mail server is, and drafts that wait for their time.

Revision: 0024, after 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade():
    op.create_table(
        "mail_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("ended", sa.String(length=20), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mails.id"], name=op.f("fk_mail_attempts_mail_id_mails"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_attempts")),
    )
    op.create_index(op.f("ix_mail_attempts_mail_id_id"), "mail_attempts", ["mail_id", "id"])
    op.create_table(
        "mail_line",
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", MOMENT, nullable=True),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_mail_line")),
    )
    op.create_table(
        "scheduled_drafts",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("seen", sa.String(length=60), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("set_at", MOMENT, nullable=False),
        sa.Column("publish_at", MOMENT, nullable=True),
        sa.Column("held_back_at", MOMENT, nullable=True),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"],
            ["answer_drafts.id"],
            name=op.f("fk_scheduled_drafts_draft_id_answer_drafts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["users.id"], name=op.f("fk_scheduled_drafts_by_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_scheduled_drafts")),
    )
    op.create_index(op.f("ix_scheduled_drafts_by_id"), "scheduled_drafts", ["by_id"])
    op.create_index(op.f("ix_scheduled_drafts_publish_at"), "scheduled_drafts", ["publish_at"])
    op.create_index(op.f("ix_mails_notification_id"), "mails", ["notification_id"])
    given_up = sa.text("given_up_at IS NOT NULL")
    op.create_index("ix_mails_set_aside", "mails", ["given_up_at"], sqlite_where=given_up, postgresql_where=given_up)


def downgrade():
    op.drop_index("ix_mails_set_aside", table_name="mails")
    op.drop_index(op.f("ix_mails_notification_id"), table_name="mails")
    op.drop_table("scheduled_drafts")
    op.drop_table("mail_line")
    op.drop_table("mail_attempts")
