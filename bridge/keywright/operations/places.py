"""Where catalogs are on this machine, as far as that can be known without searching the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from keywright.catalogs.base import CatalogKind
from keywright.catalogs.walking import PHOTO_SUFFIXES

_DEEP = 2  # folders below the pictures that are looked into for catalogs
_MOST_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True)
class Place:
    """Something that could be learned from."""

    kind: CatalogKind
    source: str


def known_places(pictures: Path | None = None) -> list[Place]:
    """Lightroom catalogs and digiKam databases where those programs put them, and the folder of pictures.

    ``pictures`` ``None`` takes the user's own. Nothing is opened; folders that cannot be read have nothing.
    """
    if pictures is None:
        from platformdirs import user_pictures_path

        pictures = user_pictures_path()
    catalogs, databases, photos = [], [], False
    for path in _looked_at(pictures):
        suffix = path.suffix.lower()
        if suffix == ".lrcat":
            catalogs.append(path)
        elif path.name == "digikam4.db":
            databases.append(path)
        elif suffix in PHOTO_SUFFIXES:
            photos = True
    found = [Place(CatalogKind.LIGHTROOM, str(path)) for path in sorted(catalogs, key=_newest_first)]
    found += [Place(CatalogKind.DIGIKAM, str(path)) for path in dict.fromkeys([*databases, *_digikams_own()])]
    if photos:
        found.append(Place(CatalogKind.FOLDER, str(pictures)))
    return found


def _looked_at(top: Path) -> Iterator[Path]:
    """Files below a folder, the nearer ones first, not too many and not too deep."""
    folders, seen = [(top, 0)], 0
    while folders:
        folder, depth = folders.pop(0)
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        for path in entries:
            seen += 1
            if seen > _MOST_LOOKED_AT:
                return
            try:
                is_folder = path.is_dir() and not path.is_symlink()
            except OSError:
                continue
            if not is_folder:
                yield path
            elif depth < _DEEP and not path.name.startswith(".") and path.suffix.lower() != ".lrdata":
                folders.append((path, depth + 1))


def _newest_first(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _digikams_own() -> list[Path]:
    """The database that digiKam's own settings name."""
    from configparser import ConfigParser, Error

    from keywright.writeback.digikam_settings import settings_file

    read = ConfigParser(strict=False, interpolation=None)
    try:
        read.read(settings_file(), encoding="utf-8")
    except (OSError, Error, UnicodeDecodeError):
        return []
    folder = read.get("Database Settings", "Database Name", fallback="")
    file = Path(folder) / "digikam4.db" if folder else None
    return [file] if file is not None and file.is_file() else []
