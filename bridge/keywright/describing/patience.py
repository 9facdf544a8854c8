"""When to ask again, and how fast at most: decisions without clocks, so that they can be tested without waiting."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from keywright.describing.base import BusyError

T = TypeVar("T")
MINUTE = 60.0
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


def until_allowed(calls: Sequence[float], per_minute: int, now: float) -> float:
    """Seconds until another call may be made, where at most ``per_minute`` are in any minute. ``calls``: the times of
    those made; later ones than ``now`` do not count."""
    recent = sorted(call for call in calls if now - MINUTE < call <= now)
    return recent[-per_minute] + MINUTE - now if len(recent) >= per_minute else 0.0
