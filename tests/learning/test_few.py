"""What a keyword's name says while it is on few photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, ClassHead, KeywordExamples
from keywright.learning.few import matching_classes, name_targets
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from learning.synthetic import catalog

CLASSES = ["Egyptian cat", "polecat", "sports car", "freight car", "school bus", "tench, Tinca tinca"]


def test_a_name_matches_a_class_that_it_is_or_that_is_of_its_kind() -> None:
    assert matching_classes(["Cats"], CLASSES) == [0]
    assert matching_classes(["CAR"], CLASSES) == [2, 3]
    assert matching_classes(["Sports Car"], CLASSES) == [2]
    assert matching_classes(["Fisch", "tinca tinca"], CLASSES) == [5]
    assert matching_classes(["Buses"], CLASSES) == [4]
    assert matching_classes(["Wedding"], CLASSES) == []


def test_names_give_way_as_photos_come() -> None:
    data, subject = catalog(100)
    centres = np.stack([data.vectors[subject == n].mean(axis=0) for n in range(5)])
    head = ClassHead(("cat", "dog", "cake", "pizza", "sea"), centres.astype(np.float32), np.zeros(5, np.float32), 40.0)
    cats = np.flatnonzero(subject == 0)

    def targets(count: int) -> np.ndarray | None:
        keyword = KeywordExamples(KeywordPath.of("Cat"), cats[:count], NO_ROWS, NO_ROWS)
        return name_targets([keyword], head, data.vectors)

    one, many = targets(1), targets(10)
    assert one is not None
    assert many is not None
    assert one[cats].mean() > many[cats].mean() > one[subject != 0].mean()
    few_photos = replace(data, head=head)
    assert np.isfinite(train(few_photos, LearnerSettings()).models.confidences(data.vectors)).all()
    assert (
        name_targets([KeywordExamples(KeywordPath.of("Cat"), np.arange(30), NO_ROWS, NO_ROWS)], head, data.vectors)
        is None
    )
    assert name_targets([KeywordExamples(KeywordPath.of("Cat"), cats, NO_ROWS, NO_ROWS)], None, data.vectors) is None
