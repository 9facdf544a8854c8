"""Opens whatever the user names as a catalog: told by what it holds, not by how it is called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keywright.catalogs.base import Catalog, CatalogError, RootMapping
from keywright.catalogs.digikam import DigikamCatalog, SqliteDatabase
from keywright.catalogs.folder import FolderCatalog
from keywright.catalogs.lightroom import LightroomCatalog
from keywright.catalogs.mysql import MysqlDatabase, is_url, parse_url
from keywright.catalogs.roots import warn
from keywright.catalogs.snapshot import SqliteSnapshot, unreadable
from keywright.catalogs.walking import PHOTO_SUFFIXES
from keywright.platform import expanded


def open_catalog(source: str, mappings: Sequence[RootMapping] = ()) -> Catalog:
    """The catalog at ``source``: a .lrcat, a digikam4.db, ``mysql://user@host/db``, or a folder of photos.

    Raises ``CatalogError`` with one sentence that says what is wrong and what to do.
    """
    if is_url(source):
        server = parse_url(source)
        return DigikamCatalog(str(server), MysqlDatabase(server), mappings)
    path = expanded(source)
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
        path.stat()
    except (OSError, ValueError) as error:
        raise CatalogError(
            unreadable(path, "catalog", error if isinstance(error, OSError) else OSError(str(error)))
        ) from error
    if is_folder:
        return _folder(path, mappings)
    if not is_file:
        raise CatalogError(f"{path} is neither a file nor a folder; name a catalog or a folder of photos")
    if path.suffix.lower() in PHOTO_SUFFIXES:
        raise CatalogError(f"{path} is a photo, not a catalog; name the folder it is in")
    probe = SqliteSnapshot(path, "catalog")
    try:
        tables = {str(row[0]).lower() for row in probe.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        probe.close()
    if "adobe_images" in tables or "aglibrarykeyword" in tables:
        return LightroomCatalog(path, mappings)
    if {"albumroots", "imagetags"} & tables:
        return DigikamCatalog(str(path), SqliteDatabase(path), mappings)
    raise CatalogError(
        f"{path} is a SQLite database but neither a Lightroom catalog nor digiKam's digikam4.db; name one of these"
    )


def _folder(path: Path, mappings: Sequence[RootMapping]) -> FolderCatalog:
    if path.suffix.lower() == ".lrcat":
        inside = next(iter(sorted(path.glob("*.lrcat"))), None)
        do = f"name {inside}" if inside else "name the .lrcat file itself"
        raise CatalogError(f"{path} is a folder, not a Lightroom catalog; {do}")
    catalog = FolderCatalog(path)
    for mapping in mappings:
        warn(catalog.report, f"a folder needs no mapping, so {mapping.old}={mapping.new} does nothing")
    return catalog
