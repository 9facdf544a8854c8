"""Files as targets: which file a photo's keywords go to, what it is to become, and what it becomes again on undo.

The XMP itself is made in ``keywright.metadata``; the disk is touched in ``writing.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath, fold_name
from keywright.metadata import (
    FileChange,
    SidecarProfile,
    choose_place,
    plan_file_change,
)
from keywright.metadata.base import invert_edits
from keywright.metadata.data import Data
from keywright.store.journal import Before, Entry, Intent
from keywright.writeback.base import (
    AcceptedKeyword,
    Cancel,
    Cluster,
    Done,
    NothingToUndo,
    PhotoDecisions,
    PlannedWrite,
    Prepared,
    Refusal,
    WriteBackError,
)
from keywright.writeback.before import digest, keep_edits, keep_whole
from keywright.writeback.fileops import FileOps, RealFileOps, Seen
from keywright.writeback.order import Past
from keywright.writeback.settling import settle_file
from keywright.writeback.siblings import FolderNames, as_spelled
from keywright.writeback.taking_out import take_out
from keywright.writeback.writing import Replacement, Writer, explain

KIND = "file"


class FileTimes(StrEnum):
    """What happens to a file's time of change when it is written."""

    TOUCH = "touch"  # it becomes now: other programs and backups see the change
    KEEP = "keep"


class HardLinks(StrEnum):
    """What to do with a file that has several names: it can be replaced safely under one of them alone."""

    REFUSE = "refuse"
    SEPARATE = "separate"  # the name Keywright writes becomes a file of its own, the others keep the old content


OwnProfiles = Callable[[Path, Sequence[str]], tuple[SidecarProfile, ...]]
"""The profiles for a photo, given the names beside it; none where its catalog has no wish of its own."""


@dataclass(frozen=True, slots=True)
class FileSettings:
    profile: SidecarProfile = SidecarProfile.PLAIN
    times: FileTimes = FileTimes.TOUCH
    hard_links: HardLinks = HardLinks.REFUSE
    own: OwnProfiles | None = None  # the profiles of photos whose own catalog has others; each names one file
    private: frozenset[KeywordPath] = frozenset()  # not to be exported: their bare names stay out of flat fields

    def profiles_of(self, photo: Path, siblings: Sequence[str]) -> tuple[SidecarProfile, ...]:
        found = self.own(photo, siblings) if self.own is not None else ()
        return found or (self.profile,)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What a cluster remembers of its file: the names beside it, and the profile that names it."""

    names: Sequence[str]
    profile: SidecarProfile


@dataclass(frozen=True, slots=True)
class PreparedFile(Prepared):
    path: Path
    content: Data | None  # None: the file goes away
    seen: Seen | None  # the file when its content was read; None: there was none


class FileTarget:
    """Photos and sidecars."""

    kind = KIND

    def __init__(self, settings: FileSettings | None = None, ops: FileOps | None = None) -> None:
        self.settings = settings or FileSettings()
        self._ops = ops or RealFileOps()
        self._writer = Writer(self._ops, keep_times=self.settings.times is FileTimes.KEEP)

    def clusters(self, decisions: Iterable[PhotoDecisions]) -> Iterator[Cluster | Refusal]:
        """Virtual copies, photos named twice, and photos that share a sidecar: one cluster for each file.

        A photo whose keywords go into itself and into a sidecar is in two.
        """
        folders = FolderNames()
        found: dict[Path, list[PhotoDecisions]] = {}
        beside: dict[Path, _Beside] = {}
        for decision in decisions:
            photo = decision.photo
            try:
                if self._ops.look(photo) is None:
                    yield Refusal((photo,), str(photo), "the photo is not there")
                    continue
                siblings = folders.near(photo)
                files: dict[Path, _Beside] = {}
                for profile in self.settings.profiles_of(photo, siblings):
                    file = self._real(choose_place(photo, profile, siblings).target, siblings)
                    files.setdefault(file, _Beside(siblings, profile))
            except KeywrightError as error:
                yield Refusal((photo,), str(photo), str(error))
            except OSError as error:
                yield Refusal((photo,), str(photo), explain(error))
            else:
                for file, near in files.items():
                    found.setdefault(file, []).append(decision)
                    beside[file] = near
        for file, together in found.items():
            yield Cluster(str(file), tuple(together), beside[file])

    def same_place(self, address: str) -> str:
        return fold_name(address)

    def prepare(self, cluster: Cluster, name: str) -> PreparedFile | PlannedWrite | Refusal:
        path = Path(cluster.address)
        add = _accepted(cluster.decisions)
        remove = {path for decision in cluster.decisions for path in decision.remove} - set(add)
        photo = cluster.photos[0]
        try:
            seen = self._ops.look(path)
            refusal = self._refusal(seen)
            if refusal:
                return Refusal(cluster.photos, cluster.address, refusal)
            near: _Beside = cluster.hint
            change = plan_file_change(photo, add, remove, near.profile, near.names, self.settings.private)
            if self._real(change.target, near.names) != path or change.creates != (seen is None):
                return Refusal(cluster.photos, cluster.address, "files beside it changed in the meantime; apply again")
        except KeywrightError as error:
            return Refusal(cluster.photos, cluster.address, str(error))
        except OSError as error:
            return Refusal(cluster.photos, cluster.address, explain(error))
        planned = _planned(cluster, change, add)
        if not change.changes:
            return planned
        intent = Intent(
            target=KIND,
            address=cluster.address,
            photos=tuple(str(photo) for photo in cluster.photos),
            old_digest=digest(change.source),
            new_digest=digest(change.result),
            before=_keep(path, change),
            added=change.added.to_json().encode(),
            added_keywords=_texts(change.added_keywords),
            removed_keywords=_texts(change.removed_keywords),
            creates=change.creates,
            leftover=str(_beside(path, name)),
        )
        return PreparedFile(intent, _held(change.result), planned, path, change.result, seen)

    def prepare_undo(self, entry: Entry, name: str, past: Past) -> PreparedFile | NothingToUndo | Refusal:
        was = entry.intent
        path = Path(was.address)
        photos = tuple(Path(photo) for photo in was.photos)
        try:
            seen = self._ops.look(path)
            if seen is None:
                if self._ops.look(path.parent) is None:
                    return Refusal(photos, was.address, "its folder cannot be reached; undo again when it is there")
                return NothingToUndo("the file is gone")
            now = self._ops.read(path)
            found = take_out(now, entry, path.name, past)
            if isinstance(found, NothingToUndo):
                return found
            refusal = self._refusal(seen)
            if refusal:
                return Refusal(photos, was.address, refusal)
        except KeywrightError as error:
            return Refusal(photos, was.address, str(error))
        except OSError as error:
            return Refusal(photos, was.address, explain(error))
        intent = Intent(
            target=KIND,
            address=was.address,
            photos=was.photos,
            old_digest=digest(now),
            new_digest=digest(found.content),
            before=found.before,
            added=found.record,
            added_keywords=found.added,
            removed_keywords=found.removed,
            creates=False,
            leftover=str(_beside(path, name)) if found.content is not None else "",
            undoes=entry.id,
        )
        planned = PlannedWrite(was.address, photos, False, (), _paths(found.removed), ())
        return PreparedFile(intent, _held(now), planned, path, found.content, seen)

    def carry_out(self, work: Sequence[tuple[Entry, PreparedFile]], cancel: Cancel) -> Sequence[Done]:
        replacements = [
            Replacement(entry, p.path, p.content, p.seen, Path(p.intent.leftover or p.intent.address))
            for entry, p in work
        ]
        return self._writer.carry_out(replacements, cancel)

    def settle(self, entry: Entry) -> Done | Refusal:
        return settle_file(self._ops, entry)

    def _real(self, target: Path, names: Iterable[str]) -> Path:
        """The file itself where ``target`` is a symbolic link or lies behind one, under the name it has on the disk."""
        if target.is_symlink():
            if not target.exists():
                raise WriteBackError(f"{target} is a symbolic link to a file that is not there")
            return target.resolve(strict=True)
        name = as_spelled(target.name, names) if target.exists() else target.name
        return target.parent.resolve(strict=True) / name

    def _refusal(self, seen: Seen | None) -> str:
        """Why this file must not be replaced, "" where it may."""
        if seen is None:
            return ""
        if not seen.is_regular:
            return "it is not a file"
        if seen.write_protected:
            return "it is write-protected; take the protection off and apply again"
        if seen.links > 1 and self.settings.hard_links is HardLinks.REFUSE:
            return (
                f"it has {seen.links} names (hard links), which writing would separate; "
                "set hard_links in the configuration, or make it a copy"
            )
        return ""


def _accepted(decisions: Iterable[PhotoDecisions]) -> dict[KeywordPath, AcceptedKeyword]:
    """All that is to be added, once each, with its highest confidence."""
    found: dict[KeywordPath, AcceptedKeyword] = {}
    for decision in decisions:
        for keyword in decision.add:
            other = found.get(keyword.path)
            if other is None or (other.confidence or 0) < (keyword.confidence or 0):
                found[keyword.path] = keyword
    return found


def _planned(cluster: Cluster, change: FileChange, add: dict[KeywordPath, AcceptedKeyword]) -> PlannedWrite:
    return PlannedWrite(
        where=cluster.address,
        photos=cluster.photos,
        creates=change.creates,
        add=tuple(add.get(path, AcceptedKeyword(path)) for path in sorted(change.added_keywords)),
        remove=tuple(sorted(change.removed_keywords)),
        already_there=tuple(sorted(change.already_there)),
        notes=change.notes,
    )


def _keep(path: Path, change: FileChange) -> Before:
    if change.source is None or path.suffix.lower() == ".xmp":
        return keep_whole(change.source)
    return keep_edits(invert_edits(change.edits))


def _held(data: Data) -> int:
    """How much memory the content of a file takes."""
    return len(data) if isinstance(data, bytes) else 0


def _beside(path: Path, name: str) -> Path:
    """Our file in the same folder: short, hidden, and of no kind that a catalog program would take for a photo."""
    return path.with_name(f".keywright-{name}.tmp")


def _texts(paths: Iterable[KeywordPath]) -> tuple[str, ...]:
    return tuple(str(path) for path in sorted(paths))


def _paths(texts: Iterable[str]) -> tuple[KeywordPath, ...]:
    return tuple(KeywordPath.parse(text) for text in texts)
