"""Weights come over the network whole, or not at all: a real server that cuts off, lies, or cannot go on."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keywright.encoders.base import EncoderError
from keywright.encoders.clip_catalogue import ClipModel, clip_model
from keywright.encoders.downloading import DownloadStoppedError, Remote, download
from keywright.encoders.pulling import CONFIG, pull_from_hub
from keywright.home import Home
from keywright.operations.pulling import offered, require_name

CONTENT = bytes(range(256)) * 20_000  # five megabytes


class Server(ThreadingHTTPServer):
    """Serves files; ``cut_after`` bytes of an answer it hangs up; without ``ranges`` it sends all each time."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.cut_after: int | None = None
        self.ranges = True
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        end = None if self.server.cut_after is None else start + self.server.cut_after
        self.wfile.write(content[start:end])

    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture
def server() -> Iterator[Server]:
    with Server({"/w": CONTENT}) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


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


def test_a_model_is_pulled_from_the_hub_at_one_revision(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.dumps({"model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": 64}}}).encode()
    tree = [
        {"path": CONFIG, "size": len(config)},
        {"path": "README.md", "size": 3},
        {"path": "open_clip_pytorch_model.bin", "size": 9, "lfs": {"oid": "0" * 64, "size": 9}},
        {
            "path": "open_clip_model.safetensors",
            "size": 130,
            "lfs": {"oid": hashlib.sha256(CONTENT).hexdigest(), "size": len(CONTENT)},
        },
    ]
    server.files = {
        "/api/models/o/m/revision/main": json.dumps({"sha": "abc"}).encode(),
        "/api/models/o/m/tree/abc": json.dumps(tree).encode(),
        f"/o/m/resolve/abc/{CONFIG}": config,
        "/o/m/resolve/abc/open_clip_model.safetensors": CONTENT,
    }
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    stages: list[tuple[str, int, int | None]] = []
    model = ClipModel("m", "o/m", 5, "MIT", 60.0, 1.0, "a test")
    kept = pull_from_hub(model, tmp_path, lambda *told: stages.append(told), lambda: False)
    assert (kept.dimension, kept.size, kept.licence) == (8, 64, "MIT")
    assert sorted(file.name for file in (tmp_path / "m").iterdir()) == [
        "keywright.json",
        CONFIG,
        "open_clip_model.safetensors",
    ]
    total = len(config) + len(CONTENT)
    assert stages[-1] == ("Downloading m", total, total)


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


@pytest.mark.parametrize("name", ["standard", "", "..", "a/b", "a b"])
def test_a_name_that_is_no_folder_or_a_level_is_refused(name: str) -> None:
    with pytest.raises(EncoderError, match="cannot be an encoder's name"):
        require_name(name)
