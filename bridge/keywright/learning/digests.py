"""What a model was trained on, in a few bytes: only a keyword whose digest changed is trained again.

A photo is named by the digest of its vector, not by its row, so neither the order of the photos nor a moved or
renamed file makes anything look changed, and an edited picture does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from keywright.learning.base import KeywordExamples, Rows, Vectors

RowDigests = NDArray[np.uint64]


def row_digests(vectors: Vectors) -> RowDigests:
    """Shape (n,): 64 bits of each vector's content, the same for float16 and for float32 made from it."""
    digests = np.empty(len(vectors), dtype=np.uint64)
    for start in range(0, len(vectors), 8192):
        block = np.ascontiguousarray(vectors[start : start + 8192], dtype="<f2")
        for offset, row in enumerate(block):
            digest = hashlib.blake2b(row.tobytes(), digest_size=8).digest()
            digests[start + offset] = int.from_bytes(digest, "little")
    return digests


def keyword_digest(examples: KeywordExamples, digests: RowDigests, context: Sequence[str]) -> str:
    """Hex digest of everything that training this keyword depends on; ``context``: encoder and settings."""
    state = hashlib.blake2b(digest_size=16)
    for text in (*context, str(examples.path), *sorted(examples.synonyms)):
        state.update(text.encode() + b"\0")
    for rows in (examples.positives, examples.rejections, examples.primes):
        state.update(_set_bytes(rows, digests))
    return state.hexdigest()


def _set_bytes(rows: Rows, digests: RowDigests) -> bytes:
    return len(rows).to_bytes(8, "little") + np.sort(digests[rows]).astype("<u8").tobytes()
