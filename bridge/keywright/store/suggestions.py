"""Suggestions kept for the review pages: what the models say of every photo, so that lists of any size come at once.

A background job fills these tables (``operations.refreshing``); a decision closes a suggestion, and taking the decision
back opens it again. ``basis`` names what a photo's suggestions were made from; where it is another one now, they are
made anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    true,
    update,
)

from keywright.keywords import KeywordPath, with_prefixes
from keywright.store.decisions import decisions
from keywright.store.photos import photo_keywords
from keywright.store.schema import METADATA
from keywright.store.slices import slices

suggestions = Table(
    "suggestions",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("keyword_id", ForeignKey("keywords.id"), primary_key=True),
    Column("confidence", Float, nullable=False),
    Column("sure", Boolean, nullable=False),  # at or above the keyword's threshold; the others are a margin below
    Column("open", Boolean, nullable=False),  # neither decided nor carried, nor above a keyword that is
    Column("sources", Text),  # a JSON list of who speaks for it besides photos that are alike; null: nobody
    Column("is_new", Boolean, nullable=False, default=False, server_default=false()),  # no keyword of the user's yet
    # One keyword's open suggestions, surest first, and their number, are read from the index alone.
    Index("ix_suggestions_open", "keyword_id", "open", "sure", "confidence", "photo_id"),
    sqlite_with_rowid=False,
)
_NEW = suggestions.c.is_new == true()
Index("ix_suggestions_new", suggestions.c.keyword_id, sqlite_where=_NEW, postgresql_where=_NEW)  # they are few

suggested_photos = Table(
    "suggested_photos",
    METADATA,
    Column("photo_id", ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True),
    Column("basis", Text, nullable=False),
    Column("group_id", Integer, nullable=False),  # the first photo of its burst or of its near-duplicates
    Index("ix_suggested_photos_group_id", "group_id"),
)

suggestion_state = Table(
    "suggestion_state",
    METADATA,
    Column("id", Integer, primary_key=True),  # always 1
    Column("version_id", Integer, nullable=False),
    Column("seen", Text, nullable=False),  # a JSON object: what the suggestions come from, and when they were made
)


@dataclass(frozen=True, slots=True)
class SuggestionRow:
    photo_id: int
    keyword_id: int
    confidence: float
    sure: bool
    open: bool
    sources: tuple[str, ...] = ()  # who speaks for it besides photos that are alike
    new: bool = False  # no keyword of the user's yet


@dataclass(frozen=True, slots=True)
class KeptState:
    """The last refreshing that came to its end."""

    version_id: int
    seen: str


@dataclass(frozen=True, slots=True)
class OpenCount:
    """How many suggestions of one keyword wait for a decision."""

    keyword_id: int
    sure: int
    unsure: int


def replace_suggestions(
    connection: Connection, photos: Mapping[int, tuple[str, int]], rows: Sequence[SuggestionRow]
) -> None:
    """These photos' suggestions are ``rows`` and no others; ``photos``: their basis and group by id."""
    numbers = list(photos)
    for part in slices(numbers):
        connection.execute(delete(suggestions).where(suggestions.c.photo_id.in_(part)))
        connection.execute(delete(suggested_photos).where(suggested_photos.c.photo_id.in_(part)))
    if rows:
        ordered = sorted(rows, key=lambda r: (r.photo_id, r.keyword_id))
        connection.execute(
            insert(suggestions),
            [
                {"photo_id": r.photo_id, "keyword_id": r.keyword_id, "confidence": r.confidence}
                | {"sure": r.sure, "open": r.open, "is_new": r.new}
                | {"sources": json.dumps(r.sources, ensure_ascii=False) if r.sources else None}
                for r in ordered
            ],
        )
    if photos:
        entered = [{"photo_id": p, "basis": basis, "group_id": group} for p, (basis, group) in photos.items()]
        connection.execute(insert(suggested_photos), entered)


def forget_suggestions(connection: Connection, photo_ids: Sequence[int]) -> None:
    """These photos have none any more."""
    for part in slices(photo_ids):
        for table in (suggestions, suggested_photos):
            connection.execute(delete(table).where(table.c.photo_id.in_(part)))


def known_bases(connection: Connection) -> dict[int, tuple[str, int]]:
    """Basis and group of every photo that has suggestions, or was found to have none."""
    chosen = select(suggested_photos.c.photo_id, suggested_photos.c.basis, suggested_photos.c.group_id)
    return {int(p): (basis, int(group)) for p, basis, group in connection.execute(chosen)}


def suggestions_on(connection: Connection, photo_ids: Sequence[int]) -> dict[int, list[SuggestionRow]]:
    """Surest first."""
    found: dict[int, list[SuggestionRow]] = {}
    for part in slices(photo_ids):
        chosen = select(suggestions).where(suggestions.c.photo_id.in_(part))
        for row in connection.execute(chosen.order_by(suggestions.c.confidence.desc(), suggestions.c.keyword_id)):
            sources = tuple(json.loads(row.sources)) if row.sources else ()
            one = SuggestionRow(
                row.photo_id, row.keyword_id, row.confidence, bool(row.sure), bool(row.open), sources, bool(row.is_new)
            )
            found.setdefault(one.photo_id, []).append(one)
    return found


def groups_of(connection: Connection, photo_ids: Sequence[int]) -> dict[int, int]:
    """The group of each of these photos that has one."""
    found: dict[int, int] = {}
    for part in slices(photo_ids):
        chosen = select(suggested_photos.c.photo_id, suggested_photos.c.group_id).where(
            suggested_photos.c.photo_id.in_(part)
        )
        found.update((int(photo), int(group)) for photo, group in connection.execute(chosen))
    return found


def open_counts(connection: Connection) -> list[OpenCount]:
    """For each keyword with open suggestions how many there are."""
    number = func.count().label("n")
    chosen = (
        select(suggestions.c.keyword_id, suggestions.c.sure, number)
        .where(suggestions.c.open)
        .group_by(suggestions.c.keyword_id, suggestions.c.sure)
    )
    found: dict[int, list[int]] = {}
    for keyword, sure, n in connection.execute(chosen):
        found.setdefault(int(keyword), [0, 0])[0 if sure else 1] = int(n)
    return [OpenCount(keyword, sure, unsure) for keyword, (sure, unsure) in found.items()]


def new_keywords(connection: Connection) -> set[int]:
    """The keywords with suggestions, open or not, that are none of the user's yet."""
    return set(connection.execute(select(suggestions.c.keyword_id).where(_NEW).distinct()).scalars())


def settle(connection: Connection, photo_ids: Collection[int], paths: Mapping[int, KeywordPath]) -> None:
    """Open and close the suggestions of photos on which something was decided or keywords have changed.

    ``paths`` are all keywords by id. In the transaction of the decision, so that no list shows what was decided.
    """
    ids = sorted(set(photo_ids))
    changed = []
    for part in slices(ids):
        closed = closed_keywords(connection, part, paths)
        chosen = select(suggestions.c.photo_id, suggestions.c.keyword_id, suggestions.c.open)
        for photo, keyword, open_ in connection.execute(chosen.where(suggestions.c.photo_id.in_(part))):
            now = paths[keyword].key not in closed.get(photo, ())
            if now is not bool(open_):
                changed.append({"photo": photo, "keyword": keyword, "now": now})
    if changed:
        this = (suggestions.c.photo_id == bindparam("photo")) & (suggestions.c.keyword_id == bindparam("keyword"))
        connection.execute(update(suggestions).where(this).values(open=bindparam("now")), changed)


Keys = set[tuple[str, ...]]


def closed_keywords(
    connection: Connection, photo_ids: Sequence[int], paths: Mapping[int, KeywordPath]
) -> dict[int, Keys]:
    """For each photo the keys of the keywords that wait for no decision: those it was refused, and those it carries or
    was given, with all that lies above them (an assigned keyword implies its parents)."""
    closed: dict[int, Keys] = {}
    for part in slices(photo_ids):
        made = select(decisions.c.photo_id, decisions.c.keyword_id, decisions.c.decision)
        for photo, keyword, decision in connection.execute(made.where(decisions.c.photo_id.in_(part))):
            here = closed.setdefault(int(photo), set())
            here.update(with_prefixes(paths[keyword].key) if decision == "accepted" else (paths[keyword].key,))
        carried = select(photo_keywords.c.photo_id, photo_keywords.c.keyword_id)
        for photo, keyword in connection.execute(carried.where(photo_keywords.c.photo_id.in_(part))):
            closed.setdefault(int(photo), set()).update(with_prefixes(paths[keyword].key))
    return closed


def kept_state(connection: Connection) -> KeptState | None:
    row = connection.execute(select(suggestion_state)).first()
    return None if row is None else KeptState(int(row.version_id), row.seen)


def keep_state(connection: Connection, state: KeptState) -> None:
    connection.execute(delete(suggestion_state))
    connection.execute(insert(suggestion_state).values(id=1, version_id=state.version_id, seen=state.seen))
