"""A process that writes tags into a database and is gone without a word at its N-th statement.

python killed_apply.py FOLDER N [undo]
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from digikam.kit import COFFEE, SEA, TEA, SaidHost, adding
from keywright.writeback import apply, undo
from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
from keywright.writeback.digikam_databases import Rows, SqliteSession
from writeback.kit import open_journal


class Mortal(SqliteSession):
    left = 0

    def run(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        Mortal.left -= 1
        if Mortal.left == 0:
            os._exit(9)
        return super().run(sql, parameters)


def main() -> None:
    folder, Mortal.left = Path(sys.argv[1]), int(sys.argv[2])
    database = str(folder / "digikam4.db")
    places = {Path(f"/photos/many-{n}.jpg"): (DatabasePhoto(database, 1000 + n),) for n in range(150)}
    decisions = [adding(photo, COFFEE, TEA if n % 2 else SEA) for n, photo in enumerate(places)]
    journal = open_journal(folder / "home")
    target = DigikamTarget(places, folder / "backups", host=SaidHost(), connect=lambda s: Mortal(Path(s)))
    with target:
        if sys.argv[3:] == ["undo"]:
            undo(None, journal, {target.kind: target})
        else:
            apply(decisions, journal, {target.kind: target})


if __name__ == "__main__":
    main()
