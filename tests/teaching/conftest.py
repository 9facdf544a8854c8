"""Homes of made-up photos, learned once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from keywright.home import Home
from keywright.operations.learning import train_known
from keywright.operations.workspace import Workspace
from teaching.kit import made_up


@pytest.fixture(scope="session")
def learned_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made-up") / "home"
    with made_up(home, spread=2.4) as workspace:
        train_known(workspace)
    return home


@pytest.fixture
def workspace(learned_home: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A hundred keyworded photos of five subjects and 25 bare ones, learned."""
    shutil.copytree(learned_home, tmp_path / "home")
    with Workspace.open(Home(tmp_path / "home")) as found:
        yield found
