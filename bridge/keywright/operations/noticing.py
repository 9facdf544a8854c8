"""Noticing that a catalog has changed: when to look, and when what changed is worth reading.

Pure: time and states are told, nothing is looked at here.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_SHARE = 0.01
"""Looking takes at most this share of the time: a look that took a second is followed by the next after 100."""
LATEST_LOOKS = 10
"""A catalog that changes without end is read after so many looks all the same."""


@dataclass(slots=True)
class _Seen:
    state: str | None = None
    changing: int = 0  # looks since it was first seen to differ from what was read
    asked: str | None = None  # the state for which reading was asked last
    next_look: float = 0.0


class Noticing:
    """What is known of each catalog, by its number. Not safe for several threads."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._seen: dict[int, _Seen] = {}

    def is_due(self, catalog: int, now: float) -> bool:
        return now >= self._seen.setdefault(catalog, _Seen()).next_look

    def looked(self, catalog: int, now: float, took: float, state: str | None, read: str | None) -> bool:
        """Tell what a look gave (``None``: the catalog is away); whether to read the catalog now.

        ``read`` is the state it was last read in. A catalog is read once its state has been the same for two looks,
        and for each state once: one that cannot be read is not tried again until it changes.
        """
        seen = self._seen.setdefault(catalog, _Seen())
        seen.next_look = now + max(self._interval, took / MOST_SHARE)
        before, seen.state = seen.state, state
        if state is None or state in (read, seen.asked):
            seen.changing = 0
            return False
        seen.changing += 1
        if state != before and seen.changing < LATEST_LOOKS:
            return False
        seen.changing, seen.asked = 0, state
        return True
