"""The built-in encoders: EfficientNet-Lite networks with ImageNet weights, alone or several joined.

Networks that are trained alike and sized differently err differently: their features side by side make a better vector
than the larger network alone. Each part is divided by the usual length of its network's features, so that all parts
weigh the same, and the whole is a linear function of the features: the class head of a joined encoder, the mean of its
networks' logits, is then one matrix on the joined vector, as with a single network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import Encoded, Vectors, available_cores
from keywright.encoders.lite_graphs import Head, Network, Precision, open_network, open_with_torch, packaged
from keywright.renditions.base import Crop, Pixels, View

FEATURES = 1280
"""Features of every network of the family."""
USUAL_LENGTH: Mapping[str, float] = {
    "efficientnet-lite0": 10.3,
    "efficientnet-lite1": 9.9,
    "efficientnet-lite2": 10.3,
}
"""Mean length of a network's features on photos shown whole at 352."""


@dataclass(frozen=True, slots=True)
class BuiltinSpec:
    """One built-in encoder: which networks (keys of ``efficientnet_lite.VARIANTS``), what they are shown, and how."""

    networks: tuple[str, ...]
    view: View
    precision: Precision = Precision.FULL

    @property
    def id(self) -> str:
        joined = "+".join((self.networks[0], *(name.removeprefix("efficientnet-") for name in self.networks[1:])))
        return f"{joined}/{self.view.name}" + ("" if self.precision is Precision.FULL else f"/{self.precision}")

    @property
    def dimension(self) -> int:
        return FEATURES * len(self.networks)


def _lite(*numbers: int, view: View, precision: Precision = Precision.FULL) -> BuiltinSpec:
    return BuiltinSpec(tuple(f"efficientnet-lite{number}" for number in numbers), view, precision)


BUILTIN = {
    spec.id: spec
    for precision in Precision
    for spec in (
        _lite(0, view=View(Crop.CENTRE, 224), precision=precision),
        _lite(0, view=View(Crop.SHAPE, 224), precision=precision),
        _lite(0, view=View(Crop.SHAPE, 288), precision=precision),
        _lite(2, view=View(Crop.SHAPE, 260), precision=precision),
        _lite(0, 2, view=View(Crop.SHAPE, 288), precision=precision),
        _lite(0, 2, view=View(Crop.SHAPE, 352), precision=precision),
        _lite(0, 1, 2, view=View(Crop.SHAPE, 352), precision=precision),
    )
}


class BuiltinEncoder:
    """Keeps ``encoders.base.Encoder``. ``simultaneous``: how many ``encode`` calls may run at once, one core each."""

    def __init__(self, spec: BuiltinSpec, networks: Sequence[Network], encoder_id: str | None = None) -> None:
        """``encoder_id``: where the networks are not as they were trained on ImageNet."""
        self.id = encoder_id or spec.id
        self.dimension = spec.dimension
        self.view = spec.view
        self.runs_on = networks[0].runs_on
        self.simultaneous = available_cores() if all(network.parallel for network in networks) else 1
        self._networks = [network.features for network in networks]
        # One network's features stay as they are; lengths only matter where parts are joined.
        self._lengths = [1.0] if len(networks) == 1 else [USUAL_LENGTH[name] for name in spec.networks]
        self._head = _joined([network.head for network in networks], self._lengths)

    @classmethod
    def open(cls, spec: BuiltinSpec, cache: Path) -> BuiltinEncoder:
        """The encoder, its graphs taken from ``cache`` or put there. Raises ``EncoderError`` without weights."""
        return cls(spec, [open_network(packaged(name), spec.precision, cache) for name in spec.networks])

    @classmethod
    def open_with_torch(cls, spec: BuiltinSpec) -> BuiltinEncoder:
        """The encoder through torch alone, in full precision: for checking, and for comparing speeds."""
        return cls(spec, [open_with_torch(packaged(name)) for name in spec.networks])

    def encode(self, pixels: Sequence[Pixels]) -> Encoded:
        """Encode renditions made for ``view``; each shape among them is one batch."""
        found = np.empty((len(pixels), self.dimension), np.float32)
        shapes = [picture.shape for picture in pixels]
        for shape in sorted(set(shapes)):
            rows = [row for row, other in enumerate(shapes) if other == shape]
            batch = np.stack([pixels[row] for row in rows])
            parts = [run(batch) / length for run, length in zip(self._networks, self._lengths, strict=True)]
            found[rows] = np.concatenate(parts, axis=1)
        norms: NDArray[np.float32] = np.linalg.norm(found, axis=1).astype(np.float32)
        vectors: Vectors = (found / np.maximum(norms, 1e-12)[:, None]).astype(np.float32, copy=False)
        return Encoded(vectors, norms)

    def class_names(self) -> Sequence[str]:
        return imagenet_names()

    def class_probabilities(self, encoded: Encoded) -> NDArray[np.float32]:
        logits = (encoded.vectors.astype(np.float32) * encoded.norms[:, None]) @ self._head.weight.T + self._head.bias
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities: NDArray[np.float32] = (likely / likely.sum(axis=1, keepdims=True)).astype(np.float32)
        return probabilities


def _joined(heads: Sequence[Head], lengths: Sequence[float]) -> Head:
    """The mean of several classifiers' logits as one classifier of the joined, scaled features."""
    weights = [head.weight * length for head, length in zip(heads, lengths, strict=True)]
    count = len(heads)
    return Head(
        (np.concatenate(weights, axis=1) / count).astype(np.float32),
        (np.sum([head.bias for head in heads], axis=0) / count).astype(np.float32),
    )


@lru_cache(maxsize=1)
def imagenet_names() -> tuple[str, ...]:
    """The names of the 1000 ImageNet classes, in the order of the classifier (see ``imagenet_classes.txt``)."""
    lines = (resources.files(__package__) / "imagenet_classes.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))
