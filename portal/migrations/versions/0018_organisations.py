"""organisations: who is behind an idea, votes on behalf and set aside, segments and scores.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("votes", sa.Column("origin", sa.String(length=20), server_default="own", nullable=False))
    giver = sa.ForeignKey("users.id")  # SQLite takes it within the column, and reads back no more than this
    op.add_column("votes", sa.Column("cast_by_id", sa.Integer(), giver, nullable=True), inline_references=True)
    op.add_column("votes", sa.Column("note", sa.String(length=280), server_default=sa.text("''"), nullable=False))
    op.add_column("votes", sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE votes SET origin = 'imported'"
        " WHERE voter_id IN (SELECT id FROM users WHERE email LIKE '%@imported.invalid')"
    )
    op.create_table(
        "votes_set_aside",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("voter_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=280), nullable=False),
        *_refers_to("votes_set_aside", idea_id="ideas", voter_id="users", by_id="users"),
        sa.PrimaryKeyConstraint("idea_id", "voter_id", name=op.f("pk_votes_set_aside")),
    )
    op.create_index(op.f("ix_votes_set_aside_voter_id"), "votes_set_aside", ["voter_id"])
    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=160), nullable=False),
        sa.Column("note", sa.String(length=280), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("name_key", name=op.f("uq_organisations_name_key")),
    )
    op.create_table(
        "organisation_domains",
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        *_refers_to("organisation_domains", organisation_id="organisations"),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_organisation_domains")),
    )
    op.create_index(op.f("ix_organisation_domains_organisation_id"), "organisation_domains", ["organisation_id"])
    op.create_table(
        "organisation_members",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("way", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        *_refers_to("organisation_members", user_id="users", organisation_id="organisations", by_id="users"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_organisation_members")),
    )
    op.create_index(op.f("ix_organisation_members_organisation_id"), "organisation_members", ["organisation_id"])
    op.create_table(
        "organisation_votes",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cast_by_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=280), nullable=False),
        *_refers_to("organisation_votes", idea_id="ideas", organisation_id="organisations", cast_by_id="users"),
        sa.PrimaryKeyConstraint("idea_id", "organisation_id", name=op.f("pk_organisation_votes")),
    )
    op.create_index(op.f("ix_organisation_votes_organisation_id"), "organisation_votes", ["organisation_id"])
    op.create_table(
        "segments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.String(length=160), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("name_key", name=op.f("uq_segments_name_key")),
    )
    op.create_table(
        "segment_members",
        sa.Column("segment_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        *_refers_to("segment_members", segment_id="segments", user_id="users"),
        sa.PrimaryKeyConstraint("segment_id", "user_id", name=op.f("pk_segment_members")),
    )
    op.create_index(op.f("ix_segment_members_user_id"), "segment_members", ["user_id"])
    op.create_table(
        "idea_scores",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        *_refers_to("idea_scores", idea_id="ideas", by_id="users"),
        sa.PrimaryKeyConstraint("idea_id", name=op.f("pk_idea_scores")),
    )
    op.create_index(op.f("ix_idea_scores_value_idea_id"), "idea_scores", ["value", "idea_id"])


def downgrade():
    for table in (
        *("idea_scores", "segment_members", "segments", "organisation_votes", "organisation_members"),
        *("organisation_domains", "organisations", "votes_set_aside"),
    ):
        op.drop_table(table)
    op.drop_column("votes", "set_aside_at")
    op.drop_column("votes", "note")
    op.drop_column("votes", "cast_by_id")
    op.drop_column("votes", "origin")


def _refers_to(table, **columns):
    """Return the foreign keys of a table; what was done by somebody stays when they go, all else goes along."""
    for column, other in columns.items():
        kept = column in {"by_id", "cast_by_id"}
        yield sa.ForeignKeyConstraint(
            [column],
            [f"{other}.id"],
            name=op.f(f"fk_{table}_{column}_{other}"),
            ondelete="SET NULL" if kept else "CASCADE",
        )
