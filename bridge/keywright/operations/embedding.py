"""Making sure that photos have vectors: what is new or edited is embedded, everything else is known by its content."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from keywright.encoders.base import Encoder, available_cores
from keywright.encoders.pipeline import EmbeddedPhoto, embed_files
from keywright.encoders.probing import probe
from keywright.errors import KeywrightError, reason
from keywright.operations.progress import Cancel, CancelledError, Progress, never, silent
from keywright.operations.workspace import Workspace
from keywright.renditions.base import RenditionError
from keywright.renditions.content import content_id
from keywright.store import vectors
from keywright.store.photos import PhotoRow, Stamp, record_stamps

MISSING = "the file is not there"
_SAVE_EVERY = 256  # photos; what a killed run loses at most
_MANY = 200  # photos; fewer are not worth an estimate
_LONG_SECONDS = 20.0  # what takes longer is announced
_DECODE_SECONDS = 0.01  # of a core, for a photo of a few megapixels


@dataclass(frozen=True, slots=True)
class Failure:
    """A photo that was passed over, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class EmbedReport:
    """What became of the photos asked for (files, not virtual copies, are counted)."""

    embedded: int = 0
    known: int = 0
    missing: tuple[Path, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(slots=True)
class _File:
    """One file of one or more photos (virtual copies share theirs)."""

    path: Path
    rows: list[PhotoRow]
    size: int | None = None
    mtime_ns: int | None = None
    content: str | None = None
    error: str | None = None
    stamped: bool = False  # the store holds this already

    def stamps(self) -> Iterator[Stamp]:
        for row in self.rows:
            yield Stamp(row.id, self.size, self.mtime_ns, self.content, self.error)


def embed_photos(
    workspace: Workspace, rows: Sequence[PhotoRow], progress: Progress = silent, cancel: Cancel = never
) -> EmbedReport:
    """Give every photo that can be read a content id and its picture a vector.

    Raises ``CancelledError`` when told to stop; what was embedded until then is kept.
    """
    files = _by_file(rows)
    _look(workspace, files, progress, cancel)
    encoder_id = workspace.encoder_id
    with workspace.store.read() as connection:
        known = vectors.known_contents(connection, encoder_id)
    wanted: dict[str, list[_File]] = {}
    for file in files:
        if file.content is not None and file.content not in known and file.error != MISSING:
            wanted.setdefault(file.content, []).append(file)
    failed = _embed(workspace, wanted, progress, cancel) if wanted else 0
    missing = tuple(file.path for file in files if file.error == MISSING)
    failures = tuple(Failure(file.path, file.error) for file in files if file.error and file.error != MISSING)
    embedded = len(wanted) - failed
    return EmbedReport(embedded, len(files) - embedded - len(missing) - len(failures), missing, failures)


def _by_file(rows: Sequence[PhotoRow]) -> list[_File]:
    grouped: dict[Path, list[PhotoRow]] = defaultdict(list)
    for row in rows:
        grouped[row.path].append(row)
    return [_File(path, same) for path, same in grouped.items()]


def _look(workspace: Workspace, files: Sequence[_File], progress: Progress, cancel: Cancel) -> None:
    """Find the content id of every file whose stamp is not the one in the store."""
    stage, block = "Looking at files", 512
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for start in range(0, len(files), block):
            if cancel():
                raise CancelledError("Stopped while looking at the files; the next run goes on from here.")
            part = files[start : start + block]
            list(pool.map(_look_at, part))
            fresh = [stamp for file in part if not file.stamped for stamp in file.stamps()]
            if fresh:
                with workspace.store.write() as connection:
                    record_stamps(connection, fresh)
            progress(stage, start + len(part), len(files))


def _look_at(file: _File) -> None:
    try:
        found = file.path.stat()
    except FileNotFoundError:
        file.error = MISSING
        # The content is kept: a drive that is away does not make its photos unknown.
        file.content = next((row.content_id for row in file.rows if row.content_id), None)
        file.stamped = True
        return
    except OSError as error:
        file.error = f"it cannot be read: {reason(error)}"
        return
    file.size, file.mtime_ns = found.st_size, found.st_mtime_ns
    same = [row for row in file.rows if (row.size, row.mtime_ns) == (file.size, file.mtime_ns)]
    told = next((row for row in same if row.content_id or row.error), None)
    if told is not None:
        file.content, file.error = told.content_id, told.error
        file.stamped = len(same) == len(file.rows)
        return
    try:
        file.content = content_id(file.path)
    except RenditionError as error:
        file.error = str(error)
    except OSError as error:
        file.error = f"it cannot be read: {reason(error)}"


def _embed(workspace: Workspace, wanted: dict[str, list[_File]], progress: Progress, cancel: Cancel) -> int:
    """Embed the first of each content's files; gives how many contents failed, the reason is with all their files."""
    contents, files, encoder = list(wanted), list(wanted.values()), workspace.encoder
    stage, done, failed = "Embedding photos", 0, 0
    with workspace.store.read() as connection:
        seen = set(connection.execute(select(vectors.vectors.c.content_id).distinct()).scalars())
    _name_cost(workspace, encoder, len(files))
    new: list[vectors.NewVector] = []
    stamps: list[Stamp] = []

    def save() -> None:
        with workspace.store.write() as connection:
            vectors.add_vectors(connection, encoder.id, new)
            record_stamps(connection, stamps)
        new.clear()
        stamps.clear()

    progress(stage, 0, len(files))
    try:
        for result in embed_files([same[0].path for same in files], encoder, cancel=cancel):
            content = contents[result.index]
            if isinstance(result, EmbeddedPhoto):
                new.append(vectors.NewVector(content, result.vector, result.norm))
            else:
                failed += 1
                for number, file in enumerate(files[result.index]):
                    file.error = f"it holds the same as another file: {result.reason}" if number else result.reason
                    if content not in seen:
                        # Where another encoder has seen it (a front-end sent its picture, or the file was sound then),
                        # the photo stays known, and going back to that encoder loses nothing.
                        file.content = None
                        stamps.extend(file.stamps())
            done += 1
            progress(stage, done, len(files))
            if len(new) + len(stamps) >= _SAVE_EVERY:
                save()
    finally:
        save()
    if cancel():
        raise CancelledError(f"Stopped after embedding {done} of {len(files)} photos; the next run goes on from here.")
    return failed


def seconds_for(encoder: Encoder, photos: int) -> float:
    """How long embedding so many photos takes, by the clock, judged by a few made-up pictures."""
    pixels = list(probe(encoder.view.size))
    encoder.encode(pixels[:1])
    start = time.perf_counter()
    encoder.encode(pixels)
    each = (time.perf_counter() - start) / len(pixels)
    at_once = min(getattr(encoder, "simultaneous", 1), available_cores())
    return photos * (each / at_once + _DECODE_SECONDS / available_cores())


def _name_cost(workspace: Workspace, encoder: Encoder, photos: int) -> None:
    """Say what a long run costs before it begins."""
    if photos < _MANY:
        return
    seconds = seconds_for(encoder, photos)
    if seconds >= _LONG_SECONDS:
        workspace.announce(f"{photos:,} photos to look at with the encoder {encoder.id}: {about(seconds)}.")


def about(seconds: float) -> str:
    """``about 1 min``, ``about 3 h``."""
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {round(seconds / 3600)} h"


def require_some(report: EmbedReport, source: str) -> None:
    """Raise ``KeywrightError`` where not one photo of a source could be found or read."""
    if report.embedded + report.known:
        return
    if report.missing and not report.failures:
        first = report.missing[0]
        raise KeywrightError(
            f"None of the {len(report.missing)} photos of {source} is where it should be (the first: {first}); "
            f"if they were moved, add --map OLD=NEW with the old folder and the new one."
        )
    if report.failures:
        first_failure = report.failures[0]
        raise KeywrightError(
            f"None of the {len(report.failures)} photos of {source} can be read "
            f"(the first: {first_failure.path}: {first_failure.reason})."
        )
