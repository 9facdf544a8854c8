"""Keywright killed with SIGKILL at random moments: the files, the next start, and undo.

``benchmarks/apply_kill.py`` does this with 1,000 photos, killed from outside at random times.
"""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from keywright.store.journal import BatchState
from keywright.writeback import Journal, apply, history, recover, undo
from writeback.disks import FailingDisk
from writeback.kit import accept, contents, keywords, library, open_journal, targets

PHOTOS = 60
TESTS = str(Path(__file__).resolve().parent.parent)
PROGRAM = f"import sys; sys.path.insert(0, {TESTS!r}); from writeback.killed_apply import main; main(*sys.argv[1:])"


def killed(what: str, home: Path, folder: Path, call: int, when: str) -> bool:
    """Run the process; whether it was killed rather than done before that call."""
    command = [sys.executable, "-c", PROGRAM, what, str(home), str(folder), str(call), when]
    return subprocess.run(command, check=False).returncode != 0


@pytest.mark.slow
def test_killed_at_random_moments_no_file_is_damaged_and_undo_gives_back_every_byte(tmp_path: Path) -> None:
    chance = random.Random(2)
    folder, home = tmp_path / "photos", tmp_path / "home"
    photos = library(folder, PHOTOS)
    before = contents(folder)
    journal = open_journal(home)
    disk = FailingDisk()
    apply(accept(photos), journal, targets(ops=disk))
    after = contents(folder)
    undo(None, journal, targets())
    assert contents(folder) == before

    def check_old_or_new() -> None:
        now = {name: data for name, data in contents(folder).items() if not name.startswith(".keywright-")}
        assert [n for n in {*before, *after, *now} if now.get(n) not in (before.get(n), after.get(n))] == []

    for _ in range(8):
        assert killed("apply", home, folder, chance.randrange(len(disk.calls)), chance.choice(("at", "after")))
        check_old_or_new()
        recover(journal, targets())
        check_old_or_new()
        check_settled(journal, folder)
        assert sum("Animals|Dog" in keywords(photo) for photo in photos) == still_written(journal)
        if still_written(journal):
            killed("undo", home, folder, chance.randrange(len(disk.calls) // 2), chance.choice(("at", "after")))
            check_old_or_new()
            recover(journal, targets())
            check_settled(journal, folder)
        if still_written(journal):
            undo(None, journal, targets())
        assert contents(folder) == before
    assert len([batch for batch in history(journal) if batch.state is BatchState.INTERRUPTED]) > 4


def still_written(journal: Journal) -> int:
    return sum(batch.written for batch in history(journal) if batch.kind == "apply")


def check_settled(journal: Journal, folder: Path) -> None:
    assert [b.id for b in history(journal) if b.state is BatchState.OPEN or b.unknown] == []
    assert [name for name in contents(folder) if name.startswith(".keywright-")] == []
