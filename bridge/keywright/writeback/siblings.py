"""The names in photos' folders, each folder listed once however many photos it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


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


def _beginning(name: str) -> str:
    return name.split(".", 1)[0].casefold()
