"""What the review pages list: photos with what is to be decided on them, and keywords with the photos they wait on.

Everything is read from the store, where ``operations.refreshing`` keeps the suggestions, so that a collection of any
size answers at once. Decisions themselves are made by ``operations.deciding``, whoever makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from keywright.keywords import KeywordPath
from keywright.operations.registering import NotFoundError
from keywright.operations.staleness import is_stale
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, decisions
from keywright.store.lookups import Names, decisions_on, photos_by_id, taken_of, vectors_of
from keywright.store.photos import PhotoRow, keywords_of, photo_keywords, photos
from keywright.store.primes import list_primes, primes_on
from keywright.store.selections import add_selection, has_selection, selection_photos
from keywright.store.suggestions import (
    groups_of,
    kept_state,
    new_keywords,
    open_counts,
    suggested_photos,
    suggestions,
    suggestions_on,
)

MOST_OF_KEYWORD = 20_000
"""Photos of one keyword that are listed; the surest."""
_MOST_EXAMPLES = 600  # photos with a keyword that are compared for reasons


class Order(StrEnum):
    NEWEST = "newest"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which photos are listed; what is ``None`` or ``False`` leaves none out."""

    order: Order = Order.NEWEST
    folder: str | None = None  # and the folders in it
    since: date | None = None
    until: date | None = None  # that day is in it
    keyword: KeywordPath | None = None  # suggested or carried, or one below it
    min_confidence: float | None = None  # of an open suggestion; without it each keyword's own threshold
    undecided: bool = False  # something is to be decided
    selection: int | None = None


class State(StrEnum):
    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True)
class ReviewKeyword:
    """A keyword on a photo as it is shown."""

    keyword: KeywordPath
    state: State
    confidence: float | None
    sure: bool
    prime: bool
    sources: tuple[str, ...] = ()  # who speaks for a suggestion besides photos that are alike
    new: bool = False  # suggested, and no keyword of the user's yet


@dataclass(frozen=True, slots=True)
class ReviewPhoto:
    photo: PhotoRow
    taken: datetime | None
    keywords: tuple[ReviewKeyword, ...]  # carried and accepted ones first, then suggestions, surest first
    group: int


@dataclass(frozen=True, slots=True)
class ReviewState:
    """Whether the lists can be trusted to be complete."""

    photos: int
    version: int | None  # whose suggestions are listed
    stale: bool  # the models, photos or keywords are newer than the suggestions


@dataclass(frozen=True, slots=True)
class OpenKeyword:
    """A keyword with suggestions that wait."""

    keyword: KeywordPath
    sure: int
    unsure: int
    new: bool = False  # no keyword of the user's yet


@dataclass(frozen=True, slots=True)
class PhotoGroup:
    """Photos that are decided together: the frames of a burst, or near-duplicates."""

    photos: tuple[int, ...]  # surest first
    confidences: tuple[float, ...]  # of each
    sure: bool  # of the surest


@dataclass(frozen=True, slots=True)
class Speaks:
    """A photo that speaks for a suggestion: it carries the keyword and looks alike."""

    photo: PhotoRow
    similarity: float
    prime: bool


class Reviewer:
    """One for a workspace; safe for many threads."""

    def __init__(self, workspace: Workspace, names: Names) -> None:
        self._workspace = workspace
        self._names = names

    def _refresh(self, connection: Connection) -> Names:
        self._names.refresh(connection)
        return self._names

    def state(self) -> ReviewState:
        with self._workspace.store.read() as connection:
            kept = kept_state(connection)
            number = connection.execute(
                select(func.count()).select_from(photos).where(photos.c.gone.is_(False))
            ).scalar_one()
            stale = is_stale(connection, self._workspace.encoder_id)
        return ReviewState(int(number), kept.version_id if kept else None, stale)

    def list_photos(self, wanted: Filter) -> list[int]:
        """The photos of a filter in their order, all of them. Raises ``NotFoundError`` for an unknown selection."""
        with self._workspace.store.read() as connection:
            if wanted.selection is not None and not has_selection(connection, wanted.selection):
                raise NotFoundError("This selection has been forgotten; choose the photos again in your program.")
            ids = self._ids(connection, wanted.keyword) if wanted.keyword else None
            return list(connection.execute(_query(wanted, ids)).scalars())

    def photos(self, photo_ids: Sequence[int]) -> list[ReviewPhoto]:
        """Those of these photos that there are, in the order asked for, with everything shown of them."""
        with self._workspace.store.read() as connection:
            rows = photos_by_id(connection, photo_ids)
            ids = list(rows)
            names = self._refresh(connection)
            taken = taken_of(connection, ids)
            carried = keywords_of(connection, ids)
            made = decisions_on(connection, ids)
            found = suggestions_on(connection, ids)
            marked = primes_on(connection, ids)
            groups = groups_of(connection, ids)
        out = []
        for number in dict.fromkeys(photo_ids):
            if number not in rows:
                continue
            shown: dict[tuple[str, ...], ReviewKeyword] = {}
            for one in made.get(number, ()):
                state = State.ACCEPTED if one.decision is Decision.ACCEPTED else State.REJECTED
                path = names[one.keyword_id]
                prime = (number, one.keyword_id) in marked
                shown[path.key] = ReviewKeyword(path, state, one.confidence, True, prime)
            for keyword in carried.get(number, ()):
                path = names[keyword]
                if path.key not in shown or shown[path.key].state is not State.REJECTED:
                    prime = (number, keyword) in marked
                    shown[path.key] = ReviewKeyword(path, State.ASSIGNED, None, True, prime)
            for row in found.get(number, ()):
                path = names[row.keyword_id]
                if row.open and path.key not in shown:
                    shown[path.key] = ReviewKeyword(
                        path, State.SUGGESTED, row.confidence, row.sure, False, row.sources, row.new
                    )
            ordered = sorted(shown.values(), key=_place)
            out.append(ReviewPhoto(rows[number], taken.get(number), tuple(ordered), groups.get(number, number)))
        return out

    def keywords(self) -> list[OpenKeyword]:
        """The keywords with suggestions that wait, most first; spellings of one keyword count together."""
        with self._workspace.store.read() as connection:
            names = self._refresh(connection)
            counts, new = open_counts(connection), new_keywords(connection)
        found: dict[tuple[str, ...], OpenKeyword] = {}
        for one in counts:
            path = names[one.keyword_id]
            before = found.get(path.key, OpenKeyword(path, 0, 0, one.keyword_id in new))
            found[path.key] = OpenKeyword(
                before.keyword, before.sure + one.sure, before.unsure + one.unsure, before.new and one.keyword_id in new
            )
        return sorted(found.values(), key=lambda k: (-k.sure, -k.unsure, k.keyword.key))

    def of_keyword(self, keyword: KeywordPath) -> list[PhotoGroup]:
        """The photos a keyword is suggested on and not decided yet, in groups, surest first.

        At most ``MOST_OF_KEYWORD`` photos. Raises ``NotFoundError`` for a keyword that is unknown.
        """
        with self._workspace.store.read() as connection:
            ids = self._ids(connection, keyword, below=False)
            chosen = (
                select(
                    suggestions.c.photo_id, suggestions.c.confidence, suggestions.c.sure, suggested_photos.c.group_id
                )
                .join(suggested_photos, suggested_photos.c.photo_id == suggestions.c.photo_id)
                .join(photos, photos.c.id == suggestions.c.photo_id)
                .where(suggestions.c.keyword_id.in_(ids), suggestions.c.open, photos.c.gone.is_(False))
                .order_by(suggestions.c.sure.desc(), suggestions.c.confidence.desc(), suggestions.c.photo_id.desc())
                .limit(MOST_OF_KEYWORD)
            )
            groups: dict[int, list[tuple[int, float, bool]]] = {}
            for photo, confidence, sure, group in connection.execute(chosen):
                groups.setdefault(int(group), []).append((int(photo), float(confidence), bool(sure)))
        return [
            PhotoGroup(tuple(p for p, _, _ in some), tuple(c for _, c, _ in some), some[0][2])
            for some in groups.values()
        ]

    def reasons(self, photo_id: int, keyword: KeywordPath, limit: int = 4) -> list[Speaks]:
        """The photos that speak for a keyword on a photo: prime examples first, then those most alike.

        Raises ``NotFoundError`` where the photo or the keyword is unknown.
        """
        with self._workspace.store.read() as connection:
            rows = photos_by_id(connection, [photo_id])
            if photo_id not in rows:
                raise NotFoundError(f"There is no photo {photo_id}.")
            ids = self._ids(connection, keyword)
            marked = {photo for photo, _ in list_primes(connection, ids)}
            with_it = _examples(connection, ids)
            step = -(-len(with_it) // _MOST_EXAMPLES) or 1
            examples = photos_by_id(connection, list(dict.fromkeys([*sorted(marked), *with_it[::step]])))
            own = rows[photo_id].content_id or ""
            contents = {row.content_id: row for row in reversed(examples.values()) if row.content_id}
            contents.pop(own, None)
            found = vectors_of(connection, self._workspace.encoder_id, [own, *contents])
        if own not in found:
            return []
        vector = found.pop(own).astype(np.float32)
        near = [
            Speaks(contents[content], float(other.astype(np.float32) @ vector), contents[content].id in marked)
            for content, other in found.items()
        ]
        return sorted(near, key=lambda s: (not s.prime, -s.similarity))[:limit]

    def folders(self) -> list[tuple[str, int]]:
        """The folders that photos lie in, with the number of photos in each and the folders in it."""
        counted: dict[str, int] = {}
        with self._workspace.store.read() as connection:
            for path in connection.execute(select(photos.c.path).where(photos.c.gone.is_(False))).scalars():
                folder = str(path)[: max(str(path).rfind("/"), str(path).rfind("\\"))]
                counted[folder] = counted.get(folder, 0) + 1
        total: dict[str, int] = {}
        for folder, number in counted.items():
            for one in (folder, *map(str, Path(folder).parents)):
                total[one] = total.get(one, 0) + number
        everything = sum(counted.values())
        # Folders above the lowest one that holds everything say nothing.
        return sorted((f, n) for f, n in total.items() if n < everything or f in counted)

    def select(self, photo_ids: Sequence[int]) -> int:
        """Keep exactly these photos as a selection; gives its number. Raises ``NotFoundError`` for an unknown one."""
        with self._workspace.store.write() as connection:
            known = photos_by_id(connection, photo_ids)
            for number in photo_ids:
                if number not in known:
                    raise NotFoundError(f"There is no photo {number}; nothing was selected.")
            return add_selection(connection, photo_ids)

    def _ids(self, connection: Connection, keyword: KeywordPath, *, below: bool = True) -> list[int]:
        """The ids of a keyword in all its spellings, and of those ``below`` it."""
        names = self._refresh(connection)
        found = names.below(keyword) if below else names.spellings(keyword)
        if not found:
            raise NotFoundError(f"There is no keyword {keyword}.")
        return found


def _query(wanted: Filter, keyword_ids: Sequence[int] | None) -> Select[int]:
    conditions: list[ColumnElement[bool]] = [photos.c.gone.is_(False)]
    if wanted.folder is not None:
        conditions.append(_inside(wanted.folder))
    if wanted.since is not None:
        conditions.append(photos.c.taken >= wanted.since.isoformat())
    if wanted.until is not None:
        conditions.append(photos.c.taken < (wanted.until + timedelta(days=1)).isoformat())
    at_bar = suggestions.c.sure if wanted.min_confidence is None else suggestions.c.confidence >= wanted.min_confidence
    waits: list[ColumnElement[bool]] = [suggestions.c.open, at_bar]
    if keyword_ids is not None:
        suggested = photos.c.id.in_(
            select(suggestions.c.photo_id).where(suggestions.c.keyword_id.in_(keyword_ids), *waits)
        )
        carried = photos.c.id.in_(select(photo_keywords.c.photo_id).where(photo_keywords.c.keyword_id.in_(keyword_ids)))
        given = photos.c.id.in_(
            select(decisions.c.photo_id).where(
                decisions.c.keyword_id.in_(keyword_ids), decisions.c.decision == Decision.ACCEPTED.value
            )
        )
        only_open = wanted.undecided or wanted.min_confidence is not None
        conditions.append(suggested if only_open else or_(suggested, carried, given))
    elif wanted.undecided or wanted.min_confidence is not None:
        conditions.append(exists().where(and_(suggestions.c.photo_id == photos.c.id, *waits)))
    chosen = select(photos.c.id).where(*conditions)
    if wanted.selection is not None:
        chosen = chosen.join(selection_photos, selection_photos.c.photo_id == photos.c.id)
        return chosen.where(selection_photos.c.selection_id == wanted.selection).order_by(selection_photos.c.place)
    if wanted.order is Order.FOLDER:
        return chosen.order_by(photos.c.path, photos.c.id)
    return chosen.order_by(photos.c.taken.desc().nulls_last(), photos.c.id.desc())


def _inside(folder: str) -> ColumnElement[bool]:
    """The photos below a folder, by the index of paths."""
    separator = "\\" if "\\" in folder and "/" not in folder else "/"
    start = folder.rstrip(separator) + separator
    return and_(photos.c.path >= start, photos.c.path < start[:-1] + chr(ord(separator) + 1))


def _examples(connection: Connection, keyword_ids: Sequence[int]) -> list[int]:
    """The photos that carry, or were given, one of these keywords."""
    carried = select(photo_keywords.c.photo_id).where(photo_keywords.c.keyword_id.in_(keyword_ids))
    given = select(decisions.c.photo_id).where(
        decisions.c.keyword_id.in_(keyword_ids), decisions.c.decision == Decision.ACCEPTED.value
    )
    return sorted({int(n) for chosen in (carried, given) for n in connection.execute(chosen).scalars()})


_ORDER = {State.ASSIGNED: 0, State.ACCEPTED: 1, State.SUGGESTED: 2, State.REJECTED: 3}


def _place(one: ReviewKeyword) -> tuple[int, float, tuple[str, ...]]:
    return (_ORDER[one.state], -(one.confidence or 0) if one.state is State.SUGGESTED else 0, one.keyword.key)
