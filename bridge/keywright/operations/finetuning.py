"""Fine-tuning the encoder in use on the photographer's own keywords, and keeping it only where it is better.

The keyworded photos are parted in three: most are learned from, some say when to stop, and the last, which nothing was
learned or chosen from, decide: the learner is trained on vectors of both encoders, and the tuned one is kept when its
keywords are ranked better there by more than chance explains. Keywords that do not go with what is in the photos give
no such gain.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
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
from keywright.learning.base import NO_ROWS, KeywordExamples, TrainingData
from keywright.learning.choosing import average_precisions
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.operations.gathering import Gathered, gather
from keywright.operations.progress import Cancel, CancelledError, Progress, never, silent
from keywright.operations.workspace import Workspace
from keywright.renditions.base import Pixels, RenditionError
from keywright.renditions.renderer import Renderer

if TYPE_CHECKING:
    from keywright.encoders.tunable import Tunable
    from keywright.encoders.tuning import Activations, Labels, Matrix, Rows, Tuned, TuneSettings

LEAST_PHOTOS = 100
LEAST_OF_KEYWORD = 8
"""A keyword on fewer photos has too few in each part."""
MOST_PHOTOS = 6000
LEAST_GAIN = 0.002
"""In mean average precision on the deciding photos; and more than twice its standard error."""
PARTS = (0.6, 0.15)  # learned from, stopping; the rest decides


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


@dataclass(frozen=True, slots=True)
class Material:
    """Photos to learn from: ``pictures`` as the encoder is shown them, ``labels`` (photos, keywords)."""

    pictures: Sequence[Pixels]
    labels: Labels
    training: Rows
    stopping: Rows
    deciding: Rows


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
    first, second = (round(len(found) * part) for part in (PARTS[0], sum(PARTS)))
    number = np.arange(len(found))
    return Material(
        [pixels for _, pixels in found], labels[:, enough], number[:first], number[first:second], number[second:]
    )


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
    from keywright.encoders.tuning import all_features

    before, after, made, epochs = [], [], {}, 0
    for network_name in spec.networks:
        network, head = packaged(network_name).load()
        tunable = tunable_lite(network)
        activations = _activations(
            tunable, material, settings.variations, work / network_name, network_name, progress, cancel
        )
        old = all_features(tunable.blocks, activations, len(material.labels))
        done = _train(
            tunable, activations, material, work / f"{network_name}.pt", settings, network_name, progress, cancel
        )
        new = all_features(tunable.blocks, activations, len(material.labels))
        epochs = max(epochs, done.epochs)
        made[network_name] = (network, distilled_head(new[material.training], old[material.training], head))
        length = USUAL_LENGTH[network_name]
        before.append(old / length)
        after.append(new / length)
    means, error = _decide(_unit(np.concatenate(before, axis=1)), _unit(np.concatenate(after, axis=1)), material)
    encoder = None
    if _is_better(means, error):
        about = f"{spec.id} fine-tuned on {len(material.labels):,} photos"
        encoder = keep_lite(workspace.home.encoders, name, spec, made, material.pictures, about)
    return _report(spec.id, encoder, material, epochs, means, error)


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
    from keywright.encoders.tuning import all_features

    source = workspace.home.encoders / kept.name
    network = ClipNetwork(kept, source, folded=False)
    tunable = tunable_clip(network)
    activations = _activations(tunable, material, settings.variations, work / "pixels", kept.name, progress, cancel)
    before = _unit(all_features(tunable.blocks, activations, len(material.labels)))
    done = _train(tunable, activations, material, work / "vision.pt", settings, kept.name, progress, cancel)
    after = _unit(all_features(tunable.blocks, activations, len(material.labels)))
    means, error = _decide(before, after, material)
    encoder = None
    if _is_better(means, error):
        about = f"{kept.id} fine-tuned on {len(material.labels):,} photos"
        encoder = keep_clip(workspace.home.encoders, name, source, network, about, kept.licence)
    return _report(kept.id, encoder, material, done.epochs, means, error)


def _report(
    base: str, encoder: KeptEncoder | None, material: Material, epochs: int, means: tuple[float, float], error: float
) -> FineTuned:
    photos, keywords = material.labels.shape
    return FineTuned(base, encoder, photos, keywords, epochs, means[0], means[1], error)


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
    checkpoint: Path,
    settings: TuneSettings,
    what: str,
    progress: Progress,
    cancel: Cancel,
) -> Tuned:
    from keywright.encoders.tuning import TuningStoppedError, tune

    def judge(vectors: Matrix) -> float:
        scores = _learned(vectors, material, material.stopping)
        return float(np.nanmean(_precisions(scores, material.labels[material.stopping])))

    try:
        return tune(
            tunable.blocks,
            tunable.trainable,
            activations,
            material.labels,
            material.training,
            judge,
            checkpoint,
            settings,
            lambda done, total: progress(f"Fine-tuning {what}", done, total),
            cancel,
        )
    except TuningStoppedError as error:
        raise CancelledError(str(error)) from None


def _decide(before: Matrix, after: Matrix, material: Material) -> tuple[tuple[float, float], float]:
    """Mean average precision of the learner on the deciding photos with each encoder, and their difference's error."""
    truth = material.labels[material.deciding]
    old, new = (_precisions(_learned(vectors, material, material.deciding), truth) for vectors in (before, after))
    differences = (new - old)[~np.isnan(old)]
    if len(differences) < 2:
        return (float(np.nanmean(old)), float(np.nanmean(new))), float("inf")
    error = float(differences.std(ddof=1) / np.sqrt(len(differences)))
    return (float(np.nanmean(old)), float(np.nanmean(new))), error


def _is_better(means: tuple[float, float], error: float) -> bool:
    return means[1] - means[0] > max(LEAST_GAIN, 2 * error)


def _learned(vectors: Matrix, material: Material, asked: Rows) -> NDArray[np.float32]:
    """What the learner, taught with the photos to learn from, says of others: shape (asked, keywords)."""
    from keywright.keywords import KeywordPath

    labels = material.labels[material.training]
    paths = [KeywordPath((f"{column:05}",)) for column in range(labels.shape[1])]
    examples = [
        KeywordExamples(path, np.flatnonzero(labels[:, column]), NO_ROWS, NO_ROWS) for column, path in enumerate(paths)
    ]
    rows = vectors[material.training]
    models = train(TrainingData("", rows, np.ones(len(rows), np.float32), examples), LearnerSettings()).models
    scores = np.zeros((len(asked), len(paths)), np.float32)
    place = {path: column for column, path in enumerate(paths)}
    scores[:, [place[path] for path in models.paths]] = models.confidences(vectors[asked])
    return scores


def _precisions(scores: NDArray[np.float32], labels: Labels) -> NDArray[np.float64]:
    """Average precision of each keyword; nan with fewer than two photos."""
    found = average_precisions(scores, labels.astype(np.float32))
    found[labels.sum(axis=0) < 2] = np.nan
    return found


def _unit(vectors: Matrix) -> Matrix:
    unit: Matrix = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
