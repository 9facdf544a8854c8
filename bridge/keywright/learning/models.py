"""The models of all keywords: what suggesting and the store hold in hand.

A model set is immutable. It is kept as parts named by their content: one for the features all keywords share, one
for each keyword, and a manifest that lists them. Two versions that differ in one keyword differ in one part and the
manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.base import Floats, LearningError, Vectors
from keywright.learning.calibration import NO_CORRECTION, Correction
from keywright.learning.codec import content_name, pack, unpack
from keywright.learning.features import FeatureMap
from keywright.learning.hierarchy import Tree, build_tree

MANIFEST = "manifest"
FORMAT = 1
SCORING_BLOCK = 2048


@dataclass(frozen=True, eq=False, slots=True)
class KeywordModel:
    """One keyword: confidence before the tree's say is ``logistic(features @ weights + offset)``."""

    path: KeywordPath
    digest: str  # of what it was trained on
    weights: Floats  # (m,)
    offset: float
    threshold: float
    photos: int  # positives it was trained on
    average_precision: float  # by leave-one-out, nan where it has too few photos to say
    slope: float = 1.0  # of the calibration, already in ``weights`` and ``offset``
    base: float = 0.0  # of the calibration: what ``offset`` would be for a raw intercept of 0

    def to_bytes(self) -> bytes:
        quality = None if np.isnan(self.average_precision) else self.average_precision
        values = {
            "path": list(self.path.parts),
            "digest": self.digest,
            "offset": self.offset,
            "threshold": self.threshold,
            "photos": self.photos,
            "average_precision": quality,
            "slope": self.slope,
            "base": self.base,
        }
        return pack(values, {"weights": self.weights})

    @classmethod
    def from_bytes(cls, part: bytes) -> KeywordModel:
        values, arrays = unpack(part)
        try:
            quality = values["average_precision"]
            return cls(
                KeywordPath(tuple(values["path"])),
                values["digest"],
                arrays["weights"],
                values["offset"],
                values["threshold"],
                values["photos"],
                float("nan") if quality is None else quality,
                values["slope"],
                values["base"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LearningError(
                f"The model is damaged (a keyword's part lacks {error}); activate another version or learn again."
            ) from error


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen by leave-one-out and hold-out inside the training photos."""

    penalty: float
    relabelling: float  # how far a missing keyword is believed to be an omission: 0 not at all, 1 as the score says
    photos: int  # how many photos there were when it was chosen
    landmarks: bool = False  # whether likeness to landmarks was worth its time; always there in exact models


@dataclass(frozen=True, eq=False)
class ModelSet:
    """``keywords`` are in tree order; every array of confidences has its columns in that order."""

    encoder_id: str
    features: FeatureMap
    keywords: tuple[KeywordModel, ...]
    tree: Tree
    choices: Choices
    min_photos: int = 5
    correction: Correction = NO_CORRECTION
    _features_part: bytes | None = field(default=None, repr=False)

    @property
    def paths(self) -> tuple[KeywordPath, ...]:
        return tuple(model.path for model in self.keywords)

    @cached_property
    def columns(self) -> dict[tuple[str, ...], int]:
        """Column of each keyword, by ``KeywordPath.key``."""
        return {model.path.key: column for column, model in enumerate(self.keywords)}

    @cached_property
    def weights(self) -> Floats:
        """Shape (m, k)."""
        if not self.keywords:
            return np.zeros((self.features.dimension, 0), dtype=np.float32)
        return np.ascontiguousarray(np.stack([model.weights for model in self.keywords], axis=1))

    @cached_property
    def offsets(self) -> Floats:
        return np.array([model.offset for model in self.keywords], dtype=np.float32)

    @cached_property
    def thresholds(self) -> Floats:
        """Shape (k,): the confidence from which on each keyword is suggested."""
        return np.array([model.threshold for model in self.keywords], dtype=np.float32)

    @cached_property
    def photos(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Shape (k,): how many photos each keyword was learned from."""
        return np.array([model.photos for model in self.keywords], dtype=np.int64)

    def confidences(self, vectors: Vectors, out: Floats | None = None) -> Floats:
        """Calibrated confidences, shape (n, k) float32, for unit vectors of shape (n, d) of this set's encoder.

        Besides the answer (``out`` where given), memory is bounded whatever n is. Raises ``LearningError`` for
        vectors of another dimension, zero or not numbers.
        """
        if out is None:
            out = np.empty((len(vectors), len(self.keywords)), dtype=np.float32)
        for rows, features in self.features.blocks(vectors, SCORING_BLOCK):
            block = np.matmul(features, self.weights, out=out[rows])
            self.finish(block)
        return out

    def finish(self, scores: Floats) -> Floats:
        """From features @ weights to confidences, in place, shape (n, k): offsets, logistic curve, the tree's say."""
        scores += self.offsets
        scores *= np.float32(0.5)
        np.tanh(scores, out=scores)
        scores *= np.float32(0.5)
        scores += np.float32(0.5)
        return self.tree.settle(self.correction.apply(scores))

    def to_parts(self) -> dict[str, bytes]:
        """Every part under the name it is kept by: ``manifest``, and the others by the SHA-256 of their bytes."""
        features = self.features.to_bytes() if self._features_part is None else self._features_part
        bodies = [features, *(model.to_bytes() for model in self.keywords)]
        names = [content_name(body) for body in bodies]
        values = {
            "format": FORMAT,
            "encoder": self.encoder_id,
            "features": names[0],
            "keywords": names[1:],
            "exclusive": [group.tolist() for group in self.tree.exclusive],
            "choices": asdict(self.choices),
            "min_photos": self.min_photos,
            "correction": [list(self.correction.knots), list(self.correction.values)],
        }
        body = pack(values, {})
        return {MANIFEST: content_name(body).encode() + b"\n" + body, **dict(zip(names, bodies, strict=True))}

    @classmethod
    def from_parts(cls, parts: Mapping[str, bytes]) -> ModelSet:
        """Raises ``LearningError`` where a part is missing, damaged, or of a newer Keywright."""
        values = _read_manifest(parts)
        try:
            if values["format"] > FORMAT:
                raise LearningError(
                    f"This model has format {values['format']} and this Keywright reads up to {FORMAT}; update it."
                )
            features = FeatureMap.from_bytes(_checked(parts, values["features"]))
            models = tuple(KeywordModel.from_bytes(_checked(parts, name)) for name in values["keywords"])
            if any(model.weights.shape != (features.dimension,) for model in models):
                raise LearningError(
                    "The model is damaged (a keyword does not fit its features); activate another version or learn "
                    "again."
                )
            groups = tuple(np.array(group, dtype=np.int64) for group in values["exclusive"])
            if any(len(group) and (group.min() < 0 or group.max() >= len(models)) for group in groups):
                raise ValueError("a keyword that is not there")
            tree = build_tree([model.path for model in models], groups)
            return cls(
                values["encoder"],
                features,
                models,
                tree,
                Choices(**values["choices"]),
                values["min_photos"],
                Correction(*(tuple(map(float, numbers)) for numbers in values["correction"])),
                parts[values["features"]],
            )
        except KeywrightError:
            raise
        except (KeyError, TypeError, ValueError) as error:
            raise LearningError(
                f"The model is damaged (its manifest names {error}); activate another version or learn again."
            ) from error


def manifest_parts(manifest: bytes) -> Sequence[str]:
    """The names of the parts that a manifest lists: what a store must keep for this version."""
    values = _read_manifest({MANIFEST: manifest})
    return [values["features"], *values["keywords"]]


def _read_manifest(parts: Mapping[str, bytes]) -> dict[str, Any]:
    manifest = parts.get(MANIFEST, b"")
    name, _, body = manifest.partition(b"\n")
    if content_name(body).encode() != name:
        raise LearningError("The model is damaged (its manifest was changed); activate another version or learn again.")
    return unpack(body)[0]


def _checked(parts: Mapping[str, bytes], name: str) -> bytes:
    part = parts.get(name)
    if part is None:
        raise LearningError("The model is damaged (a part is missing); activate another version or learn again.")
    if content_name(part) != name:
        raise LearningError("The model is damaged (a part was changed); activate another version or learn again.")
    return part
