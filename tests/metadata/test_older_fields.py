"""Fields beside XMP that a file has, IPTC's and Windows' keywords, are kept in step with it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from keywright.keywords import KeywordPath
from keywright.metadata import (
    Added,
    KeywordChange,
    iptc,
    irb,
    jpeg,
    plan_file_change,
    read_keywords,
    revert,
)
from keywright.metadata.base import apply_edits, invert_edits
from keywright.metadata.embedded import iptc_of
from metadata import pictures
from metadata.pictures import FILES, pixels, rewrite_file
from metadata.test_photo_files import DOG, blocks, photo


def jpeg_with_iptc(block: bytes, digest: bytes | None = None) -> bytes:
    made = jpeg.PHOTOSHOP + pictures.resources(block, digest=digest)
    return pictures.with_segment(FILES["plain.jpg"], 0xED, made)


def test_iptc_keywords_are_kept_in_step_and_their_digest_stays_right() -> None:
    before = jpeg_with_iptc(pictures.iptc(b"Cat"))
    after, _ = rewrite_file(before, "a.jpg", KeywordChange(add=frozenset({DOG})))
    records = iptc_of(blocks(after))
    assert records is not None
    assert iptc.keywords(records) == ["Cat", "Animals", "Dog"]
    assert irb.first(blocks(after).irb, irb.IPTC_DIGEST) == hashlib.md5(records).digest()
    assert irb.first(blocks(after).irb, 0x0FA0) == b"xyz"


def test_a_digest_that_was_wrong_stays_wrong() -> None:
    # It tells other programs that IPTC is newer than XMP, and it still is.
    after, _ = rewrite_file(
        jpeg_with_iptc(pictures.iptc(b"Cat"), digest=b"0" * 16), "a.jpg", KeywordChange(add=frozenset({DOG}))
    )
    assert irb.first(blocks(after).irb, irb.IPTC_DIGEST) == b"0" * 16


def test_iptc_without_keywords_gets_none() -> None:
    before = jpeg_with_iptc(pictures.iptc())
    after, _ = rewrite_file(before, "a.jpg", KeywordChange(add=frozenset({DOG})))
    assert iptc_of(blocks(after)) == pictures.iptc()


def test_keywords_that_only_iptc_had_are_copied_to_the_new_xmp(tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg", jpeg_with_iptc(pictures.iptc("Zürich".encode("cp1252"))))
    change = plan_file_change(path, [DOG])
    path.write_bytes(change.after)
    subjects = {source.field: set(source.items) for source in read_keywords(path).sources}
    assert subjects["dc:subject"] == {"Zürich", "Animals", "Dog"}
    back = revert(change.after, "a.jpg", change.added)
    assert back == change.before


def exif_with(text: str, order: str = "little") -> bytes:
    """An Exif block with XPKeywords, and behind it something that another entry points to."""
    value = text.encode("utf-16-le")

    def number(n: int, size: int) -> bytes:
        return n.to_bytes(size, order)  # type: ignore[arg-type]

    def entry(tag: int, kind: int, data: bytes, at: int) -> bytes:
        place = number(at, 4) if len(data) > 4 else data.ljust(4, b"\x00")
        return number(tag, 2) + number(kind, 2) + number(len(data), 4) + place

    maker = b"Keywright camera\x00"
    rows = entry(0x010F, 2, maker, 38 + len(value)) + entry(0x9C9E, 1, value, 38)
    head = (b"II*\x00" if order == "little" else b"MM\x00*") + number(8, 4)
    return head + number(2, 2) + rows + bytes(4) + value + maker


def with_windows_keywords(kind: str, text: str) -> tuple[str, bytes]:
    block = b"Exif\x00\x00" + exif_with(text, "big" if kind == "big-endian" else "little")
    if kind == "tif":
        return "a.tif", pictures.tiff(extratags=[(0x9C9E, 1, None, text.encode("utf-16-le"), True)])
    if kind == "webp":
        return "a.webp", pictures.saved("WEBP", exif=block[6:])
    return (
        ("a.png", pictures.saved("PNG", exif=block)) if kind == "png" else ("a.jpg", pictures.saved("JPEG", exif=block))
    )


WINDOWS = ("jpg", "big-endian", "png", "webp", "tif")


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("text", ["Cat;Zürich\x00", "Cat", "Cat;Zürich;"])
def test_windows_keywords_are_read_and_written_and_taken_out(tmp_path: Path, kind: str, text: str) -> None:
    name, data = with_windows_keywords(kind, text)
    path = photo(tmp_path, name, data)
    was = exiftool(path)
    had = set(text.rstrip("\x00;").split(";"))
    assert {str(keyword) for keyword in read_keywords(path).keywords} == had
    change = plan_file_change(path, [DOG])
    path.write_bytes(change.after)
    found = next(source.items for source in read_keywords(path).sources if source.field == "XPKeywords")
    assert set(found) == had | {"Animals", "Dog"}
    assert exiftool(path)["XPKeywords"].rstrip(";").split(";") == [*text.rstrip("\x00;").split(";"), "Animals", "Dog"]
    assert exiftool(path).get("Make") == was.get("Make")
    back = revert(change.after, name, Added.from_json(change.added.to_json()))
    assert back is not None
    path.write_bytes(back)
    assert exiftool(path)["XPKeywords"] == was["XPKeywords"]
    assert pixels(back) == pixels(data)
    assert apply_edits(change.after, invert_edits(change.edits)) == data


@pytest.mark.parametrize("kind", WINDOWS)
def test_the_last_of_windows_keywords_goes_with_its_field(tmp_path: Path, kind: str) -> None:
    name, data = with_windows_keywords(kind, "Cat")
    path = photo(tmp_path, name, data)
    make = exiftool(path).get("Make")
    path.write_bytes(plan_file_change(path, [], [KeywordPath.of("Cat")]).after)
    now = exiftool(path)
    assert "XPKeywords" not in now
    assert "Warning" not in now
    assert now.get("Make") == make
    assert read_keywords(path).keywords == frozenset()


def test_a_name_that_windows_would_take_for_two_stays_out_of_its_field_with_a_note(tmp_path: Path) -> None:
    name, data = with_windows_keywords("jpg", "Cat")
    change = plan_file_change(photo(tmp_path, name, data), [KeywordPath.of("a;b")])
    assert [str(note).rsplit("/", 1)[-1] for note in change.notes] == ["a.jpg cannot hold 'a;b'"]
    assert change.added_keywords == {KeywordPath.of("a;b")}


def exiftool(path: Path) -> dict[str, str]:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    done = subprocess.run(["exiftool", "-j", "-validate", "-XPKeywords", "-Make", str(path)], capture_output=True)
    return dict(json.loads(done.stdout)[0])
