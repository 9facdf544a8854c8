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

Floats = NDArray[np.float32]
Vectors = NDArray[np.float32] | NDArray[np.float16]

NO_ROWS: Rows = np.empty(0, dtype=np.int64)


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


@dataclass(frozen=True, eq=False, slots=True)
class ClassHead:
    """The encoder's own classifier: probabilities are ``softmax(length * vector @ weights.T + bias)``.

    weights shape (classes, d) and bias shape (classes,), float32; ``length`` is the usual norm of the encoder's
    vectors before they were made unit length. One usual length for all photos loses nothing measurable against each
    photo's own (docs/learning.md), and a model then needs nothing but unit vectors.
    """

    names: tuple[str, ...]
    weights: Floats
    bias: Floats
    length: float


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Vectors shape (n, d), unit length; norms shape (n,); keywords in tree order, parents included.

    ``head`` is the encoder's classifier where it has one (``text.class_head`` makes it). ``name_vectors``, shape
    (keywords, d), holds what the encoder's text side says of each keyword's name, where it has a text side.
    ``class_evidence``, shape (keywords, classes), 0 to 1, is how far each class of the head speaks for each keyword
    (``text.class_evidence`` makes it, where the extra ``text`` is installed); ``None``: names are matched by letter.
    ``sentences`` is the id of the sentence encoder it was made with.
    """

    encoder_id: str
    vectors: Vectors
    norms: Floats
    keywords: Sequence[KeywordExamples]
    head: ClassHead | None = None
    name_vectors: Floats | None = None
    class_evidence: Floats | None = None
    sentences: str = ""
