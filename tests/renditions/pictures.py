"""Pictures that the tests of this room are about: a packaged photograph, and shapes that show when they are turned."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from keywright.renditions.base import Pixels

# How EXIF's orientation 1 to 8 says that an upright picture was stored.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def corners(width: int = 480, height: int = 320) -> Image.Image:
    """Red, green, blue and white quarters: upper left, upper right, lower left, lower right."""
    image = Image.new("RGB", (width, height), "white")
    image.paste((220, 30, 30), (0, 0, width // 2, height // 2))
    image.paste((30, 220, 30), (width // 2, 0, width, height // 2))
    image.paste((30, 30, 220), (0, height // 2, width // 2, height))
    return image


def difference(one: Pixels, other: Pixels) -> float:
    """Mean absolute difference of two pictures of one size, 0 to 255."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())


def exif_with_orientation(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def stored_as(image: Image.Image, orientation: int) -> Image.Image:
    turn = STORED[orientation]
    return image if turn is None else image.transpose(turn)


def png_of_size(width: int, height: int) -> bytes:
    """A PNG whose header promises that size, with a few kilobytes of zeros behind it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    zeros = zlib.compress(bytes(1 << 20))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zeros) + chunk(b"IEND", b"")


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def psd_of(samples: np.ndarray, mode: int, *, layers: int = 0, large: bool = False) -> bytes:  # type: ignore[type-arg]
    """A PSD (or PSB) of samples shape (channels, height, width), uncompressed, its layer count as given."""
    channels, height, width = samples.shape
    depth = samples.dtype.itemsize * 8
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 2 if large else 1, channels, height, width, depth, mode)
    size = ">Q" if large else ">I"
    layer_info = struct.pack(">h", layers) if layers else b""
    section = struct.pack(size, len(layer_info)) + layer_info
    planes = samples.astype(samples.dtype.newbyteorder(">")).tobytes()
    return head + struct.pack(">II", 0, 0) + struct.pack(size, len(section)) + section + struct.pack(">H", 0) + planes
