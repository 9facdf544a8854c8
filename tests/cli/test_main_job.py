"""The main job as a user does it: learn, suggest, apply, undo, on real photographs and through the real commands."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from demo.library import make_library
from PIL import Image

from cli.kit import Keywright
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change, read_keywords
from service.kit import running

TEMPLE = "2022/Beijing/CHIN_0008.jpg"


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Keywright, Path]:
    """A library that was learned; tests that write make a copy of both."""
    folder = tmp_path_factory.mktemp("learned")
    make_library(folder / "library")
    keywright = Keywright(folder / "home")
    assert keywright("learn", folder / "library").status == 0
    return keywright, folder / "library"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Photos with keywords and without, nothing learned."""
    make_library(tmp_path / "library")
    return tmp_path / "library"


def keywords(photo: Path) -> set[str]:
    return {str(path) for path in read_keywords(photo).keywords}


def digests(folder: Path) -> dict[str, str]:
    files = (f for f in folder.rglob("*") if f.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def pixels(photo: Path) -> bytes:
    with Image.open(photo) as opened:
        return np.asarray(opened).tobytes()


def test_photos_without_keywords_get_those_of_the_photos_they_resemble(learned: tuple[Keywright, Path]) -> None:
    keywright, folder = learned
    ran = keywright("suggest", folder, "--json", "--limit", "3")
    found = {str(Path(line["path"]).relative_to(folder)): line for line in ran.lines}
    temple = {s["keyword"] for s in found[TEMPLE]["suggestions"]}
    assert temple == {"Travel|China", "Architecture|Temple"}
    reasons = [b["path"] for s in found[TEMPLE]["suggestions"] for b in s["because"]]
    assert reasons
    assert all("CHIN_" in path for path in reasons)
    bare = [line for line in found.values() if not keywords(Path(line["path"]))]
    right = [line for line in bare if line["suggestions"]]
    assert len(right) >= 0.9 * len(bare)


def test_what_was_learned_on_the_command_line_is_not_shown_as_changed_since(learned: tuple[Keywright, Path]) -> None:
    keywright, folder = learned
    with running(keywright.home) as bridge:
        (known,) = bridge.client.catalogs()
        assert (known.source, bridge.client.catalog(known.id).changed) == (str(folder), False)


def test_a_photo_is_never_suggested_a_keyword_it_has(learned: tuple[Keywright, Path]) -> None:
    keywright, folder = learned
    for line in keywright("suggest", folder, "--json", "--limit", "0", "--min-confidence", "0").lines:
        had = keywords(Path(line["path"]))
        suggested = {s["keyword"] for s in line["suggestions"]}
        assert not suggested & (had | {k.split("|")[0] for k in had})


def test_with_no_limit_and_no_least_confidence_every_keyword_is_listed_parents_too(
    learned: tuple[Keywright, Path],
) -> None:
    keywright, folder = learned
    known = {k["path"] for k in keywright("keywords", "list", "--json").json}
    (line,) = keywright("suggest", folder / TEMPLE, "--json", "--limit", "0", "--min-confidence", "0").lines
    assert {s["keyword"] for s in line["suggestions"]} == known
    assert "Travel" in known


def test_a_single_photo_outside_any_catalog_gets_suggestions(learned: tuple[Keywright, Path], tmp_path: Path) -> None:
    keywright, folder = learned
    stray = tmp_path / "stray.jpg"
    shutil.copy(folder / TEMPLE, stray)
    (line,) = keywright("suggest", stray, "--json").lines
    assert "Travel|China" in {s["keyword"] for s in line["suggestions"]}


def test_a_second_learning_with_nothing_changed_embeds_and_trains_nothing(learned: tuple[Keywright, Path]) -> None:
    keywright, folder = learned
    again = keywright("learn", folder, "--json").json
    assert (again["embedding"]["embedded"], again["trained"], again["version"]) == (0, 0, 1)
    assert "Nothing changed" in keywright("learn", folder).out


def test_a_moved_photo_is_not_embedded_again_and_an_edited_one_is(library: Path, tmp_path: Path) -> None:
    keywright = Keywright(tmp_path / "home")
    keywright("learn", library)
    (library / TEMPLE).rename(library / "moved.jpg")
    assert keywright("learn", library, "--json").json["embedding"]["embedded"] == 0
    with Image.open(library / "moved.jpg") as opened:
        opened.rotate(90, expand=True).save(library / "moved.jpg")
    assert keywright("learn", library, "--json").json["embedding"]["embedded"] == 1


def test_a_dry_run_writes_nothing_apply_writes_it_and_undo_makes_every_file_what_it_was(
    library: Path, tmp_path: Path
) -> None:
    keywright = Keywright(tmp_path / "home")
    keywright("learn", library)
    before, looks = digests(library), pixels(library / TEMPLE)
    plan = keywright("apply", library, "--min-confidence", "0.5", "--dry-run", "--json").json
    assert digests(library) == before
    planned = {w["where"] for w in plan["writes"]}
    assert str(library / TEMPLE) in planned

    report = keywright("apply", library, "--min-confidence", "0.5", "--json").json
    assert {w["where"] for w in report["written"]} == planned
    assert keywords(library / TEMPLE) == {"Travel|China", "Architecture|Temple"}
    assert pixels(library / TEMPLE) == looks
    (batch,) = keywright("history", "--json").json
    assert batch["written"] == len(planned)

    assert keywright("undo", report["batch_id"]).status == 0
    assert digests(library) == before


def test_what_was_written_by_confidence_alone_does_not_teach(library: Path, tmp_path: Path) -> None:
    keywright = Keywright(tmp_path / "home")
    first = keywright("learn", library, "--json").json
    assert keywright("apply", library, "--min-confidence", "0.5").status == 0
    again = keywright("learn", library, "--json").json
    assert keywords(library / TEMPLE)
    assert (again["trained"], again["photos"]) == (0, first["photos"])


def test_a_keyword_that_was_undone_and_then_given_by_a_person_teaches(library: Path, tmp_path: Path) -> None:
    keywright = Keywright(tmp_path / "home")
    first = keywright("learn", library, "--json").json
    assert keywright("apply", library, "--min-confidence", "0.5").status == 0
    assert keywright("undo").status == 0
    add = frozenset({KeywordPath.parse("Travel|China")})
    change = plan_file_change(library / TEMPLE, add, frozenset(), SidecarProfile.PLAIN)
    (library / TEMPLE).write_bytes(change.after)
    assert keywright("learn", library, "--json").json["photos"] == first["photos"] + 1


def test_keywords_are_found_by_the_beginning_of_a_name_case_aside(learned: tuple[Keywright, Path]) -> None:
    keywright, _ = learned
    assert [k["path"] for k in keywright("keywords", "search", "cHi", "--json").json] == ["Travel|China"]


def test_an_evaluation_holds_photos_back_and_leaves_the_active_version_alone(learned: tuple[Keywright, Path]) -> None:
    keywright, folder = learned
    report = keywright("evaluate", folder, "--json").json
    assert 10 < report["photos"] < 60
    assert report["mean_average_precision"] > 0.9
    assert keywright("learn", folder, "--json").json["version"] == 1


def test_the_doctor_finds_everything_well(learned: tuple[Keywright, Path]) -> None:
    keywright, _ = learned
    ran = keywright("doctor", "--json")
    assert ran.status == 0
    assert all(check["well"] for check in ran.json)


def test_where_a_moved_catalogs_photos_lie_need_be_said_only_once(shared: Path, tmp_path: Path) -> None:
    real = shared / "catalogs" / "lightroom" / "real"
    keywright, catalog = Keywright(tmp_path / "home"), real / "thadd-328bdfb.lrcat"
    old = "/Users/thad/Google Drive/src/lightroom/testdata/test_photos"
    assert "--map OLD=NEW" in keywright.fails("learn", catalog)
    assert keywright("learn", catalog, "--map", f"{old}={real / 'photos'}").status == 0
    lines = keywright("suggest", catalog, "--json").lines
    assert len(lines) == 7
    assert [line["error"] for line in lines] == [None] * 7


def test_a_keyword_not_to_be_exported_is_written_into_no_file(shared: Path, tmp_path: Path) -> None:
    """A catalog in which one keyword and the parent of another are private, over photographs of the sample library."""
    make_library(tmp_path / "library")
    photos = sorted(p for p in (tmp_path / "library").rglob("*.jpg") if p.name.startswith(("CHIN", "CHEL", "COFF")))
    key, catalog = tmp_path / "key.csv", tmp_path / "mine.lrcat"
    named = {"CHIN": "Secret|Temple", "CHEL": "Pets", "COFF": "Food|Coffee"}
    lines = ["path,keywords,split"]
    for photo in photos:
        photo.write_bytes(photo.read_bytes().replace(b"http://ns.adobe.com/xap/1.0/", b"http://ns.adobe.com/xxx/1.0/"))
        split = "train" if photo.name[-5] < "8" else "test"
        lines.append(f"{photo.relative_to(tmp_path / 'library').as_posix()},{named[photo.name[:4]]},{split}")
    key.write_text("\n".join(lines), encoding="utf-8")
    make = [sys.executable, str(shared / "tools" / "make_lrcat.py"), str(catalog), str(tmp_path / "library"), str(key)]
    subprocess.run(make, check=True, capture_output=True)
    with closing(sqlite3.connect(catalog)) as made, made:
        made.execute("UPDATE AgLibraryKeyword SET includeOnExport = 1")
        made.execute("UPDATE AgLibraryKeyword SET includeOnExport = 0 WHERE name IN ('Pets', 'Secret')")
    keywright = Keywright(tmp_path / "home")
    assert keywright("learn", catalog).status == 0
    ran = keywright("apply", catalog, "--to-files", "--min-confidence", "0.3", "--json")
    assert ran.status == 0, ran.err
    written = {Path(w["where"]).name[:4]: Path(w["where"]) for w in ran.json["written"]}
    assert "CHEL" not in written
    assert "is private" in ran.err
    flat = {i for s in read_keywords(written["CHIN"]).sources if s.field == "dc:subject" for i in s.items}
    assert flat == {"Temple"}


def test_a_person_is_never_shown_a_hundred_percent(learned: tuple[Keywright, Path]) -> None:
    keywright, folder = learned
    shown = keywright("suggest", folder).out
    assert "%" in shown
    assert "100%" not in shown
