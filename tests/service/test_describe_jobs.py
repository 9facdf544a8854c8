"""Having photos described through the API: a job, only by whom the user agreed to, and only in words of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from describing.server import keywords, serving
from keywright.describing.providers import Kind, Provider
from keywright.operations.describing import add
from keywright.store.providers import keep_provider
from keywright_plugin import ProblemError
from keywright_plugin.values import Photo, PhotoRef
from service.kit import Raw

BARE = "2023/At home/CHEL_0009.jpg"


def photo(bridge: Raw, library: Path) -> int:
    found = bridge.client.find_photos([PhotoRef(path=str(library / BARE))])[0]
    assert isinstance(found, Photo)
    return found.id


def test_a_photo_is_described_in_a_job_and_sent_once(learned: Raw, library: Path) -> None:
    with serving(keywords(cat=0.9)) as server:
        told = Provider("vision", Kind.OPENAI, server.url + "/v1", "llava:7b", seconds=60)
        add(learned.bridge.bridge.workspace, told, agreed=told.consent())
        client, number = learned.client, photo(learned, library)
        job = client.wait(client.describe("vision", [number]).id)
        assert (job.state, job.result and job.result["described"]) == ("completed", 1)
        assert [(d.name, d.agreed, d.calls) for d in client.describers()] == [("vision", True, 1)]
        again = client.wait(client.describe("vision", [number]).id)
        assert (again.result and again.result["known"], len(server.asked)) == (1, 1)
        assert "Animals|Cat" in {s.keyword for s in client.suggest([number]).photos[0].suggestions}


def test_nothing_is_sent_to_whom_the_user_has_not_agreed(learned: Raw, library: Path) -> None:
    with serving() as server:
        told = Provider("vision", Kind.OPENAI, server.url + "/v1", "llava:7b")
        with learned.bridge.bridge.workspace.store.write() as connection:
            keep_provider(connection, told, "")
        number = photo(learned, library)
        with pytest.raises(ProblemError, match="have not agreed"):
            learned.client.describe("vision", [number])
        with pytest.raises(ProblemError, match="no provider other"):
            learned.client.describe("other", [number])
        assert (learned.client.jobs(), server.asked) == ([], [])
