"""Answers to suggestions correct how sure the models say they are, within bounds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright.learning.answers import LEAST_ANSWERS, SHIFT, STRETCH, recalibration
from keywright.learning.calibration import LOWEST, NO_CORRECTION, Correction
from keywright.operations.deciding import Decided, decide
from keywright.operations.learning import train_known
from keywright.operations.versions import versions
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision
from teaching.kit import CAKE, CAT, DOG, PIZZA, SEA


def answers(count: int, right: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Suggestions shown with 0.5 to 0.95, of which ``right`` times as many are accepted as the models say."""
    rng = np.random.default_rng(seed)
    shown = rng.uniform(0.5, 0.95, count)
    return shown, rng.random(count) < right * shown


def test_few_answers_correct_nothing() -> None:
    assert recalibration(*answers(LEAST_ANSWERS - 1, 0.5)) is None


def test_models_that_were_too_sure_are_less_sure_and_nearer_to_what_persons_answered() -> None:
    shown, accepted = answers(600, 0.7)
    found = recalibration(shown, accepted)
    assert found is not None
    assert found.error_after < found.error_before / 2
    assert found(np.array([0.9]))[0] < 0.85


def test_models_that_were_right_stay_nearly_as_they_were() -> None:
    found = recalibration(*answers(600, 1.0))
    assert found is not None
    assert np.allclose(found(np.array([0.3, 0.6, 0.9])), [0.3, 0.6, 0.9], atol=0.06)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=LEAST_ANSWERS, max_size=200))
def test_whatever_is_answered_the_correction_is_bounded_and_keeps_the_order(told: list[tuple[float, bool]]) -> None:
    found = recalibration(np.array([p for p, _ in told]), np.array([yes for _, yes in told]))
    assert found is not None
    assert STRETCH[0] <= found.stretch <= STRETCH[1]
    assert SHIFT[0] <= found.shift <= SHIFT[1]
    for before in (NO_CORRECTION, Correction((LOWEST, 0.3, 0.7, 1.0), (LOWEST, 0.2, 0.6, 1.0))):
        after = found.corrected(before)
        assert list(after.knots) == sorted(after.knots)
        assert list(after.values) == sorted(after.values)
        assert (after.values[0], after.values[-1]) == (LOWEST, 1.0)
        probe = np.linspace(0, 1, 50, dtype=np.float32)[None]
        assert np.all(np.diff(after.apply(probe.copy())) >= -1e-6)


def test_a_training_after_a_review_says_in_its_metrics_what_the_answers_changed(workspace: Workspace) -> None:
    rejected = [
        Decided(photo, path, Decision.REJECTED if (photo + n) % 3 else Decision.ACCEPTED, 0.9, 1)
        for photo in range(101, 126)
        for n, path in enumerate((CAT, DOG, CAKE, PIZZA, SEA))
    ]
    decide(workspace, rejected[:60])
    train_known(workspace)
    metrics = versions(workspace)[-1].metrics
    assert metrics["answers"] == 60
    assert metrics["answers_shift"] < 0
    assert metrics["answers_error_after"] < metrics["answers_error_before"]
    assert "answers" not in versions(workspace)[0].metrics
