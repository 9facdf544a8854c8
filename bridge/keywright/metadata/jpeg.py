"""JPEG: the segments before the image data, and what of them is metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal

from keywright.metadata import irb
from keywright.metadata.base import Edit, MetadataError
from keywright.metadata.blocks import Blocks
from keywright.metadata.data import Data
from keywright.metadata.streams import MAX_PARTS

XMP = b"http://ns.adobe.com/xap/1.0/\x00"
EXTENDED = b"http://ns.adobe.com/xmp/extension/\x00"
EXIF = b"Exif\x00"
PHOTOSHOP = b"Photoshop 3.0\x00"
MPF = b"MPF\x00"
MAX_XMP = 65502  # Adobe's limit for the packet in one segment
_SOS, _EOI, _SOI = 0xDA, 0xD9, 0xD8
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 without DHT, JPG and DAC
_BACKWARDS = 1 << 20
_APP0, _APP1, _APP2, _APP11, _APP13 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED
_EXTENDED_HEAD = len(EXTENDED) + 32 + 4 + 4
_EXTENDED_PART = 65400  # of the extended packet in one segment, as Adobe cuts it
_MAX_PAYLOAD = 65533
_RESOURCE_PART = _MAX_PAYLOAD - len(PHOTOSHOP)
_MP_ENTRY = 0xB002


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
    for _ in range(MAX_PARTS):
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
        if marker in (_APP1, _APP2, _APP11, _APP13):
            payload = stream.read(length - 2)
            if len(payload) < length - 2:
                return
        else:
            stream.seek(length - 2, 1)
        yield Segment(marker, position, position + 2 + length, payload)
        position += 2 + length


def read(stream: BinaryIO) -> Blocks:
    blocks = Blocks()
    extended: dict[str, dict[int, bytes]] = {}
    totals: dict[str, int] = {}
    resources = b""
    for segment in segments(stream):
        payload = segment.payload
        if segment.marker == _APP1 and payload.startswith(XMP):
            if blocks.xmp is None:
                blocks.xmp = payload[len(XMP) :]
        elif segment.marker == _APP1 and payload.startswith(EXTENDED):
            head = payload[len(EXTENDED) : _EXTENDED_HEAD]
            guid = head[:32].decode("latin-1")
            totals[guid] = int.from_bytes(head[32:36], "big")
            extended.setdefault(guid, {})[int.from_bytes(head[36:40], "big")] = payload[_EXTENDED_HEAD:]
        elif segment.marker == _APP1 and payload.startswith(EXIF):
            blocks.exif = blocks.exif or payload[6:]
        elif segment.marker == _APP13 and payload.startswith(PHOTOSHOP):
            resources += payload[len(PHOTOSHOP) :]
        elif segment.marker == _APP11 and b"c2pa" in payload[:128]:
            blocks.signed = True
    blocks.irb = resources or None
    for guid, parts in extended.items():
        whole = b"".join(data for _, data in sorted(parts.items()))
        if len(whole) == totals[guid]:
            blocks.extended[guid] = whole
    return blocks


def replace(
    data: Data,
    stream: BinaryIO,
    blocks: Blocks,
    xmp: bytes | None,
    iptc: bytes | None,
    extended: bytes | None,
    exif: bytes | None,
) -> list[Edit]:
    """The edits that give a JPEG another packet (``None``: none) and, where not ``None``, other blocks.

    The packet names the extended part it belongs to by its MD5; a caller that changes the one changes the other.
    """
    if xmp is not None and len(xmp) > MAX_XMP:
        raise MetadataError("its XMP would be larger than a JPEG segment holds")
    check_complete(data, stream)
    found = list(segments(stream))
    edits = _main(data, found, xmp)
    if exif is not None:
        edits += _exif(found, exif)
    if extended is not None:
        edits += _extended(data, found, extended)
    if iptc is not None and blocks.irb is not None:
        old = irb.first(blocks.irb, irb.IPTC) or b""
        edits += _resources(data, found, irb.with_iptc(blocks.irb, old, iptc))
    return edits + _pictures(found, edits)


def check_complete(data: Data, stream: BinaryIO) -> None:
    """Raise ``MetadataError`` where this is no whole picture: no frame, no scan, or no end of the image.

    Within a scan 0xFF is followed by 0x00 or by a restart marker, so an end marker behind the headers is a true one.
    """
    headers = 2
    framed = False
    for segment in segments(stream):
        headers = segment.end
        framed = framed or segment.marker in _FRAMES
    behind = data[headers : headers + 64]
    if not framed or behind[:1] != b"\xff" or behind.lstrip(b"\xff")[:1] != bytes((_SOS,)):
        raise MetadataError("its headers lead to no picture; save it anew in an image editor")
    end = len(data)
    while end > headers:
        start = max(headers, end - _BACKWARDS)
        if bytes((0xFF, _EOI)) in data[start : end + 1]:
            return
        end = start
    raise MetadataError("it is cut off: restore it from a backup")


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2, "big") + payload


def _main(data: Data, found: Sequence[Segment], xmp: bytes | None) -> list[Edit]:
    new = b"" if xmp is None else _segment(_APP1, XMP + xmp)
    place = 2
    for segment in found:
        if segment.marker == _APP1 and segment.payload.startswith(XMP):
            return [Edit(segment.start, data[segment.start : segment.end], new)]
        if segment.marker == _APP0 or (segment.marker == _APP1 and segment.payload.startswith(EXIF)):
            place = segment.end
    return [Edit(place, b"", new)] if new else []


def _exif(found: Sequence[Segment], exif: bytes) -> list[Edit]:
    segment = next(s for s in found if s.marker == _APP1 and s.payload.startswith(EXIF))
    head, old = segment.payload[: len(EXIF) + 1], segment.payload[len(EXIF) + 1 :]
    if len(head) + len(exif) > _MAX_PAYLOAD:
        raise MetadataError("its Exif would be larger than a JPEG segment holds")
    return [Edit(segment.start, _segment(_APP1, head + old), _segment(_APP1, head + exif))]


def _extended(data: Data, found: Sequence[Segment], extended: bytes) -> list[Edit]:
    """The extended part in segments anew, where the first of them was; all others go."""
    guid = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper().encode()
    total = len(extended).to_bytes(4, "big")
    new = b"".join(
        _segment(_APP1, EXTENDED + guid + total + at.to_bytes(4, "big") + extended[at : at + _EXTENDED_PART])
        for at in range(0, len(extended), _EXTENDED_PART)
    )
    edits = []
    for segment in found:
        if segment.marker == _APP1 and segment.payload.startswith(EXTENDED):
            edits.append(Edit(segment.start, data[segment.start : segment.end], new))
            new = b""
    if new:
        main = next((s for s in found if s.marker == _APP1 and s.payload.startswith(XMP)), None)
        if main is None:
            raise MetadataError("it has no XMP segment for the extended part to follow")
        edits.append(Edit(main.end, b"", new))
    return edits


def _resources(data: Data, found: Sequence[Segment], blocks: bytes) -> list[Edit]:
    ours = [s for s in found if s.marker == _APP13 and s.payload.startswith(PHOTOSHOP)]
    edits = []
    for index, segment in enumerate(ours):
        last = index == len(ours) - 1
        size = _RESOURCE_PART if last else len(segment.payload) - len(PHOTOSHOP)
        part, blocks = blocks[:size], blocks[size:]
        new = _segment(_APP13, PHOTOSHOP + part)
        while last and blocks:
            part, blocks = blocks[:_RESOURCE_PART], blocks[_RESOURCE_PART:]
            new += _segment(_APP13, PHOTOSHOP + part)
        edits.append(Edit(segment.start, data[segment.start : segment.end], new))
    return edits


def _pictures(found: Sequence[Segment], edits: Sequence[Edit]) -> list[Edit]:
    """The multi-picture index (CIPA DC-007) set right: the first picture's size, and how far the others are.

    Offsets count from the index's own header, so they change by what grows between it and the other pictures.
    """
    growth = sum(len(edit.new) - len(edit.old) for edit in edits)
    segment = next((s for s in found if s.marker == _APP2 and s.payload.startswith(MPF)), None)
    if segment is None or not edits:
        return []
    header = segment.start + 4 + len(MPF)
    behind = sum(len(edit.new) - len(edit.old) for edit in edits if edit.start > header)
    body = segment.payload[len(MPF) :]
    order: Literal["little", "big"] = "little" if body[:2] == b"II" else "big"
    at = int.from_bytes(body[4:8], order)
    patches = []
    for row in range(at + 2, at + 2 + 12 * min(int.from_bytes(body[at : at + 2], order), 64), 12):
        if int.from_bytes(body[row : row + 2], order) != _MP_ENTRY:
            continue
        size, start = (int.from_bytes(body[i : i + 4], order) for i in (row + 4, row + 8))
        for entry in range(start, min(start + size, len(body) - 15), 16):
            length, offset = (int.from_bytes(body[i : i + 4], order) for i in (entry + 4, entry + 8))
            place, number, by = (entry + 8, offset, behind) if offset else (entry + 4, length, growth)
            if by:
                patches.append(Edit(header + place, body[place : place + 4], (number + by).to_bytes(4, order)))
    return patches
