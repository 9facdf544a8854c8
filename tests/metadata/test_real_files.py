"""Two keywords into every real file and out again, with exiftool and exiv2 as witnesses; and what real files say."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from benchmarks import metadata_roundtrip

from keywright.keywords import KeywordPath
from keywright.metadata import FileKeywords, read_keywords
from keywright.metadata.base import Edit, apply_edits
from keywright.metadata.embedded import read_blocks
from metadata.pictures import FILES

pytestmark = pytest.mark.shared


@pytest.mark.slow
@pytest.mark.parametrize("collection", ["sidecars", "metadata", "formats"])
def test_no_real_file_is_damaged_by_two_keywords(shared: Path, tmp_path: Path, collection: str) -> None:
    for witness in ("exiftool", "exiv2"):
        if shutil.which(witness) is None:
            pytest.skip(f"{witness} is not installed")
    report = metadata_roundtrip.run(metadata_roundtrip.collect([shared / collection]), tmp_path)
    assert {str(trial.source): trial.damage for trial in report.damaged} == {}
    assert len(report.written) > 0.9 * len(report.trials)
    assert all("not written to" in trial.refused for trial in report.refused)


def test_the_command_of_the_docs_tells_damage_from_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for witness in ("exiftool", "exiv2"):
        if shutil.which(witness) is None:
            pytest.skip(f"{witness} is not installed")
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    assert metadata_roundtrip.main([str(tmp_path)]) == 0
    assert re.search(rf"^all +{len(FILES)} +{len(FILES)} +0 +0 +0$", capsys.readouterr().out, re.MULTILINE)

    def careless(data: bytes, edits: Iterable[Edit]) -> bytes:
        after = bytearray(apply_edits(data, edits))
        after[-20] ^= 1  # a bit of the picture
        return bytes(after)

    monkeypatch.setattr("keywright.metadata.changing.apply_edits", careless)
    assert metadata_roundtrip.main([str(tmp_path / "plain.jpg")]) == 1
    assert "the picture is another" in capsys.readouterr().out


def read_sidecar(folder: Path, sidecar: Path) -> FileKeywords:
    """The sidecar's keywords, as those of a photo it lies beside."""
    photo = folder / f"{sidecar.stem}.nef"
    photo.write_bytes(b"II*\x00")
    (folder / f"{photo.name}.xmp").write_bytes(sidecar.read_bytes())
    return read_keywords(photo)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("digikam8.2_allns_20240128_185808.JPG.xmp", {"Travel"}),
        ("lr-hier_niepce_test.xmp", {"choir", "night", "ontario|ottawa", "ontario|ottawa|parliament of canada"}),
        ("lr6.14-win_ladybug_exiftool.xmp", {"Ladybug"}),
        ("acr11.3.1_canon_eos_6d.xmp", set()),
        ("digikam_27A1417.CR2.xmp", set()),
    ],
)
def test_what_programs_wrote_into_sidecars_is_read(shared: Path, tmp_path: Path, name: str, keywords: set[str]) -> None:
    found = read_sidecar(tmp_path, shared / "sidecars" / name)
    assert {str(path) for path in found.keywords} == keywords
    assert found.warnings == ("its metadata cannot be read: it does not begin as a TIFF file does",)


def test_lightrooms_nested_keywords_are_read_with_their_levels_and_none_twice(shared: Path) -> None:
    photo = shared / "metadata" / "Lightroom-nested-keywords" / "small" / "SHM-001.jpg"
    found = read_keywords(photo)
    assert KeywordPath.of("~1~DATES", "1900-1999", "1920s") in found.keywords
    listed = next(source.items for source in found.sources if source.field == "lr:hierarchicalSubject")
    assert {str(path) for path in found.keywords} == set(listed)
    assert {source.field for source in found.sources} == {"dc:subject", "lr:hierarchicalSubject", "iptc"}


@pytest.mark.parametrize(
    "name",
    [
        "heif/L_exif_xmp_iptc.heic",
        "jxl_jp2/Reagan.jxl",
        "jxl_jp2/compressed_xmp.jxl",
        "jxl_jp2/Reagan.jp2",
        "video/uuid540.mp4",
        "video/BlueSquare.mov",
        "avif/metadata.avif",
    ],
)
def test_files_that_only_get_sidecars_are_read_inside_as_well(shared: Path, name: str) -> None:
    path = shared / "formats" / name
    with path.open("rb") as stream:
        blocks = read_blocks(stream, path.name)
    assert blocks.xmp is not None
    assert b"RDF" in blocks.xmp


def test_every_real_file_is_read_without_an_exception(shared: Path) -> None:
    files = [*metadata_roundtrip.collect([shared / "metadata", shared / "formats", shared / "sidecars"])]
    assert len(files) > 350
    with_keywords = sum(bool(read_keywords(file).keywords) for file in files)
    assert with_keywords > 90
