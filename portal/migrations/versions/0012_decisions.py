"""decisions: their records, the reasons they are made for, and who still needs what was declined.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LATER, NO, YES, THERE = "not_now", "declined", "planned", "available"
REASONS = (
    ("Few people need it", "We see this need rarely, and spend our time on what more people ask for.", (LATER, NO)),
    ("Something else has to come first", "It builds on something that is not there yet.", (LATER,)),
    ("It costs more than it gives", "Building and keeping it would take more than it brings to people.", (LATER, NO)),
    ("It is not what the product is for", "It would make the product about something else.", (NO,)),
    ("There is another way to the same end", "The need can be met today, differently.", (NO, THERE)),
    ("It would weaken safety or privacy", "People would be less safe, or others would learn more of them.", (NO,)),
    ("Law or a contract does not allow it", "We may not do it, whoever asks.", (NO,)),
    ("Many people need it", "Enough people told us what they would do with it.", (YES,)),
    ("It fits where we are going", "It is part of what we set out to do.", (YES,)),
    ("It opens the way for more", "Other things that people ask for become possible with it.", (YES,)),
    ("It is there already", "The answer says where to find it.", (THERE,)),
)


def upgrade():
    moment = sa.DateTime(timezone=True)
    reasons = op.create_table(
        "decision_reasons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("kinds", sa.String(length=120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_reasons")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.Integer(), nullable=True),
        sa.Column("answer_id", sa.Integer(), nullable=True),
        sa.Column("reason_id", sa.Integer(), nullable=True),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("evidence_html", sa.Text(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("organisations", sa.Integer(), nullable=True),
        sa.Column("back_on", sa.Date(), nullable=True),
        sa.Column("votes_then", sa.Integer(), nullable=False),
        sa.Column("look_at", moment, nullable=True),
        sa.Column("revised_at", moment, nullable=True),
        _refers("decisions", "idea_id", "ideas", "CASCADE"),
        _refers("decisions", "change_id", "status_changes", "CASCADE"),
        _refers("decisions", "answer_id", "answers", "SET NULL"),
        _refers("decisions", "reason_id", "decision_reasons"),
        _refers("decisions", "decider_id", "users", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint("change_id", name=op.f("uq_decisions_change_id")),
    )
    for columns in (["idea_id", "at"], ["at", "id"], ["reason_id", "at"], ["look_at"], ["answer_id"], ["decider_id"]):
        op.create_index(op.f(f"ix_decisions_{'_'.join(columns)}"), "decisions", columns)
    op.create_table(
        "still_needed",
        sa.Column("idea_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("at", moment, nullable=False),
        _refers("still_needed", "idea_id", "ideas", "CASCADE"),
        _refers("still_needed", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("idea_id", "user_id", name=op.f("pk_still_needed")),
    )
    op.create_index(op.f("ix_still_needed_user_id"), "still_needed", ["user_id"])
    op.bulk_insert(
        reasons,
        [
            {"label": label, "about": about, "kinds": " ".join(kinds), "position": place}
            for place, (label, about, kinds) in enumerate(REASONS, start=1)
        ],
    )
    # What was decided before has its words in the official answers; the record of it begins with them.
    op.execute(
        sa.text(
            "INSERT INTO decisions (idea_id, change_id, answer_id, decider_id, status, at, evidence, evidence_html, "
            "back_on, votes_then) "
            "SELECT c.idea_id, c.id, "
            "(SELECT min(a.id) FROM answers a WHERE a.idea_id = c.idea_id AND a.change_id = c.id), "
            "c.actor_id, c.target, c.at, '', '', "
            "CASE WHEN c.target = 'not_now' AND i.status = 'not_now' AND i.status_since = c.at THEN i.review_on END, "
            "(SELECT count(*) FROM votes v WHERE v.idea_id = c.idea_id AND v.cast_at <= c.at) "
            "FROM status_changes c JOIN ideas i ON i.id = c.idea_id "
            "WHERE c.target IN ('planned', 'not_now', 'declined', 'available') AND c.source <> 'merged'"
        )
    )


def downgrade():
    op.drop_table("still_needed")
    op.drop_table("decisions")
    op.drop_table("decision_reasons")


def _refers(table, column, other, ondelete=None):
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)
