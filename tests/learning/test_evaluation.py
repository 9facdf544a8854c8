"""The figures of the accuracy report, the audit and the questions, against counting by hand and scikit-learn."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_score, recall_score

from keywright.keywords import KeywordPath
from keywright.learning.audit import Doubt, audit
from keywright.learning.calibration import fit_curves, logistic, threshold_for_precision
from keywright.learning.evaluation import evaluate
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.learning.uncertain import uncertain
from learning.synthetic import catalog

PATHS = [KeywordPath.of(name) for name in "abcd"]


def some_scores() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    p = rng.random((300, 4)).astype(np.float32)
    return p, rng.random((300, 4)) < p


def test_the_report_counts_as_scikit_learn_counts() -> None:
    p, truth = some_scores()
    bars = np.array([0.5, 0.6, 0.7, 0.8], dtype=np.float32)
    report = evaluate(PATHS, p, truth, bars, [1, 3, 9, 30])
    every = evaluate(PATHS, p, truth, bars, [1, 3, 9, 30], least_training=1)
    expected = [average_precision_score(truth[:, k], p[:, k]) for k in range(4)]
    assert every.mean_average_precision == pytest.approx(np.mean(expected))
    assert report.mean_average_precision == pytest.approx(np.mean(expected[2:]))
    assert report.precision == pytest.approx(precision_score(truth.ravel(), (p >= bars).ravel()))
    assert report.recall == pytest.approx(recall_score(truth.ravel(), (p >= bars).ravel()))
    assert [g.training_photos for g in report.groups] == ["1", "2-4", "5-9", "25+"]
    assert report.calibration_error < 0.06
    assert json.loads(json.dumps(report.as_json()))["photos"] == 300


def test_overconfidence_shows_as_calibration_error() -> None:
    _, truth = some_scores()
    sure = np.full(truth.shape, 0.95, dtype=np.float32)
    report = evaluate(PATHS, sure, truth, np.full(4, 0.5), [9] * 4)
    assert report.calibration_error == pytest.approx(0.95 - truth.mean(), abs=1e-3)


def test_calibrated_confidences_are_the_shares_that_are_right() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(0, 0.3, (4000, 5)).astype(np.float32)
    labels = (rng.random(scores.shape) < logistic(8 * scores.astype(float) - 2)).astype(np.float32)
    curves = fit_curves(scores, labels, np.ones_like(labels))
    assert np.allclose(curves.slopes, 8, rtol=0.15)
    assert np.allclose(curves.offsets, -2, atol=0.3)


def test_a_threshold_keeps_its_precision_and_the_wanted_precision_moves_it() -> None:
    p, truth = some_scores()
    weights = np.ones(p.shape, dtype=np.float32)
    strict = threshold_for_precision(p, truth, weights, 0.9)
    easy = threshold_for_precision(p, truth, weights, 0.75)
    assert (strict > easy).all()
    for k in range(4):
        assert truth[p[:, k] >= easy[k], k].mean() == pytest.approx(0.75, abs=0.03)


def test_the_audit_finds_planted_wrong_and_removed_keywords_first() -> None:
    data, subject = catalog(200, spread=0.4)
    cats, pizzas = np.flatnonzero(subject == 0), np.flatnonzero(subject == 3)
    wrong, removed = int(pizzas[0]), int(cats[5])
    keywords = [
        replace(k, positives=np.union1d(np.setdiff1d(k.positives, [removed]), [wrong]))
        if str(k.path) in ("Animals|Cat", "Animals")
        else k
        for k in data.keywords
    ]
    # the photo whose only keywords were taken away still carries another one, so it is among those known
    sea = next(i for i, k in enumerate(keywords) if str(k.path) == "Sea")
    keywords[sea] = replace(keywords[sea], positives=np.union1d(keywords[sea].positives, [removed]))
    result = train(replace(data, keywords=keywords), LearnerSettings(set_aside_poison=False))
    assert result.honest is not None
    missing, doubtful = audit(result.models, result.honest, keywords)
    assert (missing[0].row, str(missing[0].keyword), missing[0].doubt) == (removed, "Animals|Cat", Doubt.MISSING)
    assert (wrong, "Animals|Cat") in [(f.row, str(f.keyword)) for f in doubtful[:2]]


def test_questions_are_doubtful_unanswered_and_not_ten_frames_of_one_burst() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((40, 16)).astype(np.float32)
    vectors[:10] = vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    p = np.full((40, 2), 0.02, dtype=np.float32)
    p[:10, 0] = 0.5
    p[10:20, 1] = 0.4
    p[30, 0] = 0.5
    answered = [np.array([30]), np.array([], dtype=np.int64)]
    asked = uncertain(PATHS[:2], p, vectors, answered, [10, 10], limit=8)
    assert asked[0].row == 0
    assert sum(q.row < 10 for q in asked) == 1
    assert 30 not in [q.row for q in asked[:7]]
    only = uncertain(PATHS[:2], p, vectors, answered, [10, 10], limit=5, keyword=PATHS[1])
    assert {str(q.keyword) for q in only} == {"b"}
