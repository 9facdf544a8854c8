"""What is found quickly in a large collection is what multiplying every number finds."""

from __future__ import annotations

import numpy as np
import pytest

from keywright.learning.base import ClassHead
from keywright.searching import looks
from keywright.searching.looks import by_classes, by_examples
from keywright.searching.shortlist import Shortlist
from search.test_looks import asked, made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection of thousands is a large one."""
    monkeypatch.setattr(looks, "LOOKED_AT", 1000)
    monkeypatch.setattr(looks, "CLOSELY", 150)
    monkeypatch.setattr(looks, "USUAL", 480)
    monkeypatch.setattr(looks, "SHORTLISTED", 400)


def collection() -> tuple[np.ndarray, ClassHead]:
    vectors, _, head = made(4000, classes=40, d=192)
    return vectors.astype(np.float16), head


def best(rows: np.ndarray, scores: np.ndarray, number: int) -> set[int]:
    return set(rows[np.argsort(-scores)][:number].tolist())


@pytest.mark.usefixtures("small")
def test_words_find_the_same_photos_by_the_shortlist(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, head = collection()
    everything = np.arange(len(vectors))
    weights = asked(1.0, 0.9, classes=40)
    quick = by_classes(vectors, everything, everything, head, weights, Shortlist(vectors))
    slow = by_classes(vectors, everything, everything, head, weights)
    assert len(best(*quick, 50) & best(*slow, 50)) >= 48
    assert np.abs(np.sort(quick[1])[-50:] - np.sort(slow[1])[-50:]).max() < 0.05
    part = everything[1::2]
    assert set(by_classes(vectors, everything, part, head, weights, Shortlist(vectors))[0].tolist()) <= set(
        part.tolist()
    )
    monkeypatch.setattr(looks, "LOOKED_AT", 5000)
    whole = by_classes(vectors, everything, everything, head, weights)
    assert len(best(*quick, 50) & best(*whole, 50)) >= 45
    assert np.abs(np.sort(quick[1])[-50:] - np.sort(whole[1])[-50:]).max() < 0.2


@pytest.mark.usefixtures("small")
def test_an_example_finds_the_same_photos_by_the_shortlist() -> None:
    vectors, _ = collection()
    everything = np.arange(len(vectors))
    examples = vectors[[3, 77]].astype(np.float32)
    quick = by_examples(vectors, everything, examples, Shortlist(vectors))
    slow = by_examples(vectors, everything, examples)
    assert len(best(everything, quick, 100) & best(everything, slow, 100)) >= 98
    assert np.abs(quick - slow).max() < 0.2
