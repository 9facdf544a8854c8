"""What names alone say: the encoder's own classes, and how far each of them speaks for a keyword.

The 1000 classes of the built-in encoders are tied to any keyword by likeness of meaning: both names become sentence
vectors (ConSE, Norouzi et al. 2014, with sentence vectors for word vectors), which ``encoders.names`` makes. Without
the extra ``text`` there are no sentence vectors, and names are matched letter by letter (``few``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from keywright.learning.base import ClassHead, Floats, KeywordExamples
from keywright.learning.few import ENOUGH, matching_classes

SLOPE, MIDDLE = 14.0, 0.6
"""From the likeness of two names (a cosine) to evidence: a logistic curve. Chosen on training photos: of twelve it
fitted best what share of the photos of a class carry a keyword with a name so like the class's."""

Likeness = Callable[[Sequence[Sequence[str]], Sequence[str]], Floats]
"""From the names of things and of classes to the cosine of each thing and each class, shape (things, classes)."""


def class_head(
    names: Sequence[str], dimension: int, probabilities: Callable[[Floats], Floats], norms: Floats
) -> ClassHead | None:
    """A linear classifier over vectors as a matrix, ``None`` where it has no classes; ``norms`` of photos' vectors.

    ``probabilities`` takes unit vectors, shape (n, dimension), to (n, classes). The matrix is found by asking for those
    of the axes: the log-probabilities of a linear classifier are its logits but for a constant for each vector asked
    about, and that constant changes no probability.
    """
    if not names:
        return None
    asked = np.vstack([np.zeros((1, dimension), dtype=np.float32), np.eye(dimension, dtype=np.float32)])
    logits = np.log(np.maximum(probabilities(asked).astype(np.float64), 1e-30))
    bias = logits[0]
    weights = (logits[1:] - bias).T
    weights -= weights.mean(axis=0)
    length = float(np.mean(norms)) if len(norms) else 1.0
    return ClassHead(
        tuple(names), np.ascontiguousarray(weights, np.float32), (bias - bias.mean()).astype(np.float32), length
    )


def class_evidence(keywords: Sequence[KeywordExamples], class_names: Sequence[str], likeness: Likeness) -> Floats:
    """Shape (keywords, classes), 0 to 1: how far a photo of each class is taken to show each keyword.

    A class whose name is a keyword's name or synonym, or ends in it, speaks for it fully; others as far as their names
    are alike. Keywords on ``few.ENOUGH`` photos and more are not asked about: their rows are 0.
    """
    evidence = np.zeros((len(keywords), len(class_names)), dtype=np.float32)
    asked = [row for row, keyword in enumerate(keywords) if len(keyword.positives) < ENOUGH]
    if not asked or not class_names:
        return evidence
    names = [(keywords[row].path.name, *keywords[row].synonyms) for row in asked]
    cosines = likeness(names, class_names)
    evidence[asked] = 1 / (1 + np.exp(-SLOPE * (cosines - MIDDLE)))
    for row, own in zip(asked, names, strict=True):
        evidence[row, matching_classes(own, class_names)] = 1
    return evidence
