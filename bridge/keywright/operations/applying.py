"""Apply, undo, history: what was chosen (``picking``) goes into the files; the journal takes it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from keywright import writeback
from keywright.config import load_config
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile
from keywright.operations.picking import Chosen
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.workspace import Workspace
from keywright.store import decisions as decided
from keywright.store.intents import closed_before, forget_before_images
from keywright.store.journal import Entry
from keywright.store.lookups import photos_by_id
from keywright.store.photos import KeywordIds, photos_at
from keywright.store.timeline import taken_out
from keywright.writeback import (
    BatchReport,
    BatchSummary,
    FileSettings,
    FileTimes,
    HardLinks,
    Journal,
    RecoveryReport,
    WriteBackPlan,
)
from keywright.writeback.base import Progress as WriteProgress
from keywright.writeback.base import Target
from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
from keywright.writeback.digikam_settings import MetadataSettings, read_settings, settings_file


def dry_run(chosen: Chosen, profile: SidecarProfile, progress: Progress = silent) -> WriteBackPlan:
    """What would be written where; nothing is touched."""
    with _targets(profile, Path(), chosen.digikam, chosen.private) as targets:
        return writeback.plan(chosen.decisions, targets, _told(progress, "Planning"))


def apply(
    workspace: Workspace,
    chosen: Chosen,
    profile: SidecarProfile,
    *,
    label: str,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> BatchReport:
    """Write what was chosen as one batch. Raises ``KeywrightError`` where it cannot be begun.

    That a keyword is written by its confidence alone is kept with the journal's intent to write it: no kill in between
    lets it teach as if a person had given it.
    """
    alone = _by_photo(workspace, chosen.alone)

    def remember(connection: Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            added = {KeywordPath.parse(text).key for text in entry.intent.added_keywords}
            pairs = {pair for photo in entry.intent.photos for pair, key in alone.get(photo, ()) if key in added}
            decided.record_written(connection, entry.batch_id, sorted(pairs))

    with _targets(profile, _backups(workspace), chosen.digikam, chosen.private) as targets:
        report = writeback.apply(
            chosen.decisions,
            journal(workspace),
            targets,
            label=label,
            progress=_told(progress, "Writing"),
            cancel=cancel,
            alongside=remember,
        )
    if chosen.digikam and report.batch_id is not None:
        report.warnings += digikam_settings().warnings()
    return report


def _by_photo(
    workspace: Workspace, alone: Sequence[tuple[int, int]]
) -> dict[str, list[tuple[tuple[int, int], tuple[str, ...]]]]:
    """By the photo's path: (photo id, keyword id) and the keyword's key."""
    found: dict[str, list[tuple[tuple[int, int], tuple[str, ...]]]] = {}
    if not alone:
        return found
    with workspace.store.read() as connection:
        rows = photos_by_id(connection, sorted({photo for photo, _ in alone}))
        names = KeywordIds(connection).paths()
    for photo, keyword in alone:
        if photo in rows:
            found.setdefault(str(rows[photo].path), []).append(((photo, keyword), names[keyword].key))
    return found


def _forget_taken_out(connection: Connection, entry_ids: Sequence[int]) -> None:
    """What was not written, or was taken out, is no longer known as Keywright's own: a person may give it by now."""
    for batch_id, paths in taken_out(connection, entry_ids):
        rows = [row.id for found in photos_at(connection, [Path(path) for path in paths]).values() for row in found]
        decided.forget_written(connection, batch_id, rows)


def undo(
    workspace: Workspace,
    batch_id: str | None,
    photos: Sequence[Path] | None = None,
    *,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> BatchReport:
    """Take out what a batch (the newest, for ``None``) wrote. Raises ``KeywrightError`` where there is none."""
    with _targets(SidecarProfile.PLAIN, _backups(workspace)) as targets:
        return writeback.undo(
            batch_id,
            journal(workspace),
            targets,
            photos=photos,
            progress=_told(progress, "Undoing"),
            cancel=cancel,
        )


def history(workspace: Workspace, limit: int | None = None) -> list[BatchSummary]:
    """The batches, newest first."""
    return writeback.history(journal(workspace), limit)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What the journal no longer holds. Undoing ``batches`` still takes out what Keywright wrote and nothing else, but
    cannot give files back byte for byte any more."""

    batches: tuple[str, ...]
    targets: int  # files and rows of which the old content was dropped
    freed: int  # bytes


def forget_before(workspace: Workspace, moment: datetime) -> Forgotten:
    """Drop the old contents that the journal keeps of batches that ended before ``moment``, and never those of batches
    that are open or have something left to be looked at."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    recover(workspace)
    with journal(workspace).alone(), workspace.store.write() as connection:
        batches, targets, freed = forget_before_images(connection, closed_before(connection, text))
    return Forgotten(tuple(batches), targets, freed)


def recover(workspace: Workspace) -> list[RecoveryReport]:
    """Settle what a killed process left; cheap where there is nothing."""
    with _targets(SidecarProfile.PLAIN, _backups(workspace)) as targets:
        return writeback.recover(journal(workspace), targets)


def journal(workspace: Workspace) -> Journal:
    return Journal(workspace.store, _forget_taken_out)


def digikam_settings() -> MetadataSettings:
    """What digiKam's user has set for metadata on this machine."""
    return read_settings(settings_file())


@contextmanager
def _targets(
    profile: SidecarProfile,
    backups: Path,
    digikam: Mapping[Path, tuple[DatabasePhoto, ...]] | None = None,
    private: frozenset[KeywordPath] = frozenset(),
) -> Iterator[Mapping[str, Target[Any]]]:
    """Files first, then rows: where the rows fail, digiKam can still read the keywords from the files."""
    of_digikam, wishes = digikam or {}, digikam_settings()

    def own(photo: Path, siblings: Sequence[str]) -> tuple[SidecarProfile, ...]:
        return wishes.profiles(photo, siblings) if photo in of_digikam else ()

    chosen = load_config().files
    times, links = FileTimes(chosen.times), HardLinks(chosen.hard_links)
    settings = FileSettings(profile=profile, times=times, hard_links=links, own=own, private=private)
    with DigikamTarget(of_digikam, backups) as rows:
        yield {**writeback.file_targets(settings), rows.kind: rows}


def _backups(workspace: Workspace) -> Path:
    return workspace.home.folder / "backups"


def _told(progress: Progress, stage: str) -> WriteProgress:
    def tell(done: int, total: int, path: Path) -> None:
        del path
        progress(stage, done, total)

    return tell
