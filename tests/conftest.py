"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Homes that tests make look at photos with the fastest encoder, unless a test says otherwise.
os.environ.setdefault("KEYWRIGHT_ENCODER", "fast")

# No test is about how fast the machine is at the moment.
settings.register_profile("keywright", deadline=None)
settings.load_profile("keywright")

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The real photos, catalogs, sidecars and damaged files beside the project; the test is skipped without them."""
    if not (SHARED / "design.md").is_file():
        pytest.skip("the real photos, catalogs and sidecars are not at ../shared")
    return SHARED
