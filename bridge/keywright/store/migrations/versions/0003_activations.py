"""Which model versions were active, one after the other: what rolling back goes by."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "activations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("activated_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["model_versions.id"],
            name=op.f("fk_activations_version_id_model_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activations")),
        sqlite_autoincrement=True,
    )
    # Until now every training was activated at once: those up to the active one were, in their order.
    op.execute(
        "INSERT INTO activations (version_id, activated_at) SELECT id, created_at FROM model_versions "
        "WHERE id <= (SELECT max(id) FROM model_versions WHERE active) ORDER BY id"
    )
