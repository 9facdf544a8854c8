"""PNG: the text chunks that hold metadata."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from keywright.metadata.base import Edit, MetadataError
from keywright.metadata.blocks import Blocks

_XMP = b"XML:com.adobe.xmp"
_RAW_XMP, _RAW_IPTC = (b"Raw profile type xmp", b"Raw profile type iptc")
_TEXT = {b"iTXt", b"tEXt", b"zTXt", b"eXIf"}
_MAX_TEXT = 64 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    type: bytes
    start: int
    end: int
    data: bytes  # only of chunks that can hold metadata


def chunks(stream: BinaryIO) -> Iterator[Chunk]:
    """The chunks in order. Ends early, without an error, where the file does."""
    position = 8
    while True:
        stream.seek(position)
        head = stream.read(8)
        if len(head) < 8:
            return
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        data = stream.read(length) if kind in _TEXT and length <= _MAX_TEXT else b""
        yield Chunk(kind, position, position + 12 + length, data)
        if kind == b"IEND":
            return
        position += 12 + length


def read(stream: BinaryIO) -> Blocks:
    blocks = Blocks()
    for chunk in chunks(stream):
        if chunk.type == b"eXIf":
            blocks.exif = blocks.exif or chunk.data
        elif chunk.type == b"caBX":
            blocks.signed = True
        elif chunk.type in _TEXT:
            keyword, text = _text(chunk)
            if keyword == _XMP or (keyword == _RAW_XMP and blocks.xmp is None):
                blocks.xmp = text if keyword == _XMP else _raw_profile(text)
            elif keyword == _RAW_IPTC:
                profile = _raw_profile(text)
                if profile and profile.startswith(b"8BIM"):
                    blocks.irb = profile
                else:
                    blocks.iptc = profile
    return blocks


def replace(data: bytes, stream: BinaryIO, xmp: bytes | None) -> list[Edit]:
    """The edits that give a PNG another packet (``None``: none)."""
    place = None
    old = None
    for chunk in chunks(stream):
        if chunk.type in (b"IDAT", b"IEND") and place is None:
            place = chunk.start
        if chunk.type in _TEXT:
            keyword, _ = _text(chunk)
            if keyword == _XMP or (keyword == _RAW_XMP and old is None):
                old = chunk
    if place is None:
        raise MetadataError("it holds no image data")
    if old is not None:
        if xmp is None:
            new = b""
        elif old.type == b"iTXt" and old.data[len(_XMP) + 1 : len(_XMP) + 2] == b"\x01":
            new = _chunk(_XMP + b"\x00\x01\x00\x00\x00" + zlib.compress(xmp))
        else:
            new = _chunk(_XMP + b"\x00\x00\x00\x00\x00" + xmp)
        return [Edit(old.start, data[old.start : old.end], new)]
    return [] if xmp is None else [Edit(place, b"", _chunk(_XMP + b"\x00\x00\x00\x00\x00" + xmp))]


def _chunk(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + b"iTXt" + data + zlib.crc32(b"iTXt" + data).to_bytes(4, "big")


def _text(chunk: Chunk) -> tuple[bytes, bytes]:
    """Keyword and text of a text chunk; text is empty where it cannot be unpacked."""
    keyword, _, rest = chunk.data.partition(b"\x00")
    if keyword not in (_XMP, _RAW_XMP, _RAW_IPTC):
        return keyword, b""
    if chunk.type == b"tEXt":
        return keyword, rest
    if chunk.type == b"zTXt":
        return keyword, _inflate(rest[1:])
    packed = rest[:1] == b"\x01"
    text = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
    return keyword, _inflate(text) if packed else text


def _inflate(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _MAX_TEXT)
    except zlib.error:
        return b""


def _raw_profile(text: bytes) -> bytes | None:
    """ImageMagick's form: a name, the length, then the bytes in hexadecimal."""
    words = text.split(None, 2)
    if len(words) < 3:
        return None
    try:
        return bytes.fromhex(b"".join(words[2].split()).decode("ascii"))
    except ValueError:
        return None
