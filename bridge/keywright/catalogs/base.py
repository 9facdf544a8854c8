"""The small protocol every catalog reader keeps, and the values it gives.

A reader never changes a byte of the catalog or beside it. It knows photos and keywords; it knows no vectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, Self, runtime_checkable

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath


class CatalogError(KeywrightError):
    """The catalog cannot be read: what is wrong with it, and what to do."""


class CatalogKind(StrEnum):
    LIGHTROOM = "lightroom"
    DIGIKAM = "digikam"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class CatalogKeyword:
    """A keyword of the catalog's own list, whether a photo carries it or not. Person keywords are not among them."""

    path: KeywordPath
    host_id: str  # the catalog's own id of it, "" where it has none (folders)
    synonyms: tuple[str, ...] = ()
    private: bool = False  # not to be exported, nor written into files


class CatalogPhoto(NamedTuple):
    """One photo (or virtual copy) as the catalog has it. A tuple, because several hundred thousand of them are made."""

    host_id: str  # stable in the catalog: Lightroom's id_global, digiKam's image id, a folder's relative POSIX path
    file: str  # where the file should be, after root mapping; it may be missing
    keywords: frozenset[KeywordPath]  # as assigned, without ancestors that are not assigned themselves
    copy_of: str | None = None  # host_id of the master photo, for a virtual copy
    rejected: bool = False
    taken: datetime | None = None
    is_video: bool = False

    @property
    def path(self) -> Path:
        """``file`` as a path: made when it is asked for, since a path takes longer to make than all the rest."""
        return Path(self.file)


@dataclass(frozen=True, slots=True)
class RootMapping:
    """``--map OLD=NEW``: photos catalogued under ``old`` (as the catalog spells it) lie under ``new`` here."""

    old: str
    new: Path


@dataclass(slots=True)
class CatalogReport:
    """What the reader noticed and left out, counted by reason; filled while photos are read."""

    warnings: list[str] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)

    def skip(self, why: str, count: int = 1) -> None:
        self.skipped[why] = self.skipped.get(why, 0) + count

    def note(self, why: str, count: int) -> None:
        """Set a count that was taken at once, so that reading the catalog again does not double it; 0 is not listed."""
        if count:
            self.skipped[why] = count
        else:
            self.skipped.pop(why, None)


class Catalog(Protocol):
    """An open catalog; a context manager, closed at the end of the ``with`` block."""

    kind: CatalogKind
    source: str  # as the user named it
    identity: str  # the same for the same catalog from run to run, also when its folder is reached by another name
    report: CatalogReport

    def keywords(self) -> Sequence[CatalogKeyword]: ...

    def photos(self) -> Iterator[CatalogPhoto]:
        """All photos a person sees in the catalog (trashed and obsolete ones are not), in a stable order."""
        ...

    def change_token(self) -> str:
        """A short text that differs when the catalog may have changed since; found without reading the catalog."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...


@runtime_checkable
class Captioned(Protocol):
    """What a catalog that keeps captions has besides."""

    def captions(self) -> Mapping[str, str]:
        """Captions, titles and comments of photos, by ``CatalogPhoto.host_id``; photos without any are left out."""
        ...
