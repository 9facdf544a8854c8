"""From confidences to what a person is shown: the most specific new keywords, and the photos that are the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath, with_prefixes
from keywright.learning.base import NO_ROWS, Floats, KeywordExamples, Rows, Vectors
from keywright.learning.models import SCORING_BLOCK, ModelSet
from keywright.suggesting.base import Reason, Suggestion, SuggestSettings
from keywright.suggesting.combining import BAR, Opinions, Weights
from keywright.suggesting.judging import Judged, judge, others, speaking

MOST_EXAMPLES = 1000
"""Of a keyword on more photos than that, every so-many-th is compared; the reasons stay near the best."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Where reasons are looked for: the training photos' vectors (n, d) and each keyword's rows by ``path.key``."""

    vectors: Vectors
    positives: dict[tuple[str, ...], Rows]
    primes: dict[tuple[str, ...], Rows]  # those a person marked as prime examples: they are the first reasons

    @classmethod
    def of(cls, vectors: Vectors, keywords: Sequence[KeywordExamples]) -> Examples:
        return cls(
            vectors,
            {keyword.path.key: keyword.positives for keyword in keywords},
            {keyword.path.key: keyword.primes for keyword in keywords if len(keyword.primes)},
        )


def suggest(
    models: ModelSet,
    vectors: Vectors,
    existing: Sequence[Collection[KeywordPath]],
    settings: SuggestSettings,
    examples: Examples | None = None,
    opinions: Sequence[Opinions] | None = None,
    weights: Mapping[str, Weights] | None = None,
) -> Iterator[list[Suggestion]]:
    """For each photo its suggestions, most confident first; ``existing`` are the keywords each photo has already.

    Suggested are the most specific keywords that clear their threshold; what lies above them is implied, and a
    keyword that the photo has, or that lies above one it has, is never suggested (letter case aside). With
    ``min_confidence`` 0 every keyword that has a model is listed, parents too, however few photos it has. ``opinions``:
    what describers said of each photo, joined into the confidences (``judging``); what they name is suggested from
    ``BAR`` on where it has no model or too few photos. Memory is bounded whatever the number of photos. Raises
    ``LearningError`` for vectors the models do not fit.
    """
    if len(existing) != len(vectors):
        raise ValueError(f"{len(vectors)} vectors and {len(existing)} photos' keywords")
    bars = _bars(models, settings)
    least = BAR if settings.min_confidence is None else settings.min_confidence
    for start in range(0, len(vectors), SCORING_BLOCK):
        block = vectors[start : start + SCORING_BLOCK]
        names_said = np.zeros((len(block), len(models.keywords)), dtype=np.float32)
        confidences = models.confidences(block, names_said=names_said)
        for offset in range(len(block)):
            said = opinions[start + offset] if opinions is not None else {}
            one = judge(models, confidences[offset], bars, said, weights or {}, least)
            taken = _taken(models, existing[start + offset])
            columns = chosen(models, one.confidences, one.bars, taken, everything=settings.min_confidence == 0)
            if settings.limit:
                columns = columns[: settings.limit]
            paths = [models.keywords[column].path for column in columns]
            because = reasons(block[offset], paths, examples, settings.reasons)
            found = [
                Suggestion(
                    path,
                    float(one.confidences[column]),
                    why,
                    speaking(one.describers.get(column, ()), names_said[offset, column]),
                )
                for path, column, why in zip(paths, columns, because, strict=True)
            ]
            yield _with_others(found, one, existing[start + offset], least, settings.limit)


def chosen(
    models: ModelSet, confidences: Floats, bars: Floats, taken: NDArray[np.bool_], *, everything: bool = False
) -> list[int]:
    """Columns to suggest on one photo, most confident first; ``bars`` and ``taken`` of shape (k,)."""
    passes = (confidences >= bars) & ~taken
    columns = np.flatnonzero(passes)
    if not everything:
        ends = models.tree.ends
        columns = np.array([c for c in columns if not passes[c + 1 : ends[c]].any()], dtype=np.int64)
    return [int(c) for c in columns[np.argsort(-confidences[columns], kind="stable")]]


def reasons(
    vector: Floats, paths: Sequence[KeywordPath], examples: Examples | None, limit: int
) -> list[tuple[Reason, ...]]:
    """For each keyword the training photos with it that the photo resembles most; never the photo itself.

    Prime examples come before the others.
    """
    if examples is None or not limit or not paths:
        return [()] * len(paths)
    primes = [examples.primes.get(path.key, NO_ROWS) for path in paths]
    others = [_spread(examples.positives.get(path.key, NO_ROWS)) for path in paths]
    rows = [np.union1d(some, marked) if len(marked) else some for some, marked in zip(others, primes, strict=True)]
    needed, places = np.unique(np.concatenate(rows), return_inverse=True)
    likeness = np.asarray(examples.vectors[needed], dtype=np.float32) @ np.asarray(vector, dtype=np.float32)
    likeness[likeness > 1 - 1e-4] = -1  # itself, or a copy of it: no reason
    out = []
    for mine, marked in zip(np.split(places, np.cumsum([len(r) for r in rows])[:-1]), primes, strict=True):
        order = -likeness[mine] - 2 * np.isin(needed[mine], marked) if len(marked) else -likeness[mine]
        best = mine[np.argsort(order, kind="stable")[:limit]]
        out.append(tuple(Reason(int(needed[i]), float(likeness[i])) for i in best if likeness[i] > -1))
    return out


def _with_others(
    found: list[Suggestion], judged: Judged, existing: Collection[KeywordPath], least: float, limit: int
) -> list[Suggestion]:
    """The suggestions with keywords among them that no model knows, and that the photo does not have."""
    if not judged.beyond:
        return found
    carried = {key for path in existing for key in with_prefixes(path.key)}
    beyond = [
        Suggestion(one.keyword, one.confidence, (), one.sources, one.new)
        for one in others(judged.beyond, carried, least)
    ]
    together = sorted([*found, *beyond], key=lambda one: -one.confidence)
    return together[: limit or None]


def _spread(rows: Rows) -> Rows:
    return rows[:: -(-len(rows) // MOST_EXAMPLES)] if len(rows) > MOST_EXAMPLES else rows


def _bars(models: ModelSet, settings: SuggestSettings) -> Floats:
    if settings.min_confidence == 0:
        return np.zeros(len(models.keywords), dtype=np.float32)
    least = models.min_photos if settings.min_photos is None else settings.min_photos
    bars = models.thresholds.copy()
    if settings.min_confidence is not None:
        bars[:] = settings.min_confidence
    few = models.photos < least
    bars[few if settings.min_confidence is not None else few & ~models.chosen] = np.inf
    return bars


def _taken(models: ModelSet, existing: Collection[KeywordPath]) -> NDArray[np.bool_]:
    taken = np.zeros(len(models.keywords), dtype=bool)
    for path in existing:
        for key in with_prefixes(path.key):
            column = models.columns.get(key)
            if column is not None:
                taken[column] = True
    return taken
