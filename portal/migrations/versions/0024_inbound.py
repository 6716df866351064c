"""inbound: mails that come in: replies, bounces and complaints.

Revision: 0024, after 0023
"""

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
