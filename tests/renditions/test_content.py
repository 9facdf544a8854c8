"""A photo keeps its vector when it is moved or re-keyworded, and gets a new one when it is edited."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from keywright.renditions.base import RenditionError
from keywright.renditions.content import content_id
from renditions.pictures import corners, exif_with_orientation, saved

WRITTEN_INTO = ("JPEG", "PNG", "WEBP", "TIFF")
exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")


def write_keywords(file: Path) -> None:
    tags = ["-XMP-dc:Subject=Dog", "-XMP-lr:HierarchicalSubject=Animals|Dog", "-IPTC:Keywords=Dog", "-EXIF:Artist=A"]
    subprocess.run(["exiftool", "-q", "-overwrite_original", *tags, str(file)], check=True)


@exiftool
@pytest.mark.parametrize("kind", WRITTEN_INTO)
def test_a_photo_that_gets_keywords_keeps_its_content_id(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"photo.{kind.lower()}"
    file.write_bytes(saved(Image.fromarray(data.astronaut()), kind))
    before, size = content_id(file), file.stat().st_size
    write_keywords(file)
    assert file.stat().st_size != size
    assert content_id(file) == before


@exiftool
@pytest.mark.parametrize("name", ["psd/metadata.psd", "psd/8bit-photoshop.psb", "raw/colorchart.dng"])
def test_a_real_file_that_gets_keywords_keeps_its_content_id(tmp_path: Path, shared: Path, name: str) -> None:
    file = tmp_path / Path(name).name
    file.write_bytes((shared / "formats" / name).read_bytes())
    before, bytes_before = content_id(file), file.read_bytes()
    write_keywords(file)
    assert file.read_bytes() != bytes_before
    assert content_id(file) == before


@pytest.mark.parametrize("kind", [*WRITTEN_INTO, "GIF", "BMP"])
def test_an_edited_photo_has_another_content_id(tmp_path: Path, kind: str) -> None:
    image = Image.fromarray(data.astronaut())
    (tmp_path / "before").write_bytes(saved(image, kind))
    image.paste((255, 255, 255), (100, 100, 140, 140))
    (tmp_path / "after").write_bytes(saved(image, kind))
    assert content_id(tmp_path / "before") != content_id(tmp_path / "after")


@pytest.mark.parametrize("kind", WRITTEN_INTO)
def test_a_photo_turned_by_its_orientation_tag_has_another_content_id(tmp_path: Path, kind: str) -> None:
    for orientation in (1, 6):
        turned = saved(corners(), kind, exif=exif_with_orientation(orientation))
        (tmp_path / str(orientation)).write_bytes(turned)
    assert content_id(tmp_path / "1") != content_id(tmp_path / "6")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_photo_given_another_profile_has_another_content_id(tmp_path: Path, kind: str) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    (tmp_path / "plain").write_bytes(saved(corners(), kind))
    (tmp_path / "tagged").write_bytes(saved(corners(), kind, icc_profile=profile))
    assert content_id(tmp_path / "plain") != content_id(tmp_path / "tagged")


def test_a_moved_photo_keeps_its_content_id(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(saved(corners(), "JPEG"))
    before = content_id(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "b.jpeg")
    assert content_id(tmp_path / "b.jpeg") == before


def test_damaged_files_still_have_ids_of_their_own(tmp_path: Path) -> None:
    whole = saved(corners(), "JPEG")
    ids = set()
    for length in range(4, len(whole), max(1, len(whole) // 50)):
        (tmp_path / "cut.jpg").write_bytes(whole[:length])
        ids.add(content_id(tmp_path / "cut.jpg"))
    assert len(ids) == len(range(4, len(whole), max(1, len(whole) // 50)))


def test_an_empty_or_missing_file_has_no_content_id(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    for name in ("empty.jpg", "missing.jpg"):
        with pytest.raises(RenditionError, match=name):
            content_id(tmp_path / name)


def test_no_two_real_files_of_different_pictures_share_an_id(shared: Path) -> None:
    files = [path for path in (shared / "formats").rglob("*") if path.is_file() and path.stat().st_size]
    by_bytes = {path.read_bytes(): content_id(path) for path in files}
    assert len(set(by_bytes.values())) == len(by_bytes)
