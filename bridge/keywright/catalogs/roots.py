"""Where catalogued folders lie on this machine: ``--map OLD=NEW`` for photos that moved."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from operator import add
from pathlib import Path

from keywright.catalogs.base import CatalogError, CatalogReport, RootMapping
from keywright.catalogs.rows import Row, is_text

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\|//[^/]")


def comparable(folder: str) -> str:
    """A folder's name as it is compared: one kind of slash, none at the end, NFC, no case on Windows."""
    windows = _WINDOWS.match(folder) is not None
    text = unicodedata.normalize("NFC", folder.replace("\\", "/") if windows else folder).rstrip("/")
    return text.casefold() if windows else text


class Roots:
    """The user's mappings, applied to folders as a catalog spells them; ``CatalogError`` where NEW is no folder."""

    def __init__(self, mappings: Sequence[RootMapping]) -> None:
        for mapping in mappings:
            if not mapping.new.is_dir():
                raise CatalogError(
                    f"the folder {mapping.new} to map {mapping.old} to does not exist;"
                    " name the folder the photos are in now"
                )
        # The longest first: a mapping for a folder wins over one for what it lies in.
        self._mappings = sorted(mappings, key=lambda mapping: -len(comparable(mapping.old)))
        self._used: set[str] = set()

    def named(self, *names: str) -> Path | None:
        """The NEW of a mapping whose OLD is one of these names of a whole root (its label, its identifier)."""
        for mapping in self._mappings:
            if mapping.old in names:
                self._used.add(mapping.old)
                return mapping.new
        return None

    def folder(self, catalogued: str) -> str | None:
        """Where a catalogued folder is now by the mappings; None where none of them speaks of it."""
        parts = comparable(catalogued)
        for mapping in self._mappings:
            old = comparable(mapping.old)
            if parts == old or parts.startswith(old + "/"):
                self._used.add(mapping.old)
                # As many levels as OLD has are cut off the name itself, whose case and form comparing has lost.
                levels = old.count("/") + 1
                rest = catalogued.replace("\\", "/").rstrip("/").split("/")[levels:]
                return "/".join([mapping.new.as_posix().rstrip("/"), *rest])
        return None

    def below(self, catalogued: str) -> bool:
        """Whether some mapping speaks of a folder inside this one."""
        top = comparable(catalogued)
        return any(comparable(mapping.old).startswith(top + "/") for mapping in self._mappings)

    def report_unused(self, report: CatalogReport) -> None:
        for mapping in self._mappings:
            if mapping.old not in self._used:
                warn(
                    report,
                    f"no folder of the catalog lies in {mapping.old}, so its mapping to {mapping.new} does nothing",
                )


IMPOSSIBLE_NAME = "photo whose folder or file name is not valid"
_SUSPICIOUS = re.compile(r"[/\\:]|\x00\.?\x00")  # what some system takes for more than a name, or an empty one


def beginning(folder: str) -> str:
    """What the paths of a folder's files begin with: the folder as ``Path`` spells it, and a separator."""
    return os.path.join(str(Path(folder)), "")  # noqa: PTH118 - a Path has no separator at its end


def placed(
    rows: Sequence[Row], folder_at: int, name_at: int, folders: Mapping[int, str]
) -> tuple[Sequence[Row], list[str]]:
    """The rows whose photo has a place, and its path; ``folders`` holds each folder's ``beginning``.

    Left out are rows in a folder that is not known, and names that are no file's or no valid text.
    """
    names = [row[name_at] for row in rows]
    try:
        together = "\x00".join(["", *names, ""])  # one test for all of them, as nearly always none is wrong
        if is_text(together) and not _SUSPICIOUS.search(together):
            return rows, list(map(add, [folders[row[folder_at]] for row in rows], names))
    except (KeyError, TypeError):
        pass  # one of them is wrong: find out which
    fit, paths = [], []
    for row, name in zip(rows, names, strict=True):
        try:
            path = (Path(folders[row[folder_at]]) / "name").with_name(name)
        except (KeyError, ValueError, TypeError, AttributeError):
            continue
        if is_text(name):
            fit.append(row)
            paths.append(str(path))
    return fit, paths


def warn(report: CatalogReport, sentence: str) -> None:
    """Add a warning once, however often the catalog is read."""
    if sentence not in report.warnings:
        report.warnings.append(sentence)


def missing_folder(folder: str, photos: int) -> str:
    """The warning about a root folder that is not on this machine."""
    count = "1 photo is" if photos == 1 else f"{photos:,} photos are"
    return (
        f"{count} in {folder}, which is not on this machine;"
        " connect its drive, or say where it is now with --map OLD=NEW"
    )
