"""Photoshop files (PSD and PSB): metadata are image resources; nothing behind them is found by absolute offset."""

from __future__ import annotations

from typing import BinaryIO

from keywright.metadata import irb
from keywright.metadata.base import Edit, MetadataError
from keywright.metadata.blocks import Blocks
from keywright.metadata.data import Data

_HEADER = 26
_PLAIN, _RUNS = b"\x00\x00", b"\x00\x01"
_MAX_RESOURCES = 256 << 20


def _section(stream: BinaryIO) -> tuple[int, int] | None:
    """Where the resources lie: offset of their length, and of the first byte behind them."""
    stream.seek(_HEADER)
    colour = stream.read(4)
    start = _HEADER + 4 + int.from_bytes(colour, "big")
    stream.seek(start)
    length = stream.read(4)
    if len(colour) < 4 or len(length) < 4:
        return None
    return start, start + 4 + int.from_bytes(length, "big")


def _has_picture(data: Data, layers: int) -> bool:
    """Whether the merged picture, which stands behind the layers (their section begins at ``layers``), is all there.

    How long one is that was packed with ZIP cannot be told.
    """
    header = data[:_HEADER]
    channels, height, width = (int.from_bytes(header[i:j], "big") for i, j in ((12, 14), (14, 18), (18, 22)))
    row = (width * int.from_bytes(header[22:24], "big") + 7) // 8
    large = header[5:6] == b"\x02"
    length = 8 if large else 4
    size = data[layers : layers + length]
    start = layers + length + int.from_bytes(size, "big")
    packing = data[start : start + 2]
    if len(size) < length or len(packing) < 2:
        return False
    needed = 0
    if packing == _PLAIN:
        needed = channels * height * row
    elif packing == _RUNS:
        count = 4 if large else 2
        table = data[start + 2 : start + 2 + channels * height * count]
        needed = channels * height * count
        needed += sum(int.from_bytes(table[at : at + count], "big") for at in range(0, len(table), count))
    return start + 2 + needed <= len(data)


def read(stream: BinaryIO) -> Blocks:
    blocks = Blocks()
    place = _section(stream)
    if place is None or place[1] - place[0] > _MAX_RESOURCES:
        blocks.warnings.append("its image resources cannot be read")
        return blocks
    stream.seek(place[0] + 4)
    blocks.irb = stream.read(place[1] - place[0] - 4)
    blocks.xmp = irb.first(blocks.irb, irb.XMP)
    return blocks


def replace(data: Data, stream: BinaryIO, blocks: Blocks, xmp: bytes | None, iptc: bytes | None) -> list[Edit]:
    """The edits that give a PSD another packet (``None``: none) and, where not ``None``, other IPTC."""
    place = _section(stream)
    if place is None or place[1] > len(data) or blocks.irb is None:
        raise MetadataError("its image resources are cut off")
    if not _has_picture(data, place[1]):
        raise MetadataError("it is cut off: restore it from a backup")
    resources = blocks.irb
    if xmp is not None or irb.first(resources, irb.XMP) is not None:
        resources = irb.replace(resources, irb.XMP, xmp)
    if iptc is not None:
        resources = irb.with_iptc(resources, irb.first(resources, irb.IPTC) or b"", iptc)
    start, end = place
    new = len(resources).to_bytes(4, "big") + resources
    return [Edit(start, data[start:end], new)]
