"""Decisions to files and databases, journalled, undoable.

``plan`` shows what would be written, ``apply`` writes it as a batch, ``undo`` takes a batch out again, ``recover``
settles at the start what a crash left, ``history`` lists the batches. ``docs/writeback.md`` says what they promise.
"""

from __future__ import annotations

from keywright.writeback.base import (
    AcceptedKeyword,
    BatchReport,
    PhotoDecisions,
    PlannedWrite,
    RecoveryReport,
    Refusal,
    WriteBackError,
    WriteBackPlan,
    Written,
)
from keywright.writeback.files import FileSettings, FileTarget, FileTimes, HardLinks
from keywright.writeback.history import BatchFile, BatchSummary, batch_files, batch_summary, history
from keywright.writeback.journal import BusyError, Journal
from keywright.writeback.operations import apply, plan, undo
from keywright.writeback.recovery import recover
from keywright.writeback.targets import file_targets

__all__ = [
    "AcceptedKeyword",
    "BatchFile",
    "BatchReport",
    "BatchSummary",
    "BusyError",
    "FileSettings",
    "FileTarget",
    "FileTimes",
    "HardLinks",
    "Journal",
    "PhotoDecisions",
    "PlannedWrite",
    "RecoveryReport",
    "Refusal",
    "WriteBackError",
    "WriteBackPlan",
    "Written",
    "apply",
    "batch_files",
    "batch_summary",
    "file_targets",
    "history",
    "plan",
    "recover",
    "undo",
]
