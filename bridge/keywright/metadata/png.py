"""PNG: the text chunks that hold metadata."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from keywright.metadata import irb
from keywright.metadata.base import Edit, MetadataError
from keywright.metadata.blocks import Blocks
from keywright.metadata.data import Data
from keywright.metadata.streams import MAX_PARTS

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
    for _ in range(MAX_PARTS):
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


def replace(data: Data, stream: BinaryIO, xmp: bytes | None, iptc: bytes | None, exif: bytes | None) -> list[Edit]:
    """The edits that give a PNG another packet (``None``: none) and, where not ``None``, other IPTC and Exif."""
    place = old = None
    edits = []
    found = list(chunks(stream))
    if not found or found[-1].type != b"IEND" or found[-1].end > len(data):
        raise MetadataError("it is cut off: restore it from a backup")
    for chunk in found:
        if chunk.type == b"IDAT" and place is None:
            place = chunk.start
        if chunk.type == b"eXIf" and exif is not None:
            edits.append(Edit(chunk.start, data[chunk.start : chunk.end], _chunk(b"eXIf", exif)))
            exif = None
        if chunk.type not in _TEXT:
            continue
        keyword, text = _text(chunk)
        if keyword == _XMP or (keyword == _RAW_XMP and old is None):
            old = chunk
        elif keyword == _RAW_IPTC and iptc is not None and (profile := _raw_profile(text)):
            new = _with_text(chunk, _write_profile(text, _with_iptc(profile, iptc)))
            edits.append(Edit(chunk.start, data[chunk.start : chunk.end], new))
    if place is None:
        raise MetadataError("it holds no image data")
    if old is not None:
        new = b"" if xmp is None else _with_text(old, xmp) if old.data.startswith(_XMP) else _new_text(xmp)
        edits.append(Edit(old.start, data[old.start : old.end], new))
    elif xmp is not None:
        edits.append(Edit(place, b"", _new_text(xmp)))
    return edits


def _with_iptc(profile: bytes, iptc: bytes) -> bytes:
    if not profile.startswith(b"8BIM"):
        return iptc
    return irb.with_iptc(profile, irb.first(profile, irb.IPTC) or b"", iptc)


def _write_profile(text: bytes, profile: bytes) -> bytes:
    name = text.strip().split(b"\n", 1)[0]
    digits = profile.hex().encode()
    lines = [digits[at : at + 72] for at in range(0, len(digits), 72)]
    return b"\n%s\n%8d\n%s\n" % (name, len(profile), b"\n".join(lines))


def _new_text(xmp: bytes) -> bytes:
    return _chunk(b"iTXt", _XMP + b"\x00\x00\x00\x00\x00" + xmp)


def _with_text(chunk: Chunk, text: bytes) -> bytes:
    """The chunk with another text, packed as it was."""
    keyword, _, rest = chunk.data.partition(b"\x00")
    if chunk.type == b"tEXt":
        return _chunk(b"tEXt", keyword + b"\x00" + text)
    if chunk.type == b"zTXt":
        return _chunk(b"zTXt", keyword + b"\x00\x00" + zlib.compress(text))
    language, _, rest_ = rest[2:].partition(b"\x00")
    head = keyword + b"\x00" + rest[:2] + language + b"\x00" + rest_.partition(b"\x00")[0] + b"\x00"
    return _chunk(b"iTXt", head + (zlib.compress(text) if rest[:1] == b"\x01" else text))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


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
    """ImageMagick's form: a line with a name, one with the length, then the bytes in hexadecimal."""
    lines = text.strip().split(b"\n", 2)
    if len(lines) < 3:
        return None
    try:
        return bytes.fromhex(b"".join(lines[2].split()).decode("ascii"))
    except ValueError:
        return None
