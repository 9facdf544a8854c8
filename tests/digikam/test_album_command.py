"""``keywright-digikam suggest`` as cron and terminals call it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from demo.library import make_library

from digikam.kit import Library
from keywright.home import Home
from keywright.metadata import read_keywords
from keywright.operations.learning import learn
from keywright.operations.workspace import Workspace
from keywright.writeback.digikam_running import is_digikam_running

pytestmark = pytest.mark.slow
ALBUM = "2023/At home"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Path:
    """A digiKam database with a library of photos, which has been learned."""
    if is_digikam_running():
        pytest.skip("digiKam runs on this machine, and Keywright would heed it")
    top = tmp_path_factory.mktemp("albums")
    library = Library(top, shared / "catalogs/digikam/sqlite-7.9.0/digikam4.db")
    make_library(top / "photos")
    with closing(sqlite3.connect(library.database)) as database, database:
        database.execute("DELETE FROM Images")
        database.execute("UPDATE AlbumRoots SET identifier = ?", (f"volumeid:?path={top}/photos",))
        for file in sorted((top / "photos").rglob("*.jpg")):
            album = "/" + file.parent.relative_to(top / "photos").as_posix()
            database.execute("INSERT OR IGNORE INTO Albums (albumRoot, relativePath) VALUES (1, ?)", (album,))
            (number,) = database.execute("SELECT id FROM Albums WHERE relativePath = ?", (album,)).fetchone()
            image = database.execute(
                "INSERT INTO Images (album, name, status, category) VALUES (?, ?, 1, 1)", (number, file.name)
            ).lastrowid
            for path in read_keywords(file).keywords:
                parent = 0
                for name in path.parts:
                    database.execute("INSERT OR IGNORE INTO Tags (pid, name) VALUES (?, ?)", (parent, name))
                    at = database.execute("SELECT id FROM Tags WHERE pid = ? AND name = ?", (parent, name))
                    (parent,) = at.fetchone()
                database.execute("INSERT INTO ImageTags VALUES (?, ?)", (image, parent))
    with Workspace.open(Home(top / "keywright")) as workspace:
        learn(workspace, [str(library.database)])
    (top / "config").mkdir()
    (top / "config/digikamrc").write_text(f"[Database Settings]\nDatabase Name={top}/\n")
    return top


def run(base: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = {
        "KEYWRIGHT_HOME": str(base / "keywright"),
        "XDG_CONFIG_HOME": str(base / "config"),
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere",
    }
    command = [sys.executable, "-m", "keywright.cli.digikam", "suggest", *words]
    return subprocess.run(command, env=os.environ | own, capture_output=True, text=True, check=False, timeout=300)


def test_an_album_is_suggested_for_written_once_and_then_there_is_nothing_left_to_do(base: Path) -> None:
    shown = run(base, "--album", ALBUM)
    assert shown.returncode == 0, shown.stderr
    assert f"{base}/photos/{ALBUM}/COFF_0008.jpg" in shown.stdout
    assert "Food|Coffee" in shown.stdout
    assert "of 18 photos have suggestions" in shown.stdout.splitlines()[-1]

    elsewhere = {f: f.read_bytes() for f in (base / "photos").rglob("*.jpg") if f.parent.name != "At home"}
    written = run(base, "--album", ALBUM, "--apply", "--min-confidence", "0.6")
    assert written.returncode == 0, written.stderr
    assert " written in " in written.stdout
    assert "and in digiKam's database" in written.stdout
    assert "keywright undo takes it out again" in written.stdout
    with closing(sqlite3.connect(base / "digikam4.db")) as database:
        tags = database.execute(
            "SELECT t.name FROM Tags t JOIN ImageTags l ON l.tagid = t.id JOIN Images i ON i.id = l.imageid"
            " WHERE i.name = 'COFF_0008.jpg'"
        ).fetchall()
    assert tags == [("Coffee",)]
    assert all(file.read_bytes() == data for file, data in elsewhere.items()), "other albums are left alone"

    again = run(base, "--album", ALBUM, "--apply", "--min-confidence", "0.99")
    assert again.returncode == 0, "a nightly run that finds everything done has not failed"
    assert again.stdout == "No suggestion is 99% sure or more; nothing was written.\n"
    told = run(base, "--album", ALBUM, "--apply", "--min-confidence", "0.99", "--json")
    assert json.loads(told.stdout)["written"] == []


def test_an_album_that_is_not_there_is_one_sentence_and_a_failure(base: Path) -> None:
    done = run(base, "--album", "2023/At hom")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "There is no album 2023/At hom" in done.stderr


def test_a_database_that_is_not_there_is_one_sentence_and_a_failure(base: Path) -> None:
    done = run(base, "--database", str(base / "gone.db"))
    assert done.returncode == 1
    assert f"there is no catalog at {base}/gone.db" in done.stderr
