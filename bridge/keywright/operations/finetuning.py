"""Fine-tuning the encoder in use on the photographer's own keywords, and keeping it only where it is better.

It is done three times, each time without a third of the keyworded photos, from which nothing is learned or chosen: they
decide. The learner is trained on vectors of both encoders, and the tuned one is kept when keywords are ranked better on
all these thirds together, by more than chance explains. Keywords that do not go with what is in the photos give no such
gain. What is kept is the mean of the three networks' weights (Wortsman et al. 2022, arXiv:2203.05482): each began from
the same, so that it lies between them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import available_cores
from keywright.encoders.builtin import BUILTIN, BuiltinSpec
from keywright.encoders.kept import CLIP, KeptEncoder, kept_encoders
from keywright.errors import KeywrightError
from keywright.operations.gathering import Gathered, gather
from keywright.operations.progress import Cancel, CancelledError, Progress, never, silent
from keywright.operations.turns import TURNS, Turn, decide, is_better, judged, parted
from keywright.operations.workspace import Workspace
from keywright.renditions.base import Pixels, RenditionError
from keywright.renditions.renderer import Renderer

if TYPE_CHECKING:
    from keywright.encoders.tunable import Tunable
    from keywright.encoders.tuning import Activations, Labels, Matrix, Tuned, TuneSettings

LEAST_PHOTOS = 100
LEAST_OF_KEYWORD = 8
"""A keyword on fewer photos has too few in each part."""
MOST_PHOTOS = 6000


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What became of it. Means are mean average precisions on the deciding photos."""

    base: str
    encoder: KeptEncoder | None  # None: it was not better, nothing is kept
    photos: int
    keywords: int
    epochs: int
    mean_before: float
    mean_after: float
    standard_error: float  # of their difference

    @property
    def better(self) -> bool:
        return self.encoder is not None


@dataclass(frozen=True, eq=False, slots=True)
class Crossed:
    """Features of all photos, not normalised: of the network as it was, as each turn left it, and of their mean."""

    before: Matrix
    after: Sequence[Matrix]
    mean: Matrix
    epochs: int  # of the longest turn


@dataclass(frozen=True, slots=True)
class Material:
    """Photos to learn from: ``pictures`` as the encoder is shown them, ``labels`` (photos, keywords)."""

    pictures: Sequence[Pixels]
    labels: Labels
    turns: Sequence[Turn]


def finetune(
    workspace: Workspace,
    name: str = "tuned",
    *,
    settings: TuneSettings | None = None,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> FineTuned:
    """Fine-tune the encoder in use, and keep it as ``name`` where that is better; which encoder is in use stays.

    Stopped, it goes on from the last epoch. Raises ``KeywrightError`` where there is too little to learn from, and
    ``CancelledError`` when told to stop.
    """
    from keywright.encoders.tuning import TuneSettings

    base = workspace.encoder_id
    work = workspace.home.cache / "finetuning" / name
    with workspace.store.read() as connection:
        gathered = gather(workspace, connection)
    material = prepared(workspace, gathered, progress, cancel)
    settings = settings or TuneSettings()
    _begin(work, base, material, settings)
    if base in BUILTIN:
        report = _tune_lite(workspace, BUILTIN[base], name, material, work, settings, progress, cancel)
    else:
        kept = next((one for one in kept_encoders(workspace.home.encoders) if one.id == base), None)
        if kept is None or kept.kind != CLIP:
            raise KeywrightError(
                f"The encoder {base} is fine-tuned already; go back to the one it was made from, and begin there."
            )
        report = _tune_clip(workspace, kept, name, material, work, settings, progress, cancel)
    shutil.rmtree(work, ignore_errors=True)
    return report


def prepared(workspace: Workspace, gathered: Gathered, progress: Progress, cancel: Cancel) -> Material:
    """Pictures and labels of the photos that can be learned from. Raises ``KeywrightError`` where they are too few."""
    keywords = [one for one in gathered.data.keywords if len(one.positives) >= LEAST_OF_KEYWORD]
    labels = np.zeros((len(gathered.paths), len(keywords)), bool)
    for column, one in enumerate(keywords):
        labels[one.positives, column] = True
    rows = np.flatnonzero(labels.any(axis=1))
    # The order hangs on the photos' content alone: a run that goes on finds the same parts.
    order = sorted(rows.tolist(), key=lambda row: hashlib.blake2b(gathered.content_ids[row].encode()).digest())
    order = order[:MOST_PHOTOS]
    found: list[tuple[int, Pixels]] = []
    view, stage = workspace.encoder.view, "Reading photos to fine-tune on"
    with Renderer() as renderer, ThreadPoolExecutor(available_cores()) as pool:

        def picture(row: int) -> Pixels | None:
            try:
                return None if cancel() else renderer.rendition(gathered.paths[row], view).pixels
            except RenditionError:
                return None

        for row, pixels in zip(order, pool.map(picture, order), strict=True):
            if pixels is not None:
                found.append((row, pixels))
            progress(stage, len(found), len(order))
    if cancel():
        raise CancelledError("Stopped while reading the photos; the next run begins anew.")
    labels = labels[[row for row, _ in found]]
    enough = labels.sum(axis=0) >= LEAST_OF_KEYWORD
    if len(found) < LEAST_PHOTOS or not enough.any():
        raise KeywrightError(
            f"Fine-tuning needs at least {LEAST_PHOTOS} photos that can be read and keywords on at least "
            f"{LEAST_OF_KEYWORD} of them; there are {len(found)} photos and {int(enough.sum())} such keywords."
        )
    return Material([pixels for _, pixels in found], labels[:, enough], parted(len(found)))


def _begin(work: Path, base: str, material: Material, settings: TuneSettings) -> None:
    """Keep what an earlier run left only where it was of the same photos, keywords, encoder and settings."""
    said = hashlib.blake2b(np.packbits(material.labels).tobytes() + str(len(material.pictures)).encode()).hexdigest()
    mark = work / "of.json"
    wanted = json.dumps({"base": base, "labels": said, "settings": repr(settings)})
    try:
        if mark.read_text(encoding="utf-8") == wanted:
            return
    except OSError:
        pass  # there is none, or it cannot be read: then it is begun anew
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    mark.write_text(wanted, encoding="utf-8")


def _tune_lite(
    workspace: Workspace,
    spec: BuiltinSpec,
    name: str,
    material: Material,
    work: Path,
    settings: TuneSettings,
    progress: Progress,
    cancel: Cancel,
) -> FineTuned:
    from keywright.encoders.builtin import USUAL_LENGTH
    from keywright.encoders.lite_graphs import packaged
    from keywright.encoders.tunable import distilled_head, keep_lite, tunable_lite

    made, parts = {}, []
    for network_name in spec.networks:
        network, head = packaged(network_name).load()
        tunable = tunable_lite(network)
        done = _crossed(tunable, material, work / network_name, settings, network_name, progress, cancel)
        made[network_name] = (network, distilled_head(done.mean, done.before, head))
        parts.append((done, USUAL_LENGTH[network_name]))
    before = _unit(np.concatenate([done.before / length for done, length in parts], axis=1))
    after = [
        _unit(np.concatenate([done.after[turn] / length for done, length in parts], axis=1)) for turn in range(TURNS)
    ]
    means, error = decide(before, after, material.labels, material.turns)
    encoder = None
    if is_better(means, error):
        about = f"{spec.id} fine-tuned on {len(material.labels):,} photos"
        encoder = keep_lite(workspace.home.encoders, name, spec, made, material.pictures, about)
    return _report(spec.id, encoder, material, max(done.epochs for done, _ in parts), means, error)


def _tune_clip(
    workspace: Workspace,
    kept: KeptEncoder,
    name: str,
    material: Material,
    work: Path,
    settings: TuneSettings,
    progress: Progress,
    cancel: Cancel,
) -> FineTuned:
    from keywright.encoders.clip_network import ClipNetwork
    from keywright.encoders.tunable import keep_clip, tunable_clip

    source = workspace.home.encoders / kept.name
    network = ClipNetwork(kept, source, folded=False)
    done = _crossed(tunable_clip(network), material, work / "vision", settings, kept.name, progress, cancel)
    means, error = decide(_unit(done.before), [_unit(one) for one in done.after], material.labels, material.turns)
    encoder = None
    if is_better(means, error):
        about = f"{kept.id} fine-tuned on {len(material.labels):,} photos"
        encoder = keep_clip(workspace.home.encoders, name, source, network, about, kept.licence)
    return _report(kept.id, encoder, material, done.epochs, means, error)


def _report(
    base: str, encoder: KeptEncoder | None, material: Material, epochs: int, means: tuple[float, float], error: float
) -> FineTuned:
    photos, keywords = material.labels.shape
    return FineTuned(base, encoder, photos, keywords, epochs, means[0], means[1], error)


def _crossed(
    tunable: Tunable,
    material: Material,
    folder: Path,
    settings: TuneSettings,
    what: str,
    progress: Progress,
    cancel: Cancel,
) -> Crossed:
    """Train ``tunable`` in each turn from where it was, and leave it with the mean of their weights."""
    from keywright.encoders.tuning import all_features

    activations = _activations(tunable, material, settings.variations, folder, what, progress, cancel)
    count, blocks = len(material.labels), tunable.blocks
    before = all_features(blocks, activations, count)
    first = {name: tensor.clone() for name, tensor in blocks.state_dict().items()}
    mean = {name: tensor.clone() for name, tensor in first.items()}
    after, epochs = [], 0
    for number, turn in enumerate(material.turns):
        blocks.load_state_dict(first)

        def trained(done: int, total: int, number: int = number) -> None:
            progress(f"Fine-tuning {what}", number * total + done, TURNS * total)

        done = _train(tunable, activations, material, turn, folder / f"turn{number}.pt", settings, trained, cancel)
        epochs = max(epochs, done.epochs)
        after.append(all_features(blocks, activations, count))
        for name, tensor in blocks.state_dict().items():
            if tensor.is_floating_point():
                mean[name] += (tensor - first[name]) / TURNS
    blocks.load_state_dict(mean)
    return Crossed(before, after, all_features(blocks, activations, count), epochs)


def _activations(
    tunable: Tunable, material: Material, variations: int, folder: Path, what: str, progress: Progress, cancel: Cancel
) -> Activations:
    """What the part that never changes makes of each photo and its variations, in files of the folder."""
    from keywright.encoders.augmenting import varied
    from keywright.encoders.tuning import Activations

    views = 1 + variations
    folder.mkdir(parents=True, exist_ok=True)
    shapes = [picture.shape for picture in material.pictures]
    rows, values, done = [], [], 0
    for number, shape in enumerate(sorted(set(shapes))):
        mine = np.array([row for row, other in enumerate(shapes) if other == shape])
        file, whole = folder / f"{number}.npy", folder / f"{number}.whole"
        rows.append(mine)
        if whole.is_file():
            values.append(np.load(file, mmap_mode="r"))
            done += len(mine)
            continue
        out: NDArray[Any] | None = None
        for start in range(0, len(mine), 16):
            if cancel():
                raise CancelledError("Stopped before the first epoch; the next run begins anew.")
            one = np.stack([material.pictures[row] for row in mine[start : start + 16]])
            generator = np.random.default_rng((number, start))  # a run that goes on makes the same variations
            shown = np.stack([one, *(varied(one, generator) for _ in range(variations))], axis=1)
            made = tunable.front(shown.reshape(-1, *shape))
            made = made.reshape(len(one), views, *made.shape[1:])
            if out is None:
                out = np.lib.format.open_memmap(file, mode="w+", dtype=made.dtype, shape=(len(mine), *made.shape[1:]))
            out[start : start + len(one)] = made
            done += len(one)
            progress(f"Looking at photos with {what}", done, len(shapes))
        whole.touch()
        values.append(np.load(file, mmap_mode="r"))
    return Activations(rows, values)


def _train(
    tunable: Tunable,
    activations: Activations,
    material: Material,
    turn: Turn,
    checkpoint: Path,
    settings: TuneSettings,
    progress: Callable[[int, int], None],
    cancel: Cancel,
) -> Tuned:
    from keywright.encoders.tuning import TuningStoppedError, tune

    def judge(vectors: Matrix) -> NDArray[np.float64]:
        return judged(vectors, material.labels, turn.training, turn.stopping)

    try:
        return tune(
            tunable.blocks,
            tunable.trainable,
            activations,
            material.labels,
            turn.training,
            judge,
            checkpoint,
            settings,
            progress,
            cancel,
        )
    except TuningStoppedError as error:
        raise CancelledError(str(error)) from None


def _unit(vectors: Matrix) -> Matrix:
    unit: Matrix = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
