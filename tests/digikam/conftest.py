"""A library for each version of digiKam's schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from digikam.kit import Library


@pytest.fixture(params=["7.9.0", "8.6.0", "9.1.0"])
def library(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> Library:
    return Library(tmp_path, shared / f"catalogs/digikam/sqlite-{request.param}/digikam4.db")
