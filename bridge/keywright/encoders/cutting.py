"""Where a CLIP network is cut in two for fine-tuning: its last blocks with all that follows, and what comes before.

Known are open_clip's own vision transformer, and timm's networks that are a stack of blocks or a row of stages
(SigLIP, MobileCLIP, ConvNeXt). A cut is tried on photos before it is believed: where both halves together do not give
what the whole gives, and for all other networks, the whole goes through in each pass, and the same blocks learn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from keywright.encoders.base import EncoderError
from keywright.encoders.clip_network import Vision

BLOCKS = 2
_LEAST_COSINE = 0.999  # of the features of both halves with those of the whole; halves of another network give far less

Step = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Cut:
    """``start`` makes of pixels, uint8 (n, height, width, 3), what ``end`` takes; ``None``: it takes pixels."""

    start: Step | None
    end: nn.Module
    trainable: Sequence[nn.Parameter]


class _End(nn.Module):
    """The last blocks, and ``rest``: what is done with what they give, with the parts it does that with."""

    def __init__(
        self, blocks: Sequence[nn.Module], rest: Step, parts: Sequence[object], weights: Sequence[object] = ()
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.parts = nn.ModuleList(part for part in parts if isinstance(part, nn.Module))
        self.weights = nn.ParameterList(weight for weight in weights if isinstance(weight, nn.Parameter))
        self._rest = rest

    def forward(self, x: Tensor) -> Tensor:
        return self._rest(_through(self.blocks, x))


def cut(vision: Vision, pixels: Tensor) -> Cut:
    """``vision`` cut before its last blocks; ``pixels`` are some photos to try it on.

    Raises ``EncoderError`` where there are no blocks that follow each other.
    """
    found = _halves(vision)
    if found is not None:
        start, end = found
        try:
            with torch.inference_mode():
                halves, whole = end(start(pixels)).float(), vision(pixels)
                same = bool(nn.functional.cosine_similarity(halves, whole).min() > _LEAST_COSINE)
        except (RuntimeError, TypeError, AttributeError):
            same = False  # one of this family that goes another way
        if same:
            return Cut(start, end, list(end.parameters()))
    return Cut(None, vision, _last_parameters(vision, pixels))


def _halves(vision: Vision) -> tuple[Step, _End] | None:
    visual: Any = vision.model.visual
    trunk: Any = getattr(visual, "trunk", None)
    if trunk is None and hasattr(visual, "_embeds") and visual.transformer.batch_first:
        return _transformer(vision, visual)
    if isinstance(getattr(trunk, "blocks", None), nn.Sequential) and hasattr(trunk, "_pos_embed"):
        return _timm_transformer(vision, visual, trunk)
    if isinstance(getattr(trunk, "stages", None), nn.Sequential):
        return _timm_stages(vision, visual, trunk)
    return None


def _transformer(vision: Vision, visual: Any) -> tuple[Step, _End]:
    """open_clip's own vision transformer."""
    blocks = list(visual.transformer.resblocks)

    def start(pixels: Tensor) -> Tensor:
        return _through(blocks[:-BLOCKS], visual._embeds(vision.planes(pixels)))

    def rest(x: Tensor) -> Tensor:
        pooled: Tensor = visual._pool(x)[0]
        return pooled if visual.proj is None else pooled @ visual.proj

    parts = (visual.ln_post, visual.attn_pool, getattr(visual, "attn_pool_contrastive", None))
    return start, _End(blocks[-BLOCKS:], rest, parts, [visual.proj])


def _timm_transformer(vision: Vision, visual: Any, trunk: Any) -> tuple[Step, _End]:
    blocks = list(trunk.blocks)

    def start(pixels: Tensor) -> Tensor:
        x = trunk._pos_embed(trunk.patch_embed(vision.planes(pixels)))
        return _through(blocks[:-BLOCKS], trunk.norm_pre(trunk.patch_drop(x)))

    def rest(x: Tensor) -> Tensor:
        found: Tensor = visual.head(trunk.forward_head(trunk.norm(x)))
        return found

    parts = [getattr(trunk, name, None) for name in ("norm", "attn_pool", "fc_norm", "head")]
    return start, _End(blocks[-BLOCKS:], rest, [*parts, visual.head])


def _timm_stages(vision: Vision, visual: Any, trunk: Any) -> tuple[Step, _End]:
    """Stages of blocks, each after a step that makes the picture smaller: MobileCLIP, ConvNeXt."""
    steps: list[nn.Module] = []
    places: list[int] = []  # of blocks among the steps
    for stage in trunk.stages:
        steps += [one for name in ("downsample", "pos_emb") if (one := getattr(stage, name, None)) is not None]
        places += range(len(steps), len(steps) + len(stage.blocks))
        steps += list(stage.blocks)
    last = places[-BLOCKS:][0] if places else len(steps)
    after = [getattr(trunk, name, None) for name in ("final_conv", "norm_pre")]
    between = [one for one in after if isinstance(one, nn.Module)]

    def start(pixels: Tensor) -> Tensor:
        return _through([trunk.stem, *steps[:last]], vision.planes(pixels))

    def rest(x: Tensor) -> Tensor:
        found: Tensor = visual.head(trunk.forward_head(_through(between, x)))
        return found

    return start, _End(steps[last:], rest, [*between, trunk.head, visual.head])


def _through(steps: Iterable[nn.Module], x: Tensor) -> Tensor:
    for step in steps:
        x = step(x)
    return x


def _last_parameters(vision: Vision, pixels: Tensor) -> list[nn.Parameter]:
    """Of the last blocks, in the order in which photos go through them, and of all that comes later."""
    visual: nn.Module = vision.model.visual  # type: ignore[assignment]
    order: dict[nn.Module, int] = {}

    def called(module: nn.Module, _: object) -> None:
        order.setdefault(module, len(order))

    watches = [module.register_forward_pre_hook(called) for module in visual.modules()]
    try:
        with torch.inference_mode():
            vision(pixels)
    finally:
        for watch in watches:
            watch.remove()
    blocks = [block for stack in visual.modules() for block in _blocks(stack) if block in order]
    blocks = [one for one in blocks if not any(_blocks(within) for within in one.modules())]
    if not blocks:
        raise EncoderError("This encoder cannot be fine-tuned: its network is no row of blocks.")
    first = sorted(order[block] for block in blocks)[-BLOCKS:][0]
    named = dict(visual.named_modules())

    def turn(name: str) -> int:
        """Of the innermost module that was called and holds the parameter."""
        while (owner := named[name]) not in order and name:
            name = name.rpartition(".")[0]
        return order.get(owner, 0)

    return [one for name, one in visual.named_parameters() if turn(name.rpartition(".")[0]) >= first]


def _blocks(stack: nn.Module) -> list[nn.Module]:
    """The children of a stack of blocks: two or more, each of several parts."""
    if not isinstance(stack, nn.Sequential | nn.ModuleList):
        return []
    found = [child for child in stack if any(True for _ in child.children())]
    return found if len(found) > 1 else []
