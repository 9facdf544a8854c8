"""A power cut after every single call: each photo and sidecar is old or new, and recovery and undo work from there."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from keywright.metadata import data as files_in_memory
from keywright.store.database import Store
from keywright.writeback import Journal, apply, batch_files, history, recover, undo
from writeback.disks import Call, JournalCommit, LoggingDisk, PowerCutDisk
from writeback.kit import accept, contents, library, open_store, targets


class LoggingJournal(Journal):
    """Logs each commit, with the whole database as it is on the disk from then on."""

    def __init__(self, store: Store, log: list[Call]) -> None:
        super().__init__(store)
        self.log = log
        self.database = store.home.database

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with super().write() as connection:
            yield connection
        self.log.append(JournalCommit(database_bytes(self.database)))


def database_bytes(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    try:
        return connection.serialize()
    finally:
        connection.close()


class Scene:
    """A folder of photos and a home, which can be put into the state after a power cut."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "photos"
        self.home = tmp_path / "home"
        self.photos = library(self.folder, 4)
        self.store = open_store(self.home)
        self.before = self.files()
        self.blank = database_bytes(self.store.home.database)

    def files(self) -> dict[Path, bytes]:
        return {self.folder / name: data for name, data in contents(self.folder).items()}

    def start_again(self, files: dict[Path, bytes], database: bytes) -> Journal:
        """The machine after the power cut: these files, this database, a new process."""
        self.store.close()
        for folder in (self.home, self.folder):
            shutil.rmtree(folder)
            folder.mkdir()
        for path, data in files.items():
            path.write_bytes(data)
        (self.home / "keywright.db").write_bytes(database)
        self.store = open_store(self.home)
        return Journal(self.store)


def states(
    before: dict[Path, bytes], journal: bytes, log: list[Call]
) -> Iterator[tuple[str, dict[Path, bytes], bytes]]:
    """What may be on the disk after a power cut at each point of the log, with a name for the point."""
    disk = PowerCutDisk.of(before, journal)
    yield "before the first call", before, journal
    for number, call in enumerate(log):
        disk.replay(call)
        for files in disk.after_power_cut():
            yield f"after call {number}, {type(call).__name__}", files, disk.journal


def old_or_new(files: dict[Path, bytes], old: dict[Path, bytes], new: dict[Path, bytes]) -> list[Path]:
    """The files that are neither; ours that lie beside them are not counted."""
    mine = {path: data for path, data in files.items() if not path.name.startswith(".keywright-")}
    return [path for path in {*old, *new, *mine} if mine.get(path) not in (old.get(path), new.get(path))]


@pytest.mark.slow
@pytest.mark.parametrize("held", [files_in_memory.HELD, 0], ids=["held in memory", "copied in pieces"])
def test_a_power_cut_while_applying_leaves_every_file_old_or_new_and_undo_gives_back_every_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    monkeypatch.setattr(files_in_memory, "HELD", held)
    scene = Scene(tmp_path)
    disk = LoggingDisk()
    journal = LoggingJournal(scene.store, disk.log)
    report = apply(accept(scene.photos), journal, targets(ops=disk))
    assert len(report.written) == 4
    after = scene.files()
    points = 0
    for point, files, database in states(scene.before, scene.blank, disk.log):
        points += 1
        assert old_or_new(files, scene.before, after) == [], point
        journal = scene.start_again(files, database)
        recover(journal, targets())
        now = scene.files()
        assert old_or_new(now, scene.before, after) == [], point
        assert not [path for path in now if path.suffix == ".tmp"], point
        batches = history(journal)
        assert [b.unknown for b in batches] == [0] * len(batches), point
        changed = {str(path) for path in now if now[path] != scene.before.get(path)}
        noted = {f.where for b in batches for f in batch_files(journal, b.id) if f.state == "written"}
        assert changed == noted, point
        if batches:
            undo(batches[0].id, journal, targets())
        assert scene.files() == scene.before, point
    assert points > 50


@pytest.mark.slow
def test_a_power_cut_during_undo_leaves_every_file_old_or_new_and_undo_can_be_finished(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    batch = apply(accept(scene.photos), Journal(scene.store), targets()).batch_id
    written = scene.files()
    database = database_bytes(scene.store.home.database)
    disk = LoggingDisk()
    undo(batch, LoggingJournal(scene.store, disk.log), targets(ops=disk))
    assert scene.files() == scene.before
    for point, files, state in states(written, database, disk.log):
        assert old_or_new(files, written, scene.before) == [], point
        journal = scene.start_again(files, state)
        recover(journal, targets())
        assert not [path for path in scene.files() if path.suffix == ".tmp"], point
        undo(batch, journal, targets())
        assert scene.files() == scene.before, point
