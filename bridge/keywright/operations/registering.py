"""Catalogs and single photos become known: what a front-end names is found, and nothing outside catalogs is touched."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keywright.catalogs import open_catalog
from keywright.catalogs.base import CatalogKind, CatalogPhoto, CatalogReport, RootMapping
from keywright.catalogs.snapshot import change_token
from keywright.catalogs.walking import PHOTO_SUFFIXES, walk
from keywright.errors import KeywrightError, reason
from keywright.metadata import read_keywords
from keywright.operations.progress import Progress, silent
from keywright.operations.reading import SourceRead, read_source
from keywright.operations.workspace import Workspace
from keywright.platform import expanded
from keywright.store.captions import sync_captions
from keywright.store.hosts import CatalogState, catalog_state, keep_catalog_state
from keywright.store.lookups import photos_by_host, photos_by_id
from keywright.store.photos import (
    LOOSE,
    CatalogRow,
    KeywordIds,
    PhotoRow,
    list_catalogs,
    list_photos,
    photos_at,
    register_catalog,
)
from keywright.store.syncing import sync_photos

OWN = "keywords of Keywright's own"
"""Identity of the catalog that holds the keywords that were made in Keywright and that no other catalog has yet."""


class NotFoundError(KeywrightError):
    """There is no such catalog, photo or keyword."""


class OutsideError(KeywrightError):
    """The path lies in no catalog that Keywright was told of."""


@dataclass(frozen=True, slots=True)
class Named:
    """A photo as a front-end names it: by its path, or by its catalog and what the catalog calls it."""

    path: str | None = None
    catalog: int | None = None
    host_id: str | None = None


def catalogs(workspace: Workspace) -> list[CatalogRow]:
    """The catalogs a person named."""
    with workspace.store.read() as connection:
        return [c for c in list_catalogs(connection) if c.identity not in (LOOSE, OWN)]


def catalog(workspace: Workspace, number: int) -> CatalogRow:
    """Raises ``NotFoundError`` where there is none."""
    found = next((c for c in catalogs(workspace) if c.id == number), None)
    if found is None:
        raise NotFoundError(f"There is no catalog {number}.")
    return found


def add_catalog(workspace: Workspace, source: str, mappings: Mapping[str, str]) -> CatalogRow:
    """Enter a catalog without reading its photos. Raises ``CatalogError`` where it cannot be opened."""
    roots = as_mappings(mappings)
    source = source if "://" in source else str(expanded(source))
    with open_catalog(source, roots) as opened, workspace.store.write() as connection:
        number = register_catalog(connection, opened.kind, source, opened.identity, learn=False)
        known = catalog_state(connection, number)
        keep_catalog_state(connection, number, CatalogState(dict(mappings) or dict(known.mappings), known.change_token))
    return catalog(workspace, number)


def add_empty_folder(workspace: Workspace, folder: Path) -> CatalogRow:
    """Enter a folder that photos are still to arrive in."""
    # The identity is the one its reader will have once there are photos.
    with workspace.store.write() as connection:
        identity = f"folder:{folder.resolve()}"
        number = register_catalog(connection, CatalogKind.FOLDER, str(folder), identity, learn=False)
    return catalog(workspace, number)


def is_empty_folder(source: str) -> bool:
    """Whether a source is a folder without any photo."""
    folder = expanded(source)
    try:
        return folder.is_dir() and next(walk(folder, CatalogReport()), None) is None
    except OSError:
        return False


def as_mappings(mappings: Mapping[str, str]) -> list[RootMapping]:
    """Raises ``KeywrightError`` where a new folder is none."""
    found = []
    for old, new in mappings.items():
        folder = expanded(new)
        if not folder.is_dir():
            raise KeywrightError(f"There is no folder {folder} for the photos of {old}; name where they lie now.")
        found.append(RootMapping(old, folder.absolute()))
    return found


def mappings_of(workspace: Workspace, number: int) -> list[RootMapping]:
    with workspace.store.read() as connection:
        return as_mappings(catalog_state(connection, number).mappings)


def read_catalog(workspace: Workspace, number: int, *, learn: bool, progress: Progress = silent) -> SourceRead:
    """Read a known catalog anew, and remember its state."""
    row = catalog(workspace, number)
    before = token(row.source)
    read = read_source(workspace, row.source, mappings_of(workspace, number), learn=learn, progress=progress)
    keep_token(workspace, number, before)
    return read


def keep_token(workspace: Workspace, number: int, told: str) -> None:
    """Remember the state a catalog was in when it was read."""
    with workspace.store.write() as connection:
        known = catalog_state(connection, number)
        keep_catalog_state(connection, number, CatalogState(known.mappings, told))


def has_changed(workspace: Workspace, row: CatalogRow) -> bool | None:
    """Whether the catalog may have changed since it was last read; found without reading it. ``None``: it was never
    read, or what reads it the first time is not done."""
    known = state_when_read(workspace, row.id)
    return None if known is None else known != token(row.source)


def token(source: str) -> str:
    """What differs once the catalog has changed; the catalog is not read. Raises ``CatalogError`` where it is away."""
    if "://" not in source and expanded(source).is_file():
        # By the database's files alone: to open one that is large and in use takes a copy of it.
        return change_token(expanded(source), "catalog")
    with open_catalog(source) as opened:
        return opened.change_token()


def state_when_read(workspace: Workspace, number: int) -> str | None:
    """The state a catalog was in when it was last read, as far as that is known."""
    with workspace.store.read() as connection:
        return catalog_state(connection, number).change_token


def is_embedded(workspace: Workspace, number: int) -> bool:
    """Whether the photos of a catalog were embedded, or any of them."""
    with workspace.store.read() as connection:
        return any(row.content_id is not None for row in list_photos(connection, [number]))


def find_photos(workspace: Workspace, named: Sequence[Named]) -> list[PhotoRow | KeywrightError]:
    """Each photo as the store knows it, or why it is not one, in the order named.

    A photo inside the folder of a known catalog that was not read yet is entered, with the keywords in its file.
    """
    known_catalogs = {row.id: row for row in catalogs(workspace)}
    by_path = [Path(n.path) for n in named if n.path is not None and "\x00" not in n.path]
    by_host: dict[int, list[str]] = {}
    for one in named:
        if one.path is None and one.catalog is not None and one.host_id is not None:
            by_host.setdefault(one.catalog, []).append(one.host_id)
    with workspace.store.read() as connection:
        at = photos_at(connection, by_path)
        hosted = {c: photos_by_host(connection, c, ids) for c, ids in by_host.items()}
    found: list[PhotoRow | KeywrightError] = []
    new: dict[int, Path] = {}
    for place, one in enumerate(named):
        try:
            if one.path is not None:
                rows = [r for r in at.get(Path(one.path), ()) if one.catalog in (None, r.catalog_id)]
                rows = [r for r in rows if r.catalog_id in known_catalogs] or rows
                if rows:
                    found.append(rows[0])
                    continue
                inside(one.path, known_catalogs.values())
                new[place] = Path(one.path)
                found.append(OutsideError(f"{one.path} cannot be read."))
            else:
                found.append(_hosted(one, known_catalogs, hosted))
        except KeywrightError as error:
            found.append(error)
    for place, entered in _enter(workspace, new, known_catalogs).items():
        found[place] = entered
    return found


def _hosted(one: Named, known: Mapping[int, CatalogRow], hosted: Mapping[int, Mapping[str, PhotoRow]]) -> PhotoRow:
    if one.catalog is None or one.host_id is None:
        raise KeywrightError("Name a photo by its path, or by its catalog and host_id.")
    if one.catalog not in known:
        raise NotFoundError(f"There is no catalog {one.catalog}.")
    row = hosted[one.catalog].get(one.host_id)
    if row is None:
        raise NotFoundError(
            f"The catalog {known[one.catalog].source} had no photo {one.host_id} when it was last read; read it again."
        )
    return row


def inside(path: str, known: Iterable[CatalogRow]) -> tuple[CatalogRow, str]:
    """The folder catalog a path lies in, and its place there (with slashes), links followed.

    Raises ``OutsideError`` where it lies in none. Paths of other machines are refused before they are looked at:
    on Windows a look at one would log on there.
    """
    refused = OutsideError(f"{path} lies in no catalog that Keywright was told of; register the folder it is in.")
    if not path or "\x00" in path or path.startswith(("\\\\", "//")) or ".." in Path(path).parts:
        raise refused
    given = Path(path)
    if not given.is_absolute():
        raise refused
    try:
        real = Path(os.path.realpath(given))
    except (OSError, ValueError) as error:
        raise refused from error
    for row in known:
        if row.kind is not CatalogKind.FOLDER:
            continue
        top = Path(os.path.realpath(row.source))
        if real.is_relative_to(top) and real != top:
            return row, real.relative_to(top).as_posix()
    raise refused


def _enter(
    workspace: Workspace, new: Mapping[int, Path], known: Mapping[int, CatalogRow]
) -> dict[int, PhotoRow | KeywrightError]:
    entered: dict[int, PhotoRow | KeywrightError] = {}
    reading: dict[int, list[tuple[int, CatalogPhoto]]] = {}
    captions: dict[int, dict[str, str]] = {}
    for place, path in new.items():
        try:
            row, relative = inside(str(path), known.values())
            if path.suffix.lower() not in PHOTO_SUFFIXES or not path.is_file():
                raise NotFoundError(f"{path} is no photo file that is there.")
            read = read_keywords(path)
            photo = CatalogPhoto(relative, str(Path(row.source) / relative), read.keywords)
        except KeywrightError as error:
            entered[place] = error
        except OSError as error:
            entered[place] = KeywrightError(f"{path} cannot be read ({reason(error)}).")
        else:
            reading.setdefault(row.id, []).append((place, photo))
            captions.setdefault(row.id, {})[relative] = read.caption
    for number, photos in reading.items():
        with workspace.store.write() as connection:
            sync_photos(connection, number, [p for _, p in photos], KeywordIds(connection), complete=False)
            sync_captions(connection, number, captions[number], complete=False)
            rows = photos_by_host(connection, number, [p.host_id for _, p in photos])
        entered |= {place: rows[photo.host_id] for place, photo in photos}
    return entered


def photo(workspace: Workspace, number: int) -> PhotoRow:
    """Raises ``NotFoundError`` where there is none."""
    with workspace.store.read() as connection:
        found = photos_by_id(connection, [number]).get(number)
    if found is None:
        raise NotFoundError(f"There is no photo {number}.")
    return found
