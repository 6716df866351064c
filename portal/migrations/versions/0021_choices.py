"""choices: what reaches whom: choices by event, channel and board, quiet hours, pauses.

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("follows", sa.Column("decisions_only", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("notifications", sa.Column("way", sa.String(length=10), server_default="inbox", nullable=False))
    op.execute(
        "UPDATE notifications SET way = 'mail' WHERE id IN"
        " (SELECT notification_id FROM mails WHERE notification_id IS NOT NULL)"
    )
    op.create_table(
        "reach",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=20), server_default="weekly", nullable=False),
        sa.Column("digest_hour", sa.Integer(), server_default="8", nullable=False),
        sa.Column("digest_weekday", sa.Integer(), server_default="4", nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=True),
        sa.Column("quiet_until", sa.Integer(), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("links_key", sa.String(length=32), server_default=sa.text("''"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _refers_to("reach", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_reach")),
    )
    op.create_table(
        "topic_choices",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("mail", sa.String(length=20), nullable=True),
        sa.Column("push", sa.Boolean(), nullable=True),
        _refers_to("topic_choices", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", "topic", name=op.f("pk_topic_choices")),
    )
    op.create_table(
        "board_choices",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("board_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("mail", sa.String(length=20), nullable=True),
        sa.Column("push", sa.Boolean(), nullable=True),
        _refers_to("board_choices", "user_id", "users"),
        _refers_to("board_choices", "board_id", "boards"),
        sa.PrimaryKeyConstraint("user_id", "board_id", "topic", name=op.f("pk_board_choices")),
    )
    op.create_index(op.f("ix_board_choices_board_id"), "board_choices", ["board_id"])


def downgrade():
    op.drop_table("board_choices")
    op.drop_table("topic_choices")
    op.drop_table("reach")
    op.drop_column("notifications", "way")
    op.drop_column("follows", "decisions_only")


def _refers_to(table, column, other):
    """Return the foreign key of what goes along with a person, or a board."""
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete="CASCADE"
    )
