"""JPEG: the segments before the image data, and what of them is metadata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from keywright.metadata.base import Edit, MetadataError
from keywright.metadata.blocks import Blocks

XMP = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\x00"
EXIF = b"Exif\x00"
PHOTOSHOP = b"Photoshop 3.0\x00"
MPF = b"MPF\x00"
MAX_XMP = 65502  # Adobe's limit for the packet in one segment
_SOS, _EOI, _SOI = 0xDA, 0xD9, 0xD8
_APP0, _APP1, _APP2, _APP13 = 0xE0, 0xE1, 0xE2, 0xED
_EXTENDED_HEAD = len(EXTENDED) + 32 + 4 + 4


@dataclass(frozen=True, slots=True)
class Segment:
    """``start`` is the offset of the 0xFF of the marker, ``end`` the first byte behind the segment."""

    marker: int
    start: int
    end: int
    payload: bytes


def segments(stream: BinaryIO) -> Iterator[Segment]:
    """The segments up to the image data. Ends early, without an error, where the file does."""
    position = 2
    stream.seek(position)
    while True:
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return
        while head[1] == 0xFF:  # fill bytes
            position += 1
            head = head[1:] + stream.read(1)
            if len(head) < 4:
                return
        marker = head[1]
        if marker in (_SOS, _EOI):
            return
        if marker == 0x01 or 0xD0 <= marker <= _SOI:
            position += 2
            stream.seek(position)
            continue
        length = int.from_bytes(head[2:4], "big")
        if length < 2:
            return
        payload = b""
        if marker in (_APP1, _APP2, _APP13):
            payload = stream.read(length - 2)
            if len(payload) < length - 2:
                return
        else:
            stream.seek(length - 2, 1)
        yield Segment(marker, position, position + 2 + length, payload)
        position += 2 + length


def read(stream: BinaryIO) -> Blocks:
    blocks = Blocks()
    extended: dict[bytes, dict[int, bytes]] = {}
    irb = b""
    for segment in segments(stream):
        payload = segment.payload
        if segment.marker == _APP1 and payload.startswith(XMP):
            if blocks.xmp is None:
                blocks.xmp = payload[len(XMP) :]
        elif segment.marker == _APP1 and payload.startswith(EXTENDED):
            guid, offset, data = _extended_part(payload)
            extended.setdefault(guid, {})[offset] = data
        elif segment.marker == _APP1 and payload.startswith(EXIF):
            blocks.exif = blocks.exif or payload[6:]
        elif segment.marker == _APP13 and payload.startswith(PHOTOSHOP):
            irb += payload[len(PHOTOSHOP) :]
    blocks.irb = irb or None
    blocks.extended = {
        guid.decode("latin-1"): b"".join(data for _, data in sorted(parts.items())) for guid, parts in extended.items()
    }
    return blocks


def _extended_part(payload: bytes) -> tuple[bytes, int, bytes]:
    head = payload[len(EXTENDED) : _EXTENDED_HEAD]
    return head[:32], int.from_bytes(head[36:40], "big"), payload[_EXTENDED_HEAD:]


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def replace_xmp(data: bytes, stream: BinaryIO, xmp: bytes | None) -> list[Edit]:
    """The edits that give a JPEG another packet (``None``: none)."""
    if xmp is not None and len(xmp) > MAX_XMP:
        raise MetadataError("its XMP would be larger than a JPEG segment holds")
    new = b"" if xmp is None else _segment(_APP1, XMP + xmp)
    place = 2
    for segment in segments(stream):
        if segment.marker == _APP1 and segment.payload.startswith(XMP):
            return [Edit(segment.start, data[segment.start : segment.end], new)]
        if segment.marker == _APP0 or (segment.marker == _APP1 and segment.payload.startswith(EXIF)):
            place = segment.end
    return [Edit(place, b"", new)] if new else []
