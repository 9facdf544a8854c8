"""Bad input gives one sentence and exit status 1, and loses nothing."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from demo.library import make_library

from cli.kit import Keywright
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change


@pytest.fixture
def keywright(tmp_path: Path) -> Keywright:
    return Keywright(tmp_path / "home")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library")
    make_library(folder)
    return folder


def test_an_empty_folder(keywright: Keywright, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty" in keywright.fails("learn", tmp_path / "empty")


def test_a_source_that_is_not_there(keywright: Keywright, tmp_path: Path) -> None:
    assert str(tmp_path / "nowhere.lrcat") in keywright.fails("learn", tmp_path / "nowhere.lrcat")


def test_a_path_in_the_home_of_nobody_here_is_no_place(keywright: Keywright) -> None:
    assert "~nosuchuser" in keywright.fails("learn", "~nosuchuser/mine.lrcat")
    assert "nothing to undo" in keywright.fails("undo", "--photo", "~nosuchuser/photo.jpg")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00" + b"\xff" * 3000, b"no catalog at all"])
def test_a_catalog_that_is_zero_bytes_cut_off_or_something_else(
    keywright: Keywright, tmp_path: Path, content: bytes
) -> None:
    catalog = tmp_path / "mine.lrcat"
    catalog.write_bytes(content)
    assert "mine.lrcat" in keywright.fails("learn", catalog)
    assert catalog.read_bytes() == content


def test_a_database_of_another_program(keywright: Keywright, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE notes(text)")
    assert "neither a Lightroom catalog nor" in keywright.fails("learn", tmp_path / "other.db")


def test_photos_without_any_keywords(keywright: Keywright, library: Path) -> None:
    bare = next(library.rglob("CHIN_0009.jpg"))
    folder = library.parent / "bare"
    folder.mkdir(exist_ok=True)
    (folder / bare.name).write_bytes(bare.read_bytes())
    assert "nothing to learn" in keywright.fails("learn", folder)


def test_one_keyword_on_every_photo_is_learned_or_refused_in_one_sentence(
    keywright: Keywright, library: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    for photo in sorted(library.rglob("*_0001.jpg")):
        copy = folder / photo.name
        copy.write_bytes(photo.read_bytes())
        add = frozenset({KeywordPath.of("Everything")})
        copy.write_bytes(plan_file_change(copy, add, frozenset(), SidecarProfile.PLAIN).after)
    ran = keywright("learn", folder)
    assert ran.status in (0, 1)
    assert "Traceback" not in ran.err


def test_suggesting_before_anything_was_learned_says_what_to_do_first(keywright: Keywright, library: Path) -> None:
    assert "keywright learn" in keywright.fails("suggest", library)


def test_applying_when_nothing_was_accepted(keywright: Keywright, library: Path) -> None:
    keywright("learn", library)
    assert "Nothing has been accepted" in keywright.fails("apply", library)


def test_undo_when_nothing_was_written(keywright: Keywright) -> None:
    assert "nothing to undo" in keywright.fails("undo")


@pytest.mark.parametrize("mapping", ["nothing", "OLD=", "=NEW", "D:/Photos=/no/such/folder"])
def test_a_mapping_that_makes_no_sense(keywright: Keywright, library: Path, mapping: str) -> None:
    assert "--map" in keywright.fails("learn", library, "--map", mapping)


def test_a_damaged_photo_is_one_line_and_the_others_are_learned(
    keywright: Keywright, library: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for photo in (p for p in sorted(library.rglob("*.jpg")) if p.name.startswith(("CHIN", "CHEL"))):
        (folder / photo.name).write_bytes(photo.read_bytes())
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 broken")
    ran = keywright("learn", folder)
    assert ran.status == 0
    assert len([line for line in ran.err.splitlines() if "broken.jpg" in line]) == 1
    again = keywright("learn", folder)
    assert "broken.jpg" in again.err
    assert "Nothing changed" in again.out


def test_of_many_damaged_photos_ten_are_named_and_the_others_counted(
    keywright: Keywright, library: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for photo in (p for p in sorted(library.rglob("*.jpg")) if p.name.startswith(("CHIN", "CHEL"))):
        (folder / photo.name).write_bytes(photo.read_bytes())
    for number in range(12):
        (folder / f"broken {number}.jpg").write_bytes(b"\xff\xd8\xff\xe0 damaged")
    told = keywright("learn", folder).err.splitlines()
    named = [line for line in told if "broken" in line]
    assert len(named) == 10
    assert len([line for line in named if "it holds the same as another file" in line]) == 9
    assert "No picture: 2 more; --json names them all" in told


@pytest.mark.skipif(os.name == "nt", reason="such names exist on systems with byte names alone")
def test_a_file_name_no_encoding_knows_is_one_line_and_the_others_are_learned(
    keywright: Keywright, library: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for photo in (p for p in sorted(library.rglob("*.jpg")) if p.name.startswith(("CHIN", "CHEL"))):
        (folder / photo.name).write_bytes(photo.read_bytes())
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg"))
    odd.write_bytes((folder / "CHIN_0001.jpg").read_bytes())
    ran = keywright("learn", folder)
    assert ran.status == 0
    assert len([line for line in ran.err.splitlines() if "not valid text; rename it" in line]) == 1
    assert len(keywright("suggest", folder, "--json").lines) == 18
    assert odd.exists()


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert "KEYWRIGHT_HOME" in Keywright(tmp_path / "file" / "home").fails("history")


def test_a_wrong_option_is_a_usage_error(keywright: Keywright) -> None:
    assert keywright("apply", "x", "--accepted", "--min-confidence", "0.5").status == 2
