"""A studio's digiKam on a real MariaDB server, from the command line: learn with an account that may only read, apply
with one that may write, undo. The database is the dump of a real digiKam with a library of photos added to it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from demo.library import make_library

from catalogs.test_mysql import Server, filled, server  # noqa: F401
from keywright.metadata import read_keywords
from keywright.writeback.digikam_running import is_digikam_running

pytestmark = pytest.mark.slow
NAME = "studio"
BARE = "2023/At home/COFF_0008.jpg"


@dataclass
class Studio:
    """The server's database, the photos, and a home of Keywright's."""

    server: Server
    folder: Path

    def sql(self, text: str) -> list[tuple[object, ...]]:
        return self.server.run(text, NAME)

    def keywright(self, *words: str, password: str) -> subprocess.CompletedProcess[str]:
        settings = {"KEYWRIGHT_HOME": str(self.folder / "home"), "KEYWRIGHT_MYSQL_PASSWORD": password}
        own = {"XDG_CONFIG_HOME": str(self.folder / "config"), "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"}
        command = [sys.executable, "-m", "keywright", *words]
        return subprocess.run(
            command, env=os.environ | settings | own, capture_output=True, text=True, check=False, timeout=300
        )

    def url(self, user: str) -> str:
        return f"mysql://{user}@127.0.0.1:{self.server.port}/{NAME}"

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        tables = ("Tags", "TagsTree", "ImageTags", "TagProperties", "Images")
        return {table: sorted(self.sql(f"SELECT * FROM {table}"), key=repr) for table in tables}

    def photos(self) -> dict[Path, bytes]:
        return {file: file.read_bytes() for file in (self.folder / "photos").rglob("*") if file.is_file()}

    def tags_of(self, photo: str) -> set[object]:
        rows = self.sql(
            "SELECT t.name FROM Tags t JOIN ImageTags l ON l.tagid = t.id JOIN Images i ON i.id = l.imageid"
            f" WHERE i.name = '{Path(photo).name}'"
        )
        return {row[0] for row in rows}


@pytest.fixture
def studio(filled: Server, shared: Path, tmp_path: Path) -> Studio:  # noqa: F811
    if is_digikam_running():
        pytest.skip("digiKam runs on this machine, and Keywright would heed it")
    client = shutil.which("mariadb")
    assert client is not None
    filled.run(f"DROP DATABASE IF EXISTS {NAME}")
    filled.run(f"CREATE DATABASE {NAME} CHARACTER SET utf8mb4")
    with (shared / "catalogs/digikam/mariadb-7.9.0/digikam.sql").open("rb") as dump:
        command = [client, "--no-defaults", "-h127.0.0.1", f"-P{filled.port}", "-uroot", NAME]
        subprocess.run(command, stdin=dump, check=True)
    filled.run("CREATE USER IF NOT EXISTS looker@'%' IDENTIFIED BY 'look'")
    filled.run(f"GRANT SELECT ON {NAME}.* TO looker@'%'")
    filled.run("CREATE USER IF NOT EXISTS writer@'%' IDENTIFIED BY 'write'")
    filled.run(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {NAME}.* TO writer@'%'")
    made = Studio(filled, tmp_path)
    make_library(tmp_path / "photos")
    made.sql(f"UPDATE AlbumRoots SET identifier = 'volumeid:?path={tmp_path}/photos'")
    albums: dict[str, int] = {}
    tags: dict[tuple[str, ...], int] = {(): 0}
    for number, file in enumerate(sorted((tmp_path / "photos").rglob("*.jpg")), 500):
        album = file.parent.relative_to(tmp_path / "photos").as_posix()
        if album not in albums:
            albums[album] = 500 + len(albums)
            made.sql(f"INSERT INTO Albums (id, albumRoot, relativePath) VALUES ({albums[album]}, 1, '/{album}')")
        row = f"({number}, {albums[album]}, '{file.name}', 1, 1)"
        made.sql(f"INSERT INTO Images (id, album, name, status, category) VALUES {row}")
        for path in read_keywords(file).keywords:
            for depth in range(1, len(path.parts) + 1):
                parts = path.parts[:depth]
                if parts not in tags:
                    there = f"SELECT id FROM Tags WHERE pid = {tags[parts[:-1]]} AND name = '{parts[-1]}'"
                    if not made.sql(there):
                        made.sql(f"INSERT INTO Tags (pid, name) VALUES ({tags[parts[:-1]]}, '{parts[-1]}')")
                    tags[parts] = int(str(made.sql(there)[0][0]))
            made.sql(f"INSERT INTO ImageTags VALUES ({number}, {tags[path.parts]})")
    return made


def test_a_studio_learns_applies_and_undoes_on_its_server(studio: Studio) -> None:
    before, files = studio.everything(), studio.photos()
    learned = studio.keywright("learn", studio.url("looker"), password="look")
    assert learned.returncode == 0, learned.stderr
    assert "keywords trained" in learned.stdout
    assert studio.everything() == before, "learning changes nothing"

    refused = studio.keywright("apply", studio.url("looker"), "--min-confidence", "0.6", password="look")
    assert refused.returncode == 1
    assert refused.stderr.count("grant it SELECT, INSERT, UPDATE and DELETE on studio.*, and apply again") == 1
    assert refused.stdout.count("grant") == 0
    assert studio.everything() == before
    studio.keywright("undo", password="look")
    assert studio.photos() == files

    # The server takes these for the names that were learned; SQLite would not.
    ((food,),) = studio.sql("SELECT id FROM Tags WHERE name = 'Food' AND pid = 0")
    studio.sql(f"UPDATE Tags SET name = 'CÔFFEE' WHERE name = 'Coffee' AND pid = {food}")
    renamed = studio.everything()
    written = studio.keywright("apply", studio.url("writer"), "--min-confidence", "0.6", "--json", password="write")
    assert written.returncode == 0, written.stderr
    told = json.loads(written.stdout)
    assert {one["target"] for one in told["written"]} == {"file", "digikam"}
    assert "CÔFFEE" in studio.tags_of(BARE)
    assert "Food|Coffee" in {str(k) for k in read_keywords(studio.folder / "photos" / BARE).keywords}
    assert studio.everything()["Tags"] == renamed["Tags"], "no tag is made that the server has by another spelling"

    undone = studio.keywright("undo", password="write")
    assert undone.returncode == 0, undone.stderr
    assert studio.everything() == renamed
    assert studio.photos() == files


def test_a_wrong_password_is_one_sentence_that_does_not_say_it(studio: Studio) -> None:
    done = studio.keywright("learn", studio.url("looker"), password="wrong-secret")
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "refuses looker" in done.stderr
    assert "wrong-secret" not in done.stderr
