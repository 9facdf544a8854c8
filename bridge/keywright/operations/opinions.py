"""What describers said of photos, made ready for suggesting: in the user's keywords, with weights decisions earned."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, func, select

from keywright.describing.vocabulary import How, Vocabulary
from keywright.keywords import KeywordPath
from keywright.operations.describing import Named, named_keywords, vocabulary, what_was_seen
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, decisions
from keywright.store.photos import KeywordIds, catalogs, photos, vocabulary_mark
from keywright.store.providers import described_mark, descriptions, providers_mark
from keywright.suggesting.combining import PRIOR, Case, Opinions, Said, Weights, fit_weights, hear

_MOST_DECISIONS = 5000  # the newest; weights need no more
_DECISIONS_AT_ONCE = 25  # after so many new ones, or so many new descriptions, weights are fitted anew


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
        self._words: tuple[str, Named, Vocabulary] | None = None
        self._weights: tuple[str, Mapping[str, Weights]] | None = None

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
            if not described_mark(connection):
                return NOTHING
            words_mark = _words_mark(connection)
            weights_mark = f"{_weights_mark(connection)}/{words_mark}"
        with self._lock:
            words = self._vocabulary(words_mark)
            if self._weights is None or self._weights[0] != weights_mark:
                self._weights = weights_mark, learned_weights(self._workspace, words)
            said = _said(self._workspace, content_ids, words)
            return Heard(said, self._weights[1]) if said else NOTHING

    def _vocabulary(self, mark: str) -> Vocabulary:
        """The same until keywords or synonyms are others: what was compared with it need not be again."""
        if self._words is None or self._words[0] != mark:
            named = named_keywords(self._workspace)
            same = self._words is not None and self._words[1] == named
            made = self._words[2] if self._words is not None and same else vocabulary(self._workspace, named)
            self._words = mark, named, made
        return self._words[2]


def _words_mark(connection: Connection) -> str:
    """Differs when a catalog was read again, or another is learned from."""
    read = connection.execute(select(catalogs.c.id, catalogs.c.learned, catalogs.c.read_at).order_by(catalogs.c.id))
    return f"{vocabulary_mark(connection)}/{[tuple(row) for row in read]}"


def _weights_mark(connection: Connection) -> str:
    """Differs when much was described or decided, or a provider was added, changed or taken out."""
    counted = [select(func.count()).select_from(table) for table in (descriptions, decisions)]
    much = [connection.execute(one).scalar_one() // _DECISIONS_AT_ONCE for one in counted]
    return "/".join(map(str, [*much, providers_mark(connection)]))


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
