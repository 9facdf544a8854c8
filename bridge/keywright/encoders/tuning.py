"""Fine-tuning: the later blocks of a network learn a photographer's keywords.

First a linear layer on the features as they are, then that layer together with the network's later blocks (Kumar et al.
2022, arXiv:2202.10054: features are bent less than by training both from the start). The rate falls as a cosine, and
training stops once the photos set aside for that are ranked clearly worse. What was learned is then mixed with what was
there: between both lie weights that are better than either (Wortsman et al. 2022, arXiv:2109.01903). A few hundred
photos tell epochs and mixtures apart by chance more than by what they are worth, so the last epoch and three quarters
of it are taken unless others are better by more than that.

Everything before these blocks never changes, so that each photo, and a few variations of it, goes through it once; what
comes out is kept in a file, which makes an epoch cheap and going on after a stop cheaper. Where the processor or the
graphics card multiplies bfloat16 itself, the blocks learn in it, in half the time or less.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from keywright.encoders.base import EncoderError
from keywright.errors import reason

Rows = NDArray[np.int64]
Matrix = NDArray[np.float32]
Labels = NDArray[np.bool_]
Precisions = NDArray[np.float64]
Judge = Callable[[Matrix], Precisions]
"""From the unit vectors of all photos to each keyword's average precision on the photos set aside for that (nan: it is
on none of them)."""


@dataclass(frozen=True, slots=True)
class TuneSettings:
    epochs: int = 4
    patience: int = 2  # epochs that are clearly worse than one before
    batch: int = 48
    variations: int = 4  # of each photo
    rate: float = 3e-5  # of the blocks; ten times that undoes what ImageNet taught them
    warm: float = 0.1  # of all steps, in which the rate grows
    head_rate: float = 2e-3
    head_steps: int = 300
    steepest: float = 5.0  # length of a gradient; longer ones are cut
    scale: float = 16.0  # of unit vectors before the linear layer
    mixes: tuple[float, ...] = (0.75, 0.5)  # how much of what was learned, the usual first
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Activations:
    """What goes into the blocks that learn: for each shape of photo its rows, and arrays of shape (n, 1 + variations,
    ...): first the photo as it is."""

    rows: Sequence[Rows]
    values: Sequence[NDArray[Any]]


Watch = Callable[[int, int], None]
"""Told how many are done, and of how many."""


def unwatched(done: int, total: int) -> None:
    """A watch that nobody keeps."""


def tune(
    blocks: nn.Module,
    trainable: Sequence[nn.Parameter],
    activations: Activations,
    vectors: Matrix,
    labels: Labels,
    training: Rows,
    judge: Judge,
    checkpoint: Path,
    settings: TuneSettings,
    progress: Watch,
    looked: Watch,
    cancel: Callable[[], bool],
) -> int:
    """Train ``blocks`` in place, and give the epochs trained.

    ``vectors``: what ``all_vectors`` makes of them as they are; ``labels``: (photos, keywords); ``training``: rows of
    photos that may be learned from.

    ``progress`` gets epochs done and most epochs, ``looked`` photos whenever all are looked at. After each epoch
    ``checkpoint`` holds all that is needed to go on. Nothing but ``trainable`` changes: the network stays in evaluation
    mode, so that what batch normalisation counted of a million other photos is not overwritten by a few hundred.
    Raises ``TuningStoppedError`` where ``cancel()`` said so, ``EncoderError`` where the checkpoint cannot be written.
    """
    torch.manual_seed(settings.seed)
    device = next(blocks.parameters()).device
    truth = torch.from_numpy(labels.astype(np.float32)).to(device)
    before = judge(vectors)
    head = _linear_start(vectors, labels, training, settings).to(device)
    first = weights_of(trainable)
    for parameter in trainable:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(
        [
            {"params": list(trainable), "lr": settings.rate, "weight_decay": 0.0},
            {"params": head.parameters(), "lr": settings.head_rate, "weight_decay": 1e-2},
        ]
    )
    batches = sum(1 for _ in _batches(activations, training, settings, 0))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, partial(_share_of_rate, settings, batches))
    best, best_epoch, epoch = first, 0, 0
    score = torch.from_numpy(before)
    kept = _read(checkpoint)
    if kept is not None:
        put_weights(trainable, kept["weights"])
        head.load_state_dict(kept["head"])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        best = [weight.to(device) for weight in kept["best"]]
        score, best_epoch, epoch = kept["score"], kept["best_epoch"], kept["epoch"]

    def stop_if_told() -> None:
        if cancel():
            raise TuningStoppedError(
                f"Stopped after {epoch} of at most {settings.epochs} epochs; the next run goes on from there."
            )

    def watched(done: int, total: int) -> None:
        stop_if_told()
        looked(done, total)

    progress(epoch, settings.epochs)
    while epoch < settings.epochs and epoch - best_epoch < settings.patience:
        for rows, pictures in _batches(activations, training, settings, epoch):
            stop_if_told()
            with short_numbers(device):
                features = blocks(torch.from_numpy(pictures).to(device, torch.float32))
            logits = head(nn.functional.normalize(features.float(), dim=1) * settings.scale)
            loss = keyword_loss(logits, truth[torch.from_numpy(rows).to(device)])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(trainable, settings.steepest)
            optimizer.step()
            schedule.step()
        now = judge(all_vectors(blocks, activations, len(labels), watched))
        epoch += 1
        if best_epoch == 0 or not clearly_better(score.numpy(), now):
            best, score, best_epoch = weights_of(trainable), torch.from_numpy(now), epoch
        _write(
            checkpoint,
            {
                "weights": [parameter.detach() for parameter in trainable],
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
    for parameter in trainable:
        parameter.requires_grad_(False)

    def mix_in(mix: float) -> None:
        put_weights(trainable, [torch.lerp(one, other, mix) for one, other in zip(first, best, strict=True)])

    def mixed(mix: float) -> Precisions:
        mix_in(mix)
        return judge(all_vectors(blocks, activations, len(labels), watched))

    mix, found = settings.mixes[0], mixed(settings.mixes[0])
    for other in settings.mixes[1:]:
        if clearly_better(scores := mixed(other), found):
            mix, found = other, scores
    if clearly_better(before, found):
        mix = 0.0  # all of it was clearly worse
    mix_in(mix)
    return epoch


def weights_of(trainable: Sequence[nn.Parameter]) -> list[Tensor]:
    """Copies of them."""
    return [parameter.detach().clone() for parameter in trainable]


def put_weights(trainable: Sequence[nn.Parameter], weights: Sequence[Tensor]) -> None:
    """Let the parameters be these, wherever either lie."""
    with torch.no_grad():
        for parameter, weight in zip(trainable, weights, strict=True):
            parameter.copy_(weight)


def clearly_better(one: Precisions, other: Precisions) -> bool:
    """Whether the mean over keywords is higher by more than twice its standard error."""
    difference = (one - other)[~np.isnan(one - other)]
    if len(difference) < 2:
        return False
    return float(difference.mean()) > 2 * float(difference.std(ddof=1)) / math.sqrt(len(difference))


def _share_of_rate(settings: TuneSettings, batches: int, step: int) -> float:
    """Of the rates: growing at first, then falling as a cosine. ``batches`` of an epoch; ``step`` from 0."""
    steps = settings.epochs * batches
    return min(1.0, (step + 1) / (settings.warm * steps + 1)) * 0.5 * (1 + math.cos(math.pi * min(step / steps, 1.0)))


class TuningStoppedError(EncoderError):
    """The user stopped the training; what was trained is kept."""


def keyword_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of each keyword by itself: the sum over keywords, the mean over photos."""
    return nn.functional.binary_cross_entropy_with_logits(logits, truth, reduction="sum") / len(logits)


def all_vectors(blocks: nn.Module, activations: Activations, photos: int, watch: Watch = unwatched) -> Matrix:
    """Unit vectors of all photos as they are, near enough to judge by."""
    return unit(all_features(blocks, activations, photos, watch, exact=False))


def unit(vectors: Matrix) -> Matrix:
    """Of length 1, but for those of length 0."""
    found: Matrix = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return found


def all_features(
    blocks: nn.Module,
    activations: Activations,
    photos: int,
    watch: Watch = unwatched,
    *,
    exact: bool = True,
    batch: int = 64,
) -> Matrix:
    """Features of all photos as they are, shape (photos, dimension). What ``watch`` raises ends it."""
    device = next(blocks.parameters()).device
    found: Matrix | None = None
    done = 0
    with torch.inference_mode(), nullcontext() if exact else short_numbers(device):
        for rows, values in zip(activations.rows, activations.values, strict=True):
            for start in range(0, len(rows), batch):
                watch(done, photos)
                part = torch.from_numpy(np.asarray(values[start : start + batch, 0], np.float32)).to(device)
                features = blocks(part).float().cpu().numpy()
                if found is None:
                    found = np.zeros((photos, features.shape[1]), np.float32)
                found[rows[start : start + batch]] = features
                done += len(part)
    if found is None:
        raise EncoderError("There are no photos to fine-tune on.")
    watch(done, photos)
    return found


def _batches(
    activations: Activations, wanted: Rows, settings: TuneSettings, epoch: int
) -> Iterator[tuple[Rows, NDArray[Any]]]:
    """Photos of one shape at a time, shuffled, of each one variation."""
    generator = np.random.default_rng((settings.seed, epoch))
    parts: list[tuple[int, NDArray[np.int64]]] = []
    for number, rows in enumerate(activations.rows):
        places = generator.permutation(np.flatnonzero(np.isin(rows, wanted)))
        parts += [(number, places[start : start + settings.batch]) for start in range(0, len(places), settings.batch)]
    for turn in generator.permutation(len(parts)):
        number, places = parts[int(turn)]
        places, values = np.sort(places), activations.values[number]
        which = generator.integers(min(1, values.shape[1] - 1), values.shape[1], len(places))
        yield activations.rows[number][places], values[places, which]


def short_numbers(device: torch.device) -> torch.autocast:
    """bfloat16 where the hardware multiplies it; elsewhere it would be slower than what it saves."""
    if device.type == "cpu":
        able = torch.ops.mkldnn._is_mkldnn_bf16_supported() if torch.backends.mkldnn.is_available() else False  # type: ignore[no-untyped-call]
    else:
        able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.autocast(device.type if able else "cpu", torch.bfloat16, enabled=able)


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
        keyword_loss(head(x[some]), y[some]).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return head


def _read(checkpoint: Path) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError, ValueError, EOFError, KeyError):
        return None  # cut off while it was written: training begins anew
    return kept if "weights" in kept else None


def _write(checkpoint: Path, state: dict[str, Any]) -> None:
    fresh = checkpoint.with_name(checkpoint.name + ".new")
    with written(fresh):
        save(state, fresh)
        fresh.replace(checkpoint)


def save(state: dict[str, Any], file: Path) -> None:
    """``torch.save``, raising ``OSError`` where the file cannot be written."""
    try:
        torch.save(state, file)
    except RuntimeError as error:  # what torch makes of a full disk
        raise OSError(reason(error)) from None


@contextmanager
def written(file: Path) -> Iterator[None]:
    """An ``OSError`` while ``file`` is written, most often that the disk is full, becomes an ``EncoderError``."""
    try:
        yield
    except OSError as error:
        raise EncoderError(
            f"{file} cannot be written ({reason(error)}); is there room on the disk? The next run goes on from there."
        ) from None
