"""The models of all keywords: what suggesting and the store hold in hand.

A model set is immutable. It is kept as parts named by their content: one for the features all keywords share, one
for each keyword, and a manifest that lists them. Two versions that differ in one keyword differ in one part and the
manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.base import Floats, LearningError, Vectors
from keywright.learning.calibration import NO_CORRECTION, Correction
from keywright.learning.cases import bounded, bounds_of
from keywright.learning.codec import content_name, pack, unpack
from keywright.learning.features import FeatureMap
from keywright.learning.few import Names
from keywright.learning.hierarchy import Tree, build_tree

MANIFEST = "manifest"
FORMAT = 3
"""1 is without landmarks that joined after the training and without names, 2 without names."""
SCORING_BLOCK = 2048


@dataclass(frozen=True, eq=False, slots=True)
class KeywordModel:
    """One keyword: before the tree's say its confidence is ``logistic(features @ weights + name_weight * r + offset)``,
    r being what the photo says of the keyword's name (``few``)."""

    path: KeywordPath
    digest: str  # of what it was trained on
    weights: Floats  # (m,); shorter by landmarks that joined since and that it does not use
    offset: float
    threshold: float
    photos: int  # positives it was trained on
    average_precision: float  # by leave-one-out, nan where it has too few photos to say
    slope: float = 1.0  # of the calibration, already in ``weights`` and ``offset``
    base: float = 0.0  # of the calibration: what ``offset`` would be for a raw intercept of 0
    learned: float | None = None  # the learned threshold where a person set another; not kept with the model
    name: Floats | None = None  # (classes,) or (d,): the row its name is read with
    name_weight: float = 0.0
    name_mean: float = float("nan")  # of r over the training photos, already in ``offset``; nan: nobody noted it
    cases: float = float("inf")  # how many photos its photos are worth: frames of one burst are one

    @property
    def chosen(self) -> bool:
        """Whether a person set the threshold."""
        return self.learned is not None

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
            "name_weight": self.name_weight,
            "name_mean": None if np.isnan(self.name_mean) else self.name_mean,
            "cases": self.cases if np.isfinite(self.cases) else None,
        }
        arrays = {"weights": self.weights}
        return pack(values, arrays if self.name is None else {**arrays, "name": self.name})

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
                name=arrays.get("name"),
                name_weight=values.get("name_weight", 0.0),
                name_mean=float("nan") if values.get("name_mean") is None else values["name_mean"],
                cases=float("inf") if values.get("cases") is None else values["cases"],
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


@dataclass(frozen=True, slots=True)
class PartNames:
    """``keywords``: ``None`` for those that have moved since."""

    features: str
    joined: tuple[str, ...]
    keywords: tuple[str | None, ...]


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
    names_by: str = ""  # what told the meaning of the names (``training.names_by``); "": nobody noted it
    _features_part: bytes | None = field(default=None, repr=False)
    _names: PartNames | None = field(default=None, repr=False)  # under which the parts are kept, where they are

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
        weights = np.zeros((self.features.dimension, len(self.keywords)), dtype=np.float32)
        for column, model in enumerate(self.keywords):
            weights[: len(model.weights), column] = model.weights
        return weights

    @cached_property
    def offsets(self) -> Floats:
        return np.array([model.offset for model in self.keywords], dtype=np.float32)

    @cached_property
    def bounds(self) -> Floats:
        """Shape (k,): what confidences are bounded by, for want of cases (``cases.bounded``)."""
        return bounds_of(np.array([model.cases for model in self.keywords], dtype=np.float32))

    @cached_property
    def names(self) -> Names | None:
        """What is added to the scores for the keywords' names, ``None`` where names say nothing."""
        rows = [row for model in self.keywords if (row := model.name) is not None]
        if self.features.reader is None or not rows:
            return None
        columns = np.array([column for column, model in enumerate(self.keywords) if model.name is not None])
        weights = np.array([self.keywords[column].name_weight for column in columns], dtype=np.float32)
        return Names(self.features.reader, columns, np.stack(rows), weights, np.zeros(len(rows), dtype=np.float32))

    @cached_property
    def usual_names(self) -> Floats:
        """Shape (k,): what names add to the score of an average photo, in log-odds; nan where nobody noted it."""
        return np.array([m.name_weight * m.name_mean if m.name_weight else 0.0 for m in self.keywords], np.float32)

    @cached_property
    def thresholds(self) -> Floats:
        """Shape (k,): the confidence from which on each keyword is suggested."""
        return np.array([model.threshold for model in self.keywords], dtype=np.float32)

    @cached_property
    def photos(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Shape (k,): how many photos each keyword was learned from."""
        return np.array([model.photos for model in self.keywords], dtype=np.int64)

    @cached_property
    def chosen(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Shape (k,): whether a person set the threshold; such a keyword is suggested however few photos it has."""
        return np.array([model.chosen for model in self.keywords], dtype=bool)

    def with_thresholds(self, chosen: Mapping[tuple[str, ...], float]) -> ModelSet:
        """The same models with thresholds that a person set, by ``KeywordPath.key``; nothing is computed anew."""
        places = {self.columns[key]: value for key, value in chosen.items() if key in self.columns}
        if not places:
            return self
        keywords = list(self.keywords)
        for column, value in places.items():
            keywords[column] = replace(keywords[column], threshold=value, learned=keywords[column].threshold)
        found = replace(self, keywords=tuple(keywords), _names=None)
        found.__dict__.update({n: self.__dict__[n] for n in ("columns", "weights", "offsets") if n in self.__dict__})
        return found

    def moved(self, features: FeatureMap, changed: Mapping[int, KeywordModel]) -> ModelSet:
        """Other models in some columns, over features to which landmarks may have joined; what is known stays known."""
        keywords, names = list(self.keywords), self._names
        for column, model in changed.items():
            keywords[column] = model
        if names is not None:
            kept = (None if column in changed else name for column, name in enumerate(names.keywords))
            names = replace(names, keywords=tuple(kept))
        found = replace(self, features=features, keywords=tuple(keywords), _names=names)
        if "columns" in self.__dict__:
            found.__dict__["columns"] = self.columns
        if "weights" in self.__dict__:
            grown = features.dimension - self.features.dimension
            weights = np.pad(self.weights, ((0, grown), (0, 0))) if grown else self.weights.copy()
            for column, model in changed.items():
                weights[: len(model.weights), column] = model.weights
            found.__dict__["weights"] = weights
        return found

    def part(self, columns: Sequence[int]) -> ModelSet:
        """The models of these columns alone, in tree order, as if there were no others."""
        kept = sorted(set(columns))
        place = {column: n for n, column in enumerate(kept)}
        groups = (np.array([place[c] for c in group.tolist() if c in place]) for group in self.tree.exclusive)
        keywords = tuple(self.keywords[column] for column in kept)
        tree = build_tree([model.path for model in keywords], tuple(group for group in groups if len(group) > 1))
        return replace(self, keywords=keywords, tree=tree, _names=None)

    def confidences(self, vectors: Vectors, out: Floats | None = None, names_said: Floats | None = None) -> Floats:
        """Calibrated confidences, shape (n, k) float32, for unit vectors of shape (n, d) of this set's encoder.

        ``names_said``, zeros of the same shape, is where given set to what the keyword's name adds on each photo beyond
        what it adds on an average one, in log-odds before the tree's say; nan where a model of before does not tell.
        Besides the answers (``out`` where given), memory is bounded whatever n is. Raises ``LearningError`` for
        vectors of another dimension, zero or not numbers.
        """
        if out is None:
            out = np.empty((len(vectors), len(self.keywords)), dtype=np.float32)
        for rows, features in self.features.blocks(vectors, SCORING_BLOCK):
            block = np.matmul(features, self.weights, out=out[rows])
            if self.names is not None:
                self.names.add(block, vectors[rows], None if names_said is None else names_said[rows])
            self.finish(block)
        if names_said is not None and self.names is not None:
            names_said -= self.usual_names
        return out

    def finish(self, scores: Floats) -> Floats:
        """From scores to confidences, in place, shape (n, k): offsets, logistic curve, the tree's say."""
        scores += self.offsets
        scores *= np.float32(0.5)
        np.tanh(scores, out=scores)
        scores *= np.float32(0.5)
        scores += np.float32(0.5)
        return self.tree.settle(bounded(self.correction.apply(scores), self.bounds))

    def to_parts(self) -> dict[str, bytes]:
        """Every part under the name it is kept by: ``manifest``, and the others by the SHA-256 of their bytes."""
        _, manifest, _, parts = replace(self, _names=None).new_parts()
        return {MANIFEST: manifest, **parts}

    @property
    def part_names(self) -> list[str]:
        """Of all parts that are kept, but for the manifest; none of models that were not kept yet."""
        if self._names is None:
            return []
        kept = (self._names.features, *self._names.joined, *self._names.keywords)
        return [name for name in kept if name is not None]

    def new_parts(self) -> tuple[ModelSet, bytes, list[str], dict[str, bytes]]:
        """The same models, as kept; the manifest; the names of all other parts; and the parts that were not kept yet.

        What is kept is not packed again: what one decision changes is small.
        """
        new: dict[str, bytes] = {}

        def name_of(body: bytes) -> str:
            new[content_name(body)] = body
            return content_name(body)

        known = self._names or PartNames("", (), (None,) * len(self.keywords))
        part = self.features.to_bytes() if self._features_part is None else self._features_part
        names = PartNames(
            known.features or name_of(part),
            (*known.joined, *map(name_of, self.features.joined_parts(len(known.joined)))),
            tuple(name or name_of(model.to_bytes()) for name, model in zip(known.keywords, self.keywords, strict=True)),
        )
        values: dict[str, Any] = {
            "format": FORMAT,
            "encoder": self.encoder_id,
            "features": names.features,
            "keywords": names.keywords,
            "exclusive": [group.tolist() for group in self.tree.exclusive],
            "choices": asdict(self.choices),
            "min_photos": self.min_photos,
            "correction": [list(self.correction.knots), list(self.correction.values)],
        }
        if self.names_by:
            values["names_by"] = self.names_by
        if names.joined:
            values["joined"] = names.joined
        body = pack(values, {})
        kept = replace(self, _features_part=part, _names=names)
        kept.__dict__.update({n: v for n, v in self.__dict__.items() if n in ("columns", "weights")})
        return kept, content_name(body).encode() + b"\n" + body, kept.part_names, new

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
            features = features.with_joined_parts([_checked(parts, name) for name in values.get("joined", ())])
            models = tuple(KeywordModel.from_bytes(_checked(parts, name)) for name in values["keywords"])
            shortest, longest = features.trained_dimension, features.dimension
            reader = features.reader
            named = [model.name.shape for model in models if model.name is not None]
            if any(model.weights.ndim != 1 or not shortest <= len(model.weights) <= longest for model in models) or any(
                reader is None or shape != reader.common.shape for shape in named
            ):
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
                str(values.get("names_by", "")),
                parts[values["features"]],
                PartNames(values["features"], tuple(values.get("joined", ())), tuple(values["keywords"])),
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
    return [values["features"], *values.get("joined", ()), *values["keywords"]]


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
