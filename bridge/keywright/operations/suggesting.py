"""Suggest: from photos, folders or catalogs to suggestions with their reasons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection

from keywright.catalogs.base import RootMapping
from keywright.catalogs.walking import PHOTO_SUFFIXES
from keywright.config import Profile
from keywright.operations.active import load_models
from keywright.operations.embedding import MISSING, embed_photos
from keywright.operations.gathering import Gathered, gather
from keywright.operations.opinions import Listener
from keywright.operations.profiles import Because as Because
from keywright.operations.profiles import Ranked as Ranked
from keywright.operations.profiles import apply_profile, automatic_keywords, settings_for
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.reading import read_loose, read_source
from keywright.operations.workspace import Workspace
from keywright.platform import expanded
from keywright.store.decisions import Decision
from keywright.store.lookups import decisions_on
from keywright.store.photos import KeywordIds, PhotoRow, keywords_of, list_photos
from keywright.suggesting import Suggestion
from keywright.suggesting.suggest import Examples, suggest

_AT_ONCE = 2048  # photos; bounds the memory of a catalog of any size
_WIDENED = 50_000  # vectors kept as float32 while suggesting (256 MB at 1280 numbers); more stay float16


@dataclass(frozen=True, slots=True)
class PhotoSuggestions:
    """The suggestions for one photo (or virtual copy), surest first, or why there can be none."""

    photo: PhotoRow
    suggestions: tuple[Ranked, ...]
    error: str | None = None


def resolve(
    workspace: Workspace, targets: Sequence[str], mappings: Sequence[RootMapping] = (), progress: Progress = silent
) -> list[PhotoRow]:
    """The photos that these sources and photo files are, in order, each once.

    Raises ``KeywrightError`` where a source cannot be read.
    """
    found: dict[int, PhotoRow] = {}
    loose: list[Path] = []
    for target in targets:
        if _is_photo(target):
            loose.append(expanded(target).absolute())
            continue
        one = read_source(workspace, target, mappings, learn=False, progress=progress)
        with workspace.store.read() as connection:
            found |= {row.id: row for row in list_photos(connection, [one.catalog_id])}
    if loose:
        known = read_loose(workspace, loose)
        found |= {row.id: row for path in loose for row in known[path]}
    return list(found.values())


def _is_photo(target: str) -> bool:
    path = expanded(target)
    return path.suffix.lower() in PHOTO_SUFFIXES and not path.is_dir()


def suggest_photos(
    workspace: Workspace,
    targets: Sequence[str],
    mappings: Sequence[RootMapping] = (),
    *,
    profile: Profile,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> Iterator[PhotoSuggestions]:
    """Suggestions for every photo of the targets as a profile has them, embedding the photos that are new.

    Where its ``min_confidence`` is ``None`` each keyword has its own threshold; its ``limit`` 0 means no limit; with
    both at 0 every keyword that has a model is listed, parents too. Raises ``KeywrightError`` where nothing was learned
    yet or a target cannot be read.
    """
    models, _ = load_models(workspace)
    rows = resolve(workspace, targets, mappings, progress)
    report = embed_photos(workspace, rows, progress, cancel)
    why = {failure.path: failure.reason for failure in report.failures} | dict.fromkeys(report.missing, MISSING)
    with workspace.store.read() as connection:
        gathered = gather(workspace, connection)
        matrix = workspace.matrix(connection)
        names = KeywordIds(connection).paths()
        carried = keywords_of(connection, [row.id for row in rows])
        rows = _refreshed(connection, rows)
    carriers = gathered.data.vectors
    if len(carriers) <= _WIDENED:
        # Reasons compare every photo with all of these: widening them once saves it for each photo.
        carriers = carriers.astype(np.float32)
    examples = Examples.of(carriers, gathered.data.keywords)
    listener = Listener(workspace)
    for start in range(0, len(rows), _AT_ONCE):
        block = rows[start : start + _AT_ONCE]
        known = [row for row in block if row.content_id in matrix.rows]
        place = np.array([matrix.rows[row.content_id or ""] for row in known], dtype=np.int64)
        existing = [frozenset(names[k] for k in carried.get(row.id, ())) for row in known]
        with workspace.store.read() as connection:
            automatic = automatic_keywords(profile, connection, known)
            refused = {
                number: {names[one.keyword_id].key for one in made if one.decision is Decision.REJECTED}
                for number, made in decisions_on(connection, [row.id for row in known]).items()
            }
        settings = settings_for(profile, max(map(len, refused.values()), default=0))
        contents = [row.content_id or "" for row in known]
        heard = listener.hear(contents)
        vectors = matrix.matrix[place].astype(np.float32)
        results = suggest(models, vectors, existing, settings, examples, heard.of(contents), heard.weights)
        ranked = {
            row.id: apply_profile(
                profile,
                _ranked(found, gathered),
                {path.key for path in here} | refused.get(row.id, set()),
                automatic.get(row.id, ()),
            )
            for row, here, found in zip(known, existing, results, strict=True)
        }
        for row in block:
            if row.id in ranked:
                yield PhotoSuggestions(row, ranked[row.id])
            else:
                yield PhotoSuggestions(row, (), why.get(row.path, "there is no vector of it"))
        progress("Suggesting", start + len(block), len(rows))


def _ranked(found: Sequence[Suggestion], gathered: Gathered) -> tuple[Ranked, ...]:
    return tuple(
        Ranked(
            suggestion.keyword,
            suggestion.confidence,
            tuple(Because(gathered.paths[reason.row], reason.similarity) for reason in suggestion.because),
            suggestion.keyword,
            suggestion.sources,
            suggestion.new,
        )
        for suggestion in found
    )


def _refreshed(connection: Connection, rows: Sequence[PhotoRow]) -> list[PhotoRow]:
    """The same photos with the content ids that embedding has found."""
    by_id = {row.id: row for row in list_photos(connection, sorted({row.catalog_id for row in rows}))}
    return [by_id.get(row.id, row) for row in rows]
