"""What a person typed, taken apart: the things it names, and words that may stand in names, keywords and captions."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

from keywright.keywords import fold_search

_BETWEEN = re.compile(
    r"\s*(?:[,;&+]|\b(?:and|with|without|on|in|at|near|under|over|by|beside|behind|before|inside|through)\b)\s*", re.I
)
_LEADING = re.compile(r"^(?:an?|the|some|many|two|three|my|our)\s+", re.I)
_WORD = re.compile(r"[^\W_]+")
_SMALL = frozenset(
    _WORD.findall(
        "a an and at before behind beside by for from in inside is my near of on or our over some the through to two "
        "under with without"
    )
)
MOST_PARTS = 4


def things(text: str) -> list[str]:
    """The things a sentence names, in their order: "a dog on the beach" names "dog" and "beach"; one where it is one.

    English alone is taken apart, as the sentence vectors are English; any other text is one thing.
    """
    found = [_LEADING.sub("", part.strip()).strip() for part in _BETWEEN.split(text)]
    return list(dict.fromkeys(part for part in found if part))[:MOST_PARTS]


def telling_words(text: str) -> list[str]:
    """The words of a text that tell something, case and accents folded, each once; all words where none tells."""
    words = list(dict.fromkeys(_WORD.findall(fold_search(text))))
    return [word for word in words if word not in _SMALL] or words


def share_of_words(words: Iterable[str], text: str) -> float:
    """How many of the words begin a word of the text (both folded), as a share; 0 where there are none."""
    asked = list(words)
    there = _WORD.findall(text)
    hits = sum(any(word.startswith(one) for word in there) for one in asked)
    return hits / len(asked) if asked else 0.0


class Texts:
    """Many texts in which words are looked for, all at once: of a hundred thousand names in milliseconds."""

    def __init__(self, texts: Sequence[str]) -> None:
        folded = [(text.lower() if text.isascii() else fold_search(text)).replace("\n", " ") for text in texts]
        self._all = "\n".join(folded)
        self._starts: list[int] = []
        start = 0
        for text in folded:
            self._starts.append(start)
            start += len(text) + 1

    def with_word(self, word: str) -> Iterator[int]:
        """The numbers of the texts in which a word begins with ``word`` (folded), rising."""
        at = self._all.find(word)
        while at >= 0:
            if at == 0 or not self._all[at - 1].isalnum():
                number = bisect_right(self._starts, at) - 1
                yield number
                if number + 1 == len(self._starts):
                    return
                at = self._starts[number + 1] - 1  # one text is found once
            at = self._all.find(word, at + 1)
