"""TIFF, BigTIFF, DNG and the camera raw formats built on TIFF: the metadata tags of the first directory.

Everything in a TIFF is found by its offset from the start. So nothing is ever moved: a block that grows is appended
to the file and its directory entry is pointed there; a new entry makes a new copy of the directory at the end.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal

from keywright.metadata import irb
from keywright.metadata.base import Edit, MetadataError, apply_edits
from keywright.metadata.blocks import Blocks
from keywright.metadata.data import Data
from keywright.metadata.streams import read_at

XMP = 700
IPTC = 33723
IRB = 34377
XP_KEYWORDS = 0x9C9E
C2PA = 0xCD41
_BYTE, _LONG, _UNDEFINED = 1, 4, 7
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = (3, 4, 13, 16, 18)
_DIRECTORIES = (330, 34665, 34853)  # SubIFDs, Exif, GPS
_DATA = ((273, 279), (324, 325), (513, 514))  # strips, tiles, JPEG: offsets and lengths
_MAX_BLOCK = 64 << 20
_MAX_DIRECTORIES = 1000


class TiffError(ValueError):
    """The structure cannot be followed; the text says why, for the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One directory entry. ``at`` is where its 12 (20) bytes stand, ``offset`` where its value does."""

    tag: int
    type: int
    count: int
    at: int
    offset: int
    raw: bytes

    @property
    def size(self) -> int:
        return self.count * _SIZES.get(self.type, 0)


@dataclass(frozen=True, slots=True)
class Directory:
    """The first directory; ``start`` and ``end`` enclose it with its count and the pointer to the next."""

    order: Literal["little", "big"]
    big: bool
    start: int
    end: int
    entries: tuple[Entry, ...]
    next: bytes

    @property
    def next_offset(self) -> int:
        return int.from_bytes(self.next, self.order)

    def get(self, tag: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.tag == tag), None)


def directory(stream: BinaryIO, base: int = 0, at: int | None = None) -> Directory:
    """The first directory of the TIFF structure at ``base``, or the one at offset ``at``. Raises ``TiffError``."""
    stream.seek(base)
    head = stream.read(16)
    if head[:2] not in (b"II", b"MM") or len(head) < 8:
        raise TiffError("it does not begin as a TIFF file does")
    order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
    big = int.from_bytes(head[2:4], order) == 43

    def number(data: bytes) -> int:
        return int.from_bytes(data, order)

    width, count_width, entry_size = (8, 8, 20) if big else (4, 2, 12)
    start = (number(head[8:16]) if big else number(head[4:8])) if at is None else at
    count_bytes = read_at(stream, base + start, count_width)
    count = number(count_bytes)
    if len(count_bytes) < count_width or not 0 < count <= 4096 or start < 8:
        raise TiffError("its first directory is damaged")
    table = read_at(stream, base + start + count_width, count * entry_size + width)
    if len(table) < count * entry_size:
        raise TiffError("its first directory is cut off")
    entries = []
    for index in range(count):
        raw = table[index * entry_size : (index + 1) * entry_size]
        kind, length = number(raw[2:4]), number(raw[4 : 4 + width])
        at = start + count_width + index * entry_size
        inline = length * _SIZES.get(kind, 0) <= width
        offset = at + entry_size - width if inline else number(raw[4 + width :])
        entries.append(Entry(number(raw[:2]), kind, length, at, offset, raw))
    end = start + count_width + len(table)
    return Directory(order, big, start, end, tuple(entries), table[count * entry_size :])


def value(stream: BinaryIO, entry: Entry | None, base: int = 0) -> bytes | None:
    """An entry's value, or ``None`` where it is absent, cut off or too large to be metadata."""
    if entry is None or not 0 < entry.size <= _MAX_BLOCK:
        return None
    data = read_at(stream, base + entry.offset, entry.size)
    return data if len(data) == entry.size else None


def _numbers(stream: BinaryIO, first: Directory, entry: Entry | None) -> list[int]:
    data = value(stream, entry) if entry is not None and entry.type in _INTEGERS else None
    if data is None or entry is None:
        return []
    size = _SIZES[entry.type]
    return [int.from_bytes(data[i : i + size], first.order) for i in range(0, len(data), size)]


def check_complete(stream: BinaryIO) -> None:
    """Raise ``TiffError`` where the file points behind its own end: what is appended there would be taken for it."""
    length = stream.seek(0, 2)
    first = directory(stream)
    todo = [first.start]
    seen: set[int] = set()
    while todo and len(seen) < _MAX_DIRECTORIES:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        here = directory(stream, at=at)
        ends = [here.start, *(entry.offset + entry.size for entry in here.entries)]
        for offsets, counts in _DATA:
            places, sizes = (_numbers(stream, here, here.get(tag)) for tag in (offsets, counts))
            ends += [place + size for place, size in zip(places, sizes or [0] * len(places), strict=False)]
        if max(ends) > length:
            raise TiffError("it is cut off: some of its data would lie behind its end")
        todo += [offset for tag in _DIRECTORIES for offset in _numbers(stream, here, here.get(tag))]
        todo += [here.next_offset] if here.next_offset else []


def read(stream: BinaryIO, base: int = 0) -> Blocks:
    blocks = Blocks()
    try:
        first = directory(stream, base)
    except TiffError as error:
        blocks.warnings.append(f"its metadata cannot be read: {error}")
        return blocks
    blocks.xmp = value(stream, first.get(XMP), base)
    blocks.iptc = value(stream, first.get(IPTC), base)
    blocks.irb = value(stream, first.get(IRB), base)
    blocks.xp_keywords = value(stream, first.get(XP_KEYWORDS), base)
    blocks.signed = first.get(C2PA) is not None
    return blocks


def with_xp_keywords(exif: bytes, value: bytes | None) -> bytes:
    """An Exif block with another value of XPKeywords (``None``: without). Raises ``MetadataError``."""
    try:
        first = directory(io.BytesIO(exif))
    except TiffError as error:
        raise MetadataError(f"{error}") from error
    return apply_edits(exif, _edits(exif, first, {XP_KEYWORDS: (_BYTE, value)}))


def replace(
    data: Data,
    stream: BinaryIO,
    blocks: Blocks,
    xmp: bytes | None,
    iptc: bytes | None,
    windows: bytes | Literal[False] | None,
) -> list[Edit]:
    """The edits that give a TIFF another packet (``None``: none), where not ``None`` other IPTC, and another value of
    XPKeywords (``None``: without; ``False``: as it is).
    """
    try:
        check_complete(stream)
        first = directory(stream)
    except TiffError as error:
        raise MetadataError(f"{error}") from error
    wanted: dict[int, tuple[int, bytes | None]] = {XMP: (_BYTE, xmp)}
    if iptc is not None and blocks.iptc is not None:
        wanted[IPTC] = (_UNDEFINED, iptc)
        if blocks.irb is not None:
            wanted[IRB] = (_BYTE, irb.with_iptc(blocks.irb, blocks.iptc, iptc, inside=False))
    if windows is not False:
        wanted[XP_KEYWORDS] = (_BYTE, windows)
    return _edits(data, first, wanted)


def _edits(data: Data, first: Directory, wanted: Mapping[int, tuple[int, bytes | None]]) -> list[Edit]:
    edits: list[Edit] = []
    tail = bytearray()
    table = {entry.tag: entry.raw for entry in first.entries}
    order = [entry.tag for entry in first.entries]
    if len(table) != len(order):
        raise MetadataError("its first directory lists a tag twice")
    end = len(data)
    width = 8 if first.big else 4

    def number(n: int, size: int) -> bytes:
        try:
            return n.to_bytes(size, first.order)
        except OverflowError as error:
            raise MetadataError("it would grow beyond the 4 GB that a TIFF file can hold") from error

    def append(block: bytes) -> int:
        tail.extend(b"\x00" * ((end + len(tail)) % 2))
        offset = end + len(tail)
        tail.extend(block)
        return offset

    def row(tag: int, kind: int, block: bytes, place: bytes) -> bytes:
        return number(tag, 2) + number(kind, 2) + number(len(block) // _SIZES[kind], width) + place

    for tag, (kind, block) in wanted.items():
        entry = first.get(tag)
        if block is None:
            table.pop(tag, None)
            continue
        if entry is not None:
            kind = entry.type if _SIZES.get(entry.type) in (1, 4) else kind
            block += b"\x00" * (-len(block) % _SIZES[kind])
            old = data[entry.offset : entry.offset + entry.size]
            if old == block:
                continue
            if width < len(block) <= len(old):
                edits.append(Edit(entry.offset, old, block + bytes(len(old) - len(block))))
                if len(block) < len(old):
                    table[tag] = row(tag, kind, block, number(entry.offset, width))
                continue
        place = block + bytes(width - len(block)) if len(block) <= width else number(append(block), width)
        table[tag] = row(tag, kind, block, place)
    if table.keys() == {entry.tag for entry in first.entries}:
        for entry in first.entries:
            if table[entry.tag] != entry.raw:
                edits.append(Edit(entry.at, entry.raw, table[entry.tag]))
    else:
        rows = b"".join(table[tag] for tag in sorted(table))
        copy = number(len(table), 8 if first.big else 2) + rows + (first.next or number(0, width))
        here = data[first.start : first.end]
        if len(copy) <= len(here):  # fewer entries: in place, what is left over is free
            edits.append(Edit(first.start, here, copy + here[len(copy) :]))
        else:
            pointer = 8 if first.big else 4
            edits.append(Edit(pointer, data[pointer : pointer + width], number(append(copy), width)))
    if tail:
        edits.append(Edit(end, b"", bytes(tail)))
    return edits
