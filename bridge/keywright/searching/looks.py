"""Scores of photos by their looks: for words through the encoder's classes or its text side, and for example photos.

Without a text side, words go through the classes an encoder was trained on: a class counts as far as its name means
what was typed (``encoders.names``). The classes' own weights, joined so, are a direction in the space of the vectors
(a semantic classifier, as in Frome et al., DeViSE, 2013); the probabilities of the classes say it again; and the best
photos of both show what else such photos have in common (pseudo-relevance feedback, Rocchio 1971). Everything was
chosen on training photos; ``benchmarks/text_search.py`` measures it.
"""

from __future__ import annotations

import numpy as np

from keywright.learning.base import ClassHead, Floats, Rows, Vectors
from keywright.learning.points import class_probabilities
from keywright.searching.shortlist import Shortlist

SHARPNESS = 20.0
"""Of two classes, one more like the words by 0.1 (a cosine) counts so many tenths of e-folds more."""
BEST = 20
"""Photos whose likeness stands for what is looked for."""
FEEDBACK = 0.6
"""How much that likeness counts, of 1."""
LOOKED_AT = 4096
"""Photos of a collection that are all looked at closely."""
CLOSELY = 1024
"""Of a larger collection those are that come first by the quick score,"""
USUAL = 512
"""and so many from all over it, that say what is usual there."""
SHORTLISTED = 3072
"""Photos whose numbers are all multiplied, of a collection that has a shortlist."""
_SLOPE, _OFFSET = 0.85, -4.2
"""From standard deviations above the collection's mean to a probability: fitted on training photos, over keywords."""
_ROWS = 128  # of a block that stays in the processor's cache


def class_weights(cosines: Floats) -> Floats:
    """Shape (things, classes), rows that sum to 1: how much each class counts for a thing, by ``name_likeness``."""
    sharp = np.exp(SHARPNESS * (cosines - cosines.max(axis=1, keepdims=True)))
    return np.asarray(sharp / sharp.sum(axis=1, keepdims=True), dtype=np.float32)


def by_classes(
    vectors: Vectors, allowed: Rows, head: ClassHead, weights: Floats, shortlist: Shortlist | None = None
) -> tuple[Rows, Floats]:
    """Rows of ``vectors`` that may show what was typed, with a probability each, in any order: all of them, of a large
    collection the ``CLOSELY`` first.

    ``weights`` of ``class_weights``: one row for each thing that was named, and one for the whole; all count. Only
    rows in ``allowed`` are given. With a ``shortlist`` of the vectors only those that come first in it are multiplied.
    """
    if not len(allowed):
        return allowed, np.zeros(0, dtype=np.float32)
    directions = np.ascontiguousarray((weights @ (head.weights - head.weights.mean(axis=0))).T)
    if len(allowed) <= LOOKED_AT:
        rows, usual = allowed, slice(None)
        quick, mean = _products(vectors, allowed, directions)
    else:
        # What is usual is what a few photos from all over the collection show, and not what the best ones do.
        others = allowed[np.linspace(0, len(allowed) - 1, USUAL).astype(np.int64)]
        if shortlist is not None:
            about, mean = shortlist.products(allowed, directions), shortlist.mean
            first = np.sort(_highest(_standard(about, slice(None)).mean(axis=1), SHORTLISTED))
            exact, _ = _products(vectors, np.concatenate([allowed[first], others]), directions)
            known, there = exact[: len(first)], exact[len(first) :]
        else:
            first = np.arange(len(allowed))
            known, mean = _products(vectors, allowed, directions)
            there = known[np.linspace(0, len(allowed) - 1, USUAL).astype(np.int64)]
        usual = slice(min(CLOSELY, len(first)), None)
        closely = np.sort(
            _highest(_standard(np.concatenate([there, known]), slice(USUAL)).mean(axis=1)[USUAL:], CLOSELY)
        )
        rows, quick = np.concatenate([allowed[first[closely]], others]), np.concatenate([known[closely], there])
    looked = np.asarray(vectors[rows], dtype=np.float32)
    roots = np.sqrt(class_probabilities(looked, head) @ weights.T)
    score = _standard(quick, usual).mean(axis=1) + _standard(roots, usual).mean(axis=1)
    score -= score.min()
    best = np.argsort(-score, kind="stable")[:BEST]
    looked -= mean
    looked /= np.maximum(np.linalg.norm(looked, axis=1, keepdims=True), 1e-6)
    alike = looked @ (score[best] @ looked[best])
    together = (1 - FEEDBACK) * _standard(score[:, None], usual)[:, 0]
    together += FEEDBACK * _standard(alike[:, None], usual)[:, 0]
    number = len(rows) if usual == slice(None) else int(usual.start)
    return rows[:number], _logistic(np.asarray(_SLOPE * together[:number] + _OFFSET, dtype=np.float32))


def by_text_side(vectors: Vectors, allowed: Rows, text: Floats, neutral: Floats, scale: float, bias: float) -> Floats:
    """Shape (allowed,): the probability that the text fits, by an encoder with a text side.

    ``text`` and ``neutral`` are unit vectors, shape (d,). Where the network knows an absolute probability (a sigmoid
    loss, ``bias`` not 0) it is that; else the text's share against what a neutral one ("a photo.") has on average, so
    that photos stay in the order of the network's own cosines.
    """
    both, _ = _products(vectors, allowed, np.stack([text, neutral], axis=1))
    if bias:
        return _logistic(scale * both[:, 0] + bias)
    return _logistic(np.asarray(scale * (both[:, 0] - both[:, 1].mean()), dtype=np.float32))


def by_examples(vectors: Vectors, allowed: Rows, examples: Floats, shortlist: Shortlist | None = None) -> Floats:
    """Shape (allowed,): the cosine to the example that is most alike, ``examples`` of shape (e, d) unit length.

    With a ``shortlist`` the cosines of those that do not come first in it are about right.
    """
    if shortlist is not None and len(examples) and len(allowed) > SHORTLISTED:
        about = shortlist.products(allowed, examples.T).max(axis=1)
        first = np.sort(np.argpartition(-about, SHORTLISTED)[:SHORTLISTED])
        exact, _ = _products(vectors, allowed[first], examples.T)
        about = np.minimum(about, exact.max(axis=1).min())  # none of the others comes before those that were looked at
        about[first] = exact.max(axis=1)
        return np.asarray(about, dtype=np.float32)
    alike, _ = _products(vectors, allowed, examples.T)
    return np.asarray(alike.max(axis=1) if len(examples) else np.zeros(len(allowed)), dtype=np.float32)


def _highest(scores: Floats, number: int) -> Rows:
    """The places of the ``number`` highest, in any order."""
    return np.argpartition(-scores, number)[:number] if number < len(scores) else np.arange(len(scores))


def _products(vectors: Vectors, allowed: Rows, directions: Floats) -> tuple[Floats, Floats]:
    """Each allowed row times the directions, and the mean of those rows; block by block, in little memory."""
    directions = np.ascontiguousarray(directions, dtype=np.float32)
    out = np.empty((len(allowed), directions.shape[1]), dtype=np.float32)
    total = np.zeros(vectors.shape[1], dtype=np.float64)
    everything = len(allowed) == len(vectors)
    for start in range(0, len(allowed), _ROWS):
        stop = min(start + _ROWS, len(allowed))
        block = np.asarray(vectors[start:stop] if everything else vectors[allowed[start:stop]], dtype=np.float32)
        out[start:stop] = block @ directions
        total += block.sum(axis=0)
    return out, (total / max(len(allowed), 1)).astype(np.float32)


def _standard(scores: Floats, usual: slice) -> Floats:
    """Each column in standard deviations above the mean of its ``usual`` rows."""
    spread = np.maximum(scores[usual].std(axis=0), 1e-9)
    return np.asarray((scores - scores[usual].mean(axis=0)) / spread, dtype=np.float32)


def _logistic(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))), dtype=np.float32)
