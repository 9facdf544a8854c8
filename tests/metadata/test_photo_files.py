"""Keywords go into photo files and come out of them, and the picture and all else stay as they were."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from keywright.keywords import KeywordPath
from keywright.metadata import (
    Added,
    KeywordChange,
    SidecarProfile,
    jpeg,
    plan_file_change,
    read_keywords,
    revert,
)
from keywright.metadata.base import apply_edits, invert_edits
from keywright.metadata.embedded import read_blocks
from metadata import pictures
from metadata.packets import field, packet
from metadata.pictures import FILES, pixels, rewrite_file

DOG = KeywordPath.of("Animals", "Dog")
NEW = frozenset({DOG, KeywordPath.of("Zürich, Höngg")})


def photo(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def blocks(data: bytes, name: str = "a.jpg"):  # type: ignore[no-untyped-def]
    return read_blocks(io.BytesIO(data), name)


@pytest.mark.parametrize("name", FILES)
def test_keywords_are_read_back_and_the_picture_is_the_same(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path, name, FILES[name])
    had = read_keywords(path).keywords
    change = plan_file_change(path, NEW)
    assert change.target == path
    assert not change.creates
    path.write_bytes(change.after)
    assert read_keywords(path).keywords == had | NEW
    assert pixels(change.after) == pixels(FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_exiftool_finds_the_keywords_and_no_fault(tmp_path: Path, name: str) -> None:
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")
    path = photo(tmp_path, name, FILES[name])
    path.write_bytes(plan_file_change(path, NEW).after)
    done = subprocess.run(
        [
            "exiftool",
            "-j",
            "-G1",
            "-a",
            "-validate",
            "-warning",
            "-error",
            "-subject",
            "-hierarchicalsubject",
            "-tagslist",
            str(path),
        ],
        capture_output=True,
        check=True,
    )
    tags = json.loads(done.stdout)[0]
    assert {"Animals", "Dog", "Zürich, Höngg"} <= set(tags["XMP-dc:Subject"])
    assert {"Animals|Dog", "Zürich, Höngg"} <= set(tags["XMP-lr:HierarchicalSubject"])
    assert {"Animals/Dog", "Zürich, Höngg"} <= set(tags["XMP-digiKam:TagsList"])
    assert "ExifTool:Error" not in tags


@pytest.mark.parametrize("name", FILES)
def test_undoing_gives_back_the_file_byte_for_byte(tmp_path: Path, name: str) -> None:
    change = plan_file_change(photo(tmp_path, name, FILES[name]), NEW)
    assert change.before == FILES[name]
    assert apply_edits(change.before, change.edits) == change.after
    assert apply_edits(change.after, invert_edits(change.edits)) == change.before


@pytest.mark.parametrize("name", FILES)
def test_what_was_added_comes_out_when_the_file_has_changed_since(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path, name, FILES[name])
    had = read_keywords(path).keywords
    change = plan_file_change(path, NEW)
    path.write_bytes(change.after)
    mine = KeywordPath.of("Mine")
    path.write_bytes(plan_file_change(path, [mine]).after)
    back = revert(path.read_bytes(), name, Added.from_json(change.added.to_json()))
    assert back is not None
    path.write_bytes(back)
    assert read_keywords(path).keywords == had | {mine}
    assert pixels(back) == pixels(FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_a_second_change_fits_into_the_padding_of_the_first(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path, name, FILES[name])
    path.write_bytes(plan_file_change(path, NEW).after)
    second = plan_file_change(path, [KeywordPath.of("Animals", "Cat")])
    assert second.changes
    assert second.before is not None
    if "iptc" not in name:
        assert len(second.after) == len(second.before)
    assert revert(second.after, name, second.added) == second.before


@pytest.mark.parametrize("name", FILES)
def test_removing_gives_the_room_back_to_the_padding(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path, name, FILES[name])
    path.write_bytes(plan_file_change(path, NEW).after)
    change = plan_file_change(path, [], [DOG])
    assert change.before is not None
    if "iptc" not in name:
        assert len(change.after) == len(change.before)
    path.write_bytes(change.after)
    back = revert(change.after, name, change.added)
    assert back is not None
    path.write_bytes(back)
    assert read_keywords(path).keywords >= NEW


@pytest.mark.parametrize("name", FILES)
def test_what_is_there_already_changes_nothing(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path, name, FILES[name])
    path.write_bytes(plan_file_change(path, NEW).after)
    again = plan_file_change(path, NEW)
    assert not again.changes
    assert again.already_there == NEW
    assert not again.added


@pytest.mark.parametrize("name", FILES)
def test_removing_takes_a_keyword_out_of_every_field(tmp_path: Path, name: str) -> None:
    path = photo(tmp_path, name, FILES[name])
    had = read_keywords(path).keywords
    path.write_bytes(plan_file_change(path, NEW).after)
    change = plan_file_change(path, [], [DOG])
    assert change.removed_keywords == {DOG}
    path.write_bytes(change.after)
    assert read_keywords(path).keywords == had | (NEW - {DOG})


@pytest.mark.parametrize("name", ["lossy.webp", "lossless.webp", "icc.webp"])
def test_a_webp_says_in_its_head_that_it_has_xmp_and_how_large_it_is(name: str) -> None:
    after, _ = rewrite_file(FILES[name], name, KeywordChange(add=NEW))
    assert after[12:16] == b"VP8X"
    assert after[20] & 0x04
    assert int.from_bytes(after[24:27], "little") + 1 == 48
    assert int.from_bytes(after[4:8], "little") == len(after) - 8
    if name == "icc.webp":
        assert after[20] & ~0x04 == FILES[name][20]


EXTENDED = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:e="http://example.org/">'
    b"<dc:subject><rdf:Bag><rdf:li>Cat</rdf:li></rdf:Bag></dc:subject><e:big>" + b"x" * 4000 + b"</e:big>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def extended_jpeg() -> bytes:
    guid = hashlib.md5(EXTENDED).hexdigest().upper()
    note = f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="{guid}"'
    return pictures.with_xmp(pictures.with_extended(FILES["plain.jpg"], EXTENDED), packet(attributes=note))


def test_a_field_in_extended_xmp_is_changed_where_it_is(tmp_path: Path) -> None:
    path = photo(tmp_path, "a.jpg", extended_jpeg())
    assert read_keywords(path).keywords == {KeywordPath.of("Cat")}
    change = plan_file_change(path, [DOG])
    path.write_bytes(change.after)
    assert read_keywords(path).keywords == {KeywordPath.of("Cat"), DOG}
    (name, extended), *others = blocks(change.after).extended.items()
    assert not others
    assert name == hashlib.md5(extended).hexdigest().upper()
    assert b"x" * 4000 in extended
    assert b"<rdf:li>Animals</rdf:li><rdf:li>Dog</rdf:li>" in extended
    assert blocks(change.after).xmp.count(b"subject") == blocks(change.before).xmp.count(b"subject")
    assert revert(change.after, "a.jpg", change.added) == change.before


def test_a_stale_extended_part_that_the_packet_does_not_name_is_passed_over(tmp_path: Path) -> None:
    data = pictures.with_xmp(pictures.with_extended(FILES["plain.jpg"], EXTENDED), packet())
    assert read_keywords(photo(tmp_path, "a.jpg", data)).keywords == frozenset()


def test_a_new_sidecar_holds_both_parts_of_the_photos_xmp(tmp_path: Path) -> None:
    change = plan_file_change(photo(tmp_path, "a.jpg", extended_jpeg()), [DOG], profile=SidecarProfile.DARKTABLE)
    assert change.creates
    assert b"HasExtendedXMP" not in change.after
    assert b"x" * 4000 in change.after
    assert b"crs:" not in change.after or b"xmlns:crs" in change.after
    (tmp_path / "a.jpg.xmp").write_bytes(change.after)
    sidecar = [s for s in read_keywords(tmp_path / "a.jpg").sources if s.place]
    assert {s.field for s in sidecar} == {"dc:subject", "lr:hierarchicalSubject", "digiKam:TagsList"}
    assert all("Cat" in s.items for s in sidecar)


def test_a_packet_that_outgrows_its_segment_moves_its_largest_property_out(tmp_path: Path) -> None:
    full = packet(
        f"<crs:Look>{'y' * 60000}</crs:Look>", f"<crs:Mask>{'z' * 3500}</crs:Mask>", field("dc:subject", "Cat")
    )
    assert 64000 < len(full) < jpeg.MAX_XMP
    path = photo(tmp_path, "a.jpg", pictures.with_xmp(FILES["plain.jpg"], full))
    many = {KeywordPath.of("Places", f"Town number {index}") for index in range(40)}
    change = plan_file_change(path, many)
    path.write_bytes(change.after)
    assert read_keywords(path).keywords == many | {KeywordPath.of("Cat")}
    after = blocks(change.after)
    assert len(after.xmp) <= jpeg.MAX_XMP
    (name, extended), *_ = after.extended.items()
    assert b"y" * 60000 in extended
    assert name.encode() in after.xmp
    assert pixels(change.after) == pixels(FILES["plain.jpg"])


def test_the_index_of_further_pictures_follows_them() -> None:
    further = FILES["progressive.jpg"]
    first = FILES["plain.jpg"]
    entries = 2 * [bytes(16)]
    table = b"MPF\x00II*\x00\x08\x00\x00\x00\x01\x00\x02\xb0\x07\x00\x20\x00\x00\x00\x1a\x00\x00\x00" + bytes(4)
    whole = pictures.with_segment(first, 0xE2, table + b"".join(entries))
    header = 2 + 4 + 4
    place = header + 0x1A
    sizes = [(len(whole), 0), (len(further), len(whole) - header)]
    index = b"".join(bytes(4) + size.to_bytes(4, "little") + at.to_bytes(4, "little") + bytes(4) for size, at in sizes)
    data = whole[:place] + index + whole[place + 32 :] + further
    after, _ = rewrite_file(data, "a.jpg", KeywordChange(add=frozenset({DOG})))
    at = after.index(b"MPF\x00") + 4
    size, offset = (int.from_bytes(after[at + 0x1A + i : at + 0x1A + i + 4], "little") for i in (4, 24))
    assert after[at + offset :] == further
    assert size == len(after) - len(further)
