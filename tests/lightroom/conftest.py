"""Catalogs made of the real photos, a Lightroom over them, and a real bridge that has learned from them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from lightroom.simulation.catalog import Catalog
from lightroom.simulation.lightroom import Lightroom
from service.kit import running


@dataclass(frozen=True)
class Library:
    """A made catalog over real photos, and the bridge's home that has learned from it."""

    catalog: Path
    home: Path
    train: int
    test: int


TRAIN, TEST = 400, 200


@pytest.fixture(scope="session")
def library(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """400 keyworded photos and 200 without, of the real ones; learned through the plug-in's own menu item."""
    import csv

    top = tmp_path_factory.mktemp("lightroom")
    with (shared / "photos" / "keywords.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [r for r in rows if r["split"] == "train"][:TRAIN] + [r for r in rows if r["split"] == "test"][:TEST]
    with (top / "chosen.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(chosen)
    catalog = top / "Made.lrcat"
    tool = shared / "tools" / "make_lrcat.py"
    subprocess.run(
        [sys.executable, str(tool), str(catalog), str(shared / "photos"), str(top / "chosen.csv")],
        check=True,
        capture_output=True,
    )
    with lightroom_with_bridge(catalog, top / "home") as lightroom:
        lightroom.choose("LearnCatalog.lua")
        assert [m.text for m in lightroom.messages] == ["Keywright has learned from this catalog."], lightroom.messages
    return Library(catalog, top / "home", TRAIN, TEST)


@contextmanager
def lightroom_with_bridge(catalog: Path, home: Path) -> Iterator[Lightroom]:
    with running(home):
        yield Lightroom(
            Catalog(catalog), home.parent / "user", real_time=True, environment={"KEYWRIGHT_HOME": str(home)}
        )


@pytest.fixture
def lightroom(library: Library, tmp_path: Path) -> Iterator[Lightroom]:
    """Lightroom on a copy of the made catalog, with a bridge that has learned it and nothing decided."""
    shutil.copytree(library.home, tmp_path / "home")
    with lightroom_with_bridge(library.catalog, tmp_path / "home") as found:
        yield found
        assert found.faults == []
        assert found.failed_tasks == []
