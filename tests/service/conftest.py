"""A bridge for the tests of this folder: one without anything, and one that has learned a small library."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from demo.library import make_library

from keywright.home import Home
from keywright.operations.learning import learn
from keywright.operations.refreshing import refresh
from keywright.operations.registering import add_catalog
from keywright.operations.workspace import Workspace
from service.kit import Raw, running


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Raw]:
    """A bridge that knows nothing yet."""
    with running(tmp_path / "home") as found:
        yield found


@dataclass(frozen=True)
class Learned:
    """A home that has learned the sample library, made once; and the library."""

    home: Path
    library: Path


def learn_library(top: Path, make: Callable[[Path], object] = make_library, *, lists: bool = False) -> Learned:
    """Make a library below ``top``, and a home that has learned it; ``lists``: with the review's lists made."""
    make(top / "library")
    with Workspace.open(Home(top / "home")) as workspace:
        add_catalog(workspace, str(top / "library"), {})
        learn(workspace, [str(top / "library")])
        if lists:
            refresh(workspace)
    return Learned(top / "home", top / "library")


@contextmanager
def running_on_copy(home: Path, folder: Path, prepare: Callable[[Path], object] | None = None) -> Iterator[Raw]:
    """A bridge on a copy of a home that several tests share; ``prepare`` is given the copy before it is opened."""
    shutil.copytree(home, folder / "home")
    if prepare is not None:
        prepare(folder / "home")
    with running(folder / "home") as found:
        yield found


@pytest.fixture(scope="session")
def learned_home(tmp_path_factory: pytest.TempPathFactory) -> Learned:
    return learn_library(tmp_path_factory.mktemp("learned"))


@pytest.fixture
def learned(learned_home: Learned, tmp_path: Path) -> Iterator[Raw]:
    """A bridge on a copy of that home; the library itself is shared, so nothing may be written into it."""
    with running_on_copy(learned_home.home, tmp_path) as found:
        yield found


@pytest.fixture
def library(learned_home: Learned) -> Path:
    return learned_home.library
