"""Photos that arrive in a watched folder get suggestions once they are whole."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from pathlib import Path

import pytest

from keywright.cli.watch import follow
from keywright.operations.watching import QUIET_SECONDS, Settling, is_watched, watch
from keywright_plugin.values import Photo, Suggested
from service.kit import Raw


def test_a_photo_is_finished_once_it_stays_the_same() -> None:
    path, size = Path("/in/a.jpg"), [10]
    settling = Settling()

    def at(now: float) -> list[Path]:
        return settling.settled(now, lambda _: (size[0], 0))

    settling.seen(path, 0)
    assert at(1) == []
    size[0] = 20  # written to, and no event told so
    assert at(QUIET_SECONDS + 0.5) == []
    assert at(QUIET_SECONDS + 1) == []
    assert at(2 * QUIET_SECONDS + 0.5) == [path]
    assert len(settling) == 0


def test_a_photo_touched_again_is_waited_for_again() -> None:
    settling = Settling()
    settling.seen(Path("/in/a.jpg"), 0)
    assert settling.settled(0, lambda _: (10, 0)) == []
    settling.seen(Path("/in/a.jpg"), QUIET_SECONDS)
    assert settling.settled(QUIET_SECONDS, lambda _: (10, 0)) == []


def test_an_empty_file_and_one_that_went_away_are_no_photos() -> None:
    settling = Settling()
    settling.seen(Path("/in/empty.jpg"), 0)
    settling.seen(Path("/in/gone.jpg"), 0)
    for now in (0, 10, 20):
        assert settling.settled(now, lambda p: (0, 0) if p.name == "empty.jpg" else None) == []
    assert len(settling) == 1


@pytest.mark.parametrize(
    ("path", "watched"),
    [
        ("/in/a.jpg", True),
        ("/in/2024/b.CR2", True),
        ("/in/notes.txt", False),
        ("/in/.hidden.jpg", False),
        ("/in/.trash/a.jpg", False),
        ("/in/Cat.lrdata/a.jpg", False),
        ("/out/a.jpg", False),
    ],
)
def test_only_photos_that_a_person_sees_are_watched(path: str, watched: bool) -> None:
    assert is_watched(Path(path), [Path("/in")]) is watched


def test_a_photo_written_in_pieces_arrives_once_and_whole(tmp_path: Path, library: Path) -> None:
    whole = (library / "2023" / "At home" / "CHEL_0009.jpg").read_bytes()
    arrived: queue.SimpleQueue[tuple[Path, int]] = queue.SimpleQueue()
    stop = threading.Event()
    started = threading.Event()
    copied: list[int] = []  # where its pieces begin: they come 0.2 s apart, however long this machine takes for each
    over: list[float] = []

    def stopped() -> bool:
        started.set()
        return stop.is_set()

    def clock() -> float:
        return 0.2 * len(copied) + (time.monotonic() - over[0] if over else 0.0)

    def listen() -> None:
        for paths in watch([tmp_path], stopped, quiet=0.5, clock=clock):
            for path in paths:
                arrived.put((path, path.stat().st_size))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert started.wait(60)
    pause = threading.Event()
    with (tmp_path / "cat.part").open("wb") as file:
        file.write(whole[:1000])
    (tmp_path / "cat.part").rename(tmp_path / "cat.jpg")
    with (tmp_path / "cat.jpg").open("ab", buffering=0) as file:
        for start in range(1000, len(whole), -(-len(whole) // 8)):
            file.write(whole[start : start + -(-len(whole) // 8)])
            copied.append(start)
            pause.wait(0.1)  # as a slow copy would
    over.append(time.monotonic())
    assert arrived.get(timeout=60) == (tmp_path / "cat.jpg", len(whole))
    stop.set()
    thread.join(60)
    assert arrived.empty()


def test_what_arrives_in_an_empty_watched_folder_gets_suggestions(learned: Raw, library: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    shown: queue.SimpleQueue[tuple[Photo, Suggested]] = queue.SimpleQueue()
    stop, started = threading.Event(), threading.Event()

    def stopped() -> bool:
        started.set()
        return stop.is_set()

    thread = threading.Thread(
        target=lambda: follow(learned.client, [inbox], lambda p, s: shown.put((p, s)), stop=stopped, quiet=0.3),
        daemon=True,
    )
    thread.start()
    assert started.wait(60)
    shutil.copy(library / "2023" / "At home" / "CHEL_0009.jpg", inbox / "cat.jpg")
    photo, found = shown.get(timeout=60)
    stop.set()
    thread.join(60)
    assert photo.path == str(inbox / "cat.jpg")
    assert found.suggestions[0].keyword == "Animals|Cat"
    read = learned.client.add_catalog(str(inbox), learn=False)
    assert (read.id, read.photos) == (photo.catalog, 1)
