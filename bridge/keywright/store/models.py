"""Model versions: each training is one, made of parts that versions share when they are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from keywright.errors import KeywrightError
from keywright.store.schema import METADATA

model_parts = Table(
    "model_parts",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

model_versions = Table(
    "model_versions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("encoder_id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("active", Boolean, nullable=False, default=False),
    Column("metrics", Text, nullable=False),  # JSON object of numbers
    sqlite_autoincrement=True,
)

version_parts = Table(
    "version_parts",
    METADATA,
    Column("version_id", ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", ForeignKey("model_parts.digest"), nullable=False),
)


@dataclass(frozen=True, slots=True)
class VersionRow:
    id: int
    encoder_id: str
    created_at: str
    active: bool
    metrics: Mapping[str, float]


def add_version(
    connection: Connection, encoder_id: str, parts: Mapping[str, bytes], metrics: Mapping[str, float], *, activate: bool
) -> int:
    """Keep a version; parts that another version has already are not kept twice."""
    digests = {name: hashlib.blake2b(content, digest_size=20).hexdigest() for name, content in parts.items()}
    known = set(connection.execute(select(model_parts.c.digest)).scalars())
    new = {digests[name]: content for name, content in parts.items() if digests[name] not in known}
    if new:
        connection.execute(insert(model_parts), [{"digest": d, "content": c} for d, c in new.items()])
    version = int(
        connection.execute(
            insert(model_versions)
            .values(
                encoder_id=encoder_id,
                created_at=datetime.now(UTC).isoformat(timespec="seconds"),
                metrics=json.dumps(dict(metrics)),
                active=False,
            )
            .returning(model_versions.c.id)
        ).scalar_one()
    )
    if parts:
        rows = [{"version_id": version, "name": name, "digest": digest} for name, digest in digests.items()]
        connection.execute(insert(version_parts), rows)
    if activate:
        activate_version(connection, version)
    return version


def activate_version(connection: Connection, version: int) -> None:
    """Make this version the one that suggests. Raises ``KeywrightError`` where there is none of that number."""
    if connection.execute(select(model_versions.c.id).where(model_versions.c.id == version)).first() is None:
        raise KeywrightError(f"There is no model version {version}; `keywright models list` shows those there are.")
    connection.execute(update(model_versions).values(active=(model_versions.c.id == version)))


def list_versions(connection: Connection) -> list[VersionRow]:
    rows = connection.execute(select(model_versions).order_by(model_versions.c.id))
    return [VersionRow(int(r.id), r.encoder_id, r.created_at, bool(r.active), json.loads(r.metrics)) for r in rows]


def active_version(connection: Connection) -> VersionRow | None:
    return next((version for version in reversed(list_versions(connection)) if version.active), None)


def version_content(connection: Connection, version: int) -> dict[str, bytes]:
    """The parts of a version. Raises ``KeywrightError`` where one is damaged."""
    rows = connection.execute(
        select(version_parts.c.name, model_parts.c.digest, model_parts.c.content)
        .join(model_parts, model_parts.c.digest == version_parts.c.digest)
        .where(version_parts.c.version_id == version)
    )
    found = {}
    for row in rows:
        if hashlib.blake2b(row.content, digest_size=20).hexdigest() != row.digest:
            raise KeywrightError(
                f"Model version {version} is damaged in its part {row.name}; "
                "activate another version, or run `keywright learn` to train anew."
            )
        found[row.name] = row.content
    return found


def remove_version(connection: Connection, version: int) -> None:
    """Forget a version and the parts that no other version has."""
    connection.execute(delete(model_versions).where(model_versions.c.id == version))
    used = select(version_parts.c.digest)
    connection.execute(delete(model_parts).where(model_parts.c.digest.not_in(used)))
