"""What is to be written, and what is left out: what was accepted or is sure enough, and what a person called wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection

from keywright.catalogs.base import CatalogKind, RootMapping
from keywright.config import EVERYTHING, Profile
from keywright.keywords import KeywordPath
from keywright.operations.profiles import automatic_keywords
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.suggesting import resolve, suggest_photos
from keywright.operations.workspace import Workspace
from keywright.store import decisions as decided
from keywright.store.photos import (
    KeywordIds,
    PhotoRow,
    keywords_of,
    list_catalogs,
    list_keywords,
    list_photos,
    photos_at,
)
from keywright.writeback import (
    AcceptedKeyword,
    PhotoDecisions,
)
from keywright.writeback.digikam import DatabasePhoto

IN_LIGHTROOM = "it is in a Lightroom catalog, whose keywords Lightroom itself writes"
OUTSIDE_PROFILE = "the profile is not for such keywords"
PRIVATE = "the keyword is private (not to be exported), so it is not written into files"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be written, and what is left out and why."""

    decisions: tuple[PhotoDecisions, ...]
    alone: tuple[tuple[int, int], ...] = ()  # (photo id, keyword id) that no person accepted
    left_out: dict[str, int] = field(default_factory=dict)
    failures: tuple[tuple[Path, str], ...] = ()
    digikam: Mapping[Path, tuple[DatabasePhoto, ...]] = field(default_factory=dict)  # photos a digiKam catalog has
    private: frozenset[KeywordPath] = frozenset()  # keywords that are not to be exported


def choose(
    workspace: Workspace,
    targets: Sequence[str],
    mappings: Sequence[RootMapping] = (),
    *,
    min_confidence: float | None,
    profile: Profile = EVERYTHING,
    to_files: bool = False,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> Chosen:
    """The accepted suggestions of these targets (of everything known, without targets), or with ``min_confidence``
    those that are at least so sure and were not rejected. What was rejected on a photo that carries it goes out with
    the accepted ones.

    With a profile only keywords it admits, where its template puts them; and its automatic keywords, on every photo of
    the targets with ``min_confidence``, else on the photos that get an accepted one. Photos of Lightroom catalogs are
    left out unless ``to_files``: a sidecar written beside an open catalog is a metadata conflict there.
    """
    if min_confidence is None:
        found = _accepted(workspace, targets, mappings, profile, to_files=to_files, progress=progress)
    else:
        wanted = profile.over(min_confidence, 0)
        found = _sure(workspace, targets, mappings, wanted, to_files=to_files, progress=progress, cancel=cancel)
    return replace(found, digikam=in_digikam(workspace, [decision.photo for decision in found.decisions]))


def _sure(
    workspace: Workspace,
    targets: Sequence[str],
    mappings: Sequence[RootMapping],
    profile: Profile,
    *,
    to_files: bool,
    progress: Progress,
    cancel: Cancel,
) -> Chosen:
    left: dict[str, int] = defaultdict(int)
    wanted, alone, failures = [], [], []
    private = _private(workspace)
    kept_back = {path.key for path in private}
    lightroom = _lightroom_catalogs(workspace)
    with workspace.store.read() as connection:
        refused = {(d.photo_id, d.keyword_id) for d in decided.list_decisions(connection, decided.Decision.REJECTED)}
    found = list(suggest_photos(workspace, targets, mappings, profile=profile, progress=progress, cancel=cancel))
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        for one in found:
            if one.error is not None:
                failures.append((one.photo.path, one.error))
                continue
            if one.photo.catalog_id in lightroom and not to_files:
                left[IN_LIGHTROOM] += 1
                continue
            adding = []
            for suggestion in one.suggestions:
                if suggestion.keyword.key in kept_back:
                    left[PRIVATE] += 1
                elif (one.photo.id, ids.id(suggestion.keyword)) not in refused:
                    confidence = suggestion.confidence if suggestion.learned is not None else None
                    adding.append(AcceptedKeyword(suggestion.keyword, confidence))
                    alone.append((one.photo.id, ids.id(suggestion.keyword)))
            if adding:
                wanted.append(PhotoDecisions(one.photo.path, tuple(adding)))
    return Chosen(tuple(wanted), tuple(alone), dict(left), tuple(failures), private=private)


def _accepted(
    workspace: Workspace,
    targets: Sequence[str],
    mappings: Sequence[RootMapping],
    profile: Profile,
    *,
    to_files: bool,
    progress: Progress,
) -> Chosen:
    rows = resolve(workspace, targets, mappings, progress) if targets else None
    lightroom, private = _lightroom_catalogs(workspace), _private(workspace)
    kept_back = {path.key for path in private}
    left: dict[str, int] = defaultdict(int)
    adding: dict[int, dict[KeywordPath, AcceptedKeyword]] = defaultdict(dict)
    alone = set[tuple[int, KeywordPath]]()
    with workspace.store.read() as connection:
        known = {row.id: row for row in (rows if rows is not None else list_photos(connection))}
        names = KeywordIds(connection).paths()
        for made in decided.list_decisions(connection, decided.Decision.ACCEPTED):
            if made.photo_id not in known:
                continue
            path = names[made.keyword_id]
            placed = profile.placed(path)
            if known[made.photo_id].catalog_id in lightroom and not to_files:
                left[IN_LIGHTROOM] += 1
            elif path.key in kept_back or placed.key in kept_back:
                left[PRIVATE] += 1
            elif not (profile.admits(path) or profile.has_placed(path) or profile.is_automatic(path)):
                left[OUTSIDE_PROFILE] += 1
            else:
                adding[made.photo_id].setdefault(placed, AcceptedKeyword(placed, made.confidence))
                if placed != path:
                    alone.add((made.photo_id, placed))
        removing = _rejected_on(connection, names, known)
        automatic = automatic_keywords(profile, connection, [known[number] for number in adding])
        for number, paths in automatic.items():
            for path in paths:
                if path not in adding[number] and path.key not in kept_back:
                    adding[number][path] = AcceptedKeyword(path, None)
                    alone.add((number, path))
    for number in [number for number in removing if known[number].catalog_id in lightroom and not to_files]:
        left[IN_LIGHTROOM] += len(removing.pop(number))
    wanted = tuple(
        PhotoDecisions(known[number].path, tuple(adding.get(number, {}).values()), tuple(removing.get(number, ())))
        for number in dict.fromkeys((*adding, *removing))
    )
    return Chosen(wanted, _numbered(workspace, alone), dict(left), private=private)


def _rejected_on(
    connection: Connection, names: Mapping[int, KeywordPath], known: Mapping[int, PhotoRow]
) -> dict[int, list[KeywordPath]]:
    """Keywords that photos carry and a person rejected there, as in an audit: they are taken out."""
    rejected = [d for d in decided.list_decisions(connection, decided.Decision.REJECTED) if d.photo_id in known]
    carried = keywords_of(connection, sorted({made.photo_id for made in rejected}))
    found: dict[int, list[KeywordPath]] = defaultdict(list)
    for made in rejected:
        key = names[made.keyword_id].key
        spelled = [names[number] for number in carried.get(made.photo_id, ()) if names[number].key == key]
        if spelled:
            found[made.photo_id] += spelled
    return dict(found)


def _numbered(workspace: Workspace, pairs: Collection[tuple[int, KeywordPath]]) -> tuple[tuple[int, int], ...]:
    """The keywords by their ids, entered where they are new."""
    if not pairs:
        return ()
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        return tuple((number, ids.id(path)) for number, path in sorted(pairs))


def in_digikam(workspace: Workspace, photos: Sequence[Path]) -> dict[Path, tuple[DatabasePhoto, ...]]:
    """Where digiKam keeps these photos, as the store last read it; photos that no digiKam catalog has are not in it."""
    with workspace.store.read() as connection:
        sources = {c.id: c.source for c in list_catalogs(connection) if c.kind is CatalogKind.DIGIKAM}
        if not sources:
            return {}
        known = photos_at(connection, photos)
    places = {
        path: tuple(DatabasePhoto(sources[r.catalog_id], int(r.host_id)) for r in rows if r.catalog_id in sources)
        for path, rows in known.items()
    }
    return {path: some for path, some in places.items() if some}


def _private(workspace: Workspace) -> frozenset[KeywordPath]:
    with workspace.store.read() as connection:
        return frozenset(k.path for k in list_keywords(connection) if k.private)


def _lightroom_catalogs(workspace: Workspace) -> set[int]:
    with workspace.store.read() as connection:
        return {c.id for c in list_catalogs(connection) if c.kind is CatalogKind.LIGHTROOM}
