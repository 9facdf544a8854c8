"""One photo once all were heard: the confidences, from where on each keyword is suggested, and who speaks for it.

What photos alike say needs no naming here: they are shown. Named are describers, and the keyword's own name where what
the encoder knows of it (``learning.few``) made the keyword noticeably likelier. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keywright.keywords import with_prefixes
from keywright.learning.base import Floats
from keywright.learning.models import ModelSet
from keywright.suggesting.base import ITS_NAME
from keywright.suggesting.combining import BAR, Beyond, Opinions, Weights, hear, unlearned

NOTICED = 0.5
"""Log-odds from which on the name is named: what a describer adds that is a fifth sure."""


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """One photo: ``confidences`` and ``bars`` (k,); which describers speak for a column; what has no column."""

    confidences: Floats
    bars: Floats
    describers: Mapping[int, tuple[str, ...]]
    beyond: tuple[Beyond, ...] = ()


def judge(
    models: ModelSet,
    learned: Floats,
    bars: Floats,
    opinions: Opinions,
    weights: Mapping[str, Weights],
    least: float = BAR,
) -> Judged:
    """``learned`` and ``bars`` have shape (k,).

    A keyword on fewer photos than ``min_photos`` was hardly learned, and its bar may be infinity. Where a describer
    names it, it is no less sure than a keyword that no photo carries would be, and such a bar is ``least``. Who names
    a keyword speaks for what lies above it too.
    """
    if not opinions:
        return Judged(learned, bars, {})
    heard = hear(learned, models.columns, opinions, weights)
    above: dict[int, list[str]] = {}
    few: dict[int, dict[str, float]] = {}
    for name, said in sorted(opinions.items()):
        keys = {key for one in said for key in with_prefixes(one.keyword.key)}
        for key in keys & models.columns.keys():
            above.setdefault(models.columns[key], []).append(name)
        for one in said:
            column = models.columns.get(one.keyword.key)
            if column is not None and models.photos[column] < models.min_photos:
                few.setdefault(column, {})[name] = one.score
    confidences = heard.confidences
    for column, scores in few.items():
        sure = unlearned(scores, weights)
        implied = [models.columns[key] for key in with_prefixes(models.paths[column].key) if key in models.columns]
        confidences[implied] = np.maximum(confidences[implied], np.float32(sure))
    without = [column for column in above if np.isinf(bars[column])]
    if without:
        bars = bars.copy()
        bars[without] = least
    return Judged(confidences, bars, {column: tuple(names) for column, names in above.items()}, heard.beyond)


def speaking(describers: Sequence[str], name_said: float) -> tuple[str, ...]:
    """Who speaks for a suggestion besides photos; ``name_said`` as ``ModelSet.confidences`` gives it."""
    return (*describers, ITS_NAME) if name_said >= NOTICED else tuple(describers)


def others(beyond: Sequence[Beyond], carried: Collection[tuple[str, ...]], least: float) -> list[Beyond]:
    """The keywords without a model that are sure enough; ``carried`` are the keys of what the photo has, and of what
    lies above."""
    return [one for one in beyond if one.confidence >= least and one.keyword.key not in carried]
