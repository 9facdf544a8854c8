"""What a user is told who names something that cannot be read: one sentence, what is wrong and what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from catalogs.builders import JPEG, Digikam, Lightroom, packet
from keywright.catalogs import CatalogError, CatalogKind, RootMapping, open_catalog


def refusal(source: Path | str) -> str:
    with pytest.raises(CatalogError) as caught:
        open_catalog(str(source))
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert ";" in sentence  # what is wrong; what to do
    return sentence


def test_the_kind_of_a_catalog_is_told_by_what_it_holds_not_by_its_name(tmp_path: Path) -> None:
    lightroom = Lightroom(tmp_path / "some.db").done()
    digikam = Digikam(tmp_path / "other.lrcat").done()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(JPEG)
    kinds = []
    for source in (lightroom, digikam, tmp_path / "photos"):
        with open_catalog(str(source)) as catalog:
            kinds.append(catalog.kind)
    assert kinds == [CatalogKind.LIGHTROOM, CatalogKind.DIGIKAM, CatalogKind.FOLDER]


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    assert "there is no catalog at" in refusal(tmp_path / "nothing.lrcat")
    assert "cannot be read" in refusal("a\x00b")


def test_an_empty_file_a_garbled_and_an_encrypted_one_are_told_from_catalogs(tmp_path: Path) -> None:
    path = tmp_path / "c.lrcat"
    path.write_bytes(b"")
    assert "is an empty file" in refusal(path)
    path.write_bytes(os.urandom(8192))
    assert "is not a SQLite database" in refusal(path)
    path.write_bytes(b"SQLite format 3\x00")
    refusal(path)
    path.write_bytes(b"SQLite format 3\x00" + os.urandom(8176))
    refusal(path)


def test_a_database_of_another_program_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "thumbnails-digikam.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE Thumbnails (id)")
    db.commit()
    db.close()
    assert "neither a Lightroom catalog nor digiKam's digikam4.db" in refusal(path)


def test_a_folder_named_like_a_catalog_points_to_the_catalog_inside(tmp_path: Path) -> None:
    folder = tmp_path / "x.lrcat"
    folder.mkdir()
    assert "is a folder, not a Lightroom catalog; name the .lrcat file itself" in refusal(folder)
    Lightroom(folder / "inside.lrcat").done()
    assert f"name {folder / 'inside.lrcat'}" in refusal(folder)


def test_an_empty_folder_says_so_and_one_with_only_a_catalog_points_to_it(tmp_path: Path) -> None:
    assert "there are no photos in" in refusal(tmp_path)
    path = Lightroom(tmp_path / "c.lrcat").done()
    assert f"name {path} to read that" in refusal(tmp_path)


def test_a_single_photo_is_no_catalog(tmp_path: Path) -> None:
    photo = tmp_path / "a.jpg"
    photo.write_bytes(JPEG)
    assert "is a photo, not a catalog" in refusal(photo)


def test_a_mapping_to_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = Lightroom(tmp_path / "c.lrcat").done()
    with pytest.raises(CatalogError, match=r"the folder .*nowhere to map /old to does not exist; name"):
        open_catalog(str(path), [RootMapping("/old", tmp_path / "nowhere")])


def test_a_catalog_without_keywords_is_opened_all_the_same(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    made.photo("a.jpg")
    with open_catalog(str(made.done())) as catalog:
        assert len(list(catalog.photos())) == 1
        assert catalog.keywords() == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser may read everything")
def test_a_catalog_and_a_folder_that_may_not_be_read_say_so(tmp_path: Path) -> None:
    path = Lightroom(tmp_path / "c.lrcat").done()
    path.chmod(0)
    assert "permission denied" in refusal(path)
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0)
    assert "permission denied" in refusal(folder)
    folder.chmod(0o700)


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("mysql://host/db", "names no user"),
        ("mysql://ann@host", "names no database"),
        ("mysql://ann@host:port/db", "cannot be understood"),
        ("mysql://ann:secret@127.0.0.1:1/db", "cannot be reached"),
    ],
)
def test_a_wrong_server_address_says_what_is_missing_and_never_the_password(url: str, part: str) -> None:
    pytest.importorskip("pymysql")
    sentence = refusal(url)
    assert part in sentence
    assert "secret" not in sentence


def test_identities_are_the_same_by_every_name_of_a_catalog_and_differ_between_catalogs(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "p.jpg").write_bytes(JPEG)
    (tmp_path / "a" / "p.xmp").write_bytes(packet("Dog"))
    one = Lightroom(tmp_path / "a" / "one.lrcat")
    one.insert("Adobe_variablesTable", name="Adobe_storeProviderID", value="F50828EC")
    one.done()
    two = Lightroom(tmp_path / "a" / "two.lrcat").done()
    dk = Digikam(tmp_path / "a" / "digikam4.db").done()
    sources = [tmp_path / "a" / "one.lrcat", two, dk, tmp_path / "a"]
    identities = []
    for source in sources:
        for name in (source, source.parent / "." / ".." / source.parent.name / source.name):
            with open_catalog(str(name)) as catalog:
                identities.append(catalog.identity)
    assert identities[::2] == identities[1::2]
    assert len(set(identities)) == 4
