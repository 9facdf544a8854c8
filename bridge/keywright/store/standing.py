"""What persons have said of a picture: what it carries, what it was refused, of what it is a prime example.

The same rules as for a training (``operations.gathering``): all photos of a picture speak for it, rejected photos and
catalogs that are not learned from give no keywords, and what was written by confidence alone does not count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from keywright.store.decisions import (
    Decision,
    Waiting,
    decisions,
    list_decisions,
    record_waiting,
    waiting,
    written,
)
from keywright.store.lookups import photos_by_id
from keywright.store.photos import catalogs, photo_keywords, photos
from keywright.store.primes import list_primes, primes_on

Pair = tuple[int, int]
"""(photo id, keyword id)."""


@dataclass(frozen=True, slots=True)
class Told:
    """Keyword ids."""

    carried: frozenset[int]
    refused: frozenset[int]
    primes: frozenset[int]


def contents_of(connection: Connection, photo_ids: Collection[int]) -> dict[int, str]:
    """The content ids of those of these photos whose picture is known, gone ones too."""
    chosen = select(photos.c.id, photos.c.content_id).where(
        photos.c.id.in_(photo_ids), photos.c.content_id.is_not(None)
    )
    return {int(row.id): row.content_id for row in connection.execute(chosen)}


def told_of(connection: Connection, content_id: str, older: Sequence[Waiting] = ()) -> tuple[Told, Told]:
    """What had been said of one picture before what ``older`` tells of, and what has been said now."""
    ids = list(connection.execute(select(photos.c.id).where(photos.c.content_id == content_id)).scalars())
    chosen = select(decisions.c.photo_id, decisions.c.keyword_id, decisions.c.decision)
    decided: dict[Pair, Decision] = {
        (int(r.photo_id), int(r.keyword_id)): Decision(r.decision)
        for r in connection.execute(chosen.where(decisions.c.photo_id.in_(ids)))
    }
    marked = primes_on(connection, ids)
    alone = {
        (int(r.photo_id), int(r.keyword_id))
        for r in connection.execute(select(written.c.photo_id, written.c.keyword_id).where(written.c.photo_id.in_(ids)))
    }
    linked = (
        select(photo_keywords.c.photo_id, photo_keywords.c.keyword_id)
        .join(photos, photos.c.id == photo_keywords.c.photo_id)
        .join(catalogs, catalogs.c.id == photos.c.catalog_id)
        .where(photos.c.id.in_(ids), catalogs.c.learned, photos.c.rejected.is_(False), photos.c.gone.is_(False))
    )
    links = {(int(r.photo_id), int(r.keyword_id)) for r in connection.execute(linked)} - alone
    now = _told(links, decided, marked)
    for one in older:
        pair = (one.photo_id, one.keyword_id)
        if one.decided is None:
            decided.pop(pair, None)
        else:
            decided[pair] = one.decided
        (marked.add if one.prime else marked.discard)(pair)
    return _told(links, decided, marked), now


def _told(links: set[Pair], decided: Mapping[Pair, Decision], marked: set[Pair]) -> Told:
    accepted = {pair for pair, decision in decided.items() if decision is Decision.ACCEPTED}
    return Told(
        frozenset(keyword for _, keyword in links | accepted),
        frozenset(keyword for (_, keyword), decision in decided.items() if decision is Decision.REJECTED),
        frozenset(keyword for _, keyword in marked),
    )


@dataclass(frozen=True, slots=True)
class Said:
    """Everything persons decided, as it was at one moment."""

    decided: Mapping[Pair, Decision]
    primes: frozenset[Pair]


def said_now(connection: Connection) -> Said:
    return Said(
        {(d.photo_id, d.keyword_id): d.decision for d in list_decisions(connection)},
        frozenset(list_primes(connection)),
    )


def wait_from(connection: Connection, said: Said) -> int:
    """A training has learned what had been ``said``: only what was said otherwise since waits still.

    Gives how much that is.
    """
    now = said_now(connection)
    connection.execute(delete(waiting))
    pairs = {
        pair
        for pair in now.decided.keys() | said.decided.keys() | now.primes | said.primes
        if now.decided.get(pair) is not said.decided.get(pair) or (pair in now.primes) is not (pair in said.primes)
    }
    there = photos_by_id(connection, sorted({photo for photo, _ in pairs}))
    kept = sorted(pair for pair in pairs if pair[0] in there)
    record_waiting(connection, [(*pair, said.decided.get(pair), pair in said.primes) for pair in kept])
    return len(kept)
