"""When the disk, another program or another Keywright gets in the way: one line each, and nothing is lost."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from keywright.store.database import StoreError
from keywright.store.journal import BatchState
from keywright.writeback import FileTarget, Journal, apply, history, recover, undo
from writeback.disks import FailingDisk, MeanwhileDisk
from writeback.kit import CAT, DOG, OTHER_PROGRAM, accept, contents, jpeg, keywords, library, open_journal, raw, targets


def calls_of_a_good_run(tmp_path: Path) -> list[str]:
    disk = FailingDisk()
    apply(accept(library(tmp_path / "good", 3)), open_journal(tmp_path / "good home"), targets(ops=disk))
    return disk.calls


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["undone", "done and then failed"])
def test_an_error_at_any_call_is_one_line_and_loses_nothing(tmp_path: Path, after: bool) -> None:
    for number, name in enumerate(calls_of_a_good_run(tmp_path)):
        at = f"call {number}, {name}"
        folder, journal = tmp_path / f"photos {number}", open_journal(tmp_path / f"home {number}")
        photos = library(folder, 3)
        before = contents(folder)
        report = apply(accept(photos), journal, targets(ops=FailingDisk(number, after=after)))
        said = [str(line) for line in report.refused] + report.warnings
        written = {photo for w in report.written for photo in w.photos}
        assert len(report.written) + len(report.refused) == 3, at
        assert len(report.refused) <= 1, at
        assert len(said) <= 1, at
        assert all("input/output error" in line and str(folder) in line and "\n" not in line for line in said), at
        assert {photo for photo in photos if "Animals|Dog" in keywords(photo)} == written, at
        for path, data in before.items():
            if path.endswith(".nef"):
                assert (folder / path).read_bytes() == data, at
        recover(journal, targets())
        assert [n for n in contents(folder) if n.endswith(".tmp")] == [], at
        if report.written:
            undo(None, journal, targets())
        assert contents(folder) == before, at


@pytest.mark.slow
def test_an_error_at_any_call_of_undo_is_one_line_and_undo_can_be_done_again(tmp_path: Path) -> None:
    folder, journal = tmp_path / "photos", open_journal(tmp_path / "home")
    photos = library(folder, 3)
    before = contents(folder)
    number = 0
    while True:
        apply(accept(photos), journal, targets())
        disk = FailingDisk(number)
        report = undo(None, journal, targets(ops=disk))
        if len(disk.calls) <= number:
            assert contents(folder) == before
            break
        assert len(report.refused) + len(report.warnings) <= 1, number
        recover(journal, targets())
        if history(journal)[1].written:
            undo(None, journal, targets())
        assert contents(folder) == before, number
        number += 1
    assert number > 10


@pytest.mark.parametrize("call", ["write", "copy_attributes", "sync"])
def test_a_full_disk_stops_the_batch_and_leaves_everything_so_far_consistent(tmp_path: Path, call: str) -> None:
    folder, journal = tmp_path / "photos", open_journal(tmp_path / "home")
    photos = library(folder, 9)
    before = contents(folder)
    disk = FailingDisk()
    apply(accept(library(tmp_path / "good", 9)), open_journal(tmp_path / "good home"), targets(ops=disk))
    fourth = [number for number, name in enumerate(disk.calls) if name == call][3]
    report = apply(accept(photos), journal, targets(ops=FailingDisk(fourth, errno.ENOSPC)))
    assert report.stopped == "the disk is full"
    assert [line.reason for line in report.refused] == ["the disk is full"]
    assert len(report.written) + len(report.refused) + report.not_reached == 9
    assert len(report.written) >= 3
    assert sum("Animals|Dog" in keywords(photo) for photo in photos) == len(report.written)
    assert (history(journal)[0].state, history(journal)[0].note) == (BatchState.STOPPED, "the disk is full")
    assert recover(journal, targets()) == []
    undo(None, journal, targets())
    assert contents(folder) == before


def test_a_file_changed_while_we_wrote_is_left_as_the_other_program_made_it(folder: Path, journal: Journal) -> None:
    photo, theirs = jpeg(folder / "a.jpg", 1), jpeg(folder / "b.jpg", 2).read_bytes()
    report = apply(accept([photo]), journal, targets(ops=MeanwhileDisk(lambda: photo.write_bytes(theirs))))
    assert [str(line) for line in report.refused] == [
        f"{photo}: it was changed by another program in the meantime; it was left as it is"
    ]
    assert contents(folder) == {"a.jpg": theirs, "b.jpg": theirs}


def test_a_change_that_keeps_size_and_time_is_seen_by_the_content(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg", 1)
    theirs = bytearray(photo.read_bytes())
    theirs[-10] ^= 1
    was = photo.stat()

    def meanwhile() -> None:
        with photo.open("r+b") as file:
            file.write(theirs)
        os.utime(photo, ns=(was.st_atime_ns, was.st_mtime_ns))

    report = apply(accept([photo]), journal, targets(ops=MeanwhileDisk(meanwhile)))
    assert len(report.refused) == 1
    assert photo.read_bytes() == theirs


def test_a_sidecar_that_appears_while_we_wrote_ours_is_kept(folder: Path, journal: Journal) -> None:
    photo, sidecar = raw(folder / "a.nef"), folder / "a.xmp"
    report = apply(accept([photo]), journal, targets(ops=MeanwhileDisk(lambda: sidecar.write_bytes(OTHER_PROGRAM))))
    assert [str(line) for line in report.refused] == [
        f"{sidecar}: another program has made this file in the meantime; it was left as it is"
    ]
    assert sorted(contents(folder)) == ["a.nef", "a.xmp"]
    assert sidecar.read_bytes() == OTHER_PROGRAM


def test_a_file_changed_while_undo_ran_is_left_and_can_be_undone_again(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    apply(accept([photo], DOG), journal, targets())
    later = folder / "later.jpg"
    later.write_bytes(photo.read_bytes())
    apply(accept([later], CAT), open_journal(folder.parent / "their home"), targets())
    theirs = later.read_bytes()
    report = undo(None, journal, targets(ops=MeanwhileDisk(lambda: photo.write_bytes(theirs))))
    assert len(report.refused) == 1
    assert photo.read_bytes() == theirs
    undo(None, journal, targets())
    assert keywords(photo) == {"Animals|Cat"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows refuses to replace open files by itself")
def test_a_file_that_another_program_is_writing_is_left_alone(folder: Path, journal: Journal) -> None:
    photo, other = jpeg(folder / "a.jpg"), jpeg(folder / "b.jpg")
    before = photo.read_bytes()
    with photo.open("r+b") as their_file:
        import fcntl

        fcntl.flock(their_file, fcntl.LOCK_EX)  # macOS knows no leases; a lock is seen everywhere
        report = apply(accept([photo, other]), journal, targets())
    assert [str(line) for line in report.refused] == [
        f"{photo}: it is open in another program; close it there and apply again"
    ]
    assert photo.read_bytes() == before
    assert keywords(other) == {"Animals|Dog"}


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_a_folder_that_may_not_be_written_is_one_line_for_each_photo(folder: Path, journal: Journal) -> None:
    photos = library(folder, 3)
    before = contents(folder)
    user = os.geteuid()
    folder.chmod(0o555)
    if user == 0:
        os.chown(folder, 65534, 65534)
        for path in [folder.parent, *folder.parent.parents]:
            if path == Path("/tmp"):
                break
            path.chmod(0o755)
        for photo in folder.iterdir():
            os.chown(photo, 65534, 65534)
        for path in (folder.parent / "home").rglob("*"):
            os.chown(path, 65534, 65534)
        os.chown(folder.parent / "home", 65534, 65534)
        os.seteuid(65534)
    try:
        report = apply(accept(photos), journal, targets())
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(0o755)
    assert [line.reason for line in report.refused] == ["the folder or the file may not be written (no permission)"] * 3
    assert contents(folder) == before


def test_a_write_protected_photo_is_not_written(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    before = photo.read_bytes()
    photo.chmod(0o444)
    report = apply(accept([photo]), journal, targets())
    assert [str(line) for line in report.refused] == [
        f"{photo}: it is write-protected; take the protection off and apply again"
    ]
    assert photo.read_bytes() == before


def test_what_cannot_be_read_is_one_line_each_and_the_others_are_written(folder: Path, journal: Journal) -> None:
    good, broken, gone, stray = jpeg(folder / "a.jpg"), raw(folder / "b.nef"), folder / "c.jpg", raw(folder / "d.nef")
    (folder / "b.xmp").write_bytes(b"<not xmp")
    (folder / "d.xmp").symlink_to(folder / "nowhere.xmp")
    before = contents(folder)
    report = apply(accept([broken, gone, stray, good]), journal, targets())
    assert [Path(w.where).name for w in report.written] == ["a.jpg"]
    said = [str(line) for line in report.refused]
    assert [name for line in said for name in ("b.xmp", "c.jpg", "d.nef") if name in line] == [
        "c.jpg",
        "d.nef",
        "b.xmp",
    ]
    assert {**contents(folder), "a.jpg": b""} == {**before, "a.jpg": b""}


class FailingJournal(Journal):
    """A journal whose commits fail from the one with this number on."""

    def __init__(self, journal: Journal, good: int) -> None:
        super().__init__(journal._store)
        self._good = good

    @contextmanager
    def write(self) -> Any:
        if self._good == 0:
            raise StoreError("Keywright's own database cannot be written: database or disk is full.")
        self._good -= 1
        with super().write() as connection:
            yield connection


@pytest.mark.parametrize("good", [0, 1, 2])
def test_nothing_is_touched_that_the_journal_does_not_hold(folder: Path, journal: Journal, good: int) -> None:
    photos = library(folder, 130)
    before = contents(folder)
    report = apply(accept(photos), FailingJournal(journal, good), targets())
    assert "database or disk is full" in report.stopped
    assert len(report.written) == 64 * good
    assert report.not_reached == 130 - 64 * good
    recover(journal, targets())
    batches = history(journal)
    assert sum(batch.written for batch in batches) == 64 * good
    if good:
        assert batches[0].state is BatchState.INTERRUPTED
        undo(None, journal, targets())
    assert contents(folder) == before


def test_an_exception_on_the_way_leaves_a_batch_that_the_next_apply_settles(folder: Path, journal: Journal) -> None:
    photos = library(folder, 6)
    before = contents(folder)

    def stumble(done: int, _of: int, _photo: Path) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(accept(photos), journal, targets(), progress=stumble)
    report = apply(accept(photos, CAT), journal, targets())
    assert [str(r) for r in report.recovered] == [
        f"Batch {history(journal)[1].id} was interrupted: 6 of 6 photos had been written, the others are as they were."
    ]
    undo(None, journal, targets())
    undo(None, journal, targets())
    assert contents(folder) == before


def test_a_drive_that_is_away_at_the_next_start_is_looked_at_later(folder: Path, journal: Journal) -> None:
    photos = library(folder, 3)

    class Away(FileTarget):
        def carry_out(self, work: Any, cancel: Any) -> Any:
            super().carry_out(work[:1], cancel)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(accept(photos), journal, {"file": Away()})
    folder.rename(folder.with_name("away"))
    (report,) = recover(journal, targets())
    assert len(report.unreachable) == 3
    assert "3 files cannot be reached now" in str(report)
    folder.with_name("away").rename(folder)
    (report,) = recover(journal, targets())
    assert (report.photos_written, len(report.left), report.unreachable) == (1, 2, ())
    assert recover(journal, targets()) == []
