"""The values that cross this room's border, and its one error."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, overload

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.metadata.data import Data, PatchedData, whole


class MetadataError(KeywrightError):
    """A file's metadata cannot be changed safely: which file, why, and what to do."""


class SidecarProfile(StrEnum):
    """Whose habits decide where keywords go when the files that are there do not."""

    LIGHTROOM = "lightroom"  # embedded where Lightroom embeds; else IMG.xmp
    DARKTABLE = "darktable"  # always IMG.NEF.xmp
    DIGIKAM = "digikam"  # embedded where it can be; else IMG.NEF.xmp
    PLAIN = "plain"  # Capture One, Photo Mechanic, Bridge: embedded where it can be; else IMG.xmp
    SIDECAR = "sidecar"  # digiKam set to sidecars with compatible names: always IMG.xmp


@dataclass(frozen=True, slots=True)
class KeywordChange:
    """The keywords to put in and to take out. A keyword in both is put in.

    ``private`` are keywords that the catalog does not export: as a level of a path they are written where the whole
    path is, but their bare names stay out of the flat fields that strangers see (dc:subject, IPTC).
    """

    add: frozenset[KeywordPath] = frozenset()
    remove: frozenset[KeywordPath] = frozenset()
    private: frozenset[KeywordPath] = frozenset()

    def flat_names(self, paths: Iterable[KeywordPath]) -> list[str]:
        """What a flat field lists for paths: every level's name, as Lightroom does, but for private ones; each once."""
        private = {path.key for path in self.private}
        names = (name for path in paths for depth, name in enumerate(path.parts, 1) if path.key[:depth] not in private)
        return list(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class FieldAdded:
    """What was put into one keyword field, so that exactly that can be taken out again."""

    field: str  # the field's id, such as "dc:subject" or "iptc"
    items: tuple[str, ...]  # the entries as they stand in the file
    seeded: tuple[str, ...] = ()  # keywords the file had elsewhere, copied into a field that was absent or empty
    was: str | None = None  # the field's source before ("" where it was absent); None where a list only grew
    held: tuple[str, ...] = ()  # the entries that ``was`` spells


@dataclass(frozen=True, slots=True)
class Added:
    """Everything that one change really put into a file: the record to keep for taking it out later."""

    fields: tuple[FieldAdded, ...] = ()
    removed: tuple[str, ...] = ()  # the keyword paths (text form) that were taken out
    created: bool = False  # the XMP packet itself is ours
    padding: int = 0  # bytes of the packet's padding that were used up (less than 0: added)
    cut: tuple[str, ...] = ()  # the bare names, case folded, that were taken out of the packet's fields

    def __bool__(self) -> bool:
        return bool(self.fields or self.removed)

    def to_json(self) -> str:
        return json.dumps(
            {
                "fields": [
                    {"field": f.field, "items": f.items, "seeded": f.seeded, "was": f.was, "held": f.held}
                    for f in self.fields
                ],
                "removed": self.removed,
                "created": self.created,
                "padding": self.padding,
                "cut": self.cut,
            },
            ensure_ascii=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Added:
        data: dict[str, Any] = json.loads(text)
        return cls(
            fields=tuple(
                FieldAdded(f["field"], tuple(f["items"]), tuple(f["seeded"]), f["was"], tuple(f["held"]))
                for f in data["fields"]
            ),
            removed=tuple(data["removed"]),
            created=data["created"],
            padding=data["padding"],
            cut=tuple(data.get("cut", ())),
        )


@dataclass(frozen=True, slots=True)
class Edit:
    """``old`` at byte ``start`` of the file before becomes ``new``."""

    start: int
    old: bytes
    new: bytes


@overload
def apply_edits(before: bytes, edits: Iterable[Edit]) -> bytes: ...
@overload
def apply_edits(before: Data, edits: Iterable[Edit]) -> Data: ...
def apply_edits(before: Data, edits: Iterable[Edit]) -> Data:
    """The file after ``edits`` (offsets all refer to ``before``); in memory where ``before`` is.

    Raises ``MetadataError`` where ``before`` does not hold what an edit replaces.
    """
    ordered = sorted(edits, key=lambda e: e.start)
    position = 0
    for edit in ordered:
        end = edit.start + len(edit.old)
        if edit.start < position or before[edit.start : end] != edit.old:
            raise MetadataError("the file is no longer as it was when the change was made; read it again")
        position = end
    patched = PatchedData(before, ordered)
    return whole(patched) if isinstance(before, bytes) else patched


def invert_edits(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits that turn the file after back into the file before, byte for byte."""
    inverse = []
    shift = 0
    for edit in sorted(edits, key=lambda e: e.start):
        inverse.append(Edit(edit.start + shift, edit.new, edit.old))
        shift += len(edit.new) - len(edit.old)
    return tuple(inverse)


@dataclass(frozen=True, slots=True)
class Place:
    """The one file that a photo's keywords are written to."""

    target: Path
    embedded: bool  # the photo itself
    exists: bool

    @property
    def creates(self) -> bool:
        return not self.exists


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file before and after; nothing has been written yet.

    ``source`` is ``None`` where the file is to be created. ``edits`` say the same as ``source`` and ``result`` in as
    few bytes as possible: ``apply_edits(source, edits) == result`` and ``apply_edits(result, invert_edits(edits)) ==
    source``; a journal that keeps them can restore the file byte for byte.
    """

    photo: Path
    target: Path
    source: Data | None
    result: Data
    edits: tuple[Edit, ...]
    added: Added
    added_keywords: frozenset[KeywordPath]
    already_there: frozenset[KeywordPath]
    removed_keywords: frozenset[KeywordPath] = frozenset()
    notes: tuple[str, ...] = ()  # what could not be put into an older field, one sentence each

    @property
    def before(self) -> bytes | None:
        """All bytes of the file as it is."""
        return None if self.source is None else whole(self.source)

    @property
    def after(self) -> bytes:
        """All bytes of the file as it is to be."""
        return whole(self.result)

    @property
    def creates(self) -> bool:
        return self.source is None

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.edits)


@dataclass(frozen=True, slots=True)
class FieldKeywords:
    """One keyword field as it was found: its entries as text, before any judgement."""

    field: str  # "dc:subject", "lr:hierarchicalSubject", …, "iptc", "XPKeywords"
    place: str  # "" for the photo itself, else the sidecar's file name
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileKeywords:
    """The keywords a photo carries, in itself and beside it, without doubles.

    ``caption`` is what titles, headlines, captions and descriptions say, each text once, a line each.
    """

    keywords: frozenset[KeywordPath]
    sources: tuple[FieldKeywords, ...] = ()
    warnings: tuple[str, ...] = ()
    caption: str = ""
