"""A keyword path such as ``Animals|Dog``: the value that every room passes on.

Names are kept in Unicode NFC, so that a name typed on a Mac (NFD) and on Windows (NFC) is one keyword. Two paths are
the *same keyword* to a person when their ``key`` is equal: siblings that differ in case alone are one keyword in
Lightroom and in MariaDB, and two in digiKam's SQLite; what to do then is the catalog's rule, not this file's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

SEPARATOR = "|"
_ESCAPED = re.compile(r"\\(.)|\|", re.DOTALL)


def normalise_name(name: str) -> str:
    """One level of a path as it is kept: NFC, without white space at its ends.

    Raises ``ValueError`` where nothing is left or the name holds a NUL, which no program can store.
    """
    clean = unicodedata.normalize("NFC", name).strip()
    if not clean:
        raise ValueError("a keyword name is empty")
    if "\x00" in clean:
        raise ValueError(f"the keyword name {clean!r} holds a NUL character")
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


def with_ancestors(paths: Iterable[KeywordPath]) -> frozenset[KeywordPath]:
    """The paths and everything above them: an assigned keyword implies its parents."""
    return frozenset(p for path in paths for p in (path, *path.ancestors()))


def most_specific(paths: Iterable[KeywordPath]) -> frozenset[KeywordPath]:
    """The paths that have no other of the paths below them."""
    paths = frozenset(paths)
    implied = {above.key for path in paths for above in path.ancestors()}
    return frozenset(path for path in paths if path.key not in implied)
