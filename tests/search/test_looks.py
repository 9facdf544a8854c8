"""Scores by looks: what each kind of evidence must do to them, on vectors made for it."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from keywright.encoders.names import class_texts, name_likeness
from keywright.encoders.sentences import is_installed, open_sentences
from keywright.keywords import KeywordPath
from keywright.learning.base import ClassHead, KeywordExamples
from keywright.learning.few import ENOUGH
from keywright.learning.text import class_evidence
from keywright.searching import looks
from keywright.searching.looks import by_classes, by_examples, by_text_side
from keywright.searching.shortlist import Shortlist

needs_text = pytest.mark.skipif(not is_installed(), reason="the extra `text` is not installed")


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)


def made(n: int = 300, classes: int = 10, d: int = 32) -> tuple[np.ndarray, np.ndarray, ClassHead]:
    """Photos of ten classes, and a classifier that knows them."""
    rng = np.random.default_rng(1)
    centres = unit(rng.normal(size=(classes, d)))
    of = rng.integers(0, classes, n)
    vectors = unit(centres[of] + 0.15 * rng.normal(size=(n, d)))
    names = tuple(f"class {c}" for c in range(classes))
    return vectors, of, ClassHead(names, centres * 10, np.zeros(classes, np.float32), 1.0)


def asked(*cosines: float, classes: int = 10) -> np.ndarray:
    row = np.zeros((1, classes), dtype=np.float32)
    row[0, : len(cosines)] = cosines
    return row


def test_photos_of_a_class_that_means_what_was_typed_come_first() -> None:
    vectors, of, head = made()
    everything = np.arange(len(vectors))
    rows, scores = by_classes(vectors, everything, everything, head, asked(1.0, 0.9))
    first = rows[np.argsort(-scores)][: int((of == 0).sum())]
    assert (of[first] == 0).mean() > 0.9
    assert ((scores >= 0) & (scores <= 1)).all()


def test_only_photos_that_are_allowed_are_found() -> None:
    vectors, _, head = made()
    everything, allowed = np.arange(len(vectors)), np.arange(50, 90)
    rows, _ = by_classes(vectors, everything, allowed, head, asked(1.0))
    assert set(rows) <= set(allowed.tolist())
    rows, scores = by_classes(vectors, everything, allowed[:0], head, asked(1.0))
    assert len(rows) == len(scores) == 0


@pytest.mark.parametrize("size", ["small", "large", "with a shortlist"])
def test_what_else_is_allowed_does_not_change_a_photos_score(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, of, head = made(600)
    everything, wanted = np.arange(len(vectors)), np.flatnonzero(of == 0)
    if size != "small":
        for constant, number in (("LOOKED_AT", 200), ("CLOSELY", 150), ("USUAL", 120), ("SHORTLISTED", 300)):
            monkeypatch.setattr(looks, constant, number)
    shortlist = Shortlist(vectors) if size == "with a shortlist" else None
    rows, scores = by_classes(vectors, everything, everything, head, asked(1.0), shortlist)
    before = dict(zip(rows.tolist(), scores.tolist(), strict=True))
    for allowed in (wanted, wanted[3:4], everything[of != 0][::2], everything[1:]):
        rows, scores = by_classes(vectors, everything, allowed, head, asked(1.0), shortlist)
        both = [(now, before[row]) for row, now in zip(rows.tolist(), scores.tolist(), strict=True) if row in before]
        assert both
        assert all(now == pytest.approx(then, abs=1e-4) for now, then in both)
    mine, others = ([score for row, score in before.items() if bool(of[row] == 0) is same] for same in (True, False))
    assert len(mine) == len(wanted)
    assert np.mean(mine) > 0.2 > 0.05 > np.mean(others)


def test_words_that_no_class_is_near_make_no_photo_likely() -> None:
    vectors, _, head = made(600)
    everything = np.arange(len(vectors))
    surest = [by_classes(vectors, everything, everything, head, asked(near))[1].max() for near in (0.3, 0.45, 0.95)]
    assert surest[0] < 0.05
    assert surest[1] < 0.2
    assert surest[2] > 0.6
    order = [np.argsort(by_classes(vectors, everything, everything, head, asked(c))[1])[-1] for c in (0.3, 0.95)]
    assert order[0] == order[1]


def test_one_photo_alone_can_be_searched() -> None:
    vectors, _, head = made(1)
    _, scores = by_classes(vectors, np.arange(1), np.arange(1), head, asked(1.0))
    assert np.isfinite(scores).all()


def test_a_large_collection_finds_what_a_close_look_at_all_of_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _, head = made(600)
    everything = np.arange(len(vectors))
    rows, scores = by_classes(vectors, everything, everything, head, asked(1.0))
    best = set(rows[np.argsort(-scores)][:20].tolist())
    for constant in ("LOOKED_AT", "CLOSELY", "USUAL"):
        monkeypatch.setattr(looks, constant, 150)
    rows, scores = by_classes(vectors.astype(np.float16), everything, everything, head, asked(1.0))
    assert len(rows) == 150
    assert len(best & set(rows[np.argsort(-scores)][:20].tolist())) >= 18


def test_the_best_example_counts_and_not_their_mean() -> None:
    vectors = unit(np.eye(4)[:3])
    scores = by_examples(vectors, np.arange(3), vectors[:2])
    assert np.allclose(scores, [1, 1, 0], atol=1e-6)


def test_a_text_side_gives_the_networks_own_probability() -> None:
    vectors = unit(np.eye(4))
    text, neutral = vectors[0], vectors[3]
    everything = np.array([0, 1, 3])
    sigmoid = by_text_side(vectors, np.arange(4), np.arange(3), text, neutral, 10.0, -5.0)
    assert np.allclose(sigmoid, [1 / (1 + np.exp(-5)), 1 / (1 + np.exp(5)), 1 / (1 + np.exp(5))], atol=1e-5)
    against = by_text_side(vectors, everything, everything, text, neutral, 10.0, 0.0)
    assert against[0] == pytest.approx(1 / (1 + np.exp(-10 * (1 - 1 / 3))), abs=1e-4)
    assert against[0] > 0.99 > 0.05 > against[1] == against[2]
    assert by_text_side(vectors, everything, everything[:1], text, neutral, 10.0, 0.0)[0] == against[0]


def examples(*names: str, photos: int = 1) -> list[KeywordExamples]:
    none = np.zeros(0, dtype=np.int64)
    return [KeywordExamples(KeywordPath.parse(name), np.arange(photos), none, none) for name in names]


@needs_text
def test_classes_speak_for_keywords_that_mean_them() -> None:
    from keywright.encoders.builtin import imagenet_names

    sentences = open_sentences()
    assert sentences is not None
    names = imagenet_names()
    keywords = examples("Animals|Cats", "Transport|Bike", "Concepts|Tuesday")
    evidence = class_evidence(keywords, names, partial(name_likeness, sentences=sentences))
    assert evidence.shape == (3, 1000)
    assert evidence.min() >= 0
    assert evidence.max() <= 1
    cats, bike, tuesday = evidence
    assert cats[names.index("Egyptian cat")] == 1
    assert cats[names.index("minivan")] < 0.1
    assert names[int(bike.argmax())] in ("mountain bike", "bicycle-built-for-two", "tricycle")
    assert bike.max() > 0.7
    assert tuesday.max() < 0.3


@needs_text
def test_a_keyword_on_enough_photos_is_not_asked_about() -> None:
    sentences = open_sentences()
    assert sentences is not None
    by_meaning = partial(name_likeness, sentences=sentences)
    assert not class_evidence(examples("Cat", photos=ENOUGH), ("tabby", "cat"), by_meaning).any()
    assert class_evidence(examples("Cat", photos=ENOUGH - 1), ("tabby", "cat"), by_meaning).any()


@needs_text
def test_the_most_alike_of_a_keywords_names_counts() -> None:
    sentences = open_sentences()
    assert sentences is not None
    alone = name_likeness([["Miez"]], ["cat"], sentences)
    both = name_likeness([["Miez", "cat"]], ["cat"], sentences)
    assert both[0, 0] > 0.95 > alone[0, 0]
    assert name_likeness([], ["cat"], sentences).shape == (0, 1)


def test_every_imagenet_class_says_what_it_is_a_kind_of() -> None:
    from keywright.encoders.builtin import imagenet_names

    texts = class_texts(imagenet_names())
    assert len(texts) == 1000
    assert texts[281] == "tabby, domestic cat"
    assert all(", " in text for text in texts)
    assert class_texts(["anything"]) == ["anything"]
