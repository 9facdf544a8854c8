"""How likely a keyword that a photo carries is wrong there, as a probability that planted errors confirm.

A wrong keyword sits on a photo that has nothing to do with it: to the models it looks like the same keyword on a photo
drawn from those that do not carry it. So the audit draws such pairs, as many as are carried, and a logistic curve tells
drawn from carried by what leave-one-out confidences say of both. Where drawn pairs are ``r`` times as dense as carried
ones and a share ``s`` of the carried is wrong, a carried pair there is wrong with probability ``s r`` (local false
discovery rate, Efron 2004). ``s`` is how dense the carried are where three of ten drawn pairs lie that are least like
carried ones, for hardly a right keyword lies there (Storey 2002). Nothing is known of any error beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from keywright.learning.base import NO_ROWS, Floats, Rows
from keywright.learning.calibration import logistic
from keywright.learning.hierarchy import Tree

Doubles = NDArray[np.float64]
Carried = NDArray[np.bool_]

LEAST_LIKE = 0.3
"""The share of the drawn pairs, least like carried ones, by whose density the share of errors is judged."""
SHARE_BEFOREHAND = 0.03
BEFOREHAND = 100.0
"""The share of errors that is expected before anything was seen counts as so many pairs."""
IN_KNOT = 30
MOST_KNOTS = 40
FITTED_ON = 20_000
"""Of more pairs than that, so many stand for all when the curve is fitted."""
BESIDE_THE_FIRST = 100.0
"""What is known beside the gain in likelihood must be borne out by so many pairs before it counts for much."""
MOST = 0.99
_TINY = 1e-7
_PAIRS = 1024


def telling(
    confidences: Floats, carried: Carried, rows: Rows, columns: Rows, odds_before: Floats, tree: Tree
) -> tuple[Floats, Rows]:
    """What is known of pairs of a photo and a keyword, as if the photo carried it; and its likeliest sibling.

    ``confidences`` and ``carried`` are of a block of photos, shape (n, k); ``rows`` and ``columns``, shape (p,), are
    the pairs; ``odds_before``, shape (k,), the log odds of each keyword on any photo. Returns shape (p, 7): how much
    more likely the photo makes the keyword, how common it is, the likeliest sibling, the likeliest keyword the photo
    lacks, how many keywords are likelier, how much more likely its parent is, and how many keywords the photo seems to
    lack; and the sibling's column, -1 where none is. Nothing hangs on what else the photo carries: a wrong keyword may
    stand beside the right ones or in their stead.
    """
    clipped = np.clip(confidences, _TINY, 1 - _TINY)
    gains = np.log(clipped / (1 - clipped)) - odds_before
    lacking = np.where(carried, np.float32(0), confidences)
    sibling, sibling_confidence = _likeliest_siblings(confidences, rows, columns, tree)
    out = np.empty((len(rows), 7), dtype=np.float32)
    for start in range(0, len(rows), _PAIRS):
        part = slice(start, start + _PAIRS)
        i, k = rows[part], columns[part]
        free, mine = lacking[i], confidences[i, k]
        above = k.copy()
        while (going := above >= 0).any():
            column = above[going]
            free[np.flatnonzero(going), column] = 0
            above[going] = tree.parents[column]
        parent = tree.parents[k]
        out[part] = np.stack(
            [
                gains[i, k],
                odds_before[k],
                sibling_confidence[part],
                free.max(axis=1),
                np.log1p((confidences[i] > mine[:, None]).sum(axis=1)),
                np.where(parent >= 0, gains[i, parent], 0),
                free.sum(axis=1),
            ],
            axis=1,
        )
    return out, sibling


def _likeliest_siblings(confidences: Floats, rows: Rows, columns: Rows, tree: Tree) -> tuple[Rows, Floats]:
    best = np.full(len(rows), -1)
    value = np.zeros(len(rows), dtype=np.float32)
    family_of = tree.parents[columns]
    for parent in np.unique(family_of):
        family = np.flatnonzero(tree.parents == parent)
        if len(family) < 2:
            continue
        pairs = np.flatnonzero(family_of == parent)
        for start in range(0, len(pairs), _PAIRS):
            some = pairs[start : start + _PAIRS]
            among = confidences[np.ix_(rows[some], family)]
            among[family[None, :] == columns[some, None]] = -1
            place = among.argmax(axis=1)
            best[some] = family[place]
            value[some] = among[np.arange(len(some)), place]
    return best, value


@dataclass(frozen=True, eq=False, slots=True)
class Doubts:
    """``scores`` of shape (p,) grow with the chance that a carried keyword is wrong; ``chances`` are those chances."""

    means: Doubles
    spreads: Doubles
    coefficients: Doubles  # the last one is the intercept
    knots: Doubles
    ratios: Doubles  # at each knot: the density of drawn over that of carried pairs
    share: float  # of the carried keywords that is wrong, as estimated

    def scores(self, known: Floats) -> Doubles:
        standard = (known - self.means) / self.spreads
        return np.asarray(standard @ self.coefficients[:-1] + self.coefficients[-1], dtype=np.float64)

    def chances(self, scores: Doubles) -> Doubles:
        ratios = np.exp(np.interp(scores, self.knots, np.log(self.ratios)))
        return np.minimum(self.share * ratios, MOST)


def fit_doubts(carried: Floats, drawn: Floats) -> Doubts:
    """From what ``telling`` says of carried and of drawn pairs, shapes (p, 7) and (q, 7); neither may be empty."""
    some = carried[:: -(-len(carried) // FITTED_ON)].astype(np.float64)
    false = drawn[:: -(-len(drawn) // FITTED_ON)].astype(np.float64)
    means, spreads = some.mean(axis=0), some.std(axis=0) + 1e-6
    known = np.vstack([some, false])
    known = np.hstack([(known - means) / spreads, np.ones((len(known), 1))])
    labels = np.repeat([0.0, 1.0], [len(some), len(false)])
    weights = np.repeat([0.5 / len(some), 0.5 / len(false)], [len(some), len(false)]) * len(labels)
    coefficients = _logistic_regression(known, labels, weights)
    scores = known @ coefficients
    own, other = scores[: len(some)], scores[len(some) :]
    bar = np.quantile(other, 1 - LEAST_LIKE)
    beyond = float((own > bar).sum()) + SHARE_BEFOREHAND * LEAST_LIKE * BEFOREHAND
    share = min(beyond / (LEAST_LIKE * (len(own) + BEFOREHAND)), 0.5)
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, max(1, min(MOST_KNOTS, len(order) // IN_KNOT)))
    knots = np.array([scores[part].mean() for part in parts])
    curve = logistic(scores)  # counts as one pair in each knot, so that a pure one does not say more than the curve
    drawn_share = np.array([((labels[p] * weights[p]).sum() + curve[p].mean()) / (weights[p].sum() + 1) for p in parts])
    sizes = np.array([float(len(part)) for part in parts])
    rising = np.clip(isotonic_regression(drawn_share, weights=sizes).x, 1e-6, 1 - 1e-6)
    return Doubts(means, spreads, coefficients, knots, rising / (1 - rising), share)


def _logistic_regression(known: Doubles, labels: Doubles, weights: Doubles) -> Doubles:
    """Newton's method; the last column is constant. With few pairs the first column decides alone."""
    found = np.zeros(known.shape[1])
    penalty = np.full(known.shape[1], BESIDE_THE_FIRST)
    penalty[[0, -1]] = 1, 1e-6
    for _ in range(20):
        p = logistic(known @ found)
        slope = known.T @ (weights * (p - labels)) + penalty * found
        curve = (known * (weights * p * (1 - p) + 1e-9)[:, None]).T @ known + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        found -= step
        if np.abs(step).max() < 1e-6:
            break
    return found


def drawn_pairs(positives: Sequence[Rows], wanted: Sequence[int], photos: int) -> tuple[Rows, Rows]:
    """For each keyword so many photos that do not carry it, drawn blindly (the same ones each time); by rows."""
    rng = np.random.default_rng(0)
    rows, columns = [NO_ROWS], [NO_ROWS]
    for column, (carried, count) in enumerate(zip(positives, wanted, strict=True)):
        if not count or len(carried) >= photos:
            continue
        tries = rng.integers(0, photos, 3 * count + 8)
        found = tries[~np.isin(tries, carried)][:count]
        rows.append(found)
        columns.append(np.full(len(found), column))
    row, column_of = np.concatenate(rows), np.concatenate(columns)
    order = np.argsort(row, kind="stable")
    return row[order], column_of[order]
