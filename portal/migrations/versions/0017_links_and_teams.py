"""links and teams: who looks after ideas together, what ideas are to each other, and words only the team reads.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "teams",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("about", sa.String(length=160), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
    )
    op.create_table(
        "team_members",
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_team_members_team_id_teams"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_team_members_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_members")),
    )
    op.create_index(op.f("ix_team_members_user_id"), "team_members", ["user_id"])
    team = sa.ForeignKey("teams.id")  # SQLite takes it within the column, and reads back no more than this
    op.add_column("ideas", sa.Column("team_id", sa.Integer(), team, nullable=True), inline_references=True)
    op.create_index(op.f("ix_ideas_team_id_due_at"), "ideas", ["team_id", "due_at"])
    op.add_column("ideas", sa.Column("nature", sa.String(length=20), nullable=True))
    op.create_table(
        "idea_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("idea_id <> other_id", name=op.f("ck_idea_links_not_to_itself")),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_idea_links_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["ideas.id"], name=op.f("fk_idea_links_other_id_ideas"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["users.id"], name=op.f("fk_idea_links_made_by_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idea_links")),
        sa.UniqueConstraint("idea_id", "other_id", "kind", name=op.f("uq_idea_links_idea_id_other_id_kind")),
    )
    op.create_index(op.f("ix_idea_links_other_id"), "idea_links", ["other_id"])
    op.create_index(op.f("ix_idea_links_made_by_id"), "idea_links", ["made_by_id"])
    op.create_table(
        "need_backers",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_need_backers_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_need_backers_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("idea_id", "user_id", name=op.f("pk_need_backers")),
    )
    op.create_index(op.f("ix_need_backers_user_id"), "need_backers", ["user_id"])
    op.create_table(
        "labels",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
        sa.UniqueConstraint("name", name=op.f("uq_labels_name")),
    )
    op.create_table(
        "idea_labels",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["idea_id"], ["ideas.id"], name=op.f("fk_idea_labels_idea_id_ideas"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["label_id"], ["labels.id"], name=op.f("fk_idea_labels_label_id_labels"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("idea_id", "label_id", name=op.f("pk_idea_labels")),
    )
    op.create_index(op.f("ix_idea_labels_label_id"), "idea_labels", ["label_id"])


def downgrade():
    op.drop_table("idea_labels")
    op.drop_table("labels")
    op.drop_table("need_backers")
    op.drop_table("idea_links")
    op.drop_column("ideas", "nature")
    op.drop_index(op.f("ix_ideas_team_id_due_at"), table_name="ideas")
    op.drop_column("ideas", "team_id")
    op.drop_table("team_members")
    op.drop_table("teams")
