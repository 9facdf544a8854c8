"""A process that writes tags into photos' files and into a database, and kills itself at its N-th step: a call that
changes the disk, or a statement to the database.

python killed_apply.py FOLDER N [undo]
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from digikam.kit import COFFEE, SEA, TEA, SaidHost, adding
from keywright.writeback import FileSettings, FileTarget, apply, undo
from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
from keywright.writeback.digikam_databases import Rows, SqliteSession
from keywright.writeback.digikam_settings import BOTH, MetadataSettings
from keywright.writeback.fileops import RealFileOps
from writeback.kit import open_journal

PHOTOS = 80
_CHANGING = ("write", "copy_attributes", "sync", "replace", "put_in_place", "remove", "sync_folder")


class Steps:
    left = 0

    @classmethod
    def step(cls) -> None:
        cls.left -= 1
        if cls.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalSession(SqliteSession):
    def run(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        Steps.step()
        return super().run(sql, parameters)


class MortalOps(RealFileOps):
    def __getattribute__(self, name: str) -> Any:
        found: Callable[..., Any] = super().__getattribute__(name)
        if name not in _CHANGING:
            return found

        def stepping(*words: Any, **more: Any) -> Any:
            Steps.step()
            return found(*words, **more)

        return stepping


def photos(folder: Path) -> list[Path]:
    return [folder / "photos" / f"many-{n}.jpg" for n in range(PHOTOS)]


def targets(folder: Path, mortal: bool) -> tuple[FileTarget, DigikamTarget]:
    """Files and rows; digiKam is set to write the photo and a sidecar."""
    places = {p: (DatabasePhoto(str(folder / "digikam4.db"), 1000 + n),) for n, p in enumerate(photos(folder))}
    files = FileTarget(FileSettings(own=MetadataSettings(mode=BOTH).profiles), MortalOps() if mortal else None)
    session = MortalSession if mortal else SqliteSession
    return files, DigikamTarget(places, folder / "backups", host=SaidHost(), connect=lambda s: session(Path(s)))


def main() -> None:
    folder, Steps.left = Path(sys.argv[1]), int(sys.argv[2])
    decisions = [adding(photo, COFFEE, TEA if n % 2 else SEA) for n, photo in enumerate(photos(folder))]
    journal = open_journal(folder / "home")
    files, rows = targets(folder, mortal=True)
    with rows:
        if sys.argv[3:] == ["undo"]:
            undo(None, journal, {files.kind: files, rows.kind: rows})
        else:
            apply(decisions, journal, {files.kind: files, rows.kind: rows})
    print(-Steps.left)


if __name__ == "__main__":
    main()
