"""What was there before: kept small, given back byte for byte.

Sidecars are kept whole. Of a photo only the bytes that change are kept, as the edits that turn the new file back into
the old one; digests of the whole file prove that they do.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Sequence

from keywright.metadata import Edit
from keywright.metadata.base import apply_edits
from keywright.metadata.data import Data, pieces, whole
from keywright.store.journal import Before, BeforeForm

LARGEST_DELTA = 64 * 2**20
"""Bytes of edits the journal takes for one file; beyond it undo goes by the record of what was added."""

_HEAD = struct.Struct("<QQQ")  # start, length in the new file, length in the old file


def digest(data: Data | None) -> str:
    """SHA-256 in hexadecimal; "" for a file that is not there."""
    if data is None:
        return ""
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    found = hashlib.sha256()
    for piece in pieces(data):
        found.update(piece)
    return found.hexdigest()


def keep_whole(data: Data | None) -> Before:
    return Before(BeforeForm.ABSENT) if data is None else Before(BeforeForm.WHOLE, zlib.compress(whole(data), 1))


def keep_edits(back: Sequence[Edit]) -> Before:
    """Keep the edits (in order of ``start``) that turn what will be there into what is there now."""
    if sum(len(edit.new) for edit in back) > LARGEST_DELTA:
        return Before(BeforeForm.NOT_KEPT)
    parts = [_HEAD.pack(edit.start, len(edit.old), len(edit.new)) + edit.new for edit in back]
    return Before(BeforeForm.DELTA, zlib.compress(b"".join(parts), 1))


def give_back(now: Data, before: Before) -> tuple[Data | None, tuple[Edit, ...]] | None:
    """What was there before, and the edits from ``now``, which must be exactly what was written.

    None where the journal does not hold it. Raises ``ValueError`` where the record is damaged.
    """
    if before.form is BeforeForm.NOT_KEPT:
        return None
    if before.form is BeforeForm.ABSENT or before.data is None:
        return None, (Edit(0, whole(now), b""),)
    try:
        data = zlib.decompress(before.data)
        if before.form is BeforeForm.WHOLE:
            return data, (Edit(0, whole(now), data),)
        edits = []
        position = 0
        while position < len(data):
            start, old_length, new_length = _HEAD.unpack_from(data, position)
            position += _HEAD.size
            edits.append(Edit(start, now[start : start + old_length], data[position : position + new_length]))
            position += new_length
    except (zlib.error, struct.error) as error:
        raise ValueError("the journal's record of this file is damaged") from error
    return apply_edits(now, edits), tuple(edits)


def difference(old: bytes, new: bytes) -> tuple[Edit, ...]:
    """The one edit from the first to the last byte that differ."""
    if old == new:
        return ()
    shortest = min(len(old), len(new))
    start = _alike(shortest, lambda length: old[:length] == new[:length])
    tail = _alike(shortest - start, lambda length: old[len(old) - length :] == new[len(new) - length :])
    return (Edit(start, old[start : len(old) - tail], new[start : len(new) - tail]),)


def _alike(longest: int, equal: Callable[[int], bool]) -> int:
    """The largest length up to ``longest`` for which ``equal`` holds: by halving, for it holds for all shorter ones."""
    low, high = 0, longest
    while low < high:
        middle = (low + high + 1) // 2
        if equal(middle):
            low = middle
        else:
            high = middle - 1
    return low
