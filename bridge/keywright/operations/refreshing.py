"""Keeping the stored suggestions in step with the models: what the review pages list is made here, in the background.

Scoring a collection takes a minute, a page may take a second; so every photo's suggestions are kept in the store and
made anew only where the models, the photo's picture or its keywords have changed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select, update

from keywright.keywords import KeywordPath, with_prefixes
from keywright.learning.base import Floats
from keywright.learning.hierarchy import Tree
from keywright.learning.models import ModelSet
from keywright.operations.active import load_models
from keywright.operations.opinions import NOTHING, Heard, Listener
from keywright.operations.progress import Cancel, CancelledError, Progress, never, silent
from keywright.operations.staleness import FORM, made_from
from keywright.operations.workspace import Workspace
from keywright.store.models import active_mark
from keywright.store.photos import KeywordIds, keywords_of, photos, vocabulary_mark
from keywright.store.providers import answer_marks, new_keywords_allowed
from keywright.store.suggestions import (
    KeptState,
    SuggestionRow,
    closed_keywords,
    forget_suggestions,
    keep_state,
    known_bases,
    replace_suggestions,
    suggested_photos,
)
from keywright.store.thresholds import thresholds_mark
from keywright.store.vectors import VectorMatrix
from keywright.suggesting.combining import BAR
from keywright.suggesting.judging import Judged, judge, others, speaking

MARGIN = 0.6
"""Suggestions are kept down to this share of their keyword's threshold, to be shown when somebody asks for more."""
LEAST = 0.05
MOST = 40
"""Suggestions kept of one photo, the surest."""
BURST_SECONDS = 60.0
BURST_LIKENESS = 0.80
"""Cosine of the vectors of two frames taken within ``BURST_SECONDS`` of each other that are one scene."""
SAME_LIKENESS = 0.95
"""Cosine from which two photos are near-duplicates, whenever they were taken."""
_LEADERS = 8  # groups that a photo is compared with: those begun last before it
_AT_ONCE = 512  # photos of one transaction: others wait no longer than for these


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What one refreshing did."""

    photos: int  # with a vector
    scored: int  # of them anew
    suggestions: int  # at or above their threshold, on those scored anew
    version: int | None


@dataclass(frozen=True, slots=True)
class _Photo:
    id: int
    content: str
    basis: str
    folder: str
    path: str
    taken: str | None


def refresh(workspace: Workspace, progress: Progress = silent, cancel: Cancel = never) -> RefreshReport:
    """Make the stored suggestions what the active models say now; what is in step already is left.

    Raises ``CancelledError`` when told to stop (what was done until then is kept) and ``KeywrightError`` where the
    active models do not go with the encoder in use.
    """
    begun = time.monotonic()
    with workspace.store.read() as connection:
        before = active_mark(connection)
    if before is None:
        return RefreshReport(0, 0, 0, None)
    models, version = load_models(workspace)
    listener = Listener(workspace)
    with workspace.store.read() as connection:
        sources = made_from(connection, workspace.encoder_id)
        matrix = workspace.matrix(connection)
        mark = f"{version} {before.content} {thresholds_mark(connection)}"
        said = _said(connection, listener)
        everything = [one for one in _photos(connection, mark, said) if one.content in matrix.rows]
        known = known_bases(connection)
    progress("Grouping photos", 0, len(everything))
    groups = grouped(everything, matrix)
    stale = [one for one in everything if known.get(one.id, ("", 0))[0] != one.basis]
    scored = _score(workspace, models, matrix, _Hearing(listener, said.keys()), stale, groups, progress, cancel)
    here = {one.id for one in everything}
    rescored = {one.id for one in stale}
    moved = {n: groups[n] for n in here - rescored if known[n][1] != groups[n]}
    with workspace.store.write() as connection:
        _regroup(connection, moved)
        forget_suggestions(connection, [number for number in known if number not in here])
        seen = {
            "sources": sources,
            "content": before.content,
            "ended": time.time(),
            "took": round(time.monotonic() - begun, 3),
        }
        keep_state(connection, KeptState(version, json.dumps(seen)))
    return RefreshReport(len(everything), len(stale), scored, version)


def _said(connection: Connection, listener: Listener) -> dict[str, str]:
    """By content id, for each picture that was described: another text once what is heard of it is something else.

    So one more description makes one photo's suggestions anew, and not those of all that were ever described.
    """
    answers = answer_marks(connection)
    if not answers:
        return {}
    weights = listener.hear([next(iter(answers))]).weights
    counts = sorted((name, round(one.said, 2), round(one.silent, 2)) for name, one in weights.items())
    allowed = sorted(new_keywords_allowed(connection).items())
    heard = f"{allowed} {vocabulary_mark(connection)} {counts}"
    return {content: f"{mark} {heard}" for content, mark in answers.items()}


class _Hearing(NamedTuple):
    """Who is listened to, and the content ids of the pictures of which something was said."""

    listener: Listener
    described: Collection[str]

    def hear(self, content_ids: Iterable[str]) -> Heard:
        asked = [content for content in dict.fromkeys(content_ids) if content in self.described]
        return self.listener.hear(asked) if asked else NOTHING


def _photos(connection: Connection, mark: str, said: Mapping[str, str]) -> list[_Photo]:
    """All photos that could be suggested for, with what their suggestions are to be made from; ``said`` by content."""
    chosen = select(photos.c.id, photos.c.content_id, photos.c.links, photos.c.path, photos.c.taken).where(
        photos.c.gone.is_(False), photos.c.rejected.is_(False), photos.c.content_id.is_not(None)
    )
    found = []
    for number, content, links, path, taken in connection.execute(chosen.order_by(photos.c.id)):
        made_of = f"{FORM} {mark} {content} {links} {said.get(content, '')}"
        basis = hashlib.blake2b(made_of.encode(), digest_size=8).hexdigest()
        folder = path[: max(path.rfind("/"), path.rfind("\\"))]
        found.append(_Photo(int(number), content, basis, folder, path, taken))
    return found


def grouped(everything: Sequence[_Photo], matrix: VectorMatrix) -> dict[int, int]:
    """For each photo the first one of its group: the frames of a burst, and near-duplicates beside each other.

    In the order in which they were taken, folder by folder, each photo is compared with the first photo of the groups
    begun last; so a slow walk from one scene to the next does not become one group.
    """
    found: dict[int, int] = {}
    leaders: list[tuple[_Photo, Floats]] = []
    folder, before = None, None
    for one in sorted(everything, key=lambda p: (p.folder, p.taken or "", p.path)):
        if one.folder != folder:
            folder, leaders, before = one.folder, [], None
        vector = matrix.matrix[matrix.rows[one.content]].astype(np.float32)
        soon = before is not None and _soon(before, one)
        for place, (leader, other) in enumerate(reversed(leaders)):
            if float(vector @ other) >= (BURST_LIKENESS if soon and place == 0 else SAME_LIKENESS):
                found[one.id] = leader.id
                break
        else:
            found[one.id] = one.id
            leaders = [*leaders[1 - _LEADERS :], (one, vector)]
        before = one
    return found


def _soon(before: _Photo, after: _Photo) -> bool:
    if before.taken is None or after.taken is None:
        return False
    try:
        apart = datetime.fromisoformat(after.taken) - datetime.fromisoformat(before.taken)
    except (ValueError, TypeError):
        return False
    return abs(apart) <= timedelta(seconds=BURST_SECONDS)


def _score(
    workspace: Workspace,
    models: ModelSet,
    matrix: VectorMatrix,
    hearing: _Hearing,
    stale: Sequence[_Photo],
    groups: Mapping[int, int],
    progress: Progress,
    cancel: Cancel,
) -> int:
    if not stale:
        return 0
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        columns = [ids.id(path) for path in models.paths]  # parents may have none yet
    bars = models.thresholds.copy()
    bars[(models.photos < models.min_photos) & ~models.chosen] = np.inf
    number = 0
    for start in range(0, len(stale), _AT_ONCE):
        if cancel():
            raise CancelledError(
                f"Stopped after {start} of {len(stale)} photos; the next refreshing goes on from here."
            )
        part = stale[start : start + _AT_ONCE]
        block = matrix.matrix[[matrix.rows[one.content] for one in part]].astype(np.float32)
        judged = _judged(models, block, bars, hearing.hear(one.content for one in part), part)
        with workspace.store.write() as connection:
            ids = KeywordIds(connection)
            paths = ids.paths()
            carried = _carried(connection, part, paths)
            closed = closed_keywords(connection, [one.id for one in part], paths)
            kept = worth_keeping(models.tree, judged.confidences, judged.bars, _taken(models, carried))
            rows = [
                SuggestionRow(
                    part[row].id,
                    columns[column],
                    float(judged.confidences[row, column]),
                    sure,
                    models.paths[column].key not in closed.get(part[row].id, ()),
                    judged.sources(row, column),
                )
                for row, column, sure in kept
            ]
            rows += [
                SuggestionRow(
                    part[row].id,
                    ids.id(one.keyword),
                    one.confidence,
                    one.confidence >= BAR,
                    one.keyword.key not in closed.get(part[row].id, ()),
                    one.sources,
                    one.new,
                )
                for row, heard in judged.heard.items()
                for one in others(heard.beyond, carried[row], max(BAR * MARGIN, LEAST))[:MOST]
                # A new keyword that hardly anybody is sure of is not worth a name in the store.
                if one.confidence >= BAR or not one.new
            ]
            replace_suggestions(connection, {one.id: (one.basis, groups[one.id]) for one in part}, rows)
        number += sum(row.sure for row in rows)
        progress("Suggesting", start + len(part), len(stale))
    return number


class _Block(NamedTuple):
    """Some photos, judged: arrays of shape (n, k), ``bars`` maybe (k,); ``heard`` are those that were described."""

    confidences: Floats
    bars: Floats
    names_said: Floats
    heard: Mapping[int, Judged]

    def sources(self, row: int, column: int) -> tuple[str, ...]:
        describers = self.heard[row].describers.get(column, ()) if row in self.heard else ()
        return speaking(describers, float(self.names_said[row, column]))


def _judged(models: ModelSet, block: Floats, bars: Floats, heard: Heard, part: Sequence[_Photo]) -> _Block:
    names_said = np.zeros((len(block), len(models.keywords)), dtype=np.float32)
    confidences = models.confidences(block, names_said=names_said)
    described = {
        row: judge(models, confidences[row], bars, said, heard.weights)
        for row, one in enumerate(part)
        if (said := heard.said.get(one.content))
    }
    if described:
        bars = np.tile(bars, (len(block), 1))
    for row, one in described.items():
        confidences[row], bars[row] = one.confidences, one.bars
    return _Block(confidences, bars, names_said, described)


def worth_keeping(
    tree: Tree, confidences: Floats, bars: Floats, taken: NDArray[np.bool_]
) -> Iterator[tuple[int, int, bool]]:
    """(row, column, whether it is at its bar) of what is kept; confidences and ``taken`` (n, k), ``bars`` too or (k,).

    Of what reaches its bar the most specific keywords; and a margin below, those with nothing kept under them.
    """
    sure = (confidences >= bars) & ~taken
    near = (confidences >= np.maximum(bars * MARGIN, LEAST)) & ~taken
    first = sure & ~_under(tree, sure)
    second = near & ~sure & ~_under(tree, near | sure)
    for row in range(len(confidences)):
        kept = np.flatnonzero(first[row] | second[row])
        for column in kept[np.argsort(-confidences[row, kept], kind="stable")][:MOST]:
            yield row, int(column), bool(first[row, column])


def _under(tree: Tree, passes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether anything below a keyword passes, shape (n, k)."""
    before = np.zeros((len(passes), passes.shape[1] + 1), dtype=np.int32)
    np.cumsum(passes, axis=1, out=before[:, 1:])
    own = np.arange(passes.shape[1])
    found: NDArray[np.bool_] = before[:, tree.ends] > before[:, own + 1]
    return found


def _carried(
    connection: Connection, part: Sequence[_Photo], paths: Mapping[int, KeywordPath]
) -> list[set[tuple[str, ...]]]:
    """For each photo the keys of the keywords it carries and of those above them."""
    found = keywords_of(connection, [one.id for one in part])
    return [{key for k in found.get(one.id, ()) for key in with_prefixes(paths[k].key)} for one in part]


def _taken(models: ModelSet, carried: Sequence[set[tuple[str, ...]]]) -> NDArray[np.bool_]:
    """The columns of these keys, photo by photo, shape (n, k)."""
    taken = np.zeros((len(carried), len(models.keywords)), dtype=bool)
    for row, keys in enumerate(carried):
        for key in keys:
            column = models.columns.get(key)
            if column is not None:
                taken[row, column] = True
    return taken


def _regroup(connection: Connection, moved: Mapping[int, int]) -> None:
    for number, group in moved.items():
        this = suggested_photos.c.photo_id == number
        connection.execute(update(suggested_photos).where(this).values(group_id=group))
