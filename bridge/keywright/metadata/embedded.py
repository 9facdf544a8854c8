"""The metadata inside photo files, whatever their format: one door to the modules that know each."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from keywright.metadata import jpeg
from keywright.metadata.base import FieldKeywords
from keywright.metadata.blocks import Blocks
from keywright.metadata.formats import Format, sniff


def read_blocks(stream: BinaryIO, name: str) -> Blocks:
    """The blocks of metadata in a photo file; only the parts of the file that hold them are read."""
    stream.seek(0)
    kind = sniff(stream.read(32), name)
    if kind is Format.JPEG:
        return jpeg.read(stream)
    return Blocks()


def read_fields(path: Path) -> tuple[list[FieldKeywords], list[str]]:
    """The keyword fields inside a photo file, and what is wrong with them.

    Raises ``OSError`` where the file cannot be opened.
    """
    with path.open("rb") as stream:
        blocks = read_blocks(stream, path.name)
    return fields_of(blocks)


def fields_of(blocks: Blocks) -> tuple[list[FieldKeywords], list[str]]:
    from keywright.metadata.reading import packet_fields

    fields: list[FieldKeywords] = []
    warnings = list(blocks.warnings)
    for packet in (blocks.xmp, *blocks.extended.values()):
        if packet is not None:
            found, problems = packet_fields(packet, "")
            fields += found
            warnings += problems
    return fields, warnings
