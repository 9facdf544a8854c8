"""Files of any size are written in pieces: a scan of gigabytes takes no more memory than a snapshot."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import tifffile

from keywright.keywords import KeywordPath
from keywright.metadata import data as files
from keywright.metadata import plan_file_change
from keywright.metadata.base import Edit
from keywright.metadata.data import PatchedData, pieces, stream_of, whole
from keywright.metadata.embedded import read_blocks
from keywright.writeback import Journal, apply, undo
from keywright.writeback.before import digest
from metadata.pictures import FILES
from writeback.disks import FailingDisk, MeanwhileDisk
from writeback.kit import DOG, accept, keywords, targets

MB = 1 << 20


def sparse_tiff(path: Path, size: int, *, big: bool, order: str = "<") -> Path:
    """A scan whose strip of zeros is a hole in the file; its directory stands before it."""
    width = 1 << 14
    tifffile.imwrite(
        path, shape=(size // width, width), dtype="uint8", photometric="minisblack", bigtiff=big, byteorder=order,
        rowsperstrip=size // width,
    )  # fmt: skip
    assert path.stat().st_size >= size
    return path


def sparse_psb(path: Path, size: int) -> Path:
    """A PSB whose merged picture is a hole."""
    side = int((size // 3) ** 0.5) + 1
    head = b"8BPS\x00\x02" + bytes(6) + b"\x00\x03" + side.to_bytes(4, "big") * 2 + b"\x00\x08\x00\x03"
    with path.open("wb") as file:
        file.write(head + bytes(4) + bytes(4) + bytes(8) + b"\x00\x00")
        file.truncate(file.tell() + 3 * side * side)
    return path


def sparse_webp(path: Path, size: int) -> Path:
    """A WebP with a chunk that nobody knows, as large as asked for, which is a hole."""
    plain = FILES["icc.webp"]
    chunk = size + size % 2
    whole_size = len(plain) + 8 + chunk
    with path.open("wb") as file:
        file.write(
            plain[:4] + (whole_size - 8).to_bytes(4, "little") + plain[8:] + b"JUNK" + chunk.to_bytes(4, "little")
        )
        file.truncate(whole_size)
    return path


def sparse_jpeg(path: Path, size: int) -> Path:
    """A JPEG with a video behind its picture, as telephones make them; the video is a hole."""
    plain = FILES["plain.jpg"]
    with path.open("wb") as file:
        file.write(plain)
        file.truncate(len(plain) + size)
    return path


MADE: dict[str, Callable[[Path, int], Path]] = {
    "scan.tif": lambda path, size: sparse_tiff(path, size, big=False),
    "motorola.tif": lambda path, size: sparse_tiff(path, size, big=False, order=">"),
    "big.tif": lambda path, size: sparse_tiff(path, size, big=True),
    "big.psb": sparse_psb,
    "big.webp": sparse_webp,
    "motion.jpg": sparse_jpeg,
}


@pytest.mark.parametrize("name", MADE)
def test_a_large_file_is_written_and_undone_in_little_memory(folder: Path, journal: Journal, name: str) -> None:
    photo = MADE[name](folder / name, 80 * MB)
    before = digest(photo_data(photo))
    tracemalloc.start()
    try:
        report = apply(accept([photo]), journal, targets())
        assert [str(line) for line in report.refused] == []
        assert keywords(photo) == {"Animals|Dog"}
        undo(None, journal, targets())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MB
    assert digest(photo_data(photo)) == before


def photo_data(photo: Path) -> files.Data:
    return files.FileData(photo)


def test_a_bigtiff_beyond_4_gb_gets_its_keywords_behind_the_picture(folder: Path) -> None:
    photo = sparse_tiff(folder / "scan.tif", 4200 * MB, big=True)
    change = plan_file_change(photo, [DOG])
    assert len(change.result) > photo.stat().st_size > 1 << 32
    blocks = read_blocks(stream_of(change.result), photo.name)
    assert b"Animals|Dog" in (blocks.xmp or b"")
    assert sum(len(edit.old) + len(edit.new) for edit in change.edits) < 8000


def test_a_tiff_that_would_outgrow_4_gb_is_refused_in_one_sentence(folder: Path, journal: Journal) -> None:
    photo = folder / "scan.tif"
    out = io.BytesIO()
    tifffile.imwrite(out, shape=(16, 16), dtype="uint8", photometric="minisblack")
    with photo.open("wb") as file:
        file.write(out.getvalue())
        file.truncate((1 << 32) - 600)
    report = apply(accept([photo]), journal, targets())
    assert [str(line) for line in report.refused] == [
        f"{photo} is not written to: it would grow beyond the 4 GB that a TIFF file can hold."
    ]


def test_keywords_of_the_person_stay_when_ours_are_taken_out_of_a_large_file(folder: Path, journal: Journal) -> None:
    photo = sparse_tiff(folder / "scan.tif", 80 * MB, big=False)
    apply(accept([photo]), journal, targets())
    photo.write_bytes(plan_file_change(photo, [KeywordPath.of("Mine")]).after)
    report = undo(None, journal, targets())
    assert len(report.written) == 1
    assert keywords(photo) == {"Mine"}


def test_a_large_file_changed_while_it_was_copied_is_left_alone(folder: Path, journal: Journal) -> None:
    photo = sparse_tiff(folder / "scan.tif", 80 * MB, big=False)

    def scribble() -> None:
        with photo.open("r+b") as file:
            file.seek(40 * MB)
            file.write(b"theirs")

    report = apply(accept([photo]), journal, targets(ops=MeanwhileDisk(scribble)))
    assert ["changed by another program" in str(line) for line in report.refused] == [True]
    assert keywords(photo) == set()
    assert [file.name for file in folder.iterdir()] == ["scan.tif"]


def test_an_error_at_any_call_leaves_a_large_file_old_or_new(
    folder: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "HELD", MB)
    photo = sparse_tiff(folder / "scan.tif", 2 * MB, big=False)
    before = digest(photo_data(photo))
    counting = FailingDisk()
    apply(accept([photo]), journal, targets(ops=counting))
    undo(None, journal, targets())
    for number in range(len(counting.calls)):
        report = apply(accept([photo]), journal, targets(ops=FailingDisk(number)))
        written = keywords(photo) == {"Animals|Dog"}
        assert written or digest(photo_data(photo)) == before
        assert written == bool(report.written)
        if written:
            undo(None, journal, targets())
    assert digest(photo_data(photo)) == before


def test_patched_data_are_the_same_wherever_they_are_cut() -> None:
    source = bytes(range(200))
    edits = (
        Edit(0, b"", b"head"),
        Edit(10, source[10:20], b""),
        Edit(50, source[50:51], b"xyz"),
        Edit(200, b"", b"end"),
    )
    made = PatchedData(source, edits)
    expected = b"head" + source[:10] + source[20:50] + b"xyz" + source[51:] + b"end"
    assert whole(made) == b"".join(pieces(made)) == stream_of(made).read() == expected
    for start in range(0, len(expected), 7):
        for end in range(start, len(expected) + 3, 11):
            assert made[start:end] == expected[start:end]
