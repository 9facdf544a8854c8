"""What SQLite says of a database is told as one sentence with the file and what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keywright.writeback import digikam_child
from keywright.writeback.digikam_databases import sqlite_sentence


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database is locked", "is locked by another program; wait until digiKam is idle"),
        ("attempt to write a readonly database", "may not be written; give yourself write access"),
        ("unable to open database file", "may not be written; give yourself write access"),
        ("database or disk is full", "make room and apply again"),
        ("database disk image is malformed", "let digiKam check it, or restore it from a backup"),
    ],
)
def test_each_trouble_has_its_sentence(said: str, told: str) -> None:
    sentence = sqlite_sentence("/p/digikam4.db", said)
    assert told in sentence
    assert "/p/digikam4.db" in sentence


def test_a_database_that_may_only_be_read_is_one_sentence_and_stays_as_it_is(tmp_path: Path, shared: Path) -> None:
    database = tmp_path / "digikam4.db"
    shutil.copyfile(shared / "catalogs/digikam/sqlite-8.6.0/digikam4.db", database)
    database.chmod(0o444)
    before = database.read_bytes()
    # The superuser may write whatever the permissions say, so there somebody else tries.
    someone = {"user": "nobody"} if hasattr(os, "geteuid") and os.geteuid() == 0 else {}
    python = "/usr/bin/python3" if someone else sys.executable
    if someone:
        if not Path(python).exists():
            pytest.skip("there is no Python here that another user may run")
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == os.geteuid() and folder != folder.parent:
                folder.chmod(folder.stat().st_mode | 0o055)
    child = Path(digikam_child.__file__).read_text(encoding="utf-8")
    asked = [{"do": "run", "sql": "BEGIN IMMEDIATE", "with": []}]
    done = subprocess.run(
        [python, "-I", "-c", child, str(database), "1"],
        input="".join(json.dumps(one) + "\n" for one in asked),
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
        **someone,  # type: ignore[call-overload]
    )
    (refused,) = map(json.loads, done.stdout.splitlines())
    assert sqlite_sentence(str(database), refused["error"]) == (
        f"the database {database} may not be written; give yourself write access to it and its folder"
    )
    assert database.read_bytes() == before
