"""The benchmark puts encoders and runtimes side by side, each measured in a process of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import skimage

from keywright.encoders import LEVELS
from keywright.encoders.comparing import compared, open_through, present
from keywright.errors import KeywrightError


def test_each_encoder_is_measured_through_each_runtime_with_its_own_memory(tmp_path: Path) -> None:
    photo = Path(skimage.__file__).parent / "data" / "chelsea.png"
    paths = [Path(shutil.copy(photo, tmp_path / f"{number}.png")) for number in range(3)]
    told: list[tuple[int, int]] = []
    speeds = compared(paths, [LEVELS["fast"]], None, lambda done, total: told.append((done, total)))
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
    with pytest.raises(KeywrightError, match="None of the encoders could be measured"):
        compared([tmp_path / "a.jpg"], [LEVELS["fast"]], None, print)


def test_through_torch_an_encoder_gives_nearly_the_same_vectors(tmp_path: Path) -> None:
    from keywright.encoders.probing import least_cosine, probe

    pixels = list(probe(96))
    one, other = (open_through(LEVELS["fast"], runtime, tmp_path, None) for runtime in ("ONNX Runtime", "torch"))
    assert least_cosine(one.encode(pixels).vectors, other.encode(pixels).vectors) > 0.97
