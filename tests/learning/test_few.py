"""What a keyword's name says while it is on few photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, ClassHead, KeywordExamples, LearningError, TrainingData
from keywright.learning.choosing import average_precisions
from keywright.learning.digests import row_digests
from keywright.learning.few import ENOUGH, matching_classes, names_of
from keywright.learning.models import ModelSet
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from learning.synthetic import NAMES, catalog

CLASSES = ["Egyptian cat", "polecat", "sports car", "freight car", "school bus", "tench, Tinca tinca"]
BOTH = pytest.mark.parametrize(
    "how", [LearnerSettings(), LearnerSettings(exact_photos=5, landmarks=8)], ids=["exact", "sampled"]
)
SUBJECTS = [KeywordPath.parse(name) for name in NAMES]


def test_a_name_matches_a_class_that_it_is_or_that_is_of_its_kind() -> None:
    assert matching_classes(["Cats"], CLASSES) == [0]
    assert matching_classes(["CAR"], CLASSES) == [2, 3]
    assert matching_classes(["Sports Car"], CLASSES) == [2]
    assert matching_classes(["Fisch", "tinca tinca"], CLASSES) == [5]
    assert matching_classes(["Buses"], CLASSES) == [4]
    assert matching_classes(["Wedding"], CLASSES) == []


def centres() -> np.ndarray:
    data, subject = catalog(400, spread=0.2)
    return np.stack([data.vectors[subject == n].mean(axis=0) for n in range(5)])


def encoder_head(names: tuple[str, ...] = ("cat", "dog", "cake", "pizza", "sea")) -> ClassHead:
    """A classifier that tells the five subjects."""
    weights = centres() - centres().mean(axis=0)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    return ClassHead(names, weights.astype(np.float32), np.zeros(5, np.float32), 12.0)


def few_photos(each: int, spread: float = 0.9) -> TrainingData:
    """So many photos of each subject, hard to tell by their looks."""
    return replace(catalog(5 * each, spread=spread)[0], head=None)


def found(data: TrainingData, how: LearnerSettings) -> float:
    """Mean average precision of the subjects on new photos."""
    fresh, subject = catalog(400, seed=21, spread=0.9)
    models = train(data, how).models
    confidences = models.confidences(fresh.vectors)[:, [models.columns[path.key] for path in SUBJECTS]]
    return float(average_precisions(confidences, (subject[:, None] == np.arange(5)).astype(np.float32)).mean())


@BOTH
def test_keywords_on_two_photos_are_told_better_by_classes_that_bear_their_names(how: LearnerSettings) -> None:
    data = few_photos(1)
    assert found(replace(data, head=encoder_head()), how) > found(data, how) + 0.05


@BOTH
def test_classes_speak_for_a_keyword_whose_name_means_alike(how: LearnerSettings) -> None:
    other_words = encoder_head(("tabby", "hound", "gateau", "flatbread", "shore"))
    data = replace(few_photos(1), head=other_words)
    speaks = np.zeros((len(data.keywords), 5), dtype=np.float32)
    for row, keyword in enumerate(data.keywords):
        if keyword.path in SUBJECTS:
            speaks[row, SUBJECTS.index(keyword.path)] = 0.8
    assert found(replace(data, class_evidence=speaks), how) > found(data, how) + 0.05


@BOTH
def test_an_encoder_with_a_text_side_is_asked_for_the_names(how: LearnerSettings) -> None:
    data = few_photos(1)
    vectors = np.zeros((len(data.keywords), 32), dtype=np.float32)
    for row, keyword in enumerate(data.keywords):
        if keyword.path in SUBJECTS:
            vectors[row] = centres()[SUBJECTS.index(keyword.path)]
    assert found(replace(data, name_vectors=vectors), how) > found(data, how) + 0.05


def test_names_that_their_own_photos_contradict_are_not_relied_on() -> None:
    data = few_photos(8)
    mistaken = replace(data, head=encoder_head(("dog", "cake", "pizza", "sea", "cat")))
    names = names_of(mistaken, data.keywords, row_digests(data.vectors))
    right = names_of(replace(data, head=encoder_head()), data.keywords, row_digests(data.vectors))
    assert right is not None
    assert names is None or names.weights.max() < 0.2 * right.weights.max()
    assert found(mistaken, LearnerSettings()) > found(data, LearnerSettings()) - 0.02


def test_names_give_way_as_photos_come_and_are_not_asked_for_a_keyword_on_many() -> None:
    head = encoder_head()

    def weight(count: int) -> float:
        data, subject = catalog(5 * 600, spread=1.0)
        cats, dogs = (np.flatnonzero(subject == n)[:count] for n in (0, 1))
        examples = [
            KeywordExamples(KeywordPath.of("Cat"), cats, NO_ROWS, NO_ROWS),
            KeywordExamples(KeywordPath.of("Dog"), dogs, NO_ROWS, NO_ROWS),
        ]
        names = names_of(replace(data, keywords=examples, head=head), examples, row_digests(data.vectors))
        return 0.0 if names is None else float(names.weights[0])

    assert weight(10) > weight(100) > weight(300) > 0
    assert weight(ENOUGH) == 0


@BOTH
def test_models_with_names_come_back_bit_for_bit(how: LearnerSettings) -> None:
    data = replace(few_photos(4), head=encoder_head())
    models = train(data, how).models
    assert models.names is not None
    parts = models.to_parts()
    back = ModelSet.from_parts(parts)
    fresh, _ = catalog(30, seed=4)
    assert np.array_equal(back.confidences(fresh.vectors), models.confidences(fresh.vectors))
    assert train(data, how, back).models is back
    for name, body in parts.items():
        with pytest.raises(LearningError, match="The model is damaged"):
            ModelSet.from_parts({**parts, name: body[:-3]})


def test_names_that_come_to_speak_are_learned_although_no_photo_changed() -> None:
    data = few_photos(4)
    models = train(data, LearnerSettings()).models
    assert models.names is None
    again = train(replace(data, head=encoder_head()), LearnerSettings(), models)
    assert len(again.report.trained) == len(data.keywords)
    assert again.models.names is not None


@BOTH
def test_what_a_name_adds_is_told_beyond_what_it_adds_on_an_average_photo(how: LearnerSettings) -> None:
    data = replace(few_photos(3), head=encoder_head())
    models = train(data, how).models
    fresh, subject = catalog(400, seed=21, spread=0.2)
    columns = [models.columns[path.key] for path in SUBJECTS]

    def said(vectors: np.ndarray, of: ModelSet = models) -> np.ndarray:
        out = np.zeros((len(vectors), len(of.keywords)), dtype=np.float32)
        assert np.array_equal(of.confidences(vectors, names_said=out), of.confidences(vectors))
        return out

    assert np.allclose(said(data.vectors)[:, columns].mean(axis=0), 0, atol=1e-3)
    for number, column in enumerate(columns):
        own = subject == number
        assert said(fresh.vectors)[own, column].mean() > 0.2 > 0 > said(fresh.vectors)[~own, column].mean()
    kept = ModelSet.from_parts(models.to_parts())
    assert np.array_equal(said(fresh.vectors, kept), said(fresh.vectors))
    without = ModelSet.from_parts(train(replace(data, head=None), how).models.to_parts())
    assert not said(fresh.vectors, without).any()
