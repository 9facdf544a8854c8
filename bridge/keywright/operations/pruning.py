"""Forgetting model versions that nobody needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keywright.errors import KeywrightError
from keywright.operations.versions import version
from keywright.operations.workspace import Workspace
from keywright.store.models import list_versions, previously_active, remove_version


@dataclass(frozen=True, slots=True)
class Pruned:
    """Which versions were forgotten, and the bytes that no other version shared; the store uses them again."""

    removed: tuple[int, ...]
    freed: int


def remove(workspace: Workspace, numbers: Sequence[int]) -> Pruned:
    """Forget these versions, all or none; what other versions share with them stays.

    Raises ``NotFoundError`` where there is none of such a number, ``KeywrightError`` for the active version.
    """
    wanted = list(dict.fromkeys(numbers))
    for number in wanted:
        version(workspace, number)
    with workspace.store.write() as connection:
        there = {row.id: row for row in list_versions(connection)}
        for number in wanted:
            if number in there and there[number].active:
                raise KeywrightError(
                    f"Model version {number} is the active one and stays; activate another first, nothing was removed."
                )
        removed = [number for number in wanted if number in there]
        freed = sum(remove_version(connection, number) for number in removed)
    return Pruned(tuple(removed), freed)


def prune(workspace: Workspace, keep: int) -> Pruned:
    """Keep the newest ``keep`` versions and forget the others; 0 keeps all.

    The active version stays, the one that a rollback goes to, and the training that a kept version was reviewed since.
    """
    if keep < 1:
        return Pruned((), 0)
    with workspace.store.write() as connection:
        rows = list_versions(connection)
        kept = {row.id for row in rows[-keep:]} | {row.id for row in rows if row.active}
        kept |= set(previously_active(connection)[-2:])
        kept |= {row.trained for row in rows if row.id in kept}
        removed = [row.id for row in rows if row.id not in kept]
        freed = sum(remove_version(connection, number) for number in removed)
    return Pruned(tuple(removed), freed)
