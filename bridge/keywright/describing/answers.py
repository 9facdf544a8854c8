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
_FENCE = re.compile(r"```(?:json)?\s*(.*?)```", re.S)
_THOUGHT = re.compile(r"<think>.*?</think>", re.S)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s*")


def candidates_of(text: str) -> tuple[Candidate, ...]:
    """Candidates from JSON (with or without words around it), else from a list in lines or between commas.

    Raises ``UnclearError`` where neither is there.
    """
    text = _THOUGHT.sub("", text[:_MOST_TEXT])
    for value in _documents(text):
        found = clean(_pairs(value))
        if found:
            return found
    if "{" not in text and "[" not in text:
        pieces = re.split(r"[\n,;]", text)
        found = clean((_BULLET.sub("", piece).strip(" .\"'"), None) for piece in pieces)
        if found:
            return found
    raise UnclearError("it answered no list of keywords")


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
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return UNSAID
    if 1 < value <= 100:
        value = value / 100  # some models count in percent, whatever they were asked for
    return float(min(max(value, 0.0), 1.0))


def _documents(text: str) -> Iterator[object]:
    """Every JSON document that stands in the text, those in code fences first."""
    decoder = json.JSONDecoder()
    for part in (*_FENCE.findall(text), text):
        at = 0
        while (match := re.compile(r"[\[{]").search(part, at)) is not None:
            try:
                value, at = decoder.raw_decode(part, match.start())
            except (ValueError, RecursionError):
                at = match.start() + 1
                continue
            yield value


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
