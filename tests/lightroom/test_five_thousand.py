"""5,000 photos suggested on in one go: bounded memory, progress, cancel, and nothing half done."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightroom.conftest import Library, lightroom_with_bridge
from lightroom.people import accepts
from lightroom.simulation.http import Reply, send
from lightroom.simulation.lightroom import Lightroom, Shown
from lightroom.test_suggesting_end_to_end import ask, links, texts

PHOTOS, FILES = 5000, 100
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def big(library: Library, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A catalog of 5,000 photos without keywords, under many names the same 100 pictures, and a home that knows them.

    Pictures that are known already have their vectors: what is tested is the way of 5,000 photos, not the encoder.
    """
    top = tmp_path_factory.mktemp("five thousand")
    with (shared / "photos" / "keywords.csv").open(encoding="utf-8", newline="") as file:
        sources = [row["path"] for row in csv.DictReader(file) if row["split"] == "test"][:FILES]
    photos = top / "photos"
    rows = []
    for number in range(PHOTOS):
        name = f"{number // 500:02d}/IMG_{number:05d}.jpg"
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        original = photos / f"{number % FILES // 500:02d}/IMG_{number % FILES:05d}.jpg"
        if number < FILES:
            shutil.copyfile(shared / "photos" / sources[number], photos / name)
        else:
            os.link(original, photos / name)
        rows.append({"path": name, "keywords": "", "split": "test"})
    with (top / "keywords.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("path", "keywords", "split"))
        writer.writeheader()
        writer.writerows(rows)
    tool = shared / "tools" / "make_lrcat.py"
    command = [sys.executable, str(tool), str(top / "Big.lrcat"), str(photos), str(top / "keywords.csv")]
    subprocess.run(command, check=True, capture_output=True)
    shutil.copytree(library.home, top / "home")
    with lightroom_with_bridge(top / "Big.lrcat", top / "home") as lightroom:
        prepare(lightroom)
        lightroom.cancel = lambda: any(url.endswith("/v1/suggestions") for _, url, _ in lightroom.sent)
        lightroom.choose("SuggestKeywords.lua")
    return top / "Big.lrcat", top / "home"


def prepare(lightroom: Lightroom) -> None:
    lightroom.selected = list(lightroom.catalog.photos)
    lightroom.control.prefs["browser_above"] = 100_000
    lightroom.control.prefs["new_tops"] = True


@pytest.fixture
def lightroom(big: tuple[Path, Path], tmp_path: Path) -> Iterator[Lightroom]:
    catalog, home = big
    shutil.copytree(home, tmp_path / "home")
    with lightroom_with_bridge(catalog, tmp_path / "home") as found:
        prepare(found)
        yield found
        assert found.faults == []
        assert found.failed_tasks == []


def test_5000_photos_get_suggestions_and_keywords_in_one_go(lightroom: Lightroom) -> None:
    lightroom.people = [accepts]
    before = links(lightroom)
    tracemalloc.start()
    lightroom.choose("SuggestKeywords.lua")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "photos together" in lightroom.dialogs[0].words()
    given = links(lightroom) - before
    assert len({photo for photo, _ in given}) > 1000
    assert [step.name for step in lightroom.catalog.undo_steps] == ["Keywright: add keywords"]
    decided = ask(lightroom, "/v1/state")
    assert decided
    assert peak < 200e6
    assert float(lightroom.lua.eval("collectgarbage('count')")) < 100_000
    shares = [share for _, share in lightroom.progress]
    suggesting = [round(share, 3) for share in shares[: shares.index(1.0) + 1]]
    assert suggesting == sorted(suggesting)
    assert len(set(suggesting)) >= 20
    lightroom.catalog.undo()
    assert links(lightroom) == before


@pytest.mark.parametrize("after", [1, 9])
def test_cancel_while_5000_are_suggested_on_is_heard_before_the_answer_comes(
    lightroom: Lightroom, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lightroom.catalog.state()
    heard: list[tuple[int, int]] = []
    over = threading.Event()
    begun: list[str] = []

    def held(method: str, url: str, *rest: Any) -> Reply:
        """The answer to the request during which cancel is pressed does not come before the person is told."""
        if url.endswith("/v1/suggestions"):
            begun.append(url)
            if len(begun) >= after:
                assert over.wait(120)
        return send(method, url, *rest)

    def cancel() -> bool:
        asked = [url for _, url, _ in lightroom.sent if url.endswith("/v1/suggestions")]
        if len(asked) < after:
            return False
        heard.append((len(lightroom.sent), len(lightroom.requests)))
        return True

    class Messages(list[Shown]):
        def append(self, shown: Shown) -> None:
            super().append(shown)
            over.set()

    monkeypatch.setattr("lightroom.simulation.lightroom.send", held)
    lightroom.messages = Messages()
    lightroom.cancel = cancel
    lightroom.choose("SuggestKeywords.lua")
    assert texts(lightroom) == ["Keywright: stopped, nothing was written."]
    sent, answered = heard[0]
    assert sent == answered + 1  # one was under way,
    assert len(lightroom.sent) == sent  # nothing was asked after it,
    assert len(lightroom.requests) <= sent  # and at most it was answered, after the person was told
    assert lightroom.dialogs == []
    assert lightroom.catalog.state() == before
    assert lightroom.catalog.undo_steps == []
    assert ask(lightroom, "/v1/decisions")["decisions"] == []
