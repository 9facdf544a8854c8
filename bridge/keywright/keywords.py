"""A keyword path such as ``Animals|Dog``: the value that every room passes on.

Names are kept in Unicode NFC, so that a name typed on a Mac (NFD) and on Windows (NFC) is one keyword. Two paths are
the *same keyword* to a person when their ``key`` is equal: siblings that differ in case alone are one keyword in
Lightroom and in MariaDB, and two in digiKam's SQLite; what to do then is the catalog's rule, not this file's.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

SEPARATOR = "|"
_ESCAPED = re.compile(r"\\(.)|\|", re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"\w+")


def normalise_name(name: str) -> str:
    """One level of a path as it is kept: NFC, without white space at its ends.

    Raises ``ValueError`` where nothing is left, or the name holds what no program can store: a NUL, or a lone
    surrogate, which is no character at all.
    """
    clean = unicodedata.normalize("NFC", name).strip()
    if not clean:
        raise ValueError("a keyword name is empty")
    if "\x00" in clean:
        raise ValueError(f"the keyword name {clean!r} holds a NUL character")
    if _SURROGATE.search(clean):
        raise ValueError(f"the keyword name {clean!r} holds half a character")
    return clean


@dataclass(frozen=True, order=True)
class KeywordPath:
    """The names from the top of the keyword tree down to the keyword itself; never empty."""

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a keyword path has no names")
        object.__setattr__(self, "parts", tuple(normalise_name(name) for name in self.parts))

    @classmethod
    def of(cls, *names: str) -> KeywordPath:
        return cls(names)

    @classmethod
    def parse(cls, text: str) -> KeywordPath:
        r"""Read the text form: levels between ``|``; ``\|`` and ``\\`` stand for the characters themselves."""
        parts, current, position = [], [], 0
        for match in _ESCAPED.finditer(text):
            current.append(text[position : match.start()])
            position = match.end()
            if match.group(1) is not None:
                current.append(match.group(1))
            else:
                parts.append("".join(current))
                current = []
        parts.append("".join([*current, text[position:]]))
        return cls(tuple(parts))

    def __str__(self) -> str:
        return SEPARATOR.join(name.replace("\\", "\\\\").replace(SEPARATOR, "\\|") for name in self.parts)

    @property
    def name(self) -> str:
        """The keyword's own name, the last level."""
        return self.parts[-1]

    @property
    def parent(self) -> KeywordPath | None:
        return KeywordPath(self.parts[:-1]) if len(self.parts) > 1 else None

    @cached_property
    def key(self) -> tuple[str, ...]:
        """What is equal for two spellings of the same keyword: see ``fold_name``."""
        return tuple(fold_name(name) for name in self.parts)

    def ancestors(self) -> Iterator[KeywordPath]:
        """The paths above this one, nearest first."""
        for length in range(len(self.parts) - 1, 0, -1):
            yield KeywordPath(self.parts[:length])

    def is_under(self, other: KeywordPath) -> bool:
        """Whether this keyword lies below ``other`` (and is not ``other`` itself), case aside."""
        return len(self.key) > len(other.key) and self.key[: len(other.key)] == other.key


def fold_name(name: str) -> str:
    """A name with case folded away, for comparing (Unicode canonical caseless matching, D145)."""
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFC", folded)


def fold_search(text: str) -> str:
    """Text with case and accents folded away, for finding what a person types: "zur" finds "Zürich"."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in unicodedata.normalize("NFKD", decomposed) if not unicodedata.combining(c))


def with_prefixes(key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The key of a keyword and of everything above it, the top first."""
    return [key[:length] for length in range(1, len(key) + 1)]


def with_ancestors(paths: Iterable[KeywordPath]) -> frozenset[KeywordPath]:
    """The paths and everything above them: an assigned keyword implies its parents."""
    return frozenset(p for path in paths for p in (path, *path.ancestors()))


class KeywordTree:
    """A vocabulary: keywords with everything above them, found by path, by place in the tree, and by what is typed.

    Where two spellings of one keyword are given, the first is kept. Immutable; made in O(n log n).
    """

    def __init__(self, paths: Iterable[KeywordPath]) -> None:
        self._by_key: dict[tuple[str, ...], KeywordPath] = {}
        for path in paths:
            self._put(path)
        self._children: dict[tuple[str, ...], list[KeywordPath]] = {}
        self._named: dict[str, list[KeywordPath]] = {}
        words: list[tuple[str, int, KeywordPath]] = []
        for key, path in sorted(self._by_key.items()):
            self._children.setdefault(key[:-1], []).append(path)
            self._named.setdefault(key[-1], []).append(path)
            folded = fold_search(path.name)
            words.append((folded, 0, path))
            words += [(folded[m.start() :], 1, path) for m in _WORD.finditer(folded) if m.start()]
        self._words = sorted(words, key=lambda word: (word[0], word[1]))

    def _put(self, path: KeywordPath) -> KeywordPath:
        """Keep a path, under the spelling its parents already have."""
        known = self._by_key.get(path.key)
        if known is None:
            above = path.parent
            known = KeywordPath((*self._put(above).parts, path.name)) if above else path
            self._by_key[path.key] = known
        return known

    def __iter__(self) -> Iterator[KeywordPath]:
        """The keywords in the order of the tree, parents before children."""
        return iter(sorted(self._by_key.values(), key=lambda path: path.key))

    def __len__(self) -> int:
        return len(self._by_key)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, KeywordPath) and path.key in self._by_key

    def find(self, path: KeywordPath) -> KeywordPath | None:
        """The keyword as the vocabulary spells it, case aside; ``None`` where it has none."""
        return self._by_key.get(path.key)

    def named(self, name: str) -> tuple[KeywordPath, ...]:
        """The keywords whose own name this is, wherever they stand."""
        return tuple(self._named.get(fold_name(name.strip()), ()))

    def children(self, path: KeywordPath | None = None) -> tuple[KeywordPath, ...]:
        """The keywords right below one; with ``None``, the top level."""
        return tuple(self._children.get(path.key if path else (), ()))

    def descendants(self, path: KeywordPath) -> Iterator[KeywordPath]:
        """Everything below a keyword, in the order of the tree."""
        for child in self.children(path):
            yield child
            yield from self.descendants(child)

    def ancestors(self, path: KeywordPath) -> tuple[KeywordPath, ...]:
        """The keywords above one as the vocabulary spells them, nearest first."""
        return tuple(found for above in path.ancestors() if (found := self.find(above)) is not None)

    def siblings(self, path: KeywordPath) -> tuple[KeywordPath, ...]:
        """The other keywords on the same level under the same parent."""
        return tuple(other for other in self.children(path.parent) if other.key != path.key)

    def search(self, text: str, limit: int = 20) -> tuple[KeywordPath, ...]:
        """The keywords whose name begins with ``text``, then those with a later word that does; accents aside."""
        wanted = fold_search(text.strip())
        first: dict[KeywordPath, None] = {}
        later: dict[KeywordPath, None] = {}
        start = bisect_left(self._words, wanted, key=lambda word: word[0]) if wanted else len(self._words)
        for folded, place, path in self._words[start:]:
            if not folded.startswith(wanted):
                break
            (later if place else first)[path] = None
        return tuple({**first, **later})[:limit]
