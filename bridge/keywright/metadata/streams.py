"""Reading at offsets that a damaged or hostile file names."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from keywright import platform

MAX_PARTS = 100_000  # segments, chunks, records of one file; more than any real one has
_FARTHEST = 1 << 60  # beyond what any file system holds, within what every platform can seek to


def opened(path: Path) -> BinaryIO:
    """The file, open for reading, however long its path is. Raises ``OSError``."""
    return platform.system_path(path).open("rb")


def read_at(stream: BinaryIO, offset: int, size: int) -> bytes:
    """Up to ``size`` bytes at ``offset``; nothing where there can be none."""
    if not 0 <= offset < _FARTHEST or size <= 0:
        return b""
    stream.seek(offset)
    return stream.read(size)
