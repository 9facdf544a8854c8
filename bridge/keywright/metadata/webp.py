"""WebP: the chunks of its RIFF container (WebP container specification, "Extended File Format")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from keywright.metadata.base import Edit, MetadataError
from keywright.metadata.blocks import Blocks
from keywright.metadata.data import Data
from keywright.metadata.streams import MAX_PARTS

_XMP_FLAG, _ALPHA_FLAG = 0x04, 0x10
_MAX_BLOCK = 64 << 20
_EXIF_HEAD = b"Exif\x00\x00"  # some programs put it before Exif, as in JPEG


@dataclass(frozen=True, slots=True)
class Chunk:
    type: bytes
    start: int
    end: int  # with the padding byte
    size: int


def chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """The chunks inside the RIFF. Ends early, without an error, where the file does."""
    stream.seek(4)
    end = 8 + int.from_bytes(stream.read(4), "little")
    position = 12
    for _ in range(MAX_PARTS):
        if position + 8 > end:
            return
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            return
        size = int.from_bytes(head[4:], "little")
        yield Chunk(head[:4], position, position + 8 + size + size % 2, size)
        position += 8 + size + size % 2


def _data(stream: BinaryIO, chunk: Chunk) -> bytes | None:
    if chunk.size > _MAX_BLOCK:
        return None
    stream.seek(chunk.start + 8)
    return stream.read(chunk.size)


def read(stream: BinaryIO) -> Blocks:
    blocks = Blocks()
    for chunk in chunks(stream):
        if chunk.type == b"XMP " and blocks.xmp is None:
            blocks.xmp = _data(stream, chunk)
        elif chunk.type == b"EXIF" and blocks.exif is None:
            exif = _data(stream, chunk)
            blocks.exif = exif.removeprefix(_EXIF_HEAD) if exif else None
        elif chunk.type == b"C2PA":
            blocks.signed = True
    return blocks


def replace(data: Data, stream: BinaryIO, xmp: bytes | None, exif: bytes | None) -> list[Edit]:
    """The edits that give a WebP another packet (``None``: none) and, where not ``None``, other Exif.

    A simple file becomes an extended one for its first packet.
    """
    found = list(chunks(stream))
    riff_end = 8 + int.from_bytes(data[4:8], "little")
    if not found or found[-1].end != riff_end or riff_end > len(data):
        raise MetadataError("its chunks are cut off or damaged")
    old = next((chunk for chunk in found if chunk.type == b"XMP "), None)
    extended = next((chunk for chunk in found if chunk.type == b"VP8X"), None)
    if xmp is None and old is None and exif is None:
        return []
    new = b"" if xmp is None else _chunk(b"XMP ", xmp)
    edits = []
    if exif is not None:
        place = next(chunk for chunk in found if chunk.type == b"EXIF")
        was = data[place.start : place.end]
        head = _EXIF_HEAD if was[8:].startswith(_EXIF_HEAD) else b""
        edits.append(Edit(place.start, was, _chunk(b"EXIF", head + exif)))
    if old is not None:
        edits.append(Edit(old.start, data[old.start : old.end], new))
    elif new:
        edits.append(Edit(found[-1].end, b"", new))
    if extended is not None:
        at = extended.start + 8
        flags = data[at : at + 1][0]
        wanted = flags | _XMP_FLAG if new else flags & ~_XMP_FLAG
        edits.append(Edit(at, bytes((flags,)), bytes((wanted,))))
    elif new:
        edits.append(Edit(12, b"", _extended_head(data, found[0])))
    growth = sum(len(edit.new) - len(edit.old) for edit in edits)
    edits.append(Edit(4, data[4:8], (found[-1].end + growth - 8).to_bytes(4, "little")))
    return edits


def _chunk(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(4, "little") + data + b"\x00" * (len(data) % 2)


def _extended_head(data: Data, image: Chunk) -> bytes:
    body = data[image.start + 8 : image.start + 8 + 10]
    flags = _XMP_FLAG
    if image.type == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[i : i + 2], "little") & 0x3FFF for i in (6, 8))
    elif image.type == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags |= _ALPHA_FLAG if bits >> 28 & 1 else 0
    else:
        raise MetadataError("its image data are of an unknown kind")
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X" + (10).to_bytes(4, "little") + bytes((flags, 0, 0, 0)) + size
