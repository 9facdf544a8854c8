"""Every face of the bridge names who speaks for a suggestion, and marks keywords that the user does not have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from keywright.cli.watch import tell
from keywright_plugin.values import Photo, PhotoRef, Suggestion
from service.conftest import Learned, running_on_copy
from service.described import describer_says
from service.kit import Raw

BARE = "2023/At home/CHEL_0009.jpg"


@pytest.fixture
def described(learned_home: Learned, tmp_path: Path) -> Iterator[Raw]:
    """A bridge on a home where a describer has seen the cat, and something that is no keyword."""
    said = partial(describer_says, photo="CHEL_0009.jpg", words={"cat": 0.9, "whiskers": 1.0}, lists=True)
    with running_on_copy(learned_home.home, tmp_path, said) as found:
        yield found


@pytest.fixture
def photo(described: Raw, library: Path) -> Photo:
    (found,) = described.client.find_photos([PhotoRef(path=str(library / BARE))])
    assert isinstance(found, Photo)
    return found


def suggested(bridge: Raw, photo: Photo) -> dict[str, Suggestion]:
    return {one.keyword: one for one in bridge.client.suggest([photo.id]).photos[0].suggestions}


def test_a_front_end_is_told_who_speaks_for_a_suggestion_and_what_is_new(described: Raw, photo: Photo) -> None:
    found = suggested(described, photo)
    assert found["Animals|Cat"].sources[0] == "vision"
    assert not found["Animals|Cat"].new
    assert (found["whiskers"].sources, found["whiskers"].new) == (("vision",), True)


def test_a_photos_keywords_tell_it_of_the_suggested_ones(described: Raw, photo: Photo) -> None:
    found = {one.keyword: one for one in described.client.photo_keywords(photo.id)}
    assert found["Animals|Cat"].sources[0] == "vision"
    assert (tuple(found["whiskers"].sources), found["whiskers"].new) == (("vision",), True)
    described.client.give_keywords(photo.id, ["whiskers"])
    (given,) = (one for one in described.client.photo_keywords(photo.id) if one.keyword == "whiskers")
    assert (given.state, tuple(given.sources), given.new) == ("accepted", (), False)


def test_the_reviews_lists_tell_it(described: Raw, photo: Photo) -> None:
    (shown,) = described.send("POST", "/v1/review/photos", {"photos": [photo.id]}).json["photos"]
    found = {one["keyword"]: (one["sources"], one["new"]) for one in shown["keywords"]}
    assert found["whiskers"] == (["vision"], True)
    assert found["Animals|Cat"][0][0] == "vision"
    waiting = described.send("GET", "/v1/review/keywords").json["keywords"]
    assert [one["keyword"] for one in waiting if one["new"]] == ["whiskers"]


def test_watching_a_folder_tells_it(described: Raw, photo: Photo, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = described.client.suggest([photo.id]).photos
    tell(photo, found, as_json=False)
    told = capsys.readouterr().out
    assert "whiskers   seen by vision, new keyword\n" in told
    assert "Animals|Cat   like CHEL_" in told
    tell(photo, found, as_json=True)
    line = json.loads(capsys.readouterr().out)
    by_keyword = {one["keyword"]: one for one in line["suggestions"]}
    assert by_keyword["whiskers"]["sources"] == ["vision"]
    assert by_keyword["whiskers"]["new"]
    assert by_keyword["Animals|Cat"]["because"]
