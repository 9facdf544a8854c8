"""What a person teaches beside keywords: prime examples, thresholds, decisions to be learned; figures of versions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "primes",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.Column("marked_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["keyword_id"], ["keywords.id"], name=op.f("fk_primes_keyword_id_keywords")),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_primes_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", "keyword_id", name=op.f("pk_primes")),
    )
    op.create_index("ix_primes_keyword_id", "primes", ["keyword_id"])
    op.create_table(
        "keyword_thresholds",
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("set_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["keyword_id"], ["keywords.id"], name=op.f("fk_keyword_thresholds_keyword_id_keywords")
        ),
        sa.PrimaryKeyConstraint("keyword_id", name=op.f("pk_keyword_thresholds")),
    )
    op.create_table(
        "waiting",
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.Column("decided", sa.Text(), nullable=True),
        sa.Column("prime", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["keyword_id"], ["keywords.id"], name=op.f("fk_waiting_keyword_id_keywords")),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_waiting_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_waiting")),
        sa.UniqueConstraint("photo_id", "keyword_id", name=op.f("uq_waiting_photo_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "version_figures",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["model_versions.id"],
            name=op.f("fk_version_figures_version_id_model_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_version_figures")),
    )
