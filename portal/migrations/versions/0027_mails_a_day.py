"""mails a day: how many at most somebody wants at once.

Revision: 0027, after 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("reach", sa.Column("mails_a_day", sa.Integer(), nullable=True))


def downgrade():
    op.drop_column("reach", "mails_a_day")
