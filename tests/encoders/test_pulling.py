"""An encoder is pulled whole or not at all, and what is in use is never taken away by it: from a folder, from the hub.

The files are as open_clip keeps them; the weights are tensors of nothing, for nothing here runs them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from encoders.file_server import Server, serving
from keywright.encoders import DEFAULT_ENCODER, available_encoders, resolve_encoder
from keywright.encoders.base import EncoderError
from keywright.encoders.clip_catalogue import ClipModel
from keywright.encoders.kept import MANIFEST, KeptEncoder, kept_encoders, read_kept, sha256
from keywright.encoders.pulling import CONFIG, SUMS, pull_from_folder, pull_from_hub
from keywright.home import Home
from keywright.operations.progress import never, silent
from keywright.operations.pulling import pull_folder
from keywright.operations.workspace import Workspace
from keywright.store.models import add_version

SAFE, PICKLED = "open_clip_model.safetensors", "open_clip_pytorch_model.bin"
MODEL = ClipModel("m", "o/m", 5, "MIT", 60.0, 1.0, "a test")


def tensors(content: bytes) -> bytes:
    """A safetensors file that differs with its content."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(content)], "data_offsets": [0, len(content)]}}).encode()
    return len(header).to_bytes(8, "little") + header + content


def pickled(content: bytes) -> bytes:
    """As much of what torch saves as tells it from other files."""
    return b"PK\x03\x04" + content


def config(side: int = 64) -> bytes:
    return json.dumps({"model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": side}}}).encode()


def source_of(folder: Path, weights: bytes, name: str = SAFE, side: int = 64) -> Path:
    folder.mkdir(parents=True)
    (folder / CONFIG).write_bytes(config(side))
    (folder / name).write_bytes(weights)
    return folder


def pulled(source: Path, encoders: Path, needed: frozenset[str] = frozenset()) -> KeptEncoder:
    return pull_from_folder("mine", source, encoders, "", "", needed)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


# --- a name that is taken


def test_another_model_under_the_same_name_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    encoders = tmp_path / "encoders"
    first = pulled(source_of(tmp_path / "a", tensors(b"one")), encoders)
    second = pulled(source_of(tmp_path / "b", pickled(b"two"), PICKLED, 96), encoders)
    assert (first.weights, second.weights) == (SAFE, PICKLED)
    assert (second.id != first.id, second.size) == (True, 96)
    assert names(encoders / "mine") == {CONFIG, PICKLED, MANIFEST}
    assert names(encoders) == {"mine"}
    assert read_kept(encoders / "mine") == second


def test_weights_that_models_need_are_not_replaced_by_others(tmp_path: Path) -> None:
    encoders = tmp_path / "encoders"
    first = pulled(source_of(tmp_path / "a", tensors(b"one")), encoders)
    other = source_of(tmp_path / "b", tensors(b"two"))
    with pytest.raises(EncoderError, match=r"mine is here already with other weights.* take another name"):
        pulled(other, encoders, frozenset({first.id}))
    assert kept_encoders(encoders) == [first]
    assert sha256(encoders / "mine" / SAFE) == first.files[SAFE]
    assert names(encoders) == {"mine"}


def test_the_same_weights_are_pulled_again_over_damaged_files(tmp_path: Path) -> None:
    encoders, source = tmp_path / "encoders", source_of(tmp_path / "a", tensors(b"one"))
    first = pulled(source, encoders)
    (encoders / "mine" / SAFE).write_bytes(b"damaged")
    assert pulled(source, encoders, frozenset({first.id})) == first
    assert sha256(encoders / "mine" / SAFE) == first.files[SAFE]


def test_a_pull_that_fails_leaves_the_encoder_as_it_was(tmp_path: Path) -> None:
    encoders = tmp_path / "encoders"
    first = pulled(source_of(tmp_path / "a", tensors(b"one")), encoders)
    (source_of(tmp_path / "b", tensors(b"two")) / CONFIG).write_text("{}")
    with pytest.raises(EncoderError, match="does not describe an open_clip model"):
        pulled(tmp_path / "b", encoders)
    assert kept_encoders(encoders) == [first]
    assert names(encoders) == {"mine"}


def test_a_pull_that_was_killed_between_the_old_and_the_new_gives_the_old_back(tmp_path: Path) -> None:
    encoders = tmp_path / "encoders"
    first = pulled(source_of(tmp_path / "a", tensors(b"one")), encoders)
    (encoders / "mine").rename(encoders / ".mine.old")
    with pytest.raises(EncoderError, match="there is no"):
        pulled(tmp_path, encoders)
    assert kept_encoders(encoders) == [first]


def test_a_damaged_description_stops_no_other_encoder_and_says_what_to_do(tmp_path: Path) -> None:
    encoders = tmp_path / "encoders"
    lost = pulled(source_of(tmp_path / "a", tensors(b"one")), encoders)
    (encoders / "mine").rename(encoders / "broken")
    kept = pulled(source_of(tmp_path / "b", tensors(b"two")), encoders)
    (encoders / "broken" / MANIFEST).write_text("{")
    assert resolve_encoder("mine", encoders) == kept.id
    assert resolve_encoder("standard", encoders) == DEFAULT_ENCODER
    for name in ("broken", lost.id):
        with pytest.raises(EncoderError, match=r"broken cannot be read .*; remove the folder and pull it anew"):
            resolve_encoder(name, encoders)
    told = {info.level: info for info in available_encoders(encoders)}
    assert told["mine"].installed
    assert (told["broken"].installed, "remove the folder" in told["broken"].about) == (False, True)


def test_an_encoder_that_a_model_version_was_learned_with_is_needed(tmp_path: Path) -> None:
    with Workspace.open(Home(tmp_path / "home"), encoder="fast") as workspace:
        first = pull_folder(workspace, "mine", source_of(tmp_path / "a", tensors(b"one")))
        second = pull_folder(workspace, "mine", source_of(tmp_path / "b", tensors(b"two")))
        assert second.id != first.id  # nothing was learned with it
        with workspace.store.write() as connection:
            add_version(connection, second.id, {"models": b"some"}, {}, activate=False)
        with pytest.raises(EncoderError, match="model versions were learned with"):
            pull_folder(workspace, "mine", tmp_path / "a")
        assert kept_encoders(workspace.home.encoders) == [second]


# --- what a folder must hold


@pytest.mark.parametrize(
    "line",
    ["{sum}  ./{name}\n", "{sum} *{name}\n", "{SUM} *./{name}\r\n", "SHA256 ({name}) = {sum}\n", "{sum}  .\\{name}\n"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_checksums_are_believed_however_they_were_written(tmp_path: Path, line: str, encoding: str) -> None:
    source = source_of(tmp_path / "a", tensors(b"one"))
    right = sha256(source / SAFE)

    def told(digest: str) -> None:
        text = line.format(sum=digest, SUM=digest.upper(), name=SAFE)
        (source / SUMS).write_bytes(text.encode(encoding))

    told(right)
    assert pulled(source, tmp_path / "encoders").files[SAFE] == right
    told("0" * 64)
    with pytest.raises(EncoderError, match="is not what SHA256SUMS beside it says"):
        pulled(source, tmp_path / "encoders")


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"0123  open_clip_model.safetensors\n", b"\xff\xfe\x00"])
def test_checksums_that_say_nothing_of_the_weights_are_not_taken_for_a_check(tmp_path: Path, content: bytes) -> None:
    source = source_of(tmp_path / "a", tensors(b"one"))
    (source / SUMS).write_bytes(content)
    with pytest.raises(EncoderError, match=f"SHA256SUMS.*{SAFE}.*or remove"):
        pulled(source, tmp_path / "encoders")


@pytest.mark.parametrize("name", [SAFE, PICKLED])
@pytest.mark.parametrize(
    "content",
    [b"", b"<!DOCTYPE html><html>Sign in</html>", b"version https://git-lfs.github.com/spec/v1\noid"],
)
def test_a_web_page_or_a_pointer_under_the_weights_name_is_told_from_weights(
    tmp_path: Path, name: str, content: bytes
) -> None:
    source = source_of(tmp_path / "a", content, name)
    with pytest.raises(EncoderError, match=rf"{name} holds no weights.*download it anew"):
        pulled(source, tmp_path / "encoders")


# --- the hub


class Hub:
    """A hub with one model, as its interface describes it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.weights = tensors(bytes(range(256)) * 2000)
        self.row: dict[str, object] = {}
        self.state("first")

    def state(self, revision: str, **weights: object) -> None:
        self.row = {
            "path": SAFE,
            "size": 130,
            "lfs": {"oid": hashlib.sha256(self.weights).hexdigest(), "size": len(self.weights)},
        } | weights
        tree = [
            {"path": CONFIG, "size": len(config())},
            {"path": "README.md", "size": 3},
            {"path": PICKLED, "size": 9, "lfs": {"oid": "0" * 64, "size": 9}},
            {name: value for name, value in self.row.items() if value is not None},
        ]
        self.server.files = {
            "/api/models/o/m/revision/main": json.dumps({"sha": revision}).encode(),
            f"/api/models/o/m/tree/{revision}": json.dumps(tree).encode(),
            f"/o/m/resolve/{revision}/{CONFIG}": config(),
            f"/o/m/resolve/{revision}/{SAFE}": self.weights,
        }


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving({}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield Hub(server)


def from_hub(encoders: Path, needed: frozenset[str] = frozenset()) -> KeptEncoder:
    return pull_from_hub(MODEL, encoders, silent, never, needed)


def test_a_model_is_pulled_from_the_hub_at_one_revision(hub: Hub, tmp_path: Path) -> None:
    stages: list[tuple[str, int, int | None]] = []
    kept = pull_from_hub(MODEL, tmp_path, lambda *told: stages.append(told), never)
    assert (kept.dimension, kept.size, kept.licence) == (8, 64, "MIT")
    assert names(tmp_path / "m") == {MANIFEST, CONFIG, SAFE}
    assert names(tmp_path) == {"m"}
    total = len(config()) + len(hub.weights)
    assert stages[-1] == ("Downloading m", total, total)


def test_what_is_here_already_is_not_downloaded_again(hub: Hub, tmp_path: Path) -> None:
    first = from_hub(tmp_path)
    del hub.server.files[f"/o/m/resolve/first/{SAFE}"]
    assert from_hub(tmp_path, frozenset({first.id})) == first


def test_a_stopped_download_is_no_encoder_and_goes_on_the_next_time(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="pull again to go on"):
        pull_from_hub(MODEL, tmp_path, silent, lambda: True)
    assert kept_encoders(tmp_path) == []
    assert from_hub(tmp_path).files[SAFE] == hashlib.sha256(hub.weights).hexdigest()


def test_weights_that_moved_on_at_the_hub_do_not_take_away_what_models_need(hub: Hub, tmp_path: Path) -> None:
    first = from_hub(tmp_path)
    hub.weights = tensors(b"better")
    hub.state("second")
    del hub.server.files[f"/o/m/resolve/second/{SAFE}"]  # nothing is downloaded in vain
    with pytest.raises(EncoderError, match="m is here already with other weights"):
        from_hub(tmp_path, frozenset({first.id}))
    assert kept_encoders(tmp_path) == [first]
    hub.state("third")
    assert from_hub(tmp_path).id != first.id
    assert names(tmp_path) == {"m"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"lfs": None}, "no checksum"),
        ({"lfs": {"size": 5}}, "no checksum"),
        ({"lfs": {"oid": "../x", "size": 5}}, "no checksum"),
        ({"lfs": {"oid": "0" * 64}, "size": None}, "how large"),
        ({"lfs": "no", "size": "many"}, "how large"),
    ],
)
def test_a_hub_that_does_not_say_what_is_to_come_is_not_asked_for_it(
    hub: Hub, tmp_path: Path, answer: dict[str, object], words: str
) -> None:
    hub.state("first", **answer)
    with pytest.raises(EncoderError, match=rf"{words}.*{SAFE}"):
        from_hub(tmp_path)
    assert not list(tmp_path.glob(f"**/{SAFE}*"))
