"""What the tests of writing digiKam's database share: a real one, a digiKam that is what the test says, a journal."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from keywright.keywords import KeywordPath
from keywright.writeback import AcceptedKeyword, BatchReport, Journal, PhotoDecisions, apply, undo
from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
from keywright.writeback.digikam_host import HostState
from keywright.writeback.digikam_rows import Changed
from writeback.kit import open_journal

COFFEE = KeywordPath.of("Food", "Drinks", "Coffee")
TEA = KeywordPath.of("Food", "Drinks", "Tea")
SEA = KeywordPath.of("Nature", "Water", "Sea")


@dataclass
class SaidHost:
    """A digiKam that is closed, listening or deaf, and remembers what it was told."""

    now: HostState = HostState.CLOSED
    told: list[Changed] = field(default_factory=list)

    def state(self) -> HostState:
        return self.now

    def tell(self, uuid: str, changed: Changed) -> str:
        assert uuid.startswith("{")
        self.told.append(changed)
        return ""


class Library:
    """A copy of a database that the real digiKam made, and Keywright's journal beside it."""

    def __init__(self, folder: Path, original: Path) -> None:
        self.folder = folder
        self.database = folder / "digikam4.db"
        shutil.copyfile(original, self.database)
        self.database.chmod(0o644)
        self.journal: Journal = open_journal(folder / "home")
        self.backups = folder / "backups"
        self.host = SaidHost()

    def sql(self, text: str, parameters: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            return connection.execute(text, parameters).fetchall()

    def images(self) -> dict[Path, int]:
        rows = self.sql("SELECT id, name FROM Images WHERE status = 1 ORDER BY id")
        return {Path("/photos", str(name)): int(str(id_)) for id_, name in rows}

    def places(self) -> Mapping[Path, tuple[DatabasePhoto, ...]]:
        return {path: (DatabasePhoto(str(self.database), id_),) for path, id_ in self.images().items()}

    def apply(self, *decisions: PhotoDecisions) -> BatchReport:
        with self.target() as target:
            return apply(decisions, self.journal, {target.kind: target})

    def undo(self, batch: str | None = None, photos: list[Path] | None = None) -> BatchReport:
        with self.target() as target:
            return undo(batch, self.journal, {target.kind: target}, photos=photos)

    def target(self) -> DigikamTarget:
        return DigikamTarget(self.places(), self.backups, host=self.host)

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row a person could miss."""
        tables = ("Tags", "TagsTree", "ImageTags", "TagProperties", "ImageTagProperties", "Images")
        return {table: sorted(self.sql(f"SELECT * FROM {table}"), key=repr) for table in tables}

    def tags_of(self, photo: Path) -> set[str]:
        rows = self.sql(
            "WITH RECURSIVE p(id, pid, path) AS (SELECT id, pid, name FROM Tags UNION ALL"
            " SELECT p.id, t.pid, t.name || '|' || p.path FROM p JOIN Tags t ON t.id = p.pid)"
            " SELECT path FROM p JOIN ImageTags i ON i.tagid = p.id WHERE p.pid = 0 AND i.imageid = ?",
            (self.images()[photo],),
        )
        return {str(row[0]) for row in rows}


def adding(photo: Path, *keywords: KeywordPath) -> PhotoDecisions:
    return PhotoDecisions(photo, tuple(AcceptedKeyword(path, 0.95) for path in keywords))


def tree_as_triggers_give(tags: list[tuple[object, ...]]) -> set[tuple[int, int]]:
    """TagsTree worked out from Tags: every tag with everything above it, the root too."""
    above = {int(str(id_)): int(str(pid)) for id_, pid in tags}
    found = set()
    for tag in above:
        parent = above[tag]
        while True:
            found.add((tag, parent))
            if parent == 0:
                break
            parent = above[parent]
    return found
