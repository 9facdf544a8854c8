"""Suggestions for photos that are known already, fast enough to be asked for while a person looks at them.

The models and the photos they give as reasons are loaded once for a model version and shared by all threads. What the
store says of photos is kept until the store changes; what the models say of a picture, until they do.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from keywright.config import Profile
from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.learning.models import ModelSet
from keywright.operations.active import Active, Mark, ModelsInUse
from keywright.operations.gathering import Gathered, gather
from keywright.operations.opinions import Listener
from keywright.operations.profiles import Because, Ranked, apply_profile, automatic_keywords, settings_for
from keywright.operations.together import Together
from keywright.operations.workspace import Workspace
from keywright.store.hosts import host_keyword_ids
from keywright.store.lookups import Names, PhotoFacts, facts_of, vectors_of
from keywright.suggesting.base import Suggestion as Scored
from keywright.suggesting.base import SuggestSettings
from keywright.suggesting.combining import Opinions, Weights
from keywright.suggesting.suggest import Examples, suggest

AT_ONCE = 256
"""Photos of one answer that are worked on together: bounds memory and the time until the first is given."""
_TOGETHER = 16
"""Photos of several requests that are scored in one go; requests for more are scored by themselves."""
_KEPT = 4096
"""Photos of which the last answer is kept: some 10 MB."""

log = logging.getLogger(__name__)


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

    active: Active
    gathered: Gathered
    examples: Examples

    @property
    def mark(self) -> Mark:
        return self.active.mark

    @property
    def models(self) -> ModelSet:
        return self.active.models

    @property
    def version(self) -> int:
        return self.active.version

    def ranked(self, scored: Scored) -> Ranked:
        because = tuple(Because(self.gathered.paths[reason.row], reason.similarity) for reason in scored.because)
        return Ranked(scored.keyword, scored.confidence, because, scored.keyword, scored.sources, scored.new)


class _Kind(NamedTuple):
    """Questions that can be scored together. ``loaded`` is one and the same object."""

    loaded: Loaded
    settings: SuggestSettings


class _Question(NamedTuple):
    vector: NDArray[np.float16]
    carried: frozenset[KeywordPath]
    said: Opinions
    weights: Mapping[str, Weights]


class Advisor:
    """One for a workspace; safe for many threads."""

    def __init__(
        self, workspace: Workspace, names: Names | None = None, models_in_use: ModelsInUse | None = None
    ) -> None:
        self._workspace = workspace
        self._names = names or Names()
        self._models_in_use = models_in_use or ModelsInUse(workspace)
        self._lock = threading.Lock()  # for what is kept here
        self._loading = threading.Lock()
        self._loaded: Loaded | None = None
        self._generation: int | None = None
        self._listener = Listener(workspace)
        self._described = ""  # differs when describers said more since
        self._facts: dict[int, PhotoFacts] = {}
        self._hosts: dict[tuple[int, KeywordPath], str | None] = {}
        self._ranked: dict[object, tuple[Ranked, ...]] = {}  # the newest last
        self._scoring: Together[_Kind, _Question, list[Scored]] = Together(_scored, _TOGETHER)
        self._gathering: threading.Thread | None = None

    def suggest(self, photo_ids: Sequence[int], profile: Profile, loaded: Loaded | None = None) -> Iterator[Advice]:
        """In the order asked for, as the profile has it. Keywords decided on a photo are not suggested on it again.

        ``loaded`` is what ``current`` gave, for who wants to know the version.
        """
        loaded = loaded or self.current()
        for start in range(0, len(photo_ids), AT_ONCE):
            yield from self._suggest(loaded, photo_ids[start : start + AT_ONCE], profile)

    def _suggest(self, loaded: Loaded, photo_ids: Sequence[int], profile: Profile) -> Iterator[Advice]:
        facts = self._read(photo_ids)
        found = self._answers(loaded, [one for one in facts.values() if one.row.content_id], profile)
        host_ids = self._host_ids(facts, found)
        for number in photo_ids:
            yield _advice(number, facts.get(number), found, host_ids)

    def _answers(self, loaded: Loaded, facts: Sequence[PhotoFacts], profile: Profile) -> dict[int, tuple[Ranked, ...]]:
        """The suggestions of those photos that have a vector."""
        automatic: Mapping[int, Sequence[KeywordPath]] = {}
        if profile.automatic:
            with self._workspace.store.read() as connection:
                automatic = automatic_keywords(profile, connection, [one.row for one in facts])
        keys = {
            one.row.id: (
                loaded.mark,
                self._described,
                one.row.content_id,
                one.carried,
                one.decided,
                profile,
                *automatic.get(one.row.id, ()),
            )
            for one in facts
        }
        with self._lock:
            found = {number: self._ranked[key] for number, key in keys.items() if key in self._ranked}
        new = [one for one in facts if one.row.id not in found]
        if new:
            for number, ranked in self._scored(loaded, new, profile, automatic).items():
                found[number] = ranked
                with self._lock:
                    self._ranked[keys[number]] = ranked
                    while len(self._ranked) > _KEPT:
                        del self._ranked[next(iter(self._ranked))]
        return found

    def _scored(
        self,
        loaded: Loaded,
        facts: Sequence[PhotoFacts],
        profile: Profile,
        automatic: Mapping[int, Sequence[KeywordPath]],
    ) -> dict[int, tuple[Ranked, ...]]:
        contents = list(dict.fromkeys(one.row.content_id or "" for one in facts))
        with self._workspace.store.read() as connection:
            vectors = vectors_of(connection, loaded.models.encoder_id, contents)
        known = [one for one in facts if one.row.content_id in vectors]
        if not known:
            return {}
        carried = [frozenset(self._names[k] for k in one.carried) for one in known]
        done = [
            {self._names[k].key for k in one.decided} | {path.key for path in here}
            for one, here in zip(known, carried, strict=True)
        ]
        # Decided keywords are taken out afterwards, so that one's parent is not suggested in its stead.
        kind = _Kind(loaded, settings_for(profile, max(map(len, done))))
        heard = self._listener.hear(contents)
        questions = [
            _Question(vectors[content], here, heard.said.get(content, {}), heard.weights)
            for content, here in zip((one.row.content_id or "" for one in known), carried, strict=True)
        ]
        together = len(questions) <= _TOGETHER
        scored = self._scoring.ask(kind, questions) if together else _scored(kind, questions)
        return {
            one.row.id: apply_profile(profile, map(loaded.ranked, some), refused, automatic.get(one.row.id, ()))
            for one, refused, some in zip(known, done, scored, strict=True)
        }

    def _read(self, photo_ids: Sequence[int]) -> dict[int, PhotoFacts]:
        """What the store says of these photos, those that there are."""
        self._keep_up()
        with self._lock:
            generation = self._generation
            found = {number: self._facts[number] for number in photo_ids if number in self._facts}
        missing = [number for number in photo_ids if number not in found]
        if missing:
            with self._workspace.store.read() as connection:
                read = facts_of(connection, missing)
                self._names.refresh(connection)
            found |= read
            with self._lock:
                if generation == self._generation and len(self._facts) < 4 * _KEPT:
                    self._facts |= read
        return found

    def _keep_up(self) -> None:
        """Forget what was read of the store where it has changed since."""
        generation = self._workspace.store.generation()
        with self._lock:
            if generation == self._generation:
                return
        with self._workspace.store.read() as connection:
            described = self._listener.mark(connection)
        with self._lock:
            self._generation, self._described = generation, described
            self._facts, self._hosts = {}, {}

    def _host_ids(
        self, facts: Mapping[int, PhotoFacts], found: Mapping[int, Sequence[Ranked]]
    ) -> dict[tuple[int, KeywordPath], str | None]:
        """What catalogs call the suggested keywords, by catalog and keyword."""
        wanted = {(facts[number].row.catalog_id, one.keyword) for number, some in found.items() for one in some}
        with self._lock:
            generation = self._generation
            known = {place: self._hosts[place] for place in wanted if place in self._hosts}
        missing: dict[int, set[KeywordPath]] = {}
        for catalog, path in wanted - known.keys():
            missing.setdefault(catalog, set()).add(path)
        if missing:
            with self._workspace.store.read() as connection:
                read = host_keyword_ids(connection, self._names, missing)
            fresh = {(catalog, path): read.get((catalog, path)) for catalog, paths in missing.items() for path in paths}
            known |= fresh
            with self._lock:
                if generation == self._generation and len(self._hosts) < 4 * _KEPT:
                    self._hosts |= fresh
        return known

    def current(self) -> Loaded:
        """The active version, loaded where it is not yet. Raises ``KeywrightError`` where nothing was learned yet."""
        active, loaded = self._models_in_use.current(), self._loaded
        if loaded is not None and loaded.active is active:
            return loaded
        with self._loading:  # one thread loads, the others wait for it
            active, loaded = self._models_in_use.current(), self._loaded
            if loaded is None or loaded.active is not active:
                self._loaded = loaded = self._load(active, loaded)
            return loaded

    def _load(self, active: Active, before: Loaded | None) -> Loaded:
        if before is None or before.models.encoder_id != active.models.encoder_id:
            return Loaded(active, *self._reasons())
        # New models answer at once. Collecting what reasons are found in takes seconds for a large collection.
        trained = not active.moved and active.mark.models != before.mark.models
        if trained and (self._gathering is None or not self._gathering.is_alive()):
            self._gathering = threading.Thread(target=self._gather_anew, name="reasons", daemon=True)
            self._gathering.start()
        return Loaded(active, before.gathered, before.examples)

    def _gather_anew(self) -> None:
        try:
            gathered, examples = self._reasons()
        except KeywrightError as error:
            log.warning("The photos that are shown as reasons stay as they were: %s", error)
            return
        with self._loading:
            if self._loaded is not None:
                self._loaded = Loaded(self._loaded.active, gathered, examples)
                with self._lock:
                    self._ranked.clear()

    def _reasons(self) -> tuple[Gathered, Examples]:
        with self._workspace.store.read() as connection:
            gathered = gather(self._workspace, connection)
        return gathered, Examples.of(gathered.data.vectors, gathered.data.keywords)

    def close(self) -> None:
        """Wait for what is read in the background; the workspace may be closed then."""
        if self._gathering is not None:
            self._gathering.join()


def _scored(kind: _Kind, questions: Sequence[_Question]) -> list[list[Scored]]:
    vectors = np.stack([one.vector for one in questions]).astype(np.float32)
    carried = [one.carried for one in questions]
    said = [one.said for one in questions]
    weights = {name: own for one in questions for name, own in one.weights.items()}
    models, examples = kind.loaded.models, kind.loaded.examples
    return list(suggest(models, vectors, carried, kind.settings, examples, said if any(said) else None, weights))


def _advice(
    number: int,
    facts: PhotoFacts | None,
    found: Mapping[int, tuple[Ranked, ...]],
    host_ids: Mapping[tuple[int, KeywordPath], str | None],
) -> Advice:
    if facts is None:
        return Advice(number, AdviceState.UNKNOWN, error=f"There is no photo {number}.")
    if number in found:
        places = ((one.keyword, host_ids.get((facts.row.catalog_id, one.keyword))) for one in found[number])
        ids = {keyword: host_id for keyword, host_id in places if host_id is not None}
        return Advice(number, AdviceState.READY, found[number], host_ids=ids)
    if facts.row.error is not None:
        return Advice(number, AdviceState.FAILED, error=facts.row.error)
    return Advice(number, AdviceState.WAITING)
