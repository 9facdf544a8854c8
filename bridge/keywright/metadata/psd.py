"""Photoshop files (PSD and PSB): metadata are image resources; nothing behind them is found by absolute offset."""

from __future__ import annotations

from typing import BinaryIO

from keywright.metadata import irb
from keywright.metadata.base import Edit, MetadataError
from keywright.metadata.blocks import Blocks
from keywright.metadata.data import Data

_HEADER = 26
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
    resources = blocks.irb
    if xmp is not None or irb.first(resources, irb.XMP) is not None:
        resources = irb.replace(resources, irb.XMP, xmp)
    if iptc is not None:
        resources = irb.with_iptc(resources, irb.first(resources, irb.IPTC) or b"", iptc)
    start, end = place
    new = len(resources).to_bytes(4, "big") + resources
    return [Edit(start, data[start:end], new)]
