"""What names alone say: the encoder's own classes, and how far each of them speaks for a keyword.

The 1000 classes of the built-in encoders are tied to any keyword by likeness of meaning: both names become sentence
vectors (ConSE, Norouzi et al. 2014, with sentence vectors for word vectors). A class is put into words as "tabby,
domestic cat", its name and what it is a kind of, which tells the crane that is a bird from the one that lifts. Without
the extra ``text`` there are no sentence vectors, and names are matched letter by letter (``few``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np

from keywright.encoders.base import Encoded, Encoder
from keywright.encoders.sentences import SentenceEncoder
from keywright.learning.base import ClassHead, Floats, KeywordExamples
from keywright.learning.few import ENOUGH, matching_classes

TEMPLATES = ("{}", "a photo of {}")
"""Sentences a name is put into; their vectors are averaged. Chosen, like the numbers below, on training photos."""
SLOPE, MIDDLE = 14.0, 0.6
"""From the likeness of two names (a cosine) to evidence: a logistic curve. It fitted best (of twelve) what share of the
photos of a class carry a keyword with a name so like the class's."""


def class_head(encoder: Encoder, norms: Floats) -> ClassHead | None:
    """The encoder's classifier as a matrix, ``None`` where it has none; ``norms`` of some photos' vectors.

    It is found by asking for the probabilities of the unit vectors: the log-probabilities of a linear classifier are
    its logits but for a constant for each vector asked about, and that constant changes no probability.
    """
    names = tuple(encoder.class_names())
    if not names:
        return None
    dimension = encoder.dimension
    asked = np.vstack([np.zeros((1, dimension), dtype=np.float32), np.eye(dimension, dtype=np.float32)])
    probabilities = encoder.class_probabilities(Encoded(asked, np.ones(len(asked), dtype=np.float32)))
    logits = np.log(np.maximum(probabilities.astype(np.float64), 1e-30))
    bias = logits[0]
    weights = (logits[1:] - bias).T
    weights -= weights.mean(axis=0)
    length = float(np.mean(norms)) if len(norms) else 1.0
    return ClassHead(names, np.ascontiguousarray(weights, np.float32), (bias - bias.mean()).astype(np.float32), length)


def class_evidence(
    keywords: Sequence[KeywordExamples], class_names: Sequence[str], sentences: SentenceEncoder
) -> Floats:
    """Shape (keywords, classes), 0 to 1: how far a photo of each class is taken to show each keyword.

    A class whose name is a keyword's name or synonym, or ends in it, speaks for it fully; others as far as their names
    are alike. Keywords on ``few.ENOUGH`` photos and more are not asked about: their rows are 0.
    """
    evidence = np.zeros((len(keywords), len(class_names)), dtype=np.float32)
    asked = [row for row, keyword in enumerate(keywords) if len(keyword.positives) < ENOUGH]
    if not asked or not class_names:
        return evidence
    names = [(keywords[row].path.name, *keywords[row].synonyms) for row in asked]
    cosines = name_likeness(names, class_names, sentences)
    evidence[asked] = 1 / (1 + np.exp(-SLOPE * (cosines - MIDDLE)))
    for row, own in zip(asked, names, strict=True):
        evidence[row, matching_classes(own, class_names)] = 1
    return evidence


def name_likeness(names: Sequence[Sequence[str]], class_names: Sequence[str], sentences: SentenceEncoder) -> Floats:
    """Shape (things, classes): the cosine of each class and each thing, the most alike of a thing's names counting."""
    if not names:
        return np.zeros((0, len(class_names)), dtype=np.float32)
    flat = [name for own in names for name in own]
    cosines = in_words(flat, sentences) @ in_words(class_texts(class_names), sentences).T
    starts = np.cumsum([0, *(len(own) for own in names)])[:-1]
    likeness: Floats = np.maximum.reduceat(cosines, starts, axis=0)
    return likeness


def in_words(names: Sequence[str], sentences: SentenceEncoder, templates: Sequence[str] = TEMPLATES) -> Floats:
    """Unit vectors of names, shape (n, dimension): the mean over the templates."""
    texts = in_templates(names, templates)
    vectors = sentences.encode(texts).reshape(len(templates), len(names), -1).mean(axis=0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-6), dtype=np.float32)


def in_templates(names: Sequence[str], templates: Sequence[str] = TEMPLATES) -> list[str]:
    """Every name in every template, template by template."""
    plain = [" ".join(name.replace("_", " ").split()) for name in names]
    return [template.format(name) for template in templates for name in plain]


def class_texts(class_names: Sequence[str]) -> list[str]:
    """Each class as its name and, where it is one of the 1000 of ImageNet, what it is a kind of."""
    from keywright.encoders.builtin import imagenet_names

    if tuple(class_names) != imagenet_names():
        return list(class_names)
    return [f"{name}, {kind}" for name, kind in zip(class_names, _kinds(), strict=True)]


@cache
def _kinds() -> tuple[str, ...]:
    text = (resources.files("keywright.encoders") / "imagenet_kinds.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))
