"""EfficientNet-Lite in torch, ready for inference: the network behind the built-in encoders.

The Lite family (TensorFlow, ``tpu/models/official/efficientnet/lite``) is EfficientNet (Tan & Le 2019,
arXiv:1905.11946) without squeeze-and-excitation, with ReLU6 for swish, and with the stem, the head and the first and
last stage not scaled. Its weights were trained in TensorFlow, so padding follows TensorFlow's "SAME" rule: where the
padding is odd, the larger half goes right and below. torch's symmetric padding gives vectors that look plausible and
are wrong.

Batch normalisation is folded into the convolutions when the weights are loaded: at inference it is the same
arithmetic, and a fifth of the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

BN_EPSILON = 1e-3
PIXEL_MEAN = 127.0
PIXEL_SCALE = 128.0
STEM_CHANNELS = 32
FEATURES = 1280


@dataclass(frozen=True, slots=True)
class Variant:
    """How a member of the family is scaled from the base network."""

    width: float
    depth: float


VARIANTS: Mapping[str, Variant] = {
    "efficientnet-lite0": Variant(1.0, 1.0),
    "efficientnet-lite1": Variant(1.0, 1.1),
    "efficientnet-lite2": Variant(1.1, 1.2),
    "efficientnet-lite3": Variant(1.2, 1.4),
    "efficientnet-lite4": Variant(1.4, 1.8),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A run of inverted-residual blocks; ``stride`` is that of its first block."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted-residual block after scaling."""

    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int


def blocks_of(variant: Variant) -> list[Block]:
    """The blocks of a scaled network, first to last."""
    blocks: list[Block] = []
    channels = STEM_CHANNELS
    for number, stage in enumerate(STAGES):
        first_or_last = number in (0, len(STAGES) - 1)
        repeats = stage.repeats if first_or_last else math.ceil(stage.repeats * variant.depth)
        wide = _scaled_channels(stage.channels, variant.width)
        for repeat in range(repeats):
            blocks.append(Block(stage.kernel, stage.stride if repeat == 0 else 1, stage.expansion, channels, wide))
            channels = wide
    return blocks


def _scaled_channels(channels: int, width: float) -> int:
    """The nearest multiple of 8, never more than a tenth below the exact number."""
    exact = channels * width
    rounded = max(8, int(exact + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * exact else rounded


class SameConv(nn.Conv2d):
    """A convolution with a bias (the folded batch normalisation) and TensorFlow's "SAME" padding."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            channels_in, channels_out, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups
        )

    def forward(self, input: Tensor) -> Tensor:
        stride, kernel = self.stride[0], self.kernel_size[0]
        if stride > 1:
            above, below = _same_padding(int(input.shape[2]), kernel, stride)
            left, right = _same_padding(int(input.shape[3]), kernel, stride)
            input = functional.pad(input, (left, right, above, below))
        return super().forward(input)


def _same_padding(length: int, kernel: int, stride: int) -> tuple[int, int]:
    total = max((math.ceil(length / stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


class InvertedResidual(nn.Module):
    """Expand, filter each channel on its own, project; the input is added where shapes agree."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        wide = block.channels_in * block.expansion
        self.expand = SameConv(block.channels_in, wide, 1) if block.expansion > 1 else None
        self.depthwise = SameConv(wide, wide, block.kernel, block.stride, groups=wide)
        self.project = SameConv(wide, block.channels_out, 1)
        self.adds_input = block.stride == 1 and block.channels_in == block.channels_out

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else functional.relu6(self.expand(x))
        out: Tensor = self.project(functional.relu6(self.depthwise(wide)))
        return out + x if self.adds_input else out


class EfficientNetLite(nn.Module):
    """uint8 RGB pixels, shape (n, height, width, 3), to pooled features, float32, shape (n, 1280), not normalised."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        blocks = blocks_of(variant)
        self.stem = SameConv(3, STEM_CHANNELS, 3, 2)
        self.blocks = nn.ModuleList(InvertedResidual(block) for block in blocks)
        self.head = SameConv(blocks[-1].channels_out, FEATURES, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = (pixels.permute(0, 3, 1, 2).to(self.stem.weight.dtype) - PIXEL_MEAN) / PIXEL_SCALE
        x = functional.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        pooled: Tensor = functional.relu6(self.head(x)).mean((2, 3))
        return pooled


@dataclass(frozen=True, slots=True)
class Classifier:
    """The network's own last layer: ``logits = features @ weight.T + bias``; weight (1000, 1280), bias (1000,)."""

    weight: Tensor
    bias: Tensor


def load_network(name: str, weights: Path) -> tuple[EfficientNetLite, Classifier]:
    """The network ``name`` (a key of ``VARIANTS``) with the weights of a ``.pth`` file, in evaluation mode.

    The file is read with ``weights_only``: it can hold tensors, never code. Raises ``KeyError`` or ``RuntimeError``
    where its tensors are not those of the network.
    """
    state: dict[str, Tensor] = torch.load(weights, map_location="cpu", weights_only=True)
    network = EfficientNetLite(VARIANTS[name])
    with torch.no_grad():
        _fold(network.stem, state, "_conv_stem", "_bn0")
        for number, block in enumerate(network.blocks):
            assert isinstance(block, InvertedResidual)
            prefix = f"_blocks.{number}."
            if block.expand is not None:
                _fold(block.expand, state, f"{prefix}_expand_conv", f"{prefix}_bn0")
            _fold(block.depthwise, state, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
            _fold(block.project, state, f"{prefix}_project_conv", f"{prefix}_bn2")
        _fold(network.head, state, "_conv_head", "_bn1")
    network.eval().requires_grad_(False)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network, Classifier(state["_fc.weight"], state["_fc.bias"])


def _fold(conv: SameConv, state: Mapping[str, Tensor], conv_name: str, norm_name: str) -> None:
    """Put the convolution's weights, with its batch normalisation folded in, into ``conv``."""
    scale = state[f"{norm_name}.weight"] / torch.sqrt(state[f"{norm_name}.running_var"] + BN_EPSILON)
    conv.weight.copy_(state[f"{conv_name}.weight"] * scale[:, None, None, None])
    assert conv.bias is not None
    conv.bias.copy_(state[f"{norm_name}.bias"] - state[f"{norm_name}.running_mean"] * scale)
