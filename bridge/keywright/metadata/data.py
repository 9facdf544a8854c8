"""The bytes of a file, however many: small files are held in memory, large ones are read where they lie.

Writers of metadata look at a few places of a file and change fewer. So they are given ``Data``, which ``bytes`` are,
and what they plan is a list of edits: a file of some gigabytes is planned, compared and copied in pieces of a megabyte.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, cast

from keywright.metadata.streams import opened

if TYPE_CHECKING:
    from keywright.metadata.base import Edit

HELD = 64 << 20
"""Files up to this many bytes are held in memory."""

PIECE = 1 << 20


class Data(Protocol):
    """Bytes that can be cut out anywhere: ``data[start:end]`` (no step, nothing counted from the end)."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> bytes: ...


class FileData:
    """A file's bytes, read when they are asked for. Nothing is kept open, so the file can be replaced meanwhile.

    Reading raises ``OSError``, also where the file has become shorter than it was.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with opened(path) as stream:
            self._length = stream.seek(0, io.SEEK_END)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice, /) -> bytes:
        start, end = _bounds(part, self._length)
        if start >= end:
            return b""
        with opened(self.path) as stream:
            stream.seek(start)
            found = stream.read(end - start)
        if len(found) < end - start:
            raise OSError(f"{self.path.name} has become shorter while it was read")
        return found


class PatchedData:
    """Other bytes with edits made in them, put together only where they are looked at.

    ``edits`` refer to ``source``, in order of ``start``, and do not overlap.
    """

    def __init__(self, source: Data, edits: Iterable[Edit]) -> None:
        self.source = source
        self.edits = tuple(edits)
        self._spans: list[tuple[int, int | bytes]] = []  # where each part begins, and: an offset of source, or bytes
        position = at = 0
        for edit in self.edits:
            if edit.start > at:
                self._spans.append((position, at))
                position += edit.start - at
            if edit.new:
                self._spans.append((position, edit.new))
                position += len(edit.new)
            at = edit.start + len(edit.old)
        if at < len(source):
            self._spans.append((position, at))
            position += len(source) - at
        self._length = position
        self._starts = [start for start, _ in self._spans]

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice, /) -> bytes:
        start, end = _bounds(part, self._length)
        found = []
        index = max(bisect_right(self._starts, start) - 1, 0)
        while start < end and index < len(self._spans):
            begins, what = self._spans[index]
            ends = self._starts[index + 1] if index + 1 < len(self._spans) else self._length
            here = min(end, ends)
            if isinstance(what, bytes):
                found.append(what[start - begins : here - begins])
            else:
                found.append(self.source[what + start - begins : what + here - begins])
            start = here
            index += 1
        return b"".join(found)


class _Raw(io.RawIOBase):
    def __init__(self, data: Data) -> None:
        self._data = data
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._data)}[whence]
        if base + offset < 0:
            raise ValueError("a position before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer).cast("B")
        found = self._data[self._position : self._position + len(view)]
        view[: len(found)] = found
        self._position += len(found)
        return len(found)


def read_data(path: Path) -> Data:
    """A file's bytes: in memory up to ``HELD``, else where they lie. Raises ``OSError``."""
    with opened(path) as stream:
        if stream.seek(0, io.SEEK_END) <= HELD:
            stream.seek(0)
            return stream.read()
    return FileData(path)


def stream_of(data: Data) -> BinaryIO:
    """The data as a file that is open for reading."""
    if isinstance(data, bytes):
        return io.BytesIO(data)
    return cast(BinaryIO, io.BufferedReader(_Raw(data), 1 << 16))


def pieces(data: Data) -> Iterator[bytes]:
    """All of it in order, about a megabyte at a time."""
    if isinstance(data, FileData):
        left = len(data)
        with opened(data.path) as stream:
            while left > 0:
                piece = stream.read(min(PIECE, left))
                if not piece:
                    raise OSError(f"{data.path.name} has become shorter while it was read")
                left -= len(piece)
                yield piece
        return
    for start in range(0, len(data), PIECE):
        yield data[start : start + PIECE]


def whole(data: Data) -> bytes:
    """All of it at once: for what is known to be small."""
    return data if isinstance(data, bytes) else data[0 : len(data)]


def _bounds(part: slice, length: int) -> tuple[int, int]:
    start, end, step = part.indices(length)
    if step != 1:
        raise ValueError("data are cut without a step")
    return start, end
