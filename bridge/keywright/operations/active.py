"""The models that suggest: loaded for a command, or once in a running bridge and shared by all its threads.

There they are never older than the store: SQLite tells in microseconds whether anything was written since, by whichever
process, and what the models hang on is then looked at again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

from keywright.errors import KeywrightError
from keywright.learning.models import ModelSet
from keywright.operations.teaching import Teacher
from keywright.operations.workspace import Workspace
from keywright.store.models import Mark as ActiveModels
from keywright.store.models import active_mark, active_version, version_content
from keywright.store.thresholds import list_thresholds, thresholds_mark


def load_models(workspace: Workspace) -> tuple[ModelSet, int]:
    """The models that suggest, with the thresholds that a person set, and their version.

    Raises ``KeywrightError`` where nothing was learned yet, or with another encoder than was asked for: vectors of one
    say nothing to models of the other.
    """
    with workspace.store.read() as connection:
        active = active_version(connection)
        if active is None:
            raise KeywrightError(
                "Nothing has been learned yet; run `keywright learn SOURCE` on a catalog or folder with keywords first."
            )
        models = ModelSet.from_parts(version_content(connection, active.id))
        models = models.with_thresholds(list_thresholds(connection))
    wanted = workspace.encoder_id
    if models.encoder_id != wanted:
        raise KeywrightError(
            f"The models in use were learned with the encoder {models.encoder_id}, not with {wanted}; "
            f"run `keywright models encoder {wanted}` to change to it."
        )
    return models, active.id


class Mark(NamedTuple):
    """What suggestions hang on: the active models, also as decisions moved them, and thresholds that a person set."""

    models: ActiveModels | None
    thresholds: str


@dataclass(frozen=True, eq=False)
class Active:
    """The models that suggest, with the thresholds that a person set; one and the same object until they are others."""

    mark: Mark
    models: ModelSet
    version: int
    moved: bool = False  # by what a person has just said


class ModelsInUse:
    """One for a workspace; safe for many threads. ``workspace`` may have a ``Teacher``: the models that a decision has
    just moved are then taken from it rather than read."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()  # for what is kept here
        self._loading = threading.Lock()
        self._active: Active | None = None
        self._seen: tuple[int, Mark] | None = None

    def current(self) -> Active:
        """Loaded where they are not yet. Raises ``KeywrightError`` where nothing was learned yet."""
        mark, active = self._mark(), self._active
        if active is not None and active.mark == mark and mark.models is not None:
            return active
        with self._loading:  # one thread loads, the others wait for it
            mark, active = self._mark(), self._active
            if active is None or active.mark != mark or mark.models is None:
                self._active = active = self._moved(mark) or self._load(mark)
            return active

    def _mark(self) -> Mark:
        generation = self._workspace.store.generation()
        with self._lock:
            if self._seen is not None and self._seen[0] == generation:
                return self._seen[1]
        with self._workspace.store.read() as connection:
            mark = Mark(active_mark(connection), thresholds_mark(connection))
        with self._lock:
            self._seen = generation, mark
        return mark

    def _load(self, mark: Mark) -> Active:
        models, version = load_models(self._workspace)
        if mark.models is None or mark.models.version != version:
            mark = Mark(ActiveModels(version, ""), mark.thresholds)  # as good as any until it is looked at again
        return Active(mark, models, version)

    def _moved(self, mark: Mark) -> Active | None:
        """The models as a decision has just moved them, where the teacher has them at hand."""
        teacher = self._workspace.teacher
        if mark.models is None or not isinstance(teacher, Teacher):
            return None
        models = teacher.models(mark.models)
        if models is None:
            return None
        with self._workspace.store.read() as connection:
            models = models.with_thresholds(list_thresholds(connection))
        return Active(mark, models, mark.models.version, moved=True)
