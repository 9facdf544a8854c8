"""Which photos a search may find: those in folders, those with keywords, and those without what is not to be seen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath, KeywordTree
from keywright.operations.progress import Note
from keywright.operations.remembering import Known
from keywright.platform import expanded, path_key
from keywright.searching.words import fold, plurals


def absolute(name: str) -> str:
    """A path as those of catalogs are kept: ".." is resolved, links are not."""
    return os.path.abspath(expanded(name))  # noqa: PTH100


def within(known: Known, under: Sequence[str]) -> NDArray[np.bool_]:
    """Which photos lie in or below one of these folders. Raises ``KeywrightError`` where none lies in one of them."""
    if not under:
        return np.ones(len(known.places), dtype=bool)
    found = np.zeros(len(known.places), dtype=bool)
    paths = [path_key(place.path) for place in known.places]
    for name in under:
        folder = absolute(name)
        start = path_key(folder.rstrip(os.sep) + os.sep)
        inside = np.array([path.startswith(start) for path in paths], dtype=bool)
        if not inside.any():
            raise KeywrightError(
                f"No photo that Keywright knows lies under {folder}; let it learn or suggest there first."
            )
        found |= inside
    return found


def at_or_below(ids: Mapping[int, KeywordPath], wanted: str) -> dict[int, KeywordPath]:
    """A keyword, given as its path or its name alone, and all below it, by number. Raises ``KeywrightError``."""
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
    return _below(ids, tops)


def _below(ids: Mapping[int, KeywordPath], tops: Iterable[KeywordPath]) -> dict[int, KeywordPath]:
    keys = {top.key for top in tops}
    return {n: p for n, p in ids.items() if any(p.key[: len(key)] == key for key in keys)}


def named_below(known: Known, thing: str, note: Note) -> dict[int, KeywordPath]:
    """The keywords that mean what is not to be seen, by name or synonym, and all below them, by number."""
    meant = {fold(thing), *plurals(fold(thing))}
    named = [
        path
        for path in known.keywords.values()
        if not meant.isdisjoint(map(fold, (path.name, *known.synonyms.get(path.key, ()))))
    ]
    if named:
        note(f"Photos with the keyword {', '.join(map(str, named))} are left out.")
    else:
        note(f'No photo is left out for "{thing}", because no keyword is named so.')
    return _below(known.keywords, named)
