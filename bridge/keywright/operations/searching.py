"""Search: from words, or from photos that are alike, to photos, over everything the store knows.

Three kinds of evidence count, each as a probability, and any of them is enough (noisy or): what is written of a photo
(its name and folders, its keywords and their synonyms, its caption), the models of learned keywords that mean what was
typed, and the photo's looks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.base import PHOTO_TEMPLATES, text_side
from keywright.encoders.names import class_texts, in_templates, in_words, name_likeness
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath, fold_name
from keywright.learning.base import Floats, Rows
from keywright.learning.few import matching_classes
from keywright.learning.models import ModelSet
from keywright.operations.embedding import embed_photos
from keywright.operations.narrowing import absolute, at_or_below, named_below, within
from keywright.operations.progress import Cancel, Note, Progress, never, silent, unsaid
from keywright.operations.remembering import Known, Memory
from keywright.operations.suggesting import resolve
from keywright.operations.workspace import Workspace
from keywright.searching.looks import by_classes, by_examples, by_text_side, class_weights
from keywright.searching.words import parted, telling_words, things
from keywright.store.finding import photos_with
from keywright.store.lookups import photos_by_id, vectors_of
from keywright.store.photos import PhotoRow

WRITTEN = 0.95
"""The score of a photo of which all words are written; where only some are, or only beginnings of longer words, times
the square of their share."""
SAME_MEANING = 0.75
"""A learned keyword is asked from so like a meaning on (a cosine); a name that is the same is 1."""
NEUTRAL = "a photo."
_MOST_WORDS = 60  # of a text that are looked for
_MODELS_FOR = 2048  # photos that learned keywords are asked about; of more, those that looks put first


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

    ``like``: photo files; the example that is most alike counts. With a text as well, both must fit. ``under``: only
    photos in or below one of these folders; ``keywords``: only photos that carry each of these or one below it.
    A text that says what is not to be seen ("without people") leaves out the photos with such a keyword. ``note`` is
    told, in sentences, what a person should know of the result. ``memory``: what earlier searches of this workspace
    read. Raises ``KeywrightError`` where there is nothing to search by or in, or a folder, keyword or example is
    unknown.
    """
    if any("\ud800" <= character <= "\udfff" for character in text or ""):
        raise KeywrightError(f"{text} holds bytes that are no text; type the words anew.")
    text, absent = parted(text or "")
    if not text and not like:
        raise KeywrightError(
            f"Without {absent[0]} alone nothing is found; say what is to be seen as well."
            if absent
            else "There is nothing to search for; give some words, or photos with --like."
        )
    memory = memory or Memory(workspace)
    examples = _examples(workspace, like, progress, cancel) if like else {}
    known = memory.look()
    allowed = within(known, under)
    if examples:
        allowed &= np.array([place.content_id not in examples for place in known.places], dtype=bool)
    with workspace.store.read() as connection:
        for thing in absent:
            carriers = photos_with(connection, named_below(known, thing, note))
            allowed &= ~np.isin(known.ids, np.fromiter(carriers, dtype=np.int64, count=len(carriers)))
        for wanted in keywords:
            carriers = photos_with(connection, at_or_below(known.keywords, wanted))
            allowed &= np.isin(known.ids, np.fromiter(carriers, dtype=np.int64, count=len(carriers)))
    _tell_what_is_missing(workspace, memory, allowed, note, by_words=bool(text))
    scores = _Scores(len(known.places))
    if text:
        _by_what_is_written(workspace, scores, telling_words(text)[:_MOST_WORDS], known)
        _by_meaning(workspace, scores, text, allowed, memory)
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


def _examples(workspace: Workspace, like: Sequence[str], progress: Progress, cancel: Cancel) -> dict[str, Floats]:
    """The vectors of the example photos, by content id."""
    files = [absolute(name) for name in like]
    for name, file in zip(like, files, strict=True):
        if not os.path.isfile(file):  # noqa: PTH113 - a name that is too long is no file, and no error
            raise KeywrightError(f"There is no photo {name}; name the file of a photo to look for others like it.")
    rows = resolve(workspace, files, progress=progress)
    report = embed_photos(workspace, rows, progress, cancel)
    if report.failures:
        failure = report.failures[0]
        raise KeywrightError(f"{failure.path} cannot be an example: {failure.reason}.")
    with workspace.store.read() as connection:
        contents = [row.content_id or "" for row in photos_by_id(connection, [row.id for row in rows]).values()]
        found = vectors_of(connection, workspace.encoder_id, contents)
    if not found:
        raise KeywrightError(f"{like[0]} cannot be an example: there is no vector of it.")
    return {content: np.asarray(vector, dtype=np.float32) for content, vector in found.items()}


def _by_what_is_written(workspace: Workspace, scores: _Scores, words: Sequence[str], known: Known) -> None:
    numbers = np.fromiter(known.keywords, dtype=np.int64, count=len(known.keywords))
    of_keyword = np.zeros((len(words), len(numbers)))
    for row, word in enumerate(words):
        for column, sure in known.keyword_names.with_word(word).items():
            of_keyword[row, column] = sure
    columns = {int(numbers[column]): int(column) for column in np.flatnonzero(of_keyword.any(axis=0))}
    with workspace.store.read() as connection:
        carried = photos_with(connection, list(columns))
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


def _by_meaning(workspace: Workspace, scores: _Scores, text: str, allowed: NDArray[np.bool_], memory: Memory) -> None:
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
    if models is not None:
        best = np.sort(rows[np.argsort(-looks, kind="stable")[:_MODELS_FOR]] if len(rows) else asked[:_MODELS_FOR])
        confidence, because = _by_models(named, models, memory, best)
        if because:
            _add_rows(scores, known, best, np.minimum(confidence, WRITTEN), lambda p: because if p > 0.1 else None)


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
    encoder = workspace.encoder
    side = text_side(encoder)
    if side is not None:
        # A name is asked in the sentences names are trained in; a sentence stands for itself.
        is_name = len(named) == 1 and len(telling_words(text)) <= 3
        asked = side.encode_text([text], PHOTO_TEMPLATES if is_name else ("{}",))[0]
        neutral = side.encode_text([NEUTRAL], ("{}",))[0]
        probability = by_text_side(matrix.matrix, allowed, asked, neutral, side.text_scale, side.text_bias)
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
    weights = class_weights(cosines)
    rows, probability = by_classes(matrix.matrix, allowed, head, weights, memory.shortlist())
    top = [head.names[int(n)] for n in np.argsort(-weights.max(axis=0), kind="stable")[: 1 + len(named)]]
    return rows, probability, f"looks like {', '.join(top)}"


def _by_models(named: Sequence[str], models: ModelSet, memory: Memory, rows: Rows) -> tuple[Floats, str]:
    """How sure learned keywords are that each row shows all the things named, as far as they know of them."""
    known, paths = memory.known, models.paths
    names = [(path.name, *known.synonyms.get(path.key, ())) for path in paths]
    folded = [{fold_name(name) for name in own} for own in names]
    sentences = memory.sentences()
    alike: list[dict[int, float]] = []
    for thing in named:
        alike.append({column: 1.0 for column, own in enumerate(folded) if fold_name(thing) in own})
    if sentences is not None and names:
        flat = [name for own in names for name in own]
        owners = [column for column, own in enumerate(names) for _ in own]
        cosines = in_words(list(named), sentences.without_keeping()) @ in_words(flat, sentences).T
        for number, meant in enumerate(alike):
            for place in np.flatnonzero(cosines[number] >= SAME_MEANING):
                column = owners[int(place)]
                meant[column] = max(meant.get(column, 0.0), float(cosines[number, place]))
    used = [meant for meant in alike if meant]
    if not used:
        return np.zeros(len(rows), dtype=np.float32), ""
    asked = models.part(_with_kin(paths, {column for meant in used for column in meant}))
    confidences = asked.confidences(known.matrix.matrix[rows].astype(np.float32))
    places = {column: asked.columns[paths[column].key] for meant in used for column in meant}
    each = [np.max([confidences[:, places[c]] * np.float32(w) for c, w in meant.items()], axis=0) for meant in used]
    together = np.exp(np.mean(np.log(np.maximum(each, 1e-6)), axis=0)) * (len(used) / len(named))
    best = [max(meant, key=lambda column: meant[column]) for meant in used]
    named_by = ", ".join(str(paths[column]) for column in dict.fromkeys(best))
    return together.astype(np.float32), f"learned keyword {named_by}"


def _with_kin(paths: Sequence[KeywordPath], columns: Collection[int]) -> list[int]:
    """Keywords and those above, below and beside them, which have a say in how sure they are."""
    tops = {paths[column].key[0] for column in columns}
    return [column for column, path in enumerate(paths) if path.key[0] in tops]


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
