"""Weights come over the network whole, or not at all: a real server that cuts off, lies, or cannot go on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from encoders.file_server import Server, serving
from keywright.encoders.base import EncoderError
from keywright.encoders.clip_catalogue import clip_model
from keywright.encoders.downloading import DownloadStoppedError, Remote, download
from keywright.home import Home
from keywright.operations.pulling import offered, require_name

CONTENT = bytes(range(256)) * 20_000  # five megabytes


@pytest.fixture
def server() -> Iterator[Server]:
    with serving({"/w": CONTENT}) as running:
        yield running


def remote(server: Server, content: bytes = CONTENT) -> Remote:
    return Remote(f"{server.url}/w", len(content), hashlib.sha256(content).hexdigest())


def fetched(server: Server, target: Path, told: list[int] | None = None) -> None:
    told = [] if told is None else told
    download(remote(server), target, told.append, lambda: False, wait=0)


def test_a_download_that_is_cut_off_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.cut_after = 2_000_000
    told: list[int] = []
    fetched(server, tmp_path / "w", told)
    assert (tmp_path / "w").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=2000000-", "bytes=4000000-"]
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)
    assert [file.name for file in tmp_path.iterdir()] == ["w"]


def test_a_stopped_download_goes_on_at_the_next_try(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadStoppedError, match="pull again to go on"):
        download(remote(server), tmp_path / "w", print, lambda: True, wait=0)
    there = (tmp_path / "w.part").stat().st_size
    assert 0 < there < len(CONTENT)
    fetched(server, tmp_path / "w")
    assert server.asked[-1] == f"bytes={there}-"
    assert (tmp_path / "w").read_bytes() == CONTENT


def test_a_server_that_cannot_go_on_sends_all_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "w.part").write_bytes(b"x" * 1000)
    server.ranges = False
    fetched(server, tmp_path / "w")
    assert (tmp_path / "w").read_bytes() == CONTENT


def test_what_is_there_already_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    fetched(server, tmp_path / "w")
    before = len(server.asked)
    fetched(server, tmp_path / "w")
    assert len(server.asked) == before


def test_what_does_not_match_its_checksum_is_removed(server: Server, tmp_path: Path) -> None:
    server.files["/w"] = CONTENT[:-1] + b"!"
    with pytest.raises(EncoderError, match="not what its checksum promises"):
        fetched(server, tmp_path / "w")
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_always_cuts_off_is_given_up_and_what_came_is_kept(server: Server, tmp_path: Path) -> None:
    server.cut_after = 0
    (tmp_path / "w.part").write_bytes(CONTENT[:1000])
    with pytest.raises(EncoderError, match="cut off again and again"):
        fetched(server, tmp_path / "w")
    assert (tmp_path / "w.part").read_bytes() == CONTENT[:1000]


def test_what_is_not_there_is_said_at_once(server: Server, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="the server says 404"):
        download(Remote(f"{server.url}/gone", 5, None), tmp_path / "w", print, lambda: False)
    assert len(server.asked) == 0


def test_models_are_found_by_name_whatever_the_case() -> None:
    found = clip_model("vit-b-32")
    assert found is not None
    assert found.licence == "MIT"
    assert clip_model("nothing") is None


def test_an_offer_names_size_licence_accuracy_and_speed_and_an_unknown_name_what_there_is(tmp_path: Path) -> None:
    offer = offered(Home(tmp_path), "mobileclip2-s0")
    assert (offer.model.name, offer.here, offer.measured) == ("MobileCLIP2-S0", False, False)
    assert "no commercial use" in offer.model.licence
    assert offer.photos_per_second > 0
    with pytest.raises(EncoderError, match=r"under the name 'x'; there are MobileCLIP2-S0, .* comes with --from"):
        offered(Home(tmp_path), "x")


@pytest.mark.parametrize("name", ["standard", "", "..", ".hidden", "a/b", "a b"])
def test_a_name_that_is_no_folder_or_a_level_is_refused(name: str) -> None:
    with pytest.raises(EncoderError, match="cannot be an encoder's name"):
        require_name(name)
