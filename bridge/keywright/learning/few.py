"""Evidence for keywords on few photos: what the encoder itself knows of their names.

With one or two photos a picture alone says little, but the encoder has learned a thousand classes from a million
photos, and its classes speak for many a keyword: "Egyptian cat" for "Cat", and, where sentence vectors say how near
two names are, "seashore" for "Beach" (``TrainingData.class_evidence``; ConSE, Norouzi et al. 2014). An encoder with
a text side says it directly: the cosine of a photo and a name (``TrainingData.name_vectors``; Radford et al. 2021).

Either gives each photo a reading for each keyword, standardised over the training photos. It is added to the
keyword's raw score with a weight that no photo's pixels decide: the readings of the keyword's own photos, drawn
towards those of all keywords, say how far its name can be relied on (in a language the text model does not know, not
at all), and the weight gives way as photos come. The readings are made without any keyword of the catalog, so what
they say of training photos is honest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from keywright.keywords import fold_name
from keywright.learning.base import NO_ROWS, ClassHead, Floats, KeywordExamples, Rows, TrainingData, Vectors
from keywright.learning.digests import RowDigests
from keywright.learning.points import BLOCK, class_probabilities

WEIGHT = 0.02
"""In units of a photo's target: what one standard deviation of the reading adds, for each one by which the keyword's
own photos stand out. Chosen in cross-validation at 1 to 16 photos (docs/learning.md), as are the next two."""
RELIED_LIKE_OTHERS = 10
"""How far a name is relied on is judged as if so many photos said what all keywords' photos say."""
GIVES_WAY = 50
"""With so many photos of the keyword the weight is halved."""
ENOUGH = 500
"""From so many photos on, names are not asked."""
BACKGROUND = 10
"""The other names that a reading is compared with weigh at least as much as so many that fit every class alike."""
MOST_SAID = 0.9
"""What a class says of a keyword counts by its odds, up to those of this much: no one class shuts out the others."""
LOOKS_ALIKE = 5.0
"""Classes whose weights have the cosine c speak for each other's names with exp(-5 (1 - c)), where no text model says
how near two names are."""
SAMPLE = 4096
POSITIVES = 64
_LEAST = 1e-9
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, eq=False, slots=True)
class NameReader:
    """Turns vectors into readings. With a head, a keyword's row (classes,) says how much each class speaks for it, and
    the reading is ``log (q @ row) / (q @ common)``, q the square roots of the class probabilities. Without one, a row
    (d,) is the name's vector, and the reading is ``x @ (row - common)``."""

    head: ClassHead | None
    common: Floats

    def looks(self, vectors: Vectors) -> Floats:
        """What rows are multiplied with, shape (n, classes) or (n, d)."""
        if self.head is None:
            return np.asarray(vectors, dtype=np.float32)
        looks = class_probabilities(vectors, self.head)
        np.sqrt(looks, out=looks)
        looks /= np.maximum(looks @ self.common, np.float32(_LEAST))[:, None]
        return looks

    def readings(self, looks: Floats, rows: Floats) -> Floats:
        """Shape (n, j) for rows of shape (j, classes) or (j, d)."""
        if self.head is None:
            return np.asarray(looks @ (rows - self.common).T, dtype=np.float32)
        products = looks @ rows.T
        np.maximum(products, np.float32(_LEAST), out=products)
        logs: Floats = np.log(products, out=products)
        return logs


@dataclass(frozen=True, eq=False, slots=True)
class Names:
    """The readings of some keywords, ready to be added to scores: ``weights * (reading - means)``, each shape (j,)."""

    reader: NameReader
    columns: Rows
    rows: Floats  # (j, classes) or (j, d)
    weights: Floats
    means: Floats

    def add(self, scores: Floats, vectors: Vectors, said: Floats | None = None) -> None:
        """In place, ``scores`` of shape (n, k); memory is bounded. ``said``, of the same shape, is set to what was
        added, where it is given and a column has a name."""
        for start in range(0, len(scores), BLOCK):
            part = slice(start, start + BLOCK)
            found = self.reader.readings(self.reader.looks(vectors[part]), self.rows)
            found -= self.means
            found *= self.weights
            scores[part, self.columns] += found
            if said is not None:
                said[part, self.columns] = found

    def of_pairs(self, vectors: Vectors, columns: Rows) -> Floats:
        """Shape (n,): what is added to each photo's score of one keyword, ``columns`` of shape (n,)."""
        out = np.zeros(len(vectors), dtype=np.float32)
        place = np.full(max(int(columns.max(initial=0)), int(self.columns.max(initial=0))) + 1, -1)
        place[self.columns] = np.arange(len(self.columns))
        known = np.flatnonzero(place[columns] >= 0)
        for start in range(0, len(known), BLOCK):
            rows = known[start : start + BLOCK]
            at = place[columns[rows]]
            looks = self.reader.looks(vectors[rows])
            if self.reader.head is None:
                found = np.einsum("ij,ij->i", looks, self.rows[at] - self.reader.common)
            else:
                found = np.log(np.maximum(np.einsum("ij,ij->i", looks, self.rows[at]), np.float32(_LEAST)))
            out[rows] = self.weights[at] * (found - self.means[at])
        return out

    def scaled(self, slopes: Floats) -> Self:
        """Weights times ``slopes``, shape (k,)."""
        return replace(self, weights=self.weights * slopes[self.columns])


def names_of(data: TrainingData, examples: Sequence[KeywordExamples], digests: RowDigests) -> Names | None:
    """What names say of the keywords ``examples`` (rows into ``data``), ``None`` where no name says anything.

    Readings are standardised over all photos, or over a sample of a large catalog that its content decides.
    """
    found = _rows_of(data, examples)
    if found is None:
        return None
    reader, rows = found
    few = np.array([len(keyword.positives) < ENOUGH for keyword in examples])
    columns = np.flatnonzero(rows.any(axis=1) & few)
    if not len(columns):
        return None
    order = np.argsort(digests, kind="stable")
    names = Names(
        reader,
        columns,
        np.ascontiguousarray(rows[columns]),
        np.ones(len(columns), dtype=np.float32),
        np.zeros(len(columns), dtype=np.float32),
    )
    sample = np.sort(order[:SAMPLE])
    readings = np.zeros((len(sample), len(examples)), dtype=np.float32)
    names.add(readings, data.vectors[sample])
    readings = readings[:, columns]
    means = readings.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = readings.std(axis=0, dtype=np.float64).astype(np.float32)
    relied = _relied_on(replace(names, means=means), examples, data.vectors, order)
    relied /= np.maximum(spread, np.float32(1e-6))
    counts = np.array([len(examples[column].positives) for column in columns.tolist()])
    together = relied.sum() / (len(columns) + 1)  # one keyword that its name says nothing of is imagined
    drawn = (counts * relied + RELIED_LIKE_OTHERS * together) / (counts + RELIED_LIKE_OTHERS)
    weights = WEIGHT * np.maximum(drawn, 0) * GIVES_WAY / (GIVES_WAY + counts) / np.maximum(spread, 1e-6)
    says = (spread > 1e-4) & (drawn > 0)
    if not says.any():
        return None
    return Names(reader, columns[says], names.rows[says], weights[says].astype(np.float32), means[says])


def _relied_on(names: Names, examples: Sequence[KeywordExamples], vectors: Vectors, order: Rows) -> Floats:
    """Shape (j,): the mean reading of each keyword's own photos, over the mean of all photos."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    chosen = [
        rows if len(rows) <= POSITIVES else rows[np.argsort(place[rows], kind="stable")[:POSITIVES]]
        for rows in (examples[column].positives for column in names.columns.tolist())
    ]
    counts = np.array([len(rows) for rows in chosen])
    own = names.of_pairs(vectors[np.concatenate([NO_ROWS, *chosen])], np.repeat(names.columns, counts))
    sums = np.bincount(np.repeat(np.arange(len(counts)), counts), weights=own, minlength=len(counts))
    return np.asarray(sums / np.maximum(counts, 1), dtype=np.float32)


def _rows_of(data: TrainingData, examples: Sequence[KeywordExamples]) -> tuple[NameReader, Floats] | None:
    """The reader, and each example's row (zeros: nothing is known of its name)."""
    place = {keyword.path.key: n for n, keyword in enumerate(data.keywords)}
    rows_in_data = [place[keyword.path.key] for keyword in examples]
    if data.name_vectors is not None:
        rows = np.asarray(data.name_vectors, dtype=np.float32)[rows_in_data]
        known = rows.any(axis=1)
        return NameReader(None, rows[known].mean(axis=0) if known.any() else rows.sum(axis=0)), rows
    if data.head is None:
        return None
    if data.class_evidence is not None:
        rows = np.minimum(np.asarray(data.class_evidence, dtype=np.float32)[rows_in_data], np.float32(MOST_SAID))
        rows /= 1 - rows
    else:
        rows = matching_evidence(examples, data.head)
    rows /= np.maximum(rows.sum(axis=1, keepdims=True), np.float32(1e-12))
    common = rows.sum(axis=0) + np.float32(BACKGROUND / rows.shape[1])
    return NameReader(data.head, common), rows


def matching_evidence(examples: Sequence[KeywordExamples], head: ClassHead) -> Floats:
    """Shape (keywords, classes), by the names alone: the classes that bear the keyword's name or a synonym, and those
    that look like them to the encoder. Zeros where no class does."""
    out = np.zeros((len(examples), len(head.names)), dtype=np.float32)
    endings = _endings(head.names)
    directions = head.weights / np.maximum(np.linalg.norm(head.weights, axis=1, keepdims=True), np.float32(1e-9))
    for n, keyword in enumerate(examples):
        classes = _matching([keyword.path.name, *keyword.synonyms], endings)
        if classes:
            alike = directions @ directions[classes].T
            out[n] = np.exp(LOOKS_ALIKE * (alike - 1)).mean(axis=1)
    return out


def matching_classes(names: Sequence[str], class_names: Sequence[str]) -> list[int]:
    """Classes that one of the names (a keyword's own and its synonyms) is, or whose last words it is."""
    return _matching(names, _endings(class_names))


def _endings(class_names: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    """The classes by each row of words that one of their names ends in."""
    found: dict[tuple[str, ...], list[int]] = {}
    for number, class_name in enumerate(class_names):
        for alternative in class_name.split(","):
            words = _words(alternative)
            for start in range(len(words)):
                found.setdefault(words[start:], []).append(number)
    return found


def _matching(names: Sequence[str], endings: Mapping[tuple[str, ...], Sequence[int]]) -> list[int]:
    wanted = set[tuple[str, ...]]().union(*(_with_singulars(_words(name)) for name in names))
    return sorted({number for words in wanted for number in endings.get(words, ())})


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
