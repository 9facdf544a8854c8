"""Real Lightroom 9 catalogs with their own photos, whose originals are offline for the bridge."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lightroom.conftest import Library, lightroom_with_bridge
from lightroom.people import accepts
from lightroom.simulation.catalog import Catalog
from lightroom.simulation.lightroom import Lightroom


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
