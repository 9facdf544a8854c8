"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "catalogs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("learned", sa.Boolean(), nullable=False),
        sa.Column("read_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogs")),
        sa.UniqueConstraint("identity", name=op.f("uq_catalogs_identity")),
    )
    op.create_table(
        "keywords",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keywords")),
        sa.UniqueConstraint("path", name=op.f("uq_keywords_path")),
    )
    op.create_table(
        "model_parts",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_model_parts")),
    )
    op.create_table(
        "model_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("encoder_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("metrics", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "vectors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("encoder_id", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.Column("norm", sa.Float(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vectors")),
        sa.UniqueConstraint("encoder_id", "content_id", name=op.f("uq_vectors_encoder_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "write_batches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Text(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["undoes"], ["write_batches.id"], name=op.f("fk_write_batches_undoes_write_batches")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_batches")),
        sa.UniqueConstraint("number", name=op.f("uq_write_batches_number")),
    )
    op.create_table(
        "catalog_keywords",
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Text(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("synonyms", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["catalog_id"], ["catalogs.id"], name=op.f("fk_catalog_keywords_catalog_id_catalogs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["keyword_id"], ["keywords.id"], name=op.f("fk_catalog_keywords_keyword_id_keywords")),
        sa.PrimaryKeyConstraint("catalog_id", "keyword_id", name=op.f("pk_catalog_keywords")),
    )
    op.create_table(
        "photos",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("catalog_id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("copy_of", sa.Text(), nullable=True),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.Column("is_video", sa.Boolean(), nullable=False),
        sa.Column("taken", sa.Text(), nullable=True),
        sa.Column("links", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("mtime_ns", sa.Integer(), nullable=True),
        sa.Column("content_id", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["catalog_id"], ["catalogs.id"], name=op.f("fk_photos_catalog_id_catalogs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photos")),
        sa.UniqueConstraint("catalog_id", "host_id", name=op.f("uq_photos_catalog_id")),
    )
    op.create_index("ix_photos_content_id", "photos", ["content_id"], unique=False)
    op.create_index("ix_photos_path", "photos", ["path"], unique=False)
    op.create_table(
        "version_parts",
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["model_parts.digest"], name=op.f("fk_version_parts_digest_model_parts")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["model_versions.id"],
            name=op.f("fk_version_parts_version_id_model_versions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "name", name=op.f("pk_version_parts")),
    )
    op.create_table(
        "write_entries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("old_digest", sa.Text(), nullable=False),
        sa.Column("new_digest", sa.Text(), nullable=False),
        sa.Column("before_form", sa.Text(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("added", sa.LargeBinary(), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("leftover", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["write_batches.id"], name=op.f("fk_write_entries_batch_id_write_batches"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["undoes"], ["write_entries.id"], name=op.f("fk_write_entries_undoes_write_entries")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_write_entries")),
    )
    op.create_index("ix_write_entries_batch_id", "write_entries", ["batch_id"], unique=False)
    op.create_index("ix_write_entries_state", "write_entries", ["state"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["keyword_id"], ["keywords.id"], name=op.f("fk_decisions_keyword_id_keywords")),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_decisions_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", "keyword_id", name=op.f("pk_decisions")),
    )
    op.create_index("ix_decisions_keyword_id", "decisions", ["keyword_id"], unique=False)
    op.create_table(
        "photo_keywords",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["keyword_id"], ["keywords.id"], name=op.f("fk_photo_keywords_keyword_id_keywords")),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_photo_keywords_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", "keyword_id", name=op.f("pk_photo_keywords")),
    )
    op.create_index("ix_photo_keywords_keyword_id", "photo_keywords", ["keyword_id"], unique=False)
    op.create_table(
        "write_entry_photos",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("photo", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["write_entries.id"],
            name=op.f("fk_write_entry_photos_entry_id_write_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", "position", name=op.f("pk_write_entry_photos")),
    )
    op.create_index("ix_write_entry_photos_photo", "write_entry_photos", ["photo"], unique=False)
    op.create_table(
        "written",
        sa.Column("photo_id", sa.Integer(), nullable=False),
        sa.Column("keyword_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["keyword_id"], ["keywords.id"], name=op.f("fk_written_keyword_id_keywords")),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["photos.id"], name=op.f("fk_written_photo_id_photos"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("photo_id", "keyword_id", name=op.f("pk_written")),
    )
    op.create_index("ix_written_batch_id", "written", ["batch_id"], unique=False)
