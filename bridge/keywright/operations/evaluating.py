"""Evaluate: learn from one part of a catalog's keyworded photos, and see how good the suggestions are on the others."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keywright.catalogs.base import RootMapping
from keywright.errors import KeywrightError, reason
from keywright.keywords import KeywordPath, with_ancestors
from keywright.learning.evaluation import Evaluation, evaluate
from keywright.learning.settings import LearnerSettings
from keywright.learning.training import train
from keywright.operations.embedding import embed_photos, require_some
from keywright.operations.gathering import gather
from keywright.operations.naming import with_names
from keywright.operations.progress import Progress, silent
from keywright.operations.reading import read_source
from keywright.operations.workspace import Workspace
from keywright.store.photos import KeywordIds, PhotoRow, keywords_of, list_photos


@dataclass(frozen=True, slots=True)
class Split:
    """Which photos are learned from and which are judged, by the end of their path; the judged ones' keywords where
    the file names them."""

    train: frozenset[str]
    test: frozenset[str]
    truth: Mapping[str, frozenset[KeywordPath]]


def read_split(file: Path) -> Split:
    """A CSV with the columns ``path`` and ``split`` (train or test), and ``keywords`` (``A|B;C``) if it likes.

    Raises ``KeywrightError`` where it is none.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KeywrightError(f"The split file {file} cannot be read: {reason(error)}.") from error
    if not rows or not {"path", "split"} <= rows[0].keys():
        raise KeywrightError(
            f"The split file {file} needs the columns path and split (train or test) in its first line."
        )
    parts: dict[str, set[str]] = {"train": set(), "test": set()}
    truth: dict[str, frozenset[KeywordPath]] = {}
    for number, row in enumerate(rows, 2):
        if row["split"] not in parts:
            raise KeywrightError(f"Line {number} of {file} has the split {row['split']!r}; it must be train or test.")
        parts[row["split"]].add(row["path"])
        if row["split"] == "test" and row.get("keywords") is not None:
            truth[row["path"]] = frozenset(KeywordPath.parse(text) for text in row["keywords"].split(";") if text)
    return Split(frozenset(parts["train"]), frozenset(parts["test"]), truth)


def evaluate_source(
    workspace: Workspace,
    source: str,
    mappings: Sequence[RootMapping] = (),
    *,
    holdout: float = 0.3,
    split: Split | None = None,
    settings: LearnerSettings | None = None,
    progress: Progress = silent,
) -> Evaluation:
    """Learn from a part and judge on the rest; the active models stay as they are.

    Without ``split``, ``holdout`` of the keyworded photos are held back, chosen by their content, so the same ones
    each time. The keywords of the photos held back are not read before the models are finished. Raises
    ``KeywrightError`` where the source cannot be read or one of the parts is empty.
    """
    one = read_source(workspace, source, mappings, learn=False, progress=progress)
    with workspace.store.read() as connection:
        rows = list_photos(connection, [one.catalog_id])
    require_some(embed_photos(workspace, rows, progress), source)
    with workspace.store.read() as connection:
        rows = [row for row in list_photos(connection, [one.catalog_id]) if row.content_id and not row.copy_of]
        if split is None:
            keyworded = keywords_of(connection, [row.id for row in rows])
            rows = [row for row in rows if row.id in keyworded]
            test = {row.id: "" for row in rows if _share(row.content_id or "") < holdout}
            training = [row for row in rows if row.id not in test]
        else:
            named = _named(rows, split)
            test = {number: name for number, name in named.items() if name in split.test}
            training = [row for row in rows if named.get(row.id) in split.train]
        judged = [row for row in rows if row.id in test]
        if not training or not judged:
            raise KeywrightError(
                f"There is nothing to evaluate in {source}: {len(training)} keyworded photos to learn from and "
                f"{len(judged)} to judge; both must be more than none."
            )
        held_back = {row.content_id for row in judged}
        only = [row.content_id or "" for row in training if row.content_id not in held_back]
        gathered = gather(workspace, connection, only=only, catalog_id=one.catalog_id)
        matrix = workspace.matrix(connection)
    progress("Learning keywords", 0, 1)
    data = with_names(workspace, gathered.data)
    models = train(data, settings or LearnerSettings()).models
    progress("Learning keywords", 1, 1)
    place = [matrix.rows[row.content_id or ""] for row in judged if row.content_id in matrix.rows]
    judged = [row for row in judged if row.content_id in matrix.rows]
    confidences = models.confidences(np.asarray(matrix.matrix[place], dtype=np.float32))
    carried = _truth(workspace, judged, split, test)
    truth = np.zeros(confidences.shape, dtype=np.bool_)
    for n, paths in enumerate(carried):
        for path in with_ancestors(paths):
            column = models.columns.get(path.key)
            if column is not None:
                truth[n, column] = True
    assigned = {path.key for paths in carried for path in paths}
    own = np.array([path.key in assigned for path in models.paths], dtype=np.bool_)
    return evaluate(models.paths, confidences, truth, models.thresholds, models.photos, own)


def _truth(
    workspace: Workspace, judged: Sequence[PhotoRow], split: Split | None, test: Mapping[int, str]
) -> list[frozenset[KeywordPath]]:
    with workspace.store.read() as connection:
        names = KeywordIds(connection).paths()
        carried = keywords_of(connection, [row.id for row in judged])
    found = []
    for row in judged:
        own = frozenset(names[k] for k in carried.get(row.id, ()))
        found.append(own if split is None else split.truth.get(test[row.id], own))
    return found


def _named(rows: Sequence[PhotoRow], split: Split) -> dict[int, str]:
    """For each photo the path in the split file that its own path ends with."""
    listed = split.train | split.test
    named = {}
    for row in rows:
        parts = row.path.parts
        ends = ("/".join(parts[start:]).replace("//", "/") for start in range(len(parts)))
        name = next((end for end in ends if end in listed), None)
        if name is not None:
            named[row.id] = name
    return named


def _share(content_id: str) -> float:
    """A number in [0, 1) that is always the same for the same picture."""
    return int.from_bytes(hashlib.blake2b(content_id.encode(), digest_size=4).digest(), "big") / 2**32
