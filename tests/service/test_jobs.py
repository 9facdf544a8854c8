"""Jobs: done in the background, told how far they are, stopped, tried again, and gone on with after a crash."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
from demo.library import make_library
from PIL import Image

from keywright.home import Home
from keywright.metadata import read_keywords
from keywright.store import jobs
from keywright.store.database import Store
from keywright.store.jobs import MOST_TRIES, JobState, JobStateError
from keywright_plugin.values import DecisionMade, HostReport, Photo, PhotoRef
from service.kit import Raw, running


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(Home(tmp_path / "home"))


def test_a_job_like_one_that_waits_is_that_one(store: Store) -> None:
    with store.write() as connection:
        first = jobs.add_job(connection, "embed", {"photos": [1]})
        assert jobs.add_job(connection, "embed", {"photos": [1]}).id == first.id
        assert jobs.add_job(connection, "embed", {"photos": [2]}).id != first.id
        jobs.take_job(connection)
        assert jobs.add_job(connection, "embed", {"photos": [1]}).id != first.id


def test_jobs_are_begun_in_the_order_they_came(store: Store) -> None:
    with store.write() as connection:
        numbers = [jobs.add_job(connection, "embed", {"photos": [n]}).id for n in range(3)]
        assert [job.id for job in iter(lambda: jobs.take_job(connection), None)] == numbers


def test_a_job_that_kills_its_worker_is_given_up_after_some_tries(store: Store) -> None:
    with store.write() as connection:
        number = jobs.add_job(connection, "embed", {}).id
        for _ in range(MOST_TRIES):
            connection.execute(jobs.jobs.update().values(not_before=None))
            assert jobs.take_job(connection) is not None
            jobs.put_back(connection, number, "The worker ended.")
        assert jobs.get_job(connection, number).state is JobState.FAILED
        assert jobs.take_job(connection) is None


def test_each_try_waits_longer_than_the_one_before(store: Store) -> None:
    waits = []
    with store.write() as connection:
        number = jobs.add_job(connection, "embed", {}).id
        for _ in range(MOST_TRIES - 1):
            connection.execute(jobs.jobs.update().values(not_before=None))
            jobs.take_job(connection)
            jobs.put_back(connection, number, "The worker ended.")
            assert jobs.take_job(connection) is None
            waits.append(jobs.get_job(connection, number).not_before or "")
    assert waits == sorted(waits)


def test_being_interrupted_with_the_whole_bridge_is_not_counted_as_a_try(store: Store) -> None:
    with store.write() as connection:
        number = jobs.add_job(connection, "embed", {}).id
        for _ in range(20):
            assert jobs.take_job(connection) is not None
            assert jobs.put_back_interrupted(connection) == [number]
        assert jobs.get_job(connection, number).tries == 0


def test_only_what_has_not_ended_is_cancelled_and_only_what_failed_is_tried_again(store: Store) -> None:
    with store.write() as connection:
        number = jobs.add_job(connection, "embed", {}).id
        with pytest.raises(JobStateError):
            jobs.retry_job(connection, number)
        assert jobs.cancel_job(connection, number).state is JobState.CANCELLED
        with pytest.raises(JobStateError):
            jobs.cancel_job(connection, number)
        assert jobs.retry_job(connection, number).state is JobState.PENDING


def test_jobs_long_ended_are_forgotten(store: Store) -> None:
    with store.write() as connection:
        for n in range(jobs.KEPT + 5):
            jobs.end_job(connection, jobs.add_job(connection, "embed", {"n": n}).id, JobState.COMPLETED)
        jobs.add_job(connection, "embed", {})
        assert len(jobs.list_jobs(connection, JobState.COMPLETED, limit=5000)) == jobs.KEPT


def find(bridge: Raw, path: Path) -> Photo:
    found = bridge.client.find_photos([PhotoRef(path=str(path))])[0]
    assert isinstance(found, Photo), found
    return found


def test_registering_a_folder_learns_it_and_new_photos_get_suggestions(tmp_path: Path) -> None:
    make_library(tmp_path / "library")
    with running(tmp_path / "home") as bridge:
        client = bridge.client
        catalog = client.add_catalog(str(tmp_path / "library"))
        assert catalog.job is not None
        stages: list[str] = []
        job = client.wait(catalog.job, lambda j: stages.append(j.stage))
        assert (job.state, job.error) == ("completed", None)
        assert job.result is not None
        assert job.result["photos"] == 98
        assert bridge.send("GET", f"/v1/catalogs/{catalog.id}").json["changed"] is False

        new = tmp_path / "library" / "2023" / "At home" / "NEW.jpg"
        with Image.open(tmp_path / "library" / "2023" / "At home" / "CHEL_0009.jpg") as cat:
            cat.rotate(2).save(new)
        photo = find(bridge, new)
        waiting = client.suggest([photo.id])
        assert [one.state for one in waiting.photos] == ["waiting"]
        assert waiting.job is not None
        assert client.wait(waiting.job).state == "completed"
        assert client.suggest([photo.id], min_confidence=0.5).photos[0].suggestions[0].keyword == "Animals|Cat"
        assert bridge.send("GET", f"/v1/catalogs/{catalog.id}").json["changed"] is True


def test_the_events_of_a_job_end_with_its_end(learned: Raw, library: Path) -> None:
    number = learned.send("POST", "/v1/jobs/embed", {"photos": [1, 2, 3]}).json["id"]
    answer = learned.send("GET", f"/v1/jobs/{number}/events", timeout=60)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = [line.removeprefix("data: ") for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    assert json.loads(events[-1])["state"] == "completed"
    assert json.loads(events[-1])["result"]["known"] == 3
    del library


def test_a_job_that_cannot_be_done_fails_with_its_sentence(bridge: Raw, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "bare" / "a.jpg")
    catalog = bridge.client.add_catalog(str(tmp_path / "bare"))
    assert catalog.job is not None
    job = bridge.client.wait(catalog.job)
    assert job.state == "failed"
    assert "nothing to learn" in str(job.error)


def test_a_jpeg_that_a_host_sends_is_embedded_instead_of_the_photo_it_cannot_read(
    learned: Raw, library: Path, tmp_path: Path
) -> None:
    own = tmp_path / "raws"
    own.mkdir()
    (own / "broken.cr2").write_bytes(b"II*\x00no raw file at all")
    Image.new("RGB", (64, 64), "teal").save(own / "a.jpg")
    learned.client.wait(learned.client.add_catalog(str(own), learn=False).job or 0)
    photo = find(learned, own / "broken.cr2")
    assert learned.client.suggest([photo.id]).photos[0].state == "failed"
    sent = io.BytesIO()
    with Image.open(library / "2023" / "At home" / "CHEL_0009.jpg") as cat:
        cat.save(sent, "JPEG")
    job = learned.client.wait(learned.client.send_rendition(photo.id, sent.getvalue()))
    assert job.state == "completed"
    assert learned.client.suggest([photo.id], min_confidence=0.5).photos[0].suggestions[0].keyword == "Animals|Cat"


def test_accepted_keywords_are_planned_written_listed_and_taken_back(
    learned: Raw, library: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(library / "2023" / "At home" / "CHEL_0009.jpg", own / "cat.jpg")
    before = (own / "cat.jpg").read_bytes()
    client = learned.client
    client.wait(client.add_catalog(str(own), learn=False).job or 0)
    client.decide([DecisionMade(find(learned, own / "cat.jpg").id, "Animals|Cat", "accepted", 0.9)])

    plan = client.wait(learned.send("POST", "/v1/write-backs/plan", {}).json["id"])
    assert plan.result is not None
    assert [(w["where"], w["add"]) for w in plan.result["writes"]] == [(str(own / "cat.jpg"), ["Animals|Cat"])]
    assert (own / "cat.jpg").read_bytes() == before

    written = client.wait(client.apply().id)
    assert written.result is not None
    batch = written.result["batch"]
    assert {str(k) for k in read_keywords(own / "cat.jpg").keywords} == {"Animals|Cat"}
    listed = learned.send("GET", "/v1/write-backs").json["batches"]
    assert [(b["id"], b["written"]) for b in listed] == [(batch, 1)]
    files = learned.send("GET", f"/v1/write-backs/{batch}").json["files"]
    assert [(f["where"], f["added"]) for f in files] == [(str(own / "cat.jpg"), ["Animals|Cat"])]

    assert client.wait(client.undo(batch).id).state == "completed"
    assert (own / "cat.jpg").read_bytes() == before


def test_lightroom_is_told_what_to_do_and_tells_what_it_did(learned: Raw, library: Path) -> None:
    photo = find(learned, library / "2023" / "At home" / "CHEL_0009.jpg")
    client = learned.client

    def pending() -> list[tuple[list[str], list[str]]]:
        return [(list(p.add), list(p.remove)) for p in client.pending(photo.catalog)]

    assert pending() == []
    client.decide([DecisionMade(photo.id, "Animals|Cat", "accepted")])
    assert pending() == [(["Animals|Cat"], [])]
    client.report([HostReport(photo.id, "Animals|Cat", "add", False, "The photo is locked.")])
    assert pending() == [(["Animals|Cat"], [])]
    client.report([HostReport(photo.id, "Animals|Cat", "add", True)])
    assert pending() == []
    client.decide([DecisionMade(photo.id, "Animals|Cat", "rejected")])
    assert pending() == [([], ["Animals|Cat"])]
    client.report([HostReport(photo.id, "Animals|Cat", "remove", True)])
    assert pending() == []


def test_lightroom_is_told_to_take_off_what_was_rejected_and_nothing_else(learned: Raw, library: Path) -> None:
    client = learned.client
    photos = (find(learned, path) for path in sorted(library.rglob("*.jpg")))
    photo, carried = next(
        (photo, one.keyword) for photo in photos for one in client.photo_keywords(photo.id) if one.state == "assigned"
    )

    def pending() -> list[tuple[list[str], list[str]]]:
        return [(list(p.add), list(p.remove)) for p in client.pending(photo.catalog)]

    client.decide([DecisionMade(photo.id, carried, "accepted")])
    client.decide([DecisionMade(photo.id, carried, "undecided")])
    client.decide([DecisionMade(photo.id, "Somewhere|Else", "rejected")])
    assert pending() == []
    client.decide([DecisionMade(photo.id, carried.upper(), "rejected")])
    assert pending() == [([], [carried])]
    client.decide([DecisionMade(photo.id, carried, "accepted")])
    assert pending() == []
    client.decide([DecisionMade(photo.id, carried, "rejected")])
    client.report([HostReport(photo.id, carried, "remove", False, "The catalog is busy.")])
    assert pending() == [([], [carried])]
    client.report([HostReport(photo.id, carried, "remove", True)])
    assert pending() == []
