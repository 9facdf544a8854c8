"""Model versions: which there are, which one suggests, and what changed from one to another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keywright.errors import KeywrightError
from keywright.keywords import KeywordPath
from keywright.operations.registering import NotFoundError
from keywright.operations.workspace import Workspace
from keywright.store.models import VersionRow, activate_version, list_versions, version_content

if TYPE_CHECKING:
    from keywright.learning.models import KeywordModel


def versions(workspace: Workspace) -> list[VersionRow]:
    """Oldest first."""
    with workspace.store.read() as connection:
        return list_versions(connection)


def version(workspace: Workspace, number: int) -> VersionRow:
    found = next((v for v in versions(workspace) if v.id == number), None)
    if found is None:
        raise NotFoundError(f"There is no model version {number}; list the versions to see those there are.")
    return found


def activate(workspace: Workspace, number: int) -> VersionRow:
    """Let this version suggest. Raises ``NotFoundError``."""
    version(workspace, number)
    with workspace.store.write() as connection:
        activate_version(connection, number)
    return version(workspace, number)


def roll_back(workspace: Workspace) -> VersionRow:
    """Let the version before the active one suggest. Raises ``KeywrightError`` where there is none before it."""
    known = versions(workspace)
    active = next((v for v in known if v.active), None)
    before = [v for v in known if active is not None and v.id < active.id]
    if not before:
        raise KeywrightError("There is no model version before the active one to go back to.")
    return activate(workspace, before[-1].id)


@dataclass(frozen=True, slots=True)
class KeywordChange:
    """A keyword in two versions; ``None`` where a version lacks it, or its quality cannot be told."""

    keyword: KeywordPath
    old_photos: int | None
    new_photos: int | None
    old_quality: float | None
    new_quality: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    old: VersionRow
    new: VersionRow
    added: Sequence[KeywordPath]
    removed: Sequence[KeywordPath]
    changed: Sequence[KeywordChange]


def compare(workspace: Workspace, old: int, new: int) -> Comparison:
    """What differs between two versions, keyword by keyword. Raises ``NotFoundError``."""
    from keywright.learning.models import ModelSet

    rows = version(workspace, old), version(workspace, new)
    with workspace.store.read() as connection:
        before, after = (ModelSet.from_parts(version_content(connection, row.id)) for row in rows)
    olds: dict[tuple[str, ...], KeywordModel] = {model.path.key: model for model in before.keywords}
    news: dict[tuple[str, ...], KeywordModel] = {model.path.key: model for model in after.keywords}
    changed = [
        KeywordChange(news[key].path, olds[key].photos, news[key].photos, _quality(olds[key]), _quality(news[key]))
        for key in sorted(olds.keys() & news.keys())
        if olds[key].digest != news[key].digest
    ]
    return Comparison(
        *rows,
        [news[key].path for key in sorted(news.keys() - olds.keys())],
        [olds[key].path for key in sorted(olds.keys() - news.keys())],
        changed,
    )


def _quality(model: KeywordModel) -> float | None:
    return None if math.isnan(model.average_precision) else model.average_precision
