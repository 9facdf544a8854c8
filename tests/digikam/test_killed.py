"""Killed with SIGKILL at any step, in the files or in the rows: all is sound, the journal true, undo complete."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from digikam.killed_apply import PHOTOS, photos, targets
from digikam.kit import COFFEE, SEA, TEA, Library, adding, tree_as_triggers_give
from keywright.metadata import read_keywords
from keywright.writeback import apply, recover, undo
from keywright.writeback.base import WriteBackError
from writeback.kit import jpeg

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).with_name("killed_apply.py")


@pytest.fixture
def many(shared: Path, tmp_path: Path) -> Library:
    library = Library(tmp_path, shared / "catalogs/digikam/sqlite-8.6.0/digikam4.db")
    (tmp_path / "photos").mkdir()
    for n, photo in enumerate(photos(tmp_path)):
        jpeg(photo, n)
        library.sql(
            "INSERT INTO Images (id, album, name, status, category, modificationDate) VALUES (?, 1, ?, 1, 1, 'now')",
            (1000 + n, photo.name),
        )
    return library


def run(library: Library, step: int, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(library.folder), str(step), *more]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done


def everything(library: Library) -> tuple[object, dict[str, bytes]]:
    files = {file.name: file.read_bytes() for file in (library.folder / "photos").iterdir()}
    return library.everything(), files


def assert_sound(library: Library, original: dict[str, bytes]) -> int:
    """The database is consistent, a photo's rows and each of its files are old or new; how many rows are new."""
    assert library.sql("PRAGMA integrity_check") == [("ok",)]
    tree = {(int(str(a)), int(str(b))) for a, b in library.sql("SELECT id, pid FROM TagsTree")}
    assert tree == tree_as_triggers_give(library.sql("SELECT id, pid FROM Tags"))
    rows = library.sql("SELECT imageid, count(*) FROM ImageTags WHERE imageid >= 1000 GROUP BY imageid")
    assert {number for _, number in rows} <= {2}
    for n, photo in enumerate(photos(library.folder)):
        sidecar = photo.with_name(photo.name + ".xmp")
        alone = sidecar.read_bytes() if sidecar.exists() else b""
        assert alone == b"" or alone.rstrip().endswith(b'<?xpacket end="w"?>')
        if photo.read_bytes() != original[photo.name]:
            assert read_keywords(photo).keywords == {COFFEE, TEA if n % 2 else SEA}
    return len(rows)


def settle(library: Library) -> None:
    files, rows = targets(library.folder, mortal=False)
    with rows:
        recover(library.journal, {files.kind: files, rows.kind: rows})


def undo_all(library: Library) -> None:
    files, rows = targets(library.folder, mortal=False)
    with rows:
        while True:
            try:
                undo(None, library.journal, {files.kind: files, rows.kind: rows})
            except WriteBackError:
                return


def test_killed_at_any_step_of_files_and_rows_everything_is_old_or_new_and_undo_gives_back_all(many: Library) -> None:
    before = everything(many)
    steps = int(run(many, -1).stdout)
    undo_all(many)
    assert everything(many) == before
    assert steps > 1000
    chance = random.Random(7)
    for step in sorted(chance.sample(range(1, steps), 8)):
        assert run(many, step).returncode == -signal.SIGKILL
        settle(many)
        written = assert_sound(many, before[1])
        assert written in (0, 64, PHOTOS)
        assert not list((many.folder / "photos").glob(".keywright*"))
        if step % 2:  # a later apply finishes what was killed
            files, rows = targets(many.folder, mortal=False)
            decisions = [adding(photo, COFFEE, TEA if n % 2 else SEA) for n, photo in enumerate(photos(many.folder))]
            with rows:
                apply(decisions, many.journal, {files.kind: files, rows.kind: rows})
            assert assert_sound(many, before[1]) == PHOTOS
        undo_all(many)
        assert everything(many) == before, f"killed at step {step} of {steps}"


def test_killed_while_undoing_it_is_finished_by_undoing_again(many: Library) -> None:
    before = everything(many)
    for step in (60, 500, 900):
        run(many, -1)
        run(many, step, "undo")
        settle(many)
        assert_sound(many, before[1])
        undo_all(many)
        assert everything(many) == before
