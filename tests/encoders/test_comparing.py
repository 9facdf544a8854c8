"""The benchmark puts encoders and runtimes side by side, each measured in a process of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import skimage

from keywright.encoders import LEVELS
from keywright.encoders.comparing import compared, open_through, present
from keywright.encoders.pulling import pull_from_folder
from keywright.errors import KeywrightError


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    photo = Path(skimage.__file__).parent / "data" / "chelsea.png"
    return [Path(shutil.copy(photo, tmp_path / f"{number}.png")) for number in range(3)]


def test_each_encoder_is_measured_through_each_runtime_with_its_own_memory(photos: list[Path]) -> None:
    told: list[tuple[int, int]] = []
    runs = compared(photos, [LEVELS["fast"]], None, lambda done, total: told.append((done, total)))
    assert [(run.encoder_id, run.runtime, run.error) for run in runs] == [
        (LEVELS["fast"], "ONNX Runtime", None),
        (LEVELS["fast"], "torch", None),
    ]
    speeds = [run.speed for run in runs if run.speed is not None]
    assert [speed.runs_on for speed in speeds] == ["ONNX Runtime, integers", "torch"]
    assert all((speed.photos, speed.failed) == (3, 0) and speed.reached > 0 for speed in speeds)
    assert all(
        speed.limit == pytest.approx(speed.cores / (speed.decode_seconds + speed.encode_seconds)) for speed in speeds
    )
    assert told == [(0, 2), (1, 2), (2, 2)]


def test_the_levels_that_are_installed_are_there_to_be_measured(tmp_path: Path) -> None:
    assert set(present(tmp_path)) == set(LEVELS.values())


def test_photos_that_give_no_picture_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(KeywrightError, match="None of the encoders could be measured: None of the photos gives a pict"):
        compared([tmp_path / "a.jpg"], [LEVELS["fast"]], None, print)


def test_what_does_not_run_is_named_and_the_memory_of_a_clip_is_that_of_its_runtime(
    tmp_path: Path, photos: list[Path]
) -> None:
    from encoders.tiny_clip import make_tiny_clip

    source = make_tiny_clip(tmp_path / "tiny")
    whole = pull_from_folder("whole", source, tmp_path / "encoders", "", "")
    damaged = pull_from_folder("damaged", source, tmp_path / "encoders", "", "")
    (tmp_path / "encoders" / "damaged" / damaged.weights).unlink()
    runs = compared(photos, [damaged.id, whole.id], tmp_path / "encoders", print)
    assert [(run.encoder_id, run.runtime) for run in runs if run.speed is None] == [
        (damaged.id, "ONNX Runtime"),
        (damaged.id, "torch"),
    ]
    assert all("encoder damaged lacks its file" in str(run.error) for run in runs[:2])
    onnx, torch = (run.speed for run in runs[2:])
    assert onnx is not None
    assert torch is not None
    assert (onnx.encoder_id, onnx.runs_on) == (whole.id, "ONNX Runtime")
    assert (torch.encoder_id, torch.runs_on) == (whole.id, "torch on cpu, float32")
    if onnx.peak_memory is not None and torch.peak_memory is not None:  # else the system does not tell
        # Neither torch nor what exported the graph counts: that was done before, in another process.
        assert 2 * onnx.peak_memory < torch.peak_memory


def test_a_fine_tuned_encoder_is_measured_through_torch_too(tmp_path: Path) -> None:
    from keywright.encoders.builtin import BUILTIN
    from keywright.encoders.efficientnet_lite import load_network
    from keywright.encoders.lite_graphs import package_of
    from keywright.encoders.probing import least_cosine, probe
    from keywright.encoders.tunable import About, keep_lite
    from keywright.encoders.weights import weights_file

    name, pixels = "efficientnet-lite0", list(probe(96))
    network = load_network(name, weights_file(package_of(name)))
    kept = keep_lite(tmp_path / "encoders", "mine", BUILTIN[LEVELS["fast"]], {name: network}, pixels, About("", "", {}))
    one, other = (
        open_through(kept.id, runtime, tmp_path, tmp_path / "encoders") for runtime in ("ONNX Runtime", "torch")
    )
    assert (one.id, other.id) == (kept.id, kept.id)
    assert least_cosine(one.encode(pixels).vectors, other.encode(pixels).vectors) > 0.97


def test_through_torch_an_encoder_gives_nearly_the_same_vectors(tmp_path: Path) -> None:
    from keywright.encoders.probing import least_cosine, probe

    pixels = list(probe(96))
    one, other = (open_through(LEVELS["fast"], runtime, tmp_path, None) for runtime in ("ONNX Runtime", "torch"))
    assert least_cosine(one.encode(pixels).vectors, other.encode(pixels).vectors) > 0.97
