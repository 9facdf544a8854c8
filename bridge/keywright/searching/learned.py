"""Which photos of a large collection are to be asked whether they show learned keywords.

To ask a model takes a comparison with a thousand photos. It is asked first of the photos that lie farthest along one
direction, the one in which its score grows: its weights on the points themselves, or its landmarks, each times its
weight (what the kernel becomes where it is expanded to first order: ``exp(-gamma |x - l|^2)`` of unit vectors grows
with ``x @ l``). Of photos it had never seen, 98 in 100 of those that the models gave 0.3 or more lay among the first
2 in 100 of the collection and as many again as there were such photos (docs/search.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keywright.learning.base import Floats, Rows, Vectors
from keywright.learning.models import ModelSet
from keywright.searching.looks import products
from keywright.searching.shortlist import Shortlist


def directions(models: ModelSet, columns: Sequence[int]) -> Floats:
    """Shape (d, columns): along which vectors each model's score grows, to first order."""
    features, dimension = models.features, models.features.points.dimension
    out = np.zeros((dimension, len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        weights, start = models.keywords[column].weights, 0
        if features.linear:
            out[:, place] += weights[:dimension]
            start = dimension
        for landmarks in (features.landmarks, features.joined):
            own = weights[start : start + (0 if landmarks is None else len(landmarks))]
            if landmarks is not None and len(own):  # a model may know nothing of those that joined
                towards = np.asarray(landmarks[: len(own)], dtype=np.float32)
                out[:, place] += 2 * features.gamma * (own @ towards - own.sum() * towards.mean(axis=0))
                start += len(own)
    return out


def in_order(
    vectors: Vectors, allowed: Rows, along: Floats, things: Sequence[Sequence[int]], shortlist: Shortlist | None = None
) -> Rows:
    """The allowed rows, those to be asked first at first.

    ``along``: of ``directions``; ``things``: for each thing that was named the columns of ``along`` that mean it. Any
    of a thing's columns is enough; all things count alike.
    """
    far = shortlist.products(allowed, along) if shortlist is not None else products(vectors, allowed, along)[0]
    far = (far - far.mean(axis=0)) / np.maximum(far.std(axis=0), 1e-9)
    score = np.mean([far[:, list(columns)].max(axis=1) for columns in things], axis=0)
    return np.asarray(allowed[np.argsort(-score, kind="stable")], dtype=np.int64)
