"""Which keywords a photo is offered, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, KeywordExamples, TrainingData
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.suggesting.base import Suggestion, SuggestSettings
from keywright.suggesting.combining import BAR, Said
from keywright.suggesting.suggest import Examples, suggest
from learning.synthetic import catalog

DATA, SUBJECT = catalog(spread=0.3)
MODELS = train(DATA, LearnerSettings()).models
EXAMPLES = Examples.of(DATA.vectors, DATA.keywords)
FRESH, KINDS = catalog(20, seed=5, spread=0.3)
CAT_PHOTO = FRESH.vectors[int(np.flatnonzero(KINDS == 0)[0])]
CAT, ANIMALS = KeywordPath.parse("Animals|Cat"), KeywordPath.of("Animals")


def offered(existing: list[KeywordPath], settings: SuggestSettings | None = None) -> list[str]:
    found = next(suggest(MODELS, CAT_PHOTO[None], [existing], settings or SuggestSettings(), EXAMPLES))
    return [str(s.keyword) for s in found]


def test_the_most_specific_keyword_is_suggested_and_its_parent_implied() -> None:
    assert offered([]) == ["Animals|Cat"]


def test_a_keyword_the_photo_has_is_not_suggested_whatever_its_letter_case() -> None:
    assert offered([KeywordPath.parse("ANIMALS|cat")]) == []


def test_a_parent_of_a_keyword_the_photo_has_is_not_suggested() -> None:
    every = SuggestSettings(min_confidence=0, limit=0)
    assert "Animals" not in offered([CAT], every)
    assert "Animals|Dog" in offered([CAT], every)


def test_a_photo_with_the_parent_alone_is_offered_the_child() -> None:
    assert offered([ANIMALS]) == ["Animals|Cat"]


def test_with_no_bar_and_no_limit_every_keyword_is_listed_by_confidence() -> None:
    found = next(suggest(MODELS, CAT_PHOTO[None], [[]], SuggestSettings(min_confidence=0, limit=0)))
    assert {s.keyword for s in found} == set(MODELS.paths)
    assert [s.confidence for s in found] == sorted((s.confidence for s in found), reverse=True)


def test_the_limit_and_the_bar_are_kept() -> None:
    assert len(offered([], SuggestSettings(min_confidence=0, limit=3))) == 3
    assert offered([], SuggestSettings(min_confidence=1.01)) == []


def test_keywords_on_too_few_photos_are_listed_for_evaluation_and_not_suggested() -> None:
    assert offered([], SuggestSettings(min_photos=1000)) == []
    assert "Animals|Cat" in offered([], SuggestSettings(min_confidence=0, limit=0, min_photos=1000))


def test_the_reasons_are_the_most_alike_training_photos_that_carry_the_keyword() -> None:
    found = next(suggest(MODELS, CAT_PHOTO[None], [[]], SuggestSettings(), EXAMPLES))[0]
    cats = np.flatnonzero(SUBJECT == 0)
    likeness = DATA.vectors[cats] @ CAT_PHOTO
    best = cats[np.argsort(-likeness)[:3]]
    assert [r.row for r in found.because] == best.tolist()
    assert [r.similarity for r in found.because] == pytest.approx(np.sort(likeness)[::-1][:3].tolist(), abs=1e-5)


def test_a_photo_is_never_its_own_reason() -> None:
    row = int(np.flatnonzero(SUBJECT == 0)[0])
    found = next(suggest(MODELS, DATA.vectors[row : row + 1], [[]], SuggestSettings(), EXAMPLES))
    assert found
    assert all(r.row != row for s in found for r in s.because)


def heard(data: TrainingData, named: KeywordPath, score: float, **how: float) -> dict[str, Suggestion]:
    """The suggestions on the photo of a cat where a describer names a keyword."""
    models = train(data, LearnerSettings()).models
    said = [{"vision": (Said(named, score),)}]
    settings = SuggestSettings(limit=0, **how)  # type: ignore[arg-type]
    (found,) = suggest(models, CAT_PHOTO[None], [[]], settings, opinions=said)
    return {str(one.keyword): one for one in found}


def with_two_photos(keyword: KeywordPath) -> TrainingData:
    """The catalog with a keyword besides that two of its photos of cats carry."""
    rare = KeywordExamples(keyword, np.flatnonzero(SUBJECT == 0)[:2], NO_ROWS, NO_ROWS)
    return replace(DATA, keywords=[*DATA.keywords, rare])


def test_a_keyword_on_few_photos_is_suggested_where_a_describer_names_it_as_one_on_none_is() -> None:
    lighthouse = KeywordPath.of("Places", "Lighthouse")
    data = with_two_photos(lighthouse)
    assert str(lighthouse) not in offered_by(data)
    found = heard(data, lighthouse, 1.0)
    assert found[str(lighthouse)].sources == ("vision",)
    assert found[str(lighthouse)].confidence >= BAR
    assert str(lighthouse) not in heard(data, lighthouse, 0.05)
    sure = found[str(lighthouse)].confidence
    assert str(lighthouse) in heard(data, lighthouse, 1.0, min_confidence=sure - 0.01)
    assert str(lighthouse) not in heard(data, lighthouse, 1.0, min_confidence=sure + 0.01)


def offered_by(data: TrainingData) -> list[str]:
    models = train(data, LearnerSettings()).models
    return [str(s.keyword) for s in next(suggest(models, CAT_PHOTO[None], [[]], SuggestSettings(limit=0)))]


def test_who_names_a_keyword_is_named_for_what_lies_above_it_too() -> None:
    found = heard(DATA, CAT, 0.9, min_confidence=0)
    assert found["Animals|Cat"].sources == found["Animals"].sources == ("vision",)
    assert found["Animals|Dog"].sources == ()
