"""How a CLIP network runs best is found once, and what cannot run here never stops what can."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from encoders.clip_extra import clip_is_installed

if not clip_is_installed():
    pytest.skip("the extra [clip] is not installed", allow_module_level=True)

from encoders.tiny_clip import make_tiny_clip
from keywright.encoders import clip_fitting, open_encoder
from keywright.encoders.clip import ClipEncoder
from keywright.encoders.clip_fit import fit_file, graph_file, read_fit
from keywright.encoders.clip_fitting import best_batch
from keywright.encoders.kept import KeptEncoder
from keywright.encoders.probing import least_cosine, probe
from keywright.encoders.pulling import pull_from_folder
from keywright.renditions.base import Pixels

BROKEN = "meta"
"""A device of torch's own that takes weights, cannot compute with them, and does not give them back."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[KeptEncoder, Path]:
    folder = tmp_path_factory.mktemp("fitting")
    return pull_from_folder("tiny", make_tiny_clip(folder / "source"), folder / "encoders", "", ""), folder / "encoders"


def opened(kept: tuple[KeptEncoder, Path], cache: Path, only: str = "") -> ClipEncoder:
    return ClipEncoder(kept[0], kept[1] / "tiny", cache, only)


@pytest.mark.parametrize("device", [BROKEN, "cuda:99"])
def test_a_graphics_card_that_cannot_be_used_leaves_the_processor_to_do_it(
    kept: tuple[KeptEncoder, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    expected = opened(kept, tmp_path / "without", "torch")
    monkeypatch.setattr(clip_fitting, "best_device", lambda: device)
    for only in ("", "torch"):
        encoder = opened(kept, tmp_path / "with" / only, only)
        assert encoder.fit.device == "cpu"
        pixels = list(probe(32))
        assert least_cosine(expected.encode(pixels).vectors, encoder.encode(pixels).vectors) > 0.9999
        assert np.abs(encoder.encode_text(["dog"]) - expected.encode_text(["dog"])).max() < 1e-6


def test_a_fit_is_kept_where_the_processor_won_although_there_is_a_card(
    kept: tuple[KeptEncoder, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_fitting, "best_device", lambda: BROKEN)
    found = opened(kept, tmp_path, "torch").fit
    assert (found.runner, found.device) == ("torch", "cpu")
    assert read_fit(kept[0], tmp_path) == found
    monkeypatch.setattr(clip_fitting, "best_device", lambda: "another")
    assert read_fit(kept[0], tmp_path) is None  # what is there now was not tried


def test_half_precision_that_was_tried_leaves_no_trace(kept: tuple[KeptEncoder, Path]) -> None:
    import torch

    from keywright.encoders.clip_network import ClipNetwork

    network = ClipNetwork(kept[0], kept[1] / "tiny")
    before, words = network.photos(probe(32)), network.texts(["dog"])
    restore = network.restorer()
    network.moved("cpu", torch.float16)
    assert not np.array_equal(network.photos(probe(32)), before)
    network.moved(BROKEN, torch.bfloat16)
    restore()
    assert np.array_equal(network.photos(probe(32)), before)
    assert np.array_equal(network.texts(["dog"]), words)


def test_a_graph_that_was_damaged_is_made_anew(kept: tuple[KeptEncoder, Path], tmp_path: Path) -> None:
    first = opened(kept, tmp_path, "ONNX Runtime")
    graph_file(kept[0], tmp_path).write_bytes(b"no graph")
    again = opened(kept, tmp_path, "ONNX Runtime")
    pixels = list(probe(32))
    assert np.abs(again.encode(pixels).vectors - first.encode(pixels).vectors).max() < 1e-5


def test_a_cache_that_cannot_be_written_is_a_warning_and_the_encoder_runs(
    kept: tuple[KeptEncoder, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        encoder = opened(kept, tmp_path / "cache")
    assert encoder.encode(list(probe(32))).vectors.shape == (4, 24)
    (said,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "cannot be kept" in said
    assert "found anew" in said


def test_a_fit_that_was_cut_off_is_found_anew(kept: tuple[KeptEncoder, Path], tmp_path: Path) -> None:
    fit_file(kept[0], tmp_path).write_text('{"runner": "to')
    encoder = open_encoder("tiny", tmp_path, kept[1])
    assert isinstance(encoder, ClipEncoder)
    assert read_fit(kept[0], tmp_path) == encoder.fit


class NotOfRuntimeError(Exception):
    """As ONNX Runtime's errors are: of Exception alone."""


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        NotOfRuntimeError("Non-zero status code: Failed to allocate memory for requested buffer of size 1073741824"),
        NotOfRuntimeError("std::bad_alloc"),
        MemoryError("Unable to allocate 4.70 GiB for an array"),
    ],
)
def test_where_memory_ends_the_smaller_batches_hold(error: Exception) -> None:
    seen: list[int] = []

    def run(pixels: Pixels) -> np.ndarray:
        seen.append(len(pixels))
        if len(pixels) > 1:
            raise error
        return np.zeros((len(pixels), 3), np.float32)

    assert best_batch(run, 8)[0] == 1
    assert seen == [1, 1, 2]


def test_what_fails_for_another_reason_is_not_taken_for_full_memory() -> None:
    def run(pixels: Pixels) -> np.ndarray:
        if len(pixels) > 1:
            raise NotOfRuntimeError("the card fell off")
        return np.zeros((len(pixels), 3), np.float32)

    with pytest.raises(NotOfRuntimeError):
        best_batch(run, 8)
