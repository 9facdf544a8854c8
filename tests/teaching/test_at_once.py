"""A decision moves the models at once, as a training with it would, and taking it back moves them back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright.keywords import KeywordPath
from keywright.learning.base import LearningError
from keywright.learning.factor import ExactFactor
from keywright.learning.incremental import FullError, Learner, Standing, standings
from keywright.learning.models import ModelSet
from keywright.learning.ridge import KernelRidge
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from learning.synthetic import catalog

EXACT = LearnerSettings(set_aside_poison=False)
SAMPLED = LearnerSettings(exact_photos=20, landmarks=30, set_aside_poison=False)
BOTH = pytest.mark.parametrize("how", [EXACT, SAMPLED], ids=["exact", "sampled"])
CAT, DOG, SEA = (KeywordPath.parse(name) for name in ("Animals|Cat", "Animals|Dog", "Sea"))


def opened(how: LearnerSettings, spread: float = 1.0) -> Learner:
    data, _ = catalog(spread=spread)
    return Learner.open(train(data, how).models, data, how)


def fresh(subject: int = 1, spread: float = 1.0) -> np.ndarray:
    data, subjects = catalog(20, seed=11, spread=spread)
    return np.asarray(data.vectors[int(np.flatnonzero(subjects == subject)[0])])


def confidence(learner: Learner, vector: np.ndarray, keyword: KeywordPath) -> float:
    return float(learner.models.confidences(vector[None])[0, learner.models.columns[keyword.key]])


def raw(models: ModelSet, vectors: np.ndarray) -> np.ndarray:
    """Scores before calibration, shape (n, k)."""
    scores = models.features(vectors) @ models.weights
    return np.stack([(scores[:, c] + m.offset - m.base) / m.slope for c, m in enumerate(models.keywords)], axis=1)


@BOTH
def test_an_accepted_keyword_is_likelier_at_once_and_a_rejected_one_less(how: LearnerSettings) -> None:
    learner, photo = opened(how), fresh()
    nothing = standings(learner.models, [])
    now = confidence(learner, photo, SEA)
    yes = learner.tell(photo, nothing, standings(learner.models, [SEA]), inside=False)
    no = learner.tell(photo, nothing, standings(learner.models, [], [SEA]), inside=False)
    assert confidence(yes, photo, SEA) > now * 1.2
    assert confidence(no, photo, SEA) <= now + 1e-6
    assert confidence(learner, photo, SEA) == now


@BOTH
def test_a_prime_example_moves_its_keyword_further_than_an_ordinary_photo(how: LearnerSettings) -> None:
    learner, photo = opened(how), fresh()
    nothing = standings(learner.models, [])
    ordinary, prime = (
        learner.tell(photo, nothing, standings(learner.models, [SEA], [], some), inside=False) for some in ([], [SEA])
    )
    assert confidence(prime, photo, SEA) > confidence(ordinary, photo, SEA)


@BOTH
def test_what_lies_above_an_accepted_keyword_moves_with_it_and_nothing_else_does(how: LearnerSettings) -> None:
    learner, photo = opened(how), fresh(subject=4)
    models = learner.models
    after = learner.tell(photo, standings(models, []), standings(models, [CAT]), inside=False).models
    moved = {
        str(new.path)
        for old, new in zip(models.keywords, after.keywords, strict=True)
        if not np.array_equal(old.weights, new.weights[: len(old.weights)])
    }
    assert moved == {"Animals", "Animals|Cat"}
    assert [m.photos for m in after.keywords] == [m.photos + (str(m.path) in moved) for m in models.keywords]


def test_a_refused_keyword_is_refused_with_all_below_it_except_what_the_photo_carries() -> None:
    models = opened(EXACT).models
    animals = KeywordPath.parse("Animals")
    found = dict(zip(map(str, models.paths), standings(models, [CAT], [animals]).tolist(), strict=True))
    assert found["Animals"] == found["Animals|Cat"] == Standing.CARRIED
    assert found["Animals|Dog"] == Standing.REFUSED
    assert found["Sea"] == Standing.SILENT


TOLD = st.lists(
    st.tuples(st.integers(0, 19), st.sampled_from([CAT, DOG, SEA]), st.sampled_from(["yes", "no", "prime"])),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize("inside", [True, False], ids=["training photos", "new photos"])
@BOTH
@settings(max_examples=8, deadline=None)
@given(told=TOLD)
def test_what_was_told_and_taken_back_leaves_the_scores_as_they_were(
    how: LearnerSettings, inside: bool, told: list[tuple[int, KeywordPath, str]]
) -> None:
    learner = OPENED[how]
    first = learner.models
    data, subject = catalog(20 if not inside else 160, seed=0 if inside else 11, spread=1.0)
    names = ("Animals|Cat", "Animals|Dog", "Food|Cake", "Food|Pizza", "Sea")
    done = []
    for row, keyword, what in told:
        vector = data.vectors[row]
        carried = [KeywordPath.parse(names[subject[row]])] if inside else []
        before = standings(first, carried)
        after = standings(
            first,
            [*carried, *([keyword] if what != "no" else [])],
            [keyword] if what == "no" else [],
            [keyword] if what == "prime" else [],
        )
        if any(np.array_equal(vector, other[0]) for other in done):
            continue
        done.append((vector, before, after))
        learner = learner.tell(vector, before, after, inside=inside)
    for vector, before, after in reversed(done):
        learner = learner.tell(vector, after, before, inside=inside)
    probe = catalog(20, seed=5, spread=1.0)[0].vectors
    assert np.allclose(raw(learner.models, probe), raw(first, probe), atol=2e-3)
    assert [m.photos for m in learner.models.keywords] == [m.photos for m in first.keywords]


OPENED = {how: opened(how) for how in (EXACT, SAMPLED)}


def test_photos_that_joined_an_exact_model_score_as_solving_everything_anew_with_them() -> None:
    learner = opened(EXACT)
    some, subject = catalog(12, seed=11, spread=1.0)
    first = learner.models
    for vector, number in zip(some.vectors, subject, strict=True):
        path = (CAT, DOG, None, None, SEA)[number]
        if path is not None:
            learner = learner.tell(vector, standings(first, []), standings(first, [path]), inside=False)
    factor = learner.factor
    assert isinstance(factor, ExactFactor)
    features = learner.models.features
    kernel = np.stack([features.training_row(place) for place in range(features.dimension)])
    for path in (CAT, SEA):
        model = learner.models.keywords[first.columns[path.key]]
        coefficients = np.zeros(len(kernel), dtype=np.float32)
        coefficients[: len(model.weights)] = model.weights / np.float32(model.slope)
        part = np.flatnonzero((coefficients != 0) | (np.arange(len(kernel)) < features.trained_dimension))
        assert len(part) > features.trained_dimension
        inner = kernel[np.ix_(part, part)]
        intercept = (model.offset - model.base) / model.slope
        targets = inner @ coefficients[part] + intercept + factor.ridge.penalty * coefficients[part]
        fit = KernelRidge.of(inner, factor.ridge.penalty).fit(targets[:, None])
        assert np.allclose(fit.coefficients[:, 0], coefficients[part], atol=1e-3)
        assert float(fit.intercepts[0]) == pytest.approx(intercept, abs=1e-3)
        assert np.allclose(targets[features.trained_dimension :], 1, atol=1e-3)


def test_a_decision_learned_alone_scores_as_a_training_with_it_on_the_same_factor() -> None:
    data, subject = catalog()
    cats = np.flatnonzero(subject == 0)
    half = replace(data, keywords=[replace(k, positives=cats[1:]) if k.path == CAT else k for k in data.keywords])
    first = train(half, SAMPLED)
    assert first.models.choices.relabelling == 0
    whole = train(data, SAMPLED, first.models).models
    column = first.models.columns[CAT.key]
    before, after = (standings(first.models, [path]) for path in (CAT.parent or CAT, CAT))
    learner = Learner.open(first.models, half, SAMPLED).tell(half.vectors[cats[0]], before, after, inside=True)
    probe = data.vectors
    assert np.allclose(raw(learner.models, probe)[:, column], raw(whole, probe)[:, column], atol=5e-3)
    assert np.abs(raw(first.models, probe)[:, column] - raw(whole, probe)[:, column]).max() > 2e-2


@BOTH
def test_a_version_after_a_decision_shares_all_parts_but_those_that_moved(how: LearnerSettings) -> None:
    learner = opened(how)
    learner = replace(learner, models=ModelSet.from_parts(learner.models.to_parts()))
    first, photo = learner.models, fresh()
    second = learner.tell(photo, standings(first, []), standings(first, [SEA]), inside=False).models
    kept = first.to_parts()
    new = set(second.to_parts()) - set(kept)
    assert len(new) == (2 if how is EXACT else 1)  # the keyword, and the photo that joined
    _, _, names, parts = second.new_parts()
    assert set(parts) == new - {"manifest"}
    back = ModelSet.from_parts({**kept, **second.to_parts()})
    probe = catalog(20, seed=5)[0].vectors
    assert np.array_equal(back.confidences(probe), second.confidences(probe))
    assert np.allclose(second.confidences(probe), replace(second).confidences(probe), atol=1e-6)
    assert set(names) == set(second.to_parts()) - {"manifest"}


def test_only_so_many_photos_join_before_the_next_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keywright.learning.incremental.MOST_JOINED", 1)
    learner = opened(EXACT)
    nothing, sea = standings(learner.models, []), standings(learner.models, [SEA])
    learner = learner.tell(fresh(0), nothing, sea, inside=False)
    with pytest.raises(FullError, match="learn again"):
        learner.tell(fresh(2), nothing, sea, inside=False)
    learner.tell(fresh(0), sea, nothing, inside=False)


def test_vectors_of_another_encoder_are_refused() -> None:
    data, _ = catalog(40)
    models = train(data, EXACT).models
    with pytest.raises(LearningError, match="learned from vectors of test"):
        Learner.open(models, replace(data, encoder_id="other"), EXACT)
    with pytest.raises(LearningError, match="another encoder"):
        opened(EXACT).tell(np.ones(5) / 5**0.5, standings(models, []), standings(models, [SEA]), inside=False)
