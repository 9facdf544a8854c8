"""From what a describer sees to the photographer's own keywords: by name, by synonym, by likeness of meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from keywright.describing.base import Candidate
from keywright.encoders.base import Vectors
from keywright.encoders.names import in_words
from keywright.encoders.sentences import SentenceEncoder
from keywright.keywords import KeywordPath, fold_name

_AT_ONCE = 256
_MOST_COMPARED = 50_000  # words whose meaning is remembered; beyond, all are forgotten
ALIKE = 0.72
"""A keyword means a candidate from so like a meaning on (a cosine): "puppy" is a "Dog" (0.72), "spring" no "Summer"."""


class How(StrEnum):
    NAME = "name"
    SYNONYM = "synonym"
    MEANING = "meaning"
    NEW = "new"  # no keyword of the vocabulary


@dataclass(frozen=True, slots=True)
class Seen:
    """A keyword that a describer sees, how sure (0 to 1, its own score times how like the meaning), by which word."""

    keyword: KeywordPath
    score: float
    word: str
    how: How


class Vocabulary:
    """The user's keywords, made ready once for many photos. Without ``sentences``, meaning is not compared.

    ``heard`` makes vectors of what describers say, where that is not to be remembered as the keywords' names are. Each
    word is compared once. Not safe for many threads at once.
    """

    def __init__(
        self,
        keywords: Sequence[KeywordPath],
        synonyms: Mapping[tuple[str, ...], Sequence[str]],
        sentences: SentenceEncoder | None = None,
        heard: SentenceEncoder | None = None,
    ) -> None:
        self._named: dict[str, list[KeywordPath]] = {}
        self._called: dict[str, list[KeywordPath]] = {}
        for path in keywords:
            self._named.setdefault(fold_name(path.name), []).append(path)
            for synonym in synonyms.get(path.key, ()):
                self._called.setdefault(fold_name(synonym), []).append(path)
        self._sentences = sentences
        self._heard = heard or sentences
        self._meant: dict[str, tuple[float, KeywordPath]] = {}
        flat = [(name, path) for path in keywords for name in (path.name, *synonyms.get(path.key, ()))]
        self._owners = [path for _, path in flat]
        self._flat = [name for name, _ in flat]
        self._vectors: Vectors | None = None

    def seen(self, candidates: Sequence[Candidate], *, new: bool = False) -> tuple[Seen, ...]:
        """The keywords that the candidates mean, each once, most sure first.

        A word that means no keyword is left out; with ``new`` it becomes a keyword of its own at the top level, marked.
        """
        best: dict[tuple[str, ...], Seen] = {}

        def add(found: Seen) -> None:
            known = best.get(found.keyword.key)
            if found.score > 0 and (known is None or known.score < found.score):
                best[found.keyword.key] = found

        unknown = []
        for candidate in candidates:
            forms = _forms(candidate.name)
            named = [path for form in forms for path in self._named.get(form, ())]
            called = [path for form in forms for path in self._called.get(form, ())]
            for path in named or called:
                add(Seen(path, candidate.score, candidate.name, How.NAME if named else How.SYNONYM))
            if not named and not called:
                unknown.append(candidate)
        for candidate, cosine, alike in self._alike(unknown):
            if cosine >= ALIKE and alike is not None:
                add(Seen(alike, candidate.score * cosine, candidate.name, How.MEANING))
            elif new and (made := _new_keyword(candidate.name)) is not None:
                add(Seen(made, candidate.score, candidate.name, How.NEW))
        return tuple(sorted(best.values(), key=lambda s: (-s.score, s.keyword.key)))

    def compare(self, said: Iterable[Sequence[Candidate]]) -> None:
        """Compare what was said of many photos in one go; after that, ``seen`` need not for any of them."""
        names = dict.fromkeys(candidate.name for some in said for candidate in some)
        self._compare([name for name in names if not any(f in self._named or f in self._called for f in _forms(name))])

    def _alike(self, candidates: Sequence[Candidate]) -> list[tuple[Candidate, float, KeywordPath | None]]:
        """Each with the keyword most like it in meaning."""
        self._compare([candidate.name for candidate in candidates])
        return [(candidate, *self._meant.get(candidate.name, (0.0, None))) for candidate in candidates]

    def _compare(self, names: Sequence[str]) -> None:
        new = [name for name in names if name not in self._meant]
        if self._sentences is None or self._heard is None or not self._flat or not new:
            return
        if self._vectors is None:
            self._vectors = in_words(self._flat, self._sentences)
        if len(self._meant) + len(new) > _MOST_COMPARED:
            self._meant = {}
            new = list(dict.fromkeys(names))
        vectors = in_words(new, self._heard)
        for start in range(0, len(new), _AT_ONCE):
            cosines = vectors[start : start + _AT_ONCE] @ self._vectors.T
            best = np.argmax(cosines, axis=1)
            for name, row, place in zip(new[start : start + _AT_ONCE], cosines, best, strict=True):
                self._meant[name] = float(row[place]), self._owners[int(place)]


def _forms(name: str) -> tuple[str, ...]:
    """A name folded, and as its English singular or plural may be spelled."""
    folded = fold_name(" ".join(name.replace("_", " ").split()))
    forms = [folded, folded + "s", folded + "es"]
    if folded.endswith("y"):
        forms.append(folded[:-1] + "ies")
    for plural, singular in (("s", ""), ("es", ""), ("ies", "y")):
        if folded.endswith(plural) and len(folded) > len(plural) + 2:
            forms.append(folded[: -len(plural)] + singular)
    return tuple(dict.fromkeys(forms))


def _new_keyword(name: str) -> KeywordPath | None:
    try:
        return KeywordPath.of(name)
    except ValueError:
        return None
