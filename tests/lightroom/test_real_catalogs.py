"""Real Lightroom 9 catalogs with their own photos: learned and suggested from, and with originals offline."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lightroom.conftest import Library, lightroom_with_bridge
from lightroom.people import accepts
from lightroom.simulation.catalog import Catalog
from lightroom.simulation.lightroom import Lightroom
from lightroom.test_suggesting_end_to_end import ask, links


@pytest.mark.parametrize("name", ["thadd-fe5d348"])
def test_offline_originals_of_a_real_catalog_get_keywords_by_their_thumbnails_and_lose_them_by_one_undo(
    library: Library, shared: Path, tmp_path: Path, name: str
) -> None:
    real = shared / "catalogs/lightroom/real"
    shutil.copytree(library.home, tmp_path / "home")
    shutil.copy(real / f"{name}.lrcat", tmp_path / f"{name}.lrcat")
    root = "/Users/thad/Google Drive/src/lightroom/testdata/test_photos/"
    catalog = Catalog(tmp_path / f"{name}.lrcat", moved={root: f"{real / 'photos'}/"})
    assert all(Path(p.path).exists() for p in catalog.photos.values())  # Lightroom has previews of them
    with lightroom_with_bridge(tmp_path / f"{name}.lrcat", tmp_path / "home") as lightroom:
        lightroom = Lightroom(catalog, tmp_path / "user", real_time=True, environment=lightroom.environment)
        lightroom.selected = list(catalog.photos)
        lightroom.control.prefs["threshold"] = 0.05
        lightroom.control.prefs["new_tops"] = True
        lightroom.people = [accepts]
        before = catalog.state()
        had = {p: catalog.paths_of(p) for p in catalog.photos}
        lightroom.choose("SuggestKeywords.lua")
        assert sum("/rendition" in url for _, url, _ in lightroom.requests) == len(catalog.photos)
        assert [m.text for m in lightroom.messages if m.kind == "error"] == []
        given = {p: catalog.paths_of(p) - had[p] for p in catalog.photos}
        assert any(given.values())
        assert all(catalog.paths_of(p) >= had[p] for p in catalog.photos)
        assert len(catalog.undo_steps) == 1
        catalog.undo()
        assert catalog.state() == before
        assert lightroom.faults == []
        assert lightroom.failed_tasks == []


REAL = (
    "thadd-31bcaed",
    "thadd-fe5d348",
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("thadd-328bdfb", "thadd-73070cb")),
)


@pytest.mark.parametrize("name", REAL)
def test_a_real_catalog_teaches_and_gets_keywords_that_one_undo_takes_out(
    shared: Path, tmp_path: Path, name: str
) -> None:
    real = shared / "catalogs/lightroom/real"
    path = tmp_path / f"{name}.lrcat"
    shutil.copy(real / f"{name}.lrcat", path)
    with closing(sqlite3.connect(path)) as db:  # as after Lightroom's Find Missing Folder
        db.execute("UPDATE AgLibraryRootFolder SET absolutePath = ?", (f"{real / 'photos'}/",))
        db.commit()
    home = tmp_path / "home"
    home.mkdir()
    # So few photos teach little: a keyword on one photo is to be suggested.
    (home / "config.toml").write_text("[learning]\nmin_photos = 1\n", encoding="utf-8")
    with lightroom_with_bridge(path, home) as lightroom:
        catalog = lightroom.catalog
        assert all(Path(photo.path).exists() for photo in catalog.photos.values())
        lightroom.choose("LearnCatalog.lua")
        assert [m.text for m in lightroom.messages] == ["Keywright has learned from this catalog."]
        before, had, keywords = catalog.state(), links(lightroom), len(catalog.keywords)
        lightroom.control.prefs["threshold"] = lightroom.control.prefs["least"] = 0.01
        lightroom.selected, lightroom.people = list(catalog.photos), [accepts]
        lightroom.choose("SuggestKeywords.lua")
        assert [m.text for m in lightroom.messages if m.kind != "message"] == []
        plan = accepted(lightroom)
        assert plan
        assert links(lightroom) - had == plan - had
        assert links(lightroom) >= had
        assert len(catalog.keywords) == keywords
        assert not any("/rendition" in url for _, url, _ in lightroom.requests)
        people = {catalog.keyword_path(k.id) for k in catalog.keywords.values() if k.person}
        assert not people & {keyword for _, keyword in plan}
        assert len(catalog.undo_steps) == 1
        catalog.undo()
        assert catalog.state() == before
        assert lightroom.faults == []
        assert lightroom.failed_tasks == []


def accepted(lightroom: Lightroom) -> set[tuple[int, tuple[str, ...]]]:
    """What was accepted, as the bridge keeps it: (photo, keyword)."""
    uuids = {photo.uuid: photo.id for photo in lightroom.catalog.photos.values()}
    found = ask(lightroom, "/v1/decisions?limit=1000&decision=accepted")["decisions"]
    assert isinstance(found, list)
    return {
        (uuids[str(ask(lightroom, f"/v1/photos/{one['photo']}")["host_id"])], tuple(one["keyword"].split("|")))
        for one in found
    }
