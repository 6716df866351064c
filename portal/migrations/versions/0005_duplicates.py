"""duplicates: likely pairs, what was decided on them, and what members propose.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "duplicate_pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("found", sa.String(length=20), nullable=False),
        sa.Column("found_at", moment, nullable=False),
        sa.Column("strength", sa.String(length=20), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("mutual", sa.Boolean(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_duplicate_pairs_in_order")),
        _refers("duplicate_pairs", "first_id", "ideas", "CASCADE"),
        _refers("duplicate_pairs", "second_id", "ideas", "CASCADE"),
        _refers("duplicate_pairs", "decided_by_id", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_pairs")),
        sa.UniqueConstraint("first_id", "second_id", name=op.f("uq_duplicate_pairs_first_id_second_id")),
    )
    still_open = sa.text("state = 'open'")
    op.create_index(
        "ix_duplicate_pairs_waiting",
        "duplicate_pairs",
        ["weight", "id"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_index(op.f("ix_duplicate_pairs_second_id"), "duplicate_pairs", ["second_id"])
    op.create_index(op.f("ix_duplicate_pairs_state_decided_at"), "duplicate_pairs", ["state", "decided_at"])
    op.create_table(
        "duplicate_proposals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("proposer_id", sa.Integer(), nullable=False),
        sa.Column("as_champion", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("told_at", moment, nullable=True),
        _refers("duplicate_proposals", "pair_id", "duplicate_pairs", "CASCADE"),
        _refers("duplicate_proposals", "idea_id", "ideas", "CASCADE"),
        _refers("duplicate_proposals", "proposer_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_proposals")),
        sa.UniqueConstraint("pair_id", "proposer_id", name=op.f("uq_duplicate_proposals_pair_id_proposer_id")),
    )
    op.create_index(op.f("ix_duplicate_proposals_idea_id"), "duplicate_proposals", ["idea_id"])
    op.create_index(op.f("ix_duplicate_proposals_proposer_id"), "duplicate_proposals", ["proposer_id"])
    op.create_table(
        "duplicate_decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first_id", sa.Integer(), nullable=False),
        sa.Column("second_id", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("change_id", sa.Integer(), nullable=True),
        sa.Column("suggested", sa.Boolean(), nullable=False),
        sa.Column("strength", sa.String(length=20), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", moment, nullable=True),
        _refers("duplicate_decisions", "first_id", "ideas", "CASCADE"),
        _refers("duplicate_decisions", "second_id", "ideas", "CASCADE"),
        _refers("duplicate_decisions", "actor_id", "users", "SET NULL"),
        _refers("duplicate_decisions", "change_id", "status_changes", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_decisions")),
        sa.UniqueConstraint("change_id", "verdict", name=op.f("uq_duplicate_decisions_change_id_verdict")),
    )
    op.create_index(op.f("ix_duplicate_decisions_first_id_second_id"), "duplicate_decisions", ["first_id", "second_id"])
    op.create_index(op.f("ix_duplicate_decisions_second_id"), "duplicate_decisions", ["second_id"])
    op.create_index(op.f("ix_duplicate_decisions_verdict_at"), "duplicate_decisions", ["verdict", "at"])
    op.create_table(
        "duplicate_tasks",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        _refers("duplicate_tasks", "idea_id", "ideas", "CASCADE"),
        sa.PrimaryKeyConstraint("idea_id", name=op.f("pk_duplicate_tasks")),
    )
    op.create_index(op.f("ix_duplicate_tasks_asked_at"), "duplicate_tasks", ["asked_at"])
    op.create_table(
        "duplicate_scan",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("done_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_scan")),
    )


def downgrade():
    for table in ("duplicate_scan", "duplicate_tasks", "duplicate_decisions", "duplicate_proposals", "duplicate_pairs"):
        op.drop_table(table)


def _refers(table, column, other, gone):
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=gone)
