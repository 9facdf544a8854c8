"""Model versions: each training is one, made of parts that versions share when they are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from keywright.errors import KeywrightError
from keywright.store.schema import METADATA
from keywright.store.slices import slices

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
    Index("ix_version_parts_digest", "digest"),
)

version_figures = Table(
    "version_figures",
    METADATA,
    Column("version_id", ForeignKey("model_versions.id", ondelete="CASCADE"), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""What was counted of a version's leave-one-out confidences (``learning.counting``); not part of the models."""

activations = Table(
    "activations",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("version_id", ForeignKey("model_versions.id", ondelete="CASCADE"), nullable=False),
    Column("activated_at", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Which versions were active, one after the other; rolling back takes the newest off. Numbers of versions cannot tell:
one that was imported or came out worse may never have been active."""


REVIEWED_SINCE = "reviewed_since"
"""The metric of a version that decisions moved: the number of the training they began from."""


@dataclass(frozen=True, slots=True)
class VersionRow:
    id: int
    encoder_id: str
    created_at: str
    active: bool
    metrics: Mapping[str, float]

    @property
    def trained(self) -> int:
        """The training that the version goes back to: itself, or the one whose models decisions moved."""
        return int(self.metrics.get(REVIEWED_SINCE, self.id))


def add_version(
    connection: Connection, encoder_id: str, parts: Mapping[str, bytes], metrics: Mapping[str, float], *, activate: bool
) -> int:
    """Keep a version; parts that another version has already are not kept twice, and mended where damaged there."""
    digests = _digests(parts)
    known = set(connection.execute(select(model_parts.c.digest)).scalars())
    contents = {digests[name]: content for name, content in parts.items()}
    for some in slices(list(contents)):
        shared = [d for d in some if d in known]
        for row in connection.execute(select(model_parts).where(model_parts.c.digest.in_(shared))):
            if row.content != contents[row.digest]:
                mended = update(model_parts).where(model_parts.c.digest == row.digest)
                connection.execute(mended.values(content=contents[row.digest]))
    new = {digest: content for digest, content in contents.items() if digest not in known}
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


def same_version(connection: Connection, parts: Mapping[str, bytes]) -> int | None:
    """The newest version that is made of exactly these parts."""
    digests = _digests(parts)
    name, digest = next(iter(digests.items()))
    alike = select(version_parts.c.version_id).where(version_parts.c.name == name, version_parts.c.digest == digest)
    for version in connection.execute(alike.order_by(version_parts.c.version_id.desc())).scalars():
        rows = connection.execute(
            select(version_parts.c.name, version_parts.c.digest).where(version_parts.c.version_id == version)
        )
        if {row.name: row.digest for row in rows} == digests:
            return int(version)
    return None


def activate_version(connection: Connection, version: int) -> None:
    """Make this version the one that suggests. Raises ``KeywrightError`` where there is none of that number."""
    row = connection.execute(select(model_versions.c.active).where(model_versions.c.id == version)).first()
    if row is None:
        raise KeywrightError(f"There is no model version {version}; `keywright models list` shows those there are.")
    if not row.active:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        connection.execute(insert(activations).values(version_id=version, activated_at=now))
    _make_active(connection, version)


def previously_active(connection: Connection) -> Sequence[int]:
    """The versions that were active one after the other, as far as they were not rolled back; the active one last."""
    found: list[int] = []
    for version in connection.execute(select(activations.c.version_id).order_by(activations.c.id)).scalars():
        if not found or found[-1] != version:
            found.append(int(version))
    return found


def roll_back_version(connection: Connection, to: int | None = None) -> int | None:
    """Make the version active that was active before the one that is now; ``None`` where there was none.

    ``to``: one that was active earlier; what was active since is rolled back too.
    """
    before = previously_active(connection)[:-1]
    if not before or (to is not None and to not in before):
        return None
    target = before[-1] if to is None else to
    last = select(func.max(activations.c.id)).where(activations.c.version_id == target).scalar_subquery()
    connection.execute(delete(activations).where(activations.c.id > last))
    _make_active(connection, target)
    return target


def _make_active(connection: Connection, version: int) -> None:
    connection.execute(update(model_versions).values(active=(model_versions.c.id == version)))


def list_versions(connection: Connection) -> list[VersionRow]:
    rows = connection.execute(select(model_versions).order_by(model_versions.c.id))
    return [VersionRow(int(r.id), r.encoder_id, r.created_at, bool(r.active), json.loads(r.metrics)) for r in rows]


def active_version(connection: Connection) -> VersionRow | None:
    return next((version for version in reversed(list_versions(connection)) if version.active), None)


MANIFEST = "manifest"
"""The part that names all others: another manifest is another content."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the models that suggest are: another one whenever they are others. ``content`` changes also where a version
    is moved by decisions."""

    version: int
    content: str


def active_mark(connection: Connection) -> Mark | None:
    """Quick: two rows are read. ``None`` where nothing was learned yet."""
    chosen = select(model_versions.c.id, version_parts.c.digest).join(
        version_parts, (version_parts.c.version_id == model_versions.c.id) & (version_parts.c.name == MANIFEST)
    )
    row = connection.execute(
        chosen.where(model_versions.c.active).order_by(model_versions.c.id.desc()).limit(1)
    ).first()
    return None if row is None else Mark(int(row.id), row.digest)


def fork_version(connection: Connection, version: int, metrics: Mapping[str, float]) -> int:
    """A new version, not active, made of the same parts."""
    old = select(model_versions.c.encoder_id).where(model_versions.c.id == version)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    values = {"encoder_id": old.scalar_subquery(), "created_at": now, "metrics": json.dumps(dict(metrics))}
    made = insert(model_versions).values(**values, active=False).returning(model_versions.c.id)
    number = int(connection.execute(made).scalar_one())
    theirs = select(literal(number), version_parts.c.name, version_parts.c.digest)
    connection.execute(
        insert(version_parts).from_select(
            ["version_id", "name", "digest"], theirs.where(version_parts.c.version_id == version)
        )
    )
    return number


def move_version(
    connection: Connection,
    version: int,
    manifest: bytes,
    gone: Collection[str],
    new: Mapping[str, bytes],
    metrics: Mapping[str, float],
) -> Mark:
    """Let a version be made of other parts: without those named ``gone``, and with ``new`` ones and another manifest.

    What no version has any more is forgotten. Costs what changed, not what the version holds.
    """
    theirs = version_parts.c.version_id == version
    wanted = {MANIFEST: manifest, **new}
    digests = _digests(wanted)
    dropped: set[str] = set()
    for part in slices(list({*gone, *wanted})):
        some = theirs & version_parts.c.name.in_(part)
        dropped.update(connection.execute(select(version_parts.c.digest).where(some)).scalars())
        connection.execute(delete(version_parts).where(some))
    contents = {digest: wanted[name] for name, digest in digests.items()}
    known: set[str] = set()
    for part in slices(list(contents)):
        known.update(connection.execute(select(model_parts.c.digest).where(model_parts.c.digest.in_(part))).scalars())
    fresh = [{"digest": digest, "content": content} for digest, content in contents.items() if digest not in known]
    if fresh:
        connection.execute(insert(model_parts), fresh)
    rows = [{"version_id": version, "name": name, "digest": digest} for name, digest in digests.items()]
    connection.execute(insert(version_parts), rows)
    _forget_unused(connection, dropped)
    values = {"metrics": json.dumps(dict(metrics))}
    connection.execute(update(model_versions).where(model_versions.c.id == version).values(values))
    return Mark(version, digests[MANIFEST])


def _forget_unused(connection: Connection, digests: Collection[str]) -> int:
    """Forget those of these parts that no version has; gives how many bytes they had."""
    freed = 0
    for part in slices(list(digests)):
        used = set(
            connection.execute(
                select(version_parts.c.digest).where(version_parts.c.digest.in_(part)).distinct()
            ).scalars()
        )
        gone = model_parts.c.digest.in_([digest for digest in part if digest not in used])
        size = func.coalesce(func.sum(func.length(model_parts.c.content)), 0)
        freed += int(connection.execute(select(size).where(gone)).scalar_one())
        connection.execute(delete(model_parts).where(gone))
    return freed


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


def keep_figures(connection: Connection, version: int, content: bytes) -> None:
    connection.execute(delete(version_figures).where(version_figures.c.version_id == version))
    connection.execute(insert(version_figures).values(version_id=version, content=content))


def figures_of(connection: Connection, version: int) -> bytes | None:
    """``None`` where nothing was counted of this version."""
    chosen = select(version_figures.c.content).where(version_figures.c.version_id == version)
    return connection.execute(chosen).scalar()


@dataclass(frozen=True, slots=True)
class VersionSize:
    """Bytes: of all parts of a version, and of those that no other version has."""

    total: int
    own: int


def version_sizes(connection: Connection) -> dict[int, VersionSize]:
    uses = select(version_parts.c.digest, func.count().label("n")).group_by(version_parts.c.digest).subquery()
    size = func.length(model_parts.c.content)
    rows = connection.execute(
        select(version_parts.c.version_id, func.sum(size), func.sum(case((uses.c.n == 1, size), else_=0)))
        .join(model_parts, model_parts.c.digest == version_parts.c.digest)
        .join(uses, uses.c.digest == version_parts.c.digest)
        .group_by(version_parts.c.version_id)
    )
    return {int(version): VersionSize(int(total), int(own)) for version, total, own in rows}


def remove_version(connection: Connection, version: int) -> int:
    """Forget a version and the parts that no other version has; gives how many bytes these had."""
    theirs = list(
        connection.execute(select(version_parts.c.digest).where(version_parts.c.version_id == version)).scalars()
    )
    connection.execute(delete(model_versions).where(model_versions.c.id == version))
    return _forget_unused(connection, theirs)


def _digests(parts: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.blake2b(content, digest_size=20).hexdigest() for name, content in parts.items()}
