"""Undoing batches in any order: what of a write is its own to take back, and which state of the target that gives.

A later batch may have built on an earlier one that is undone first: it took out what the earlier had put in, or it
needs a parent that the earlier had written. Decisions only: nothing is read or written here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar

from keywright.store.journal import Before, BeforeForm, EntryState
from keywright.store.timeline import Trace

Thing = TypeVar("Thing", bound=Hashable)


def _no_before(_: int) -> Before:
    return Before(BeforeForm.NOT_KEPT)


@dataclass(frozen=True, slots=True)
class Past:
    """All writes done to one target, oldest first, and what was there before each (asked for by its number)."""

    traces: tuple[Trace, ...] = ()
    before: Callable[[int], Before] = _no_before


def kept(
    entry_id: int, past: Past, touched: Callable[[Trace], tuple[frozenset[Thing], frozenset[Thing]]]
) -> tuple[frozenset[Thing], frozenset[Thing]]:
    """What undoing the entry must leave alone: of what it put in what stays, of what it took out what stays away.

    ``touched`` says what a write put in and took out. The last write that is not undone has its way; and what an
    earlier write did that was undone meanwhile is nothing to go back to.
    """
    applied = [trace for trace in past.traces if trace.undoes is None]
    this = next((trace for trace in applied if trace.id == entry_id), None)
    if this is None:
        return frozenset(), frozenset()
    undone = {trace.undoes: trace.id for trace in past.traces if trace.undoes is not None}
    does = {trace.id: touched(trace) for trace in applied}

    def is_away(thing: Thing) -> bool:
        """Whether it was not there before the entry, as things are now."""
        at, away = this.id, thing in does[this.id][0]
        for trace in reversed(applied):
            if trace.id >= at or not (thing in does[trace.id][0] or thing in does[trace.id][1]):
                continue
            if trace.state is EntryState.WRITTEN:
                break
            if undone.get(trace.id, math.inf) > at:
                at, away = trace.id, thing in does[trace.id][0]
        return away

    later = [t for t in applied if t.id > entry_id and t.state is EntryState.WRITTEN]
    decided = frozenset[Thing]().union(*(does[t.id][0] | does[t.id][1] for t in later))
    put_in, taken_out = does[entry_id]
    stays = frozenset(thing for thing in put_in if thing in decided or not is_away(thing))
    stays_away = frozenset(thing for thing in taken_out if thing in decided or is_away(thing))
    return stays, stays_away


def way_back(entry_id: int, past: Past, now_digest: str) -> tuple[int, ...] | None:
    """The writes to step back over, newest first, to where the target was with all but this entry's write in it.

    None where somebody else has written since, or the target never was so.
    """
    applied = [trace for trace in past.traces if trace.undoes is None]
    known_undone = {trace.undoes for trace in past.traces}
    wanted = {t.id for t in applied if t.state is EntryState.WRITTEN} - {entry_id}
    # Where an undo found nothing to do, it changed nothing: the write counts as there until its own step.
    there = {t.id for t in applied if t.state is EntryState.WRITTEN or t.id not in known_undone}
    steps, at = [], now_digest
    for trace in reversed(past.traces):
        if trace.new_digest != at:
            return None
        steps.append(trace.id)
        at = trace.old_digest
        if trace.undoes is None:
            there.discard(trace.id)
        else:
            there.add(trace.undoes)
        if there == wanted:
            return tuple(steps)
    return None
