"""Names as vectors: put into sentences, a class with what it is a kind of, and how alike two of them are in meaning.

A class is put into words as "tabby, domestic cat", its name and what it is a kind of, which tells the crane that is a
bird from the one that lifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np

from keywright.encoders.base import Vectors
from keywright.encoders.sentences import SentenceEncoder

TEMPLATES = ("{}", "a photo of {}")
"""Sentences a name is put into; their vectors are averaged. Chosen on training photos."""


def name_likeness(names: Sequence[Sequence[str]], class_names: Sequence[str], sentences: SentenceEncoder) -> Vectors:
    """Shape (things, classes): the cosine of each class and each thing, the most alike of a thing's names counting."""
    if not names:
        return np.zeros((0, len(class_names)), dtype=np.float32)
    flat = [name for own in names for name in own]
    cosines = in_words(flat, sentences) @ in_words(class_texts(class_names), sentences).T
    starts = np.cumsum([0, *(len(own) for own in names)])[:-1]
    likeness: Vectors = np.maximum.reduceat(cosines, starts, axis=0)
    return likeness


def in_words(names: Sequence[str], sentences: SentenceEncoder, templates: Sequence[str] = TEMPLATES) -> Vectors:
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
    from keywright.encoders.builtin import imagenet_names  # late: it brings the runtime

    if tuple(class_names) != imagenet_names():
        return list(class_names)
    return [f"{name}, {kind}" for name, kind in zip(class_names, _kinds(), strict=True)]


@cache
def _kinds() -> tuple[str, ...]:
    text = (resources.files("keywright.encoders") / "imagenet_kinds.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))
