"""GIF: the XMP application extension. GIF files are only ever read."""

from __future__ import annotations

from typing import BinaryIO

from keywright.metadata.blocks import Blocks

_XMP = b"XMP DataXMP"
_TRAILER = 258  # XMP lies there unblocked, followed by a trailer that leads a reader of blocks to the end
_MAX_BLOCKS = 1 << 20


def read(stream: BinaryIO) -> Blocks:
    blocks = Blocks()
    stream.seek(0)
    head = stream.read(13)
    if len(head) < 13:
        return blocks
    _skip_colours(stream, head[10])
    for _ in range(_MAX_BLOCKS):
        kind = stream.read(1)
        if kind == b"\x2c":  # an image
            _skip_colours(stream, (stream.read(9) or b"\x00")[-1])
            stream.seek(1, 1)
            _skip_blocks(stream)
        elif kind == b"\x21":
            label = stream.read(1)
            start = stream.tell()
            if label == b"\xff" and stream.read(12)[1:] == _XMP:
                start = stream.tell()
                _skip_blocks(stream)
                end = stream.tell()
                stream.seek(start)
                blocks.xmp = stream.read(end - start)[:-_TRAILER]
                return blocks
            stream.seek(start)
            _skip_blocks(stream)
        else:
            return blocks
    return blocks


def _skip_colours(stream: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        stream.seek(3 << ((flags & 7) + 1), 1)


def _skip_blocks(stream: BinaryIO) -> None:
    while size := stream.read(1):
        if size == b"\x00":
            return
        stream.seek(size[0], 1)
