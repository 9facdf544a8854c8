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
FAR = 0.35
"""Words whose nearest class is only so near to them (a cosine) mean none: rows of letters, other languages."""
SLOPE, OFFSET = 2.4, -4.2
"""From standard deviations above the collection's mean, for each 1 that the nearest class is nearer than ``FAR``, to a
probability: fitted on training photos, over keywords, and over words that name nothing that can be seen."""
_LEAST_SLOPE = 0.02  # the order stays, however far the nearest class is
_ROWS = 128  # of a block that stays in the processor's cache


def class_weights(cosines: Floats) -> Floats:
    """Shape (things, classes), rows that sum to 1: how much each class counts for a thing, by ``name_likeness``."""
    sharp = np.exp(SHARPNESS * (cosines - cosines.max(axis=1, keepdims=True)))
    return np.asarray(sharp / sharp.sum(axis=1, keepdims=True), dtype=np.float32)


def by_classes(
    vectors: Vectors,
    collection: Rows,
    allowed: Rows,
    head: ClassHead,
    cosines: Floats,
    shortlist: Shortlist | None = None,
) -> tuple[Rows, Floats]:
    """Rows of ``vectors`` that may show what was typed, with a probability each, in any order: all that are
    ``allowed``, of many the ``CLOSELY`` that come first.

    ``cosines`` of ``name_likeness``: one row for each thing that was named, and one for the whole; all count.
    ``allowed`` is a part of ``collection``. What is usual, and what else such photos have in common, is judged by the
    whole collection, so a row's probability does not hang on what else is allowed. With a ``shortlist`` of the vectors
    only those that come first in it are multiplied.
    """
    if not len(allowed):
        return allowed, np.zeros(0, dtype=np.float32)
    look = _Look(vectors, collection, head, cosines, shortlist)
    rows = look.first if len(allowed) == len(collection) else look.first_of(allowed)
    return rows, look.probability(rows)


class _Look:
    """What the whole collection says of words. ``first``: its rows that were looked at and may show what was typed."""

    def __init__(
        self, vectors: Vectors, collection: Rows, head: ClassHead, cosines: Floats, shortlist: Shortlist | None
    ) -> None:
        self._vectors, self._head, self._shortlist = vectors, head, shortlist
        self._weights = class_weights(cosines)
        nearness = float(cosines.max(axis=1).mean())
        self._slope = SLOPE * max(nearness - FAR, _LEAST_SLOPE)
        self._directions = np.ascontiguousarray((self._weights @ (head.weights - head.weights.mean(axis=0))).T)
        self._quick: tuple[Rows, Floats] | None = None
        if shortlist is None:
            quick, self._centre = products(vectors, collection, self._directions)
            self._quick = collection, quick
        else:
            self._centre = shortlist.mean
        large = len(collection) > LOOKED_AT
        # What is usual is what a few photos from all over a large collection show, and not what the best ones do.
        usual = collection[np.linspace(0, len(collection) - 1, USUAL).astype(np.int64)] if large else collection
        said, points = self._look_at(usual)
        self._said = _Scale(said)
        self.first = collection
        if large:
            self.first = self.first_of(collection)
            more, others = self._look_at(self.first)
            said, points = np.concatenate([more, said]), np.concatenate([others, points])
        score = self._said(said).mean(axis=1)
        own = slice(len(said) - len(usual), None)
        best = np.argsort(-score, kind="stable")[:BEST]
        self._common = (score[best] - score.min()) @ points[best]
        alike = points @ self._common
        self._score, self._alike = _Scale(score[own]), _Scale(alike[own])
        self._known = self.first, self._together(score[: len(self.first)], alike[: len(self.first)])

    def first_of(self, rows: Rows) -> Rows:
        """Those of the rows that are looked at closely, rising: all of few, of many those that come first."""
        if len(rows) <= LOOKED_AT:
            return rows
        if self._shortlist is not None:
            about = self._shortlist.products(rows, self._directions)
            rows = rows[np.sort(_highest(self._quickly(about), SHORTLISTED))]
            exact, _ = products(self._vectors, rows, self._directions)
        else:
            assert self._quick is not None
            exact = self._quick[1][np.searchsorted(self._quick[0], rows)]
        return rows[np.sort(_highest(self._quickly(exact), CLOSELY))]

    def probability(self, rows: Rows) -> Floats:
        """Shape (rows,); those that were looked at for the collection's sake are not looked at again."""
        known, together = self._known
        place = np.searchsorted(known, rows).clip(max=len(known) - 1)
        out = together[place]
        new = np.flatnonzero(known[place] != rows)
        if len(new):
            said, points = self._look_at(rows[new])
            out[new] = self._together(self._said(said).mean(axis=1), points @ self._common)
        return _logistic(np.asarray(self._slope * out + OFFSET, dtype=np.float32))

    def _quickly(self, products: Floats) -> Floats:
        standing: Floats = self._said.part(products).mean(axis=1)
        return standing

    def _look_at(self, rows: Rows) -> tuple[Floats, Floats]:
        """What the classes say of rows, as a direction and as probabilities, and the rows about the centre."""
        looked = np.asarray(self._vectors[rows], dtype=np.float32)
        roots = np.sqrt(class_probabilities(looked, self._head) @ self._weights.T)
        said = np.hstack([looked @ self._directions, roots])
        looked -= self._centre
        looked /= np.maximum(np.linalg.norm(looked, axis=1, keepdims=True), 1e-6)
        return said, looked

    def _together(self, score: Floats, alike: Floats) -> Floats:
        return np.asarray((1 - FEEDBACK) * self._score(score) + FEEDBACK * self._alike(alike), dtype=np.float32)


class _Scale:
    """Standard deviations above the mean of what is usual, for each column."""

    def __init__(self, usual: Floats) -> None:
        self._mean, self._spread = usual.mean(axis=0), np.maximum(usual.std(axis=0), 1e-9)

    def __call__(self, values: Floats) -> Floats:
        return np.asarray((values - self._mean) / self._spread, dtype=np.float32)

    def part(self, values: Floats) -> Floats:
        """Of the first columns alone, as many as ``values`` has."""
        number = values.shape[1]
        return np.asarray((values - self._mean[:number]) / self._spread[:number], dtype=np.float32)


def by_text_side(
    vectors: Vectors, collection: Rows, allowed: Rows, text: Floats, neutral: Floats, scale: float, bias: float
) -> Floats:
    """Shape (allowed,): the probability that the text fits, by an encoder with a text side.

    ``text`` and ``neutral`` are unit vectors, shape (d,). Where the network knows an absolute probability (a sigmoid
    loss, ``bias`` not 0) it is that; else the text's share against what a neutral one ("a photo.") has on average over
    the collection, so that photos stay in the order of the network's own cosines.
    """
    cosines, _ = products(vectors, allowed, text[:, None])
    if bias:
        return _logistic(scale * cosines[:, 0] + bias)
    usual = collection[:: -(-len(collection) // LOOKED_AT)]  # from all over it
    against, _ = products(vectors, usual, neutral[:, None])
    return _logistic(np.asarray(scale * (cosines[:, 0] - against.mean()), dtype=np.float32))


def by_examples(vectors: Vectors, allowed: Rows, examples: Floats, shortlist: Shortlist | None = None) -> Floats:
    """Shape (allowed,): the cosine to the example that is most alike, ``examples`` of shape (e, d) unit length.

    With a ``shortlist`` the cosines of those that do not come first in it are about right.
    """
    if shortlist is not None and len(examples) and len(allowed) > SHORTLISTED:
        about = shortlist.products(allowed, examples.T).max(axis=1)
        first = np.sort(np.argpartition(-about, SHORTLISTED)[:SHORTLISTED])
        exact, _ = products(vectors, allowed[first], examples.T)
        about = np.minimum(about, exact.max(axis=1).min())  # none of the others comes before those that were looked at
        about[first] = exact.max(axis=1)
        return np.asarray(about, dtype=np.float32)
    alike, _ = products(vectors, allowed, examples.T)
    return np.asarray(alike.max(axis=1) if len(examples) else np.zeros(len(allowed)), dtype=np.float32)


def _highest(scores: Floats, number: int) -> Rows:
    """The places of the ``number`` highest, in any order."""
    return np.argpartition(-scores, number)[:number] if number < len(scores) else np.arange(len(scores))


def products(vectors: Vectors, allowed: Rows, directions: Floats) -> tuple[Floats, Floats]:
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


def _logistic(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -60, 60))), dtype=np.float32)
