"""Photos, their keywords and their vectors for the learning benchmarks, and the damage done to keywords in them.

The table of keywords is a CSV with the columns ``path`` (below the folder), ``keywords`` (paths, ``;`` between) and
``split`` (train or test). Vectors are made once, through the project's own encoder, and kept in a folder.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from keywright.encoders import open_encoder
from keywright.encoders.names import name_likeness
from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.encoders.sentences import open_sentences
from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, ClassHead, KeywordExamples, TrainingData
from keywright.learning.text import class_evidence
from keywright.operations.naming import head_of

ENCODER = "efficientnet-lite0/centre224"
"""Learners are compared on these vectors, whatever the default encoder is."""


@dataclass(frozen=True)
class Photos:
    """``carried`` has shape (n, k) over ``paths``, the assigned keywords and all above them; ``assigned`` (k,)."""

    vectors: np.ndarray
    norms: np.ndarray
    carried: np.ndarray
    paths: list[KeywordPath]
    assigned: np.ndarray
    head: ClassHead | None
    encoder_id: str = ENCODER
    evidence: np.ndarray | None = None  # (k, classes): how far each class speaks for each keyword, by meaning

    def data(self, carried: np.ndarray | None = None) -> TrainingData:
        labels = self.carried if carried is None else carried
        keywords = [
            KeywordExamples(path, np.flatnonzero(labels[:, k]), NO_ROWS, NO_ROWS) for k, path in enumerate(self.paths)
        ]
        return TrainingData(
            self.encoder_id, self.vectors, self.norms, keywords, self.head, class_evidence=self.evidence
        )

    def by_letter(self) -> Photos:
        """The same without the extra ``text``: names are matched letter by letter."""
        return replace(self, evidence=None)

    def without_names(self) -> Photos:
        """The same from an encoder that knows no names: nothing but its vectors."""
        return replace(self, evidence=None, head=None)

    def with_ancestors(self, labels: np.ndarray) -> np.ndarray:
        """Labels in which each photo carries what lies above the assigned keywords it carries, and nothing else."""
        out = np.zeros_like(labels)
        column = {path: k for k, path in enumerate(self.paths)}
        for k in np.flatnonzero(self.assigned):
            for path in (self.paths[k], *self.paths[k].ancestors()):
                out[:, column[path]] |= labels[:, k]
        return out

    def without(self, share: float, seed: int) -> np.ndarray:
        """Labels with this share of the assigned keywords taken off at random."""
        kept = np.random.default_rng(seed).random(self.carried.shape) >= share
        return self.with_ancestors(self.carried & kept)

    def poisoned(self, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Labels with this share of each keyword's photos exchanged for wrong ones, and the mask of the planted."""
        rng = np.random.default_rng(seed)
        labels = self.carried.copy()
        planted = np.zeros_like(labels)
        for k in np.flatnonzero(self.assigned):
            rows = np.flatnonzero(self.carried[:, k])
            count = round(share * len(rows))
            labels[rng.choice(rows, count, replace=False), k] = False
            wrong = rng.choice(np.flatnonzero(~self.carried[:, k]), count, replace=False)
            labels[wrong, k] = planted[wrong, k] = True
        return self.with_ancestors(labels), planted

    def few(self, shots: int, seed: int) -> np.ndarray:
        """Labels in which each assigned keyword is kept on so many photos."""
        rng = np.random.default_rng(seed)
        labels = np.zeros_like(self.carried)
        for k in np.flatnonzero(self.assigned):
            rows = np.flatnonzero(self.carried[:, k])
            labels[rng.choice(rows, min(shots, len(rows)), replace=False), k] = True
        return self.with_ancestors(labels)


def load(folder: Path, table: Path, cache: Path, encoder_id: str = ENCODER) -> tuple[Photos, Photos]:
    """Training and test photos; the test photos' keywords go into nothing but the score."""
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    encoder = open_encoder(encoder_id, cache)
    own = "" if encoder_id == ENCODER else "-" + encoder.id.replace("/", "_")
    kept = cache / f"learning_vectors{own}.npz"
    if not kept.is_file():
        _embed(folder, [row["path"] for row in rows], encoder, kept)
    with np.load(kept) as stored:
        vectors, norms = stored["vectors"], stored["norms"]
    train = np.array([row["split"] == "train" for row in rows])
    lists = [[KeywordPath.parse(text) for text in row["keywords"].split(";")] for row in rows]
    assigned = {path for row, mine in zip(rows, lists, strict=True) if row["split"] == "train" for path in mine}
    paths = sorted({each for path in assigned for each in (path, *path.ancestors())})
    column = {path: k for k, path in enumerate(paths)}
    carried = np.zeros((len(rows), len(paths)), dtype=bool)
    for row, mine in enumerate(lists):
        for path in mine:
            for each in (path, *path.ancestors()):
                if each in column:
                    carried[row, column[each]] = True
    head = head_of(encoder, norms[train])
    sentences = open_sentences()
    evidence = None
    if head is not None and sentences is not None:
        names = [KeywordExamples(path, NO_ROWS, NO_ROWS, NO_ROWS) for path in paths]
        evidence = class_evidence(names, head.names, partial(name_likeness, sentences=sentences))
    given = np.array([path in assigned for path in paths])
    photos = Photos(vectors, norms, carried, paths, given, head, encoder.id, evidence)
    return _part(photos, train), _part(photos, ~train)


def _part(photos: Photos, rows: np.ndarray) -> Photos:
    return replace(photos, vectors=photos.vectors[rows], norms=photos.norms[rows], carried=photos.carried[rows])


def _embed(folder: Path, names: list[str], encoder: object, kept: Path) -> None:
    vectors, norms = [], []
    for photo in embed_files([folder / name for name in names], encoder):  # type: ignore[arg-type]
        if not isinstance(photo, EmbeddedPhoto):
            raise SystemExit(f"{photo.path}: {photo.reason}")
        vectors.append(photo.vector)
        norms.append(photo.norm)
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez(kept, vectors=np.stack(vectors), norms=np.array(norms, dtype=np.float32))
