"""Apply, undo, history: what was accepted or is sure enough goes into the files; the journal takes it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from keywright import writeback
from keywright.catalogs.base import CatalogKind, RootMapping
from keywright.config import EVERYTHING, Profile, load_config
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile
from keywright.operations.profiles import automatic_keywords
from keywright.operations.progress import Cancel, Progress, never, silent
from keywright.operations.suggesting import resolve, suggest_photos
from keywright.operations.workspace import Workspace
from keywright.store import decisions as decided
from keywright.store.intents import closed_before, forget_before_images
from keywright.store.journal import Entry
from keywright.store.lookups import photos_by_id
from keywright.store.photos import (
    KeywordIds,
    PhotoRow,
    keywords_of,
    list_catalogs,
    list_keywords,
    list_photos,
    photos_at,
)
from keywright.writeback import (
    AcceptedKeyword,
    BatchReport,
    BatchSummary,
    FileSettings,
    FileTimes,
    HardLinks,
    Journal,
    PhotoDecisions,
    RecoveryReport,
    WriteBackPlan,
)
from keywright.writeback.base import Progress as WriteProgress
from keywright.writeback.base import Target
from keywright.writeback.digikam import DatabasePhoto, DigikamTarget
from keywright.writeback.digikam_settings import MetadataSettings, read_settings, settings_file

IN_LIGHTROOM = "it is in a Lightroom catalog, whose keywords Lightroom itself writes"
OUTSIDE_PROFILE = "the profile is not for such keywords"
PRIVATE = "the keyword is private (not to be exported), so it is not written into files"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be written, and what is left out and why."""

    decisions: tuple[PhotoDecisions, ...]
    alone: tuple[tuple[int, int], ...] = ()  # (photo id, keyword id) that no person accepted
    left_out: dict[str, int] = field(default_factory=dict)
    failures: tuple[tuple[Path, str], ...] = ()
    digikam: Mapping[Path, tuple[DatabasePhoto, ...]] = field(default_factory=dict)  # photos a digiKam catalog has
    private: frozenset[KeywordPath] = frozenset()  # keywords that are not to be exported


def choose(
    workspace: Workspace,
    targets: Sequence[str],
    mappings: Sequence[RootMapping] = (),
    *,
    min_confidence: float | None,
    profile: Profile = EVERYTHING,
    to_files: bool = False,
    progress: Progress = silent,
    cancel: Cancel = never,
) -> Chosen:
    """The accepted suggestions of these targets (of everything known, without targets), or with ``min_confidence``
    those that are at least so sure and were not rejected. What was rejected on a photo that carries it goes out with
    the accepted ones.

    With a profile only keywords it admits, where its template puts them; and its automatic keywords, on every photo of
    the targets with ``min_confidence``, else on the photos that get an accepted one. Photos of Lightroom catalogs are
    left out unless ``to_files``: a sidecar written beside an open catalog is a metadata conflict there.
    """
    if min_confidence is None:
        found = _accepted(workspace, targets, mappings, profile, to_files=to_files, progress=progress)
    else:
        wanted = profile.over(min_confidence, 0)
        found = _sure(workspace, targets, mappings, wanted, to_files=to_files, progress=progress, cancel=cancel)
    return replace(found, digikam=in_digikam(workspace, [decision.photo for decision in found.decisions]))


def _sure(
    workspace: Workspace,
    targets: Sequence[str],
    mappings: Sequence[RootMapping],
    profile: Profile,
    *,
    to_files: bool,
    progress: Progress,
    cancel: Cancel,
) -> Chosen:
    left: dict[str, int] = defaultdict(int)
    wanted, alone, failures = [], [], []
    private = _private(workspace)
    kept_back = {path.key for path in private}
    lightroom = _lightroom_catalogs(workspace)
    with workspace.store.read() as connection:
        refused = {(d.photo_id, d.keyword_id) for d in decided.list_decisions(connection, decided.Decision.REJECTED)}
    found = list(suggest_photos(workspace, targets, mappings, profile=profile, progress=progress, cancel=cancel))
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        for one in found:
            if one.error is not None:
                failures.append((one.photo.path, one.error))
                continue
            if one.photo.catalog_id in lightroom and not to_files:
                left[IN_LIGHTROOM] += 1
                continue
            adding = []
            for suggestion in one.suggestions:
                if suggestion.keyword.key in kept_back:
                    left[PRIVATE] += 1
                elif (one.photo.id, ids.id(suggestion.keyword)) not in refused:
                    confidence = suggestion.confidence if suggestion.learned is not None else None
                    adding.append(AcceptedKeyword(suggestion.keyword, confidence))
                    alone.append((one.photo.id, ids.id(suggestion.keyword)))
            if adding:
                wanted.append(PhotoDecisions(one.photo.path, tuple(adding)))
    return Chosen(tuple(wanted), tuple(alone), dict(left), tuple(failures), private=private)


def _accepted(
    workspace: Workspace,
    targets: Sequence[str],
    mappings: Sequence[RootMapping],
    profile: Profile,
    *,
    to_files: bool,
    progress: Progress,
) -> Chosen:
    rows = resolve(workspace, targets, mappings, progress) if targets else None
    lightroom, private = _lightroom_catalogs(workspace), _private(workspace)
    kept_back = {path.key for path in private}
    left: dict[str, int] = defaultdict(int)
    adding: dict[int, dict[KeywordPath, AcceptedKeyword]] = defaultdict(dict)
    alone = set[tuple[int, KeywordPath]]()
    with workspace.store.read() as connection:
        known = {row.id: row for row in (rows if rows is not None else list_photos(connection))}
        names = KeywordIds(connection).paths()
        for made in decided.list_decisions(connection, decided.Decision.ACCEPTED):
            if made.photo_id not in known:
                continue
            path = names[made.keyword_id]
            placed = profile.placed(path)
            if known[made.photo_id].catalog_id in lightroom and not to_files:
                left[IN_LIGHTROOM] += 1
            elif path.key in kept_back or placed.key in kept_back:
                left[PRIVATE] += 1
            elif not (profile.admits(path) or profile.has_placed(path) or profile.is_automatic(path)):
                left[OUTSIDE_PROFILE] += 1
            else:
                adding[made.photo_id].setdefault(placed, AcceptedKeyword(placed, made.confidence))
                if placed != path:
                    alone.add((made.photo_id, placed))
        removing = _rejected_on(connection, names, known)
        automatic = automatic_keywords(profile, connection, [known[number] for number in adding])
        for number, paths in automatic.items():
            for path in paths:
                if path not in adding[number] and path.key not in kept_back:
                    adding[number][path] = AcceptedKeyword(path, None)
                    alone.add((number, path))
    for number in [number for number in removing if known[number].catalog_id in lightroom and not to_files]:
        left[IN_LIGHTROOM] += len(removing.pop(number))
    wanted = tuple(
        PhotoDecisions(known[number].path, tuple(adding.get(number, {}).values()), tuple(removing.get(number, ())))
        for number in dict.fromkeys((*adding, *removing))
    )
    return Chosen(wanted, _numbered(workspace, alone), dict(left), private=private)


def _rejected_on(
    connection: Connection, names: Mapping[int, KeywordPath], known: Mapping[int, PhotoRow]
) -> dict[int, list[KeywordPath]]:
    """Keywords that photos carry and a person rejected there, as in an audit: they are taken out."""
    rejected = [d for d in decided.list_decisions(connection, decided.Decision.REJECTED) if d.photo_id in known]
    carried = keywords_of(connection, sorted({made.photo_id for made in rejected}))
    found: dict[int, list[KeywordPath]] = defaultdict(list)
    for made in rejected:
        key = names[made.keyword_id].key
        spelled = [names[number] for number in carried.get(made.photo_id, ()) if names[number].key == key]
        if spelled:
            found[made.photo_id] += spelled
    return dict(found)


def _numbered(workspace: Workspace, pairs: Collection[tuple[int, KeywordPath]]) -> tuple[tuple[int, int], ...]:
    """The keywords by their ids, entered where they are new."""
    if not pairs:
        return ()
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        return tuple((number, ids.id(path)) for number, path in sorted(pairs))


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
    _settle_written(workspace, report.recovered)
    if report.batch_id is not None and alone:
        done = {str(path) for written in report.written for path in written.photos}
        with workspace.store.write() as connection:
            left = [number for photo, some in alone.items() if photo not in done for (number, _), _ in some]
            decided.forget_written(connection, report.batch_id, left)
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


def _settle_written(workspace: Workspace, recovered: Sequence[RecoveryReport]) -> None:
    """After a crash: what was not written, or was taken out, is no longer known as Keywright's own."""
    for report in recovered:
        undoes = writeback.batch_summary(journal(workspace), report.batch_id).undoes
        gone = [p for one in (report.left if undoes is None else report.written) for p in one.photos]
        if gone:
            with workspace.store.write() as connection:
                rows = [row.id for found in photos_at(connection, gone).values() for row in found]
                decided.forget_written(connection, undoes or report.batch_id, rows)


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
        report = writeback.undo(
            batch_id,
            journal(workspace),
            targets,
            photos=photos,
            progress=_told(progress, "Undoing"),
            cancel=cancel,
        )
    _settle_written(workspace, report.recovered)
    if report.batch_id is not None:
        undone = writeback.batch_summary(journal(workspace), report.batch_id).undoes
        paths = [path for w in report.written for path in w.photos] + [p for part in report.unchanged for p in part]
        with workspace.store.write() as connection:
            rows = [row.id for found in photos_at(connection, paths).values() for row in found]
            decided.forget_written(connection, undone or "", rows)
    return report


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
        found = writeback.recover(journal(workspace), targets)
    _settle_written(workspace, found)
    return found


def journal(workspace: Workspace) -> Journal:
    return Journal(workspace.store)


def in_digikam(workspace: Workspace, photos: Sequence[Path]) -> dict[Path, tuple[DatabasePhoto, ...]]:
    """Where digiKam keeps these photos, as the store last read it; photos that no digiKam catalog has are not in it."""
    with workspace.store.read() as connection:
        sources = {c.id: c.source for c in list_catalogs(connection) if c.kind is CatalogKind.DIGIKAM}
        if not sources:
            return {}
        known = photos_at(connection, photos)
    places = {
        path: tuple(DatabasePhoto(sources[r.catalog_id], int(r.host_id)) for r in rows if r.catalog_id in sources)
        for path, rows in known.items()
    }
    return {path: some for path, some in places.items() if some}


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


def _private(workspace: Workspace) -> frozenset[KeywordPath]:
    with workspace.store.read() as connection:
        return frozenset(k.path for k in list_keywords(connection) if k.private)


def _lightroom_catalogs(workspace: Workspace) -> set[int]:
    with workspace.store.read() as connection:
        return {c.id for c in list_catalogs(connection) if c.kind is CatalogKind.LIGHTROOM}
