"""The names in photos' folders, each folder listed once however many photos it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from keywright.keywords import fold_name


class FolderNames:
    """Finds the files that may belong to a photo by their names."""

    def __init__(self) -> None:
        self._folders: dict[Path, dict[str, list[str]]] = {}

    def near(self, photo: Path) -> Sequence[str]:
        """The names in the photo's folder that are alike up to their first dot, case aside.

        Raises ``OSError`` where the folder cannot be listed.
        """
        known = self._folders.get(photo.parent)
        if known is None:
            known = {}
            for entry in photo.parent.iterdir():
                known.setdefault(_beginning(entry.name), []).append(entry.name)
            self._folders[photo.parent] = known
        return known.get(_beginning(photo.name), [photo.name])


def as_spelled(name: str, names: Iterable[str]) -> str:
    """An existing file's name as its folder has it.

    Windows and macOS find it under other spellings (case, NFC or NFD), and would rename it to the one it is replaced
    under.
    """
    names = list(names)
    if name in names:
        return name
    return next((other for other in names if fold_name(other) == fold_name(name)), name)


def _beginning(name: str) -> str:
    return fold_name(name.split(".", 1)[0])
