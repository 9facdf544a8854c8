"""Stacks, virtual copies and keywords under other names: what is written goes where the person means it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from lightroom.people import accepts
from lightroom.simulation.catalog import Catalog
from lightroom.simulation.lightroom import Lightroom
from lightroom.test_rules_the_plugin_keeps import WRITE, first, paths
from lightroom.test_rules_the_plugin_keeps import lightroom as offline
from lightroom.test_suggesting_end_to_end import bare, links, texts

__all__ = ["offline"]


WRITE_FRED = (
    WRITE
    + """local wanted = {{photo = photos[2], keyword = 'Nobelpris|Nobelpristagare|Fred', id = ID}}
    assert(#Writer.write('x', wanted, false, progress).written == 1)"""
)


def bodies(lightroom: Lightroom, path: str) -> list[dict[str, object]]:
    return [json.loads(body) for _, url, body in lightroom.sent if url.endswith(path)]


def test_a_collapsed_stack_is_its_top_photo_and_the_others_get_nothing(lightroom: Lightroom) -> None:
    top, second, third = stack = bare(lightroom)[:3]
    lightroom.catalog.stack(stack, collapsed=True)
    lightroom.filmstrip = [p for p in lightroom.catalog.shown() if p in stack]
    lightroom.control.prefs["threshold"] = lightroom.control.prefs["least"] = 0.05
    lightroom.confirms, lightroom.people = ["ok"], [accepts]
    before = links(lightroom)
    lightroom.choose("SuggestKeywords.lua")
    assert lightroom.messages[0].info == "Take all 1 photos of the filmstrip?"
    assert {photo for photo, _ in links(lightroom) - before} == {top}
    assert not lightroom.catalog.photos[second].keywords
    assert not lightroom.catalog.photos[third].keywords


def test_the_photos_of_an_open_stack_get_each_their_own_keywords(lightroom: Lightroom) -> None:
    stack = bare(lightroom)[:3]
    lightroom.catalog.stack(stack, collapsed=False)
    lightroom.selected = list(stack)
    lightroom.control.prefs["threshold"] = lightroom.control.prefs["least"] = 0.05
    lightroom.people = [accepts]
    lightroom.choose("SuggestKeywords.lua")
    asked = bodies(lightroom, "/v1/suggestions")
    assert len(asked[0]["photos"]) == 3  # type: ignore[arg-type]
    assert all(lightroom.catalog.photos[photo].keywords for photo in stack)
    assert [lightroom.catalog.photos[photo].position for photo in stack] == [1, 2, 3]


def test_stacks_of_a_catalog_are_read_with_the_photo_on_top_first(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "stacked.lrcat"
    path.write_bytes((shared / "catalogs/lightroom/real/thadd-31bcaed.lrcat").read_bytes())
    with sqlite3.connect(path) as db:
        images = [row[0] for row in db.execute("SELECT id_local FROM Adobe_images ORDER BY id_local LIMIT 3")]
        db.execute("INSERT INTO AgLibraryFolderStack(id_local, id_global, collapsed) VALUES (9, 'S', 1)")
        for number, (image, position) in enumerate(zip(images, "cab", strict=True)):
            db.execute(
                "INSERT INTO AgLibraryFolderStackImage(id_local, collapsed, image, position, stack) VALUES (?,1,?,?,9)",
                (number + 1, image, position),
            )
    db.close()
    catalog = Catalog(path)
    assert [catalog.photos[image].position for image in images] == [3, 1, 2]
    assert set(catalog.photos) - set(catalog.shown()) == {images[0], images[2]}


def test_the_bridges_id_finds_a_keyword_before_its_name_does(offline: Lightroom) -> None:
    # Two keywords of one name: the id says which is meant, where the path fits.
    catalog = offline.catalog
    fred = next(k for k in catalog.keywords.values() if k.name == "Fred")
    offline.run(WRITE_FRED.replace("ID", str(fred.id)))
    assert fred.id in catalog.photos[first(offline, 1)].keywords
    assert offline.counts["keyword"] <= 6  # the tree was not walked


@pytest.mark.parametrize("stale", ["another keyword's", "nobody's"])
def test_an_id_that_is_another_keywords_by_now_is_not_believed(offline: Lightroom, stale: str) -> None:
    catalog, before = offline.catalog, paths(offline)
    other = next(k for k in catalog.keywords.values() if k.name == "california")
    wrong = other.id if stale == "another keyword's" else 999_999_999
    offline.run(WRITE_FRED.replace("ID", str(wrong)))
    assert ("Nobelpris", "Nobelpristagare", "Fred") in catalog.paths_of(first(offline, 1))
    assert other.id not in catalog.photos[first(offline, 1)].keywords
    assert paths(offline) == before


def test_keywords_of_an_earlier_write_are_not_looked_up_again_for_others(offline: Lightroom) -> None:
    offline.run(WRITE + "write{{1, 'Nobelpris|Nobelpristagare|Fred'}, {1, 'california'}, {1, '1964'}}")
    offline.counts.clear()
    offline.run(WRITE + "write{{2, 'california'}}")
    assert offline.counts["keyword"] <= 3


def test_suggestions_name_the_keywords_of_the_catalog_by_their_ids(lightroom: Lightroom) -> None:
    lightroom.selected = bare(lightroom)[:30]
    lightroom.people = [accepts]
    lightroom.choose("SuggestKeywords.lua")
    assert "written" in lightroom.messages[-1].text or "keywords on" in lightroom.messages[-1].text
    # Every suggested keyword was there, and was had by its id: no level of the tree was opened.
    assert lightroom.counts.get("children", 0) == 0


def test_a_virtual_copy_that_is_alike_is_collected_itself_and_not_its_master(lightroom: Lightroom) -> None:
    copies = [p for p in lightroom.catalog.photos.values() if p.master is not None]
    assert copies
    copy = copies[0]
    # Seen once by its own developed thumbnail, the copy has a vector of its own.
    lightroom.selected, lightroom.people = [copy.id], [accepts]
    lightroom.control.prefs["threshold"] = lightroom.control.prefs["least"] = 0.01
    lightroom.choose("SuggestKeywords.lua")
    lightroom.selected = [copy.master]
    lightroom.choose("FindSimilar.lua")
    (name,) = lightroom.catalog.collections
    assert copy.id in lightroom.catalog.collections[name]
    assert copy.master not in lightroom.catalog.collections[name]
    assert "critical" not in [m.kind for m in lightroom.messages], texts(lightroom)


@pytest.mark.parametrize(
    ("prefs", "profile", "least"),
    [({}, None, None), ({"profile": "birds", "least": 0.35}, "birds", 0.35), ({"least": 0.9}, None, 0.9)],
)
def test_the_profile_and_the_threshold_of_the_settings_are_sent(
    lightroom: Lightroom, prefs: dict[str, object], profile: str | None, least: float | None
) -> None:
    home = Path(lightroom.environment["KEYWRIGHT_HOME"])
    (home / "config.toml").write_text('[profiles.birds]\nunder = ["Animals"]\n', encoding="utf-8")
    for key, value in prefs.items():
        lightroom.control.prefs[key] = value
    lightroom.selected = bare(lightroom)[:5]
    lightroom.people = [accepts]
    lightroom.choose("SuggestKeywords.lua")
    for body in bodies(lightroom, "/v1/suggestions"):
        assert (body.get("profile"), body.get("min_confidence")) == (profile, least)
