"""What people wrote about photos in their catalogs finds them."""

from __future__ import annotations

from pathlib import Path

import pytest

from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.home import Home
from keywright.operations.reading import read_source
from keywright.operations.searching import search
from keywright.operations.workspace import Workspace
from keywright.store.captions import list_captions, sync_captions
from keywright.store.photos import KeywordIds, register_catalog
from keywright.store.syncing import sync_photos


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(Home(tmp_path / "home"))


def two_photos(workspace: Workspace) -> int:
    with workspace.store.write() as connection:
        ids = KeywordIds(connection)
        number = register_catalog(connection, CatalogKind.LIGHTROOM, "x.lrcat", "lightroom:x", learn=True)
        found = [CatalogPhoto(name, Path(f"/photos/{name}.jpg"), frozenset()) for name in ("a", "b")]
        sync_photos(connection, number, found, ids)
    return number


def captions(workspace: Workspace) -> list[str]:
    with workspace.store.read() as connection:
        return sorted(list_captions(connection).values())


def test_captions_follow_the_catalog(workspace: Workspace) -> None:
    number = two_photos(workspace)
    for read, kept in (
        ({"a": "Grandma's 80th birthday", "b": "Rain"}, ["Grandma's 80th birthday", "Rain"]),
        ({"a": "Grandma's birthday", "stranger": "x"}, ["Grandma's birthday"]),
        ({}, []),
    ):
        with workspace.store.write() as connection:
            sync_captions(connection, number, read)
        assert captions(workspace) == kept


def test_a_photo_is_found_by_its_caption_and_says_so(workspace: Workspace) -> None:
    number = two_photos(workspace)
    with workspace.store.write() as connection:
        sync_captions(connection, number, {"b": "Großmutters Geburtstag in Köln"})
    (found,) = search(workspace, "koln", limit=0, min_score=0.5)
    assert (found.photo.host_id, found.because) == ("b", ("its caption",))
    (half,) = search(workspace, "Köln Paris", limit=0)
    assert half.score == pytest.approx(0.95 / 4)


@pytest.mark.parametrize(
    ("catalog", "caption"),
    [
        ("lightroom/real/thadd-73070cb.lrcat", "The Golden Gate Bridge in San Francisco"),
        ("digikam/sqlite-9.1.0/digikam4.db", "File written by Adobe Photoshop"),
    ],
)
def test_the_captions_of_real_catalogs_are_read(shared: Path, workspace: Workspace, catalog: str, caption: str) -> None:
    file = shared / "catalogs" / catalog
    if not file.is_file():
        pytest.skip(f"{catalog} is not among the shared catalogs")
    read_source(workspace, str(file), learn=False)
    assert any(one.startswith(caption) for one in captions(workspace))
    read_source(workspace, str(file), learn=False)
    assert any(one.startswith(caption) for one in captions(workspace))
