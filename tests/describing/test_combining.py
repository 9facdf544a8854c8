"""What was learned and what describers say become one confidence, and decisions teach how much a describer is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from keywright.keywords import KeywordPath
from keywright.suggesting.combining import (
    ENOUGH,
    PRIOR,
    Case,
    Said,
    Weights,
    fit_weights,
    hear,
    maximise,
)

ANIMALS, CAT, DOG = KeywordPath.of("Animals"), KeywordPath.of("Animals", "Cat"), KeywordPath.of("Animals", "Dog")
COLUMNS = {path.key: column for column, path in enumerate([ANIMALS, CAT, DOG])}
LEARNED = np.array([0.6, 0.4, 0.3], dtype=np.float32)
BIRD = KeywordPath.of("Birds")


def test_with_no_opinion_the_confidence_is_what_was_learned() -> None:
    heard = hear(LEARNED, COLUMNS, {})
    assert np.allclose(heard.confidences, LEARNED, atol=1e-6)
    assert heard.sources == {}
    assert heard.beyond == ()


def test_a_keyword_that_is_named_grows_with_what_lies_above_it_and_names_its_source() -> None:
    heard = hear(LEARNED, COLUMNS, {"vision": (Said(CAT, 0.9),)})
    assert heard.confidences[1] > LEARNED[1]
    assert heard.confidences[0] > LEARNED[0]
    assert heard.confidences[2] < LEARNED[2]
    assert heard.sources == {1: ("vision",)}


def test_two_describers_that_agree_say_more_than_one_and_less_than_certainty() -> None:
    one = hear(LEARNED, COLUMNS, {"a": (Said(CAT, 1.0),)})
    two = hear(LEARNED, COLUMNS, {"a": (Said(CAT, 1.0),), "b": (Said(CAT, 1.0),)})
    assert one.confidences[1] < two.confidences[1] < 1
    assert two.sources[1] == ("a", "b")


def test_a_keyword_without_a_model_starts_from_little() -> None:
    (found,) = hear(LEARNED, COLUMNS, {"vision": (Said(BIRD, 1.0),)}).beyond
    assert (found.keyword, found.sources, found.new) == (BIRD, ("vision",), False)
    assert found.confidence == pytest.approx(0.731, abs=0.001)
    (unsure,) = hear(LEARNED, COLUMNS, {"vision": (Said(BIRD, 0.3, new=True),)}).beyond
    assert unsure.confidence < 0.5
    assert unsure.new


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3),
    st.lists(st.tuples(st.sampled_from([ANIMALS, CAT, DOG, BIRD]), st.floats(0.01, 1)), max_size=4),
    st.floats(0, 5),
    st.floats(0, 1),
)
def test_confidences_stay_probabilities_and_no_child_is_surer_than_its_parent(
    values: list[float], said: list[tuple[KeywordPath, float]], worth: float, silent: float
) -> None:
    learned = np.array([max(values), *values[1:]], dtype=np.float32)
    opinions = {"vision": tuple(Said(path, score) for path, score in said)}
    heard = hear(learned, COLUMNS, opinions, {"vision": Weights(worth, silent)})
    assert ((heard.confidences >= 0) & (heard.confidences <= 1)).all()
    assert heard.confidences[0] >= max(heard.confidences[1:]) - 1e-6


def decided(count: int, worth: float, seed: int = 0) -> list[Case]:
    """Decisions of a person on photos that a describer of this worth named things on."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        learned = rng.uniform(0.1, 0.9)
        score = rng.uniform(0.2, 1) if rng.random() < 0.6 else 0.0
        odds = np.log(learned / (1 - learned)) + (worth * score if score else -0.2)
        cases.append(Case(learned, {"vision": score}, bool(rng.random() < 1 / (1 + np.exp(-odds)))))
    return cases


def test_few_decisions_leave_the_cautious_weights() -> None:
    assert fit_weights(decided(ENOUGH - 1, 2.5)) == {}


@pytest.mark.parametrize("worth", [0.0, 1.0, 4.0])
def test_decisions_teach_what_a_describer_is_worth(worth: float) -> None:
    weights = fit_weights(decided(3000, worth))["vision"]
    assert weights.said == pytest.approx(worth, abs=0.45)
    assert 0 <= weights.said <= 2 * PRIOR.said


def test_a_describer_that_is_always_wrong_counts_nothing_rather_than_against() -> None:
    cases = [Case(0.5, {"vision": 1.0}, False) for _ in range(500)]
    assert fit_weights(cases)["vision"].said == 0


def confidence(case: Case, weights: Weights) -> float:
    said = tuple(Said(CAT, score) for score in case.scores.values() if score)
    learned = np.array([case.learned], dtype=np.float32)
    return float(hear(learned, {CAT.key: 0}, {"vision": said}, {"vision": weights}).confidences[0])


def test_fitted_weights_are_calibrated_on_decisions_they_never_saw() -> None:
    weights = fit_weights(decided(1500, 1.0))["vision"]
    unseen = decided(1500, 1.0, seed=1)
    answers = [case.accepted for case in unseen]
    fitted = np.array([confidence(case, weights) for case in unseen])
    before = np.array([confidence(case, PRIOR) for case in unseen])
    assert brier_score_loss(answers, fitted) < brier_score_loss(answers, before)
    for low in (0.0, 0.25, 0.5, 0.75):
        inside = (fitted >= low) & (fitted < low + 0.25)
        assert abs(fitted[inside].mean() - np.array(answers)[inside].mean()) < 0.07


def test_the_fit_is_the_logistic_regression_of_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 4))
    y = (rng.random(400) < 1 / (1 + np.exp(-x @ [1.0, -0.5, 0.2, 0.0]))).astype(float)
    ours = maximise(x, np.zeros(400), y, np.zeros(4), strength=2.0)
    theirs = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=1000).fit(x, y).coef_[0]
    assert np.abs(ours - theirs).max() < 1e-4
