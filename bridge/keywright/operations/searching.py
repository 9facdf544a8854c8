"""Search: from words, or from photos that are alike, to photos, over everything the store knows.

Three kinds of evidence count, each as a probability, and any of them is enough (noisy or): what is written of a photo
(its name and folders, its keywords and their synonyms, its caption), the models of learned keywords that mean what was
typed, and the photo's looks.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keywright.encoders.base import PHOTO_TEMPLATES, text_side
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath, KeywordTree, fold_name, fold_search
from keywright.learning.base import Floats, Rows
from keywright.learning.few import matching_classes
from keywright.learning.models import ModelSet
from keywright.learning.text import class_head, class_texts, in_templates, in_words, name_likeness
from keywright.operations.active import load_models
from keywright.operations.embedding import embed_photos
from keywright.operations.naming import sentences_of
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.suggesting import resolve
from keywright.operations.workspace import Workspace
from keywright.searching.looks import by_classes, by_examples, by_text_side, class_weights
from keywright.searching.words import share_of_words, telling_words, things
from keywright.store.captions import list_captions
from keywright.store.finding import Place, list_places, photos_with
from keywright.store.lookups import photos_by_id, vectors_of
from keywright.store.models import active_version
from keywright.store.photos import KeywordIds, PhotoRow, list_keywords
from keywright.store.vectors import VectorMatrix

WRITTEN = 0.95
"""The score of a photo of which all words are written; where only some are, times the square of their share."""
SAME_MEANING = 0.75
"""A learned keyword is asked from so like a meaning on (a cosine); a name that is the same is 1."""
NEUTRAL = "a photo."
_MODELS_FOR = 8192  # photos that learned keywords are asked about; of more, those that looks put first


@dataclass(frozen=True, slots=True)
class Found:
    """A photo that was found, how sure (0 to 1), and why, in a person's words."""

    photo: PhotoRow
    score: float
    because: tuple[str, ...]


@dataclass(slots=True)
class _Scores:
    """What speaks for each photo so far, by its number."""

    none_right: dict[int, float] = field(default_factory=dict)  # how probable it is that nothing said so far is right
    because: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, photo: int, probability: float, why: str | None = None) -> None:
        self.none_right[photo] = self.none_right.get(photo, 1.0) * (1 - probability)
        if why is not None and len(self.because[photo]) < 4:
            self.because[photo].append(why)

    def of(self, photo: int) -> float:
        return 1 - self.none_right.get(photo, 1.0)


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
) -> list[Found]:
    """The photos that fit, best first: one of each picture, at most ``limit`` (0: all that have any score).

    ``like``: photo files; the example that is most alike counts. With a text as well, both must fit. ``under``: only
    photos in or below one of these folders; ``keywords``: only photos that carry each of these or one below it. Raises
    ``KeywrightError`` where there is nothing to search by or in, or a folder, keyword or example is unknown.
    """
    text = (text or "").strip()
    if not text and not like:
        raise KeywrightError("There is nothing to search for; give some words, or photos with --like.")
    examples = _examples(workspace, like, progress, cancel) if like else {}
    with workspace.store.read() as connection:
        ids = KeywordIds(connection).paths()
        places = [p for p in _within(list_places(connection), under) if p.content_id not in examples]
        for wanted in keywords:
            carriers = photos_with(connection, _at_or_below(ids, wanted))
            places = [place for place in places if place.id in carriers]
        matrix = workspace.matrix(connection)
        scores = _Scores()
        if text:
            synonyms = {k.path.key: k.synonyms for k in list_keywords(connection, learned_only=False)}
            words = telling_words(text)
            written = {
                number: hit
                for number, path in ids.items()
                if (hit := _hits(words, " ".join((*path.parts, *synonyms.get(path.key, ())))))
            }
            carried = photos_with(connection, list(written))
            captions = list_captions(connection)
        learned = active_version(connection) is not None
    if text:
        _by_what_is_written(scores, words, places, captions, carried, written, ids)
        _by_meaning(workspace, scores, text, places, matrix, synonyms, learned)
    if examples:
        _by_likeness(scores, places, matrix, np.stack(list(examples.values())), with_text=bool(text))
    return _best(workspace, scores, places, limit, min_score)


def _examples(workspace: Workspace, like: Sequence[str], progress: Progress, cancel: Cancel) -> dict[str, Floats]:
    """The vectors of the example photos, by content id."""
    for name in like:
        if not Path(name).expanduser().is_file():
            raise KeywrightError(f"There is no photo {name}; name the file of a photo to look for others like it.")
    rows = resolve(workspace, like, progress=progress)
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


def _within(places: list[Place], under: Sequence[str]) -> list[Place]:
    if not under:
        return places
    starts = []
    for name in under:
        folder = Path(name).expanduser().absolute()
        start = str(folder).rstrip(os.sep) + os.sep
        if not any(place.path.startswith(start) for place in places):
            raise KeywrightError(
                f"No photo that Keywright knows lies under {folder}; let it learn or suggest there first."
            )
        starts.append(start)
    return [place for place in places if place.path.startswith(tuple(starts))]


def _at_or_below(ids: Mapping[int, KeywordPath], wanted: str) -> list[int]:
    """The numbers of a keyword, given as its path or its name alone, and of all below it. Raises ``KeywrightError``."""
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
    return [n for n, p in ids.items() if any(p.key[: len(key)] == key for key in keys)]


def _hits(words: Sequence[str], text: str) -> int:
    """Which of the words begin a word of the text, as the bits of a number."""
    folded = fold_search(text) if not text.isascii() else text.lower()
    return sum(1 << bit for bit, word in enumerate(words) if word in folded and share_of_words([word], folded))


def _by_what_is_written(
    scores: _Scores,
    words: Sequence[str],
    places: Sequence[Place],
    captions: Mapping[int, str],
    carried: Mapping[int, Sequence[int]],
    written: Mapping[int, int],
    ids: Mapping[int, KeywordPath],
) -> None:
    tops = _common_folders(places)
    for place in places:
        name = _hits(words, place.path[tops[place.catalog_id] :])
        caption = captions.get(place.id)
        said = _hits(words, caption) if caption else 0
        numbers = carried.get(place.id, ())
        together = name | said
        for number in numbers:
            together |= written[number]
        if not together:
            continue
        share = together.bit_count() / len(words)
        why = [f"keyword {ids[number]}" for number in numbers[:2]]
        why += ["its name"] if name else []
        why += ["its caption"] if said else []
        scores.add(place.id, WRITTEN * share**2, ", ".join(why))


def _common_folders(places: Sequence[Place]) -> dict[int, int]:
    """For each catalog the length of what the paths of all its photos begin with, whole folders: it tells nothing."""
    first, last = dict[int, str](), dict[int, str]()
    for place in places:
        first[place.catalog_id] = min(first.get(place.catalog_id, place.path), place.path)
        last[place.catalog_id] = max(last.get(place.catalog_id, place.path), place.path)
    found = {}
    for number, one in first.items():
        same = 0
        while same < min(len(one), len(last[number])) and one[same] == last[number][same]:
            same += 1
        found[number] = max(one.rfind("/", 0, same), one.rfind("\\", 0, same)) + 1
    return found


def _by_meaning(
    workspace: Workspace,
    scores: _Scores,
    text: str,
    places: Sequence[Place],
    matrix: VectorMatrix,
    synonyms: Mapping[tuple[str, ...], Sequence[str]],
    learned: bool,
) -> None:
    """By looks, and by learned keywords that mean a thing that was named."""
    holders: dict[int, list[int]] = defaultdict(list)
    for place in places:
        row = matrix.rows.get(place.content_id or "")
        if row is not None:
            holders[row].append(place.id)
    if not holders:
        return
    allowed = np.array(sorted(holders), dtype=np.int64)
    named = things(text) or [text]
    models = load_models(workspace)[0] if learned else None
    if models is not None and models.encoder_id != workspace.encoder_id:
        models = None
    rows, looks, why = _by_looks(workspace, text, named, matrix, allowed, models)
    for row, probability in zip(rows.tolist(), looks.tolist(), strict=True):
        for photo in holders[row]:
            scores.add(photo, probability, why)
    if models is not None:
        best = rows[np.argsort(-looks, kind="stable")[:_MODELS_FOR]] if len(rows) else allowed[:_MODELS_FOR]
        confidence, because = _by_models(workspace, named, models, synonyms, matrix, np.sort(best))
        if because:
            for row, probability in zip(np.sort(best).tolist(), confidence.tolist(), strict=True):
                for photo in holders[row]:
                    scores.add(photo, min(probability, WRITTEN), because if probability > 0.1 else None)


def _by_looks(
    workspace: Workspace, text: str, named: Sequence[str], matrix: VectorMatrix, allowed: Rows, models: ModelSet | None
) -> tuple[Rows, Floats, str | None]:
    encoder = workspace.encoder
    side = text_side(encoder)
    if side is not None:
        # A name is asked in the sentences names are trained in; a sentence stands for itself.
        is_name = len(named) == 1 and len(telling_words(text)) <= 3
        asked = side.encode_text([text], PHOTO_TEMPLATES if is_name else ("{}",))[0]
        neutral = side.encode_text([NEUTRAL], ("{}",))[0]
        probability = by_text_side(matrix.matrix, allowed, asked, neutral, side.text_scale, side.text_bias)
        return allowed, probability, "its looks"
    known = None if models is None else models.features.points.head
    head = known if known is not None else class_head(encoder, matrix.norms)
    if head is None:
        return allowed[:0], np.zeros(0, dtype=np.float32), None
    phrases = list(dict.fromkeys([text, *named])) if len(named) > 1 else list(named)
    sentences = sentences_of(workspace)
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
    rows, probability = by_classes(matrix.matrix, allowed, head, weights)
    top = [head.names[int(n)] for n in np.argsort(-weights.max(axis=0), kind="stable")[: 1 + len(named)]]
    return rows, probability, f"looks like {', '.join(top)}"


def _by_models(
    workspace: Workspace,
    named: Sequence[str],
    models: ModelSet,
    synonyms: Mapping[tuple[str, ...], Sequence[str]],
    matrix: VectorMatrix,
    rows: Rows,
) -> tuple[Floats, str]:
    """How sure learned keywords are that each row shows all the things named, as far as they know of them."""
    names = [(path.name, *synonyms.get(path.key, ())) for path in models.paths]
    folded = [{fold_name(name) for name in own} for own in names]
    sentences = sentences_of(workspace)
    alike: list[dict[int, float]] = []
    for thing in named:
        alike.append({column: 1.0 for column, own in enumerate(folded) if fold_name(thing) in own})
    if sentences is not None and names:
        flat = [name for own in names for name in own]
        owners = [column for column, own in enumerate(names) for _ in own]
        cosines = in_words(list(named), sentences.without_keeping()) @ in_words(flat, sentences).T
        for number, known in enumerate(alike):
            for place in np.flatnonzero(cosines[number] >= SAME_MEANING):
                column = owners[int(place)]
                known[column] = max(known.get(column, 0.0), float(cosines[number, place]))
    used = [known for known in alike if known]
    if not used:
        return np.zeros(len(rows), dtype=np.float32), ""
    confidences = models.confidences(matrix.matrix[rows].astype(np.float32))
    each = [np.max([confidences[:, c] * np.float32(w) for c, w in known.items()], axis=0) for known in used]
    together = np.exp(np.mean(np.log(np.maximum(each, 1e-6)), axis=0)) * (len(used) / len(named))
    best = [max(known, key=lambda column: known[column]) for known in used]
    paths = ", ".join(str(models.paths[column]) for column in dict.fromkeys(best))
    return together.astype(np.float32), f"learned keyword {paths}"


def _by_likeness(
    scores: _Scores, places: Sequence[Place], matrix: VectorMatrix, examples: Floats, *, with_text: bool
) -> None:
    """The most alike example's cosine; with a text, the geometric mean of that and what the text said."""
    wanted = [(p.id, row) for p in places if (row := matrix.rows.get(p.content_id or "")) is not None]
    if not wanted:
        return
    rows = np.unique(np.array([row for _, row in wanted], dtype=np.int64))
    alike = dict(zip(rows.tolist(), by_examples(matrix.matrix, rows, examples).tolist(), strict=True))
    text = {photo: scores.of(photo) for photo, _ in wanted}
    scores.none_right.clear()
    for photo, row in wanted:
        cosine = min(max(alike[row], 0.0), 1.0)
        scores.add(photo, (cosine * text[photo]) ** 0.5 if with_text else cosine, f"{cosine:.0%} alike")


def _best(workspace: Workspace, scores: _Scores, places: Sequence[Place], limit: int, min_score: float) -> list[Found]:
    content = {place.id: place.content_id or f"photo {place.id}" for place in places}
    ordered = sorted(scores.none_right, key=lambda photo: (scores.none_right[photo], photo))
    chosen: dict[str, int] = {}
    for photo in ordered:
        if scores.of(photo) < min_score or scores.of(photo) <= 0 or (limit and len(chosen) >= limit):
            break
        chosen.setdefault(content[photo], photo)
    with workspace.store.read() as connection:
        rows = photos_by_id(connection, list(chosen.values()))
    return [
        Found(rows[photo], float(scores.of(photo)), tuple(scores.because.get(photo, ())))
        for photo in chosen.values()
        if photo in rows
    ]
