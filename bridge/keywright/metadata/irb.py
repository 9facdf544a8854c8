"""Photoshop image resources (8BIM blocks), as PSD files, JPEG's APP13 and TIFF's tag 34377 hold them.

Layout after the Photoshop file format specification, "Image Resources Section".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from keywright.metadata.streams import MAX_PARTS

IPTC = 0x0404
XMP = 0x0424
IPTC_DIGEST = 0x0425
_SIGNATURES = (b"8BIM", b"8B64", b"AgHg", b"DCSR", b"MeSa", b"PHUT")


class ResourceError(ValueError):
    """The blocks do not follow one another as they should; the text says so, for the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Resource:
    """``start`` and ``end`` enclose the whole block, with its padding."""

    id: int
    start: int
    end: int
    data: bytes


def resources(blocks: bytes, *, strict: bool = False) -> list[Resource]:
    """The blocks in order. Stops at what is no block; with ``strict`` raises ``ResourceError`` there instead."""
    found: list[Resource] = []
    position = 0
    while position + 12 <= len(blocks) and len(found) < MAX_PARTS:
        if blocks[position : position + 4] not in _SIGNATURES:
            break
        name_end = position + 7 + blocks[position + 6]
        name_end += (name_end - position) % 2  # the Pascal string is padded to an even length
        size = int.from_bytes(blocks[name_end : name_end + 4], "big")
        data_end = name_end + 4 + size
        if data_end > len(blocks):
            break
        end = min(data_end + size % 2, len(blocks))
        found.append(
            Resource(
                int.from_bytes(blocks[position + 4 : position + 6], "big"),
                position,
                end,
                blocks[name_end + 4 : data_end],
            )
        )
        position = end
    if strict and blocks[position:].strip(b"\x00"):
        raise ResourceError("its Photoshop resources are damaged")
    return found


def first(blocks: bytes, wanted: int) -> bytes | None:
    return next((resource.data for resource in resources(blocks) if resource.id == wanted), None)


def replace(blocks: bytes, wanted: int, data: bytes | None) -> bytes:
    """The blocks with the data of the first resource of that kind replaced, removed (``None``) or appended.

    Raises ``ResourceError`` where the blocks cannot be followed to their end.
    """
    for resource in resources(blocks, strict=True):
        if resource.id == wanted:
            if data is None:
                return blocks[: resource.start] + blocks[resource.end :]
            head_end = resource.start + 7 + blocks[resource.start + 6]
            head_end += (head_end - resource.start) % 2
            block = blocks[resource.start : head_end] + _sized(data)
            return blocks[: resource.start] + block + blocks[resource.end :]
    if data is None:
        return blocks
    return blocks + b"8BIM" + wanted.to_bytes(2, "big") + b"\x00\x00" + _sized(data)


def with_iptc(blocks: bytes, old: bytes, new: bytes, *, inside: bool = True) -> bytes:
    """The blocks after IPTC has changed from ``old`` to ``new``; ``inside`` says whether it lies in the blocks.

    The digest tells MWG-conforming readers whether IPTC and XMP were last written together. It is renewed where it
    was right; one that was wrong already said that IPTC is newer than XMP, and must go on saying so.
    """
    if inside:
        blocks = replace(blocks, IPTC, new)
    digest = first(blocks, IPTC_DIGEST)
    if digest is not None and digest == hashlib.md5(old, usedforsecurity=False).digest():
        blocks = replace(blocks, IPTC_DIGEST, hashlib.md5(new, usedforsecurity=False).digest())
    return blocks


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data + b"\x00" * (len(data) % 2)
