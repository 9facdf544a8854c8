"""Doctor: is everything there and sound that Keywright needs on this machine?"""

from __future__ import annotations

import importlib
import platform
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from keywright import __version__
from keywright.errors import KeywrightError, reason
from keywright.operations.workspace import Workspace
from keywright.store.models import list_versions, version_content
from keywright.store.photos import list_catalogs, list_photos

_NEEDED = ("torch", "onnxruntime", "pillow", "pillow-heif", "rawpy", "sqlalchemy", "tifffile")
_OPTIONAL = {"av": "video files (pip install 'keywright[video]')"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is well, and in words."""

    name: str
    well: bool
    found: str


def examine(workspace: Workspace) -> Iterator[Check]:
    """All checks, one after the other; each says what to do where something is not well."""
    yield Check("Keywright", True, f"{__version__} on Python {platform.python_version()}, {platform.platform()}")
    for name in _NEEDED:
        yield _guarded(name, lambda name=name: version(name))  # type: ignore[misc]
    for name, what in _OPTIONAL.items():
        try:
            importlib.import_module(name)
        except ImportError:
            yield Check(name, True, f"not installed: no {what}")
    yield _guarded("store", lambda: _store(workspace))
    yield _guarded("batches", lambda: _batches(workspace))
    yield _guarded("encoder", lambda: _encoder(workspace))
    yield _guarded("models", lambda: _models(workspace))
    with workspace.store.read() as connection:
        catalogs = list_catalogs(connection)
    for catalog in catalogs:
        yield _guarded(f"catalog {catalog.source}", lambda c=catalog.id: _catalog(workspace, c))  # type: ignore[misc]


def _guarded(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except KeywrightError as error:
        return Check(name, False, str(error))
    except (OSError, ImportError, sqlite3.Error, ValueError) as error:
        return Check(name, False, f"{reason(error)}; install Keywright again")


def _store(workspace: Workspace) -> str:
    with workspace.store.read() as connection:
        told = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    if told != ["ok"]:
        raise KeywrightError(f"{workspace.home.database} is damaged ({told[0]}); restore it from a backup.")
    size = sum(f.stat().st_size for f in workspace.home.folder.rglob("*") if f.is_file())
    return f"{workspace.home.folder}, sound, {size / 1e6:.0f} MB"


def _batches(workspace: Workspace) -> str:
    """Settles what a killed apply or undo left, as the next of those would."""
    from keywright.operations.applying import recover
    from keywright.store.journal import open_batches

    reports = recover(workspace)
    told = " ".join(str(report) for report in reports)
    if any(report.unreachable for report in reports):
        raise KeywrightError(f"{told} Attach the drive.")
    with workspace.store.read() as connection:
        at_work = open_batches(connection)
    if at_work:
        return f"another Keywright is writing batch {at_work[0].id} just now"
    return told or "none is open"


def _encoder(workspace: Workspace) -> str:
    import numpy as np

    encoder = workspace.encoder
    grey = np.full((encoder.view.size, encoder.view.size, 3), 127, np.uint8)
    length = float(np.linalg.norm(encoder.encode([grey]).vectors[0]))
    if abs(length - 1) > 1e-3:
        raise KeywrightError(f"The encoder {encoder.id} gives vectors of length {length:.3f}; install Keywright again.")
    return f"{encoder.id}, {encoder.dimension} numbers a photo"


def _models(workspace: Workspace) -> str:
    with workspace.store.read() as connection:
        versions = list_versions(connection)
        active = [v for v in versions if v.active]
        for one in active:
            version_content(connection, one.id)
    return f"versions: {len(versions)}, active: {active[0].id if active else 'none, nothing was learned yet'}"


def _catalog(workspace: Workspace, number: int) -> str:
    with workspace.store.read() as connection:
        rows = list_photos(connection, [number])
    missing = [row.path for row in rows if not Path(row.path).exists()]
    if rows and len(missing) == len(rows):
        raise KeywrightError(
            f"none of its {len(rows)} photos is there (the first: {missing[0]}); is the drive attached?"
        )
    return (
        f"{len(rows):,} photos, {len(missing):,} files not there, {sum(r.error is not None for r in rows):,} unreadable"
    )
