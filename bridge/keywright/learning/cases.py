"""How many photos a keyword's photos are worth: frames of one burst are one case, and confidence is bounded by cases.

Left out of its own training, a frame is recognised through its twin, so leave-one-out calls a keyword on five frames of
one burst certain. Photos whose vectors are nearly equal are therefore counted as one. After ``n`` cases that were all
right, the chance that the next one is right is ``(n + 1/2) / (n + 1)`` (Jeffreys' rule), and no confidence exceeds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keywright.learning.base import Floats, KeywordExamples, Rows, Vectors
from keywright.learning.digests import RowDigests

TWINS = 0.96
"""From this cosine on two photos are one case, and so are all that hang together by such pairs. Of the photos that the
learner was made on (none a frame of another's burst) three in a thousand have one so near; of the frames of a burst
most do."""
COMPARED = 64
"""Of more photos than that, so many are compared; which ones hangs on their content."""


@dataclass(frozen=True, eq=False, slots=True)
class Cases:
    """Of one keyword. ``shares``: what each photo counts, shape as the positives; ``None`` where each counts 1, or
    where not all were compared."""

    number: float
    shares: Floats | None


def count_cases(examples: Sequence[KeywordExamples], vectors: Vectors, digests: RowDigests) -> list[Cases]:
    """For each keyword; rows of ``examples`` are those of ``vectors`` and ``digests``."""
    return [_cases(keyword.positives, vectors, digests) for keyword in examples]


def _cases(positives: Rows, vectors: Vectors, digests: RowDigests) -> Cases:
    compared = positives
    if len(positives) > COMPARED:
        compared = positives[np.argsort(digests[positives], kind="stable")[:COMPARED]]
    block = np.asarray(vectors[compared], dtype=np.float32)
    near = block @ block.T >= TWINS
    if int(near.sum()) <= len(compared):  # each is near itself alone
        return Cases(float(len(positives)), None)
    from scipy import sparse  # late, as in ``hierarchy``
    from scipy.sparse import csgraph

    number, case_of = csgraph.connected_components(sparse.csr_matrix(near.astype(np.int8)), directed=False)
    if len(positives) <= COMPARED:
        shares = 1 / np.bincount(case_of, minlength=number)[case_of]
        return Cases(float(number), shares.astype(np.float32))
    if number < COMPARED // 2:
        return Cases(float(number), None)  # a few bursts: more of the photos would show no more of them
    return Cases(len(positives) * number / COMPARED, None)


def bounds_of(cases: Floats) -> Floats:
    """Shape (k,): the ``d`` with which ``p / (1 + d p)`` bounds a confidence p by what so many cases can show."""
    return np.asarray(1 / (2 * cases + 1), dtype=np.float32)


def bounded(confidences: Floats, bounds: Floats) -> Floats:
    """In place, shape (n, k): the odds against grow by ``bounds``, so that certainty becomes ``1 / (1 + bounds)``."""
    confidences /= 1 + confidences * bounds
    return confidences
