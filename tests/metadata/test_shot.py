"""What the camera wrote is read from real files of every kind, and damage is never an error."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright.metadata.shot import FIELDS, Shot, read_shot


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("raw/CanonRaw.cr2", ("2005", "Canon EOS 350D DIGITAL", "55 mm")),
        ("raw/CanonRaw.cr3", ("2018", "Canon EOS M50", "15 mm")),
        ("raw/FujiFilm.raf", ("2007", "FinePix S5Pro", "70 mm")),
        ("raw/Nikon.nef", ("2004", "NIKON D70", "18 mm")),
        ("raw/fixture-sony-zv-e10.arw", ("2021", "ZV-E10", "29 mm")),
        ("raw/Panasonic.rw2", ("2008", "DMC-LX3", "5.1 mm")),
        ("raw/IMG_1361.dng", ("2020", "iPhone 12 Pro", "4.2 mm")),
        ("heif/iphone_7.heic", ("2018", "iPhone 7", "4 mm")),
        ("jxl_jp2/Reagan.jxl", ("2004", "NIKON D1X", "42 mm")),
        ("psd/metadata.psd", ("2025", "KImageFormats", None)),
        ("raw/SigmaDP2.x3f", (None, None, None)),
    ],
)
def test_year_camera_and_focal_length_are_read_from_real_files(
    shared: Path, name: str, told: tuple[str | None, ...]
) -> None:
    fields = read_shot(shared / "formats" / name).fields()
    assert tuple(fields.get(field) for field in ("year", "camera", "focal_length")) == told


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="compares with exiftool, which is not here")
def test_exiftool_reads_the_same_camera_lens_and_date(shared: Path) -> None:
    photos = sorted(p for p in (shared / "metadata").rglob("*") if p.suffix.lower() in (".jpg", ".tif", ".cr2", ".nef"))
    asked = ["-EXIF:Model", "-EXIF:LensModel", "-EXIF:DateTimeOriginal", "-EXIF:CreateDate"]
    listed = "\n".join(map(str, photos)).encode()
    ran = subprocess.run(["exiftool", "-j", *asked, "-@", "-"], input=listed, capture_output=True, check=False)
    differing = []
    for one in json.loads(ran.stdout.decode("utf-8", "replace")):
        shot = read_shot(Path(one["SourceFile"]))
        date = str(one.get("DateTimeOriginal") or one.get("CreateDate") or "")[:4]
        wanted = (" ".join(str(one.get(k, "")).split()) or None for k in ("Model", "LensModel"))
        if (shot.camera, shot.lens, shot.fields().get("year")) != (*wanted, date if date.strip("0: ") else None):
            differing.append(one["SourceFile"])
    assert len(photos) > 100
    assert len(differing) <= 0.02 * len(photos), differing  # names in no known character set, tags of other types


def test_a_file_that_is_away_tells_nothing(tmp_path: Path) -> None:
    assert read_shot(tmp_path / "away.jpg") == Shot()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 4000), st.sampled_from(["jpeg/*.jpg", "raw/CanonRaw.cr3", "raw/*.nef"]))
def test_damaged_files_are_never_an_error(
    shared: Path, tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, pattern: str
) -> None:
    whole = next(iter(sorted((shared / "formats").glob(pattern)))).read_bytes()[:20_000]
    damaged = tmp_path_factory.getbasetemp() / f"damaged{Path(pattern).suffix}"
    damaged.write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    assert set(read_shot(damaged).fields()) <= set(FIELDS)
