from __future__ import annotations

from collections.abc import Iterator

import pytest

from describing.keyrings import Memory, using
from describing.server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def own_keyring() -> Iterator[Memory]:
    own = Memory()
    with using(own):
        yield own
