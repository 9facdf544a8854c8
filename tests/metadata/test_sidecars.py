"""Which file beside a photo speaks for it, and where a change of its keywords goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from keywright.keywords import KeywordPath
from keywright.metadata import MetadataError, SidecarProfile, choose_place, plan_file_change, read_keywords, revert
from metadata.packets import field, packet
from metadata.pictures import FILES, with_xmp

LIGHTROOM, DARKTABLE, DIGIKAM, PLAIN = (SidecarProfile(p) for p in ("lightroom", "darktable", "digikam", "plain"))
RAW = FILES["little.tif"]
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
CONTENT = {".jpg": FILES["plain.jpg"], ".nef": RAW, ".heic": HEIC, ".mov": HEIC, ".dng": FILES["plain.dng"]}
CONTENT |= {
    ".tif": FILES["little.tif"],
    ".psd": FILES["plain.psd"],
    ".gif": b"GIF89a",
    ".cr3": HEIC,
    ".png": FILES["plain.png"],
}
DOG = KeywordPath.of("Dog")


def folder(at: Path, *names: str) -> Path:
    """Files of these names; the first is the photo."""
    for name in names:
        subject = field("dc:subject", f"in {name}")
        content = packet(subject) if name.lower().endswith(".xmp") else CONTENT[Path(name).suffix.lower()]
        (at / name).write_bytes(content)
    return at / names[0]


@pytest.mark.parametrize(
    ("files", "profile", "target"),
    [
        # Lightroom embeds, and ignores sidecars beside what it embeds in.
        (["IMG.jpg"], LIGHTROOM, "IMG.jpg"),
        (["IMG.jpg", "IMG.xmp", "IMG.jpg.xmp"], LIGHTROOM, "IMG.jpg"),
        (["IMG.dng", "IMG.xmp"], LIGHTROOM, "IMG.dng"),
        (["IMG.psd", "IMG.xmp"], LIGHTROOM, "IMG.psd"),
        (["IMG.nef"], LIGHTROOM, "IMG.xmp"),
        (["IMG.nef", "IMG.jpg"], LIGHTROOM, "IMG.xmp"),
        (["IMG.heic"], LIGHTROOM, "IMG.xmp"),
        # darktable always has a sidecar, with the whole name.
        (["IMG.jpg"], DARKTABLE, "IMG.jpg.xmp"),
        (["IMG.nef"], DARKTABLE, "IMG.nef.xmp"),
        # digiKam embeds, or takes the whole name.
        (["IMG.jpg"], DIGIKAM, "IMG.jpg"),
        (["IMG.nef"], DIGIKAM, "IMG.nef.xmp"),
        # Capture One, Photo Mechanic, Bridge.
        (["IMG.jpg"], PLAIN, "IMG.jpg"),
        (["IMG.png"], PLAIN, "IMG.png"),
        (["IMG.nef"], PLAIN, "IMG.xmp"),
        (["IMG.gif"], PLAIN, "IMG.xmp"),
        # What is there decides.
        (["IMG.nef", "IMG.nef.xmp"], LIGHTROOM, "IMG.nef.xmp"),
        (["IMG.nef", "IMG.xmp"], DARKTABLE, "IMG.xmp"),
        (["IMG.nef", "IMG.xmp", "IMG.nef.xmp"], DARKTABLE, "IMG.nef.xmp"),
        (["IMG.nef", "IMG.xmp", "IMG.nef.xmp"], LIGHTROOM, "IMG.xmp"),
        (["IMG.jpg", "IMG.jpg.xmp"], PLAIN, "IMG.jpg.xmp"),
        (["IMG.jpg", "IMG.xmp"], DIGIKAM, "IMG.xmp"),
        # Of a raw file and its JPEG, IMG.xmp is the raw file's.
        (["IMG.jpg", "IMG.nef", "IMG.xmp"], PLAIN, "IMG.jpg"),
        (["IMG.jpg", "IMG.nef", "IMG.xmp"], DARKTABLE, "IMG.jpg.xmp"),
        (["IMG.nef", "IMG.jpg", "IMG.xmp"], PLAIN, "IMG.xmp"),
        # A Live Photo's two files must not share a new sidecar.
        (["IMG.heic", "IMG.mov"], PLAIN, "IMG.heic.xmp"),
        (["IMG.mov", "IMG.heic"], LIGHTROOM, "IMG.mov.xmp"),
        (["IMG.heic", "IMG_2.mov"], PLAIN, "IMG.xmp"),
        # Names differ in case on some systems' cards.
        (["IMG.NEF", "IMG.XMP"], PLAIN, "IMG.XMP"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else str(value),
)
@pytest.mark.parametrize("listed", [False, True], ids=["looked up", "listed"])
def test_where_keywords_go(
    tmp_path: Path, files: list[str], profile: SidecarProfile, target: str, listed: bool
) -> None:
    photo = folder(tmp_path, *files)
    place = choose_place(photo, profile, [file.name for file in tmp_path.iterdir()] if listed else None)
    assert place.target == tmp_path / target
    assert place.embedded == (place.target == photo)
    assert place.exists == (target in files)


def test_a_sidecar_that_says_it_is_for_another_file_is_left_to_that_file(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.nef")
    own = packet(field("dc:subject", "the CR3's"), "<photoshop:SidecarForExtension>CR3</photoshop:SidecarForExtension>")
    own = own.replace(b"xmlns:dc=", b'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc=')
    (tmp_path / "IMG.xmp").write_bytes(own)
    assert read_keywords(photo).keywords == frozenset()
    assert read_keywords(folder(tmp_path, "IMG.cr3")).keywords == {KeywordPath.of("the CR3's")}
    assert choose_place(photo, DIGIKAM).target == tmp_path / "IMG.nef.xmp"


def test_a_photo_that_is_gone_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match=r"gone\.jpg cannot be read: No such file"):
        choose_place(tmp_path / "gone.jpg", PLAIN)
    with pytest.raises(MetadataError, match=r"gone\.jpg cannot be read"):
        read_keywords(tmp_path / "gone.jpg")


def test_the_photo_and_its_sidecars_are_read_together(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.jpg", "IMG.xmp", "IMG.jpg.xmp", "IMG_2.xmp")
    photo.write_bytes(with_xmp(FILES["plain.jpg"], packet(field("dc:subject", "inside"))))
    found = read_keywords(photo)
    assert {str(path) for path in found.keywords} == {"inside", "in IMG.xmp", "in IMG.jpg.xmp"}
    assert {source.place for source in found.sources} == {"", "IMG.xmp", "IMG.jpg.xmp"}


def test_a_leaf_or_a_parent_that_a_path_covers_is_not_a_second_keyword(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.nef")
    (tmp_path / "IMG.xmp").write_bytes(
        packet(
            field("dc:subject", "animals", "Dog", "Sunset", "Animals|Dog"),
            field("lr:hierarchicalSubject", "Animals|Dog"),
            field("MicrosoftPhoto:LastKeywordXMP", "Dog", "Animals/Dog"),
        )
    )
    assert read_keywords(photo).keywords == {KeywordPath.of("Animals", "Dog"), KeywordPath.of("Sunset")}


def test_digikams_internal_tags_are_no_keywords(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.nef")
    tags = field("digiKam:TagsList", "_Digikam_Internal_Tags_/Color Label Red", "Cat", kind="Seq")
    (tmp_path / "IMG.xmp").write_bytes(packet(tags))
    assert read_keywords(photo).keywords == {KeywordPath.of("Cat")}


def test_a_damaged_sidecar_is_a_warning_and_what_could_be_read(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.nef")
    (tmp_path / "IMG.xmp").write_bytes(packet(field("dc:subject", "Cat"), "<broken"))
    found = read_keywords(photo)
    assert found.keywords == {KeywordPath.of("Cat")}
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("IMG.xmp is damaged: not well-formed")


@pytest.mark.parametrize(
    "hostile", [b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', b"<a>" * 100_000, b"\x00" * 1000, b"", b"<" * 100_000]
)
def test_a_hostile_sidecar_gives_no_keywords_and_no_crash(tmp_path: Path, hostile: bytes) -> None:
    photo = folder(tmp_path, "IMG.nef")
    (tmp_path / "IMG.xmp").write_bytes(hostile)
    found = read_keywords(photo)
    assert found.keywords == frozenset()
    assert len(found.warnings) == 1


def test_a_new_sidecar_begins_with_the_photos_own_xmp(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.jpg")
    own = packet(field("dc:subject", "Cat"), "<dc:title>a title</dc:title>")
    photo.write_bytes(with_xmp(FILES["plain.jpg"], own))
    change = plan_file_change(photo, [DOG], profile=DARKTABLE)
    assert change.target == tmp_path / "IMG.jpg.xmp"
    assert change.creates
    assert b"<dc:title>a title</dc:title>" in change.after
    assert b'crs:Exposure="+0.35"' in change.after
    change.target.write_bytes(change.after)
    assert read_keywords(photo).keywords == {KeywordPath.of("Cat"), DOG}


def test_a_new_sidecar_of_ours_alone_is_to_be_deleted_when_ours_is_taken_out(tmp_path: Path) -> None:
    change = plan_file_change(folder(tmp_path, "IMG.nef"), [DOG])
    assert revert(change.after, change.target.name, change.added) is None


def test_a_photo_whose_own_xmp_is_damaged_gets_a_sidecar_with_a_note(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.jpg")
    photo.write_bytes(with_xmp(FILES["plain.jpg"], b"<x:xmpmeta>"))
    change = plan_file_change(photo, [DOG], profile=DARKTABLE)
    assert change.added_keywords == {DOG}
    assert "damaged" in change.notes[0]
    with pytest.raises(MetadataError, match=r"IMG\.jpg is damaged"):
        plan_file_change(photo, [DOG])


def test_a_keyword_the_photo_has_and_one_it_lacks_need_no_new_sidecar(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.nef")
    assert not plan_file_change(photo, [], [DOG]).changes
    assert not plan_file_change(photo).changes


def test_an_existing_sidecar_is_changed_and_given_back_byte_for_byte(tmp_path: Path) -> None:
    photo = folder(tmp_path, "IMG.nef", "IMG.xmp")
    change = plan_file_change(photo, [DOG])
    assert change.before == (tmp_path / "IMG.xmp").read_bytes()
    assert revert(change.after, "IMG.xmp", change.added) == change.before
    assert photo.read_bytes() == RAW
