"""Thumbnails for the pages: made once for a picture and kept, whatever its name and keywords become."""

from __future__ import annotations

import hashlib
import io
import threading
from enum import IntEnum
from pathlib import Path

from PIL import Image

from keywright.errors import KeywrightError
from keywright.operations.registering import photo
from keywright.operations.uploading import rendition_file
from keywright.operations.workspace import Workspace
from keywright.renditions.base import RenditionError
from keywright.renditions.renderer import Renderer
from keywright.store.photos import PhotoRow


class Side(IntEnum):
    """The longest side in pixels."""

    SMALL = 480  # a tile, also on a screen with two pixels for each
    LARGE = 1600  # a photo looked at by itself


_QUALITY = 82
_AT_ONCE = 3  # decoded at the same time; other requests want the processor too


class Thumbnails:
    """One for a workspace; safe for many threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._renderer = Renderer()
        self._turn = threading.BoundedSemaphore(_AT_ONCE)

    def jpeg(self, photo_id: int, side: Side) -> bytes:
        """A JPEG of the photo, upright and sRGB.

        Raises ``NotFoundError`` for an unknown photo, ``KeywrightError`` where there is no picture of it.
        """
        row = photo(self._workspace, photo_id)
        kept = self._place(row, side)
        try:
            return kept.read_bytes()
        except OSError:
            pass  # not made yet
        with self._turn:
            made = self._make(row, side)
        try:
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = kept.with_suffix(f".{threading.get_ident()}.new")
            fresh.write_bytes(made)
            fresh.replace(kept)
        except OSError:
            pass  # a full disk: it is made again the next time
        return made

    def _place(self, row: PhotoRow, side: Side) -> Path:
        """Named by the picture where that is known, else by the file as it was when it was looked at."""
        told = row.content_id or f"{row.path} {row.size} {row.mtime_ns}"
        name = hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        return self._workspace.home.cache / "thumbnails" / name[:2] / f"{name}-{int(side)}.jpg"

    def _make(self, row: PhotoRow, side: Side) -> bytes:
        try:
            made = self._renderer.thumbnail(row.path, int(side))
        except RenditionError as error:
            sent = rendition_file(self._workspace, row.id)  # what its host sent of a photo nobody else can read
            if not sent.exists():
                raise KeywrightError(str(error)) from error
            made = self._renderer.thumbnail(sent, int(side))
        target = io.BytesIO()
        Image.fromarray(made.pixels).save(target, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
        return target.getvalue()

    def close(self) -> None:
        self._renderer.close()
