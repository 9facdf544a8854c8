"""How a keyword path is spelled in each kind of field: text to path and back.

Every dialect keeps ``parse(write(path)) == path`` for any names. Where a name holds the field's own separator, or a
character that XML cannot hold, a look-alike stands for it, so that other programs show the name as it is meant:

    ========= ============ ==================================================
    character stands as    where
    ========= ============ ==================================================
    ``/``     ``⧸`` U+29F8 fields whose levels are separated by ``/``
    ``|``     ``∣`` U+2223 fields whose levels are separated by ``|``
    U+0001 …  ``␁`` U+2401 XML: the control characters but tab and newlines
    U+FFFE    ``␥`` U+2425 XML
    U+FFFF    ``␦`` U+2426 XML
    ========= ============ ==================================================

A name that really holds the look-alike has an invisible WORD JOINER (U+2060) after it; word joiners that follow
either are doubled. So the spelling is unambiguous: a look-alike and an even number of word joiners is the character
it stands for, with an odd number it is itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from keywright.keywords import KeywordPath

_JOINER = "\u2060"
_XML = {chr(code): chr(0x2400 + code) for code in range(1, 32) if code not in (9, 10, 13)} | {
    "\ufffe": "\u2425",
    "\uffff": "\u2426",
}
_SLASH = {"/": "\u29f8"}
_BAR = {"|": "\u2223"}


class LookAlikes:
    """A reversible replacement of some characters by look-alikes."""

    def __init__(self, look_alikes: Mapping[str, str]) -> None:
        self._to = dict(look_alikes)
        self._from = {shown: meant for meant, shown in look_alikes.items()}
        both = re.escape("".join([*self._to, *self._from]))
        self._write = re.compile(f"([{both}])({_JOINER}*)")
        self._read = re.compile(f"([{re.escape(''.join(self._from))}])({_JOINER}*)")

    def write(self, name: str) -> str:
        return self._write.sub(self._written, name)

    def read(self, text: str) -> str:
        return self._read.sub(self._meant, text)

    def _written(self, match: re.Match[str]) -> str:
        char, joiners = match.groups()
        shown = self._to.get(char)
        return (shown or char + _JOINER) + joiners * 2

    def _meant(self, match: re.Match[str]) -> str:
        char, joiners = match.groups()
        kept = _JOINER * (len(joiners) // 2)
        return (char if len(joiners) % 2 else self._from[char]) + kept


@dataclass(frozen=True)
class Dialect:
    """The spelling of keyword paths in one kind of field. ``separator`` is ``None`` for flat fields."""

    separator: str | None
    _escape: LookAlikes

    @property
    def flat(self) -> bool:
        return self.separator is None

    def write(self, path: KeywordPath) -> str:
        """The entry for a path; in a flat field, for its last name alone."""
        if self.separator is None:
            return self._escape.write(path.name)
        return self.separator.join(self._escape.write(name) for name in path.parts)

    def write_name(self, name: str) -> str:
        return self._escape.write(name)

    def read_name(self, text: str) -> str:
        return self._escape.read(text).replace("\x00", "").strip()

    def parse(self, text: str) -> KeywordPath | None:
        """The path an entry stands for, or ``None`` where no name is left in it. Empty levels are skipped."""
        levels = [text] if self.separator is None else text.split(self.separator)
        names = [name for level in levels if (name := self.read_name(level))]
        try:
            return KeywordPath(tuple(names)) if names else None
        except ValueError:
            return None


FLAT = Dialect(None, LookAlikes(_XML))  # dc:subject
BARS = Dialect("|", LookAlikes(_XML | _BAR))  # lr:hierarchicalSubject, mediapro:CatalogSets
SLASHES = Dialect("/", LookAlikes(_XML | _SLASH))  # digiKam:TagsList, MicrosoftPhoto:LastKeywordXMP
