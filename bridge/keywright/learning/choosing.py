"""Choosing the penalty and the belief in omissions on photos held out of the training photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keywright.learning.base import NO_ROWS, Floats, KeywordExamples
from keywright.learning.digests import RowDigests
from keywright.learning.models import Choices
from keywright.learning.ridge import KernelRidge
from keywright.learning.targets import believed, carried

PENALTIES = (0.3, 0.6)
RELABELLINGS = (0.0, 0.25, 0.5)
"""Full belief was among them: it gained nothing over half on half-keyworded photos and lost 0.005 on wrong keywords."""
HELD_OUT = 4
"""One photo in so many is held out."""
TURNS = 2
"""How many different such parts are."""
COMPARED_ON = 1200
"""Of more photos than that, so many stand for all; which ones hangs on their content."""
FEWEST = 40
"""With fewer photos nothing can be chosen, and the defaults hold."""
LEAST_JUDGED = 0.5
"""The defaults hold as well where the held-out photos can judge less than this share of the keywords: a choice made on
the few parents of keywords with one photo each was right by chance only."""


def choose(
    kernel: Floats,
    examples: Sequence[KeywordExamples],
    digests: RowDigests,
    penalties: Sequence[float] = PENALTIES,
) -> tuple[Choices, float]:
    """The pair whose fit to three photos of four ranks the fourth best (mean average precision over keywords),
    and that precision.

    Which photos are held out hangs on their content, so the order of the photos changes nothing. Ties keep
    to the weaker penalty and belief.
    """
    photos = len(kernel)
    default = Choices(0.3, 0.0, photos)
    if photos < FEWEST:
        return default, float("nan")
    labels = carried(examples, photos)
    order = np.argsort(digests, kind="stable")
    if photos > COMPARED_ON:
        # A fit costs the cube of the photos, and a choice among four steps does not need them all.
        kept = np.sort(order[:COMPARED_ON])
        kernel, labels, order = kernel[np.ix_(kept, kept)], labels[kept], np.argsort(digests[kept], kind="stable")
    totals = np.zeros((len(penalties), len(RELABELLINGS)))
    for turn in range(TURNS):
        held = np.zeros(len(kernel), dtype=bool)
        held[order[turn::HELD_OUT]] = True
        judged = np.flatnonzero((labels[held].sum(0) >= 2) & (labels[~held].sum(0) >= 2))
        if len(judged) < LEAST_JUDGED * labels.shape[1]:
            return default, float("nan")
        inner, across = kernel[np.ix_(~held, ~held)], kernel[np.ix_(held, ~held)]
        train, truth = np.ascontiguousarray(labels[~held][:, judged]), labels[held][:, judged]
        nothing = [NO_ROWS] * len(judged)
        for i, penalty in enumerate(penalties):
            ridge = KernelRidge.of(inner, penalty)
            fit = ridge.fit(train)
            scores = ridge.leave_one_out(train, fit)
            for j, strength in enumerate(RELABELLINGS):
                if strength:
                    fit = ridge.fit(believed(train, scores, nothing, strength))
                found = average_precisions(across @ fit.coefficients + fit.intercepts, truth)
                totals[i, j] += found.mean() / TURNS
    best = int(np.argmax(totals))
    penalty, strength = penalties[best // len(RELABELLINGS)], RELABELLINGS[best % len(RELABELLINGS)]
    return Choices(penalty, strength, photos), float(totals.max())


def average_precisions(
    scores: Floats, labels: Floats, weights: Floats | None = None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Shape (k,): average precision of each column, tied scores taken together, as scikit-learn defines it.

    ``sum over distinct scores of (recall gained) * precision there``; nan for a column without positives.
    ``weights`` count a photo as several, or as none.
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    ranked = np.take_along_axis(scores, order, axis=0)
    hit = (np.take_along_axis(labels, order, axis=0) > 0).astype(np.float64)
    if weights is None:
        seen = np.broadcast_to(np.arange(1.0, len(scores) + 1)[:, None], scores.shape)
    else:
        counted = np.take_along_axis(weights, order, axis=0).astype(np.float64)
        hit *= counted
        seen = np.maximum(np.cumsum(counted, axis=0), 1e-12)
    hits = np.cumsum(hit, axis=0)
    last = np.ones(scores.shape, dtype=bool)
    last[:-1] = ranked[:-1] != ranked[1:]
    out = np.full(scores.shape[1], np.nan)
    for column in range(scores.shape[1]):
        at = hits[last[:, column], column]
        if len(at) and at[-1] > 0:
            gained = np.diff(at, prepend=0.0)
            out[column] = (gained * at / seen[last[:, column], column]).sum() / at[-1]
    return out
