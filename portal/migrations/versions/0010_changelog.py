"""changelog: what came out, which ideas it ships, and who is thanked.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "changelog_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=140), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("board_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("scheduled_by_id", sa.Integer(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["board_id"], ["boards.id"], name=op.f("fk_changelog_entries_board_id_boards")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["users.id"], name=op.f("fk_changelog_entries_author_id_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["scheduled_by_id"],
            ["users.id"],
            name=op.f("fk_changelog_entries_scheduled_by_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changelog_entries")),
    )
    op.create_index(
        op.f("ix_changelog_entries_published_at_id"), "changelog_entries", ["published_at", "id"], unique=False
    )
    op.create_index(op.f("ix_changelog_entries_publish_at"), "changelog_entries", ["publish_at"], unique=False)
    op.create_index(op.f("ix_changelog_entries_board_id"), "changelog_entries", ["board_id"], unique=False)
    op.create_table(
        "changelog_ideas",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("ships", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["changelog_entries.id"],
            name=op.f("fk_changelog_ideas_entry_id_changelog_entries"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_changelog_ideas_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", "idea_id", name=op.f("pk_changelog_ideas")),
    )
    op.create_index(op.f("ix_changelog_ideas_idea_id"), "changelog_ideas", ["idea_id"], unique=False)
    op.create_table(
        "changelog_credits",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["changelog_entries.id"],
            name=op.f("fk_changelog_credits_entry_id_changelog_entries"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_changelog_credits_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_changelog_credits_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", "user_id", name=op.f("pk_changelog_credits")),
    )
    op.create_index(op.f("ix_changelog_credits_user_id"), "changelog_credits", ["user_id"], unique=False)
    op.create_index(op.f("ix_changelog_credits_idea_id"), "changelog_credits", ["idea_id"], unique=False)
    op.create_table(
        "credit_choices",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_credit_choices_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_credit_choices")),
    )


def downgrade():
    op.drop_table("credit_choices")
    op.drop_table("changelog_credits")
    op.drop_table("changelog_ideas")
    op.drop_table("changelog_entries")
