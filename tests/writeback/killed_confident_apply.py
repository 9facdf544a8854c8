"""Processes that apply keywords by confidence alone and kill themselves: at a call to the disk, or after a commit."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile
from keywright.operations import applying, picking
from keywright.operations.workspace import Workspace
from keywright.store.database import Store
from keywright.store.photos import KeywordIds, list_photos
from keywright.writeback import AcceptedKeyword, PhotoDecisions, files
from writeback.disks import KillingDisk
from writeback.kit import DOG


def chosen(workspace: Workspace, keyword: KeywordPath) -> picking.Chosen:
    """All photos of the store, as if the models were sure of this keyword on them."""
    with workspace.store.write() as connection:
        rows = list_photos(connection)
        number = KeywordIds(connection).id(keyword)
    decisions = tuple(PhotoDecisions(row.path, (AcceptedKeyword(keyword, 0.95),)) for row in rows)
    return picking.Chosen(decisions, tuple((row.id, number) for row in rows))


def main(home: str, keyword: str, call: str) -> None:
    disk = KillingDisk(int(call), after=True)
    files.RealFileOps = lambda: disk  # type: ignore[assignment, misc]
    with Workspace.open(Home(Path(home))) as workspace:
        found = chosen(workspace, KeywordPath.parse(keyword))
        applying.apply(workspace, found, SidecarProfile.PLAIN, label="confident")


def after_commit(home: str, action: str, number: str) -> None:
    """Do it, and be killed right after so many transactions of the store were committed."""
    real, left = Store.write, [int(number)]

    @contextmanager
    def write(store: Store) -> Iterator[Connection]:
        with real(store) as connection:
            yield connection
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    with Workspace.open(Home(Path(home))) as workspace:
        found = chosen(workspace, DOG)
        Store.write = write  # type: ignore[method-assign]
        if action == "recover":
            applying.recover(workspace)
        elif action == "undo":
            applying.undo(workspace, None)
        else:
            applying.apply(workspace, found, SidecarProfile.PLAIN, label="confident")
