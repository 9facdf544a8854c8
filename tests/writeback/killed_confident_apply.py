"""A process that applies keywords by their confidence alone and kills itself at a call to the disk."""

from __future__ import annotations

from pathlib import Path

from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile
from keywright.operations import applying, picking
from keywright.operations.workspace import Workspace
from keywright.store.photos import KeywordIds, list_photos
from keywright.writeback import AcceptedKeyword, PhotoDecisions, files
from writeback.disks import KillingDisk


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
