"""An album of digiKam by the name a person gives it: the photos in it and below it."""

from __future__ import annotations

from pathlib import Path

from keywright.catalogs.digikam import SqliteDatabase
from keywright.catalogs.mysql import MysqlDatabase, is_url, parse_url
from keywright.errors import KeywrightError
from keywright.operations.progress import Progress, silent
from keywright.operations.reading import read_source
from keywright.operations.workspace import Workspace
from keywright.platform import expanded
from keywright.store.photos import list_photos

_AT_ONCE = 500


def photos_in_album(workspace: Workspace, source: str, album: str, progress: Progress = silent) -> list[Path]:
    """The photos of a digiKam database in ``album`` ("2023/Trips", below any of its collections) and in its sub-albums.

    Raises ``KeywrightError`` where there is no such album, or the database cannot be read.
    """
    read = read_source(workspace, source, (), learn=False, progress=progress)
    inside = {str(image) for image in _images(source, album)}
    with workspace.store.read() as connection:
        rows = list_photos(connection, [read.catalog_id])
    return [row.path for row in rows if row.host_id in inside]


def is_inside(relative: str, album: str) -> bool:
    """Whether digiKam's album path ``relative`` ("/2023/Trips") is the album, or below it; "" is everything."""
    wanted, found = album.strip("/"), relative.strip("/")
    return not wanted or found == wanted or found.startswith(wanted + "/")


def _images(source: str, album: str) -> list[int]:
    database = MysqlDatabase(parse_url(source)) if is_url(source) else SqliteDatabase(expanded(source))
    try:
        albums = [
            id_ for id_, relative in database.rows("SELECT id, relativePath FROM Albums") if is_inside(relative, album)
        ]
        if not albums:
            raise KeywrightError(
                f"There is no album {album} in {source}; name it as digiKam shows it, such as 2023/Trips."
            )
        found: list[int] = []
        for start in range(0, len(albums), _AT_ONCE):
            some = albums[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            found += [row[0] for row in database.rows(f"SELECT id FROM Images WHERE album IN ({marks})", some)]
        return found
    finally:
        database.close()
