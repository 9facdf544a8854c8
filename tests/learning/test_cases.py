"""What few and near-equal photos can show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples
from keywright.learning.cases import count_cases
from keywright.learning.digests import row_digests
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from learning.synthetic import catalog

BOTH = pytest.mark.parametrize(
    "how", [LearnerSettings(), LearnerSettings(exact_photos=20, landmarks=30)], ids=["exact", "sampled"]
)
BURST = KeywordPath.of("Burst")


def frames(count: int, seed: int = 5) -> np.ndarray:
    """So many frames of one burst, of a subject unlike all others."""
    subject = np.abs(np.random.default_rng(1234).standard_normal(32))
    shaken = subject + 0.01 * np.random.default_rng(seed).standard_normal((count, 32))
    return (shaken / np.linalg.norm(shaken, axis=1, keepdims=True)).astype(np.float32)


@BOTH
def test_frames_of_one_burst_do_not_come_out_as_certain(how: LearnerSettings) -> None:
    data, _ = catalog(160, spread=0.3)
    burst = KeywordExamples(BURST, 160 + np.arange(7), NO_ROWS, NO_ROWS)
    vectors = np.vstack([data.vectors, frames(7)])
    norms = np.ones(len(vectors), dtype=np.float32)
    result = train(replace(data, vectors=vectors, norms=norms, keywords=[*data.keywords, burst]), how)
    sure = result.models.confidences(frames(3, seed=6))[:, result.models.columns[BURST.key]]
    assert (sure > 0.5).all()
    assert (sure <= 0.75).all()  # as if it had been seen once
    assert result.honest is not None
    honest = result.honest.confidences()[160:, result.models.columns[BURST.key]]
    assert (honest <= 0.75).all()


@BOTH
def test_no_confidence_exceeds_what_the_photos_of_its_keyword_can_show(how: LearnerSettings) -> None:
    data, _ = catalog(160, spread=0.3)
    models = train(data, how).models
    confidences = models.confidences(data.vectors)
    cases = np.array([model.cases for model in models.keywords])
    assert (cases <= models.photos).all()
    assert (confidences <= (cases + 0.5) / (cases + 1) + 1e-6).all()
    assert confidences.max() > 0.9


def test_frames_of_a_burst_are_one_case_and_other_photos_one_each() -> None:
    rng = np.random.default_rng(0)
    others = rng.standard_normal((300, 32)).astype(np.float32)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    vectors = np.vstack([frames(5), others, frames(300)])

    def number(rows: np.ndarray) -> float:
        keyword = KeywordExamples(BURST, rows, NO_ROWS, NO_ROWS)
        return count_cases([keyword], vectors, row_digests(vectors))[0].number

    assert number(np.arange(5)) == 1
    assert number(np.arange(12)) == 8
    assert number(5 + np.arange(300)) == 300
    assert number(305 + np.arange(300)) == 1
