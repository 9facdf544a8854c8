"""Fixtures for the tests of writing back."""

from __future__ import annotations

from pathlib import Path

import pytest

from keywright.writeback import Journal
from writeback.kit import open_journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return open_journal(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "photos"
    path.mkdir()
    return path
