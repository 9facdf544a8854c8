"""Search in its own process: the bridge stays small, and outlives whatever becomes of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from keywright.service.searcher import Searcher, SearchError
from keywright_plugin import ProblemError
from service.kit import Raw


def test_the_bridge_loads_no_encoder_to_search(learned: Raw) -> None:
    before = {name for name in ("torch", "onnxruntime") if name in sys.modules}
    assert learned.client.search("cat", limit=1)[0].path.endswith(".jpg")
    assert {name for name in ("torch", "onnxruntime") if name in sys.modules} == before


def test_a_search_whose_process_was_killed_is_answered_by_a_new_one(learned: Raw) -> None:
    learned.client.search("cat", limit=1)
    process = learned.bridge.bridge.searcher._process
    assert process is not None
    process.kill()
    process.wait()
    assert learned.client.search("cat", limit=1)
    assert learned.bridge.bridge.searcher._process is not process


def test_what_cannot_be_searched_is_one_sentence_and_the_process_lives_on(learned: Raw) -> None:
    with pytest.raises(ProblemError, match=r"There is no keyword No\|Such"):
        learned.client.search("cat", keyword="No|Such")
    process = learned.bridge.bridge.searcher._process
    assert learned.client.search("cat", limit=1)
    assert learned.bridge.bridge.searcher._process is process


def test_a_photo_whose_drive_is_away_is_an_example(learned: Raw) -> None:
    asked = learned.client.search("cat", limit=1)[0]
    there = learned.client.search(like=[asked.photo], limit=5)
    file = Path(asked.path)
    away = file.with_name("away")
    file.rename(away)
    try:
        assert learned.client.search(like=[asked.photo], limit=5) == there
    finally:
        away.rename(file)
    with pytest.raises(ProblemError, match="There is no photo 999999"):
        learned.client.search(like=[999999])


def test_a_search_that_takes_too_long_is_given_up(learned: Raw) -> None:
    searcher = Searcher(learned.bridge.bridge.workspace, patience=0.0)
    with pytest.raises(SearchError, match="longer than"):
        searcher.search({"text": "cat"})
    assert searcher.process is None


def test_the_process_ends_with_the_bridge(learned: Raw, tmp_path: Path) -> None:
    searcher = Searcher(learned.bridge.bridge.workspace, tmp_path / "log")
    assert searcher.search({"text": "cat", "limit": 1}).found
    searcher.close()
    assert searcher._process is not None
    assert searcher._process.poll() == 0


ENDING = """
import json, os, pathlib, sys
marker = pathlib.Path(sys.argv[1])
asked = sys.stdin.readline()
if marker.exists():
    print(json.dumps({"found": [], "notes": [asked.strip(), str(os.getpid())]}), flush=True)
else:
    marker.write_text(str(os.getpid()))
    os.close(1)  # the end is told, and yet the process lives on
sys.stdin.read()
"""


def test_a_search_that_meets_a_process_just_ending_is_answered_by_a_new_one(learned: Raw, tmp_path: Path) -> None:
    command = (sys.executable, "-c", ENDING, str(tmp_path / "marker"))
    searcher = Searcher(learned.bridge.bridge.workspace, patience=10.0, command=command)
    asked, process = searcher.search({"text": "cat"}).notes
    assert json.loads(asked) == {"text": "cat"}
    assert process == str(searcher.process) != (tmp_path / "marker").read_text()
    searcher.close()


def test_a_search_whose_process_always_ends_is_one_sentence(learned: Raw) -> None:
    searcher = Searcher(learned.bridge.bridge.workspace, command=(sys.executable, "-c", "import os; os.close(1)"))
    with pytest.raises(SearchError, match="ended without an answer"):
        searcher.search({"text": "cat"})
    assert searcher.process is None


def test_what_a_search_could_not_count_is_told(learned: Raw) -> None:
    assert learned.send("GET", "/v1/search?text=cat").json["notes"] == []
    told = learned.send("GET", "/v1/search?text=coffee%20without%20unicorns").json
    assert told["photos"]
    assert told["notes"] == ['No photo is left out for "unicorns", because no keyword is named so.']
