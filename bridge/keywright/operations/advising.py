"""Suggestions for photos that are known already, fast enough to be asked for while a person looks at them.

The models and the photos they give as reasons are loaded once for a model version and shared by all threads; what
changes from one question to the next (keywords, decisions, vectors) is read from the store each time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from keywright.config import Profile
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.models import ModelSet
from keywright.operations.gathering import Gathered, gather
from keywright.operations.learning import load_models
from keywright.operations.profiles import Because, Ranked, apply_profile, automatic_keywords, settings_for
from keywright.operations.workspace import Workspace
from keywright.store.hosts import host_keyword_ids
from keywright.store.lookups import Names, active_version_id, decisions_on, photos_by_id, vectors_of
from keywright.store.photos import PhotoRow, keywords_of
from keywright.suggesting.suggest import Examples, suggest

AT_ONCE = 256
"""Photos of one answer that are worked on together: bounds memory and the time until the first is given."""


class AdviceState(StrEnum):
    READY = "ready"
    WAITING = "waiting"  # it has no vector yet
    FAILED = "failed"  # there is no picture of it
    UNKNOWN = "unknown"  # no such photo


@dataclass(frozen=True, slots=True)
class Advice:
    """What is suggested for one photo."""

    photo_id: int
    state: AdviceState
    suggestions: tuple[Ranked, ...] = ()
    error: str | None = None
    host_ids: Mapping[KeywordPath, str] = field(default_factory=dict)
    """What the photo's catalog calls these keywords, where it has them."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """One model version and what its reasons are found in; immutable."""

    version: int
    models: ModelSet
    gathered: Gathered
    examples: Examples


class Advisor:
    """One for a workspace; safe for many threads."""

    def __init__(self, workspace: Workspace, names: Names | None = None) -> None:
        self._workspace = workspace
        self._loaded: Loaded | None = None
        self._names = names or Names()
        self._lock = threading.Lock()

    def suggest(self, photo_ids: Sequence[int], profile: Profile, loaded: Loaded | None = None) -> Iterator[Advice]:
        """In the order asked for, as the profile has it. Keywords decided on a photo are not suggested on it again.

        ``loaded`` is what ``current`` gave, for who wants to know the version.
        """
        loaded = loaded or self.current()
        for start in range(0, len(photo_ids), AT_ONCE):
            yield from self._suggest(loaded, photo_ids[start : start + AT_ONCE], profile)

    def _suggest(self, loaded: Loaded, photo_ids: Sequence[int], profile: Profile) -> Iterator[Advice]:
        with self._workspace.store.read() as connection:
            rows = photos_by_id(connection, photo_ids)
            contents = [row.content_id for row in rows.values() if row.content_id]
            vectors = vectors_of(connection, loaded.models.encoder_id, list(dict.fromkeys(contents)))
            carried = keywords_of(connection, list(rows))
            decided = decisions_on(connection, list(rows))
            self._names.refresh(connection)
            known = [row for row in rows.values() if row.content_id in vectors]
            automatic = automatic_keywords(profile, connection, known)
        existing = [{self._names[k] for k in carried.get(row.id, ())} for row in known]
        done = [
            {self._names[d.keyword_id].key for d in decided.get(row.id, ())} | {path.key for path in here}
            for row, here in zip(known, existing, strict=True)
        ]
        # Decided keywords are taken out afterwards, so that one's parent is not suggested in its stead.
        settings = settings_for(profile, max((len(d) for d in done), default=0))
        found = {}
        if known:
            stacked = np.stack([vectors[row.content_id or ""] for row in known]).astype(np.float32)
            for row, refused, some in zip(
                known, done, suggest(loaded.models, stacked, existing, settings, loaded.examples), strict=True
            ):
                ranked = (
                    Ranked(
                        s.keyword,
                        s.confidence,
                        tuple(Because(loaded.gathered.paths[r.row], r.similarity) for r in s.because),
                        s.keyword,
                    )
                    for s in some
                )
                found[row.id] = apply_profile(profile, ranked, refused, automatic.get(row.id, ()))
        host_ids = self._host_ids(rows, found)
        for number in photo_ids:
            yield _advice(number, rows.get(number), found, host_ids.get(number, {}))

    def _host_ids(
        self, rows: Mapping[int, PhotoRow], found: Mapping[int, Sequence[Ranked]]
    ) -> dict[int, dict[KeywordPath, str]]:
        wanted = {number: {one.keyword for one in some} for number, some in found.items()}
        in_catalog: dict[int, set[KeywordPath]] = {}
        for number, paths in wanted.items():
            in_catalog.setdefault(rows[number].catalog_id, set()).update(paths)
        with self._workspace.store.read() as connection:
            known = host_keyword_ids(connection, self._names, in_catalog)
        return {
            number: {path: known[place] for path in paths if (place := (rows[number].catalog_id, path)) in known}
            for number, paths in wanted.items()
        }

    def current(self) -> Loaded:
        """The active version, loaded where it is not yet. Raises ``KeywrightError`` where nothing was learned yet."""
        with self._workspace.store.read() as connection:
            active = active_version_id(connection)
        with self._lock:
            loaded = self._loaded
            if loaded is None or active is None or loaded.version != active:
                self._loaded = None  # the old goes before the new comes: both at once need twice the memory
                loaded = self._load()
                self._loaded = loaded
            return loaded

    def _load(self) -> Loaded:
        models, version = load_models(self._workspace)
        if models.encoder_id != self._workspace.encoder_id:
            raise KeywrightError(
                f"The active models were learned with the encoder {models.encoder_id}; "
                f"run `keywright learn` to learn with {self._workspace.encoder_id}."
            )
        with self._workspace.store.read() as connection:
            gathered = gather(self._workspace, connection)
        return Loaded(version, models, gathered, Examples.of(gathered.data.vectors, gathered.data.keywords))


def _advice(
    number: int, row: PhotoRow | None, found: Mapping[int, tuple[Ranked, ...]], host_ids: Mapping[KeywordPath, str]
) -> Advice:
    if row is None:
        return Advice(number, AdviceState.UNKNOWN, error=f"There is no photo {number}.")
    if number in found:
        return Advice(number, AdviceState.READY, found[number], host_ids=host_ids)
    if row.error is not None:
        return Advice(number, AdviceState.FAILED, error=row.error)
    return Advice(number, AdviceState.WAITING)
