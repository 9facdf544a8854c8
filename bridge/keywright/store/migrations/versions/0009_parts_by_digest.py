"""Whether a part of a model is used by any version, found without looking at all."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_index("ix_version_parts_digest", "version_parts", ["digest"])
