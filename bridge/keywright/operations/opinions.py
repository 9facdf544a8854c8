"""What describers said of photos, made ready for suggesting: in the user's keywords, with weights decisions earned."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from keywright.describing.vocabulary import How, Vocabulary
from keywright.keywords import KeywordPath
from keywright.operations.describing import vocabulary, what_was_seen
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, decisions
from keywright.store.photos import KeywordIds, photos, vocabulary_mark
from keywright.store.providers import described_mark, descriptions
from keywright.suggesting.combining import PRIOR, Case, Opinions, Said, Weights, fit_weights, hear

_MOST_DECISIONS = 5000  # the newest; weights need no more
_DECISIONS_AT_ONCE = 25  # after so many new ones, weights are fitted anew


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said of some pictures, by content id, and how much each describer counts."""

    said: Mapping[str, Opinions]
    weights: Mapping[str, Weights]

    def of(self, content_ids: Sequence[str]) -> list[Opinions] | None:
        """One for each picture, in order; ``None`` where nothing was said of any."""
        found = [self.said.get(content, {}) for content in content_ids]
        return found if any(found) else None


NOTHING = Heard({}, {})


class Listener:
    """Hears describers for one workspace; what is costly to make is kept while it holds. Safe for many threads."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._ready: tuple[str, Vocabulary, Mapping[str, Weights]] | None = None

    def mark(self, connection: Connection) -> str:
        """Differs when something was described or forgotten since, or much decided; empty where nothing ever was."""
        described = described_mark(connection)
        if not described:
            return ""
        decided = connection.execute(select(func.count()).select_from(decisions)).scalar_one()
        return f"{described}/{decided // _DECISIONS_AT_ONCE}/{vocabulary_mark(connection)}"

    def hear(self, content_ids: Sequence[str]) -> Heard:
        """What describers said of these pictures. Costs next to nothing where none was ever asked."""
        with self._workspace.store.read() as connection:
            mark = self.mark(connection)
        if not mark:
            return NOTHING
        with self._lock:
            if self._ready is None or self._ready[0] != mark:
                words = vocabulary(self._workspace)
                self._ready = mark, words, learned_weights(self._workspace, words)
            _, words, weights = self._ready
            said = _said(self._workspace, content_ids, words)
        return Heard(said, weights) if said else NOTHING


def _said(workspace: Workspace, content_ids: Sequence[str], words: Vocabulary) -> dict[str, Opinions]:
    found = what_was_seen(workspace, content_ids, words)
    return {
        content: {
            name: tuple(Said(seen.keyword, seen.score, seen.how is How.NEW) for seen in some)
            for name, some in each.items()
        }
        for content, each in found.items()
    }


def learned_weights(workspace: Workspace, words: Vocabulary) -> dict[str, Weights]:
    """How much each describer counts by what was decided on photos it had described.

    The confidence a decision was made at is what was shown then. Where a describer had been heard by that time, its
    part is taken out with the cautious weights, so that weights fitted before are drawn back to those, never away.
    """
    with workspace.store.read() as connection:
        names = KeywordIds(connection).paths()
        chosen = (
            select(
                decisions.c.keyword_id,
                decisions.c.decision,
                decisions.c.confidence,
                decisions.c.decided_at,
                photos.c.content_id,
                func.max(descriptions.c.described_at).label("described_at"),
            )
            .join(photos, photos.c.id == decisions.c.photo_id)
            .join(descriptions, descriptions.c.content_id == photos.c.content_id)
            .where(decisions.c.confidence.is_not(None))
            .group_by(decisions.c.photo_id, decisions.c.keyword_id, photos.c.id)
            .order_by(decisions.c.decided_at.desc())
            .limit(_MOST_DECISIONS)
        )
        rows = list(connection.execute(chosen))
    if not rows:
        return {}
    said = _said(workspace, list({row.content_id for row in rows}), words)
    cases = []
    for row in rows:
        path = names[row.keyword_id]
        opinions = said.get(row.content_id, {})
        shown = float(row.confidence)
        learned = _without(shown, path, opinions) if row.described_at <= row.decided_at else shown
        scores = {name: _score(path, some) for name, some in opinions.items()}
        cases.append(Case(learned, scores, row.decision == Decision.ACCEPTED.value))
    return fit_weights(cases)


def _score(path: KeywordPath, said: Sequence[Said]) -> float:
    """What was said of a keyword, or of one below it."""
    below = [one.score for one in said if one.keyword.key[: len(path.key)] == path.key]
    return max(below, default=0.0)


def _without(shown: float, path: KeywordPath, opinions: Opinions) -> float:
    """The confidence without what the describers' cautious weights added to it."""
    taken_back = {name: Weights(-PRIOR.said, -PRIOR.silent) for name in opinions}
    mine = {
        name: tuple(Said(path, _score(path, some)) for _ in range(_score(path, some) > 0))
        for name, some in opinions.items()
    }
    return float(hear(np.array([shown], dtype=np.float32), {path.key: 0}, mine, taken_back).confidences[0])
