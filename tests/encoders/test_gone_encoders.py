"""Rolling back passes over what cannot suggest any more: versions whose encoder is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from encoders.patterns import CENTRE, learned
from keywright.encoders import LEVELS
from keywright.errors import KeywrightError
from keywright.home import Home
from keywright.operations.versions import roll_back
from keywright.operations.workspace import Workspace
from keywright.store.models import activate_version, add_version, version_content

GONE = "tuned/tuned-dead/shape224/int8"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.open(Home(learned(tmp_path, 24))) as opened:
        yield opened


def add(workspace: Workspace, encoder: str) -> int:
    """A version more, and it suggests: the first one's models, said to be of another encoder."""
    with workspace.store.write() as connection:
        parts = version_content(connection, 1)
        number = add_version(connection, encoder, parts, {}, activate=False)
        activate_version(connection, number)
    return number


def test_rolling_back_passes_over_versions_whose_encoder_is_gone_and_says_so(workspace: Workspace) -> None:
    said: list[str] = []
    workspace.announce = said.append
    gone = add(workspace, GONE)
    add(workspace, LEVELS["standard"])
    assert (roll_back(workspace).id, workspace.encoder_id) == (1, CENTRE)
    assert said == [f"Version {gone} is passed over: its encoder {GONE} is not here any more."]
    with pytest.raises(KeywrightError, match="No model version was active before this one"):
        roll_back(workspace)


def test_where_all_encoders_before_are_gone_that_is_said(workspace: Workspace) -> None:
    with workspace.store.write() as connection:
        connection.exec_driver_sql("UPDATE model_versions SET encoder_id = ?", (GONE,))
    active = add(workspace, LEVELS["standard"])
    with pytest.raises(KeywrightError, match=r"No version before this one .* is not here any more"):
        roll_back(workspace)
    assert workspace.encoder_id == LEVELS["standard"]
    assert active == 2
