"""HEIF, AVIF, CR3, MP4, QuickTime, JPEG XL and JPEG 2000: XMP in their boxes. These files are only ever read.

Structure after ISO/IEC 14496-12 (boxes, ``meta``, ``iinf``, ``iloc``) and the XMP specification part 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from keywright.metadata.blocks import Blocks
from keywright.metadata.streams import read_at

_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC_UUID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_MAX_BLOCK = 64 << 20
_MAX_BOXES = 4096


@dataclass(frozen=True, slots=True)
class Box:
    type: bytes
    start: int  # of its content
    end: int


def boxes(stream: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes from ``start`` up to ``end``. Ends early, without an error, where they make no sense."""
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        head = read_at(stream, start, 16)
        if len(head) < 8:
            return
        size, content = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), start + 16
        stop = end if size == 0 else start + size
        if stop < content or stop > end:
            return
        yield Box(head[4:8], content, stop)
        start = stop


def _content(stream: BinaryIO, start: int, end: int) -> bytes:
    return read_at(stream, start, min(end - start, _MAX_BLOCK))


def read(stream: BinaryIO) -> Blocks:
    blocks = Blocks()
    end = stream.seek(0, 2)
    for box in boxes(stream, 0, end):
        if box.type == b"uuid":
            uuid = _content(stream, box.start, min(box.end, box.start + 16))
            if uuid == _XMP_UUID and blocks.xmp is None:
                blocks.xmp = _content(stream, box.start + 16, box.end)
            elif uuid == _IPTC_UUID:
                blocks.iptc = _content(stream, box.start + 16, box.end)
        elif box.type == b"xml " and blocks.xmp is None:
            blocks.xmp = _content(stream, box.start, box.end)
        elif box.type == b"brob" and blocks.xmp is None:
            data = _content(stream, box.start, box.end)
            if data[:4] == b"xml ":
                blocks.xmp = _unbrotli(data[4:], blocks)
        elif box.type == b"meta":
            blocks.xmp = _item(stream, box) or blocks.xmp
        elif box.type == b"moov":
            for inside in boxes(stream, box.start, box.end):
                if inside.type == b"udta":
                    for user in boxes(stream, inside.start, inside.end):
                        if user.type == b"XMP_" and blocks.xmp is None:
                            blocks.xmp = _content(stream, user.start, user.end)
    return blocks


def _unbrotli(data: bytes, blocks: Blocks) -> bytes | None:
    import imagecodecs

    try:
        return bytes(imagecodecs.brotli_decode(data, out=None))
    except (RuntimeError, ValueError, MemoryError):
        blocks.warnings.append("its compressed XMP cannot be unpacked")
        return None


class _Reader:
    """Big-endian numbers, one after the other; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def number(self, size: int) -> int:
        self.at += size
        return int.from_bytes(self.data[self.at - size : self.at], "big")

    def string(self) -> bytes:
        end = self.data.find(b"\x00", self.at)
        end = len(self.data) if end < 0 else end
        text, self.at = self.data[self.at : end], end + 1
        return text


def _item(stream: BinaryIO, meta: Box) -> bytes | None:
    """The XMP item of a HEIF ``meta`` box."""
    wanted = None
    places: dict[int, list[tuple[int, int]]] = {}
    for box in boxes(stream, meta.start + 4, meta.end):
        if box.type == b"iinf":
            version = int.from_bytes(_content(stream, box.start, box.start + 1), "big")
            for info in boxes(stream, box.start + (6 if version == 0 else 8), box.end):
                wanted = _xmp_item(_content(stream, info.start, info.end)) or wanted
        elif box.type == b"iloc":
            places = _locations(_content(stream, box.start, box.end))
    if wanted is None or wanted not in places:
        return None
    parts = places[wanted]
    if sum(length for _, length in parts) > _MAX_BLOCK:
        return None
    return b"".join(_content(stream, offset, offset + length) for offset, length in parts) or None


def _xmp_item(info: bytes) -> int | None:
    """The id of an ``infe`` entry that is XMP."""
    version = info[0] if info else 0
    if version < 2:
        return None
    reader = _Reader(info[4:])
    item = reader.number(2 if version == 2 else 4)
    reader.number(2)
    kind = reader.number(4).to_bytes(4, "big")
    reader.string()
    return item if kind == b"mime" and reader.string() == b"application/rdf+xml" else None


def _locations(data: bytes) -> dict[int, list[tuple[int, int]]]:
    """Offset and length of each extent of each item that lies in the file itself."""
    version = data[0] if data else 0
    reader = _Reader(data[4:])
    sizes = reader.number(2)
    offset_size, length_size, base_size = sizes >> 12 & 15, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    count = reader.number(2 if version < 2 else 4)
    places: dict[int, list[tuple[int, int]]] = {}
    for _ in range(min(count, len(data))):
        item = reader.number(2 if version < 2 else 4)
        method = reader.number(2) & 15 if version in (1, 2) else 0
        reader.number(2)
        base = reader.number(base_size)
        if reader.at > len(data):
            break
        extents = []
        for _ in range(min(reader.number(2), 1024)):
            reader.number(index_size)
            offset = base + reader.number(offset_size)
            if reader.at > len(data):
                break
            extents.append((offset, reader.number(length_size)))
        if method == 0:
            places[item] = extents
    return places
