"""Search: from words, or from photos that are alike, to photos, over everything the store knows.

Three kinds of evidence count, each as a probability, and any of them is enough (noisy or): what is written of a photo
(its name and folders, its keywords and their synonyms, its caption), the models of learned keywords that mean what was
typed, and the photo's looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import PHOTO_TEMPLATES, text_side
from keywright.encoders.names import class_texts, in_templates, name_likeness
from keywright.errors import KeywrightError
from keywright.learning.base import Floats, Rows
from keywright.learning.few import matching_classes
from keywright.learning.models import ModelSet
from keywright.operations.examples import example_vectors
from keywright.operations.learned import LEAST, learned_meanings
from keywright.operations.narrowing import at_or_below, named_below, within
from keywright.operations.progress import Cancel, Note, Progress, never, silent, unsaid
from keywright.operations.remembering import Known, Memory
from keywright.operations.workspace import Workspace
from keywright.searching.looks import by_classes, by_examples, by_text_side, class_weights
from keywright.searching.words import parted, telling_words, things
from keywright.store.finding import photos_given
from keywright.store.lookups import photos_by_id
from keywright.store.photos import PhotoRow

WRITTEN = 0.95
"""The score of a photo of which all words are written; where only some are, or only beginnings of longer words, times
the square of their share."""
NEUTRAL = "a photo."
_MOST_WORDS = 60  # of a text that are looked for


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
    note: Note = unsaid,
    memory: Memory | None = None,
) -> list[Found]:
    """The photos that fit, best first: one of each picture, at most ``limit`` (0: all that have any score).

    ``like``: photo files, and ``like_photos``: numbers of photos; the example that is most alike counts. With a text as
    well, both must fit. ``under``: only photos in or below one of these folders; ``keywords``: only photos that carry,
    or were given, each of these or one below it. Neither changes a photo's score. A text that says what is not to be
    seen ("without people") leaves out the photos with such a keyword. ``note`` is told, in sentences, what a person
    should know of the result. ``memory``: what earlier searches of this workspace read. Nothing is written but sentence
    vectors of names, to the cache. Raises ``KeywrightError`` where there is nothing to search by or in, or a folder,
    keyword or example is unknown.
    """
    if any("\ud800" <= character <= "\udfff" for character in text or ""):
        raise KeywrightError(f"{text} holds bytes that are no text; type the words anew.")
    text, absent = parted(text or "")
    if not (text or like or like_photos):
        raise KeywrightError(
            f"Without {absent[0]} alone nothing is found; say what is to be seen as well."
            if absent
            else "There is nothing to search for; give some words, or photos with --like."
        )
    memory = memory or Memory(workspace)
    examples = example_vectors(workspace, like, like_photos, progress, cancel)
    known = memory.look()
    allowed = within(known, under)
    if examples:
        allowed &= np.array([place.content_id not in examples for place in known.places], dtype=bool)
    with workspace.store.read() as connection:
        for thing in absent:
            carriers = photos_given(connection, named_below(known, thing, note))
            allowed &= ~np.isin(known.ids, np.fromiter(carriers, dtype=np.int64, count=len(carriers)))
        for wanted in keywords:
            carriers = photos_given(connection, at_or_below(known.keywords, wanted))
            allowed &= np.isin(known.ids, np.fromiter(carriers, dtype=np.int64, count=len(carriers)))
    _tell_what_is_missing(workspace, memory, allowed, note, by_words=bool(text))
    scores = _Scores(len(known.places))
    if text:
        _by_what_is_written(workspace, scores, telling_words(text)[:_MOST_WORDS], known)
        _by_meaning(workspace, scores, text, allowed, memory, limit)
    if examples:
        allowed &= known.rows >= 0
        _by_likeness(scores, allowed, memory, np.stack(list(examples.values())), with_text=bool(text))
    scores.none_right[~allowed] = 1
    return _best(workspace, scores, known, limit, min_score)


def _tell_what_is_missing(
    workspace: Workspace, memory: Memory, allowed: NDArray[np.bool_], note: Note, *, by_words: bool
) -> None:
    """What the result could not count, and how that is mended."""
    seen = memory.known.rows >= 0
    if missing := int((allowed & ~seen).sum()):
        note(
            f"{missing:,} {'photo has' if missing == 1 else 'photos have'} no vector of the encoder in use yet, so "
            f"looks did not count there; keywright learn or keywright suggest makes {'it' if missing == 1 else 'them'}."
        )
    if by_words and (allowed & seen).any() and text_side(workspace.encoder) is None and memory.sentences() is None:
        note(
            "Words were compared with the names of classes and keywords by their letters only; "
            'pip install "keywright[text]" lets search compare what they mean.'
        )


def _by_what_is_written(workspace: Workspace, scores: _Scores, words: Sequence[str], known: Known) -> None:
    numbers = np.fromiter(known.keywords, dtype=np.int64, count=len(known.keywords))
    of_keyword = np.zeros((len(words), len(numbers)))
    for row, word in enumerate(words):
        for column, sure in known.keyword_names.with_word(word).items():
            of_keyword[row, column] = sure
    columns = {int(numbers[column]): int(column) for column in np.flatnonzero(of_keyword.any(axis=0))}
    with workspace.store.read() as connection:
        carried = photos_given(connection, {number: known.keywords[number] for number in columns})
    pairs = [(photo, columns[number]) for photo, own in carried.items() for number in own]
    photos, which = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    there = np.isin(photos, known.ids)
    places, which = np.searchsorted(known.ids, photos[there]), which[there]
    total = np.zeros(len(known.places))
    in_name, in_caption = (np.zeros(len(known.places), dtype=bool) for _ in range(2))
    for row, word in enumerate(words):
        best = np.zeros(len(known.places))
        np.maximum.at(best, places, of_keyword[row, which])
        for where, texts in ((in_name, known.names), (in_caption, known.captions)):
            found = texts.with_word(word)
            at = np.fromiter(found, dtype=np.int64, count=len(found))
            best[at] = np.maximum(best[at], np.fromiter(found.values(), dtype=np.float64, count=len(found)))
            where[at] = True
        total += best
    share = total / max(len(words), 1)

    def why(photo: int) -> str | None:
        own = sorted(carried.get(int(known.ids[photo]), ()), key=lambda number: -of_keyword[:, columns[number]].sum())
        said = [f"keyword {known.keywords[number]}" for number in own[:2]]
        said += ["its name"] if in_name[photo] else []
        said += ["its caption"] if in_caption[photo] else []
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
