"""A folder of photos as a catalog: which files are photos, and the keywords they and their sidecars carry."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalogs.builders import JPEG, fingerprint, packet
from keywright.catalogs import CatalogReport, open_catalog
from keywright.catalogs.walking import walk


def put(path: Path, *keywords: str, data: bytes = JPEG) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    if keywords:
        path.with_suffix(path.suffix + ".xmp").write_bytes(packet(*keywords))
    return path


def read(folder: Path) -> dict[str, set[str]]:
    with open_catalog(str(folder)) as catalog:
        return {photo.host_id: {str(k) for k in photo.keywords} for photo in catalog.photos()}


def link(at: Path, to: Path) -> None:
    try:
        at.symlink_to(to, target_is_directory=to.is_dir())
    except OSError:
        pytest.skip("links are not allowed here")


def test_photos_in_all_folders_have_the_keywords_of_their_sidecars_which_are_no_photos_themselves(
    tmp_path: Path,
) -> None:
    put(tmp_path / "b.jpg", "Animals|Dog", "Night")
    put(tmp_path / "2024" / "Trip" / "a.JPG")
    put(tmp_path / "notes.txt")
    assert read(tmp_path) == {"b.jpg": {"Animals|Dog", "Night"}, "2024/Trip/a.JPG": set()}
    with open_catalog(str(tmp_path)) as catalog:
        assert [str(k.path) for k in catalog.keywords()] == ["Animals", "Animals|Dog", "Night"]
        assert [str(p.path.relative_to(tmp_path)) for p in catalog.photos()] == ["b.jpg", str(Path("2024/Trip/a.JPG"))]


def test_hidden_and_system_folders_trashes_and_program_bundles_are_passed_by(tmp_path: Path) -> None:
    put(tmp_path / "seen.jpg")
    passed_by = (".dtrash/files", "@eaDir", ".thumbnails", "Cat Previews.lrdata/0", "My.photoslibrary/originals",
                 "$RECYCLE.BIN", "#recycle", "lost+found", "__MACOSX")  # fmt: skip
    for folder in passed_by:
        put(tmp_path / folder / "x.jpg")
    put(tmp_path / "._seen.jpg")
    assert list(read(tmp_path)) == ["seen.jpg"]


def test_links_that_run_in_circles_or_lead_to_the_same_photos_give_each_photo_once(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    put(inside / "sub" / "a.jpg")
    put(outside / "b.jpg")
    link(inside / "sub" / "up", inside)
    link(inside / "same", inside / "sub")
    link(inside / "away", outside)
    link(inside / "again", outside)
    link(inside / "copy.jpg", inside / "sub" / "a.jpg")
    link(inside / "nowhere.jpg", inside / "gone.jpg")
    link(outside / "back", inside)
    with open_catalog(str(inside)) as catalog:
        assert [photo.host_id for photo in catalog.photos()] == ["again/b.jpg", "sub/a.jpg"]
        assert catalog.report.skipped == {"link to a photo in the same folder": 1}


def test_of_a_raw_and_jpeg_pair_both_are_photos_and_each_has_its_sidecar(tmp_path: Path) -> None:
    put(tmp_path / "IMG.JPG", "Of the JPEG")
    put(tmp_path / "IMG.NEF", "Of the raw")
    assert read(tmp_path) == {"IMG.JPG": {"Of the JPEG"}, "IMG.NEF": {"Of the raw"}}


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="file names are always text here")
def test_names_that_are_no_text_are_counted_and_named_in_one_line(tmp_path: Path) -> None:
    put(tmp_path / "fine.jpg")
    with open(os.fsencode(tmp_path) + b"/bad\xff.jpg", "wb") as file:  # noqa: PTH123
        file.write(JPEG)
    (tmp_path / os.fsdecode(b"folder\xfe")).mkdir()
    with open_catalog(str(tmp_path)) as catalog:
        assert [photo.host_id for photo in catalog.photos()] == ["fine.jpg"]
        assert catalog.report.skipped == {"file or folder whose name is not valid text": 2}
        (warning,) = catalog.report.warnings
    assert "bad\\xff.jpg" in warning
    warning.encode("utf-8")


def test_a_photo_that_cannot_be_opened_and_damaged_metadata_are_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", "Dog")
    put(tmp_path / "b.jpg")
    (tmp_path / "b.xmp").write_bytes(b"<x:xmpmeta this is no xml")
    assert read(tmp_path)["a.jpg"] == {"Dog"}
    with open_catalog(str(tmp_path)) as catalog:
        assert len(list(catalog.photos())) == 2
        assert catalog.report.skipped == {"photo with damaged metadata, read as far as possible": 1}
        assert "b.jpg" in catalog.report.warnings[0]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_that_may_not_be_read_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    put(tmp_path / "closed" / "b.jpg")
    (tmp_path / "closed").chmod(0)
    try:
        with open_catalog(str(tmp_path)) as catalog:
            assert [photo.host_id for photo in catalog.photos()] == ["a.jpg"]
            assert catalog.report.skipped == {"folder that cannot be read": 1}
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_the_order_is_that_of_names_whatever_the_file_system_gives(tmp_path: Path) -> None:
    names = ["z/a.jpg", "b/2.jpg", "b/10.jpg", "b/c/x.jpg", "a.jpg", "Z.jpg"]
    for name in names:
        put(tmp_path / name)
    assert list(read(tmp_path)) == ["Z.jpg", "a.jpg", "b/10.jpg", "b/2.jpg", "b/c/x.jpg", "z/a.jpg"]


def test_reading_a_folder_changes_nothing_in_it(tmp_path: Path) -> None:
    put(tmp_path / "sub" / "a.jpg", "Dog")
    before = fingerprint(tmp_path)
    with open_catalog(str(tmp_path)) as catalog:
        list(catalog.photos())
        catalog.keywords()
        catalog.change_token()
    assert fingerprint(tmp_path) == before


def test_the_change_token_tells_new_photos_and_changed_sidecars_and_nothing_else(tmp_path: Path) -> None:
    put(tmp_path / "a.jpg", "Dog")
    with open_catalog(str(tmp_path)) as catalog:
        tokens = [catalog.change_token()]
        put(tmp_path / "notes.txt")
        assert catalog.change_token() == tokens[0]
        put(tmp_path / "sub" / "b.jpg")
        tokens.append(catalog.change_token())
        (tmp_path / "a.jpg.xmp").write_bytes(packet("Dog", "Cat"))
        tokens.append(catalog.change_token())
        (tmp_path / "a.jpg.xmp").unlink()
        tokens.append(catalog.change_token())
    assert len(set(tokens)) == 4


def test_a_photo_is_found_with_the_names_around_it_that_begin_as_its_own(tmp_path: Path) -> None:
    for name in ("IMG.NEF", "IMG.JPG", "IMG.xmp", "IMG.NEF.xmp", "IMG2.JPG", "IMG2.xmp"):
        put(tmp_path / name)
    around = {found.relative: set(found.siblings) for found in walk(tmp_path, CatalogReport())}
    assert around == {
        "IMG.NEF": {"IMG.JPG", "IMG.xmp", "IMG.NEF.xmp"},
        "IMG.JPG": {"IMG.NEF", "IMG.xmp"},
        "IMG2.JPG": {"IMG2.xmp"},
    }


def test_a_keyworded_folder_of_real_photos_gives_exactly_what_was_written(shared: Path, tmp_path: Path) -> None:
    tool = shared / "tools/keyworded_folder.py"
    subprocess.run([sys.executable, tool, shared / "photos", tmp_path / "out", "--limit", "200"], check=True)
    with (tmp_path / "out" / "keywords.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    written = {
        row["path"]: {k for k in row["keywords"].split(";") if k} if row["split"] == "train" else set() for row in rows
    }
    assert read(tmp_path / "out") == written
