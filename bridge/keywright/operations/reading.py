"""Reading a source into the store: its keyword list, its photos and what they carry."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from keywright.catalogs import open_catalog
from keywright.catalogs.base import Captioned, CatalogKind, CatalogPhoto, RootMapping
from keywright.errors import KeywrightError
from keywright.metadata import read_keywords
from keywright.operations.progress import Progress, silent
from keywright.operations.workspace import Workspace
from keywright.platform import expanded
from keywright.store import photos as table
from keywright.store.captions import sync_captions
from keywright.store.syncing import SyncReport, sync_photos


@dataclass(frozen=True, slots=True)
class SourceRead:
    """What reading one source brought."""

    source: str
    kind: CatalogKind
    catalog_id: int
    sync: SyncReport
    warnings: tuple[str, ...]
    skipped: Mapping[str, int]  # how many photos or keywords were left out, by reason


def parse_mapping(text: str) -> RootMapping:
    """``OLD=NEW`` as given on the command line.

    Raises ``KeywrightError`` where there is no ``=`` or NEW is no folder.
    """
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise KeywrightError(f"--map {text} is not of the form OLD=NEW, such as --map D:/Photos=/mnt/photos.")
    folder = expanded(new)
    if not folder.is_dir():
        raise KeywrightError(f"--map {text}: there is no folder {folder}; name the folder the photos lie in now.")
    return RootMapping(old, folder.absolute())


def read_source(
    workspace: Workspace,
    source: str,
    mappings: Sequence[RootMapping] = (),
    *,
    learn: bool,
    progress: Progress = silent,
) -> SourceRead:
    """Read a catalog or folder into the store; ``learn`` marks its keywords as ones to learn from.

    Where the photos lie (``mappings``) is remembered with the catalog and need be said only once. Raises
    ``CatalogError`` where the source cannot be read; the store is then as it was.
    """
    source = _absolute(source)
    if not mappings:
        with workspace.store.read() as connection:
            mappings = table.remembered_mappings(connection, source)
    with open_catalog(source, mappings) as catalog:
        # The catalog is read outside the write transaction: it can take long, and others want to write meanwhile.
        found = list(_counted(catalog.photos(), f"Reading {Path(source).name or source}", progress))
        listed = catalog.keywords()
        captions = catalog.captions() if isinstance(catalog, Captioned) else {}
        with workspace.store.write() as connection:
            ids = table.KeywordIds(connection)
            number = table.register_catalog(connection, catalog.kind, catalog.source, catalog.identity, learn=learn)
            table.remember_mappings(connection, number, mappings)
            table.sync_keywords(connection, number, listed, ids)
            sync = sync_photos(connection, number, found, ids)
            sync_captions(connection, number, captions)
        return SourceRead(
            catalog.source, catalog.kind, number, sync, tuple(catalog.report.warnings), dict(catalog.report.skipped)
        )


def read_loose(workspace: Workspace, paths: Sequence[Path]) -> dict[Path, list[table.PhotoRow]]:
    """The photos at these paths as the store knows them; those in no catalog are entered as loose photos.

    The keywords of loose photos are read from their files anew.
    """
    with workspace.store.read() as connection:
        known = table.photos_at(connection, paths)
        rows = {c.id: c for c in table.list_catalogs(connection)}
    loose = [
        path
        for path in dict.fromkeys(paths)
        if all(rows[row.catalog_id].identity == table.LOOSE for row in known.get(path, []))
    ]
    if loose:
        read = {str(path): read_keywords(path) for path in loose}
        found = [CatalogPhoto(path, path, one.keywords) for path, one in read.items()]
        with workspace.store.write() as connection:
            number = table.register_catalog(connection, CatalogKind.FOLDER, table.LOOSE, table.LOOSE, learn=False)
            sync_photos(connection, number, found, table.KeywordIds(connection), complete=False)
            sync_captions(connection, number, {path: one.caption for path, one in read.items()}, complete=False)
            known |= table.photos_at(connection, loose)
    return known


def _absolute(source: str) -> str:
    """A path that means the same in the next run, whatever folder that starts in; URLs stay as they are."""
    return source if "://" in source else os.path.abspath(expanded(source))  # noqa: PTH100 - keeps symlinks


def _counted(photos: Iterable[CatalogPhoto], stage: str, progress: Progress) -> Iterator[CatalogPhoto]:
    count = 0
    for count, photo in enumerate(photos, 1):
        if count % 200 == 1:
            progress(stage, count, None)
        yield photo
    progress(stage, count, count)
