"""The photos that others are to be like: their vectors, known already or made for this one search and not kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from keywright.catalogs.walking import PHOTO_SUFFIXES
from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.errors import KeywrightError, reason
from keywright.learning.base import Floats
from keywright.operations.narrowing import absolute
from keywright.operations.progress import Cancel, CancelledError, Progress
from keywright.operations.registering import photo
from keywright.operations.workspace import Workspace
from keywright.renditions.base import RenditionError
from keywright.renditions.content import content_id
from keywright.store.lookups import vectors_of
from keywright.store.photos import photos_at


def example_vectors(
    workspace: Workspace, files: Sequence[str], photos: Sequence[int], progress: Progress, cancel: Cancel
) -> dict[str, Floats]:
    """Vectors of unit length by content id; nothing is written.

    ``files``: of photos, whether Keywright knows them or not. ``photos``: numbers of known ones; their files are looked
    at only where there is no vector. Raises ``KeywrightError`` where one of them cannot be an example.
    """
    named: dict[str, Path] = {}
    with workspace.store.read() as connection:
        for name in files:
            path = _photo_file(name)
            named.setdefault(_content(connection, path), path)
    for number in photos:
        row = photo(workspace, number)
        named.setdefault(row.content_id or _content_of_file(row.path), row.path)
    with workspace.store.read() as connection:
        known = vectors_of(connection, workspace.encoder_id, list(named))
    found = {content: np.asarray(vector, dtype=np.float32) for content, vector in known.items()}
    new = {content: path for content, path in named.items() if content not in found}
    for path in new.values():
        _require(path)
    if new:
        progress("Embedding photos", 0, len(new))
        contents = list(new)
        for made in embed_files(list(new.values()), workspace.encoder, cancel=cancel):
            if not isinstance(made, EmbeddedPhoto):
                raise KeywrightError(f"{made.path} cannot be an example: {made.reason}.")
            found[contents[made.index]] = np.asarray(made.vector, dtype=np.float32)
            progress("Embedding photos", len(found) - len(known), len(new))
        if cancel():
            raise CancelledError("Stopped before all examples were looked at.")
    return found


def _photo_file(name: str) -> Path:
    path = Path(absolute(name))
    if path.suffix.lower() not in PHOTO_SUFFIXES:
        raise KeywrightError(f"{name} is no photo; name the file of a photo to look for others like it.")
    return path


def _content(connection: Connection, path: Path) -> str:
    """What picture a file is; of a known one without reading it, also where it is away."""
    rows = [row for row in photos_at(connection, [path]).get(path, ()) if row.content_id is not None]
    try:
        stamp = path.stat()
    except (OSError, ValueError):
        stamp = None
    for row in rows:
        if stamp is None or (row.size, row.mtime_ns) == (stamp.st_size, stamp.st_mtime_ns):
            return row.content_id or ""
    return _content_of_file(path)


def _content_of_file(path: Path) -> str:
    _require(path)
    try:
        return content_id(path)
    except RenditionError as error:
        raise KeywrightError(f"{path} cannot be an example: {error}.") from error
    except OSError as error:
        raise KeywrightError(f"{path} cannot be an example: {reason(error)}.") from error


def _require(path: Path) -> None:
    try:
        there = path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise KeywrightError(f"There is no photo {path}; name the file of a photo to look for others like it.")
