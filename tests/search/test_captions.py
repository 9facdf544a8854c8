"""What people wrote about photos in their catalogs finds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from keywright.catalogs.base import CatalogKind, CatalogPhoto
from keywright.home import Home
from keywright.operations.reading import read_loose, read_source
from keywright.operations.registering import Named, find_photos
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


def write(photo: Path, title: str) -> None:
    """A photo in a folder, with a title in its sidecar."""
    photo.parent.mkdir(exist_ok=True)
    Image.new("RGB", (16, 16), (len(title), 90, 30)).save(photo)
    photo.with_suffix(".xmp").write_text(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        f"<dc:title>{title}</dc:title></rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def test_titles_in_the_files_of_a_folder_find_its_photos_and_follow_the_files(
    workspace: Workspace, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    write(photos / "a.jpg", "The lighthouse in the storm")
    write(photos / "b.jpg", "Rain")
    read_source(workspace, str(photos), learn=True)
    (found,) = search(workspace, "lighthouse", limit=0, min_score=0.5)
    assert (found.photo.path, found.because) == (photos / "a.jpg", ("its caption",))
    write(photos / "a.jpg", "Snow")
    read_source(workspace, str(photos), learn=True)
    assert search(workspace, "lighthouse", limit=0, min_score=0.5) == []
    assert [one.photo.path for one in search(workspace, "snow", limit=0, min_score=0.5)] == [photos / "a.jpg"]
    assert captions(workspace) == ["Rain", "Snow"]


def test_the_title_of_a_photo_in_no_catalog_is_read_and_read_again(workspace: Workspace, tmp_path: Path) -> None:
    photo = tmp_path / "loose" / "a.jpg"
    for title in ("Harbour", "Sunrise"):
        write(photo, title)
        read_loose(workspace, [photo])
        assert captions(workspace) == [title]
    photo.with_suffix(".xmp").unlink()
    read_loose(workspace, [photo])
    assert captions(workspace) == []


def test_a_photo_that_a_front_end_names_before_the_folder_is_read_again_is_found_by_its_title(
    workspace: Workspace, tmp_path: Path
) -> None:
    write(tmp_path / "photos" / "a.jpg", "Rain")
    read_source(workspace, str(tmp_path / "photos"), learn=True)
    write(tmp_path / "photos" / "b.jpg", "Fog")
    find_photos(workspace, [Named(path=str(tmp_path / "photos" / "b.jpg"))])
    assert captions(workspace) == ["Fog", "Rain"]
