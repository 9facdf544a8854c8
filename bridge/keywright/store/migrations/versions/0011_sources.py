"""Who speaks for a kept suggestion, and whether its keyword is one that the user does not have."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("suggestions", sa.Column("sources", sa.Text()))
    op.add_column("suggestions", sa.Column("is_new", sa.Boolean(), nullable=False, server_default=sa.false()))
    where = sa.column("is_new", sa.Boolean()) == sa.true()
    op.create_index("ix_suggestions_new", "suggestions", ["keyword_id"], sqlite_where=where, postgresql_where=where)
