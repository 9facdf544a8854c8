"""The keyword tree's say in confidences: a parent is never less likely than its child, exclusive siblings compete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.keywords import KeywordPath
from keywright.learning.base import Floats, KeywordExamples, Rows

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
        exclude = _exclude([examples[c].positives for c in members], among, least_expected)
        left = np.flatnonzero(exclude.any(axis=1))
        while len(left) > 1:
            group = [int(left[0])]
            fitting = exclude[left[0]].copy()  # those that exclude all of the group
            for place in left[1:].tolist():
                if fitting[place]:
                    group.append(place)
                    fitting &= exclude[place]
            if len(group) > 1:
                groups.append(np.array(sorted(members[place] for place in group)))
            left = np.setdiff1d(left, group)
    return tuple(groups)


def _exclude(lists: Sequence[Rows], among: int, least_expected: float) -> NDArray[np.bool_]:
    """Shape (members, members): which two are never together though chance would have brought them together."""
    # Here and not above: who only suggests needs no scipy, 40 MB and a third of a second.
    from scipy import sparse

    counts = np.array([len(rows) for rows in lists], dtype=np.float64)
    expected = np.outer(counts, counts) >= least_expected * among
    np.fill_diagonal(expected, False)
    some = np.flatnonzero(expected.any(axis=1))
    if not len(some):
        return expected
    rows = np.concatenate([lists[place] for place in some.tolist()])
    columns = np.repeat(np.arange(len(some)), counts[some].astype(np.int64))
    shape = (int(rows.max()) + 1, len(some))
    carried = sparse.csr_matrix((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape)
    apart = (carried.T @ carried).toarray() == 0
    out = np.zeros_like(expected)
    out[np.ix_(some, some)] = apart & expected[np.ix_(some, some)]
    return out
