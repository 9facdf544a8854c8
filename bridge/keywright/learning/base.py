"""What goes into learning and what comes out: arrays and small values, no files, no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath

Rows = NDArray[np.int64]
"""Row numbers into the matrix of vectors, sorted, without doubles."""


class LearningError(KeywrightError):
    """Nothing can be learned from this; the sentence says why."""


@dataclass(frozen=True, slots=True)
class KeywordExamples:
    """What is known of one keyword. A row in none of the lists says nothing: a missing keyword is not a negative."""

    path: KeywordPath
    positives: Rows  # photos that carry it or a keyword below it
    rejections: Rows  # photos on which a person rejected it
    primes: Rows  # positives that a person marked as prime examples
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Vectors shape (n, d), unit length; norms shape (n,); keywords in tree order, parents included."""

    encoder_id: str
    vectors: NDArray[np.float32] | NDArray[np.float16]
    norms: NDArray[np.float32]
    keywords: Sequence[KeywordExamples]
