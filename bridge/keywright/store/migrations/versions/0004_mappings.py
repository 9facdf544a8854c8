"""Where the photos of a catalog lie on this machine, so that it need be said only once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("catalogs") as batch:
        batch.add_column(sa.Column("mappings", sa.Text(), nullable=False, server_default="[]"))
