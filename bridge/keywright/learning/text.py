"""What names alone say: the encoder's own classes, and how like their names are to a keyword's."""

from __future__ import annotations

import numpy as np

from keywright.encoders.base import Encoded, Encoder
from keywright.learning.base import ClassHead, Floats


def class_head(encoder: Encoder, norms: Floats) -> ClassHead | None:
    """The encoder's classifier as a matrix, ``None`` where it has none; ``norms`` of some photos' vectors.

    It is found by asking for the probabilities of the unit vectors: the log-probabilities of a linear classifier are
    its logits but for a constant for each vector asked about, and that constant changes no probability.
    """
    names = tuple(encoder.class_names())
    if not names:
        return None
    dimension = encoder.dimension
    asked = np.vstack([np.zeros((1, dimension), dtype=np.float32), np.eye(dimension, dtype=np.float32)])
    probabilities = encoder.class_probabilities(Encoded(asked, np.ones(len(asked), dtype=np.float32)))
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))
    bias = logits[0]
    weights = (logits[1:] - bias).T
    weights -= weights.mean(axis=0)
    length = float(np.mean(norms)) if len(norms) else 1.0
    return ClassHead(names, np.ascontiguousarray(weights, np.float32), (bias - bias.mean()).astype(np.float32), length)
