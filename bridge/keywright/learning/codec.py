"""Arrays and a few values to bytes and back: the form in which models are kept, the same bytes for the same content.

A part is ``KWPART1\\n``, the length of a JSON header (8 bytes, little-endian), the header, and the arrays one after
the other as they lie in memory (little-endian, C order). No pickle: reading a stranger's model runs nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywright.learning.base import LearningError

_MAGIC = b"KWPART1\n"
_DTYPES = frozenset({"<f4", "<f8", "<f2", "<i8", "<i4", "|u1"})


def content_name(part: bytes) -> str:
    """The name a part is kept under: the SHA-256 of its bytes, in hex."""
    return hashlib.sha256(part).hexdigest()


def pack(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """``values`` must be JSON; ``arrays`` numeric. The same content gives the same bytes."""
    listed, bodies = [], []
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        listed.append([name, array.dtype.str, list(array.shape)])
        bodies.append(array.tobytes())
    header = json.dumps({"values": values, "arrays": listed}, sort_keys=True, ensure_ascii=False).encode()
    return b"".join([_MAGIC, len(header).to_bytes(8, "little"), header, *bodies])


def unpack(part: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What ``pack`` was given. Raises ``LearningError`` where the bytes are not a whole part."""
    try:
        if part[: len(_MAGIC)] != _MAGIC:
            raise ValueError("it does not begin as one")
        start = len(_MAGIC) + 8
        end = start + int.from_bytes(part[len(_MAGIC) : start], "little")
        header = json.loads(part[start:end])
        arrays: dict[str, NDArray[Any]] = {}
        for name, dtype, shape in header["arrays"]:
            if dtype not in _DTYPES:
                raise ValueError(f"it holds numbers of a kind {dtype!r} that no model has")
            count = int(np.prod(shape, dtype=np.int64))
            size = count * np.dtype(dtype).itemsize
            if len(part) < end + size:
                raise ValueError("it ends too early")
            # a copy lies aligned in memory, as the array did that was packed, so sums come out the same to the last bit
            arrays[name] = np.frombuffer(part, dtype=dtype, count=count, offset=end).reshape(shape).copy()
            end += size
        if end != len(part):
            raise ValueError("it goes on past its end")
        return dict(header["values"]), arrays
    except (ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise LearningError(
            f"The model is damaged (a part cannot be read: {error}); activate another version or learn again."
        ) from error
