"""Old contents dropped from the journal: what can still be undone, and what never is dropped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keywright.home import Home
from keywright.metadata import SidecarProfile
from keywright.operations import applying
from keywright.operations.reading import read_source
from keywright.operations.workspace import Workspace
from keywright.store.intents import close_batch, closed_before
from keywright.store.journal import BatchState
from writeback.killed_confident_apply import chosen
from writeback.kit import DOG, contents, keywords, library

LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    library(tmp_path / "photos", 6)
    found = Workspace.open(Home(tmp_path / "home"))
    read_source(found, str(tmp_path / "photos"), learn=True)
    return found


def written(workspace: Workspace) -> str:
    report = applying.apply(workspace, chosen(workspace, DOG), SidecarProfile.PLAIN, label="dogs")
    assert report.batch_id is not None
    return report.batch_id


def test_a_forgotten_batch_can_be_undone_to_the_same_keywords(workspace: Workspace, tmp_path: Path) -> None:
    before = {
        name: keywords(tmp_path / "photos" / name) for name in contents(tmp_path / "photos") if name[-3:] != "xmp"
    }
    batch = written(workspace)
    found = applying.forget_before(workspace, LATER)
    assert found.batches == (batch,)
    assert found.targets == 4  # two JPEGs, two sidecars that were there; two sidecars had nothing before
    assert found.freed > 0
    assert applying.forget_before(workspace, LATER).targets == 0
    applying.undo(workspace, batch)
    assert {name: keywords(tmp_path / "photos" / name) for name in before} == before


def test_what_ended_later_and_what_is_open_keeps_its_old_contents(workspace: Workspace, tmp_path: Path) -> None:
    before = contents(tmp_path / "photos")
    batch = written(workspace)
    assert applying.forget_before(workspace, datetime.now(UTC) - timedelta(hours=1)).targets == 0
    with workspace.store.write() as connection:
        close_batch(connection, batch, BatchState.OPEN)
    with workspace.store.read() as connection:
        assert closed_before(connection, LATER.isoformat()) == []
    with workspace.store.write() as connection:
        close_batch(connection, batch, BatchState.FINISHED)
    applying.undo(workspace, batch)
    assert contents(tmp_path / "photos") == before
