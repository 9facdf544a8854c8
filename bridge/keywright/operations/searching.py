"""Search: from words, or from photos that are alike, to photos, over everything the store knows.

Three kinds of evidence count, each as a probability, and any of them is enough (noisy or): what is written of a photo
(its name and folders, its keywords and their synonyms, its caption), the models of learned keywords that mean what was
typed, and the photo's looks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import PHOTO_TEMPLATES, text_side
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath, KeywordTree, fold_search
from keywright.learning.base import Floats, Rows
from keywright.learning.few import matching_classes
from keywright.learning.models import ModelSet
from keywright.learning.text import class_texts, in_templates, name_likeness
from keywright.operations.examples import example_vectors
from keywright.operations.learned import LEAST, learned_meanings
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.remembering import Known, Memory
from keywright.operations.workspace import Workspace
from keywright.searching.looks import by_classes, by_examples, by_text_side, class_weights
from keywright.searching.words import share_of_words, telling_words, things
from keywright.store.finding import photos_given
from keywright.store.lookups import photos_by_id
from keywright.store.photos import PhotoRow

WRITTEN = 0.95
"""The score of a photo of which all words are written; where only some are, times the square of their share."""
NEUTRAL = "a photo."
_MOST_WORDS = 60  # of a text that are looked for; each is a bit of a number


@dataclass(frozen=True, slots=True)
class Found:
    """A photo that was found, how sure (0 to 1), and why, in a person's words."""

    photo: PhotoRow
    score: float
    because: tuple[str, ...]


class _Scores:
    """What speaks for each photo so far; arrays are of the photos' number among those known."""

    def __init__(self, photos: int) -> None:
        self.none_right = np.ones(photos)  # how probable it is that nothing said so far is right
        self._reasons: list[Callable[[int], str | None]] = []

    def add(self, probability: NDArray[Any], why: Callable[[int], str | None]) -> None:
        self.none_right *= 1 - probability
        self._reasons.append(why)

    def because(self, photo: int) -> tuple[str, ...]:
        """Made for the photos that are shown, and for no others."""
        return tuple(why for reason in self._reasons if (why := reason(photo)) is not None)[:4]


def search(
    workspace: Workspace,
    text: str | None = None,
    like: Sequence[str] = (),
    *,
    like_photos: Sequence[int] = (),
    limit: int = 20,
    min_score: float = 0.0,
    under: Sequence[str] = (),
    keywords: Sequence[str] = (),
    progress: Progress = silent,
    cancel: Cancel = never,
    memory: Memory | None = None,
) -> list[Found]:
    """The photos that fit, best first: one of each picture, at most ``limit`` (0: all that have any score).

    ``like``: photo files, and ``like_photos``: numbers of photos; the example that is most alike counts. With a text as
    well, both must fit. ``under``: only photos in or below one of these folders; ``keywords``: only photos that carry,
    or were given, each of these or one below it. Neither changes a photo's score. ``memory``: what earlier searches of
    this workspace read. Nothing is written but sentence vectors of names, to the cache. Raises ``KeywrightError`` where
    there is nothing to search by or in, or a folder, keyword or example is unknown.
    """
    text = (text or "").strip()
    if not (text or like or like_photos):
        raise KeywrightError("There is nothing to search for; give some words, or photos with --like.")
    memory = memory or Memory(workspace)
    examples = example_vectors(workspace, like, like_photos, progress, cancel)
    known = memory.look()
    allowed = _within(known, under)
    if examples:
        allowed &= np.array([place.content_id not in examples for place in known.places], dtype=bool)
    with workspace.store.read() as connection:
        for wanted in keywords:
            carriers = photos_given(connection, _at_or_below(known.keywords, wanted))
            allowed &= np.isin(known.ids, np.fromiter(carriers, dtype=np.int64, count=len(carriers)))
    scores = _Scores(len(known.places))
    if text:
        _by_what_is_written(workspace, scores, telling_words(text)[:_MOST_WORDS], known)
        _by_meaning(workspace, scores, text, allowed, memory, limit)
    if examples:
        allowed &= known.rows >= 0
        _by_likeness(scores, allowed, memory, np.stack(list(examples.values())), with_text=bool(text))
    scores.none_right[~allowed] = 1
    return _best(workspace, scores, known, limit, min_score)


def _within(known: Known, under: Sequence[str]) -> NDArray[np.bool_]:
    if not under:
        return np.ones(len(known.places), dtype=bool)
    found = np.zeros(len(known.places), dtype=bool)
    for name in under:
        folder = Path(name).expanduser().absolute()
        start = str(folder).rstrip(os.sep) + os.sep
        inside = np.array([place.path.startswith(start) for place in known.places], dtype=bool)
        if not inside.any():
            raise KeywrightError(
                f"No photo that Keywright knows lies under {folder}; let it learn or suggest there first."
            )
        found |= inside
    return found


def _at_or_below(ids: Mapping[int, KeywordPath], wanted: str) -> dict[int, KeywordPath]:
    """A keyword, given as its path or its name alone, and all below it, by number. Raises ``KeywrightError``."""
    tree = KeywordTree(ids.values())
    try:
        path = KeywordPath.parse(wanted)
    except ValueError as error:
        raise KeywrightError(f"{wanted!r} is no keyword: {error}.") from error
    found = tree.find(path)
    tops = [found] if found is not None else list(tree.named(wanted))
    if not tops:
        raise KeywrightError(
            f"There is no keyword {wanted}; `keywright keywords search {wanted[:3]}` finds similar ones."
        )
    keys = {top.key for top in tops}
    return {n: p for n, p in ids.items() if any(p.key[: len(key)] == key for key in keys)}


def _hits(words: Sequence[str], text: str) -> int:
    """Which of the words begin a word of the text, as the bits of a number."""
    folded = fold_search(text) if not text.isascii() else text.lower()
    return sum(1 << bit for bit, word in enumerate(words) if word in folded and share_of_words([word], folded))


def _by_what_is_written(workspace: Workspace, scores: _Scores, words: Sequence[str], known: Known) -> None:
    names, captions, keywords = (np.zeros(len(known.places), dtype=np.int64) for _ in range(3))
    for bit, word in enumerate(words):
        for where, texts in ((names, known.names), (captions, known.captions)):
            where[np.fromiter(texts.with_word(word), dtype=np.int64)] |= 1 << bit
    written = {
        number: hit
        for number, path in known.keywords.items()
        if (hit := _hits(words, " ".join((*path.parts, *known.synonyms.get(path.key, ())))))
    }
    with workspace.store.read() as connection:
        carried = photos_given(connection, {number: known.keywords[number] for number in written})
    photos = np.fromiter(carried, dtype=np.int64, count=len(carried))
    for photo, place in zip(photos.tolist(), np.searchsorted(known.ids, photos).tolist(), strict=True):
        if place < len(known.ids) and known.ids[place] == photo:
            for number in carried[photo]:
                keywords[place] |= written[number]
    together = names | captions | keywords
    share = sum((together >> bit & 1 for bit in range(len(words))), np.zeros(len(together))) / max(len(words), 1)

    def why(photo: int) -> str | None:
        said = [f"keyword {known.keywords[number]}" for number in carried.get(int(known.ids[photo]), ())[:2]]
        said += ["its name"] if names[photo] else []
        said += ["its caption"] if captions[photo] else []
        return ", ".join(said) or None

    scores.add(WRITTEN * share**2, why)


def _by_meaning(
    workspace: Workspace, scores: _Scores, text: str, allowed: NDArray[np.bool_], memory: Memory, limit: int
) -> None:
    """By looks, and by learned keywords that mean a thing that was named."""
    known = memory.known
    asked = _rows_of(known, allowed)
    if not len(asked):
        return
    named = things(text) or [text]
    models = memory.models()
    rows, looks, why = _by_looks(workspace, text, named, asked, models, memory)
    if len(rows):
        _add_rows(scores, known, rows, looks, lambda _: why)
    learned = None if models is None else learned_meanings(named, models, memory)
    if learned is not None:
        confidence = np.minimum(learned.ask(workspace, memory, asked, limit), WRITTEN)
        scores.add(confidence, lambda photo: learned.because if confidence[photo] > LEAST else None)


def _rows_of(known: Known, allowed: NDArray[np.bool_]) -> Rows:
    """The rows of the matrix that are of these photos, each once."""
    found = np.zeros(len(known.matrix.content_ids), dtype=bool)
    found[known.rows[allowed & (known.rows >= 0)]] = True
    return np.flatnonzero(found)


def _add_rows(
    scores: _Scores, known: Known, rows: Rows, probability: Floats, why: Callable[[float], str | None]
) -> None:
    """What is said of rows of the matrix is said of every photo of that picture. ``why``: from the probability."""
    of_row = np.zeros(len(known.matrix.content_ids) + 1)  # the last is for photos without a vector
    of_row[rows] = probability
    said = np.zeros(len(of_row), dtype=bool)
    said[rows] = True
    scores.add(of_row[known.rows], lambda photo: why(of_row[known.rows[photo]]) if said[known.rows[photo]] else None)


def _by_looks(
    workspace: Workspace, text: str, named: Sequence[str], allowed: Rows, models: ModelSet | None, memory: Memory
) -> tuple[Rows, Floats, str | None]:
    matrix = memory.known.matrix
    collection = _rows_of(memory.known, np.ones(len(memory.known.places), dtype=bool))
    encoder = workspace.encoder
    side = text_side(encoder)
    if side is not None:
        # A name is asked in the sentences names are trained in; a sentence stands for itself.
        is_name = len(named) == 1 and len(telling_words(text)) <= 3
        asked = side.encode_text([text], PHOTO_TEMPLATES if is_name else ("{}",))[0]
        neutral = side.encode_text([NEUTRAL], ("{}",))[0]
        scale, bias = side.text_scale, side.text_bias
        probability = by_text_side(matrix.matrix, collection, allowed, asked, neutral, scale, bias)
        return allowed, probability, "its looks"
    head = memory.head(models)
    if head is None:
        return allowed[:0], np.zeros(0, dtype=np.float32), None
    phrases = list(dict.fromkeys([text, *named])) if len(named) > 1 else list(named)
    sentences = memory.sentences()
    if sentences is not None:
        sentences.encode(in_templates(class_texts(head.names)))  # once for all searches; what was typed is not kept
        cosines = name_likeness([[phrase] for phrase in phrases], head.names, sentences.without_keeping())
    else:
        # Without sentence vectors only a class that bears the very name can say anything.
        cosines = np.zeros((len(phrases), len(head.names)), dtype=np.float32)
        for number, phrase in enumerate(phrases):
            cosines[number, matching_classes([phrase], head.names)] = 1
        cosines = cosines[cosines.any(axis=1)]
    if not len(cosines):
        return allowed[:0], np.zeros(0, dtype=np.float32), None
    rows, probability = by_classes(matrix.matrix, collection, allowed, head, cosines, memory.shortlist())
    weights = class_weights(cosines)
    top = [head.names[int(n)] for n in np.argsort(-weights.max(axis=0), kind="stable")[: 1 + len(named)]]
    return rows, probability, f"looks like {', '.join(top)}"


def _by_likeness(
    scores: _Scores, allowed: NDArray[np.bool_], memory: Memory, examples: Floats, *, with_text: bool
) -> None:
    """The most alike example's cosine; with a text, the geometric mean of that and what the text said."""
    known = memory.known
    rows = _rows_of(known, allowed)
    of_row = np.zeros(len(known.matrix.content_ids) + 1)
    if len(rows):
        of_row[rows] = np.clip(by_examples(known.matrix.matrix, rows, examples, memory.shortlist()), 0, 1)
    cosines = of_row[known.rows]
    text = 1 - scores.none_right
    scores.none_right[:] = 1
    scores.add(np.sqrt(cosines * text) if with_text else cosines, lambda photo: f"{cosines[photo]:.0%} alike")


def _best(workspace: Workspace, scores: _Scores, known: Known, limit: int, min_score: float) -> list[Found]:
    some = np.flatnonzero(scores.none_right < 1)
    some = some[scores.none_right[some] <= 1 - min_score] if min_score else some
    chosen: dict[str, int] = {}
    for photo in some[np.argsort(scores.none_right[some], kind="stable")].tolist():
        if limit and len(chosen) >= limit:
            break
        place = known.places[photo]
        chosen.setdefault(place.content_id or f"photo {place.id}", photo)
    with workspace.store.read() as connection:
        rows = photos_by_id(connection, [known.places[photo].id for photo in chosen.values()])
    return [
        Found(rows[number], float(1 - scores.none_right[photo]), scores.because(photo))
        for photo in chosen.values()
        if (number := known.places[photo].id) in rows
    ]
