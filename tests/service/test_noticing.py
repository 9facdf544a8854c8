"""While the bridge runs it notices by itself what became of the catalogs it knows."""

from __future__ import annotations

import shutil
from pathlib import Path

from catalogs.builders import Lightroom
from keywright.config import Watch
from keywright.operations.noticing import LATEST_LOOKS, Noticing
from keywright.service.watcher import Watcher
from keywright_plugin.values import Photo, PhotoRef
from service.kit import Raw


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def watcher(bridge: Raw, clock: Clock) -> Watcher:
    return Watcher(bridge.bridge.workspace, bridge.bridge.queue, Watch(interval=60), clock)


def look(watching: Watcher, clock: Clock) -> list[int]:
    clock.now += 60
    return watching.look()


def test_a_change_is_read_once_it_has_settled_and_only_once() -> None:
    noticing = Noticing(60)
    told = ["a", "b", "c", "c", "c", "d", "d"]
    read = [noticing.looked(1, 60.0 * n, 0.0, state, "a") for n, state in enumerate(told)]
    assert read == [False, False, False, True, False, False, True]


def test_what_changes_without_end_is_read_at_last() -> None:
    noticing = Noticing(60)
    read = [noticing.looked(1, 60.0 * n, 0.0, f"state {n}", "before") for n in range(2 * LATEST_LOOKS)]
    assert [n for n, now in enumerate(read) if now] == [LATEST_LOOKS - 1, 2 * LATEST_LOOKS - 1]


def test_a_catalog_that_is_away_is_not_read_and_neither_is_what_was_read() -> None:
    noticing = Noticing(60)
    assert not any(noticing.looked(1, 60.0 * n, 0.0, None, "a") for n in range(20))
    assert not any(noticing.looked(1, 60.0 * n, 0.0, "a", "a") for n in range(20))


def test_looking_takes_a_hundredth_of_the_time_at_most() -> None:
    noticing = Noticing(60)
    noticing.looked(1, 1000.0, 30.0, "a", "a")
    assert not noticing.is_due(1, 1000 + 2999)
    assert noticing.is_due(1, 1000 + 3001)
    noticing.looked(1, 5000.0, 0.1, "a", "a")
    assert noticing.is_due(1, 5061)


def test_a_new_photo_in_a_registered_folder_gets_suggestions_by_itself(
    learned: Raw, library: Path, tmp_path: Path
) -> None:
    client, inbox, clock = learned.client, tmp_path / "inbox", Clock()
    inbox.mkdir()
    shutil.copy(library / "2023/At home/CHEL_0001.jpg", inbox / "first.jpg")
    client.wait(client.add_catalog(str(inbox), learn=False).job or 0)
    watching = watcher(learned, clock)
    for _ in range(3):
        for job in look(watching, clock):  # the library was learned by the command line: its state is not known yet
            client.wait(job)
    assert look(watching, clock) == look(watching, clock) == []
    shutil.copy(library / "2023/At home/CHEL_0009.jpg", inbox / "cat.jpg")
    assert look(watching, clock) == []  # it may still be being written
    (job,) = look(watching, clock)
    assert client.wait(job).state == "completed"
    photo = client.find_photos([PhotoRef(path=str(inbox / "cat.jpg"))])[0]
    assert isinstance(photo, Photo)
    assert photo.has_vector
    assert "Animals|Cat" in {s.keyword for s in client.suggest([photo.id]).photos[0].suggestions}
    assert look(watching, clock) == look(watching, clock) == []


def test_new_photos_of_a_lightroom_catalog_are_known_by_themselves_and_not_embedded_unasked(
    bridge: Raw, tmp_path: Path
) -> None:
    client, clock = bridge.client, Clock()
    made = Lightroom(tmp_path / "Holiday.lrcat")
    made.photo("IMG_1.jpg", [made.keyword("Dog")], id_global="UUID-1")
    made.db.commit()
    catalog = client.add_catalog(str(made.path), learn=False, embed=False)
    assert client.wait(catalog.job or 0).result == {"photos": 1}
    watching = watcher(bridge, clock)
    assert look(watching, clock) == look(watching, clock) == []
    made.photo("IMG_2.jpg", [], id_global="UUID-2")
    made.db.commit()
    assert look(watching, clock) == []
    (job,) = look(watching, clock)
    assert client.wait(job).result == {"photos": 2}
    assert isinstance(client.find_photos([PhotoRef(catalog=catalog.id, host_id="UUID-2")])[0], Photo)
    made.db.close()
    made.path.unlink()
    assert look(watching, clock) == look(watching, clock) == []  # away: nothing is forgotten, nobody is bothered
    assert client.catalogs()[0].photos == 2


def test_it_can_be_told_not_to_look(bridge: Raw) -> None:
    watching = Watcher(bridge.bridge.workspace, bridge.bridge.queue, Watch(catalogs=False))
    watching.start()
    assert not watching._thread.is_alive()
    watching.close()
