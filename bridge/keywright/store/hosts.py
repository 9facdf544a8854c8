"""What a host program that writes its catalog itself (Lightroom) has reported, and what is known of catalogs' state."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, ForeignKey, Table, Text, delete, insert, select

from keywright.keywords import KeywordPath
from keywright.store.lookups import Names
from keywright.store.photos import catalog_keywords
from keywright.store.schema import METADATA, AnyText
from keywright.store.slices import slices

host_writes = Table(
    "host_writes",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("state", Text, nullable=False),  # "applied" or "failed"
    Column("reason", AnyText, nullable=False, default=""),
    Column("reported_at", Text, nullable=False),
)

catalog_states = Table(
    "catalog_states",
    METADATA,
    Column("catalog_id", ForeignKey("catalogs.id", ondelete="CASCADE"), primary_key=True),
    Column("mappings", AnyText, nullable=False, default="[]"),  # a JSON list of [old, new]
    Column("change_token", Text),  # the catalog's own, when it was last read
)


@dataclass(frozen=True, slots=True)
class HostWrite:
    """What the host said of one keyword on one photo: put there (``applied``), or why it could not be."""

    photo_id: int
    keyword_id: int
    applied: bool
    reason: str = ""


def record_host_writes(connection: Connection, reported: Iterable[HostWrite]) -> None:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    for one in reported:
        forget_host_write(connection, one.photo_id, one.keyword_id)
        connection.execute(
            insert(host_writes).values(
                photo_id=one.photo_id,
                keyword_id=one.keyword_id,
                state="applied" if one.applied else "failed",
                reason=one.reason,
                reported_at=now,
            )
        )


def forget_host_write(connection: Connection, photo_id: int, keyword_id: int) -> None:
    """The host has taken the keyword off again."""
    connection.execute(
        delete(host_writes).where(host_writes.c.photo_id == photo_id, host_writes.c.keyword_id == keyword_id)
    )


def list_host_writes(connection: Connection) -> dict[tuple[int, int], HostWrite]:
    """By (photo id, keyword id)."""
    rows = connection.execute(select(host_writes))
    return {
        (r.photo_id, r.keyword_id): HostWrite(r.photo_id, r.keyword_id, r.state == "applied", r.reason) for r in rows
    }


@dataclass(frozen=True, slots=True)
class CatalogState:
    mappings: Mapping[str, str]  # old folder: new folder
    change_token: str | None


def keep_catalog_state(connection: Connection, catalog_id: int, state: CatalogState) -> None:
    connection.execute(delete(catalog_states).where(catalog_states.c.catalog_id == catalog_id))
    connection.execute(
        insert(catalog_states).values(
            catalog_id=catalog_id, mappings=json.dumps(list(state.mappings.items())), change_token=state.change_token
        )
    )


def catalog_state(connection: Connection, catalog_id: int) -> CatalogState:
    row = connection.execute(select(catalog_states).where(catalog_states.c.catalog_id == catalog_id)).first()
    if row is None:
        return CatalogState({}, None)
    return CatalogState(dict(json.loads(row.mappings)), row.change_token)


def host_keyword_ids(
    connection: Connection, names: Names, wanted: Mapping[int, Collection[KeywordPath]]
) -> dict[tuple[int, KeywordPath], str]:
    """What catalogs call these keywords, by (catalog id, keyword as asked for), letter case aside.

    Left out are keywords that a catalog has not, and catalogs that give their keywords no ids (folders).
    """
    spelled = {path: names.spellings(path) for path in set[KeywordPath]().union(*wanted.values())}
    numbers = sorted({number for some in spelled.values() for number in some})
    known: dict[tuple[int, int], str] = {}
    for some in slices(numbers):
        chosen = select(catalog_keywords.c.catalog_id, catalog_keywords.c.keyword_id, catalog_keywords.c.host_id).where(
            catalog_keywords.c.keyword_id.in_(some),
            catalog_keywords.c.catalog_id.in_(sorted(wanted)),
            catalog_keywords.c.host_id != "",
        )
        known |= {(int(row.catalog_id), int(row.keyword_id)): row.host_id for row in connection.execute(chosen)}
    found = {}
    for catalog, paths in wanted.items():
        for path in paths:
            host_id = next((known[catalog, n] for n in spelled[path] if (catalog, n) in known), None)
            if host_id is not None:
                found[catalog, path] = host_id
    return found
