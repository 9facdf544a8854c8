"""Several opinions to one confidence: what was learned and what describers say, in log-odds, with the sources named.

A describer's word is evidence, not a verdict. Its weight is a conservative prior until enough decisions fell on photos
it described; then it is fitted to them (logistic regression drawn towards the prior). What a keyword's name says is in
the learned confidence already. Pure: arrays and small values, no store.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath, with_prefixes
from keywright.learning.base import Floats

START = -1.5
"""Log-odds of a keyword that has no model, before anybody said anything: 0.18."""
ENOUGH = 30
"""Decisions on described photos from which on weights are fitted."""
STRENGTH = 2.5
"""How strongly fitted weights are drawn towards the prior: as ten even decisions (a quarter of one each) would."""
BAR = 0.5
"""The confidence from which a keyword without a model, and so without a threshold of its own, is suggested."""
_MOST = 6.9
"""The log-odds of 0.999, and the negative of 0.001: no decision teaches from further out."""


@dataclass(frozen=True, slots=True)
class Said:
    """A keyword that a describer sees on a photo, how sure (0 to 1), and whether the user has no such keyword yet."""

    keyword: KeywordPath
    score: float
    new: bool = False


Opinions = Mapping[str, tuple[Said, ...]]
"""What each describer that was asked said of one photo, by its name; one that saw no keyword has none."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much one describer counts, in log-odds: its score times ``said`` for a keyword it names (or one below it),
    ``silent`` against every other."""

    said: float = 2.5
    silent: float = 0.2


PRIOR = Weights()


@dataclass(frozen=True, slots=True)
class Beyond:
    """A keyword without a model that describers see."""

    keyword: KeywordPath
    confidence: float
    sources: tuple[str, ...]
    new: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """``confidences`` (k,) with what was said taken into account; who named a column; and what has no column."""

    confidences: Floats
    sources: Mapping[int, tuple[str, ...]]
    beyond: tuple[Beyond, ...]


def hear(
    learned: Floats,
    columns: Mapping[tuple[str, ...], int],
    opinions: Opinions,
    weights: Mapping[str, Weights] | None = None,
) -> Heard:
    """Join one photo's learned confidences, shape (k,), with what was said; ``columns`` by ``KeywordPath.key``."""
    odds = _log_odds(learned)
    sources: dict[int, list[str]] = {}
    beyond: dict[tuple[str, ...], list[tuple[str, Said]]] = {}
    for name, said in sorted(opinions.items()):
        own = (weights or {}).get(name, PRIOR)
        scores = np.zeros(len(learned), dtype=np.float64)
        for one in said:
            if one.keyword.key in columns:
                sources.setdefault(columns[one.keyword.key], []).append(name)
            else:
                beyond.setdefault(one.keyword.key, []).append((name, one))
            for key in with_prefixes(one.keyword.key):  # what is named implies what lies above it
                column = columns.get(key)
                if column is not None:
                    scores[column] = max(scores[column], one.score)
        odds += np.where(scores > 0, own.said * scores, -own.silent)
    found = []
    for group in beyond.values():
        keyword, new = group[0][1].keyword, all(one.new for _, one in group)
        sure = unlearned({name: one.score for name, one in group}, weights)
        found.append(Beyond(keyword, sure, tuple(name for name, _ in group), new))
    found.sort(key=lambda one: (-one.confidence, one.keyword.key))
    joined = np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), dtype=np.float32)
    return Heard(joined, {column: tuple(names) for column, names in sources.items()}, tuple(found))


def unlearned(scores: Mapping[str, float], weights: Mapping[str, Weights] | None = None) -> float:
    """The confidence of a keyword by each describer's score for it alone."""
    return _probability(START + sum((weights or {}).get(name, PRIOR).said * score for name, score in scores.items()))


@dataclass(frozen=True, slots=True)
class Case:
    """One decision on a described photo: the confidence it was suggested with by what was learned alone (``None``: it
    has no model), each describer's score for the keyword (0: it was asked and did not name it), and the answer."""

    learned: float | None
    scores: Mapping[str, float]
    accepted: bool


def fit_weights(cases: Sequence[Case], prior: Weights = PRIOR, strength: float = STRENGTH) -> dict[str, Weights]:
    """Each describer's weights by what a person decided; nothing for those on fewer than ``ENOUGH`` decisions.

    The penalised likelihood of logistic regression, learned log-odds as a fixed offset, each weight drawn to the prior
    by ``strength`` and held between 0 and twice the prior, so that no describer ever speaks against itself or for more
    than that. Solved by L-BFGS-B (Byrd et al. 1995).
    """
    counts: dict[str, int] = {}
    for case in cases:
        for name in case.scores:
            counts[name] = counts.get(name, 0) + 1
    names = sorted(name for name, count in counts.items() if count >= ENOUGH)
    if not names:
        return {}
    features, offsets, answers = _design(cases, names, prior)
    start = np.tile([prior.said, prior.silent], len(names))
    solved = maximise(features, offsets, answers, start, strength, bounds=[(0.0, 2 * value) for value in start])
    return {name: Weights(float(solved[2 * n]), float(solved[2 * n + 1])) for n, name in enumerate(names)}


def _design(
    cases: Sequence[Case], names: Sequence[str], prior: Weights
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Features (n, 2 names): score and -1 for silence; offsets: learned log-odds and what other describers said."""
    features = np.zeros((len(cases), 2 * len(names)))
    offsets = np.zeros(len(cases))
    for row, case in enumerate(cases):
        learned = START if case.learned is None else float(_log_odds(np.array([case.learned]))[0])
        offsets[row] = min(max(learned, -_MOST), _MOST)
        for name, score in case.scores.items():
            if name in names:
                features[row, 2 * names.index(name) + (score <= 0)] = score if score > 0 else -1.0
            else:
                offsets[row] += prior.said * score if score > 0 else -prior.silent
    return features, offsets, np.array([case.accepted for case in cases], dtype=np.float64)


def maximise(
    features: NDArray[np.float64],
    offsets: NDArray[np.float64],
    answers: NDArray[np.float64],
    prior: NDArray[np.float64],
    strength: float,
    bounds: Sequence[tuple[float, float]] | None = None,
) -> NDArray[np.float64]:
    """The weights of a logistic regression with offsets that minimise log loss + strength/2 |weights - prior|²."""
    from scipy.optimize import minimize

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = features @ weights + offsets
        apart = weights - prior
        value = np.logaddexp(0, odds).sum() - answers @ odds + strength / 2 * apart @ apart
        slope = features.T @ (1 / (1 + np.exp(-odds)) - answers) + strength * apart
        return float(value), slope

    solved = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(solved.x, dtype=np.float64)


def _log_odds(confidences: Floats | NDArray[np.float64]) -> NDArray[np.float64]:
    p = np.clip(np.asarray(confidences, dtype=np.float64), 1e-12, 1 - 1e-12)
    odds: NDArray[np.float64] = np.log(p) - np.log1p(-p)
    return odds


def _probability(odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(odds, -30.0), 30.0)))
