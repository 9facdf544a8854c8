"""The keyword tree's say in confidences: a parent is never less likely than its child, exclusive siblings compete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath
from keywright.learning.base import Floats, KeywordExamples

Columns = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Tree:
    """Columns in tree order: each keyword's own descendants are the columns right after it, up to ``ends``."""

    ends: Columns
    parents: Columns  # -1 where the parent has no column
    exclusive: tuple[Columns, ...] = ()  # groups of siblings of which no photo carries two

    def settle(self, confidences: Floats) -> Floats:
        """Apply the tree to confidences of shape (n, k), in place: siblings compete, then parents rise."""
        for group in self.exclusive:
            total = confidences[:, group].sum(axis=1)
            over = total > 1
            if over.any():
                confidences[np.ix_(over, group)] /= total[over, None]
        inner = np.flatnonzero(self.ends - np.arange(len(self.ends)) > 1)
        if len(inner):
            bounds = np.stack([inner, self.ends[inner]], axis=1).ravel()
            padded = confidences
            if bounds[-1] == len(self.ends) or (bounds == len(self.ends)).any():
                padded = np.concatenate([confidences, np.zeros((len(confidences), 1), dtype=np.float32)], axis=1)
            confidences[:, inner] = np.maximum.reduceat(padded, bounds, axis=1)[:, ::2]
        return confidences


def tree_order(paths: Sequence[KeywordPath]) -> list[int]:
    """The order in which every keyword is followed at once by what lies below it, whatever else sorts between."""
    return sorted(range(len(paths)), key=lambda i: (paths[i].key, paths[i].parts))


def build_tree(paths: Sequence[KeywordPath], exclusive: tuple[Columns, ...] = ()) -> Tree:
    """``paths`` in ``tree_order``."""
    ends = np.arange(1, len(paths) + 1)
    parents = np.full(len(paths), -1)
    above: list[int] = []
    for column, path in enumerate(paths):
        while above and not path.is_under(paths[above[-1]]):
            ends[above.pop()] = column
        if above:
            parents[column] = above[-1]
        above.append(column)
    for column in above:
        ends[column] = len(paths)
    return Tree(ends, parents, exclusive)


def exclusive_siblings(
    examples: Sequence[KeywordExamples], tree: Tree, photos: int, least_expected: float = 3.0
) -> tuple[Columns, ...]:
    """Groups of siblings that are never together though chance alone would have brought them together.

    Two siblings exclude each other when no photo carries both and, were they independent among their parent's photos,
    at least ``least_expected`` photos would (at 3, chance leaves none in one case of twenty).
    """
    families: dict[int, list[int]] = {}
    for column, parent in enumerate(tree.parents):
        if len(examples[column].positives):
            families.setdefault(int(parent), []).append(column)
    groups = []
    for parent, members in families.items():
        among = photos if parent < 0 else len(examples[parent].positives)
        members.sort(key=lambda c: (-len(examples[c].positives), c))
        left = members
        while len(left) > 1:
            group = [left[0]]
            for column in left[1:]:
                if all(_exclude(examples[column], examples[other], among, least_expected) for other in group):
                    group.append(column)
            if len(group) > 1:
                groups.append(np.array(sorted(group)))
            left = [column for column in left if column not in group]
    return tuple(groups)


def _exclude(one: KeywordExamples, other: KeywordExamples, among: int, least_expected: float) -> bool:
    a, b = one.positives, other.positives
    if len(a) * len(b) < least_expected * among:
        return False
    return not np.isin(a, b, assume_unique=True, kind="sort").any()
