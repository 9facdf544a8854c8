"""A photo that the bridge cannot read itself: its host sends a JPEG of it, which is embedded in its stead."""

from __future__ import annotations

from pathlib import Path

from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.errors import KeywrightError, reason
from keywright.operations.progress import Cancel, never
from keywright.operations.registering import photo
from keywright.operations.workspace import Workspace
from keywright.renditions.content import content_id
from keywright.store.photos import Stamp, record_stamps
from keywright.store.vectors import NewVector, add_vectors


def rendition_file(workspace: Workspace, photo_id: int) -> Path:
    """Where the sent JPEG of a photo waits for being embedded."""
    return workspace.home.cache / "renditions" / f"{photo_id}.jpg"


def keep_rendition(workspace: Workspace, photo_id: int, jpeg: bytes) -> None:
    """Keep what a host sent. Raises ``KeywrightError`` where the photo is unknown or the disk refuses."""
    photo(workspace, photo_id)
    target = rendition_file(workspace, photo_id)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = target.with_suffix(".new")
        fresh.write_bytes(jpeg)
        fresh.replace(target)
    except OSError as error:
        raise KeywrightError(f"The rendition cannot be kept in {target.parent} ({reason(error)}).") from error


def embed_rendition(workspace: Workspace, photo_id: int, cancel: Cancel = never) -> None:
    """Embed the sent JPEG and forget it; its vector is the photo's until the photo's file changes.

    Raises ``KeywrightError`` where it is no picture; done already is no error.
    """
    sent = rendition_file(workspace, photo_id)
    if not sent.exists():
        return
    row = photo(workspace, photo_id)
    results = list(embed_files([sent], workspace.encoder, cancel=cancel))
    if not results:
        return  # cancelled; the JPEG stays
    result = results[0]
    if not isinstance(result, EmbeddedPhoto):
        sent.unlink(missing_ok=True)
        raise KeywrightError(f"The rendition sent for {row.path} gives no picture ({result.reason}).")
    content = content_id(sent)
    try:
        found = row.path.stat()
        stamp = Stamp(photo_id, found.st_size, found.st_mtime_ns, content, None)
    except OSError:
        stamp = Stamp(photo_id, None, None, content, None)
    with workspace.store.write() as connection:
        add_vectors(connection, workspace.encoder_id, [NewVector(content, result.vector, result.norm)])
        record_stamps(connection, [stamp])
    sent.unlink(missing_ok=True)
