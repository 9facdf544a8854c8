"""The plug-in against Lightroom's rules: writing in gates, handles, copies, contention, cancel, big selections."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lightroom.simulation.catalog import Catalog, SdkError
from lightroom.simulation.lightroom import Lightroom

WRITE = """
local Writer = require 'Writer'
local catalog = import('LrApplication').activeCatalog()
local progress = import('LrProgressScope')({title = 'x', parent = {}})
local photos = catalog:getAllPhotos()
local function write(pairs_, tops)
  local wanted = {}
  for i, pair in ipairs(pairs_) do wanted[i] = {photo = photos[pair[1]], keyword = pair[2]} end
  return Writer.write('Keywright', wanted, tops, progress)
end
"""


@pytest.fixture
def lightroom(shared: Path, tmp_path: Path) -> Iterator[Lightroom]:
    made = Lightroom(Catalog(shared / "catalogs/lightroom/real/thadd-fe5d348.lrcat"), tmp_path)
    yield made
    assert made.faults == []


def paths(lightroom: Lightroom) -> set[tuple[str, ...]]:
    return {lightroom.catalog.keyword_path(k) for k in lightroom.catalog.keywords}


def first(lightroom: Lightroom, number: int = 0) -> int:
    return list(lightroom.catalog.photos)[number]


def test_a_nested_keyword_is_reused_whatever_its_case_and_keeps_its_attributes(lightroom: Lightroom) -> None:
    catalog = lightroom.catalog
    fred = next(k for k in catalog.keywords.values() if k.name == "Fred")
    fred.synonyms, fred.include_on_export = ("Peace",), False
    before = dict(catalog.keywords)
    lightroom.run(WRITE + "write{{2, 'nobelpris|NOBELPRISTAGARE|fred'}}")
    assert catalog.keywords == before
    assert fred.id in catalog.photos[first(lightroom, 1)].keywords
    assert (fred.synonyms, fred.include_on_export) == (("Peace",), False)


def test_two_new_keywords_under_one_new_parent_need_it_made_once(lightroom: Lightroom) -> None:
    lightroom.run(WRITE + "write{{1, 'Nobelpris|New|One'}, {2, 'Nobelpris|New|Two'}, {3, 'nobelpris|new|One'}}")
    assert {("Nobelpris", "New", "One"), ("Nobelpris", "New", "Two")} <= paths(lightroom)
    assert not {("One",), ("Two",), ("New",)} & paths(lightroom)
    assert len(lightroom.catalog.undo_steps) == 1


def test_a_missing_top_keyword_is_never_made_unless_the_person_wants_it(lightroom: Lightroom) -> None:
    before = paths(lightroom)
    lightroom.run(WRITE + "local r = write{{1, 'Brand new'}, {1, 'Other|Deep'}} assert(#r.failed == 2)")
    assert paths(lightroom) == before
    lightroom.run(WRITE + "write({{1, 'Other|Deep'}}, true)")
    assert paths(lightroom) - before == {("Other",), ("Other", "Deep")}


def test_a_create_that_gives_false_gives_up_that_path_and_makes_no_stray(
    lightroom: Lightroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = paths(lightroom)
    real = lightroom.catalog.create_keyword

    def stubborn(name: str, *rest: Any) -> int | None:
        return None if name == "New" else real(name, *rest)

    monkeypatch.setattr(lightroom.catalog, "create_keyword", stubborn)
    lightroom.run(WRITE + "local r = write{{1, 'Nobelpris|New|One'}, {1, 'Fresh'}} assert(#r.failed == 2)")
    assert paths(lightroom) == before


def test_a_keyword_renamed_since_is_looked_for_by_name_again(lightroom: Lightroom) -> None:
    lightroom.run(WRITE + "write{{1, 'california'}}")
    catalog = lightroom.catalog
    old = next(k for k in catalog.keywords.values() if k.name == "california")
    catalog.rename(old.id, "CA")
    lightroom.run(WRITE + "local r = write{{2, 'california'}} assert(#r.failed == 1, #r.written)")
    assert old.id not in catalog.photos[first(lightroom, 1)].keywords


def test_the_known_id_spares_walking_the_tree(lightroom: Lightroom) -> None:
    lightroom.run(WRITE + "write{{1, 'Nobelpris|Nobelpristagare|Fred'}}")
    lightroom.counts.clear()
    lightroom.run(WRITE + "write{{2, 'Nobelpris|Nobelpristagare|Fred'}}")
    assert lightroom.counts["keyword"] <= 6


def test_a_virtual_copy_and_its_master_have_keywords_of_their_own(lightroom: Lightroom) -> None:
    master = first(lightroom)
    copy = lightroom.catalog.virtual_copy(master)
    number = list(lightroom.catalog.photos).index(copy) + 1
    lightroom.run(WRITE + f"write{{{{{number}, 'Nobelpris'}}}}")
    assert ("Nobelpris",) in lightroom.catalog.paths_of(copy)
    assert ("Nobelpris",) not in lightroom.catalog.paths_of(master)


@pytest.mark.parametrize(
    ("gates", "result", "steps"),
    [
        ([], True, 1),
        (["aborted", "aborted"], True, 1),
        (["queued"], True, 1),
        (["queued and lost", "aborted"], True, 1),
        (["aborted"] * 3, False, 0),
    ],
)
def test_a_busy_catalog_is_waited_for_and_written_once(
    lightroom: Lightroom, gates: list[str], result: bool, steps: int
) -> None:
    lightroom.gates = gates
    writing = Writing(lightroom)
    assert writing("Nobelpris") == result
    assert len(lightroom.catalog.undo_steps) == steps


class Writing:
    def __init__(self, lightroom: Lightroom) -> None:
        self.lightroom = lightroom

    def __call__(self, keyword: str) -> bool:
        code = f"return (import('LrTasks').pcall(function() write{{{{1, '{keyword}'}}}} end))"
        return bool(self.lightroom.run(WRITE + code))


def test_a_bug_inside_the_gate_rolls_everything_back_and_is_not_swallowed(
    lightroom: Lightroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lightroom.catalog.state()
    real, count = lightroom.catalog.link, [0]

    def third_fails(photo: int, keyword: int) -> None:
        count[0] += 1
        if count[0] == 3:
            raise SdkError("the disk is full")
        real(photo, keyword)

    monkeypatch.setattr(lightroom.catalog, "link", third_fails)
    with pytest.raises(SdkError, match="disk is full"):
        lightroom.run(WRITE + "for i = 1, 1 do write{{1,'Nobelpris|a'},{2,'Nobelpris|b'},{3,'Nobelpris|c'}} end")
    assert lightroom.catalog.state() == before


@pytest.fixture
def big(shared: Path, tmp_path: Path) -> Lightroom:
    """5,000 photos without files."""
    tool = shared / "tools" / "make_lrcat.py"
    out = tmp_path / "big.lrcat"
    subprocess.run(
        [sys.executable, str(tool), str(out), "--scale", "5000", "--keywords", "300"], check=True, capture_output=True
    )
    with sqlite3.connect(out) as db:
        assert db.execute("SELECT COUNT(*) FROM Adobe_images").fetchone() == (5000,)
    return Lightroom(Catalog(out), tmp_path / "user")


FIVE = WRITE + "local all = {} for i = 1, #photos do all[i] = {i, 'Group 00|Keyword 0000'} end write(all)"


def test_5000_photos_are_written_in_one_step_with_progress_and_few_calls(big: Lightroom) -> None:
    tracemalloc.start()
    big.run(FIVE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    lua_kb = float(big.lua.eval("collectgarbage('count')"))
    assert len(big.catalog.undo_steps) == 1
    assert all(("Group 00", "Keyword 0000") in big.catalog.paths_of(p) for p in big.catalog.photos)
    assert len(big.progress) >= 50
    assert big.counts["batch"] <= 5
    assert "one by one" not in big.counts
    assert peak < 100e6
    assert lua_kb < 100_000


@pytest.mark.parametrize("after", [1, 2, 40, 60])
def test_cancel_while_writing_5000_leaves_nothing_half_written(big: Lightroom, after: int) -> None:
    before, asked = big.catalog.state(), [0]

    def cancel() -> bool:
        asked[0] += 1
        return asked[0] >= after

    big.cancel = cancel
    with pytest.raises(SdkError):
        big.run(FIVE)
    assert big.catalog.state() == before
    assert big.catalog.undo_steps == []
    assert asked[0] == after  # it stops the first time that it hears it


def thumbnail(lightroom: Lightroom, plan: Callable[[int], str]) -> object:
    lightroom.thumbnails = plan
    return lightroom.run(
        """local S = require 'Session'
        local progress = import('LrProgressScope')({title = 'x', parent = {}})
        local p = import('LrApplication').activeCatalog():getAllPhotos()[1]
        return S.thumbnail(p, progress)"""
    )


@pytest.mark.parametrize("plan", ["at once", "0.1", "0.1 0.2 0.3", "9"])
def test_a_thumbnail_is_had_however_it_comes(lightroom: Lightroom, plan: str) -> None:
    got = thumbnail(lightroom, lambda _photo: plan)
    assert str(got).startswith("\xff\xd8")
    assert "thumbnail lost" not in lightroom.counts


def test_a_second_callback_with_nothing_does_not_take_the_thumbnail_away(lightroom: Lightroom) -> None:
    answers = [b"\xff\xd8 picture", None]
    lightroom.pictures = lambda *_: answers.pop(0)
    assert str(thumbnail(lightroom, lambda _photo: "0.01 0.02")).startswith("\xff\xd8")
    assert answers == []


@pytest.mark.parametrize("plan", ["", "15"])
def test_a_thumbnail_that_never_comes_is_not_waited_for_forever(lightroom: Lightroom, plan: str) -> None:
    assert thumbnail(lightroom, lambda _photo: plan) is None
    assert 9 < float(lightroom.control.now()) < 16


def test_the_plugin_writes_no_file_beside_a_photo_and_calls_nothing_that_deletes() -> None:
    from lightroom.simulation.lightroom import PLUGIN

    source = "".join(p.read_text(encoding="utf-8") for p in PLUGIN.glob("*.lua"))
    for forbidden in ("LrMetadataProvider", "setPropertyForPlugin", "saveMetadata", ":delete(", "addPhoto("):
        assert forbidden not in source
