"""Killed at any statement while it writes or undoes: the database is sound, the journal true, undo complete."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from digikam.kit import COFFEE, Library, tree_as_triggers_give
from keywright.writeback import recover, undo
from keywright.writeback.base import WriteBackError

pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).with_name("killed_apply.py")


@pytest.fixture
def many(shared: Path, tmp_path: Path) -> Library:
    library = Library(tmp_path, shared / "catalogs/digikam/sqlite-8.6.0/digikam4.db")
    for n in range(150):
        library.sql(
            "INSERT INTO Images (id, album, name, status, category, modificationDate) VALUES (?, 1, ?, 1, 1, 'now')",
            (1000 + n, f"many-{n}.jpg"),
        )
    return library


def run(library: Library, statement: int, *more: str) -> int:
    command = [sys.executable, str(SCRIPT), str(library.folder), str(statement), *more]
    return subprocess.run(command, check=False).returncode


def assert_sound(library: Library) -> None:
    assert library.sql("PRAGMA integrity_check") == [("ok",)]
    tree = {(int(str(a)), int(str(b))) for a, b in library.sql("SELECT id, pid FROM TagsTree")}
    assert tree == tree_as_triggers_give(library.sql("SELECT id, pid FROM Tags"))


def settle(library: Library) -> None:
    with library.target() as target:
        recover(library.journal, {target.kind: target})


# A prepared photo takes 2 statements, a written one about 10: these fall into every phase of three groups.
@pytest.mark.parametrize("statement", [8, 136, 142, 400, 760, 1300, 1900])
def test_a_kill_while_applying_leaves_whole_groups_and_undo_takes_out_all(many: Library, statement: int) -> None:
    before = many.everything()
    code = run(many, statement)
    assert_sound(many)
    settle(many)
    assert_sound(many)
    coffee = many.sql("SELECT id FROM Tags WHERE name = ?", (COFFEE.name,))[0][0]
    written = many.sql("SELECT count(*) FROM ImageTags WHERE tagid = ? AND imageid >= 1000", (coffee,))[0][0]
    assert written in (0, 64, 128, 150)
    assert (code == 0) == (written == 150)
    with many.target() as target:
        try:
            undo(None, many.journal, {target.kind: target})
        except WriteBackError:
            assert written == 0
    assert many.everything() == before


@pytest.mark.parametrize("statement", [400, 1100, 2500])
def test_a_kill_while_undoing_is_finished_by_undoing_again(many: Library, statement: int) -> None:
    before = many.everything()
    assert run(many, -1) == 0
    code = run(many, statement, "undo")
    assert_sound(many)
    settle(many)
    if code:
        run(many, -1, "undo")
    assert many.everything() == before
