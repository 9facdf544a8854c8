"""The few EXIF values that change how a picture looks: its orientation, and whether it is in Adobe RGB.

Damaged EXIF is common and never a reason to lose a picture: what cannot be read is as if it were not there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import Image
from PIL.Image import Transpose

_ORIENTATION = 0x0112
_EXIF_IFD = 0x8769
_INTEROP_IFD = 0xA005
_INTEROP_INDEX = 0x0001
_MAX_ENTRIES = 1000

_UPRIGHT: dict[int, Transpose] = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Look:
    """``orientation``: EXIF's 1 to 8; ``adobe_rgb``: the camera says so where it embeds no profile (DCF "R03")."""

    orientation: int = 1
    adobe_rgb: bool = False


def read_look(exif: bytes | None) -> Look:
    """Read an EXIF block: a TIFF header and directories, with or without the leading ``Exif\\0\\0``."""
    if not exif:
        return Look()
    tiff = exif[6:] if exif.startswith(b"Exif\x00") else exif
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return Look()
    first = _entries(tiff, order, _number(tiff, order, 4, 4))
    orientation = first.get(_ORIENTATION, 1)
    interop = _entries(tiff, order, _entries(tiff, order, first.get(_EXIF_IFD, 0)).get(_INTEROP_IFD, 0))
    index = struct.pack(f"{order}I", interop.get(_INTEROP_INDEX, 0))
    return Look(orientation if 1 <= orientation <= 8 else 1, adobe_rgb=index == b"R03\x00")


def _entries(tiff: bytes, order: str, offset: int) -> dict[int, int]:
    """Tag to value of one directory: the first value of a short, else the four bytes as a number."""
    if not 8 <= offset <= len(tiff) - 2:
        return {}
    entries: dict[int, int] = {}
    for number in range(min(_number(tiff, order, offset, 2), _MAX_ENTRIES)):
        at = offset + 2 + 12 * number
        if at + 12 > len(tiff):
            break
        is_short = _number(tiff, order, at + 2, 2) == 3
        entries.setdefault(_number(tiff, order, at, 2), _number(tiff, order, at + 8, 2 if is_short else 4))
    return entries


def _number(tiff: bytes, order: str, offset: int, length: int) -> int:
    value: int = struct.unpack_from(f"{order}{'H' if length == 2 else 'I'}", tiff, offset)[0]
    return value


def swaps_sides(orientation: int) -> bool:
    """Whether a picture stored in this orientation lies on its side."""
    return orientation >= 5


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as the photographer saw it."""
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)
