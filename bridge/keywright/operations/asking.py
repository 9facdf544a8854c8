"""Asking: the photos whose answer would teach the models most."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keywright.keywords import KeywordPath, KeywordTree, fold_name, with_prefixes
from keywright.learning.base import Rows
from keywright.learning.models import ModelSet
from keywright.learning.uncertain import Question, uncertain
from keywright.operations.progress import Progress, silent
from keywright.operations.registering import NotFoundError
from keywright.operations.workspace import Workspace
from keywright.store.decisions import Decision, list_decisions
from keywright.store.photos import KeywordIds, keywords_of, list_photos

LEAST_VALUE = 0.02
"""Answers that teach less are not asked for: the models are at least 99 % sure of them already."""
_AT_ONCE = 4096  # photos; bounds the memory of a catalog of any size


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: does this photo carry this keyword?"""

    photo_id: int
    path: Path
    keyword: KeywordPath
    confidence: float
    value: float  # 0 to 1: how much the answer teaches


def ask(
    workspace: Workspace,
    models: ModelSet,
    keyword: str | None = None,
    *,
    limit: int = 20,
    progress: Progress = silent,
) -> list[Asked]:
    """At most ``limit`` questions for these models, most telling first, each on another photo, of a burst one frame.

    All photos with a vector are looked at, also those whose files are away; what a photo carries, or a person decided
    on it, is not asked. ``keyword``, a path or the name at its end, asks about that one alone. Raises
    ``NotFoundError`` for a keyword that has no model.
    """
    wanted = None if keyword is None else find_keyword(models.paths, keyword)
    with workspace.store.read() as connection:
        matrix = workspace.matrix(connection)
        rows = [row for row in list_photos(connection) if row.content_id in matrix.rows and not row.rejected]
        names = KeywordIds(connection).paths()
        carried = keywords_of(connection, [row.id for row in rows])
        decisions = list_decisions(connection)
    content_of = {row.id: row.content_id or "" for row in rows}
    shown = {content_of[row.id]: row for row in reversed(rows)}  # of photos with the same picture the first
    known: dict[str, set[int]] = {content: set() for content in shown}
    for row in rows:
        for number in carried.get(row.id, ()):
            known[content_of[row.id]].update(_answered(models, names[number], carried=True))
    for one in decisions:
        if one.photo_id in content_of:
            accepted = one.decision is Decision.ACCEPTED
            known[content_of[one.photo_id]].update(_answered(models, names[one.keyword_id], carried=accepted))

    def questions(contents: Sequence[str]) -> list[Question]:
        vectors = matrix.matrix[[matrix.rows[content] for content in contents]].astype(np.float32)
        answered = _columns([known[content] for content in contents], len(models.keywords))
        confidences = models.confidences(vectors)
        found = uncertain(models.paths, confidences, vectors, answered, list(models.photos), limit, wanted)
        return [question for question in found if question.value >= LEAST_VALUE]

    contents = sorted(shown, key=matrix.rows.__getitem__)
    best: list[str] = []
    for start in range(0, len(contents), _AT_ONCE):
        block = contents[start : start + _AT_ONCE]
        best += [block[question.row] for question in questions(block)]
        progress("Looking at photos", start + len(block), len(contents))
    if not best:
        return []
    return [
        Asked(
            shown[best[question.row]].id,
            shown[best[question.row]].path,
            question.keyword,
            question.confidence,
            question.value,
        )
        for question in questions(best)
    ]


def _answered(models: ModelSet, path: KeywordPath, *, carried: bool) -> list[int]:
    """Columns that are known of a photo that carries this keyword (with all above it), or was refused it (with all
    below it)."""
    if carried:
        return [models.columns[key] for key in with_prefixes(path.key) if key in models.columns]
    column = models.columns.get(path.key)
    return [] if column is None else list(range(column, int(models.tree.ends[column])))


def _columns(known: Sequence[set[int]], keywords: int) -> list[Rows]:
    """For each keyword the rows of which it is known."""
    found: list[list[int]] = [[] for _ in range(keywords)]
    for row, columns in enumerate(known):
        for column in columns:
            found[column].append(row)
    return [np.array(rows, dtype=np.int64) for rows in found]


def find_keyword(paths: Sequence[KeywordPath], text: str) -> KeywordPath:
    """The keyword that a person means by its path or by the name at its end, case aside.

    Raises ``NotFoundError`` where there is none, naming those that are spelled alike, or more than one.
    """
    tree = KeywordTree(paths)
    try:
        exact = tree.find(KeywordPath.parse(text))
    except ValueError:
        exact = None
    named = tree.named(text)
    if exact is not None or len(named) == 1:
        return exact or named[0]
    if named:
        raise NotFoundError(
            f"There are {len(named)} keywords called {text}: {', '.join(map(str, named))}; name one with its path."
        )
    near = _near(paths, text)
    hint = f"did you mean {', '.join(map(str, near))}?" if near else "`keywright keywords list` shows those there are."
    raise NotFoundError(f"There is no keyword {text} with a model; {hint}")


def _near(paths: Sequence[KeywordPath], text: str, most: int = 3) -> list[KeywordPath]:
    """Keywords whose name or path is spelled nearly like the text, or whose name begins with it."""
    spelled: dict[str, list[KeywordPath]] = {}
    for path in paths:
        for name in {path.name, str(path)}:
            spelled.setdefault(fold_name(name), []).append(path)
    last = text.rpartition("|")[2]
    close = [
        path
        for tried in (text, last)
        for name in difflib.get_close_matches(fold_name(tried), spelled, n=most)
        for path in spelled[name]
    ]
    return list(dict.fromkeys((*close, *KeywordTree(paths).search(last, most))))[:most]
