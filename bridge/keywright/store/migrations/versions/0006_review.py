"""Suggestions kept for the review pages, and selections made in other programs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "suggestions",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("sure", sa.Boolean(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["keyword_id"], ["keywords.id"], name=op.f("fk_suggestions_keyword_id_keywords")),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_suggestions_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", "keyword_id", name=op.f("pk_suggestions")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_suggestions_open", "suggestions", ["keyword_id", "open", "sure", "confidence", "photo_id"], unique=False
    )
    op.create_table(
        "suggested_photos",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_suggested_photos_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", name=op.f("pk_suggested_photos")),
    )
    op.create_index("ix_suggested_photos_group_id", "suggested_photos", ["group_id"], unique=False)
    op.create_table(
        "suggestion_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion_state")),
    )
    op.create_table(
        "selections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selections")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "selection_photos",
        sa.Column("selection_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_selection_photos_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["selection_id"],
            ["selections.id"],
            name=op.f("fk_selection_photos_selection_id_selections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("selection_id", "place", name=op.f("pk_selection_photos")),
    )
    op.create_index("ix_selection_photos_photo_id", "selection_photos", ["photo_id"], unique=False)
    op.create_index("ix_photos_taken", "photos", ["taken", "id"], unique=False)
