"""From what a language model wrote to candidates. The text is searched for names; nothing in it is obeyed."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator

from keywright.describing.base import LONGEST_NAME, MOST_CANDIDATES, Candidate, UnclearError

UNSAID = 0.5
"""The score of a candidate whose describer gives none."""
_MOST_TEXT = 20_000
_MOST_WORDS = 5
_MOST_LISTED = 3
"""Words of a piece of a plain list: nothing but length tells a keyword there from a part of a sentence."""
_MOST_FAILED = 50  # brackets that begin no document, before the text is taken to hold none
_DEEPEST = 8  # brackets within brackets
_THOUGHT = re.compile(r"<think(?:ing)?>", re.I)
_THOUGHT_OUT = re.compile(r"</think(?:ing)?>", re.I)
_BRACKET = re.compile(r"[\[{]")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")
_HEADING = re.compile(r"^[\w ]{1,40}:(?:\s+|$)")
_SENTENCES = re.compile(r"\w{4,}[.!?]\s+\w|[?!]\s*$")
_SPOKEN = frozenset(
    {"i", "i'm", "i'll", "i've", "you", "we", "it", "it's", "this", "that", "these", "there", "is", "are", "was"}
    | {"shows", "depicts", "features", "cannot", "can't", "don't", "not", "okay", "sorry", "sure", "please"}
)
"""Words that sentences are made of and keywords are not."""


def candidates_of(text: str) -> tuple[Candidate, ...]:
    """Candidates from JSON (with or without words around it, cut off or whole), else from a list in lines or commas.

    Raises ``UnclearError`` where neither is there.
    """
    text = _aloud(text[:_MOST_TEXT])
    for value in _documents(text):
        found = clean(_pairs(value))
        if found:
            return found
    if "{" not in text and "[" not in text:
        found = clean((piece, None) for line in text.splitlines() for piece in _listed(line))
        if found:
            return found
    raise UnclearError("it answered no list of keywords")


def _aloud(text: str) -> str:
    """What is said outside of a model's thoughts. One that does not end, or began before the text, hides its side."""
    first, *others = _THOUGHT.split(text)
    said = [_THOUGHT_OUT.split(first)[-1]]
    said += [after[-1] for after in map(_THOUGHT_OUT.split, others) if len(after) > 1]
    return "".join(said)


def _listed(line: str) -> list[str]:
    """The pieces of a line that can be keywords; none of a sentence."""
    line = _HEADING.sub("", _BULLET.sub("", line))
    pieces = [piece.strip(" .\"'`*") for piece in re.split(r"[,;]", line)]
    long = [piece for piece in pieces if len(piece.split()) > _MOST_LISTED]
    words = line.replace("’", "'").casefold().replace(",", " ").replace(".", " ").split()
    if _SPOKEN.intersection(words) or _SENTENCES.search(line) or (long and line.rstrip().endswith(".")):
        return []
    return [piece for piece in pieces if piece not in long]


def clean(pairs: Iterable[tuple[object, object]]) -> tuple[Candidate, ...]:
    """Candidates that can be keywords, the most sure first: each once, with a score between 0 and 1."""
    best: dict[str, Candidate] = {}
    for name, score in pairs:
        if not isinstance(name, str):
            continue
        plain = " ".join("".join(c if _printable(c) else " " for c in unicodedata.normalize("NFC", name)).split())
        if not plain or len(plain) > LONGEST_NAME or len(plain.split()) > _MOST_WORDS:
            continue
        candidate = Candidate(plain, _score(score))
        key = plain.casefold()
        if key not in best or best[key].score < candidate.score:
            best[key] = candidate
    return tuple(sorted(best.values(), key=lambda c: -c.score)[:MOST_CANDIDATES])


def _printable(character: str) -> bool:
    return not unicodedata.category(character).startswith("C")


def _score(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNSAID
    if isinstance(value, int):
        value = min(max(value, -1), 101)  # an integer can be larger than any float
    if not math.isfinite(value):
        return UNSAID
    if 1 < value <= 100:
        value = value / 100  # some models count in percent, whatever they were asked for
    return float(min(max(value, 0.0), 1.0))


def _documents(text: str) -> Iterator[object]:
    """Every JSON document that stands in the text, those in code fences first; then those that are cut off."""
    parts = (*text.split("```")[1::2], text)
    for part in parts:
        yield from _whole(part)
    for part in parts:
        if (mended := _mended(part)) is not None:
            yield from _whole(mended)


def _whole(text: str) -> Iterator[object]:
    decoder, at, failed = json.JSONDecoder(), 0, 0
    while failed < _MOST_FAILED and (match := _BRACKET.search(text, at)) is not None:
        try:
            value, at = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            failed, at = failed + 1, match.start() + 1
            continue
        yield value


def _mended(text: str) -> str | None:
    """A document that was cut off (a model may write so many words and no more), without the entry it was cut off in.

    ``None`` where there is none, or no whole entry of it.
    """
    start, closing, whole, quoted, escaped = 0, "", None, False, False
    for at, character in enumerate(text):
        if quoted:
            quoted, escaped = escaped or character != '"', not escaped and character == "\\"
        elif character in "[{":
            start = start if closing else at
            closing = ("]" if character == "[" else "}") + closing
            if len(closing) > _DEEPEST:
                return None
        elif not closing:
            continue  # words before a document, or after one that is whole and gave nothing
        elif character == '"':
            quoted = True
        elif character in "]}":
            closing = closing[1:]
            whole = (at + 1, closing) if closing else None
        elif character == "," and not closing.startswith("}]"):  # an object in a list is an entry, its fields are none
            whole = at, closing
    return None if whole is None else text[start : whole[0]] + whole[1]


def _pairs(value: object) -> Iterator[tuple[object, object]]:
    """Names with scores from the shapes that models give: lists of names or objects, objects of names to scores."""
    if isinstance(value, dict):
        lists = [v for k, v in value.items() if str(k).casefold() in ("keywords", "tags", "labels")]
        if lists:
            for one in lists:
                yield from _pairs(one)
        elif value and all(isinstance(v, int | float) for v in value.values()):
            yield from value.items()
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, str):
                yield item, None
            elif isinstance(item, dict):
                low = {str(k).casefold(): v for k, v in item.items()}
                name = next((low[k] for k in ("name", "keyword", "tag", "label") if k in low), None)
                yield name, next((low[k] for k in ("score", "confidence", "probability") if k in low), None)
