"""The simulator keeps Lightroom's rules: each is a bug that a plug-in has shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightroom.simulation.catalog import Catalog, SdkError
from lightroom.simulation.lightroom import Lightroom

HEAD = "local LrTasks = import 'LrTasks' local c = import('LrApplication').activeCatalog() "


@pytest.fixture
def lightroom(shared: Path, tmp_path: Path) -> Lightroom:
    return Lightroom(Catalog(shared / "catalogs/lightroom/real/thadd-fe5d348.lrcat"), tmp_path)


def test_a_real_catalog_is_loaded_with_its_tree_and_its_people(lightroom: Lightroom) -> None:
    catalog = lightroom.catalog
    king = next(k for k in catalog.keywords.values() if k.name == "Martin Luther King Jr.")
    assert len(catalog.photos) == 5
    assert king.person
    assert ("Nobelpris", "Nobelpristagare", "Fred") in {catalog.keyword_path(k) for k in catalog.keywords}


@pytest.mark.parametrize(
    "call",
    ["c:getTargetPhotos()", "c:getKeywords()", "import('LrTasks').sleep(1)", "import('LrHttp').get('http://x')"],
)
def test_a_call_outside_a_task_fails(lightroom: Lightroom, call: str) -> None:
    chunk = lightroom.control.compile(HEAD + call)
    with pytest.raises(Exception, match="async task"):
        chunk()


@pytest.mark.parametrize(
    "code",
    [
        "c:createKeyword('x', {}, true, nil, true)",
        "c:getAllPhotos()[1]:addKeyword(c:getKeywords()[1])",
        "c:getAllPhotos()[1]:removeKeyword(c:getKeywords()[1])",
        "c:createCollection('x')",
    ],
)
def test_a_write_outside_a_gate_fails(lightroom: Lightroom, code: str) -> None:
    with pytest.raises(SdkError, match="write access"):
        lightroom.run(HEAD + code)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("c:withWriteAccessDo('a', function() c:withWriteAccessDo('b', function() end) end)", "nest"),
        (
            "c:withWriteAccessDo('a', function() local k = c:createKeyword('n', {}, true, nil, true) k:getName() end)",
            "cannot be read",
        ),
        ("pcall(c.getKeywords, c) local ok, e = pcall(c.getKeywords, c) error(e)", "yield"),
        ("table.sort(c:getKeywords(), function(a, b) return a:getName() < b:getName() end)", "yield"),
        ("c:batchGetRawMetadata(c:getAllPhotos(), {'path', 'nonsense'})", "unknown metadata key"),
        ("local x = LrTask", "undefined global"),
        ("import('LrDialogs').stop()", "nil"),
        ("require 'sub/file'", "bare names"),
    ],
)
def test_a_mistake_fails_as_it_does_in_lightroom(lightroom: Lightroom, code: str, problem: str) -> None:
    with pytest.raises(SdkError, match=problem):
        lightroom.run(HEAD + code)


def test_a_second_create_in_one_gate_gives_false_and_a_false_parent_makes_a_stray_keyword(lightroom: Lightroom) -> None:
    lightroom.run(
        HEAD
        + """c:withWriteAccessDo('a', function()
        local top = c:createKeyword('Top', {}, true, nil, true)
        local again = c:createKeyword('Top', {}, true, nil, true)
        assert(again == false)
        c:createKeyword('Stray', {}, true, again, true) end)"""
    )
    assert ("Stray",) in {lightroom.catalog.keyword_path(k) for k in lightroom.catalog.keywords}


def test_siblings_are_one_whatever_their_case(lightroom: Lightroom) -> None:
    before = len(lightroom.catalog.keywords)
    lightroom.run(
        HEAD
        + """c:withWriteAccessDo('a', function()
        assert(c:createKeyword('NOBELPRIS', {}, true, nil, true).localIdentifier == 452)
        assert(c:createKeyword('NOBELPRIS', {}, true, nil, false) == false) end)"""
    )
    assert len(lightroom.catalog.keywords) == before


def test_no_call_deletes_a_keyword(lightroom: Lightroom) -> None:
    with pytest.raises(SdkError):
        lightroom.run(HEAD + "c:withWriteAccessDo('a', function() c:deleteKeyword(c:getKeywords()[1]) end)")


def test_lightroom_pcall_may_yield(lightroom: Lightroom) -> None:
    assert lightroom.run(HEAD + "local ok, k = LrTasks.pcall(c.getKeywords, c) return #k") == len(
        lightroom.catalog.children(None)
    )


def test_an_error_in_a_gate_takes_everything_back(lightroom: Lightroom) -> None:
    before = lightroom.catalog.state()
    with pytest.raises(SdkError, match="oops"):
        lightroom.run(
            HEAD
            + """local k = c:getKeywords()[1] local p = c:getAllPhotos()
            c:withWriteAccessDo('a', function()
              for _, photo in ipairs(p) do photo:addKeyword(k) end
              c:createKeyword('x', {}, true, nil, true) error('oops') end)"""
        )
    assert lightroom.catalog.state() == before
    assert lightroom.catalog.undo_steps == []


def test_one_gate_is_one_undo_step(lightroom: Lightroom) -> None:
    before = lightroom.catalog.state()
    lightroom.run(
        HEAD
        + """local k = c:getKeywords()[1] local p = c:getAllPhotos()
        c:withWriteAccessDo('Add', function()
          for _, photo in ipairs(p) do photo:addKeyword(k) end
          end)"""
    )
    assert lightroom.catalog.state() != before
    assert lightroom.catalog.undo() == "Add"
    assert lightroom.catalog.state() == before


def test_a_busy_catalog_throws_without_a_timeout_and_answers_with_one(lightroom: Lightroom) -> None:
    lightroom.gates = ["aborted", "aborted", "queued"]
    with pytest.raises(SdkError, match="write access"):
        lightroom.run(HEAD + "c:withWriteAccessDo('a', function() end)")
    assert lightroom.run(HEAD + "return c:withWriteAccessDo('a', function() end, {timeout = 5})") == "aborted"
    assert lightroom.run(HEAD + "return c:withWriteAccessDo('a', function() end, {timeout = 5})") == "queued"
    assert lightroom.run(HEAD + "return c:withWriteAccessDo('a', function() end, {timeout = 5})") == "executed"


def test_nothing_selected_means_the_whole_filmstrip(lightroom: Lightroom) -> None:
    assert lightroom.run(HEAD + "return #c:getTargetPhotos()") == 5
    assert lightroom.run(HEAD + "return c:getTargetPhoto()") is None
    lightroom.selected = [next(iter(lightroom.catalog.photos))]
    assert lightroom.run(HEAD + "return #c:getTargetPhotos()") == 1


@pytest.mark.parametrize(
    ("plan", "kept", "times"), [("0.5 0.7", True, 2), ("", True, 0), ("0.5", False, 0), ("at once", False, 1)]
)
def test_a_thumbnail_comes_late_twice_never_or_at_once_and_only_while_the_request_is_kept(
    lightroom: Lightroom, plan: str, kept: bool, times: int
) -> None:
    lightroom.thumbnails = lambda _photo: plan
    hold = "local hold = " if kept else ""
    got = lightroom.run(
        HEAD
        + f"""local n, p = 0, c:getAllPhotos()[1]
        {hold}p:requestJpegThumbnail(100, 100, function(jpeg) if jpeg then n = n + 1 end end)
        LrTasks.sleep(2) return n"""
        + (", hold" if kept else "")
    )
    assert (got[0] if isinstance(got, tuple) else got) == times


def test_a_callback_of_a_thumbnail_that_yields_is_a_fault(lightroom: Lightroom) -> None:
    lightroom.run(
        HEAD
        + """local hold = c:getAllPhotos()[1]:requestJpegThumbnail(9, 9, function() LrTasks.sleep(1) end)
        LrTasks.sleep(2) return hold == nil"""
    )
    assert lightroom.faults == ["a thumbnail's callback may not yield"]


def test_a_refused_connection_gives_no_body_and_a_code(lightroom: Lightroom) -> None:
    lightroom.run(
        HEAD
        + """local body, headers = import('LrHttp').get('http://127.0.0.1:9/x')
        assert(body == nil and headers.error.errorCode == 'cannotConnectToHost')"""
    )


def test_a_popup_with_hundreds_of_items_is_refused(lightroom: Lightroom) -> None:
    with pytest.raises(SdkError, match="unusable"):
        lightroom.run(
            "local items = {} for i = 1, 300 do items[i] = {title = i, value = i} end "
            "import('LrView').osFactory():popup_menu{items = items}"
        )
