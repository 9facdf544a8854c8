"""Small catalogs with a known truth."""

from __future__ import annotations

import numpy as np

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples, TrainingData

NAMES = ("Animals|Cat", "Animals|Dog", "Food|Cake", "Food|Pizza", "Sea")


def catalog(photos: int = 160, seed: int = 0, spread: float = 0.5) -> tuple[TrainingData, np.ndarray]:
    """Photos of one of five subjects each, and the subject of each photo; parents carry their children's photos."""
    rng = np.random.default_rng(seed)
    centres = np.abs(np.random.default_rng(99).standard_normal((len(NAMES), 32)))
    subject = np.arange(photos) % len(NAMES)
    vectors = np.abs(centres[subject] + spread * rng.standard_normal((photos, 32)))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return data_of(vectors.astype(np.float32), subject), subject


def data_of(vectors: np.ndarray, subject: np.ndarray, encoder: str = "test") -> TrainingData:
    rows: dict[KeywordPath, list[int]] = {}
    for row, number in enumerate(subject):
        path = KeywordPath.parse(NAMES[number])
        for each in (path, *path.ancestors()):
            rows.setdefault(each, []).append(row)
    keywords = [KeywordExamples(path, np.array(found), NO_ROWS, NO_ROWS) for path, found in sorted(rows.items())]
    return TrainingData(encoder, vectors, np.ones(len(vectors), dtype=np.float32), keywords)
