"""Many values in one statement, some at a time: the parameters of a statement are limited in every database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
_AT_ONCE = 500


def slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """All values in their order, as many at a time as a statement may name."""
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
