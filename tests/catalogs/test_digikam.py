"""What a digiKam user finds in Keywright of what is in the database, and what not."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from catalogs.builders import Digikam
from keywright.catalogs import CatalogError, CatalogPhoto, RootMapping, open_catalog
from keywright.catalogs.digikam import DigikamCatalog, SqliteDatabase
from keywright.catalogs.volumes import Mounts
from keywright.keywords import KeywordPath

TREE = [
    *("Animals", "Animals|Mammals", "Animals|Mammals|Cat", "Ereignisse", "Ereignisse|Größe Début", "Food"),
    *("Food|Drinks", "Food|Drinks|Coffee", "Indoor", "Moon", "Night", "People", "People|Astronauts"),
    *("People|Astronauts|Eileen Collins", "People|Photographer", "Places", "Places|USA"),
    *("Places|USA|Cape Canaveral", "Places|USA|Houston", "Space", "Space|Galaxy", "Vehicles", "Vehicles|Motorcycle"),
    "Vehicles|Rocket",
]
ON_PHOTOS = {
    "2023/IMG_0001.JPG": {"People|Astronauts|Eileen Collins", "Places|USA|Houston"},
    "2023/Trips/IMG_0002.JPG": {"Animals|Mammals|Cat", "Indoor"},
    "2023/Trips/coffee.jpg": {"Food|Drinks|Coffee", "Indoor"},
    "2024 Überseé/rocket.jpg": {"Vehicles|Rocket", "Places|USA|Cape Canaveral", "Ereignisse|Größe Début"},
    "camera root.jpg": {"People|Photographer"},
    "2023/moto.jpg": {"Vehicles|Motorcycle", "Indoor"},
    "2024 Überseé/hubble.jpg": {"Space|Galaxy"},
    "2023/moon.jpg": {"Moon", "Night"},
    "Untagged/coins.jpg": set(),
    "Untagged/grass.jpg": set(),
}


def on_photos(photos: list[CatalogPhoto], root: Path) -> dict[str, set[str]]:
    return {photo.path.relative_to(root).as_posix(): {str(k) for k in photo.keywords} for photo in photos}


@pytest.mark.parametrize("version", ["7.9.0", "8.6.0", "9.1.0"])
def test_databases_made_by_the_real_digikam_give_its_tree_and_its_tags(
    shared: Path, tmp_path: Path, version: str
) -> None:
    source = shared / f"catalogs/digikam/sqlite-{version}/digikam4.db"
    with open_catalog(str(source), [RootMapping("/photos", tmp_path)]) as catalog:
        assert [str(keyword.path) for keyword in catalog.keywords()] == TREE
        photos = list(catalog.photos())
        assert on_photos(photos, tmp_path) == ON_PHOTOS
        assert catalog.report.skipped == {"digiKam's internal tag": 19, "person tag": 3}
        assert catalog.identity.startswith("digikam:")
        assert "{" not in catalog.identity


def read(path: Path, *mappings: RootMapping) -> list[CatalogPhoto]:
    with open_catalog(str(path), mappings) as catalog:
        return list(catalog.photos())


def test_people_internal_tags_and_digikams_own_recognition_are_left_out(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    internal = made.tag("_Digikam_Internal_Tags_")
    label = made.tag("Color Label Red", internal)
    people = made.tag("People")
    anna, unknown = made.tag("Anna", people, "person"), made.tag("Unknown", people, "person", "unknownPerson")
    auto = made.tag("auto")
    seen = made.tag("tabby cat", auto)
    mine = made.tag("Cat")
    made.photo("a.jpg", [label, people, anna, unknown, seen, mine])
    with open_catalog(str(made.done())) as catalog:
        assert [str(k.path) for k in catalog.keywords()] == ["Cat", "People"]
        (photo,) = catalog.photos()
        assert {str(k) for k in photo.keywords} == {"Cat", "People"}
        assert catalog.report.skipped == {
            "digiKam's internal tag": 2,
            "person tag": 2,
            "tag set by digiKam itself (auto)": 2,
        }


def test_a_german_photographers_own_tag_auto_is_a_keyword(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    vehicles = made.tag("Fahrzeuge")
    tags = [made.tag("auto"), made.tag("auto", vehicles), made.tag("rot", made.tag("Auto"))]
    made.photo("a.jpg", tags)
    (photo,) = read(made.done())
    assert {str(k) for k in photo.keywords} == {"auto", "Fahrzeuge|auto", "Auto|rot"}


def test_photos_in_the_trash_obsolete_ones_and_sounds_are_counted_hidden_ones_and_videos_kept(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    made.photo("visible.jpg")
    made.photo("hidden.jpg", status=2)
    made.photo("trashed.jpg", status=3, album=None)
    made.photo("obsolete.jpg", status=4)
    made.photo("film.mp4", category=2)
    made.photo("sound.mp3", category=3)
    with open_catalog(str(made.done())) as catalog:
        found = [(photo.path.name, photo.is_video) for photo in catalog.photos()]
        assert found == [("visible.jpg", False), ("hidden.jpg", False), ("film.mp4", True)]
        list(catalog.photos())
        assert catalog.report.skipped == {"photo in the trash": 1, "obsolete photo": 1, "audio or other file": 1}


def test_a_photo_with_the_pick_label_rejected_is_rejected(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    internal = made.tag("_Digikam_Internal_Tags_")
    rejected, accepted = made.tag("Pick Label Rejected", internal), made.tag("Pick Label Accepted", internal)
    made.photo("no.jpg", [rejected])
    made.photo("yes.jpg", [accepted])
    own = made.tag("Pick Label Rejected")
    made.photo("own.jpg", [own])
    assert [photo.rejected for photo in read(made.done())] == [True, False, False]


def test_the_time_a_photo_was_taken_is_given_and_half_a_time_is_none(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    for n, text in enumerate(["2012-09-17T15:53:45.000", None, "no date"], 1):
        made.photo(f"{n}.jpg")
        made.run("INSERT INTO ImageInformation VALUES (?, ?)", n, text)
    made.photo("without a row.jpg")
    assert [photo.taken for photo in read(made.done())] == [datetime(2012, 9, 17, 15, 53, 45), None, None, None]


MOUNTS = Mounts(
    {"/dev/sda1": "/media/disk", "/dev/sdb1": "/media/stick"}, {"12-ab": "/dev/sda1"}, {"My Stick": "/dev/sdb1"}
)


@pytest.mark.parametrize(
    ("identifier", "specific", "expected"),
    [
        ("volumeid:?path=/home/ann/My%20Photos", "/", "/home/ann/My Photos/2024/a.jpg"),
        ("volumeid:?path=/home/ann&fileuuid=aab1bac8-5dc0", "/", "/home/ann/2024/a.jpg"),
        ("volumeid:?path=/home/100%25%20Größe/a%26b", "/", "/home/100% Größe/a&b/2024/a.jpg"),
        ("volumeid:?uuid=12-AB", "/Pictures", "/media/disk/Pictures/2024/a.jpg"),
        ("volumeid:?uuid=12-ab&fileuuid=x", "/", "/media/disk/2024/a.jpg"),
        ("volumeid:?label=My%20Stick", "/DCIM", "/media/stick/DCIM/2024/a.jpg"),
        ("volumeid:?mountpath=/mnt/raid/", "/Photos", "/mnt/raid/Photos/2024/a.jpg"),
        ("networkshareid:?mountpath=/mnt/nas&mountpath=/Volumes/nas", "/", "/mnt/nas/2024/a.jpg"),
    ],
)
def test_every_kind_of_album_root_leads_to_its_folder(
    tmp_path: Path, identifier: str, specific: str, expected: str
) -> None:
    made = Digikam(tmp_path / "digikam4.db", identifier=identifier, specific=specific)
    made.photo("a.jpg")
    path = made.done()
    with DigikamCatalog(str(path), SqliteDatabase(path), (), MOUNTS) as catalog:
        (photo,) = catalog.photos()
    assert photo.path == Path(expected)


def test_of_several_mount_points_of_a_share_the_one_that_is_there_is_taken(tmp_path: Path) -> None:
    there = tmp_path / "nas"
    there.mkdir()
    made = Digikam(
        tmp_path / "digikam4.db", identifier=f"networkshareid:?mountpath=/not/here&mountpath={there.as_posix()}"
    )
    made.photo("a.jpg")
    (photo,) = read(made.done())
    assert photo.path == there / "2024/a.jpg"


@pytest.mark.parametrize("old", ["Photos", "volumeid:?uuid=unknown"])
def test_a_root_on_an_unknown_disk_is_mapped_by_its_label_or_its_identifier(tmp_path: Path, old: str) -> None:
    made = Digikam(tmp_path / "digikam4.db", identifier="volumeid:?uuid=unknown", specific="/Pictures")
    made.photo("a.jpg")
    new = tmp_path / "new"
    new.mkdir()
    path = made.done()
    with open_catalog(str(path)) as catalog:
        list(catalog.photos())
        (warning,) = catalog.report.warnings
        assert warning.startswith("1 photo is in Photos, which is not on this machine")
    with open_catalog(str(path), [RootMapping(old, new)]) as catalog:
        (photo,) = catalog.photos()
        assert photo.path == new / "2024/a.jpg"
        assert catalog.report.warnings == []


def test_an_album_can_be_mapped_apart_from_its_root(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    made.run("INSERT INTO Albums VALUES (2, 1, '/2023'), (3, 1, '/')")
    for album in (1, 2, 3):
        made.photo("a.jpg", album=album)
    path = made.done()
    found = read(path, RootMapping("/photos/2023", tmp_path))
    assert [photo.path for photo in found] == [Path("/photos/2024/a.jpg"), tmp_path / "a.jpg", Path("/photos/a.jpg")]


def test_two_spellings_of_one_name_are_one_keyword_and_names_keep_their_characters(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    one, other = made.tag("München"), made.tag("Mu\u0308nchen")
    odd = [made.tag(name) for name in ("a|b", "1964", "~x", "dog, cat", "🐕", "auto ")]
    made.photo("a.jpg", [one, other, *odd])
    with open_catalog(str(made.done())) as catalog:
        (photo,) = catalog.photos()
        names = {keyword.name for keyword in photo.keywords}
        assert names == {"München", "a|b", "1964", "~x", "dog, cat", "🐕", "auto"}
        assert {k.path for k in catalog.keywords()} == photo.keywords


def test_tags_whose_parent_is_gone_are_counted(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db")
    lost, fine = made.tag("Lost", 4242), made.tag("Fine")
    made.photo("a.jpg", [lost, fine, 777])
    with open_catalog(str(made.done())) as catalog:
        (photo,) = catalog.photos()
        assert photo.keywords == {KeywordPath.of("Fine")}
        assert catalog.report.skipped == {"keyword that is not connected to the keyword tree": 1}


@pytest.mark.parametrize("version", ["14", "18", "nonsense"])
def test_a_version_never_tried_is_read_with_a_warning_while_its_tables_fit(tmp_path: Path, version: str) -> None:
    made = Digikam(tmp_path / "digikam4.db", version)
    made.tag("Dog")
    with open_catalog(str(made.done())) as catalog:
        assert len(catalog.keywords()) == 1
        assert len(catalog.report.warnings) == 1


def test_a_version_whose_tables_do_not_fit_is_refused_in_one_sentence(tmp_path: Path) -> None:
    made = Digikam(tmp_path / "digikam4.db", "99")
    made.run("ALTER TABLE ImageTags RENAME COLUMN tagid TO tag")
    with pytest.raises(CatalogError, match=r"digiKam's version 99, .*ImageTags\.tagid"):
        open_catalog(str(made.done()))
