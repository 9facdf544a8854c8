"""The merged picture that Photoshop keeps in a PSD or PSB file beside its layers.

Layers are not read: they are seeked over, so a composite of a gigabyte costs what its merged picture costs. The layout
is Adobe's "Photoshop File Formats Specification". Written here because Pillow reads 8-bit PSD only, no PSB, and
psd-tools reads all layers first.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from keywright.renditions.base import How
from keywright.renditions.colour import Colour
from keywright.renditions.exif import read_look
from keywright.renditions.geometry import Framing
from keywright.renditions.limits import check_size
from keywright.renditions.picture import Picture, to_eight_bits
from keywright.renditions.raster import decode_jpeg

_BITMAP, _GREY, _INDEXED, _RGB, _CMYK, _MULTICHANNEL, _DUOTONE, _LAB = 0, 1, 2, 3, 4, 7, 8, 9
_COLOURS = {_BITMAP: 1, _GREY: 1, _INDEXED: 1, _RGB: 3, _CMYK: 4, _MULTICHANNEL: 1, _DUOTONE: 1, _LAB: 3}
_ICC_PROFILE, _THUMBNAIL, _VERSION_INFO, _EXIF = 1039, 1036, 1057, 1058
_RAW, _RLE = 0, 1
_THUMBNAIL_HEADER = 28
_LAYER_HEAD = 4096  # enough of the layers' section to see how many there are


class PsdError(ValueError):
    """The file is not as the specification has it."""


@dataclass(frozen=True, slots=True)
class Header:
    is_large: bool  # PSB
    channels: int
    height: int
    width: int
    depth: int  # bits a sample: 1, 8, 16, 32 (floating point)
    mode: int


def decode_psd(path: Path, framing: Framing) -> Picture:
    """Decode the merged picture; the embedded thumbnail where the file was saved without one."""
    with path.open("rb") as file:
        header = _read_header(file)
        palette = _read_block(file)
        resources = _read_resources(_read_block(file))
        version = resources.get(_VERSION_INFO)
        if version is not None and len(version) > 4 and version[4] == 0:  # hasRealMergedData
            return _thumbnail(resources, framing)
        layers = _number(file, "Q" if header.is_large else "I")
        start = file.tell()
        has_alpha = _first_extra_channel_is_alpha(file.read(min(layers, _LAYER_HEAD)), header)
        file.seek(start + layers)
        planes = _read_planes(file, header, has_alpha)
    look = read_look(resources.get(_EXIF))
    image = _image_of(planes, header, palette)
    return Picture(image, look.orientation, Colour(icc=resources.get(_ICC_PROFILE)))


def _thumbnail(resources: dict[int, bytes], framing: Framing) -> Picture:
    thumbnail = resources.get(_THUMBNAIL)
    if thumbnail is None or len(thumbnail) <= _THUMBNAIL_HEADER:
        raise PsdError("it was saved without a merged picture (Photoshop: Maximize Compatibility)")
    return decode_jpeg(io.BytesIO(thumbnail[_THUMBNAIL_HEADER:]), framing, How.PREVIEW)


def _read(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise PsdError("it is cut short")
    return data


def _number(file: BinaryIO, code: str) -> int:
    value: int = struct.unpack(f">{code}", _read(file, struct.calcsize(code)))[0]
    return value


def _read_block(file: BinaryIO) -> bytes:
    return _read(file, _number(file, "I"))


def _read_header(file: BinaryIO) -> Header:
    signature, version, channels, height, width, depth, mode = struct.unpack(">4sH6xHIIHH", _read(file, 26))
    if signature != b"8BPS" or version not in (1, 2) or mode not in _COLOURS or depth not in (1, 8, 16, 32):
        raise PsdError("its header is damaged")
    if not (1 <= channels <= 56 and height and width) or channels < _COLOURS[mode]:
        raise PsdError("its header is damaged")
    check_size(width, height)
    return Header(version == 2, channels, height, width, depth, mode)


def _read_resources(block: bytes) -> dict[int, bytes]:
    resources: dict[int, bytes] = {}
    at = 0
    while at + 12 <= len(block) and block[at : at + 4] in (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR"):
        number = struct.unpack_from(">H", block, at + 4)[0]
        at += 6 + (block[at + 6] // 2 + 1) * 2  # its name, a Pascal string padded to even
        if at + 4 > len(block):
            break
        length = struct.unpack_from(">I", block, at)[0]
        resources.setdefault(number, block[at + 4 : at + 4 + length])
        at += 4 + (length + 1) // 2 * 2
    return resources


def _first_extra_channel_is_alpha(layers: bytes, header: Header) -> bool:
    """Whether the channel after the colours is the picture's transparency: it may also be a selection the user saved.

    Photoshop says so by a negative number of layers; files of 16 and 32 bits hold that number in a block further on.
    """
    size = 8 if header.is_large else 4
    at = size if layers[:size].strip(b"\0") else -1
    for key in (b"Lr16", b"Lr32"):
        found = layers.find(b"8BIM" + key)
        if at < 0 and found >= 0:
            at = found + 8 + size
    return 0 <= at <= len(layers) - 2 and int(struct.unpack_from(">h", layers, at)[0]) < 0


def _read_planes(file: BinaryIO, header: Header, has_alpha: bool) -> NDArray[np.uint8]:
    """The samples as eight bits, shape (colours or colours + 1 for alpha, height, width)."""
    extra = 1 if has_alpha and header.mode in (_GREY, _RGB) else 0
    wanted = min(header.channels, _COLOURS[header.mode] + extra)
    row_bytes = (header.width * header.depth + 7) // 8
    compression = _number(file, "H")
    if compression == _RAW:
        data = _read(file, wanted * header.height * row_bytes)
    elif compression == _RLE:
        data = _unpack_rows(file, header, wanted, row_bytes)
    else:
        raise PsdError(f"its merged picture is compressed in an unknown way ({compression})")
    rows = np.frombuffer(data, dtype=np.uint8).reshape(wanted, header.height, row_bytes)
    if header.depth == 1:
        bits = np.unpackbits(rows, axis=2)[:, :, : header.width]
        return (1 - bits) * np.uint8(255)  # a set bit is black
    samples = rows.reshape(-1).view({8: ">u1", 16: ">u2", 32: ">f4"}[header.depth])
    return to_eight_bits(samples.reshape(wanted, header.height, header.width))


def _unpack_rows(file: BinaryIO, header: Header, wanted: int, row_bytes: int) -> bytes:
    import imagecodecs  # late

    code = ">u4" if header.is_large else ">u2"
    rows = header.channels * header.height
    lengths = np.frombuffer(_read(file, rows * np.dtype(code).itemsize), dtype=code)[: wanted * header.height]
    unpacked = []
    for length in lengths.tolist():
        row = imagecodecs.packbits_decode(_read(file, length))
        if len(row) < row_bytes:
            raise PsdError("its merged picture is damaged")
        unpacked.append(bytes(row[:row_bytes]))
    return b"".join(unpacked)


def _image_of(planes: NDArray[np.uint8], header: Header, palette: bytes) -> Image.Image:
    bands = [Image.fromarray(np.ascontiguousarray(plane)) for plane in planes]
    if header.mode == _INDEXED:
        image = bands[0]
        colours = np.frombuffer(palette[:768], dtype=np.uint8).reshape(3, -1).T
        image.putpalette(colours.tobytes())
        return image
    if header.mode == _CMYK:  # Photoshop stores ink upside down
        return Image.merge("CMYK", [Image.fromarray(np.invert(plane)) for plane in planes[:4]])
    if header.mode == _LAB:
        return Image.merge("LAB", bands[:3])
    modes = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
    return bands[0] if len(bands) == 1 else Image.merge(modes[len(bands)], bands)
