"""Fine-tuning: the last blocks of a network learn a photographer's keywords.

First a linear layer on the features as they are, then that layer together with the network's last blocks (Kumar et al.
2022, arXiv:2202.10054: features are bent less than by training both from the start). The loss is asymmetric (Ben-Baruch
et al. 2020, arXiv:2009.14119), because a missing keyword is not a negative: what is surely absent counts little. The
blocks are drawn back to where they were (L2-SP, Li et al. 2018), the rate falls as a cosine, and training stops once
the photos set aside for that gain nothing.

Everything before the last blocks never changes, so that each photo, and its mirror image, goes through it once; what
comes out is kept in a file, which makes an epoch cheap and going on after a stop cheaper.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from keywright.encoders.base import EncoderError

Rows = NDArray[np.int64]
Matrix = NDArray[np.float32]
Labels = NDArray[np.bool_]
Judge = Callable[[Matrix], float]
"""From the unit vectors of all photos to how well keywords are learned from them, on the photos set aside for that."""


@dataclass(frozen=True, slots=True)
class TuneSettings:
    epochs: int = 12
    patience: int = 3  # epochs without gain
    batch: int = 32
    rate: float = 5e-5  # of the blocks; ten times that undoes what ImageNet taught them
    head_rate: float = 2e-3
    head_steps: int = 150
    pull: float = 5e-3  # back to the weights as they were
    scale: float = 16.0  # of unit vectors before the linear layer
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Activations:
    """What goes into the blocks that learn: for each shape of photo its rows, and arrays of shape (n, 2, ...): as the
    photo is, and mirrored."""

    rows: Sequence[Rows]
    values: Sequence[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Tuned:
    """``state`` of the blocks at their best; ``score`` there and ``before`` as ``judge`` says; ``epochs`` trained."""

    state: dict[str, Tensor]
    before: float
    score: float
    epochs: int


def tune(
    blocks: nn.Module,
    trainable: Sequence[nn.Parameter],
    activations: Activations,
    labels: Labels,
    training: Rows,
    judge: Judge,
    checkpoint: Path,
    settings: TuneSettings,
    progress: Callable[[int, int], None],
    cancel: Callable[[], bool],
) -> Tuned:
    """Train ``blocks`` in place. ``labels``: (photos, keywords); ``training``: rows of photos that may be learned from.

    ``progress`` gets epochs done and most epochs. After each epoch ``checkpoint`` holds all that is needed to go on.
    Raises ``TuningStoppedError`` where ``cancel()`` said so.
    """
    torch.manual_seed(settings.seed)
    device = next(blocks.parameters()).device
    truth = torch.from_numpy(labels.astype(np.float32)).to(device)
    vectors = all_vectors(blocks, activations, len(labels))
    before = judge(vectors)
    head = _linear_start(vectors, labels, training, settings).to(device)
    anchors = [parameter.detach().clone() for parameter in trainable]
    for parameter in trainable:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(
        [
            {"params": list(trainable), "lr": settings.rate, "weight_decay": 0.0},
            {"params": head.parameters(), "lr": settings.head_rate, "weight_decay": 1e-2},
        ]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    best, score, best_epoch, start = copy.deepcopy(blocks.state_dict()), before, 0, 0
    kept = _read(checkpoint)
    if kept is not None:
        blocks.load_state_dict(kept["blocks"])
        head.load_state_dict(kept["head"])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        best, score, best_epoch, start = kept["best"], kept["score"], kept["best_epoch"], kept["epoch"]
    progress(start, settings.epochs)
    epoch = start
    while epoch < settings.epochs and epoch - best_epoch < settings.patience:
        generator = np.random.default_rng((settings.seed, epoch))
        for rows, pictures in _batches(activations, training, settings.batch, generator):
            if cancel():
                raise TuningStoppedError(
                    f"Stopped after {epoch} of at most {settings.epochs} epochs; the next run goes on from there."
                )
            features = blocks(torch.from_numpy(pictures).to(device, torch.float32))
            logits = head(nn.functional.normalize(features, dim=1) * settings.scale)
            loss = asymmetric_loss(logits, truth[torch.from_numpy(rows).to(device)])
            drift = sum(((parameter - anchor) ** 2).sum() for parameter, anchor in zip(trainable, anchors, strict=True))
            optimizer.zero_grad()
            (loss + settings.pull * drift).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        schedule.step()
        epoch += 1
        now = judge(all_vectors(blocks, activations, len(labels)))
        if now > score:
            best, score, best_epoch = copy.deepcopy(blocks.state_dict()), now, epoch
        _write(
            checkpoint,
            {
                "blocks": blocks.state_dict(),
                "head": head.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "best": best,
                "score": score,
                "best_epoch": best_epoch,
                "epoch": epoch,
            },
        )
        progress(epoch, settings.epochs)
    blocks.load_state_dict(best)
    for parameter in trainable:
        parameter.requires_grad_(False)
    return Tuned(best, before, score, epoch)


class TuningStoppedError(EncoderError):
    """The user stopped the training; what was trained is kept."""


def asymmetric_loss(logits: Tensor, truth: Tensor, focus: float = 2.0, margin: float = 0.05) -> Tensor:
    """The mean over photos of the sum over keywords; absent keywords that seem absent hardly count."""
    likely = torch.sigmoid(logits)
    there = truth * torch.log(likely.clamp(min=1e-8))
    shifted = (likely - margin).clamp(min=0)
    absent = (1 - truth) * shifted**focus * torch.log((1 - shifted).clamp(min=1e-8))
    return -(there + absent).sum() / len(logits)


def all_vectors(blocks: nn.Module, activations: Activations, photos: int) -> Matrix:
    """Unit vectors of all photos as they are, not mirrored."""
    found = all_features(blocks, activations, photos)
    unit: Matrix = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return unit


def all_features(blocks: nn.Module, activations: Activations, photos: int, batch: int = 64) -> Matrix:
    """Features of all photos as they are, not mirrored, shape (photos, dimension)."""
    device = next(blocks.parameters()).device
    found: Matrix | None = None
    with torch.inference_mode():
        for rows, values in zip(activations.rows, activations.values, strict=True):
            for start in range(0, len(rows), batch):
                part = torch.from_numpy(np.asarray(values[start : start + batch, 0], np.float32)).to(device)
                features = blocks(part).float().cpu().numpy()
                if found is None:
                    found = np.zeros((photos, features.shape[1]), np.float32)
                found[rows[start : start + batch]] = features
    if found is None:
        raise EncoderError("There are no photos to fine-tune on.")
    return found


def _batches(activations: Activations, wanted: Rows, size: int, generator: np.random.Generator) -> Any:
    """Photos of one shape at a time, shuffled, every second one mirrored."""
    allowed = set(wanted.tolist())
    parts: list[tuple[int, NDArray[np.int64]]] = []
    for number, rows in enumerate(activations.rows):
        places = generator.permutation([place for place, row in enumerate(rows.tolist()) if row in allowed])
        parts += [(number, places[start : start + size].astype(np.int64)) for start in range(0, len(places), size)]
    for turn in generator.permutation(len(parts)):
        number, places = parts[int(turn)]
        mirrored = generator.integers(0, 2, len(places))
        order = np.argsort(places)
        yield activations.rows[number][places[order]], activations.values[number][places[order], mirrored]


def _linear_start(vectors: Matrix, labels: Labels, training: Rows, settings: TuneSettings) -> nn.Linear:
    """The linear layer on the features as they are."""
    head = nn.Linear(vectors.shape[1], labels.shape[1])
    shares = labels[training].mean(axis=0).clip(1e-4, 1 - 1e-4)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.from_numpy(np.log(shares / (1 - shares)).astype(np.float32)))
    x = torch.from_numpy(vectors[training]) * settings.scale
    y = torch.from_numpy(labels[training].astype(np.float32))
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-2, weight_decay=1e-2)
    generator = np.random.default_rng(settings.seed)
    for _ in range(settings.head_steps):
        some = torch.from_numpy(generator.choice(len(x), min(512, len(x)), replace=False))
        optimizer.zero_grad()
        asymmetric_loss(head(x[some]), y[some]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return head


def _read(checkpoint: Path) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError, ValueError, EOFError, KeyError):
        return None  # cut off while it was written: training begins anew
    return kept if math.isfinite(kept.get("score", math.nan)) else None


def _write(checkpoint: Path, state: dict[str, Any]) -> None:
    fresh = checkpoint.with_name(checkpoint.name + ".new")
    torch.save(state, fresh)
    fresh.replace(checkpoint)
