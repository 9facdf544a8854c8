"""The same network in eight-bit integers: half the time for at most 0.0012 of mean average precision.

Static post-training quantisation (Jacob et al. 2018, arXiv:1712.05877): weights as signed bytes with a scale for each
output channel, activations as unsigned bytes with one scale and zero point for each tensor. The graph says so with
QuantizeLinear and DequantizeLinear around plain convolutions, which ONNX Runtime replaces by integer kernels. ReLU6
needs no node: the byte's own limits cut at zero and at the range's end.

What the bytes stand for are the ranges in ``activation_ranges.txt``, measured once by
``benchmarks/activation_ranges.py`` on the training photos; they are part of the encoder: other ranges are another id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import EncoderError
from keywright.encoders.onnx_graph import INPUT, OUTPUT, Writer

if TYPE_CHECKING:
    import onnx

    from keywright.encoders.efficientnet_lite import EfficientNetLite, SameConv

_WEIGHT_LIMIT = 127  # of a signed byte, the same on both sides of zero
_SUM_LIMIT = 1 << 30  # of the 32 bits that products are summed in


@dataclass(frozen=True, slots=True)
class Range:
    """Least and greatest value of an activation."""

    low: float
    high: float

    @property
    def scale(self) -> float:
        """What one step of the byte is worth."""
        return max(max(self.high, 0.0) - min(self.low, 0.0), 1e-6) / 255

    @property
    def zero(self) -> int:
        """The byte that stands for zero: padding and ReLU6 need it exact."""
        return int(np.clip(round(-min(self.low, 0.0) / self.scale), 0, 255))


Ranges = Mapping[str, Range]
"""Ranges by the name of the graph's tensor (``onnx_graph.graph_of`` names them)."""


@lru_cache
def activation_ranges(network: str) -> Ranges:
    """The ranges of one network's activations. Raises ``EncoderError`` where none were measured."""
    text = (resources.files(__package__) / "activation_ranges.txt").read_text(encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    found = {tensor: Range(float(low), float(high)) for name, tensor, low, high in rows if name == network}
    if not found:
        raise EncoderError(f"The encoder {network} has no eight-bit form; choose the same without /int8.")
    return found


def quantized_graph_of(network: EfficientNetLite, ranges: Ranges) -> onnx.ModelProto:
    """The network as an eight-bit ONNX model, with the input and output of ``onnx_graph.graph_of``."""
    from keywright.encoders.efficientnet_lite import FEATURES, PIXEL_MEAN, PIXEL_SCALE, InvertedResidual

    writer = _QuantizingWriter(ranges)
    # A pixel is a byte already: 127 stands for zero, and a step is worth 1/128.
    scale = writer.constant("pixels.scale", np.array(1 / PIXEL_SCALE, np.float32))
    zero = writer.constant("pixels.zero", np.array(int(PIXEL_MEAN), np.uint8))
    planes = writer.node("Transpose", [INPUT], "planes", perm=[0, 3, 1, 2])
    scaled = writer.node("DequantizeLinear", [planes, scale, zero], "scaled")
    writer.steps[scaled] = 1 / PIXEL_SCALE
    at = writer.layer(network.stem, scaled, "stem", ".relu6")
    for number, block in enumerate(network.blocks):
        assert isinstance(block, InvertedResidual)
        name, start = f"block{number}", at
        if block.expand is not None:
            at = writer.layer(block.expand, at, f"{name}.expand", ".relu6")
        at = writer.layer(block.depthwise, at, f"{name}.depthwise", ".relu6")
        at = writer.layer(block.project, at, f"{name}.project", "")
        if block.adds_input:
            at = writer.rounded(writer.node("Add", [at, start], f"{name}.sum"), f"{name}.sum")
    at = writer.layer(network.head, at, "head", ".relu6")
    at = writer.node("GlobalAveragePool", [at], "pooled")
    writer.node("Flatten", [at], OUTPUT, axis=1)
    return writer.model(FEATURES)


class _QuantizingWriter(Writer):
    """``steps``: what one step of each dequantised tensor is worth; a convolution's bias is counted in them."""

    def __init__(self, ranges: Ranges) -> None:
        super().__init__()
        self._ranges = ranges
        self.steps: dict[str, float] = {}

    def layer(self, conv: SameConv, at: str, name: str, activation: str) -> str:
        """A convolution on bytes; ``activation`` is what its output is called by in the ranges after ``name``."""
        assert conv.bias is not None
        weight = conv.weight.detach().contiguous().numpy()
        # A channel whose weights are next to nothing has steps large enough for its bias to be counted in them.
        least = np.abs(conv.bias.detach().numpy()) / (self.steps[at] * _SUM_LIMIT)
        steps = np.maximum(np.maximum(np.abs(weight).max(axis=(1, 2, 3)) / _WEIGHT_LIMIT, least), 1e-12)
        bytes_ = np.clip(np.round(weight / steps[:, None, None, None]), -_WEIGHT_LIMIT, _WEIGHT_LIMIT)
        weights = self._dequantized(f"{name}.weight", bytes_.astype(np.int8), steps)
        # Sums are counted in steps of input times weight; the bias joins them as a whole number of those.
        sums = steps * self.steps[at]
        bias = np.round(conv.bias.detach().numpy() / sums).astype(np.int32)
        biases = self._dequantized(f"{name}.bias", bias, sums)
        return self.rounded(self.convolution(conv, at, weights, biases, name), f"{name}{activation}")

    def rounded(self, at: str, tensor: str) -> str:
        """The tensor as bytes of its range, and what they stand for."""
        found = self._ranges[tensor]
        scale = self.constant(f"{tensor}.scale", np.array(found.scale, np.float32))
        zero = self.constant(f"{tensor}.zero", np.array(found.zero, np.uint8))
        self.node("QuantizeLinear", [at, scale, zero], f"{tensor}.bytes")
        out = self.node("DequantizeLinear", [f"{tensor}.bytes", scale, zero], f"{tensor}.value")
        self.steps[out] = found.scale
        return out

    def _dequantized(self, name: str, values: NDArray[np.int8] | NDArray[np.int32], steps: NDArray[np.float32]) -> str:
        whole = self.constant(f"{name}.whole", values)
        scale = self.constant(f"{name}.scale", steps.astype(np.float32))
        zero = self.constant(f"{name}.zero", np.zeros(len(steps), values.dtype))
        return self.node("DequantizeLinear", [whole, scale, zero], name, axis=0)
