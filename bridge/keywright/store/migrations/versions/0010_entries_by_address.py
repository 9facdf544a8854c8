"""All writes of one file are found without looking at the whole journal."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index("ix_write_entries_address", "write_entries", ["address"])
