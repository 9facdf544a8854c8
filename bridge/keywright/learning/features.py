"""Features that a keyword's score is linear in: the points themselves, likeness to landmarks, or both.

Likeness is the Gaussian kernel ``exp(-gamma |x - l|^2)``. With every training photo a landmark that is exact kernel
ridge regression; with a sample of them it is Nyström's approximation (Williams & Seeger 2001).

The optional second layer compares photos also by what the first layer says of them: two photos are alike when they
look alike *and* are scored alike on all keywords. For training photos these first scores are leave-one-out scores, so
a photo's own keywords do not leak into its features (stacking, Wolpert 1992, inside a kernel).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywright.learning.base import ClassHead, Floats, LearningError, Vectors
from keywright.learning.codec import pack, unpack
from keywright.learning.points import BLOCK, PointMap, check_vectors


@dataclass(frozen=True, eq=False, slots=True)
class SecondLayer:
    """Kernel ``exp(-gamma share |x - l|^2 - |s(x) - s(l)|^2)``, s the first layer's scores in units of ``scale``."""

    share: float
    coefficients: Floats  # (m, j): first layer over the landmarks, already divided by the scale
    intercepts: Floats  # (j,)
    landmark_scores: Floats  # (m, j): leave-one-out scores of the landmarks, already divided by the scale

    def scores(self, likeness: Floats) -> Floats:
        return likeness @ self.coefficients + self.intercepts


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Features of shape (n, m): the points when ``linear``, then the likeness to each landmark."""

    points: PointMap
    linear: bool
    landmarks: Floats | None = None  # (m, d) vectors
    gamma: float = 1.0
    second: SecondLayer | None = None
    _landmark_points: Floats | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.landmarks is not None and self._landmark_points is None:
            object.__setattr__(self, "_landmark_points", self.points(self.landmarks))

    @property
    def dimension(self) -> int:
        linear = self.points.dimension if self.linear else 0
        return linear + (0 if self.landmarks is None else len(self.landmarks))

    def __call__(self, vectors: Vectors) -> Floats:
        """Features of a block of vectors, shape (n, m) float32; hand over ``BLOCK`` rows at a time."""
        points = self.points(vectors)
        parts = [points] if self.linear else []
        if self._landmark_points is not None:
            parts.append(self.likeness(squared_distances(points, self._landmark_points)))
        return parts[0] if len(parts) == 1 else np.hstack(parts)

    def likeness(self, distances: Floats) -> Floats:
        """The kernel from squared distances between points and landmarks, shape (n, m)."""
        first: Floats = np.exp(np.float32(-self.gamma) * distances)
        if self.second is None:
            return first
        apart = squared_distances(self.second.scores(first), self.second.landmark_scores)
        apart += np.float32(self.gamma * self.second.share) * distances
        np.negative(apart, out=apart)
        np.exp(apart, out=apart)
        return apart

    def with_landmark(self, vector: Floats) -> FeatureMap:
        """One landmark more, shape (1, d); its second-layer scores are those it has now."""
        if self.landmarks is None or self._landmark_points is None:
            raise ValueError("these features have no landmarks")
        point = self.points(vector)
        second = self.second
        if second is not None:
            first = np.exp(np.float32(-self.gamma) * squared_distances(point, self._landmark_points))
            zeros = np.zeros((1, second.coefficients.shape[1]), dtype=np.float32)
            second = replace(
                second,
                coefficients=np.vstack([second.coefficients, zeros]),
                landmark_scores=np.vstack([second.landmark_scores, second.scores(first)]),
            )
        landmarks = np.vstack([self.landmarks, vector])
        return replace(
            self, landmarks=landmarks, second=second, _landmark_points=np.vstack([self._landmark_points, point])
        )

    def blocks(self, vectors: Vectors, size: int = BLOCK) -> Iterator[tuple[slice, Floats]]:
        for start in range(0, len(vectors), size):
            rows = slice(start, min(start + size, len(vectors)))
            yield rows, self(vectors[rows])

    def to_bytes(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {"centre": self.points.centre}
        values: dict[str, Any] = {"linear": self.linear, "gamma": self.gamma, "head_share": self.points.head_share}
        head = self.points.head
        if head is not None and self.points.head_centre is not None:
            values |= {"head_names": list(head.names), "head_length": head.length}
            arrays |= {"head_weights": head.weights, "head_bias": head.bias, "head_centre": self.points.head_centre}
        if self.landmarks is not None:
            arrays["landmarks"] = self.landmarks
        if self.second is not None:
            values["share"] = self.second.share
            arrays |= {
                "second_coefficients": self.second.coefficients,
                "second_intercepts": self.second.intercepts,
                "second_scores": self.second.landmark_scores,
            }
        return pack(values, arrays)

    @classmethod
    def from_bytes(cls, part: bytes) -> FeatureMap:
        values, arrays = unpack(part)
        try:
            points = PointMap(arrays["centre"])
            if "head_weights" in arrays:
                head = ClassHead(
                    tuple(values["head_names"]), arrays["head_weights"], arrays["head_bias"], values["head_length"]
                )
                points = replace(points, head=head, head_centre=arrays["head_centre"], head_share=values["head_share"])
            second = None
            if "share" in values:
                second = SecondLayer(
                    values["share"],
                    arrays["second_coefficients"],
                    arrays["second_intercepts"],
                    arrays["second_scores"],
                )
            landmarks = arrays.get("landmarks")
            if landmarks is not None:
                check_vectors(landmarks, points.dimension)
            return cls(points, values["linear"], landmarks, values["gamma"], second)
        except (KeyError, TypeError) as error:
            raise LearningError(
                f"The model is damaged (its features lack {error}); activate another version or learn again."
            ) from error


def squared_distances(x: Floats, y: Floats) -> Floats:
    """Shape (n, m), never below zero."""
    distances: Floats = x @ y.T
    distances *= np.float32(-2)
    distances += np.einsum("ij,ij->i", x, x)[:, None]
    distances += np.einsum("ij,ij->i", y, y)
    np.maximum(distances, 0, out=distances)
    return distances
