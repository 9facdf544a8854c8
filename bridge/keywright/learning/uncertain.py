"""The photos whose answer would teach most: near the line between yes and no, and unlike each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keywright.keywords import KeywordPath
from keywright.learning.base import Floats, Rows, Vectors

CANDIDATES = 8
"""The most telling questions are looked at so many times over, for the diverse ones among them."""


@dataclass(frozen=True, slots=True)
class Question:
    """Ask whether the photo of this row carries the keyword."""

    row: int
    keyword: KeywordPath
    confidence: float
    value: float  # 0 to 1: how much an answer teaches


def uncertain(
    paths: Sequence[KeywordPath],
    confidences: Floats,
    vectors: Vectors,
    answered: Sequence[Rows],
    photos: Sequence[int],
    limit: int = 20,
    keyword: KeywordPath | None = None,
) -> list[Question]:
    """At most ``limit`` questions, most telling first; confidences shape (n, k), vectors shape (n, d).

    ``answered``: for each keyword the rows it is known of (carried or rejected); ``photos``: how many photos each
    keyword was learned from. A question is worth the doubt 4 p (1 - p), more for keywords on few photos, and loses
    what its photo has in common with photos already asked about (greedy; maximal marginal relevance, Carbonell &
    Goldstein 1998), so that of a burst one frame is asked.
    """
    value = 4 * confidences * (1 - confidences)
    value = value * (1 + 1 / np.sqrt(np.maximum(np.asarray(photos), 1))) / 2
    for column, rows in enumerate(answered):
        value[rows, column] = 0
    if keyword is not None:
        keep = np.array([path.key == keyword.key for path in paths], dtype=bool)
        value[:, ~keep] = 0
    best = np.argmax(value, axis=1)
    top = value[np.arange(len(value)), best]
    order = np.argsort(-top, kind="stable")[: CANDIDATES * limit]
    order = order[top[order] > 0]
    likeness = np.asarray(vectors[order], dtype=np.float32)
    likeness = likeness / np.maximum(np.linalg.norm(likeness, axis=1, keepdims=True), 1e-9)
    nearest = np.zeros(len(order), dtype=np.float32)
    open_ = np.ones(len(order), dtype=bool)
    questions: list[Question] = []
    while len(questions) < limit and open_.any():
        gain = np.where(open_, top[order] * (1 - np.clip(nearest, 0, 1) ** 4), -1)
        pick = int(np.argmax(gain))
        open_[pick] = False
        row = int(order[pick])
        column = int(best[row])
        questions.append(Question(row, paths[column], float(confidences[row, column]), float(top[row])))
        nearest = np.maximum(nearest, likeness @ likeness[pick])
    return questions
