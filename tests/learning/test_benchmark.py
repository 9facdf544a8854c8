"""The benchmark's rule: nothing is learned or chosen from the test photos' keywords."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def learners(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import learners

    yield learners
    for name in ("learners", "learning_data", "learning_rivals"):
        sys.modules.pop(name, None)


def test_the_test_photos_keywords_change_neither_models_nor_thresholds(learners) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from learning_data import Photos

    from keywright.keywords import KeywordPath
    from learning.synthetic import NAMES, catalog

    def photos(seed: int) -> Photos:
        data, subject = catalog(100, seed=seed)
        paths = [KeywordPath.parse(name) for name in NAMES]
        carried = subject[:, None] == np.arange(len(NAMES))
        return Photos(data.vectors, data.norms, carried, paths, np.ones(len(NAMES), dtype=bool), None)

    training, test = photos(0), photos(1)
    scrambled = replace(test, carried=np.random.default_rng(0).random(test.carried.shape) < 0.5)
    scores, result = learners.ours(training, test)
    others, other = learners.ours(training, scrambled)
    assert np.array_equal(scores, others)
    assert np.array_equal(result.models.thresholds, other.models.thresholds)
    assert result.models.choices == other.models.choices
