"""What learned keywords say in a search: those that mean what was typed are asked how sure they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from keywright.encoders.names import in_words
from keywright.keywords import KeywordPath, fold_name, with_prefixes
from keywright.learning.base import Floats, Rows
from keywright.learning.models import ModelSet
from keywright.operations.remembering import Known, Memory
from keywright.operations.workspace import Workspace
from keywright.searching.learned import directions, in_order
from keywright.store.finding import photos_refused

SAME_MEANING = 0.75
"""A learned keyword is asked from so like a meaning on (a cosine); a name that is the same is 1."""
LEAST = 0.1
"""A keyword that is less sure of a photo is no reason to show it; where not all photos are asked about, it is as if it
had not been asked, so that it makes no difference among how many others the photo was."""
_ALL_OF = 2048  # photos that are all asked about; of more the likeliest first, so many at once as _AT_ONCE
_AT_ONCE = 1024
_ENOUGH_OF = 0.01  # of those asked at once at least so many are spoken for, or nobody asks further
_LEADING = 8  # of the keywords that mean a thing, so many say which photos are likeliest: those that mean it most
_TIMES = 4  # as many photos as are wanted are asked about at least, where so many are spoken for


@dataclass(frozen=True, eq=False)
class Learned:
    """The learned keywords that mean what was typed. ``things``: for each thing that was named and that is known, the
    columns of the models that mean it, with how far they do (0 to 1)."""

    models: ModelSet
    things: Sequence[Mapping[int, float]]
    share: float  # of the things that were named are known

    @property
    def because(self) -> str:
        best = (max(meant, key=meant.__getitem__) for meant in self.things)
        return "learned keyword " + ", ".join(str(self.models.paths[column]) for column in dict.fromkeys(best))

    def ask(self, workspace: Workspace, memory: Memory, rows: Rows, limit: int) -> Floats:
        """For each photo known, shape (photos,), how sure these keywords are that it shows all the things; 0 where they
        were not asked. ``rows`` of the matrix may be asked about, so many photos are wanted as ``limit`` (0: all)."""
        known, paths = memory.known, self.models.paths
        columns = sorted({column for meant in self.things for column in meant})
        asked = self.models.part(_with_kin(paths, columns))
        places = [asked.columns[paths[column].key] for column in columns]
        place_of = {column: place for place, column in enumerate(columns)}
        own = [{place_of[column]: how for column, how in meant.items()} for meant in self.things]
        refused = np.array(list(self._refused(workspace, known, columns)), dtype=np.int64).reshape(-1, 2)
        sure = np.zeros(len(known.matrix.content_ids) + 1, dtype=np.float32)  # the last: photos without a vector
        spoken_for = 0
        for block in self._blocks(memory, rows):
            each = asked.confidences(known.matrix.matrix[block].astype(np.float32))[:, places]
            at = np.searchsorted(block, refused[:, 0]).clip(max=len(block) - 1)
            here = block[at] == refused[:, 0]
            each[at[here], refused[here, 1]] = 0
            sure[block] = self._together(each, own)
            some = int((sure[block] >= LEAST).sum())
            spoken_for += some
            if some < _ENOUGH_OF * len(block) or (limit and spoken_for >= _TIMES * limit):
                break
        if len(known.matrix.content_ids) > _ALL_OF:
            sure[sure < LEAST] = 0
        return sure[known.rows]

    def _blocks(self, memory: Memory, rows: Rows) -> Iterator[Rows]:
        """The rows to be asked about, rising, so many at once."""
        if len(rows) <= _ALL_OF:
            yield rows
            return
        nearest = [[c for _, c in sorted((-how, c) for c, how in meant.items())[:_LEADING]] for meant in self.things]
        leading = sorted({column for some in nearest for column in some})
        things = [[leading.index(column) for column in some] for some in nearest]
        along = directions(self.models, leading)
        ordered = in_order(memory.known.matrix.matrix, rows, along, things, memory.shortlist())
        for start in range(0, len(ordered), _AT_ONCE):
            yield np.sort(ordered[start : start + _AT_ONCE])

    def _together(self, sure: Floats, own: Sequence[Mapping[int, float]]) -> Floats:
        """Shape (n,) from (n, columns): of each thing the surest keyword, of the things the geometric mean."""
        each = [np.max([sure[:, c] * np.float32(how) for c, how in meant.items()], axis=0) for meant in own]
        none = np.all([one == 0 for one in each], axis=0)
        together = np.exp(np.mean(np.log(np.maximum(each, 1e-6)), axis=0)) * self.share
        together[none] = 0
        return np.asarray(together, dtype=np.float32)

    def _refused(self, workspace: Workspace, known: Known, columns: Sequence[int]) -> Iterator[tuple[int, int]]:
        """(row, place in ``columns``) of the pictures of which a person refused a keyword, or what lies above it."""
        under: dict[tuple[str, ...], list[int]] = {}
        for place, column in enumerate(columns):
            for key in with_prefixes(self.models.paths[column].key):
                under.setdefault(key, []).append(place)
        places = {number: under[path.key] for number, path in known.keywords.items() if path.key in under}
        with workspace.store.read() as connection:
            made = photos_refused(connection, places)
        for photo, keyword in made:
            at = int(np.searchsorted(known.ids, photo))
            if at < len(known.ids) and known.ids[at] == photo:
                yield from ((int(known.rows[at]), place) for place in places[keyword])


def learned_meanings(named: Sequence[str], models: ModelSet, memory: Memory) -> Learned | None:
    """The keywords that mean one of the things ``named``: by name, by synonym, or by a sentence vector much alike;
    ``None`` where none does."""
    known, paths = memory.known, models.paths
    names = [(path.name, *known.synonyms.get(path.key, ())) for path in paths]
    folded = [{fold_name(name) for name in own} for own in names]
    sentences = memory.sentences()
    alike: list[dict[int, float]] = []
    for thing in named:
        alike.append({column: 1.0 for column, own in enumerate(folded) if fold_name(thing) in own})
    if sentences is not None and names:
        flat = [name for own in names for name in own]
        owners = [column for column, own in enumerate(names) for _ in own]
        cosines: NDArray[np.float32] = in_words(list(named), sentences.without_keeping()) @ in_words(flat, sentences).T
        for number, meant in enumerate(alike):
            for place in np.flatnonzero(cosines[number] >= SAME_MEANING):
                column = owners[int(place)]
                meant[column] = max(meant.get(column, 0.0), float(cosines[number, place]))
    used = [meant for meant in alike if meant]
    return Learned(models, used, len(used) / len(named)) if used else None


def _with_kin(paths: Sequence[KeywordPath], columns: Collection[int]) -> list[int]:
    """Keywords and those above, below and beside them, which have a say in how sure they are."""
    tops = {paths[column].key[0] for column in columns}
    return [column for column, path in enumerate(paths) if path.key[0] in tops]
