"""One network trained in turns: what it makes of all photos before, after each turn, and with the mean of what was
learned.

What the part of it that never changes makes of each photo is kept in files; whatever is stopped goes on from these and
from the checkpoint of its turn.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import EncoderError
from keywright.operations.material import Material
from keywright.operations.progress import Cancel, CancelledError, Progress
from keywright.operations.turns import TURNS, Turn, judged

if TYPE_CHECKING:
    from keywright.encoders.tunable import Tunable
    from keywright.encoders.tuning import Activations, Matrix, Rows, TuneSettings, Watch

_AT_ONCE = 16  # photos
_SPARE = 256 * 1024 * 1024  # bytes that a disk is to have left
_CHECKPOINT = 4 * 4  # bytes for each weight that learns: as it is, at its best, and two of the optimizer
_NEXT = "the next run goes on from there."


@dataclass(frozen=True, eq=False, slots=True)
class Crossed:
    """Features of all photos, not normalised: of the network as it was, as each turn left it, and of their mean."""

    before: Matrix
    after: Sequence[Matrix]
    mean: Matrix
    epochs: int  # of the longest turn


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a run tells how far it is, and who tells it to stop; ``what``: the network's name."""

    what: str
    progress: Progress
    cancel: Cancel

    def looked(self, done: int, total: int) -> None:
        self.progress(f"Scoring photos with {self.what}", done, total)

    def looked_or_stopped(self, done: int, total: int) -> None:
        if self.cancel():
            raise CancelledError(f"Stopped while scoring the photos; {_NEXT}")
        self.looked(done, total)


def crossed(tunable: Tunable, material: Material, folder: Path, settings: TuneSettings, told: Told) -> Crossed:
    """Train ``tunable`` in each turn from where it was, and leave it with the mean of their weights.

    Raises ``CancelledError`` when told to stop, ``EncoderError`` where its files have no room.
    """
    from keywright.encoders.tuning import all_features, all_vectors, put_weights, weights_of

    activations = _activations(tunable, material, settings.variations, folder, told)
    count, blocks, trainable = len(material.labels), tunable.blocks, tunable.trainable
    before = all_features(blocks, activations, count, told.looked_or_stopped)
    vectors = all_vectors(blocks, activations, count, told.looked_or_stopped)
    first = weights_of(trainable)
    mean = weights_of(trainable)
    after, epochs = [], 0
    for number, turn in enumerate(material.turns):
        put_weights(trainable, first)

        def trained(done: int, total: int, number: int = number) -> None:
            told.progress(f"Fine-tuning {told.what}", number * total + done, TURNS * total)

        checkpoint = folder / f"turn{number}.pt"
        done = _train(tunable, activations, vectors, material, turn, checkpoint, settings, trained, told)
        epochs = max(epochs, done)
        after.append(all_features(blocks, activations, count, told.looked_or_stopped))
        for one, learned, was in zip(mean, trainable, first, strict=True):
            one += (learned.detach() - was) / TURNS
    put_weights(trainable, mean)
    return Crossed(before, after, all_features(blocks, activations, count, told.looked_or_stopped), epochs)


def _train(
    tunable: Tunable,
    activations: Activations,
    vectors: Matrix,
    material: Material,
    turn: Turn,
    checkpoint: Path,
    settings: TuneSettings,
    trained: Watch,
    told: Told,
) -> int:
    from keywright.encoders.tuning import TuningStoppedError, tune

    def judge(vectors: Matrix) -> NDArray[np.float64]:
        return judged(vectors, material.labels, turn.training, turn.stopping)

    try:
        return tune(
            tunable.blocks,
            tunable.trainable,
            activations,
            vectors,
            material.labels,
            turn.training,
            judge,
            checkpoint,
            settings,
            trained,
            told.looked,
            told.cancel,
        )
    except TuningStoppedError as error:
        raise CancelledError(str(error)) from None


@dataclass(frozen=True, slots=True)
class _Part:
    """Photos of one shape, and the array of what is made of them, (photos, 1 + variations, ...), in its file."""

    rows: Rows
    file: Path
    header: bytes
    row_bytes: int

    @property
    def bytes(self) -> int:
        return len(self.header) + len(self.rows) * self.row_bytes

    def there(self) -> int:
        """Bytes of it that are there, of whole steps; what else is in the file is of another array or cut off."""
        try:
            with self.file.open("rb") as opened:
                if opened.read(len(self.header)) != self.header:
                    return 0
            size = self.file.stat().st_size
        except FileNotFoundError:
            return 0
        if size >= self.bytes:
            return self.bytes if size == self.bytes else 0
        step = self.row_bytes * _AT_ONCE
        return len(self.header) + (size - len(self.header)) // step * step


def _activations(tunable: Tunable, material: Material, variations: int, folder: Path, told: Told) -> Activations:
    """What the part that never changes makes of each photo and its variations, in files of the folder."""
    from keywright.encoders.augmenting import varied
    from keywright.encoders.tuning import Activations, written

    views = 1 + variations
    with written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    parts = _parts(tunable, material, views, folder)
    _require_room(folder, sum(part.bytes - part.there() for part in parts), tunable)
    done = 0
    for number, part in enumerate(parts):
        begun = part.there()
        if begun == part.bytes:
            done += len(part.rows)
            continue
        with written(part.file), part.file.open("r+b" if begun else "wb") as out:
            out.truncate(begun)
            out.seek(begun)
            out.write(b"" if begun else part.header)
            first = max(0, begun - len(part.header)) // part.row_bytes
            done += first
            for start in range(first, len(part.rows), _AT_ONCE):
                if told.cancel():
                    raise CancelledError(f"Stopped before the first epoch; {_NEXT}")
                one = np.stack([material.pictures[row] for row in part.rows[start : start + _AT_ONCE]])
                generator = np.random.default_rng((number, start))  # a run that goes on makes the same variations
                shown = np.stack([one, *(varied(one, generator) for _ in range(variations))], axis=1)
                out.write(np.ascontiguousarray(tunable.front(shown.reshape(-1, *one.shape[1:]))).data)
                done += len(one)
                told.progress(f"Looking at photos with {told.what}", done, len(material.pictures))
    return Activations([part.rows for part in parts], [np.load(part.file, mmap_mode="r") for part in parts])


def _parts(tunable: Tunable, material: Material, views: int, folder: Path) -> list[_Part]:
    shapes = [picture.shape for picture in material.pictures]
    found = []
    for number, shape in enumerate(sorted(set(shapes))):
        rows = np.array([row for row, other in enumerate(shapes) if other == shape])
        made = tunable.front(material.pictures[rows[0]][None])[0]
        header = io.BytesIO()
        told: dict[str, Any] = {
            "descr": np.lib.format.dtype_to_descr(made.dtype),
            "fortran_order": False,
            "shape": (len(rows), views, *made.shape),
        }
        np.lib.format.write_array_header_1_0(header, told)
        found.append(_Part(rows, folder / f"{number}.npy", header.getvalue(), views * made.nbytes))
    return found


def _require_room(folder: Path, wanted: int, tunable: Tunable) -> None:
    """A file that finds the disk full in the middle of it costs hours; so it is said before."""
    weights = sum(parameter.numel() for parameter in tunable.trainable)
    needed = wanted + (TURNS + 1) * _CHECKPOINT * weights + _SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise EncoderError(
            f"Fine-tuning needs {needed / 1e9:.1f} GB of room in {folder} and there are {free / 1e9:.1f} GB; "
            "make room there first."
        )
