"""From an encoder's vectors to the points that learning compares: sharpened, centred, unit length.

A network's pooled features are positive and bursty: a few large values drown the rest. Raising them to a power below
one (Perronnin et al., "Improving the Fisher kernel", ECCV 2010) and taking away the mean photo evens them out. Where
the encoder has a classifier, the square roots of its probabilities (so that distances are Hellinger's) are joined on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from keywright.learning.base import ClassHead, Floats, LearningError, Vectors

BLOCK = 4096
"""Rows worked on at a time, so that memory stays bounded."""


@dataclass(frozen=True, eq=False, slots=True)
class PointMap:
    """``points`` has shape (n, d) or, with a head, (n, d + classes): squared lengths 1 - share and share."""

    centre: Floats
    head: ClassHead | None = None
    head_centre: Floats | None = None
    head_share: float = 0.0

    @property
    def dimension(self) -> int:
        return len(self.centre)

    def __call__(self, vectors: Vectors) -> Floats:
        x = np.asarray(vectors, dtype=np.float32)
        check_vectors(x, self.dimension)
        sharp = _sharpened(x)
        sharp -= self.centre
        _unit(sharp)
        if self.head is None or self.head_centre is None:
            return sharp
        classes = _unit(_root_probabilities(x, self.head) - self.head_centre)
        sharp *= np.float32((1 - self.head_share) ** 0.5)
        classes *= np.float32(self.head_share**0.5)
        return np.hstack([sharp, classes])


def fit_points(vectors: Vectors, head: ClassHead | None, head_share: float = 0.2) -> PointMap:
    """The map whose centre is the mean of ``vectors``; the order of the rows does not matter (beyond rounding)."""
    total = np.zeros(vectors.shape[1], dtype=np.float64)
    head_total = np.zeros(0 if head is None else len(head.names), dtype=np.float64)
    for start in range(0, len(vectors), BLOCK):
        x = np.asarray(vectors[start : start + BLOCK], dtype=np.float32)
        total += _sharpened(x).sum(0, dtype=np.float64)
        if head is not None:
            head_total += _root_probabilities(x, head).sum(0, dtype=np.float64)
    points = PointMap((total / len(vectors)).astype(np.float32))
    if head is None:
        return points
    return replace(points, head=head, head_centre=(head_total / len(vectors)).astype(np.float32), head_share=head_share)


def class_probabilities(vectors: Vectors, head: ClassHead) -> Floats:
    """Shape (n, classes): what the encoder's own classifier says, taking every vector's length as the usual one."""
    logits = np.asarray(vectors, dtype=np.float32) @ head.weights.T
    logits *= np.float32(head.length)
    logits += head.bias
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=1, keepdims=True)
    return logits


def check_vectors(vectors: Vectors, dimension: int | None = None) -> None:
    """Raises ``LearningError`` where the vectors are not a finite matrix of (roughly) unit vectors."""
    if vectors.ndim != 2:
        raise LearningError(f"The vectors must be a matrix, one row a photo, and have shape {vectors.shape}.")
    if dimension is not None and vectors.shape[1] != dimension:
        raise LearningError(
            f"These vectors have {vectors.shape[1]} numbers each and the model expects {dimension}: they come from "
            "another encoder; embed the photos again with the model's own."
        )
    for start in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[start : start + BLOCK], dtype=np.float32)
        lengths = np.einsum("ij,ij->i", block, block)
        wrong = np.flatnonzero(~((lengths > 0.25) & (lengths < 4)))  # not-a-number fails both
        if len(wrong):
            what = "zero" if lengths[wrong[0]] == 0 else "not of unit length or not a number"
            raise LearningError(
                f"The vector of photo {start + int(wrong[0])} is {what}; embed that photo again before learning."
            )


def _sharpened(x: Floats) -> Floats:
    """|x|^0.75 with the sign of x, by square roots: many times faster than a power."""
    root = np.abs(x)
    np.sqrt(root, out=root)
    root *= np.sqrt(root)
    return np.copysign(root, x, out=root)


def _root_probabilities(x: Floats, head: ClassHead) -> Floats:
    probabilities = class_probabilities(x, head)
    return np.sqrt(probabilities, out=probabilities)


def _unit(x: Floats) -> Floats:
    lengths = np.sqrt(np.einsum("ij,ij->i", x, x))
    x /= np.maximum(lengths, np.float32(1e-6))[:, None]
    return x
