"""Solving a large catalog: the steps of ``exact`` over a Gram matrix, block by block, and judged on a sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from keywright.learning.base import NO_ROWS, Floats, KeywordExamples, Rows, Vectors
from keywright.learning.digests import RowDigests
from keywright.learning.features import FeatureMap
from keywright.learning.few import Names
from keywright.learning.landmarks import GramRidge
from keywright.learning.ridge import Fit
from keywright.learning.settings import LearnerSettings
from keywright.learning.targets import disowned, residuals, row_weights

LEAST_BELIEVED = 0.1
"""Scores below this are not believed to be omissions at all, so that targets stay sparse."""
BACKGROUND = 2048
POSITIVES = 64
PAIRS = 512
"""Pairs of a photo and a keyword looked at together: what they need stays in the processor's cache."""


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """Photos a keyword is calibrated on; arrays of shape (cells, k), weight 0 where a keyword has fewer."""

    scores: Floats
    labels: Floats
    weights: Floats
    whole: bool = False  # whether a row is one photo for all keywords


@dataclass(frozen=True, eq=False, slots=True)
class SampledSolution:
    fit: Fit
    cells: Cells
    set_aside: tuple[Rows, ...]
    targets: sparse.csr_matrix
    leverages: Floats  # (photos,)


def solve_sampled(
    ridge: GramRidge,
    moments: Floats,
    features: FeatureMap,
    vectors: Vectors,
    labels: sparse.csr_matrix,
    examples: Sequence[KeywordExamples],
    digests: RowDigests,
    relabelling: float,
    settings: LearnerSettings,
    names: Names | None = None,
) -> SampledSolution:
    """As ``exact.solve``: fit, judge every photo by the others, correct the targets, and fit once more.

    ``moments``, shape (m, k), are features' @ ``labels``. The photos are gone through once.
    """
    photos = len(vectors)
    totals = np.asarray(labels.sum(axis=0), dtype=np.float32).ravel()
    fit = ridge.fit(moments, totals)
    order = np.argsort(digests, kind="stable")
    background = np.sort(order[:BACKGROUND])
    judged = _judge(ridge, fit, features, vectors, labels, examples, background, relabelling, settings)
    targets, set_aside = labels, judged.set_aside
    if judged.believed.nnz:
        moments = moments + judged.moments
        totals = totals + np.asarray(judged.believed.sum(axis=0), dtype=np.float32).ravel()
        targets = (labels + judged.believed).tocsr()
        fit = ridge.fit(moments, totals)
    shifts: list[tuple[Rows, Rows, Floats]] = []
    for column, keyword in enumerate(examples):
        if not len(keyword.primes) + len(keyword.rejections) + len(set_aside[column]):
            continue
        rows, weights = row_weights(keyword, set_aside[column], settings)
        block = features(vectors[rows])
        white = ridge.whitened(block)
        hat = white @ white.T + np.float32(1 / photos)
        now = np.asarray(targets[rows, column].todense(), dtype=np.float32).ravel()
        fitted = block @ fit.coefficients[:, column] + fit.intercepts[column]
        shift = (weights - 1) * residuals(now, fitted, hat, weights)
        moments[:, column] += block.T @ shift
        totals[column] += shift.sum()
        shifts.append((rows, np.full(len(rows), column), shift))
    if shifts:
        row, column_of, value = (np.concatenate(part) for part in zip(*shifts, strict=True))
        targets = (targets + sparse.csr_matrix((value, (row, column_of)), shape=targets.shape)).tocsr()
        fit = ridge.fit(moments, totals)
    cells = _cells(judged.leverages, fit, features, vectors, targets, examples, order, background, names)
    return SampledSolution(fit, cells, set_aside, targets, judged.leverages)


def honest_blocks(
    leverages: Floats, fit: Fit, features: FeatureMap, vectors: Vectors, targets: sparse.csr_matrix
) -> Iterator[tuple[slice, Floats]]:
    """Leave-one-out scores of all photos, shape (rows, k) a block."""
    for rows, block in features.blocks(vectors):
        yield rows, _left_out(block, leverages[rows], fit, targets[rows])


def _left_out(block: Floats, leverages: Floats, fit: Fit, targets: sparse.csr_matrix) -> Floats:
    """Leave-one-out scores of one block: (score - leverage * target) / (1 - leverage)."""
    grown = np.reciprocal(1 - leverages)
    scores = (block * grown[:, None]) @ fit.coefficients  # scaled on the narrow side
    scores += grown[:, None] * fit.intercepts
    own = targets.tocoo()
    scores[own.row, own.col] -= (leverages * grown)[own.row] * own.data
    return scores


def _of_pairs(block: Floats, rows: Rows, by_keyword: Floats, columns: Rows) -> Floats:
    """The products of some photos and some keywords, a pair at each place of ``rows`` and ``columns``."""
    found = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), PAIRS):
        some = slice(start, start + PAIRS)
        np.einsum("ij,ij->i", block[rows[some]], by_keyword[columns[some]], out=found[some])
    return found


@dataclass(frozen=True, eq=False, slots=True)
class _Judged:
    believed: sparse.csr_matrix  # targets to add for probable omissions
    moments: Floats  # features' @ believed
    set_aside: tuple[Rows, ...]  # the positives of each keyword that are disowned
    leverages: Floats  # (photos,)


def _judge(
    ridge: GramRidge,
    fit: Fit,
    features: FeatureMap,
    vectors: Vectors,
    labels: sparse.csr_matrix,
    examples: Sequence[KeywordExamples],
    background: Rows,
    relabelling: float,
    settings: LearnerSettings,
) -> _Judged:
    own_scores = labels.tocsr(copy=True)
    ordinary = np.empty((len(background), len(examples)), dtype=np.float32)
    leverages = np.empty(len(vectors), dtype=np.float32)
    moments = np.zeros((len(examples), features.dimension), dtype=np.float32)
    refused = _rejected(examples, labels.shape)
    by_keyword = np.ascontiguousarray(fit.coefficients.T)
    found = []
    for rows, block in features.blocks(vectors):
        leverages[rows] = ridge.leverages(block)
        low, high = labels.indptr[rows.start], labels.indptr[rows.stop]
        own = np.repeat(np.arange(rows.stop - rows.start), np.diff(labels.indptr[rows.start : rows.stop + 1]))
        columns = labels.indices[low:high].astype(np.int64)
        inside = (background >= rows.start) & (background < rows.stop)
        some = background[inside]
        if not relabelling:  # of the keywords that a photo does not carry, those of the background are enough
            leverage = leverages[rows][own]
            raw = _of_pairs(block, own, by_keyword, columns) + fit.intercepts[columns]
            own_scores.data[low:high] = (raw - leverage * labels.data[low:high]) / (1 - leverage)
            ordinary[inside] = _left_out(block[some - rows.start], leverages[some], fit, labels[some])
            continue
        scores = _left_out(block, leverages[rows], fit, labels[rows])
        own_scores.data[low:high] = scores[own, columns]
        ordinary[inside] = scores[some - rows.start]
        scores[own, columns] = 0
        no = refused[rows].tocoo()
        scores[no.row, no.col] = 0
        at: Rows = np.flatnonzero(scores > LEAST_BELIEVED)
        value: Floats = np.minimum(scores.ravel()[at], 1) * np.float32(relabelling)
        photo, column_of = at // len(examples), at % len(examples)
        part = sparse.csr_matrix((value, (photo, column_of)), shape=(len(block), len(examples)))
        moments += part.T @ block
        found.append(part)
    if found:
        believed = sparse.vstack(found, format="csr")
    else:
        believed = labels * np.float32(0)
        believed.eliminate_zeros()
    set_aside = []
    by_column = own_scores.tocsc()
    for k, keyword in enumerate(examples):
        if not settings.set_aside_poison:
            set_aside.append(NO_ROWS)
            continue
        mine = slice(by_column.indptr[k], by_column.indptr[k + 1])
        others = ordinary[~np.isin(background, keyword.positives), k]
        set_aside.append(disowned(by_column.indices[mine].astype(np.int64), by_column.data[mine], others))
    return _Judged(believed, np.ascontiguousarray(moments.T), tuple(set_aside), leverages)


def _rejected(examples: Sequence[KeywordExamples], shape: tuple[int, int]) -> sparse.csr_matrix:
    rows = np.concatenate([NO_ROWS, *(keyword.rejections for keyword in examples)])
    columns = np.repeat(np.arange(len(examples)), [len(keyword.rejections) for keyword in examples])
    return sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)


def _cells(
    leverages: Floats,
    fit: Fit,
    features: FeatureMap,
    vectors: Vectors,
    targets: sparse.csr_matrix,
    examples: Sequence[KeywordExamples],
    order: Rows,
    background: Rows,
    names: Names | None,
) -> Cells:
    """Leave-one-out scores of a common background sample and of some positives of each keyword."""
    photos, k = targets.shape
    count = len(background)
    place = np.empty(photos, dtype=np.int64)
    place[order] = np.arange(photos)
    shape = (count + POSITIVES, k)
    scores, labels, weights = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    in_background = np.zeros(photos, dtype=bool)
    in_background[background] = True
    start = 0
    for _, block in honest_blocks(leverages[background], fit, features, vectors[background], targets[background]):
        scores[start : start + len(block)] = block
        start += len(block)
    if names is not None:
        names.add(scores[:count], vectors[background])
    weights[:count] = 1
    pairs_row, pairs_place, pairs_column = [], [], []
    for column, keyword in enumerate(examples):
        some = keyword.positives
        if len(some) > POSITIVES:
            some = some[np.argsort(place[some], kind="stable")[:POSITIVES]]
        carried = in_background[keyword.positives]
        weights[np.searchsorted(background, keyword.positives[carried]), column] = 0
        weights[:count, column] *= (photos - len(keyword.positives)) / max(1, count - int(carried.sum()))
        pairs_row.append(some)
        pairs_place.append(count + np.arange(len(some)))
        pairs_column.append(np.full(len(some), column))
        weights[count : count + len(some), column] = len(keyword.positives) / len(some)
        labels[count : count + len(some), column] = 1
    row, at, column_of = (np.concatenate(part) for part in (pairs_row, pairs_place, pairs_column))
    by_row = np.argsort(row, kind="stable")
    row, at, column_of = row[by_row], at[by_row], column_of[by_row]
    by_keyword = np.ascontiguousarray(fit.coefficients.T)
    needed, inverse = np.unique(row, return_inverse=True)
    own = np.asarray(targets[row, column_of], dtype=np.float32).ravel()
    for part, block in features.blocks(vectors[needed]) if len(needed) else ():
        mine = slice(*np.searchsorted(inverse, [part.start, part.stop]))
        leverage, c = leverages[row[mine]], column_of[mine]
        raw = _of_pairs(block, inverse[mine] - part.start, by_keyword, c) + fit.intercepts[c]
        scores[at[mine], c] = (raw - leverage * own[mine]) / (1 - leverage)
    if names is not None and len(row):
        scores[at, column_of] += names.of_pairs(vectors[row], column_of)
    return Cells(scores, labels, weights)
