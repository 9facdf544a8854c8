"""Reading never changes a byte of a catalog nor of anything beside it, also while its owner has it open and writes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catalogs.builders import Digikam, Lightroom, fingerprint
from keywright.catalogs import CatalogError, open_catalog
from keywright.catalogs.snapshot import SqliteSnapshot, change_token, copy_at_rest

OWNER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    try:
        db.execute(line)
        print("done", flush=True)
    except Exception as error:
        print(error, flush=True)
"""


@contextmanager
def owner(path: Path) -> Iterator[Callable[[str], str]]:
    """Another process that has the catalog open, as Lightroom has; it runs the SQL it is given."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def run(sql: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(sql + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    try:
        yield run
    finally:
        process.stdin.close()
        process.wait(timeout=20)
        process.stdout.close()


def read(path: Path) -> tuple[list[str], list[str]]:
    with open_catalog(str(path)) as catalog:
        return [str(k.path) for k in catalog.keywords()], [p.path.name for p in catalog.photos()]


def catalog_in(folder: Path, wal: bool, photos: int = 1) -> Path:
    folder.mkdir(exist_ok=True)
    made = Lightroom(folder / "c.lrcat", wal=wal)
    made.keyword("Dog")
    for n in range(photos):
        made.photo(f"{n}.jpg")
    return made.done()


@pytest.mark.parametrize("wal", [False, True])
def test_a_catalog_at_rest_is_read_without_a_trace_and_without_a_copy(tmp_path: Path, wal: bool) -> None:
    path = catalog_in(tmp_path / "here", wal)
    before = fingerprint(tmp_path / "here")
    assert read(path) == (["Dog"], ["0.jpg"])
    assert fingerprint(tmp_path / "here") == before
    assert sorted(before) == ["c.lrcat"]


def test_what_an_open_lightroom_has_only_in_its_wal_is_seen_and_nothing_of_it_touched(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=True)
    with owner(path) as run:
        assert run("PRAGMA wal_autocheckpoint=0") == "done"
        assert run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('New', 1)") == "done"
        before = fingerprint(tmp_path / "here")
        assert sorted(before) == ["c.lrcat", "c.lrcat-shm", "c.lrcat-wal"]
        assert read(path) == (["Dog", "New"], ["0.jpg"])
        assert fingerprint(tmp_path / "here") == before
        assert run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('Later', 1)") == "done"
        assert read(path)[0] == ["Dog", "Later", "New"]


def test_an_unfinished_change_is_not_seen_and_does_not_make_the_reader_wait(tmp_path: Path) -> None:
    for wal in (True, False):
        path = catalog_in(tmp_path / f"wal {wal}", wal)
        with owner(path) as run:
            assert run("PRAGMA cache_size=1") == "done"
            assert run("BEGIN EXCLUSIVE") == "done"
            assert run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('Half', 1)") == "done"
            for n in range(60):  # more than the cache holds, so that unfinished pages are in the file itself
                assert (
                    run(f"INSERT INTO AgLibraryFile(folder, idx_filename) VALUES (1, hex(randomblob(900)) || {n})")
                    == "done"
                )
            before = fingerprint(path.parent)
            assert len(before) > 1
            assert read(path) == (["Dog"], ["0.jpg"])
            assert fingerprint(path.parent) == before
            assert run("COMMIT") == "done"
        assert read(path)[0] == ["Dog", "Half"]


def test_a_journal_left_by_a_crash_is_rolled_back_in_the_copy_only(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "live", wal=False)
    crashed = tmp_path / "crashed"
    with owner(path) as run:
        run("PRAGMA cache_size=1")
        run("BEGIN IMMEDIATE")
        run("UPDATE AgLibraryKeyword SET name = 'Broken' WHERE name = 'Dog'")
        for _ in range(60):
            run("INSERT INTO AgLibraryFile(folder, idx_filename) VALUES (1, hex(randomblob(900)))")
        shutil.copytree(path.parent, crashed)
        run("ROLLBACK")
    before = fingerprint(crashed)
    assert sorted(before) == ["c.lrcat", "c.lrcat-journal"]
    assert before["c.lrcat"] != fingerprint(path.parent)["c.lrcat"]
    assert read(crashed / "c.lrcat") == (["Dog"], ["0.jpg"])
    assert fingerprint(crashed) == before


def test_changes_made_while_the_photos_stream_by_never_mix_two_states(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=True, photos=9000)
    with open_catalog(str(path)) as catalog:
        stream = catalog.photos()
        first = [next(stream) for _ in range(4000)]
        with owner(path) as run:
            assert run("INSERT INTO AgLibraryKeyword(id_local, name, parent) VALUES (500, 'New', 1)") == "done"
            assert run("INSERT INTO AgLibraryKeywordImage(image, tag) SELECT id_local, 500 FROM Adobe_images") == "done"
            assert run("PRAGMA wal_checkpoint(TRUNCATE)") == "done"
            rest = list(stream)
    names = [photo.path.name for photo in first + rest]
    assert names == [f"{n}.jpg" for n in range(9000)]
    assert {len(photo.keywords) for photo in rest} == {1}
    assert {str(keyword) for photo in rest for keyword in photo.keywords} == {"New"}


def test_a_copy_torn_by_a_checkpoint_is_noticed_and_made_again(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=True)
    attempts = []
    with owner(path) as run:
        run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('One', 1)")

        def checkpoint_once() -> None:
            if not attempts:
                run("UPDATE AgLibraryKeyword SET name = 'Two' WHERE name = 'One'")
                run("PRAGMA wal_checkpoint(RESTART)")
                run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('Three', 1)")
            attempts.append(1)

        assert copy_at_rest(path, tmp_path / "copy.db", checkpoint_once)
    assert len(attempts) == 2
    copy = sqlite3.connect(tmp_path / "copy.db")
    names = [row[0] for row in copy.execute("SELECT name FROM AgLibraryKeyword WHERE name IS NOT NULL ORDER BY name")]
    assert names == ["Dog", "Three", "Two"]
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


def test_a_catalog_that_never_comes_to_rest_is_given_up_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = catalog_in(tmp_path / "here", wal=False)
    monkeypatch.setattr("keywright.catalogs.snapshot._PAUSE", 0)
    with owner(path) as run:
        assert not copy_at_rest(
            path, tmp_path / "copy.db", lambda: run("UPDATE AgLibraryFile SET folder = folder + 1") and None
        )


def test_the_private_copy_is_gone_when_the_catalog_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = catalog_in(tmp_path / "here", wal=True)
    with owner(path) as run:
        run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('New', 1)")
        with open_catalog(str(path)) as catalog:
            assert len(catalog.keywords()) == 2
            assert list(scratch.iterdir())
        assert list(scratch.iterdir()) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_catalog_in_a_folder_without_write_permission_is_read(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=True)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert read(path) == (["Dog"], ["0.jpg"])
    finally:
        path.parent.chmod(0o700)


def test_a_catalog_reached_by_a_link_is_read_with_the_wal_beside_the_real_file(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=True)
    link = tmp_path / "link.lrcat"
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("links are not allowed here")
    with owner(path) as run:
        run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('New', 1)")
        assert read(link)[0] == ["Dog", "New"]
        with open_catalog(str(link)) as one, open_catalog(str(path)) as other:
            assert one.identity == other.identity


@pytest.mark.parametrize("name", ["100% sure?.lrcat", "a#b c.lrcat", "Überseé 写真.lrcat"])
def test_a_catalog_with_an_awkward_name_is_read(tmp_path: Path, name: str) -> None:
    made = Lightroom(tmp_path / name)
    made.keyword("Dog")
    assert read(made.done())[0] == ["Dog"]


def test_the_change_token_tells_every_change_and_only_changes(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=True)
    with open_catalog(str(path)) as catalog:
        tokens = [catalog.change_token()]
        list(catalog.photos())
        assert catalog.change_token() == tokens[0]
        with owner(path) as run:
            for name in ("x", "y", "z"):
                run(f"INSERT INTO AgLibraryKeyword(name, parent) VALUES ('{name}', 1)")
                tokens.append(catalog.change_token())
    assert len(set(tokens)) == 4


def test_a_database_of_digikam_that_is_open_and_in_use_is_not_touched_either(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    made = Digikam(folder / "digikam4.db")
    made.db.execute("PRAGMA journal_mode=WAL")
    made.photo("a.jpg", [made.tag("Dog")])
    path = made.done()
    with owner(path) as run:
        run("INSERT INTO Tags(pid, name) VALUES (0, 'New')")
        before = fingerprint(folder)
        assert read(path) == (["Dog", "New"], ["a.jpg"])
        assert fingerprint(folder) == before


def test_the_real_catalogs_are_read_without_a_trace(shared: Path, tmp_path: Path) -> None:
    sources = [
        *(shared / "catalogs/lightroom/real").glob("*.lrcat"),
        *(shared / "catalogs/digikam").glob("*/digikam4.db"),
    ]
    assert len(sources) == 8
    for number, source in enumerate(sources):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copyfile(source, folder / source.name)
        before = fingerprint(folder)
        read(folder / source.name)
        change_token(folder / source.name, "catalog")
        assert fingerprint(folder) == before


def test_a_truncated_database_is_refused_and_one_damaged_inside_says_so(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=False, photos=3000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CatalogError, match=r"is cut short .* restore it from a backup"):
        read(path)
    path.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))
    with pytest.raises(CatalogError, match="damaged"):
        read(path)


def test_a_snapshot_counts_up_when_the_owner_came_in(tmp_path: Path) -> None:
    path = catalog_in(tmp_path / "here", wal=True)
    snapshot = SqliteSnapshot(path, "catalog")
    assert snapshot.rows("SELECT COUNT(*) FROM AgLibraryKeyword") == [(2,)]
    with owner(path) as run:
        run("INSERT INTO AgLibraryKeyword(name, parent) VALUES ('New', 1)")
        assert snapshot.rows("SELECT COUNT(*) FROM AgLibraryKeyword") == [(3,)]
        assert snapshot.generation == 1
    snapshot.close()
