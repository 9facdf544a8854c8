"""What a person typed, taken apart: the things it names, and words that may stand in names, keywords and captions.

Words are found whole, in their plural, or from their beginning, in any script. Chinese, Japanese, Thai, Lao, Khmer and
Burmese are written without spaces between words: theirs are found anywhere in a text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import cache
from itertools import groupby

_SEPARATOR = r"(?:[,;&+]|\b(?:and|but|with|without|on|in|at|near|under|over|by|beside|behind|before|inside|through)\b)"
_BETWEEN = re.compile(rf"\s*{_SEPARATOR}\s*", re.I)
# A "no" counts only behind a separator: alone it begins names ("No Smoking") and is "in the" to a Portuguese.
_ABSENT = re.compile(
    r"(?:\bwithout\s+(?:any\s+)?|(?:[,;&+]\s*|\b(?:with|and|but)\s+)no\s+(?!\d))"
    rf"(?P<thing>[^\s,;&+].*?)(?=\s*{_SEPARATOR}|\s*$)",
    re.I,
)
_LEADING = re.compile(r"^(?:an?|the|some|many|two|three|my|our)\s+", re.I)
MOST_PARTS = 4

INSIDE = 0.97
"""How far a word in the midst of a text without spaces counts: where words end there is not known."""
_PLURALS_FROM = 3  # letters of a word that is taken to have a plural


class _Kind(Enum):
    LETTER = "letter"
    DIGIT = "digit"
    UNSPACED = "letter of a script without spaces"
    OTHER = "other"


# Han, kana, bopomofo; Thai, Lao, Myanmar, Khmer
_UNSPACED = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u302f\u3038-\u303b\u3041-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
)
# Accents of Latin, Greek and Cyrillic, points of Hebrew, vowels of Arabic: one writes with or without them. And what
# only says how letters are drawn: joiners, soft hyphens, the Arabic stroke, variation selectors.
_LEFT_AWAY = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"
    "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0898-\u089f\u08ca-\u08ff"
    "\u00ad\u0640\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]+"
)
# What follows these is of the same syllable: vowels of Thai and Lao that are written first, and signs that stack.
_HOLDS_THE_NEXT = frozenset("เแโใไເແໂໃໄ\u1039\u17d2")


def fold(text: str) -> str:
    """Text with case folded away, and accents and points in scripts that are also written without them: "zur" finds
    "Zürich". Vowel signs of other scripts are letters, and stay."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _LEFT_AWAY.sub("", apart))


@cache
def _kind(character: str) -> _Kind:
    if not character.isalnum() and unicodedata.category(character)[0] != "M":
        return _Kind.OTHER
    if _UNSPACED.match(character):
        return _Kind.UNSPACED
    return _Kind.DIGIT if character.isdigit() else _Kind.LETTER


@cache
def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _words(folded: str) -> list[str]:
    """Letters and digits with the marks on them, as far as they belong together."""

    def part(character: str) -> _Kind:
        kind = _kind(character)
        return _Kind.LETTER if kind is _Kind.DIGIT else kind

    runs = ("".join(run) for kind, run in groupby(folded, part) if kind is not _Kind.OTHER)
    return [run for run in runs if not all(map(_is_mark, run))]


_SMALL = frozenset(
    _words(
        "a an and at before behind beside but by for from in inside is my near no of on or our over s some the through "
        "to two under with without"
    )
)


def parted(text: str) -> tuple[str, list[str]]:
    """A text without what it says is not to be seen, and that: "beach without people" is "beach" and ["people"].

    That is what follows "without", or "no" behind a comma, "with", "and" or "but", up to the next separator.
    """
    text = " ".join(text.split())
    absent = [thing for found in _ABSENT.finditer(text) for thing in re.split(r"\s+or\s+", found["thing"], flags=re.I)]
    if not absent:
        return text, []
    rest = re.sub(rf"^\s*{_SEPARATOR}\s*", "", _ABSENT.sub(" ", text), flags=re.I)
    return " ".join(rest.split()), [_LEADING.sub("", thing) for thing in absent]


def things(text: str) -> list[str]:
    """The things a sentence names, in their order: "a dog on the beach" names "dog" and "beach"; one where it is one.

    English alone is taken apart, as the sentence vectors are English; any other text is one thing.
    """
    found = [_LEADING.sub("", part.strip()).strip() for part in _BETWEEN.split(parted(text)[0])]
    return list(dict.fromkeys(part for part in found if part))[:MOST_PARTS]


def telling_words(text: str) -> list[str]:
    """The words of a text that tell something, folded, each once; all words where none tells."""
    words = list(dict.fromkeys(_words(fold(parted(text)[0]))))
    return [word for word in words if word not in _SMALL] or words


def plurals(word: str) -> frozenset[str]:
    """What an English word (folded) may be in the plural or in the singular, by its letters alone; without the word."""
    if len(word) < _PLURALS_FROM or not (word.isascii() and word.isalpha()):
        return frozenset()
    found = set()
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        found.add(word + "es")
    if not word.endswith("s"):
        found.add(word + "s")
    if word.endswith("y") and word[-2] not in "aeiou":
        found.add(word[:-1] + "ies")
    if len(word) > _PLURALS_FROM and word.endswith("s") and word[-2] not in "sui":
        found.add(word[:-1])
        if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
            found.add(word[:-2])
        if len(word) > _PLURALS_FROM + 1 and word.endswith("ies"):
            found.add(word[:-3] + "y")
    return frozenset(found)


class Texts:
    """Many texts in which words are looked for, all at once: of a hundred thousand names in milliseconds."""

    def __init__(self, texts: Sequence[str]) -> None:
        folded = [fold(text).replace("\n", " ") for text in texts]
        self._all = "\n".join(folded)
        self._starts: list[int] = []
        start = 0
        for text in folded:
            self._starts.append(start)
            start += len(text) + 1

    def with_word(self, word: str) -> dict[int, float]:
        """The numbers of the texts that hold ``word`` (of ``telling_words``), rising, with how surely it is meant.

        1: the very word, or its plural or singular; ``INSIDE`` in the midst of a text without spaces; where a longer
        word only begins so, the share of its letters.
        """
        best: dict[int, float] = {}
        for form in (word, *plurals(word)):
            for number, sure in self._with_form(form):
                if sure == 1 or form == word:
                    best[number] = max(sure, best.get(number, 0.0))
        return dict(sorted(best.items()))

    def _with_form(self, form: str) -> Iterator[tuple[int, float]]:
        at = self._all.find(form)
        while at >= 0:
            sure = self._sure(at, at + len(form))
            if sure:
                number = bisect_right(self._starts, at) - 1
                yield number, sure
                if sure == 1:  # of this text there is no more to know
                    if number + 1 == len(self._starts):
                        return
                    at = self._starts[number + 1] - 1
            at = self._all.find(form, at + 1)

    def _sure(self, start: int, end: int) -> float:
        """How surely the letters from ``start`` to ``end`` are a word that was typed."""
        text = self._all
        before = text[start - 1] if start else "\n"
        behind = text[end] if end < len(text) else "\n"
        begins = _kind(before) is not _kind(text[start])
        ends = _kind(behind) is not _kind(text[end - 1])
        if begins and ends:
            return 1.0
        if _kind(text[start]) is _Kind.UNSPACED:
            cut = _is_mark(text[start]) or before in _HOLDS_THE_NEXT
            return 0.0 if cut or (_is_mark(behind) and not ends) else INSIDE
        if not begins:
            return 0.0
        kind, longer = _kind(behind), end + 1
        while longer < len(text) and _kind(text[longer]) is kind:
            longer += 1
        if text[start:longer].isdigit() and _is_part_of_date(text[start:longer], end - start):
            return 1.0
        return (end - start) / (longer - start)


def _is_part_of_date(digits: str, length: int) -> bool:
    """Whether so many of these digits are the year, the month or the day of a file's name such as 20190704_183000."""
    return len(digits) in (8, 14) and digits[:2] in ("19", "20") and length in (4, 6, 8)
