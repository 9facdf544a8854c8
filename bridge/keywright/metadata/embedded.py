"""The metadata inside photo files, whatever their format: one door to the modules that know each."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from keywright.metadata import bmff, gif, iptc, irb, jpeg, png, psd, tiff, webp, windows
from keywright.metadata.base import FieldKeywords
from keywright.metadata.blocks import Blocks
from keywright.metadata.fields import IPTC, XP_KEYWORDS
from keywright.metadata.formats import Format, sniff
from keywright.metadata.packet import PacketError, scan_leniently
from keywright.metadata.streams import opened

_READERS = {
    Format.JPEG: jpeg.read,
    Format.TIFF: tiff.read,
    Format.RAW: tiff.read,
    Format.PNG: png.read,
    Format.WEBP: webp.read,
    Format.PSD: psd.read,
    Format.GIF: gif.read,
    Format.BMFF: bmff.read,
}
_RAF_PREVIEW = 84  # where a Fuji raw says where its JPEG is, which holds its metadata
_XP_KEYWORDS = (b"\x9e\x9c", b"\x9c\x9e")  # the tag in either byte order: a cheap look before Exif is parsed


@dataclass(slots=True)
class FieldsFound:
    """What blocks of metadata say: entries of keyword fields, texts about the photo, and what is wrong with them."""

    keywords: list[FieldKeywords] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    extended: str = ""  # the extended packet that a packet names

    def join(self, other: FieldsFound) -> None:
        self.keywords += other.keywords
        self.captions += other.captions
        self.warnings += other.warnings


def read_blocks(stream: BinaryIO, name: str) -> Blocks:
    """The blocks of metadata in a photo file; only the parts of the file that hold them are read."""
    stream.seek(0)
    kind = sniff(stream.read(32), name)
    if kind is Format.RAF:
        stream.seek(_RAF_PREVIEW)
        where = stream.read(8)
        stream.seek(int.from_bytes(where[:4], "big"))
        stream = io.BytesIO(stream.read(min(int.from_bytes(where[4:], "big"), 1 << 20)))
        kind = Format.JPEG
    reader = _READERS.get(kind)
    blocks = reader(stream) if reader else Blocks()
    if blocks.exif is not None and any(tag in blocks.exif[:4096] for tag in _XP_KEYWORDS):
        blocks.xp_keywords = tiff.read(cast(BinaryIO, io.BytesIO(blocks.exif))).xp_keywords
    return blocks


def read_fields(path: Path) -> FieldsFound:
    """What a photo file says in its keyword fields and captions, and what is wrong with them.

    Raises ``OSError`` where the file cannot be opened.
    """
    with opened(path) as stream:
        blocks = read_blocks(stream, path.name)
    return fields_of(blocks)


def iptc_of(blocks: Blocks) -> bytes | None:
    """The IPTC records, wherever the file keeps them."""
    if blocks.iptc is not None or blocks.irb is None:
        return blocks.iptc
    return irb.first(blocks.irb, irb.IPTC)


def fields_of(blocks: Blocks) -> FieldsFound:
    """The same of a file's blocks."""
    found = FieldsFound(warnings=list(blocks.warnings))
    if blocks.xmp is not None:
        main = packet_fields(blocks.xmp, "")
        found.join(main)
        if main.extended and main.extended in blocks.extended:
            found.join(packet_fields(blocks.extended[main.extended], ""))
    records = iptc_of(blocks)
    if records is not None:
        if names := iptc.keywords(records):
            found.keywords.append(FieldKeywords(IPTC, "", tuple(names)))
        found.captions += iptc.captions(records)
    if blocks.xp_keywords is not None and (names := windows.names(blocks.xp_keywords)):
        found.keywords.append(FieldKeywords(XP_KEYWORDS, "", tuple(names)))
    return found


def packet_fields(data: bytes, place: str) -> FieldsFound:
    """The same of a packet. ``place`` is the sidecar's name, "" for the photo itself."""
    name = place or "its XMP"
    try:
        packet = scan_leniently(data)
    except PacketError as error:
        return FieldsFound(warnings=[f"{name} is not read: {error}"])
    warnings = [f"{name} is damaged: {packet.damage}"] if packet.damage else []
    fields = [FieldKeywords(f.field.id, place, tuple(f.texts())) for f in packet.fields if f.items]
    return FieldsFound(fields, packet.captions, warnings, packet.extended)
