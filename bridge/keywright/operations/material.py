"""What the encoder in use can be fine-tuned on: photos with their keywords, chosen first, then read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keywright.encoders.base import available_cores
from keywright.errors import KeywrightError, reason
from keywright.operations.embedding import Failure
from keywright.operations.gathering import Gathered
from keywright.operations.progress import Cancel, CancelledError, Progress
from keywright.operations.turns import Turn, parted
from keywright.renditions.base import Pixels, RenditionError, View
from keywright.renditions.renderer import Renderer

if TYPE_CHECKING:
    from keywright.encoders.tuning import Labels

LEAST_PHOTOS = 100
LEAST_OF_KEYWORD = 8
"""A keyword on fewer photos has too few in each part."""
MOST_PHOTOS = 6000


@dataclass(frozen=True, slots=True)
class Chosen:
    """Photos to read, in an order that hangs on their content alone: a run that goes on finds the same parts.

    ``labels``: (photos, keywords); ``left_out``: how many more there are than ``MOST_PHOTOS``.
    """

    content_ids: Sequence[str]
    paths: Sequence[Path]
    labels: Labels
    left_out: int

    def digest(self) -> str:
        """Of photos and keywords: equal for what gives the same encoder."""
        told = "\n".join((*self.content_ids, str(self.labels.shape))).encode()
        return hashlib.blake2b(told + np.packbits(self.labels).tobytes(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Material:
    """Photos to learn from: ``pictures`` as the encoder is shown them, ``labels`` (photos, keywords); and those that
    could not be read."""

    pictures: Sequence[Pixels]
    labels: Labels
    turns: Sequence[Turn]
    failures: Sequence[Failure] = ()


def chosen(gathered: Gathered) -> Chosen:
    """The photos with a keyword that is on enough of them. Raises ``KeywrightError`` where they are too few."""
    keywords = [one for one in gathered.data.keywords if len(one.positives) >= LEAST_OF_KEYWORD]
    labels = np.zeros((len(gathered.paths), len(keywords)), bool)
    for column, one in enumerate(keywords):
        labels[one.positives, column] = True
    rows = np.flatnonzero(labels.any(axis=1))
    order = sorted(rows.tolist(), key=lambda row: hashlib.blake2b(gathered.content_ids[row].encode()).digest())
    taken = order[:MOST_PHOTOS]
    found = Chosen(
        [gathered.content_ids[row] for row in taken],
        [gathered.paths[row] for row in taken],
        labels[taken],
        len(order) - len(taken),
    )
    _require_enough(len(taken), found.labels, ())
    return found


def read(photos: Chosen, view: View, progress: Progress, cancel: Cancel) -> tuple[Chosen, Material]:
    """The photos that can be read, and their pictures. Raises ``KeywrightError`` where they are too few."""
    pictures: list[Pixels] = []
    rows: list[int] = []
    failures: list[Failure] = []
    stage = "Reading photos to fine-tune on"
    with Renderer() as renderer, ThreadPoolExecutor(available_cores()) as pool:

        def picture(path: Path) -> Pixels | str | None:
            try:
                return None if cancel() else renderer.rendition(path, view).pixels
            except RenditionError as error:
                return str(error)
            except OSError as error:
                return f"{path} cannot be read ({reason(error)})."

        for row, found in enumerate(pool.map(picture, photos.paths)):
            if isinstance(found, str):
                failures.append(Failure(photos.paths[row], found))
            elif found is not None:
                rows.append(row)
                pictures.append(found)
            progress(stage, row + 1, len(photos.paths))
    if cancel():
        raise CancelledError("Stopped while reading the photos; the next run reads them again.")
    labels = photos.labels[rows]
    enough = labels.sum(axis=0) >= LEAST_OF_KEYWORD
    labels = labels[:, enough]
    _require_enough(len(rows), labels, failures)
    there = Chosen([photos.content_ids[row] for row in rows], [photos.paths[row] for row in rows], labels, 0)
    return there, Material(pictures, labels, parted(len(rows)), failures)


def _require_enough(photos: int, labels: Labels, failures: Sequence[Failure]) -> None:
    if photos >= LEAST_PHOTOS and labels.shape[1]:
        return
    unread = f"; {len(failures)} cannot be read, the first because: {failures[0].reason}" if failures else "."
    raise KeywrightError(
        f"Fine-tuning needs at least {LEAST_PHOTOS} photos that can be read and keywords on at least "
        f"{LEAST_OF_KEYWORD} of them; there are {photos} photos and {labels.shape[1]} such keywords{unread}"
    )
