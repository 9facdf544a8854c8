"""The values that go into writing back and come out of it, and what a kind of target promises.

A target is one thing that is old or new as a whole: a file today; rows of digiKam's database, or a photo that
Lightroom's plug-in changes, behind the same journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.store.journal import BatchKind, Entry, EntryState, Intent
from keywright.writeback.order import Past

Progress = Callable[[int, int, Path], None]
"""Called with photos done, photos in all, and the photo just done."""

Cancel = Callable[[], bool]
"""Asked between files; true ends the batch cleanly after the current one."""


class WriteBackError(KeywrightError):
    """A write-back cannot be begun or undone; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class AcceptedKeyword:
    """A keyword to be written; ``confidence`` is None where a person named it without a suggestion."""

    path: KeywordPath
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class PhotoDecisions:
    """What was decided for one photo (or virtual copy) of a catalog."""

    photo: Path
    add: tuple[AcceptedKeyword, ...] = ()
    remove: tuple[KeywordPath, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """One line of a report: what was not written, or not taken out, and why."""

    photos: tuple[Path, ...]
    where: str  # the file, or whatever else the target is
    reason: str

    def __str__(self) -> str:
        return self.reason if self.where in self.reason else f"{self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """What one target would get."""

    where: str
    photos: tuple[Path, ...]
    creates: bool
    add: tuple[AcceptedKeyword, ...]  # those that are not there yet
    remove: tuple[KeywordPath, ...]  # those that are there
    already_there: tuple[KeywordPath, ...]
    notes: tuple[str, ...] = ()  # what an older field cannot hold, one sentence each
    target: str = "file"  # the kind of target


@dataclass(frozen=True, slots=True)
class WriteBackPlan:
    """The dry run: nothing has been touched."""

    writes: tuple[PlannedWrite, ...]
    unchanged: tuple[PlannedWrite, ...]  # targets that have it all already
    refused: tuple[Refusal, ...]

    def count_photos(self) -> int:
        """Photos that would be written, each once however many targets it would be written in."""
        return distinct_photos(one.photos for one in self.writes)

    def count_files(self) -> int:
        return sum(1 for one in self.writes if one.target == "file")

    def count_unchanged(self) -> int:
        """Photos that have it all already, wherever they are kept."""
        written = {photo for one in self.writes for photo in one.photos}
        return distinct_photos([p for p in one.photos if p not in written] for one in self.unchanged)

    def count_refused(self) -> int:
        """Photos that would be refused somewhere."""
        return distinct_photos(one.photos for one in self.refused)


@dataclass(frozen=True, slots=True)
class Written:
    """A target that became new."""

    where: str
    photos: tuple[Path, ...]
    added: tuple[KeywordPath, ...]
    removed: tuple[KeywordPath, ...]
    created: bool
    target: str = "file"  # the kind of target


@dataclass(slots=True)
class BatchReport:
    """What became of a batch; filled while it is carried out."""

    kind: BatchKind = BatchKind.APPLY
    batch_id: str | None = None  # None where there was nothing to write
    written: list[Written] = field(default_factory=list)
    unchanged: list[tuple[Path, ...]] = field(default_factory=list)  # photos whose targets needed nothing
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stopped: str = ""  # why it ended early, "" where it did not
    not_reached: int = 0  # photos that were not come to because it ended early
    recovered: list[RecoveryReport] = field(default_factory=list)  # batches of an earlier crash, settled before

    def __str__(self) -> str:
        return self.summary()

    def summary(self, *, why: bool = True) -> str:
        """One sentence; ``why`` it was stopped is in it, unless that is said elsewhere."""
        done = "written" if self.kind is BatchKind.APPLY else "set back"
        files = self.count_files()
        in_digikam = any(one.target == "digikam" for one in self.written)
        where = [_count(files, "file")] if files or not in_digikam else []
        where += ["digiKam's database"] if in_digikam else []
        parts = [f"{_count(self.count_photos(), 'photo')} {done} in {' and in '.join(where)}"]
        if self.count_unchanged():
            parts.append(f"{self.count_unchanged():,} unchanged")
        if self.refused:
            parts.append(f"{len(self.refused)} refused")
        text = ", ".join(parts)
        if self.stopped:
            because = f" because {self.stopped}" if why else ""
            text += f"; stopped{because}, {_count(self.not_reached, 'photo')} left as before"
        return text + "."

    def count_photos(self) -> int:
        """Photos, each once however many targets it was written in."""
        return distinct_photos(one.photos for one in self.written)

    def count_unchanged(self) -> int:
        """Photos that needed nothing anywhere."""
        written = {photo for one in self.written for photo in one.photos}
        return distinct_photos([p for p in photos if p not in written] for photos in self.unchanged)

    def count_files(self) -> int:
        return sum(1 for one in self.written if one.target == "file")


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """What was found of a batch whose process was killed, and what was done about it."""

    batch_id: str
    kind: BatchKind
    asked: int
    written: tuple[Written, ...]  # found new: they belong to the batch and can be undone
    left: tuple[Refusal, ...]  # found old
    removed: tuple[str, ...]  # files of ours that lay beside targets
    unreachable: tuple[Refusal, ...]  # cannot be looked at now; will be at the next start
    photos_written: int = 0  # in the whole batch, before and after it was interrupted

    def __str__(self) -> str:
        reached = f"{self.photos_written:,} of {_count(self.asked, 'photo')}"
        if self.kind is BatchKind.APPLY:
            text = f"Batch {self.batch_id} was interrupted: {reached} had been written, the others are as they were"
        else:
            text = f"Undo {self.batch_id} was interrupted: {reached} had been set back, the others are still written"
        if self.removed:
            text += f"; {_count(len(self.removed), 'unfinished file')} removed"
        if self.unreachable:
            text += f"; {_count(len(self.unreachable), 'file')} cannot be reached now and will be looked at next time"
        return text + "."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A write thought through to the end, not yet journalled. Each kind of target adds what it needs for doing it."""

    intent: Intent
    weight: int  # bytes it holds in memory
    planned: PlannedWrite


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one journalled write."""

    entry: Entry
    state: EntryState
    reason: str = ""
    leftover: str | None = ""
    stops: str = ""  # why nothing more should be tried, "" where more should
    warning: str = ""  # done, but
    reached: bool = True  # false where it was not tried because the batch ended before
    cleared: str = ""  # a file of ours that lay beside the target and has been removed


@dataclass(frozen=True, slots=True)
class NothingToUndo:
    """The target holds nothing any more of what was written there."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Decisions that go to one target; ``hint`` is the target's own, for preparing."""

    address: str
    decisions: tuple[PhotoDecisions, ...]
    hint: Any = None

    @property
    def photos(self) -> tuple[Path, ...]:
        """One for each decision: the photo and its virtual copy are two."""
        return tuple(d.photo for d in self.decisions)


P = TypeVar("P", bound=Prepared)


class Target(Protocol[P]):
    """One kind of target. Only ``carry_out`` and ``settle`` touch anything."""

    kind: str

    def clusters(self, decisions: Iterable[PhotoDecisions]) -> Iterator[Cluster | Refusal]:
        """Put together the decisions that go to the same target."""
        ...

    def prepare(self, cluster: Cluster, name: str) -> P | PlannedWrite | Refusal:
        """What to write there now; ``PlannedWrite`` where it has everything already.

        ``name`` is unique to this write, for anything that has to lie beside the target.
        """
        ...

    def prepare_undo(self, entry: Entry, name: str, past: Past) -> P | NothingToUndo | Refusal:
        """How to take out what this entry wrote, and nothing else; ``past`` is all that was done to the target."""
        ...

    def carry_out(self, work: Sequence[tuple[Entry, P]], cancel: Cancel) -> Sequence[Done]:
        """Do the writes, whose intents the journal holds by now, and say of each what became of it.

        Each is done whole or not at all, and is durable when this returns.
        """
        ...

    def settle(self, entry: Entry) -> Done | Refusal:
        """After a crash: see whether the target is old or new, and clear away what lies beside it.

        ``Refusal`` where that cannot be told now, because the drive is away.
        """
        ...

    def same_place(self, address: str) -> str:
        """Equal for addresses that may be the same target, so that they are never written in one group."""
        ...


def distinct_photos(groups: Iterable[Iterable[Path]]) -> int:
    """How many photos targets concern, ``groups`` being each target's; one in its file and in its catalog counts once.

    A photo and its virtual copy are two: they stand side by side in the target they share.
    """
    most: dict[Path, int] = {}
    for photos in groups:
        for photo, times in Counter(photos).items():
            most[photo] = max(times, most.get(photo, 0))
    return sum(most.values())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
