"""Catalogs, photos and keywords as they were last read; ``syncing`` brings a new reading in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from keywright.catalogs.base import CatalogKeyword, CatalogKind, RootMapping
from keywright.keywords import KeywordPath
from keywright.store.schema import METADATA, AnyText
from keywright.store.slices import slices

T = TypeVar("T")

LOOSE = "loose photos"
"""Identity of the catalog that photos belong to which were named one by one and lie in no catalog."""

catalogs = Table(
    "catalogs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("source", AnyText, nullable=False),
    Column("identity", AnyText, nullable=False, unique=True),
    Column("learned", Boolean, nullable=False, default=False),  # its keywords are learned from
    Column("read_at", Text),
    Column("mappings", Text, nullable=False, server_default="[]"),  # JSON pairs [old, new] of moved folders
)

keywords = Table(
    "keywords",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("path", Text, nullable=False, unique=True),  # KeywordPath's text form
)

catalog_keywords = Table(
    "catalog_keywords",
    METADATA,
    Column("catalog_id", ForeignKey("catalogs.id", ondelete="CASCADE"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("host_id", Text, nullable=False),
    Column("private", Boolean, nullable=False, default=False),
    Column("synonyms", Text, nullable=False, default="[]"),  # a JSON list of names
)

photos = Table(
    "photos",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("catalog_id", ForeignKey("catalogs.id", ondelete="CASCADE"), nullable=False),
    Column("host_id", AnyText, nullable=False),
    Column("path", AnyText, nullable=False),
    Column("copy_of", AnyText),
    Column("rejected", Boolean, nullable=False, default=False),
    Column("is_video", Boolean, nullable=False, default=False),
    Column("taken", Text),
    Column("links", Text, nullable=False),  # a digest of its keywords, to see whether they changed
    Column("size", Integer),  # bytes; with mtime_ns the stamp under which content_id or error was found
    Column("mtime_ns", Integer),
    Column("content_id", Text),  # of the picture, whatever its metadata
    Column("error", Text),  # why there is no picture
    Column("gone", Boolean, nullable=False, default=False),  # not in the last reading; kept for its decisions
    UniqueConstraint("catalog_id", "host_id"),
    Index("ix_photos_path", "path"),
    Index("ix_photos_content_id", "content_id"),
    Index("ix_photos_taken", "taken", "id"),
)

photo_keywords = Table(
    "photo_keywords",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Index("ix_photo_keywords_keyword_id", "keyword_id"),
)


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A catalog the store knows."""

    id: int
    kind: CatalogKind
    source: str
    identity: str
    learned: bool
    photos: int
    read_at: str | None


@dataclass(frozen=True, slots=True)
class PhotoRow:
    """A photo the store knows, with its picture's content id once that was found."""

    id: int
    catalog_id: int
    host_id: str
    path: Path
    copy_of: str | None
    rejected: bool
    is_video: bool
    size: int | None
    mtime_ns: int | None
    content_id: str | None
    error: str | None


def register_catalog(connection: Connection, kind: CatalogKind, source: str, identity: str, *, learn: bool) -> int:
    """The id of the catalog, entered where it is new. ``learn`` marks it as one to learn from, and never unmarks it."""
    row = connection.execute(
        select(catalogs.c.id, catalogs.c.learned).where(catalogs.c.identity == identity)
    ).one_or_none()
    if row is None:
        values = {"kind": kind.value, "source": source, "identity": identity, "learned": learn}
        return int(connection.execute(insert(catalogs).values(values).returning(catalogs.c.id)).scalar_one())
    connection.execute(
        update(catalogs).where(catalogs.c.id == row.id).values(source=source, learned=bool(row.learned) or learn)
    )
    return int(row.id)


def remember_mappings(connection: Connection, catalog_id: int, mappings: Sequence[RootMapping]) -> None:
    """Keep where the catalog's photos lie on this machine."""
    pairs = json.dumps([[m.old, str(m.new)] for m in mappings])
    connection.execute(update(catalogs).where(catalogs.c.id == catalog_id).values(mappings=pairs))


def remembered_mappings(connection: Connection, source: str) -> list[RootMapping]:
    """What was said the last time of where the photos of this source lie."""
    kept = connection.execute(select(catalogs.c.mappings).where(catalogs.c.source == source)).scalars().first()
    return [RootMapping(old, Path(new)) for old, new in json.loads(kept or "[]")]


def list_catalogs(connection: Connection) -> list[CatalogRow]:
    here = select(photos.c.catalog_id, func.count().label("n")).where(photos.c.gone.is_(False))
    counted = here.group_by(photos.c.catalog_id).subquery()
    rows = connection.execute(
        select(catalogs, func.coalesce(counted.c.n, 0).label("n"))
        .join(counted, counted.c.catalog_id == catalogs.c.id, isouter=True)
        .order_by(catalogs.c.id)
    )
    return [
        CatalogRow(r.id, CatalogKind(r.kind), r.source, r.identity, bool(r.learned), int(r.n), r.read_at) for r in rows
    ]


class KeywordIds:
    """Keyword paths and their ids, both ways; new paths are entered as they are met."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids = {
            KeywordPath.parse(row.path): int(row.id)
            for row in connection.execute(select(keywords.c.id, keywords.c.path))
        }

    def id(self, path: KeywordPath) -> int:
        known = self._ids.get(path)
        if known is None:
            known = int(
                self._connection.execute(insert(keywords).values(path=str(path)).returning(keywords.c.id)).scalar_one()
            )
            self._ids[path] = known
        return known

    def paths(self) -> dict[int, KeywordPath]:
        return {number: path for path, number in self._ids.items()}


def sync_keywords(connection: Connection, catalog_id: int, listed: Iterable[CatalogKeyword], ids: KeywordIds) -> None:
    """Make the catalog's keyword list what was read."""
    connection.execute(delete(catalog_keywords).where(catalog_keywords.c.catalog_id == catalog_id))
    rows: dict[int, dict[str, object]] = {}
    for keyword in listed:
        rows[ids.id(keyword.path)] = {
            "catalog_id": catalog_id,
            "keyword_id": ids.id(keyword.path),
            "host_id": keyword.host_id,
            "private": keyword.private,
            "synonyms": json.dumps(list(keyword.synonyms), ensure_ascii=False),
        }
    if rows:
        connection.execute(insert(catalog_keywords), list(rows.values()))


def list_photos(connection: Connection, catalog_ids: Sequence[int] | None = None) -> list[PhotoRow]:
    """The photos of these catalogs (of all, for ``None``) in order of entry."""
    chosen = select(photos).where(photos.c.gone.is_(False)).order_by(photos.c.id)
    if catalog_ids is not None:
        chosen = chosen.where(photos.c.catalog_id.in_(catalog_ids))
    return [photo_of(row) for row in connection.execute(chosen)]


def photos_at(connection: Connection, paths: Sequence[Path]) -> dict[Path, list[PhotoRow]]:
    """The known photos at these paths, by path; virtual copies share theirs."""
    found: dict[Path, list[PhotoRow]] = {}
    for part in slices([str(p) for p in paths]):
        chosen = select(photos).where(photos.c.path.in_(part), photos.c.gone.is_(False)).order_by(photos.c.id)
        for row in connection.execute(chosen):
            found.setdefault(Path(row.path), []).append(photo_of(row))
    return found


def keywords_of(connection: Connection, photo_ids: Sequence[int]) -> dict[int, frozenset[int]]:
    """The keyword ids each of these photos carries; photos without any are left out."""
    found: dict[int, set[int]] = {}
    for part in slices(photo_ids):
        chosen = select(photo_keywords).where(photo_keywords.c.photo_id.in_(part))
        for row in connection.execute(chosen):
            found.setdefault(int(row.photo_id), set()).add(int(row.keyword_id))
    return {number: frozenset(assigned) for number, assigned in found.items()}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What was found for a photo's file at one size and time: its content id, or why there is none."""

    photo_id: int
    size: int | None
    mtime_ns: int | None
    content_id: str | None
    error: str | None


def record_stamps(connection: Connection, stamps: Iterable[Stamp]) -> None:
    rows = [
        {"photo": s.photo_id, "size": s.size, "mtime_ns": s.mtime_ns, "content_id": s.content_id, "error": s.error}
        for s in stamps
    ]
    if rows:
        names = ("size", "mtime_ns", "content_id", "error")
        connection.execute(
            update(photos).where(photos.c.id == bindparam("photo")).values({c: bindparam(c) for c in names}), rows
        )


@dataclass(frozen=True, slots=True)
class KnownKeyword:
    """A keyword of some catalog's list, with what the catalogs say of it together."""

    id: int
    path: KeywordPath
    synonyms: tuple[str, ...]
    private: bool  # in every catalog that lists it
    photos: int  # that carry it themselves


def list_keywords(connection: Connection, *, learned_only: bool = True) -> list[KnownKeyword]:
    """All keywords of the catalogs learned from (or of all), with the number of photos that carry each."""
    counts = (
        select(photo_keywords.c.keyword_id, func.count().label("n")).group_by(photo_keywords.c.keyword_id).subquery()
    )
    chosen = (
        select(
            keywords.c.id,
            keywords.c.path,
            catalog_keywords.c.synonyms,
            catalog_keywords.c.private,
            func.coalesce(counts.c.n, 0).label("n"),
        )
        .join(catalog_keywords, catalog_keywords.c.keyword_id == keywords.c.id)
        .join(catalogs, catalogs.c.id == catalog_keywords.c.catalog_id)
        .join(counts, counts.c.keyword_id == keywords.c.id, isouter=True)
    )
    if learned_only:
        chosen = chosen.where(catalogs.c.learned)
    found: dict[int, KnownKeyword] = {}
    for row in connection.execute(chosen):
        synonyms = tuple(json.loads(row.synonyms))
        earlier = found.get(row.id)
        if earlier is not None:
            synonyms = tuple(dict.fromkeys((*earlier.synonyms, *synonyms)))
        private = bool(row.private) and (earlier is None or earlier.private)
        found[row.id] = KnownKeyword(int(row.id), KeywordPath.parse(row.path), synonyms, private, int(row.n))
    return sorted(found.values(), key=lambda k: k.path.key)


def vocabulary_mark(connection: Connection) -> str:
    """Another text once the catalogs list other keywords, or other synonyms; found without reading them."""
    synonyms = func.sum(func.length(catalog_keywords.c.synonyms))
    listed = select(func.count(), func.sum(catalog_keywords.c.keyword_id), synonyms).select_from(catalog_keywords)
    return "/".join(str(one or 0) for one in connection.execute(listed).one())


def photo_of(row: Row[Any]) -> PhotoRow:
    """The photo of a row of the table ``photos``."""
    r = row._mapping
    return PhotoRow(
        id=int(r["id"]),
        catalog_id=int(r["catalog_id"]),
        host_id=r["host_id"],
        path=Path(r["path"]),
        copy_of=r["copy_of"],
        rejected=bool(r["rejected"]),
        is_video=bool(r["is_video"]),
        size=r["size"],
        mtime_ns=r["mtime_ns"],
        content_id=r["content_id"],
        error=r["error"],
    )


def blocks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """In order, each of ``size`` at most."""
    iterator = iter(items)
    while block := list(islice(iterator, size)):
        yield block
