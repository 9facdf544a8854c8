"""What the camera wrote of how a photo was taken: when, and with which camera and lens (EXIF 2.32).

Read for automatic keywords alone. Damaged or missing EXIF is common and no error: what cannot be read is not told.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, cast

from keywright.metadata import bmff, irb, tiff
from keywright.metadata.embedded import read_blocks
from keywright.metadata.formats import Format, sniff
from keywright.metadata.streams import opened, read_at
from keywright.text import one_line

_MAKE, _MODEL, _EXIF_IFD = 0x010F, 0x0110, 0x8769
_TAKEN, _DIGITISED, _ISO = 0x9003, 0x9004, 0x8827
_APERTURE, _FOCAL_LENGTH, _LENS = 0x829D, 0x920A, 0xA434
_ASCII, _SHORT, _RATIONAL = 2, 3, 5
_LONGEST = 512  # bytes of one value; a name that is longer is none
_CANON_UUID = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")  # the box of a CR3 that holds its TIFF structures
_EXIF_BLOCK = 1 << 20
_PHOTOSHOP_EXIF = 1058


@dataclass(frozen=True, slots=True)
class Shot:
    """``None`` where the file does not tell."""

    taken: datetime | None = None  # the camera's local time
    maker: str | None = None
    camera: str | None = None
    lens: str | None = None
    iso: int | None = None
    focal_length: float | None = None  # millimetres
    aperture: float | None = None  # the f-number

    def fields(self) -> dict[str, str]:
        """What is told, as texts by the names that templates use."""
        found = {
            "year": self.taken and f"{self.taken.year:04d}",
            "month": self.taken and f"{self.taken.month:02d}",
            "day": self.taken and f"{self.taken.day:02d}",
            "maker": self.maker,
            "camera": self.camera,
            "lens": self.lens,
            "iso": self.iso and str(self.iso),
            "focal_length": self.focal_length and f"{self.focal_length:g} mm",
            "aperture": self.aperture and f"f/{self.aperture:g}",
        }
        return {name: value for name, value in found.items() if value}


FIELDS = ("year", "month", "day", "maker", "camera", "lens", "iso", "focal_length", "aperture")


def read_shot(path: Path) -> Shot:
    """What a photo file tells of how it was taken; a file that is not there, or tells nothing, gives an empty one."""
    try:
        with opened(path) as stream:
            return _shot(stream, path)
    except OSError:
        return Shot()


def _shot(stream: BinaryIO, path: Path) -> Shot:
    kind = sniff(stream.read(32), path.name)
    if kind in (Format.TIFF, Format.RAW):
        return _of(_tags(stream, exif=True))
    if kind is Format.BMFF:
        return _of(_canon(stream) or _of_block(_plain(stream) or _heif(path)))
    blocks = read_blocks(stream, path.name)
    if kind is Format.PSD and blocks.irb is not None:
        return _of(_of_block(irb.first(blocks.irb, _PHOTOSHOP_EXIF)))
    return _of(_of_block(blocks.exif))


Tags = Mapping[int, str | int | float]


def _tags(stream: BinaryIO, *, exif: bool, at: int | None = None) -> dict[int, str | int | float]:
    """The values of one directory, with those of the Exif directory it names."""
    found: dict[int, str | int | float] = {}
    try:
        here = tiff.directory(stream, at=at)
    except tiff.TiffError:
        return found
    for entry in here.entries:
        if entry.size > _LONGEST or entry.tag not in _WANTED:
            continue
        data = tiff.value(stream, entry)
        if data is None:
            continue
        if entry.type == _ASCII:
            found[entry.tag] = data.partition(b"\x00")[0].decode("utf-8", "replace").strip()
        elif entry.type == _RATIONAL:
            over, under = struct.unpack(">II" if here.order == "big" else "<II", data[:8])
            if under:
                found[entry.tag] = over / under
        else:
            size = 2 if entry.type == _SHORT else 4
            found[entry.tag] = int.from_bytes(data[:size], here.order)
    below = found.pop(_EXIF_IFD, None)
    if exif and isinstance(below, int):
        found |= _tags(stream, exif=False, at=below)
    return found


_WANTED = {_MAKE, _MODEL, _EXIF_IFD, _TAKEN, _DIGITISED, _ISO, _APERTURE, _FOCAL_LENGTH, _LENS}


def _of_block(block: bytes | None) -> Tags:
    return _tags(cast(BinaryIO, io.BytesIO(block)), exif=True) if block else {}


def _canon(stream: BinaryIO) -> Tags:
    """A CR3 keeps its main and its Exif directory as two TIFF structures of their own."""
    end = stream.seek(0, 2)
    found: dict[int, str | int | float] = {}
    for movie in bmff.boxes(stream, 0, end):
        if movie.type != b"moov":
            continue
        for inside in bmff.boxes(stream, movie.start, movie.end):
            if inside.type == b"uuid" and read_at(stream, inside.start, 16) == _CANON_UUID:
                for box in bmff.boxes(stream, inside.start + 16, inside.end):
                    if box.type in (b"CMT1", b"CMT2"):
                        block = read_at(stream, box.start, min(box.end - box.start, _EXIF_BLOCK))
                        found |= _of_block(block)
    return found


def _plain(stream: BinaryIO) -> bytes | None:
    """The Exif box of a JPEG XL: four bytes that say where the TIFF structure begins, then that."""
    for box in bmff.boxes(stream, 0, stream.seek(0, 2)):
        if box.type == b"Exif":
            block = read_at(stream, box.start, min(box.end - box.start, _EXIF_BLOCK))
            return block[4 + int.from_bytes(block[:4], "big") :]
    return None


def _heif(path: Path) -> bytes | None:
    """The Exif block of a HEIF or AVIF, by the library that decodes them; nothing is decoded."""
    import pillow_heif

    try:
        block = pillow_heif.open_heif(path, convert_hdr_to_8bit=False).info.get("exif")
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError):
        return None
    return block.removeprefix(b"Exif\x00\x00") if isinstance(block, bytes) else None


def _of(tags: Tags) -> Shot:
    iso = tags.get(_ISO)
    return Shot(
        _when(tags.get(_TAKEN)) or _when(tags.get(_DIGITISED)),
        _name(tags.get(_MAKE)),
        _name(tags.get(_MODEL)),
        _name(tags.get(_LENS)),
        iso if isinstance(iso, int) and iso > 0 else None,
        _measure(tags.get(_FOCAL_LENGTH)),
        _measure(tags.get(_APERTURE)),
    )


def _when(text: object) -> datetime | None:
    """``2024:05:01 12:30:00``; cameras without a clock write zeros or blanks."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    return found if found.year > 1800 else None


def _name(text: object) -> str | None:
    """A name a person would write: printable, its white space single; one that is only dashes or zeros is none."""
    if not isinstance(text, str):
        return None
    clean = one_line(text)
    return clean if any(c.isalpha() for c in clean) or clean.strip("-0. ") else None


def _measure(number: object) -> float | None:
    return round(float(number), 1) if isinstance(number, int | float) and 0 < number < 100_000 else None
