"""Finds the photos in a folder tree, in a stable order, and passes by what programs keep there for themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from keywright.catalogs.base import CatalogReport
from keywright.catalogs.roots import warn
from keywright.catalogs.rows import is_text
from keywright.errors import reason
from keywright.renditions.formats import PICTURE_SUFFIXES, RAW_SUFFIXES, VIDEO_SUFFIXES

PHOTO_SUFFIXES = PICTURE_SUFFIXES | RAW_SUFFIXES | VIDEO_SUFFIXES
SIDECAR_SUFFIX = ".xmp"
_SYSTEM_FOLDERS = frozenset(
    (
        "@eadir",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "recycler",
        "lost+found",
        "__macosx",
        "system volume information",
    )
)
_BUNDLES = (".lrdata", ".lrcat-data", ".photoslibrary", ".photolibrary", ".aplibrary", ".migratedphotolibrary")
_HIDDEN_ATTRIBUTE = 0x2  # Windows: FILE_ATTRIBUTE_HIDDEN
UNREADABLE_FOLDER = "folder that cannot be read"
UNREADABLE_NAME = "file or folder whose name is not valid text"
LINK_INSIDE = "link to a photo in the same folder"


@dataclass(frozen=True, slots=True)
class FoundPhoto:
    """A photo in the tree: where it is, its path below the top, and the names in its folder that begin as its own."""

    path: Path
    relative: str  # with slashes
    siblings: tuple[str, ...]
    is_video: bool
    stamps: tuple[tuple[str, int, int], ...] = field(default=())  # name, size and time of it and its sidecars


def is_passed_by(name: str) -> bool:
    """Whether a folder of this name is hidden, a system's, a trash or a program's own bundle."""
    lower = name.lower()
    return lower.startswith(".") or lower in _SYSTEM_FOLDERS or lower.endswith(_BUNDLES)


def walk(top: Path, report: CatalogReport, stamped: bool = False) -> Iterator[FoundPhoto]:
    """Every photo below ``top``, folder by folder in the order of names; with ``stamped``, sizes and times too.

    Raises ``OSError`` only where ``top`` itself cannot be listed; what cannot be read below it is counted.
    """
    real_top = os.path.realpath(top)
    visited = {real_top}
    counts = dict.fromkeys((UNREADABLE_FOLDER, UNREADABLE_NAME, LINK_INSIDE), 0)
    waiting = [(str(top), "")]
    while waiting:
        folder, inside = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not inside:
                raise
            counts[UNREADABLE_FOLDER] += 1
            if counts[UNREADABLE_FOLDER] == 1:
                warn(report, f"the folder {folder} cannot be read: {reason(error)}")
            continue
        folders: list[tuple[str, str]] = []
        files: list[os.DirEntry[str]] = []
        for entry in entries:
            if not is_text(entry.name):
                counts[UNREADABLE_NAME] += 1
                if counts[UNREADABLE_NAME] == 1:
                    warn(report, f"the name {os.fsencode(entry.name)!r} in {folder} is not valid text; rename it")
            elif _is_folder(entry):
                if not is_passed_by(entry.name) and not _is_hidden(entry) and _is_new(entry, real_top, visited):
                    folders.append((entry.path, f"{inside}{entry.name}/"))
            elif not entry.name.startswith("."):
                files.append(entry)
        waiting += reversed(folders)
        for found in _photos(Path(folder), inside, files, stamped):
            if found.path.is_symlink() and _lies_in(os.path.realpath(found.path), real_top):
                counts[LINK_INSIDE] += 1
            else:
                yield found
    for why, count in counts.items():
        report.note(why, count)


def _photos(folder: Path, inside: str, files: list[os.DirEntry[str]], stamped: bool) -> Iterator[FoundPhoto]:
    by_stem: dict[str, list[os.DirEntry[str]]] = {}
    for entry in files:
        by_stem.setdefault(os.path.splitext(entry.name)[0].casefold(), []).append(entry)  # noqa: PTH122 - faster
    for entry in files:
        stem, suffix = os.path.splitext(entry.name)  # noqa: PTH122
        suffix = suffix.lower()
        if suffix not in PHOTO_SUFFIXES or not entry.is_file():
            continue
        # IMG.NEF has IMG.xmp, IMG.JPG and, under the stem "IMG.NEF", IMG.NEF.xmp beside it.
        around = [*by_stem[stem.casefold()], *by_stem.get(entry.name.casefold(), ())]
        stamps: tuple[tuple[str, int, int], ...] = ()
        if stamped:
            stamps = tuple(
                (other.name, other.stat().st_size, other.stat().st_mtime_ns)
                for other in around
                if other is entry or other.name.lower().endswith(SIDECAR_SUFFIX)
            )
        yield FoundPhoto(
            folder / entry.name,
            inside + entry.name,
            tuple(other.name for other in around if other is not entry),
            suffix in VIDEO_SUFFIXES,
            stamps,
        )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    """On Windows, hidden and system folders are marked by an attribute, which listing a folder gives for nothing."""
    if os.name != "nt":
        return False
    try:
        return bool(getattr(entry.stat(), "st_file_attributes", 0) & _HIDDEN_ATTRIBUTE)
    except OSError:
        return True


def _is_new(entry: os.DirEntry[str], real_top: str, visited: set[str]) -> bool:
    """Whether a folder is to be walked: a link only where it leads out of the tree, and each place once."""
    if not entry.is_symlink():
        return True
    real = os.path.realpath(entry.path)
    if _lies_in(real, real_top) or _lies_in(real_top, real) or any(_lies_in(real, other) for other in visited):
        return False
    visited.add(real)
    return True


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
