"""A server that speaks as a provider does, a keyring, and a small library whose photos may be described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from demo.library import SERIES, source
from PIL import Image

from describing.keyrings import Memory, using
from describing.kit import opened_copy, rows
from describing.server import Server, serving
from keywright.home import Home
from keywright.keywords import KeywordPath
from keywright.metadata import SidecarProfile, plan_file_change
from keywright.operations.embedding import embed_photos
from keywright.operations.reading import read_source
from keywright.operations.workspace import Workspace


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def own_keyring() -> Iterator[Memory]:
    own = Memory()
    with using(own):
        yield own


CAT, COFFEE = KeywordPath.of("Animals", "Cat"), KeywordPath.of("Food", "Coffee")


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three photographs that were embedded; the vocabulary is Animals|Cat, Food|Coffee and what lies above them."""
    folder = tmp_path_factory.mktemp("described")
    with Workspace.open(Home(folder / "home")) as opened:
        for number, name in enumerate(("chelsea.png", "coffee.png", "rocket.jpg")):
            file = folder / "photos" / f"IMG_{number}.jpg"
            file.parent.mkdir(exist_ok=True)
            with Image.open(source(next(s for s in SERIES if s.file.endswith(name)))) as picture:
                picture.convert("RGB").save(file, exif=private_exif())
            if number < 2:
                change = plan_file_change(file, frozenset([(CAT, COFFEE)[number]]), frozenset(), SidecarProfile.PLAIN)
                file.write_bytes(change.after)
        read_source(opened, str(folder / "photos"), learn=True)
        embed_photos(opened, rows(opened))
    return folder


@pytest.fixture
def workspace(library: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A home of the test's own over these photos."""
    with opened_copy(library / "home", tmp_path) as opened:
        yield opened


def private_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"  # ImageDescription
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0)}  # GPS
    return exif
