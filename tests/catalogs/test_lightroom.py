"""What a Lightroom user finds in Keywright of what is in the catalog, and what not."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from catalogs.builders import JPEG, Lightroom
from keywright.catalogs import CatalogError, CatalogPhoto, RootMapping, open_catalog
from keywright.keywords import KeywordPath


def photos_of(path: Path, *mappings: RootMapping) -> list[CatalogPhoto]:
    with open_catalog(str(path), mappings) as catalog:
        return list(catalog.photos())


def keywords_of(path: Path) -> list[str]:
    with open_catalog(str(path)) as catalog:
        return [str(keyword.path) for keyword in catalog.keywords()]


def test_a_photo_has_its_keywords_with_the_path_through_the_tree(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    dog = made.keyword("Dog", made.keyword("Animals"))
    made.photo("a.jpg", [dog], captureTime="2013-12-01T22:39:09.42")
    (photo,) = photos_of(made.done())
    assert photo.keywords == {KeywordPath.of("Animals", "Dog")}
    assert photo.path == Path("/photos/2024/a.jpg")
    assert photo.taken == datetime(2013, 12, 1, 22, 39, 9, 420000)


def test_a_keyword_linked_twice_is_one_keyword(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    dog = made.keyword("Dog")
    made.photo("a.jpg", [dog, dog])
    (photo,) = photos_of(made.done())
    assert photo.keywords == {KeywordPath.of("Dog")}


def test_a_virtual_copy_has_keywords_of_its_own_and_the_file_of_its_master(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    dog, cat = made.keyword("Dog"), made.keyword("Cat")
    master = made.photo("a.jpg", [dog])
    file = made.db.execute("SELECT rootFile FROM Adobe_images").fetchone()[0]
    made.image(file, [cat], masterImage=master)
    original, copy = photos_of(made.done())
    assert (copy.copy_of, copy.path) == (original.host_id, original.path)
    assert original.copy_of is None
    assert (original.keywords, copy.keywords) == ({KeywordPath.of("Dog")}, {KeywordPath.of("Cat")})


def test_rejected_photos_and_videos_are_marked(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    made.photo("a.jpg", pick=-1.0)
    made.photo("b.jpg", pick=1.0)
    made.photo("c.mov", fileFormat="VIDEO")
    assert [(p.rejected, p.is_video) for p in photos_of(made.done())] == [(True, False), (False, False), (False, True)]


def test_people_are_left_out_of_keywords_and_photos_and_counted(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    people = made.keyword("People")
    teddy = made.keyword("Teddy", people, keywordType="person")
    made.photo("a.jpg", [teddy, people])
    with open_catalog(str(made.done())) as catalog:
        assert [str(k.path) for k in catalog.keywords()] == ["People"]
        (photo,) = catalog.photos()
        assert photo.keywords == {KeywordPath.of("People")}
        assert catalog.report.skipped == {"person keyword": 1}


def test_private_keywords_are_marked_and_synonyms_given(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    made.keyword("To print", includeOnExport=0)
    dog = made.keyword("Dog")
    for name in ("Canine", "Hound", "Canine"):
        made.insert("AgLibraryKeywordSynonym", keyword=dog, name=name)
    with open_catalog(str(made.done())) as catalog:
        found = {str(k.path): (k.private, k.synonyms) for k in catalog.keywords()}
    assert found == {"To print": (True, ()), "Dog": (False, ("Canine", "Hound"))}


def test_a_catalog_without_the_root_keyword_is_read_all_the_same(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat", root=False)
    made.keyword("Dog", made.keyword("Animals"))
    assert keywords_of(made.done()) == ["Animals", "Animals|Dog"]


def test_names_that_look_like_numbers_or_hold_separators_stay_as_they_are(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    for name in (1964, "1964-65", "a|b", "x/y", "Größe, groß", "Mu\u0308nchen"):
        made.keyword(name)
    with open_catalog(str(made.done())) as catalog:
        assert {k.path.name for k in catalog.keywords()} == {"1964", "1964-65", "a|b", "x/y", "Größe, groß", "München"}


def test_keywords_in_a_circle_or_without_a_name_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    one = made.keyword("One")
    two = made.keyword("Two", one)
    made.db.execute("UPDATE AgLibraryKeyword SET parent = ? WHERE id_local = ?", (two, one))
    made.keyword("  ")
    fine = made.keyword("Fine")
    made.photo("a.jpg", [one, fine])
    with open_catalog(str(made.done())) as catalog:
        (photo,) = catalog.photos()
        assert photo.keywords == {KeywordPath.of("Fine")}
        assert catalog.report.skipped == {
            "keyword that is not connected to the keyword tree": 2,
            "keyword without a usable name": 1,
        }


def test_moved_photos_are_found_by_mapping_the_windows_root_to_a_folder_here(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    made.photo("a.jpg", folder=made.folder("C:/Users/Ann/Pictures/", "2024/Trip/"))
    new = tmp_path / "now"
    new.mkdir()
    path = made.done()
    for old in ("C:/Users/Ann/Pictures", "c:\\users\\ann\\pictures\\", "C:/Users"):
        (photo,) = photos_of(path, RootMapping(old, new))
        assert photo.path in (new / "2024/Trip/a.jpg", new / "Ann/Pictures/2024/Trip/a.jpg")


def test_the_mapping_of_an_inner_folder_wins_over_that_of_its_root(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    made.photo("a.jpg", folder=made.folder("/old/", "2023/"))
    made.photo("b.jpg", folder=made.folder("/old/", "2024/"))
    made.photo("c.jpg", folder=made.folder("/older/", ""))
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    found = photos_of(made.done(), RootMapping("/old", one), RootMapping("/old/2024/", two))
    assert [p.path for p in found] == [one / "2023/a.jpg", two / "b.jpg", Path("/older/c.jpg")]


def test_missing_roots_are_counted_in_one_warning_and_useless_mappings_named(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    here = tmp_path / "here"
    here.mkdir()
    made.photo("a.jpg", folder=made.folder("/gone/", "x/"))
    made.photo("b.jpg", folder=made.folder("/gone/", "y/"))
    made.photo("c.jpg", folder=made.folder(f"{here.as_posix()}/", ""))
    with open_catalog(str(made.done()), [RootMapping("/elsewhere", here)]) as catalog:
        for _ in range(2):
            assert len(list(catalog.photos())) == 3
        missing, useless = catalog.report.warnings
    assert missing.startswith("2 photos are in /gone/, which is not on this machine")
    assert "/elsewhere" in useless


def test_photos_that_moved_together_with_their_catalog_are_found_without_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "Catalog").mkdir()
    (tmp_path / "Photos" / "2024").mkdir(parents=True)
    (tmp_path / "Photos" / "2024" / "a.jpg").write_bytes(JPEG)
    made = Lightroom(tmp_path / "Catalog" / "c.lrcat")
    made.photo("a.jpg", folder=made.folder("/Users/ann/Photos/", "2024/", beside="../Photos/"))
    (photo,) = photos_of(made.done())
    assert photo.path.read_bytes() == JPEG


def test_a_photo_whose_file_name_cannot_be_is_counted_not_yielded(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    made.photo("../../etc/passwd")
    made.photo("good.jpg")
    made.image(424242)
    made.db.execute("INSERT INTO AgLibraryFile VALUES (77, ?, CAST(x'62ff2e6a7067' AS TEXT))", (made.folder(),))
    made.image(77)
    with open_catalog(str(made.done())) as catalog:
        assert [p.path.name for p in catalog.photos()] == ["good.jpg"]
        assert catalog.report.skipped == {
            "photo without a file in the catalog": 1,
            "photo whose folder or file name is not valid": 2,
        }


@pytest.mark.parametrize(
    ("version", "known"), [("0600008", True), ("1300000", True), ("1504001", False), ("0300025", False)]
)
def test_an_unknown_version_whose_tables_fit_is_read_with_a_warning(tmp_path: Path, version: str, known: bool) -> None:
    made = Lightroom(tmp_path / "c.lrcat", version)
    made.keyword("Dog")
    with open_catalog(str(made.done())) as catalog:
        assert len(catalog.keywords()) == 1
        assert bool(catalog.report.warnings) is not known


def test_an_old_catalog_without_keyword_types_synonyms_and_export_flags_is_read(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat", "0300025")
    made.keyword("Dog")
    made.photo("a.jpg")
    made.db.execute("ALTER TABLE AgLibraryKeyword DROP COLUMN keywordType")
    made.db.execute("ALTER TABLE AgLibraryKeyword DROP COLUMN includeOnExport")
    made.db.execute("ALTER TABLE AgLibraryRootFolder DROP COLUMN relativePathFromCatalog")
    made.db.execute("DROP TABLE AgLibraryKeywordSynonym")
    path = made.done()
    assert keywords_of(path) == ["Dog"]
    assert len(photos_of(path)) == 1


def test_a_version_whose_tables_do_not_fit_is_refused_in_one_sentence(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat", "2000000")
    made.db.execute("ALTER TABLE AgLibraryKeywordImage RENAME COLUMN tag TO keyword")
    made.db.execute("DROP INDEX by_image")
    with pytest.raises(CatalogError, match=r"written by Lightroom 20, .*AgLibraryKeywordImage\.tag.*update Keywright"):
        open_catalog(str(made.done()))


def test_more_photos_than_are_read_at_once_all_come_once_and_in_order(tmp_path: Path) -> None:
    made = Lightroom(tmp_path / "c.lrcat")
    tags = [made.keyword(f"K{n}") for n in range(7)]
    for n in range(9001):
        made.photo(f"{n}.jpg", [tags[n % 7]])
    found = photos_of(made.done())
    assert [p.path.name for p in found] == [f"{n}.jpg" for n in range(9001)]
    assert all(p.keywords == {KeywordPath.of(f"K{n % 7}")} for n, p in enumerate(found))


@pytest.mark.parametrize("version", [6, 9, 11, 13])
def test_catalogs_in_the_real_schemas_give_exactly_what_was_put_in(shared: Path, tmp_path: Path, version: int) -> None:
    rows = list(csv.DictReader((shared / "photos/keywords.csv").open(encoding="utf-8", newline="")))[:400]
    few = tmp_path / "few.csv"
    with few.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    out = tmp_path / "made.lrcat"
    tool = shared / "tools/make_lrcat.py"
    subprocess.run([sys.executable, tool, out, shared / "photos", few, "--version", str(version)], check=True)
    with open_catalog(str(out)) as catalog:
        found = list(catalog.photos())
        keywords = {str(k.path): k for k in catalog.keywords()}
        assert catalog.report.warnings == []
        assert catalog.report.skipped == {"person keyword": 1}
    originals = [p for p in found if p.copy_of is None]
    assert len(originals) == 400
    assert len(found) - 400 == sum(n % 61 == 7 for n in range(400))
    assert sum(p.rejected for p in originals) == sum(n % 97 == 13 for n in range(400))
    for photo, row in zip(sorted(originals, key=lambda p: rows_index(rows, shared, p)), rows, strict=True):
        put_in = {k for k in row["keywords"].split(";") if k} if row["split"] == "train" else set()
        assert {str(k) for k in photo.keywords} == put_in
        assert photo.path.is_file()
    assert keywords["_Workflow|To print"].private
    assert "People" in keywords
    assert "People|Teddy Example" not in keywords


def rows_index(rows: list[dict[str, str]], shared: Path, photo: CatalogPhoto) -> int:
    relative = photo.path.relative_to((shared / "photos").resolve()).as_posix()
    return next(n for n, row in enumerate(rows) if row["path"] == relative)


def test_the_real_catalogs_of_lightroom_9_have_their_trees_photos_and_people(shared: Path) -> None:
    real = shared / "catalogs/lightroom/real"
    expected = {
        "thadd-31bcaed": (12, 7, 2),
        "thadd-328bdfb": (12, 7, 6),
        "thadd-73070cb": (11, 5, 0),
        "thadd-fe5d348": (13, 5, 2),
    }
    for name, (keywords, photos, people) in expected.items():
        mapping = RootMapping("/Users/thad/Google Drive/src/lightroom/testdata/test_photos", real / "photos")
        with open_catalog(str(real / f"{name}.lrcat"), [mapping]) as catalog:
            found = list(catalog.photos())
            assert (len(catalog.keywords()), len(found)) == (keywords, photos)
            assert catalog.report.skipped.get("person keyword", 0) == people
            assert catalog.report.warnings == []
            assert all(photo.path.is_file() for photo in found)
            paths = {str(keyword.path) for keyword in catalog.keywords()}
        assert {"Nobelpris|1961-1970|1964", "Nobelpris|Nobelpristagare|Fred"} <= paths
