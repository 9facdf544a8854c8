"""What a photographer sees of a batch: the dry run, the files afterwards, undo, and the history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change
from keywright.store.journal import BatchKind, BatchState, EntryState, write_entries
from keywright.writeback import (
    AcceptedKeyword,
    BusyError,
    FileSettings,
    Journal,
    PhotoDecisions,
    WriteBackError,
    apply,
    batch_files,
    batch_summary,
    history,
    plan,
    recover,
    undo,
)
from keywright.writeback import before as before_images
from keywright.writeback.siblings import as_spelled
from writeback.kit import CAT, DOG, OTHER_PROGRAM, SEA, accept, contents, jpeg, keywords, library, raw, targets


def another_program_adds(photo: Path, *paths: KeywordPath) -> None:
    change = plan_file_change(photo, paths)
    change.target.write_bytes(change.after)


def test_a_dry_run_touches_nothing_and_says_what_would_be_written(folder: Path) -> None:
    photos = library(folder, 3)
    before = contents(folder)
    shown = plan(accept([*photos, folder / "gone.jpg"], DOG, SEA), targets())
    assert contents(folder) == before
    assert [Path(write.where).name for write in shown.writes] == ["IMG_0000.jpg", "IMG_0001.xmp", "IMG_0002.xmp"]
    assert [write.creates for write in shown.writes] == [False, True, False]
    assert [[k.path for k in write.add] for write in shown.writes] == [[DOG, SEA], [DOG, SEA], [DOG]]
    assert shown.writes[0].add[0].confidence == 0.9
    assert shown.writes[2].already_there == (SEA,)
    assert [str(line) for line in shown.refused] == [f"{folder / 'gone.jpg'}: the photo is not there"]


def test_applied_keywords_are_in_the_files_and_undo_leaves_every_byte_as_it_was(folder: Path, journal: Journal) -> None:
    photos = library(folder, 9)
    before = contents(folder)
    report = apply(accept(photos), journal, targets())
    assert (len(report.written), report.refused, report.stopped) == (9, [], "")
    assert all("Animals|Dog" in keywords(photo) for photo in photos)
    assert not [name for name in contents(folder) if name.endswith(".tmp")]
    taken = undo(report.batch_id, journal, targets())
    assert str(taken) == "9 photos set back in 9 files."
    assert (len(taken.written), taken.refused) == (9, [])
    assert contents(folder) == before


def test_pixels_are_the_same_after_writing(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg", 4)
    with Image.open(photo) as image:
        before = np.asarray(image)
    apply(accept([photo]), journal, targets())
    with Image.open(photo) as image:
        assert np.array_equal(np.asarray(image), before)


def test_undo_takes_only_our_keywords_from_files_the_person_has_changed_since(folder: Path, journal: Journal) -> None:
    photos = library(folder, 3)
    apply(accept(photos), journal, targets())
    for photo in photos:
        another_program_adds(photo, CAT)
    report = undo(None, journal, targets())
    assert (len(report.written), report.refused) == (3, [])
    assert [keywords(photo) for photo in photos] == [{"Animals|Cat"}, {"Animals|Cat"}, {"Animals|Cat", "Sea"}]


def test_a_sidecar_we_made_goes_with_undo_unless_somebody_else_uses_it(folder: Path, journal: Journal) -> None:
    photos = [raw(folder / "a.nef"), raw(folder / "b.nef")]
    apply(accept(photos), journal, targets())
    another_program_adds(photos[1], CAT)
    undo(None, journal, targets())
    assert sorted(contents(folder)) == ["a.nef", "b.nef", "b.xmp"]
    assert keywords(photos[1]) == {"Animals|Cat"}


@pytest.mark.parametrize("spoil", ["too large to keep", "damaged"])
def test_undo_takes_the_keywords_out_also_where_the_journal_has_not_the_old_bytes(
    folder: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    photo = jpeg(folder / "a.jpg")
    with Image.open(photo) as image:
        pixels = np.asarray(image)
    if spoil == "too large to keep":
        monkeypatch.setattr(before_images, "LARGEST_DELTA", -1)
    batch = apply(accept([photo]), journal, targets()).batch_id
    if spoil == "damaged":
        with journal.write() as connection:
            connection.execute(update(write_entries).values(before=b"rotten"))
    assert len(undo(batch, journal, targets()).written) == 1
    assert keywords(photo) == set()
    with Image.open(photo) as image:
        assert np.array_equal(np.asarray(image), pixels)


def test_a_file_that_is_gone_is_nothing_to_undo(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    batch = apply(accept([photo]), journal, targets()).batch_id
    photo.unlink()
    report = undo(batch, journal, targets())
    assert (report.written, report.refused, report.unchanged) == ([], [], [(photo,)])
    assert history(journal)[0].undone == 1


def test_files_on_a_drive_that_is_away_can_be_undone_when_it_is_back(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    before = contents(folder)
    batch = apply(accept([photo]), journal, targets()).batch_id
    folder.rename(folder.with_name("away"))
    report = undo(batch, journal, targets())
    assert [str(line) for line in report.refused] == [
        f"{photo}: its folder cannot be reached; undo again when it is there"
    ]
    folder.with_name("away").rename(folder)
    assert len(undo(batch, journal, targets()).written) == 1
    assert contents(folder) == before


def test_a_photo_and_its_virtual_copy_are_one_write(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    before = contents(folder)
    both = [PhotoDecisions(photo, (AcceptedKeyword(DOG, 0.6),)), PhotoDecisions(photo, (AcceptedKeyword(SEA, 0.8),))]
    assert [k.confidence for k in plan(both, targets()).writes[0].add] == [0.6, 0.8]
    report = apply(both, journal, targets())
    assert [written.photos for written in report.written] == [(photo, photo)]
    assert str(report) == "2 photos written in 1 file."
    assert keywords(photo) == {"Animals|Dog", "Sea"}
    undo(None, journal, targets())
    assert contents(folder) == before


def test_photos_that_share_a_sidecar_are_one_write(folder: Path, journal: Journal) -> None:
    photos = [raw(folder / "a.nef", 1), raw(folder / "a.cr2", 2)]
    (folder / "a.xmp").write_bytes(OTHER_PROGRAM)
    before = contents(folder)
    report = apply([*accept(photos[:1], DOG), *accept(photos[1:], CAT)], journal, targets())
    assert [(Path(w.where).name, w.photos) for w in report.written] == [("a.xmp", tuple(photos))]
    assert keywords(photos[0]) >= {"Animals|Dog", "Animals|Cat"}
    undo(None, journal, targets())
    assert contents(folder) == before


def test_the_profile_decides_where_a_new_sidecar_goes(folder: Path, journal: Journal) -> None:
    photo = raw(folder / "a.nef")
    apply(accept([photo]), journal, targets(FileSettings(profile=SidecarProfile.DARKTABLE)))
    assert sorted(contents(folder)) == ["a.nef", "a.nef.xmp"]


def test_what_is_there_already_is_not_written_again(folder: Path, journal: Journal) -> None:
    photos = library(folder, 3)
    apply(accept(photos), journal, targets())
    before = contents(folder)
    report = apply(accept(photos), journal, targets())
    assert (report.batch_id, report.written, len(report.unchanged)) == (None, [], 3)
    assert contents(folder) == before
    assert len(history(journal)) == 1


def test_removed_keywords_come_back_with_undo(folder: Path, journal: Journal) -> None:
    photo = raw(folder / "a.nef")
    (folder / "a.xmp").write_bytes(OTHER_PROGRAM)
    report = apply([PhotoDecisions(photo, (), (SEA,))], journal, targets())
    assert report.written[0].removed == (SEA,)
    assert keywords(photo) == set()
    undo(None, journal, targets())
    assert (folder / "a.xmp").read_bytes() == OTHER_PROGRAM


def test_undo_of_some_photos_leaves_the_others_written(folder: Path, journal: Journal) -> None:
    photos = library(folder, 6)
    before = contents(folder)
    batch = apply(accept(photos), journal, targets()).batch_id
    undo(batch, journal, targets(), photos=photos[:2])
    assert ["Animals|Dog" in keywords(photo) for photo in photos] == [False, False, True, True, True, True]
    assert (batch_summary(journal, batch or "").written, batch_summary(journal, batch or "").undone) == (4, 2)
    undo(batch, journal, targets())
    assert contents(folder) == before


def test_batches_undone_newest_first_leave_every_byte_as_it_was(folder: Path, journal: Journal) -> None:
    photos = library(folder, 3)
    before = contents(folder)
    apply(accept(photos, DOG), journal, targets())
    apply(accept(photos, CAT), journal, targets())
    undo(None, journal, targets())
    assert [keywords(photo) for photo in photos] == [{"Animals|Dog"}, {"Animals|Dog"}, {"Animals|Dog", "Sea"}]
    undo(None, journal, targets())
    assert contents(folder) == before
    with pytest.raises(WriteBackError, match="nothing to undo"):
        undo(None, journal, targets())


def test_an_older_batch_undone_first_leaves_the_newer_ones_keywords(folder: Path, journal: Journal) -> None:
    photos = library(folder, 3)
    first = apply(accept(photos, DOG), journal, targets()).batch_id
    apply(accept(photos, CAT), journal, targets())
    undo(first, journal, targets())
    assert [keywords(photo) for photo in photos] == [{"Animals|Cat"}, {"Animals|Cat"}, {"Animals|Cat", "Sea"}]


def test_undo_of_what_is_no_batch_or_an_undo_says_so(folder: Path, journal: Journal) -> None:
    apply(accept([jpeg(folder / "a.jpg")]), journal, targets())
    taken = undo(None, journal, targets()).batch_id
    with pytest.raises(WriteBackError, match="There is no batch 1999; the history lists them"):
        undo("1999", journal, targets())
    with pytest.raises(WriteBackError, match="took keywords out"):
        undo(taken, journal, targets())


def test_the_history_tells_each_batch_and_its_files(folder: Path, journal: Journal) -> None:
    photos = library(folder, 2)
    batch = apply(accept(photos), journal, targets(), label="My catalog").batch_id
    undo(batch, journal, targets(), photos=photos[:1])
    newest, oldest = history(journal)
    assert (newest.kind, newest.undoes, newest.written) == (BatchKind.UNDO, batch, 1)
    assert (oldest.kind, oldest.label, oldest.state) == (BatchKind.APPLY, "My catalog", BatchState.FINISHED)
    assert (oldest.asked, oldest.written, oldest.undone) == (2, 1, 1)
    files = list(batch_files(journal, batch or ""))
    assert [(f.photos, f.added, f.state, f.created) for f in files] == [
        ((photos[0],), (DOG,), EntryState.UNDONE, False),
        ((photos[1],), (DOG,), EntryState.WRITTEN, True),
    ]
    assert history(journal, limit=1) == [newest]


def test_a_cancelled_batch_keeps_what_was_written_and_can_be_undone(folder: Path, journal: Journal) -> None:
    photos = library(folder, 150)
    before = contents(folder)
    seen: list[int] = []
    report = apply(
        accept(photos),
        journal,
        targets(),
        progress=lambda done, _all, _photo: seen.append(done),
        cancel=lambda: bool(seen),
    )
    assert report.stopped == "it was cancelled"
    assert 0 < len(report.written) < 150
    assert len(report.written) + report.not_reached == 150
    assert ["Animals|Dog" in keywords(p) for p in photos] == [
        p in {w.photos[0] for w in report.written} for p in photos
    ]
    assert history(journal)[0].state is BatchState.STOPPED
    undo(report.batch_id, journal, targets())
    assert contents(folder) == before


def test_progress_ends_at_all_photos(folder: Path, journal: Journal) -> None:
    photos = library(folder, 7)
    calls: list[tuple[int, int]] = []
    apply(accept(photos), journal, targets(), progress=lambda done, of, _photo: calls.append((done, of)))
    assert calls == [(n, 7) for n in range(1, 8)]


def test_names_that_are_no_unicode_and_very_long_paths_are_written_and_undone(folder: Path, journal: Journal) -> None:
    deep = folder
    for _ in range(4):
        deep = deep / ("d" * 80)
    deep.mkdir(parents=True)
    photos = [jpeg(deep / ("n" * 240 + ".jpg")), raw(deep / "x.nef")]
    odd = folder / b"caf\xe9.nef".decode("utf-8", "surrogateescape")
    try:
        raw(odd)
        photos.append(odd)
    except OSError:
        pass  # this system's file names are Unicode
    before = contents(folder)
    report = apply(accept(photos), journal, targets())
    assert report.refused == []
    assert all("Animals|Dog" in keywords(photo) for photo in photos)
    undo(None, journal, targets())
    assert contents(folder) == before


def test_a_file_found_under_another_spelling_keeps_the_name_it_has_on_the_disk() -> None:
    names = ["IMG.JPG", "img.xmp", "Cafe\u0301.jpg"]
    assert [as_spelled(n, names) for n in ("img.jpg", "img.xmp", "Caf\u00e9.jpg", "new.xmp")] == [
        "IMG.JPG",
        "img.xmp",
        "Cafe\u0301.jpg",
        "new.xmp",
    ]


def test_only_one_keywright_writes_at_a_time(folder: Path, journal: Journal) -> None:
    photo = jpeg(folder / "a.jpg")
    before = contents(folder)
    with journal.alone():
        with pytest.raises(BusyError, match="Another Keywright is writing"):
            apply(accept([photo]), journal, targets())
        assert recover(journal, targets()) == []
    assert contents(folder) == before
    assert len(apply(accept([photo]), journal, targets()).written) == 1


def test_a_sidecar_of_two_batches_undone_in_the_wrong_order_is_gone_in_the_end(folder: Path, journal: Journal) -> None:
    photo = raw(folder / "IMG_9.nef")
    first = apply(accept([photo], DOG), journal, targets()).batch_id
    second = apply(accept([photo], SEA), journal, targets()).batch_id
    sidecar = photo.with_suffix(".xmp")
    undo(first, journal, targets())
    assert keywords(photo) == {"Sea"}
    undo(second, journal, targets())
    assert not sidecar.exists()


def test_a_sidecar_another_program_has_written_since_stays_without_its_keywords(folder: Path, journal: Journal) -> None:
    photo = raw(folder / "IMG_9.nef")
    first = apply(accept([photo], DOG), journal, targets()).batch_id
    second = apply(accept([photo], SEA), journal, targets()).batch_id
    sidecar = photo.with_suffix(".xmp")
    sidecar.write_bytes(sidecar.read_bytes().replace(b'x:xmptk="Keywright"', b'x:xmptk="XMP Core 6.0"'))
    undo(first, journal, targets())
    undo(second, journal, targets())
    assert sidecar.exists()
    assert keywords(photo) == set()
