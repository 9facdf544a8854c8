"""What a user can rely on when keywords are learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples, LearningError, TrainingData
from keywright.learning.codec import content_name, pack, unpack
from keywright.learning.models import MANIFEST, ModelSet
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.suggesting.base import SuggestSettings
from keywright.suggesting.suggest import suggest
from learning.synthetic import NAMES, catalog, data_of

DEFAULTS = LearnerSettings()
SAMPLED = LearnerSettings(exact_photos=20, landmarks=30)
BOTH = pytest.mark.parametrize("how", [DEFAULTS, SAMPLED], ids=["exact", "sampled"])


def changed(data: TrainingData, path: str, **what: np.ndarray) -> TrainingData:
    wanted = KeywordPath.parse(path)
    return replace(data, keywords=[replace(k, **what) if k.path == wanted else k for k in data.keywords])


@BOTH
def test_new_photos_of_a_subject_get_its_keyword_with_high_confidence(how: LearnerSettings) -> None:
    data, _ = catalog(spread=0.3)
    models = train(data, how).models
    fresh, subject = catalog(50, seed=7, spread=0.3)
    confidences = models.confidences(fresh.vectors)
    for row, number in enumerate(subject):
        assert confidences[row, models.columns[KeywordPath.parse(NAMES[number]).key]] > 0.5
    assert (confidences >= 0).all()
    assert (confidences <= 1).all()


@BOTH
def test_learning_again_with_nothing_changed_trains_nothing_and_says_so(how: LearnerSettings) -> None:
    data, _ = catalog()
    first = train(data, how)
    again = train(data, how, first.models)
    assert again.models is first.models
    assert again.report.trained == ()
    assert again.report.unchanged == len(data.keywords)


def test_a_keyword_on_few_photos_is_suggested_once_the_setting_allows_it_without_training_again() -> None:
    data, subject = catalog()
    few = changed(data, "Food|Cake", positives=np.flatnonzero(subject == 2)[:3])
    first = train(few, replace(DEFAULTS, min_photos=5))
    again = train(few, replace(DEFAULTS, min_photos=3), first.models)
    assert again.report.trained == ()
    assert again.models is not first.models
    assert again.models.keywords is first.models.keywords
    assert (first.models.min_photos, again.models.min_photos) == (5, 3)
    parts, before = again.models.to_parts(), first.models.to_parts()
    assert {name for name in parts if parts[name] != before.get(name)} == {MANIFEST}
    cake = catalog(30, seed=8)[0].vectors[2::5]
    every = SuggestSettings(min_confidence=0.01, limit=0)
    offered, refused = (
        {str(s.keyword) for found in suggest(models, cake, [[]] * 6, every) for s in found}
        for models in (again.models, first.models)
    )
    assert "Food|Cake" in offered
    assert "Food|Cake" not in refused


@BOTH
def test_the_order_of_the_photos_changes_no_confidence(how: LearnerSettings) -> None:
    data, subject = catalog()
    order = np.random.default_rng(3).permutation(len(subject))
    shuffled = data_of(data.vectors[order], subject[order])
    one, other = train(data, how).models, train(shuffled, how).models
    assert [m.digest for m in one.keywords] == [m.digest for m in other.keywords]
    fresh, _ = catalog(30, seed=8)
    assert np.allclose(one.confidences(fresh.vectors), other.confidences(fresh.vectors), atol=5e-3)


def test_only_the_keyword_that_changed_and_what_lies_above_it_is_trained() -> None:
    data, _ = catalog()
    first = train(data, DEFAULTS)
    dog = next(k for k in data.keywords if str(k.path) == "Animals|Dog")
    less = changed(data, "Animals|Dog", positives=dog.positives[:-1])
    second = train(less, DEFAULTS, first.models)
    assert [str(p) for p in second.report.trained] == ["Animals|Dog"]


def test_photos_that_say_nothing_are_not_taken_as_photos_without_the_keywords() -> None:
    data, subject = catalog()
    rng = np.random.default_rng(5)
    unknown, _ = catalog(400, seed=int(rng.integers(1000)))
    vectors = np.vstack([data.vectors, unknown.vectors])
    padded = replace(data, vectors=vectors, norms=np.ones(len(vectors), dtype=np.float32))
    fresh, _ = catalog(30, seed=8)
    alone, among = train(data, DEFAULTS), train(padded, DEFAULTS)
    assert np.allclose(alone.models.confidences(fresh.vectors), among.models.confidences(fresh.vectors))
    assert among.report.photos == len(subject)


def test_a_rejection_lowers_the_keyword_on_photos_like_the_rejected_one() -> None:
    data, subject = catalog()
    cats = np.flatnonzero(subject == 0)
    half = changed(data, "Animals|Cat", positives=cats[::2])
    refused = changed(half, "Animals|Cat", rejections=cats[1::2])
    column = train(half, DEFAULTS).models.columns[KeywordPath.parse("Animals|Cat").key]
    fresh, kinds = catalog(50, seed=9)
    lookalikes = fresh.vectors[kinds == 0]
    before = train(half, DEFAULTS).models.confidences(lookalikes)[:, column].mean()
    after = train(refused, DEFAULTS).models.confidences(lookalikes)[:, column].mean()
    assert after < before - 0.05


@BOTH
def test_a_planted_wrong_keyword_is_set_aside_and_reported_not_deleted(how: LearnerSettings) -> None:
    data, subject = catalog(spread=0.3)
    cats = np.flatnonzero(subject == 0)
    strays = {int(np.flatnonzero(subject == other)[0]) for other in (2, 3, 4)}
    planted = changed(data, "Animals|Cat", positives=np.union1d(cats, list(strays)))
    result = train(planted, how)
    found = {s.row for s in result.report.set_aside if str(s.path) == "Animals|Cat"}
    assert found
    assert found <= strays
    model = result.models.keywords[result.models.columns[KeywordPath.parse("Animals|Cat").key]]
    assert model.photos == len(cats) + 3


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_parent_is_never_less_likely_than_its_child(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.random((40, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    data = data_of(vectors, rng.integers(0, len(NAMES), 40))
    models = train(data, DEFAULTS).models
    confidences = models.confidences(vectors)
    for column, parent in enumerate(models.tree.parents):
        if parent >= 0:
            assert (confidences[:, parent] >= confidences[:, column]).all()


def test_siblings_that_are_never_together_share_at_most_certainty() -> None:
    data, _ = catalog()
    models = train(data, DEFAULTS).models
    assert models.tree.exclusive
    mixed = data.vectors[0:150:5] + data.vectors[1:151:5]
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    for group in models.tree.exclusive:
        leaves = [c for c in group if models.tree.ends[c] == c + 1]
        assert (models.confidences(mixed)[:, leaves].sum(axis=1) <= 1 + 1e-5).all()


def test_models_come_back_from_their_parts_bit_for_bit() -> None:
    data, _ = catalog()
    models = train(data, DEFAULTS).models
    back = ModelSet.from_parts(models.to_parts())
    assert np.array_equal(back.confidences(data.vectors), models.confidences(data.vectors))
    assert np.array_equal(back.thresholds, models.thresholds)
    assert back.paths == models.paths
    assert train(data, DEFAULTS, back).models is back


def test_every_damaged_part_is_noticed_with_one_sentence() -> None:
    data, _ = catalog(40)
    parts = train(data, DEFAULTS).models.to_parts()
    for name, body in parts.items():
        for damaged in (body[:-1], body[:20] + bytes([body[20] ^ 1]) + body[21:], b""):
            with pytest.raises(LearningError, match="The model is damaged"):
                ModelSet.from_parts({**parts, name: damaged})
        if name != MANIFEST:
            with pytest.raises(LearningError, match="missing"):
                ModelSet.from_parts({n: b for n, b in parts.items() if n != name})


BAD = {
    "no photos": lambda d: replace(d, vectors=d.vectors[:0], norms=d.norms[:0], keywords=[]),
    "no keywords": lambda d: replace(d, keywords=[]),
    "not a number": lambda d: replace(d, vectors=np.where(np.arange(len(d.vectors))[:, None] == 3, np.nan, d.vectors)),
    "a zero vector": lambda d: replace(d, vectors=np.where(np.arange(len(d.vectors))[:, None] == 3, 0, d.vectors)),
    "rows beyond the photos": lambda d: changed(d, "Sea", positives=np.array([10_000])),
    "keywords on no photo": lambda d: replace(d, keywords=[replace(k, positives=NO_ROWS) for k in d.keywords]),
    "names of other keywords": lambda d: replace(d, name_vectors=np.ones((2, 32), dtype=np.float32)),
    "names that are no numbers": lambda d: replace(d, name_vectors=np.full((len(d.keywords), 32), np.nan)),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_is_one_clear_sentence(name: str) -> None:
    data, _ = catalog(40)
    with pytest.raises(LearningError) as caught:
        train(BAD[name](data), DEFAULTS)
    text = str(caught.value)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "\n" not in text


def test_vectors_of_another_encoder_are_refused_and_the_models_stay() -> None:
    data, _ = catalog(40)
    models = train(data, DEFAULTS).models
    with pytest.raises(LearningError, match="another encoder"):
        models.confidences(np.ones((1, 5), dtype=np.float32) / 5**0.5)
    other = replace(data, encoder_id="other")
    assert len(train(other, DEFAULTS, models).report.trained) == len(data.keywords)


@pytest.mark.parametrize("photos", [1, 2, 3, 12])
def test_a_catalog_of_few_photos_learns_without_complaint(photos: int) -> None:
    data, _ = catalog(photos)
    confidences = train(data, DEFAULTS).models.confidences(data.vectors)
    assert np.isfinite(confidences).all()


@BOTH
def test_a_keyword_on_no_photo_has_no_model_and_the_others_are_learned(how: LearnerSettings) -> None:
    data, _ = catalog()
    nobody = KeywordExamples(KeywordPath.of("Nobody"), NO_ROWS, NO_ROWS, NO_ROWS)
    with_it = train(replace(data, keywords=[*data.keywords, nobody]), how)
    assert with_it.models.paths == train(data, how).models.paths


def test_a_model_of_a_newer_keywright_is_refused_with_one_sentence() -> None:
    data, _ = catalog(40)
    parts = train(data, DEFAULTS).models.to_parts()
    values, _ = unpack(parts[MANIFEST].partition(b"\n")[2])
    body = pack({**values, "format": values["format"] + 1}, {})
    newer = {**parts, MANIFEST: content_name(body).encode() + b"\n" + body}
    with pytest.raises(LearningError, match="update it"):
        ModelSet.from_parts(newer)


def test_a_model_kept_before_names_and_cases_were_known_still_suggests_and_is_learned_again() -> None:
    data, _ = catalog(40)
    parts = train(data, DEFAULTS).models.to_parts()
    values, _ = unpack(parts[MANIFEST].partition(b"\n")[2])
    old = {values["features"]: parts[values["features"]]}
    names = []
    for name in values["keywords"]:
        kept, arrays = unpack(parts[name])
        body = pack({k: v for k, v in kept.items() if k not in ("name_weight", "cases")} | {"digest": "old"}, arrays)
        names.append(content_name(body))
        old[names[-1]] = body
    body = pack({**values, "format": 1, "keywords": names}, {})
    models = ModelSet.from_parts({**old, MANIFEST: content_name(body).encode() + b"\n" + body})
    assert np.isfinite(models.confidences(data.vectors)).all()
    assert len(train(data, DEFAULTS, models).report.trained) == len(data.keywords)


@BOTH
def test_a_keyword_on_every_photo_and_two_on_the_same_photos_are_learned(how: LearnerSettings) -> None:
    data, _ = catalog()
    every = KeywordExamples(KeywordPath.of("All"), np.arange(len(data.vectors)), NO_ROWS, NO_ROWS)
    twin = replace(next(k for k in data.keywords if str(k.path) == "Sea"), path=KeywordPath.of("Ocean"))
    models = train(replace(data, keywords=[*data.keywords, every, twin]), how).models
    assert (models.confidences(data.vectors)[:, models.columns[("all",)]] > 0.5).all()
    sea, ocean = (models.keywords[models.columns[(name,)]] for name in ("sea", "ocean"))
    assert np.allclose(sea.weights, ocean.weights, atol=1e-3)
