"""What a search reads of the store, kept between searches by a process that answers many.

Whatever is written to the store, by whichever process, makes it be read anew; what is slow to make of the vectors is
made anew only when they are others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.kept_sentences import KeptSentences
from keywright.keywords import KeywordPath
from keywright.learning.base import ClassHead
from keywright.learning.models import ModelSet
from keywright.operations.active import ModelsInUse
from keywright.operations.naming import head_of, sentences_of
from keywright.operations.workspace import Workspace
from keywright.searching.shortlist import Shortlist
from keywright.searching.words import Texts
from keywright.store.captions import list_captions
from keywright.store.finding import Place, list_places
from keywright.store.models import active_version
from keywright.store.photos import KeywordIds, list_keywords
from keywright.store.vectors import VectorMatrix

LARGE = 20_000
"""From so many vectors on, those that come first are found by a shortlist."""


@dataclass(frozen=True, eq=False, slots=True)
class Known:
    """All photos that may be found, in the order of entry, and what is written of them; arrays are of their number."""

    places: Sequence[Place]
    ids: NDArray[np.int64]
    rows: NDArray[np.int64]  # in the matrix; -1: there is no vector
    names: Texts  # and the folders that tell a catalog's photos apart
    captions: Texts
    keywords: Mapping[int, KeywordPath]
    keyword_names: Texts  # with what lies above them, and their synonyms; in the order of ``keywords``
    synonyms: Mapping[tuple[str, ...], Sequence[str]]
    matrix: VectorMatrix
    learned: bool


class Memory:
    """One for a workspace and a thread. ``lasting``: for a process that answers many searches."""

    def __init__(self, workspace: Workspace, *, lasting: bool = False) -> None:
        self._workspace = workspace
        self._lasting = lasting
        self._models = ModelsInUse(workspace)
        self._known: Known | None = None
        self._generation: int | None = None
        self._shortlist: tuple[str, Sequence[str], Shortlist] | None = None
        self._sentences: KeptSentences | None = None
        self._head: tuple[str, ClassHead | None] | None = None

    def look(self) -> Known:
        """What there is now; ``known`` stays this until the next look."""
        generation = self._workspace.store.generation()
        if self._known is None or self._generation != generation:
            self._known = None  # two at once would take twice the memory
            self._known, self._generation = self._read(), generation
        return self._known

    @property
    def known(self) -> Known:
        return self._known or self.look()

    def models(self) -> ModelSet | None:
        """The models that suggest, where there are any and they are of the encoder in use."""
        if not self.known.learned:
            return None
        models = self._models.current().models
        return models if models.encoder_id == self.known.matrix.encoder_id else None

    def head(self, models: ModelSet | None) -> ClassHead | None:
        """The classifier of the encoder in use."""
        if models is not None and models.features.points.head is not None:
            return models.features.points.head
        encoder = self._workspace.encoder
        if self._head is None or self._head[0] != encoder.id:
            self._head = encoder.id, head_of(encoder, self.known.matrix.norms)
        return self._head[1]

    def sentences(self) -> KeptSentences | None:
        """The sentence encoder with what it remembers; ``None`` where the extra ``text`` is not installed."""
        if self._sentences is None:
            self._sentences = sentences_of(self._workspace)
        return self._sentences

    def shortlist(self) -> Shortlist | None:
        """Of the matrix, where it is large and there will be other searches."""
        matrix = self.known.matrix
        if not self._lasting or len(matrix.content_ids) < LARGE:
            return None
        kept = self._shortlist
        if kept is None or kept[0] != matrix.encoder_id or kept[1] != matrix.content_ids:
            self._shortlist = kept = matrix.encoder_id, matrix.content_ids, Shortlist(matrix.matrix)
        return kept[2]

    def _read(self) -> Known:
        with self._workspace.store.read() as connection:
            places = list_places(connection)
            matrix = self._workspace.matrix(connection)
            captions = list_captions(connection)
            keywords = KeywordIds(connection).paths()
            synonyms = {k.path.key: k.synonyms for k in list_keywords(connection, learned_only=False)}
            learned = active_version(connection) is not None
        tops = _common_folders(places)
        return Known(
            places,
            np.array([place.id for place in places], dtype=np.int64),
            np.array([matrix.rows.get(place.content_id or "", -1) for place in places], dtype=np.int64),
            Texts([place.path[tops[place.catalog_id] :] for place in places]),
            Texts([captions.get(place.id, "") for place in places]),
            keywords,
            Texts([" ".join((*path.parts, *synonyms.get(path.key, ()))) for path in keywords.values()]),
            synonyms,
            matrix,
            learned,
        )


def _common_folders(places: Sequence[Place]) -> dict[int, int]:
    """For each catalog the length of what the paths of all its photos begin with, whole folders: it tells nothing."""
    first, last = dict[int, str](), dict[int, str]()
    for _, number, path, _ in places:
        if number not in first:
            first[number] = last[number] = path
        elif path < first[number]:
            first[number] = path
        elif path > last[number]:
            last[number] = path
    found = {}
    for number, one in first.items():
        same = 0
        while same < min(len(one), len(last[number])) and one[same] == last[number][same]:
            same += 1
        found[number] = max(one.rfind("/", 0, same), one.rfind("\\", 0, same)) + 1
    return found
