"""When to ask again, and how fast at most: decisions without clocks, so that they can be tested without waiting."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from keywright.describing.base import BusyError

T = TypeVar("T")
TRIES = 4
_FIRST, _MOST = 1.0, 60.0
LONGEST_ASKED = 300.0
"""A provider that asks us to wait longer than that is given up for this time."""


def pause_before(attempt: int, asked: float | None, chance: float) -> float:
    """Seconds before another attempt: as the provider asks, else doubling from one, with chance (0 to 1) on top so that
    many who failed together do not come back together ("full jitter" on half of it)."""
    grown: float = min(_FIRST * 2.0 ** (attempt - 1), _MOST)
    own = grown / 2 + grown / 2 * chance
    return max(asked, own) if asked is not None else own


def persistently(
    ask: Callable[[], T], wait: Callable[[float], None], chance: Callable[[], float] = random.random, tries: int = TRIES
) -> T:
    """What ``ask`` gives, asked again while it raises ``BusyError``; raises the last one."""
    for attempt in range(1, tries + 1):
        try:
            return ask()
        except BusyError as error:
            if attempt == tries or (error.after or 0) > LONGEST_ASKED:
                raise
            wait(pause_before(attempt, error.after, chance()))
    raise AssertionError("no attempt was made")


class Pace:
    """At most ``per_minute`` calls in any minute."""

    def __init__(self, per_minute: int) -> None:
        self._calls: deque[float] = deque(maxlen=per_minute)

    def delay(self, now: float) -> float:
        """Seconds until the next call may be made."""
        return max(self._calls[0] + 60 - now, 0.0) if len(self._calls) == self._calls.maxlen else 0.0

    def called(self, now: float) -> None:
        self._calls.append(now)
