"""Moving the active models by what waits to be learned: the store's side of ``learning.incremental``.

The first decision after a training makes a version "reviewed since" it, which shares all its parts; every further one
moves that version, so that a review of a thousand photos is one version and rolling back goes to the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Connection

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.base import NO_ROWS, Floats, LearningError, Rows, Vectors
from keywright.learning.choosing import average_precisions
from keywright.learning.factor import ExactFactor
from keywright.learning.incremental import FullError, Learner, Standings, standings
from keywright.learning.models import ModelSet
from keywright.learning.settings import LearnerSettings
from keywright.operations.gathering import Gathered, gather
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Waiting, forget_waiting, list_waiting
from keywright.store.lookups import Names, vectors_of
from keywright.store.models import (
    REVIEWED_SINCE,
    Mark,
    activate_version,
    active_mark,
    active_version,
    fork_version,
    move_version,
    version_content,
)
from keywright.store.standing import Told, contents_of, told_of

AT_ONCE = 64
"""Decisions that are learned in one go: what is kept is never far behind."""
DECISIONS = "decisions"
TOLERANCE = 0.2
"""A decision makes a keyword worse when it ranks known photos worse by more than this (average precision)."""
LEAST_PHOTOS = 5
_POSITIVES, _OTHERS, _JUDGED = 8, 48, 8  # photos by which a keyword is judged, and how many keywords are at most


@dataclass(frozen=True, eq=False)
class Opened:
    """A learner at hand for the models that ``mark`` names, and what it needs of the store."""

    mark: Mark
    learner: Learner
    trained: int  # the training that the factor belongs to
    inside: frozenset[str]  # contents the factor was made with
    judges: Judges

    @property
    def models(self) -> ModelSet:
        return self.learner.models


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What became of the decisions that waited."""

    learned: int
    put_off: tuple[str, ...]  # kept, but left for the next training, and why; one sentence each
    version: int | None  # that suggests now; None where nothing was learned yet


def open_learner(workspace: Workspace, settings: LearnerSettings, before: Opened | None = None) -> Opened | None:
    """A learner for the active models; ``None`` where nothing was learned yet.

    Where only decisions moved the models since ``before`` was opened its factor is used again; else this takes seconds
    for a large collection. Raises ``KeywrightError`` where the models are damaged or of another encoder.
    """
    with workspace.store.read() as connection:
        mark, active = active_mark(connection), active_version(connection)
        if mark is None or active is None:
            return None
        if before is not None and before.mark == mark:
            return before
        models = ModelSet.from_parts(version_content(connection, mark.version))
        trained = active.trained
        if before is not None and before.trained == trained and not isinstance(before.learner.factor, ExactFactor):
            return replace(before, mark=mark, learner=replace(before.learner, models=models))
        gathered = gather(workspace, connection)
    learner = Learner.open(models, gathered.data, settings)
    _ = learner.models.weights  # made now rather than with the first decision
    return Opened(mark, learner, trained, frozenset(gathered.content_ids), Judges.of(gathered))


def catch_up(workspace: Workspace, opened: Opened, names: Names, *, most: int = AT_ONCE) -> tuple[Opened, CaughtUp]:
    """Learn what waits, at most ``most`` decisions; what cannot be learned at once is left for the next training.

    Raises ``MovedError`` where the active models are not those of ``opened`` (any more), ``FullError`` where they can
    take no more before the next training; nothing has changed then.
    """
    with workspace.store.read() as connection:
        if active_mark(connection) != opened.mark:
            raise MovedError("The models were changed meanwhile.")
        names.refresh(connection)
        rows = list_waiting(connection, most)
        contents = contents_of(connection, [row.photo_id for row in rows])
        by_content: dict[str, list[Waiting]] = {}
        for row in rows:
            if row.photo_id in contents:
                by_content.setdefault(contents[row.photo_id], []).append(row)
        vectors = vectors_of(connection, opened.models.encoder_id, list(by_content))
        told = {
            content: told_of(connection, content, some) for content, some in by_content.items() if content in vectors
        }
    learner, put_off, learned = opened.learner, list[str](), 0
    finished = [row for row in rows if contents.get(row.photo_id) not in told]  # no picture yet: nothing to learn from
    for content, (before, after) in told.items():
        old, new = (_standings(learner.models, names, one) for one in (before, after))
        try:
            moved = learner.tell(vectors[content], old, new, inside=content in opened.inside)
            worse = opened.judges.worse(learner.models, moved.models, np.flatnonzero(old != new), content)
        except FullError:
            if finished:
                break
            raise
        except LearningError as error:
            moved, worse = learner, str(error)
        if worse is None:
            learner, learned = moved, learned + len(by_content[content])
        else:
            put_off.append(worse)
        finished += by_content[content]
    return _keep(workspace, opened, learner, finished, learned, put_off)


class MovedError(KeywrightError):
    """Another version suggests now, or the active one was moved by somebody else."""


def _keep(
    workspace: Workspace,
    opened: Opened,
    learner: Learner,
    rows: Sequence[Waiting],
    learned: int,
    put_off: Sequence[str],
) -> tuple[Opened, CaughtUp]:
    mark = opened.mark
    with workspace.store.write() as connection:
        if active_mark(connection) != mark:
            raise MovedError("The models were changed meanwhile.")
        if learner is not opened.learner:
            learner, mark = _move(connection, opened.models, learner, learned)
        forget_waiting(connection, rows)
    return replace(opened, mark=mark, learner=learner), CaughtUp(learned, tuple(put_off), mark.version)


def _move(connection: Connection, before: ModelSet, learner: Learner, learned: int) -> tuple[Learner, Mark]:
    active = active_version(connection)
    assert active is not None
    metrics = dict(active.metrics)
    number = active.id
    if REVIEWED_SINCE not in metrics:
        metrics |= {REVIEWED_SINCE: float(active.id), DECISIONS: 0.0}
        number = fork_version(connection, active.id, metrics)
        activate_version(connection, number)
    metrics[DECISIONS] = metrics.get(DECISIONS, 0.0) + learned
    models, manifest, names, new = learner.models.new_parts()
    gone = set(before.part_names) - set(names)
    return replace(learner, models=models), move_version(connection, number, manifest, gone, new, metrics)


def _standings(models: ModelSet, names: Names, told: Told) -> Standings:
    def paths(ids: frozenset[int]) -> list[KeywordPath]:
        return [names[number] for number in ids]

    return standings(models, paths(told.carried), paths(told.refused), paths(told.primes))


@dataclass(frozen=True, eq=False)
class Judges:
    """A few photos by which a keyword is judged before and after it moved: some that carry it, and some of all."""

    contents: Sequence[str]
    vectors: Vectors  # (n, d); the first ``others`` stand for all photos
    others: int
    carried: Mapping[tuple[str, ...], Rows]  # by keyword, rows of ``vectors``

    @classmethod
    def of(cls, gathered: Gathered) -> Judges:
        photos = len(gathered.content_ids)
        others = np.unique(np.linspace(0, photos - 1, min(_OTHERS, photos)).astype(np.int64))
        some = {k.path.key: _spread(k.positives, _POSITIVES) for k in gathered.data.keywords}
        rows = np.setdiff1d(np.concatenate([others[:0], *some.values()]), others)
        rows = np.concatenate([others, rows])
        place = {int(row): n for n, row in enumerate(rows)}
        among = set(others.tolist())
        carried = {
            k.path.key: np.array(
                sorted(
                    {place[int(r)] for r in some[k.path.key]} | {place[r] for r in among & set(k.positives.tolist())}
                ),
                dtype=np.int64,
            )
            for k in gathered.data.keywords
        }
        contents = [gathered.content_ids[int(row)] for row in rows]
        return cls(contents, np.asarray(gathered.data.vectors[rows], dtype=np.float16), len(others), carried)

    def worse(self, before: ModelSet, after: ModelSet, columns: Rows, content: str) -> str | None:
        """Why the models are not to be moved so; the photo itself, ``content``, does not judge."""
        if any(not np.isfinite(after.keywords[int(column)].weights).all() for column in columns):
            return "A decision could not be learned at once: the models would hold what are no numbers."
        judged = [int(c) for c in columns if before.keywords[int(c)].photos >= LEAST_PHOTOS][:_JUDGED]
        if not judged:
            return None
        keys = [before.keywords[column].path.key for column in judged]
        mine = [self.carried.get(key, NO_ROWS) for key in keys]
        rows = np.unique(np.concatenate([np.arange(self.others), *mine]))
        rows = rows[[self.contents[int(row)] != content for row in rows]]
        labels, weights = (np.zeros((len(rows), len(judged)), dtype=np.float32) for _ in range(2))
        weights[rows < self.others] = 1
        for n, some in enumerate(mine):
            labels[np.isin(rows, some), n] = 1
        weights = np.maximum(weights, labels)
        features = after.features(self.vectors[rows])  # those from before are the first of them
        then, now = (
            average_precisions(_scores(models, features, judged), labels, weights) for models in (before, after)
        )
        fall = np.nan_to_num(then - now)
        worst = int(np.argmax(fall))
        if fall[worst] <= TOLERANCE:
            return None
        keyword, old, new = before.keywords[judged[worst]].path, then[worst], now[worst]
        return (
            f"A decision is kept, but was not learned at once, because {keyword} would rank known photos worse "
            f"(average precision {new:.2f} instead of {old:.2f}); the next training takes it in."
        )


def _scores(models: ModelSet, features: Floats, columns: Sequence[int]) -> Floats:
    out = np.empty((len(features), len(columns)), dtype=np.float32)
    for n, column in enumerate(columns):
        weights = models.keywords[column].weights
        out[:, n] = features[:, : len(weights)] @ weights
    return out


def _spread(rows: Rows, most: int) -> Rows:
    return rows[:: -(-len(rows) // most)] if len(rows) > most else rows
