"""Evidence for keywords on few photos: the encoder's own classes that bear the keyword's name.

With one or two photos a picture alone says little, but the encoder has learned a thousand classes from a million
photos, and many a keyword names one of them or their kind: "cat" is the last word of "Egyptian cat". What those
classes' probabilities say of the photos that lack the keyword stands in for keywords not yet given (ConSE, Norouzi et
al. 2014, carried over from vectors to targets), and gives way as photos of the keyword come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from keywright.keywords import fold_name
from keywright.learning.base import ClassHead, Floats, KeywordExamples, Vectors
from keywright.learning.points import BLOCK, class_probabilities

NAMES_ARE_WORTH = 4.0
"""A matching name counts as much as so many photos."""
ENOUGH = 25
"""From so many photos on, names are not asked."""
_WORD = re.compile(r"[^\W\d_]+")


def matching_classes(names: Sequence[str], class_names: Sequence[str]) -> list[int]:
    """Classes that one of the names (a keyword's own and its synonyms) is, or whose last words it is."""
    wanted = set[tuple[str, ...]]().union(*(_with_singulars(_words(name)) for name in names))
    found = []
    for number, class_name in enumerate(class_names):
        for alternative in class_name.split(","):
            words = _words(alternative)
            if any(words[start:] in wanted for start in range(len(words))):
                found.append(number)
                break
    return found


def name_targets(examples: Sequence[KeywordExamples], head: ClassHead | None, vectors: Vectors) -> Floats | None:
    """Shape (n, k): how far each photo is taken to show each keyword by name alone; ``None`` where no name matches."""
    if head is None:
        return None
    columns = {}
    for column, keyword in enumerate(examples):
        if len(keyword.positives) < ENOUGH:
            classes = matching_classes([keyword.path.name, *keyword.synonyms], head.names)
            if classes:
                columns[column] = classes
    if not columns:
        return None
    targets = np.zeros((len(vectors), len(examples)), dtype=np.float32)
    for start in range(0, len(vectors), BLOCK):
        probabilities = class_probabilities(vectors[start : start + BLOCK], head)
        for column, classes in columns.items():
            share = NAMES_ARE_WORTH / (NAMES_ARE_WORTH + len(examples[column].positives))
            targets[start : start + BLOCK, column] = np.float32(share) * probabilities[:, classes].sum(axis=1)
    return np.minimum(targets, 1, out=targets)


def _words(name: str) -> tuple[str, ...]:
    return tuple(fold_name(word) for word in _WORD.findall(name))


def _with_singulars(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """The words as they are, and with the last one as English spelling may have it in the singular; none if empty."""
    if not words:
        return set()
    last = words[-1]
    endings = {last}
    for plural, singular in (("s", ""), ("es", ""), ("ies", "y")):
        if last.endswith(plural) and len(last) > len(plural) + 2:
            endings.add(last[: -len(plural)] + singular)
    return {(*words[:-1], ending) for ending in endings}
