"""Keyword paths out of the rows that databases keep keyword trees in: an id, a name, the parent's id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from keywright.keywords import KeywordPath, normalise_name


@dataclass(frozen=True, slots=True)
class Node:
    """A keyword's row. ``parent`` is None at the top of the tree."""

    name: str
    parent: int | None


@dataclass(frozen=True, slots=True)
class Tree:
    """The path of each id that has one, and the ids without, by reason."""

    paths: Mapping[int, KeywordPath]
    left_out: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: MappingProxyType({}))


NAMELESS = "keyword without a usable name"
ADRIFT = "keyword that is not connected to the keyword tree"


def keyword_tree(nodes: Mapping[int, Node]) -> Tree:
    """Paths by walking from each keyword to the top; broken, nameless and circular branches are left out."""
    names = {id_: _usable(node.name) for id_, node in nodes.items()}
    known: dict[int, tuple[str, ...] | str] = {}  # the names from the top, or the reason why there is no path
    for start in nodes:
        climbed: list[int] = []
        here: int | None = start
        found: tuple[str, ...] | str = ()
        on_the_way: set[int] = set()
        while here is not None:
            if here in known:
                found = known[here]
                break
            if here in on_the_way or here not in nodes:
                found = ADRIFT
                break
            on_the_way.add(here)
            climbed.append(here)
            here = nodes[here].parent
        for id_ in reversed(climbed):
            name = names[id_]
            if isinstance(found, tuple):
                found = NAMELESS if name is None else (*found, name)
            known[id_] = found
    paths = {id_: KeywordPath(names) for id_, names in known.items() if isinstance(names, tuple)}
    reasons: dict[str, list[int]] = {}
    for id_, names_or_reason in known.items():
        if isinstance(names_or_reason, str):
            reasons.setdefault(names_or_reason, []).append(id_)
    return Tree(paths, {reason: tuple(ids) for reason, ids in reasons.items()})


def branch(nodes: Mapping[int, Node], tops: Iterable[int]) -> frozenset[int]:
    """The ids of ``tops`` and of everything below them."""
    children: dict[int | None, list[int]] = {}
    for id_, node in nodes.items():
        children.setdefault(node.parent, []).append(id_)
    found: set[int] = set()
    waiting = list(tops)
    while waiting:
        id_ = waiting.pop()
        if id_ not in found:
            found.add(id_)
            waiting += children.get(id_, [])
    return frozenset(found)


def _usable(name: str) -> str | None:
    try:
        name.encode("utf-8")  # a name whose bytes were no valid text cannot be written back as it was
        return normalise_name(name)
    except (ValueError, UnicodeEncodeError):
        return None


_NONE: frozenset[KeywordPath] = frozenset()


class _Singles(dict[str, frozenset[KeywordPath]]):
    """For each id the set of its one keyword; nothing for ids that mean none."""

    def __missing__(self, id_: str) -> frozenset[KeywordPath]:
        return _NONE


class Links(dict[str | None, frozenset[KeywordPath]]):
    """Looks up what a photo's links, as the text ``12,15,12``, mean: its keywords.

    Short texts are remembered, because a library has far fewer of them than photos; long ones seldom come twice.
    A dictionary, because a hit then costs no call, and this runs once for each of several hundred thousand photos.
    """

    _SHORT, _MOST = 10, 20_000

    def __init__(self, paths: Mapping[int, KeywordPath]) -> None:
        # Sets of one, because the union of sets takes over their hashes, where a new set would hash every path again.
        self._single = _Singles({str(id_): frozenset((path,)) for id_, path in paths.items()})
        super().__init__({None: _NONE})

    def __missing__(self, ids: str) -> frozenset[KeywordPath]:
        found = _NONE.union(*map(self._single.__getitem__, ids.split(",")))
        if len(ids) < self._SHORT and len(self) < self._MOST:
            self[ids] = found
        return found
