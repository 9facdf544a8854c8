"""Files that are never written to, and files that are not what they seem: refused in one sentence or read with care."""

from __future__ import annotations

from pathlib import Path

import pytest

from keywright.keywords import KeywordPath
from keywright.metadata import (
    KeywordChange,
    MetadataError,
    read_keywords,
)
from keywright.metadata.base import Edit, apply_edits
from metadata import pictures
from metadata.packets import field, packet
from metadata.pictures import FILES, rewrite_file
from metadata.test_photo_files import DOG, photo


def test_a_photo_with_content_credentials_is_refused() -> None:
    signed = pictures.with_segment(FILES["plain.jpg"], 0xEB, b"JP\x00\x01\x00\x00\x00\x01" + b"jumb....jumdc2pa")
    with pytest.raises(MetadataError, match="content credentials"):
        rewrite_file(signed, "a.jpg", KeywordChange(add=frozenset({DOG})))


@pytest.mark.parametrize("name", ["a.nef", "jpeg.nef", "a.heic", "a.mov", "a.gif"])
def test_camera_raw_heif_and_video_are_never_written_to(name: str) -> None:
    data = {"a.nef": FILES["little.tif"], "jpeg.nef": FILES["plain.jpg"], "a.gif": pictures.saved("GIF")}.get(
        name, b"\x00\x00\x00\x18ftypheic" + bytes(20)
    )
    with pytest.raises(MetadataError, match="never written to"):
        rewrite_file(data, name, KeywordChange(add=frozenset({DOG})))


def beginnings() -> list[tuple[str, int]]:
    """Every kind of file, cut off after its first bytes, in the middle and just before its end."""
    names = [name for name in FILES if name != "tiled.tif"]
    return [(name, at) for name in names for at in (30, 200, len(FILES[name]) // 2, len(FILES[name]) - 4)]


@pytest.mark.parametrize(("name", "keep"), beginnings())
def test_a_file_that_is_not_whole_is_refused_in_one_sentence(name: str, keep: int) -> None:
    with pytest.raises(MetadataError, match=f"^{name} is not written to: [^.]+[.]$"):
        rewrite_file(FILES[name][:keep], name, KeywordChange(add=frozenset({DOG})))


def test_a_photoshop_file_whose_packed_picture_is_cut_off_is_refused() -> None:
    lengths = 3 * 32 * (7).to_bytes(2, "big")
    whole = FILES["plain.psd"][:38] + b"\x00\x01" + lengths + 3 * 32 * bytes(7)
    rewrite_file(whole, "a.psd", KeywordChange(add=frozenset({DOG})))
    with pytest.raises(MetadataError, match=r"^a.psd is not written to: it is cut off: restore it from a backup.$"):
        rewrite_file(whole[:-1], "a.psd", KeywordChange(add=frozenset({DOG})))


def test_a_picture_with_something_behind_it_is_whole() -> None:
    after, _ = rewrite_file(FILES["plain.jpg"] + bytes(3 << 20), "a.jpg", KeywordChange(add=frozenset({DOG})))
    assert after.endswith(bytes(3 << 20))


def test_a_change_is_not_made_in_a_file_that_is_another_by_now() -> None:
    with pytest.raises(MetadataError, match="no longer"):
        apply_edits(b"abcdef", [Edit(2, b"xx", b"yy")])


def test_an_entry_with_a_damaged_packet_beside_it_is_still_read(tmp_path: Path) -> None:
    damaged = packet(field("dc:subject", "Cat"))[:-60].replace(b"</rdf:RDF>", b"</rdf:XYZ>")
    found = read_keywords(photo(tmp_path, "a.jpg", pictures.with_xmp(FILES["plain.jpg"], damaged)))
    assert found.keywords == {KeywordPath.of("Cat")}
    assert found.warnings
