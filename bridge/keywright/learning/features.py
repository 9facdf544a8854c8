"""Features that a keyword's score is linear in: the points themselves, likeness to landmarks, or both.

Likeness is the Gaussian kernel ``exp(-gamma |x - l|^2)``. With every training photo a landmark that is exact kernel
ridge regression; with a sample of them it is Nyström's approximation (Williams & Seeger 2001).

The optional second layer compares photos also by what the first layer says of them: two photos are alike when they
look alike *and* are scored alike on all keywords. For training photos these first scores are leave-one-out scores, so
a photo's own keywords do not leak into its features (stacking, Wolpert 1992, inside a kernel).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywright.learning.base import ClassHead, Floats, LearningError, Vectors
from keywright.learning.codec import pack, unpack
from keywright.learning.few import NameReader
from keywright.learning.points import BLOCK, PointMap, check_vectors


@dataclass(frozen=True, eq=False, slots=True)
class SecondLayer:
    """Kernel ``exp(-gamma share |x - l|^2 - |s(x) - s(l)|^2)``, s the first layer's scores in units of ``scale``."""

    share: float
    coefficients: Floats  # (m, j): first layer over the landmarks, already divided by the scale
    intercepts: Floats  # (j,)
    landmark_scores: Floats  # (m, j): leave-one-out scores of the landmarks, already divided by the scale
    joined_scores: Floats | None = None  # the same of landmarks that joined after the training

    def scores(self, likeness: Floats) -> Floats:
        return likeness @ self.coefficients + self.intercepts


@dataclass(frozen=True, eq=False)
class FeatureMap:
    """Features of shape (n, m): the points when ``linear``, then the likeness to each landmark.

    Photos of which a person said something after the training may have ``joined`` the landmarks: their likeness comes
    last, and the first layer knows nothing of them.
    """

    points: PointMap
    linear: bool
    landmarks: Floats | None = None  # (m, d) vectors
    gamma: float = 1.0
    second: SecondLayer | None = None
    _landmark_points: Floats | None = field(default=None, repr=False)
    joined: Floats | None = None  # (j, d) vectors
    _joined_points: Floats | None = field(default=None, repr=False)
    reader: NameReader | None = None  # what turns vectors into what they say of the keywords' names

    def __post_init__(self) -> None:
        if self.landmarks is not None and self._landmark_points is None:
            object.__setattr__(self, "_landmark_points", self.points(self.landmarks))
        if self.joined is not None and self._joined_points is None:
            object.__setattr__(self, "_joined_points", self.points(self.joined))

    @property
    def trained_dimension(self) -> int:
        """Without the landmarks that joined."""
        linear = self.points.dimension if self.linear else 0
        return linear + (0 if self.landmarks is None else len(self.landmarks))

    @property
    def dimension(self) -> int:
        return self.trained_dimension + (0 if self.joined is None else len(self.joined))

    def __call__(self, vectors: Vectors) -> Floats:
        """Features of a block of vectors, shape (n, m) float32; hand over ``BLOCK`` rows at a time."""
        points = self.points(vectors)
        parts = [points] if self.linear else []
        if self._landmark_points is not None:
            distances = squared_distances(points, self._landmark_points)
            beyond = None if self._joined_points is None else squared_distances(points, self._joined_points)
            parts += self._likenesses(distances, beyond)
        return parts[0] if len(parts) == 1 else np.hstack(parts)

    def likeness(self, distances: Floats) -> Floats:
        """The kernel from squared distances between points and landmarks, shape (n, m)."""
        return self._likenesses(distances, None)[0]

    def _likenesses(self, distances: Floats, beyond: Floats | None) -> list[Floats]:
        """To the landmarks, and to those that joined where their distances are given."""
        both = [distances] if beyond is None else [distances, beyond]
        if self.second is None:
            return [np.asarray(np.exp(np.float32(-self.gamma) * some), dtype=np.float32) for some in both]
        scores = self.second.scores(np.exp(np.float32(-self.gamma) * distances))
        kept = [self.second.landmark_scores, self.second.joined_scores]
        return [
            self._second(scores, theirs, some) for theirs, some in zip(kept, both, strict=False) if theirs is not None
        ]

    def _second(self, scores: Floats, theirs: Floats, distances: Floats) -> Floats:
        assert self.second is not None
        apart = squared_distances(scores, theirs)
        apart += np.float32(self.gamma * self.second.share) * distances
        np.negative(apart, out=apart)
        np.exp(apart, out=apart)
        return apart

    def training_row(self, place: int) -> Floats:
        """Likeness of one landmark to all, shape (m,), as it was trained: by its leave-one-out scores."""
        assert self._landmark_points is not None
        points = [some for some in (self._landmark_points, self._joined_points) if some is not None]
        distances = [squared_distances(_row(points, place), some) for some in points]
        if self.second is None:
            return np.concatenate([np.exp(np.float32(-self.gamma) * some)[0] for some in distances])
        scores = [some for some in (self.second.landmark_scores, self.second.joined_scores) if some is not None]
        pairs = zip(scores, distances, strict=True)
        return np.concatenate([self._second(_row(scores, place), some, far)[0] for some, far in pairs])

    def with_joined(self, vectors: Floats, scores: Floats | None = None) -> FeatureMap:
        """Landmarks more, shape (j, d). ``scores``: what the first layer says of them, where that is known already."""
        if self.landmarks is None or self._landmark_points is None:
            raise ValueError("these features have no landmarks")
        points = self.points(vectors)
        second = self.second
        if second is not None:
            if scores is None:
                likeness = np.exp(np.float32(-self.gamma) * squared_distances(points, self._landmark_points))
                scores = second.scores(likeness)
            before = second.joined_scores
            second = replace(second, joined_scores=scores if before is None else np.vstack([before, scores]))
        return replace(
            self,
            second=second,
            joined=vectors if self.joined is None else np.vstack([self.joined, vectors]),
            _joined_points=points if self._joined_points is None else np.vstack([self._joined_points, points]),
        )

    def joined_parts(self, start: int = 0) -> list[bytes]:
        """Each landmark that joined (after the first ``start``), as bytes; kept apart from what ``to_bytes`` gives."""
        if self.joined is None:
            return []
        scores = None if self.second is None else self.second.joined_scores
        return [
            pack({}, {"vector": vector} | ({} if scores is None else {"scores": scores[n]}))
            for n, vector in enumerate(self.joined[start:], start)
        ]

    def with_joined_parts(self, parts: Sequence[bytes]) -> FeatureMap:
        """Raises ``LearningError`` where one is damaged or of other features."""
        if not parts:
            return self
        found = [unpack(part)[1] for part in parts]
        try:
            vectors = np.stack([arrays["vector"] for arrays in found])
            scores = None if self.second is None else np.stack([arrays["scores"] for arrays in found])
            check_vectors(vectors, self.points.dimension)
            if scores is not None and self.second is not None:
                scores.reshape(len(vectors), self.second.coefficients.shape[1])
            return self.with_joined(vectors, scores)
        except (KeyError, ValueError) as error:
            raise LearningError(
                f"The model is damaged (a photo that joined it lacks {error}); activate another version or learn again."
            ) from error

    def blocks(self, vectors: Vectors, size: int = BLOCK) -> Iterator[tuple[slice, Floats]]:
        for start in range(0, len(vectors), size):
            rows = slice(start, min(start + size, len(vectors)))
            yield rows, self(vectors[rows])

    def to_bytes(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {"centre": self.points.centre}
        values: dict[str, Any] = {"linear": self.linear, "gamma": self.gamma, "head_share": self.points.head_share}
        head = self.points.head
        if self.reader is not None:
            head = self.reader.head if head is None else head
            values["read_by_head"] = self.reader.head is not None
            arrays["names_common"] = self.reader.common
        if head is not None:
            values |= {"head_names": list(head.names), "head_length": head.length}
            arrays |= {"head_weights": head.weights, "head_bias": head.bias}
        if self.points.head_centre is not None:
            arrays["head_centre"] = self.points.head_centre
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
            points, head, reader = PointMap(arrays["centre"]), None, None
            if "head_weights" in arrays:
                head = ClassHead(
                    tuple(values["head_names"]), arrays["head_weights"], arrays["head_bias"], values["head_length"]
                )
            if "head_centre" in arrays:
                points = replace(points, head=head, head_centre=arrays["head_centre"], head_share=values["head_share"])
            if "names_common" in arrays:
                reader = NameReader(head if values["read_by_head"] else None, arrays["names_common"])
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
            return cls(points, values["linear"], landmarks, values["gamma"], second, reader=reader)
        except (KeyError, TypeError) as error:
            raise LearningError(
                f"The model is damaged (its features lack {error}); activate another version or learn again."
            ) from error


def _row(parts: Sequence[Floats], place: int) -> Floats:
    """One row of parts that follow one another, shape (1, d)."""
    for part in parts:
        if place < len(part):
            return part[place : place + 1]
        place -= len(part)
    raise IndexError(place)


def squared_distances(x: Floats, y: Floats) -> Floats:
    """Shape (n, m), never below zero."""
    distances: Floats = x @ y.T
    distances *= np.float32(-2)
    distances += np.einsum("ij,ij->i", x, x)[:, None]
    distances += np.einsum("ij,ij->i", y, y)
    np.maximum(distances, 0, out=distances)
    return distances
