"""choices: what reaches whom: choices by event, channel and board, quiet hours, pauses.

Revision: 0021, after 0020
"""

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
