"""Titles, headlines and captions are read wherever programs put them, with ExifTool as the witness that wrote them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from keywright.metadata import read_keywords
from keywright.metadata.packet import scan
from keywright.metadata.reading import MOST_CAPTION

needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="ExifTool is not installed")
TITLE, CAPTION, HEADLINE = "Grandma's birthday", "Großmutter bläst in Köln die Kerzen aus", "Family news"
XMP = (f"-XMP-dc:Title={TITLE}", f"-XMP-dc:Description={CAPTION}", f"-XMP-photoshop:Headline={HEADLINE}")
IPTC = (f"-IPTC:ObjectName={TITLE}", f"-IPTC:Caption-Abstract={CAPTION}", f"-IPTC:Headline={HEADLINE}")


def exiftool(*arguments: str | Path) -> None:
    command = ["exiftool", "-q", "-overwrite_original", "-charset", "utf8", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def picture(file: Path) -> Path:
    Image.new("RGB", (16, 16), (90, 120, 150)).save(file)
    return file


@needs_exiftool
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_texts_in_the_photo_are_read(tmp_path: Path, suffix: str) -> None:
    file = picture(tmp_path / f"a{suffix}")
    exiftool(*XMP, "-XMP-dc:Subject=Family", file)
    read = read_keywords(file)
    assert sorted(read.caption.splitlines()) == sorted([TITLE, CAPTION, HEADLINE])
    assert {str(path) for path in read.keywords} == {"Family"}
    assert read.warnings == ()


@needs_exiftool
@pytest.mark.parametrize("charset", [(), ("-IPTC:CodedCharacterSet=UTF8",)])
def test_iptc_texts_are_read_in_their_own_character_set(tmp_path: Path, charset: tuple[str, ...]) -> None:
    file = picture(tmp_path / "a.jpg")
    exiftool(*charset, *IPTC, file)
    assert sorted(read_keywords(file).caption.splitlines()) == sorted([TITLE, CAPTION, HEADLINE])


@needs_exiftool
def test_what_several_fields_repeat_is_there_once_and_every_language_is(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.jpg")
    exiftool(*XMP, *IPTC, "-XMP-dc:Description-fr=Elle souffle les bougies", file)
    lines = read_keywords(file).caption.splitlines()
    assert sorted(lines) == sorted([TITLE, CAPTION, HEADLINE, "Elle souffle les bougies"])


@needs_exiftool
def test_a_sidecars_texts_are_the_photos(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.jpg")
    exiftool(f"-XMP-dc:Description={CAPTION}", "-o", tmp_path / "a.xmp", file)
    assert read_keywords(file).caption == CAPTION


@pytest.mark.parametrize(
    "written",
    [
        "<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>Rain &amp; sun</rdf:li></rdf:Alt></dc:title>",
        "<dc:title>Rain &amp; sun</dc:title>",
        "<dc:title rdf:parseType='Resource'><rdf:value>Rain &amp; sun</rdf:value></dc:title>",
    ],
)
def test_texts_are_read_however_xmp_spells_them(written: str) -> None:
    data = (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'>{written}"
        "<dc:subject><rdf:Bag><rdf:li>Wet</rdf:li></rdf:Bag></dc:subject>"
        "<dc:creator><rdf:Seq><rdf:li>A. Name</rdf:li></rdf:Seq></dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    found = scan(data.encode())
    assert found.captions == ["Rain & sun"]
    assert [field.texts() for field in found.fields] == [["Wet"]]


def test_a_headline_that_is_an_attribute_is_read() -> None:
    data = (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' "
        "photoshop:Headline='Rain' photoshop:City='Bergen'/></rdf:RDF></x:xmpmeta>"
    )
    assert scan(data.encode()).captions == ["Rain"]


def test_a_text_of_megabytes_is_cut(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.jpg")
    (tmp_path / "a.xmp").write_text(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        f"<dc:title>{'long ' * 1_000_000}</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    assert len(read_keywords(file).caption) == MOST_CAPTION
