"""Tags written into databases that the real digiKam made: what is there afterwards, and what undo takes out."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from digikam.kit import COFFEE, SEA, TEA, Library, adding, tree_as_triggers_give
from keywright.keywords import KeywordPath
from keywright.writeback import PhotoDecisions
from keywright.writeback.digikam_host import HostState

MOON = Path("/photos/moon.jpg")
GRASS = Path("/photos/grass.jpg")
COINS = Path("/photos/coins.jpg")
CUP = Path("/photos/coffee.jpg")


def test_a_tag_that_digikam_has_is_linked_and_a_new_one_is_made_along_its_path(library: Library) -> None:
    tags_before = len(library.sql("SELECT * FROM Tags"))
    report = library.apply(adding(GRASS, COFFEE, TEA), adding(COINS, SEA))
    assert not report.refused
    assert library.tags_of(GRASS) == {"Food|Drinks|Coffee", "Food|Drinks|Tea"}
    assert library.tags_of(COINS) == {"Nature|Water|Sea"}
    assert len(library.sql("SELECT * FROM Tags")) == tags_before + 4, "Tea; Nature, Water and Sea"
    tree = {(int(str(a)), int(str(b))) for a, b in library.sql("SELECT id, pid FROM TagsTree")}
    assert tree == tree_as_triggers_give(library.sql("SELECT id, pid FROM Tags"))
    assert library.sql("PRAGMA integrity_check") == [("ok",)]


def test_undo_gives_back_every_row(library: Library) -> None:
    before = library.everything()
    library.apply(adding(GRASS, COFFEE, TEA, SEA), adding(COINS, SEA), adding(CUP, SEA))
    assert library.everything() != before
    library.undo()
    assert library.everything() == before


def test_undo_of_one_photo_keeps_the_new_tag_while_another_photo_has_it(library: Library) -> None:
    before = library.everything()
    batch = library.apply(adding(GRASS, SEA), adding(COINS, SEA)).batch_id
    library.undo(batch, [GRASS])
    assert library.tags_of(GRASS) == set()
    assert library.tags_of(COINS) == {"Nature|Water|Sea"}
    library.undo(batch)
    assert library.everything() == before


def test_batches_undone_in_the_wrong_order_leave_neither_tags_nor_links(library: Library) -> None:
    before = library.everything()
    wrote = library.apply(adding(GRASS, SEA)).batch_id
    took = library.apply(PhotoDecisions(GRASS, (), (SEA,))).batch_id
    library.undo(wrote)
    again = library.apply(adding(GRASS, SEA)).batch_id
    library.undo(took)
    assert library.tags_of(GRASS) == {"Nature|Water|Sea"}
    library.undo(again)
    assert library.everything() == before


def test_undo_keeps_a_tag_that_the_person_uses_since(library: Library) -> None:
    library.apply(adding(GRASS, SEA))
    (sea,) = library.sql("SELECT id FROM Tags WHERE name = 'Sea'")[0]
    library.sql("INSERT INTO ImageTags VALUES (?, ?)", (library.images()[MOON], sea))
    library.undo()
    assert library.tags_of(GRASS) == set()
    assert "Nature|Water|Sea" in library.tags_of(MOON)


def test_undo_does_not_take_out_a_tag_the_photo_had_before(library: Library) -> None:
    had = library.tags_of(CUP)
    report = library.apply(adding(CUP, COFFEE))
    assert report.batch_id is None
    library.apply(adding(CUP, COFFEE, TEA))
    library.undo()
    assert library.tags_of(CUP) == had


def test_another_tag_that_got_the_number_of_ours_is_not_taken_off(library: Library) -> None:
    library.apply(adding(GRASS, KeywordPath.of("Sea")))
    (sea,) = library.sql("SELECT id FROM Tags WHERE name = 'Sea'")[0]
    library.sql("DELETE FROM Tags WHERE id = ?", (sea,))
    library.sql("INSERT INTO Tags (id, pid, name) VALUES (?, 0, 'Mine')", (sea,))
    library.sql("INSERT INTO ImageTags VALUES (?, ?)", (library.images()[GRASS], sea))
    library.undo()
    assert library.tags_of(GRASS) == {"Mine"}


def test_names_that_differ_in_case_are_two_tags_and_composed_letters_are_one(library: Library) -> None:
    library.sql("INSERT INTO Tags (pid, name) VALUES (0, 'Zu\u0308rich')")
    tags = len(library.sql("SELECT * FROM Tags"))
    library.apply(adding(GRASS, KeywordPath.of("Z\u00fcrich"), KeywordPath.of("food")))
    assert len(library.sql("SELECT * FROM Tags")) == tags + 1
    assert library.tags_of(GRASS) == {"Zu\u0308rich", "food"}


def test_people_and_digikams_own_tags_are_refused(library: Library) -> None:
    (face,) = library.sql("SELECT t.name FROM Tags t JOIN TagProperties p ON p.tagid = t.id AND p.property = 'person'")[
        0
    ]
    (top,) = library.sql("SELECT name FROM Tags WHERE id = (SELECT pid FROM Tags WHERE name = ?)", (face,))[0]
    before = library.everything()
    report = library.apply(
        adding(GRASS, KeywordPath.of(str(top), str(face))),
        adding(COINS, KeywordPath.of("_Digikam_Internal_Tags_", "x")),
    )
    assert "person in digiKam" in str(report.refused[0])
    assert "digiKam's own" in str(report.refused[1])
    assert library.everything() == before


def test_a_removed_keyword_comes_back_with_undo(library: Library) -> None:
    before = library.everything()
    library.apply(PhotoDecisions(CUP, remove=(COFFEE,)))
    assert "Food|Drinks|Coffee" not in library.tags_of(CUP)
    library.undo()
    assert library.everything() == before


def test_the_backup_is_the_database_before_the_batch(library: Library) -> None:
    before = library.everything()
    library.apply(adding(GRASS, SEA))
    (backup,) = library.backups.iterdir()
    library.database.write_bytes(backup.read_bytes())
    assert library.everything() == before


def test_a_database_of_a_future_version_is_not_touched(library: Library) -> None:
    library.sql("UPDATE Settings SET value = '18' WHERE keyword = 'DBVersion'")
    content = library.database.read_bytes()
    report = library.apply(adding(GRASS, SEA), adding(COINS, SEA))
    assert [r.reason for r in report.refused] == [
        f"the database {library.database} has digiKam's version 18, which this Keywright does not know, so tags go into"
        " the files only; choose Item > Reread Metadata From File in digiKam to see them"
    ]
    assert library.database.read_bytes() == content
    assert not library.backups.exists()


def test_a_locked_database_is_one_sentence_and_a_later_apply_writes_it(library: Library) -> None:
    from keywright.writeback import apply
    from keywright.writeback.digikam import DigikamTarget
    from keywright.writeback.digikam_databases import open_session

    impatient = DigikamTarget(
        library.places(), library.backups, host=library.host, connect=lambda source: open_session(source, 0.05)
    )
    with closing(sqlite3.connect(library.database, isolation_level=None)) as owner, impatient as target:
        owner.execute("BEGIN IMMEDIATE")
        report = apply([adding(GRASS, SEA), adding(COINS, SEA)], library.journal, {target.kind: target})
        owner.execute("ROLLBACK")
    assert report.stopped == (
        f"the database {library.database} is locked by another program; wait until digiKam is idle, then apply again"
    )
    assert report.not_reached == 2
    assert library.apply(adding(GRASS, SEA)).written


def test_a_running_digikam_is_told_of_new_tags_and_links_and_of_their_end(library: Library) -> None:
    library.host.now = HostState.LISTENING
    library.apply(adding(GRASS, COFFEE, SEA))
    (told,) = library.host.told
    assert len(told.new_tags) == 3
    assert all(photos == [library.images()[GRASS]] for photos in told.linked.values())
    assert len(told.linked) == 2
    library.undo()
    assert library.host.told[1].gone_tags == told.new_tags[::-1]
    assert library.host.told[1].unlinked == told.linked


def test_a_digikam_that_cannot_be_told_reads_the_files_itself(library: Library) -> None:
    library.host.now = HostState.DEAF
    before = library.everything()
    report = library.apply(adding(GRASS, SEA))
    assert "cannot be told" in report.warnings[0]
    after = library.everything()
    assert after["Tags"] == before["Tags"]
    assert after["ImageTags"] == before["ImageTags"]
    assert library.sql("SELECT name FROM Images WHERE modificationDate IS NULL") == [("grass.jpg",)]


def test_what_a_deaf_digikam_read_from_the_files_is_taken_out_when_it_is_closed(library: Library) -> None:
    library.host.now = HostState.DEAF
    library.apply(adding(GRASS, COFFEE))
    (coffee,) = library.sql("SELECT id FROM Tags WHERE name = 'Coffee'")[0]
    library.sql("INSERT INTO ImageTags VALUES (?, ?)", (library.images()[GRASS], coffee))
    assert "close it and undo again" in str(library.undo().refused[0])
    library.host.now = HostState.CLOSED
    library.undo()
    assert library.tags_of(GRASS) == set()


def test_a_photo_that_is_another_one_by_now_is_left_alone(library: Library) -> None:
    places = library.places()
    library.sql("UPDATE Images SET name = 'other.jpg' WHERE name = 'grass.jpg'")
    from keywright.writeback import apply
    from keywright.writeback.digikam import DigikamTarget

    with DigikamTarget(places, library.backups, host=library.host) as target:
        report = apply([adding(GRASS, SEA)], library.journal, {target.kind: target})
    assert "run learn again" in report.refused[0].reason


def test_a_photo_written_in_its_file_and_in_the_database_is_one_photo(library: Library, tmp_path: Path) -> None:
    from keywright.writeback import FileTarget, apply, history
    from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
    from writeback.kit import jpeg, keywords

    photo = jpeg(tmp_path / "grass.jpg")
    places = {photo: (DatabasePhoto(str(library.database), library.images()[GRASS]),)}
    files = FileTarget()
    with DigikamTarget(places, library.backups, host=library.host) as rows:
        report = apply([adding(photo, SEA)], library.journal, {files.kind: files, rows.kind: rows})
    assert str(report) == "1 photo written in 1 file and in digiKam's database."
    assert history(library.journal)[0].written == 1
    assert keywords(photo) == library.tags_of(GRASS) == {"Nature|Water|Sea"}


def test_with_writing_set_to_both_the_photo_its_sidecar_and_the_database_have_it_and_it_is_one_photo(
    library: Library, tmp_path: Path
) -> None:
    from keywright.metadata import read_keywords
    from keywright.writeback import FileSettings, FileTarget, apply, history, plan, undo
    from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
    from keywright.writeback.digikam_settings import BOTH, MetadataSettings
    from writeback.kit import jpeg, keywords

    photo, sidecar = jpeg(tmp_path / "grass.jpg"), tmp_path / "grass.jpg.xmp"
    before, rows_before = photo.read_bytes(), library.everything()
    places = {photo: (DatabasePhoto(str(library.database), library.images()[GRASS]),)}
    files = FileTarget(FileSettings(own=MetadataSettings(mode=BOTH).profiles))
    with DigikamTarget(places, library.backups, host=library.host) as rows:
        targets = {files.kind: files, rows.kind: rows}
        planned = plan([adding(photo, SEA)], targets)
        assert (planned.count_photos(), planned.count_files(), planned.count_unchanged()) == (1, 2, 0)
        report = apply([adding(photo, SEA)], library.journal, targets)
        assert str(report) == "1 photo written in 2 files and in digiKam's database."
        assert history(library.journal)[0].written == 1
        assert keywords(photo) == {"Nature|Water|Sea"} == library.tags_of(GRASS)
        sidecar_alone = sidecar.rename(tmp_path / "alone.xmp")
        photo_alone = photo.rename(tmp_path / "alone.jpg")
        assert {str(k) for k in read_keywords(photo_alone).keywords} == {"Nature|Water|Sea"}
        assert b"Nature/Water/Sea" in sidecar_alone.read_bytes()
        sidecar_alone.rename(sidecar)
        photo_alone.rename(photo)
        assert plan([adding(photo, SEA)], targets).count_unchanged() == 1
        undone = undo(None, library.journal, targets)
    assert str(undone) == "1 photo set back in 2 files and in digiKam's database."
    assert photo.read_bytes() == before
    assert not sidecar.exists()
    assert library.everything() == rows_before
