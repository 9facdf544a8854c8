"""A folder of photos becomes vectors, in order, whatever is wrong with some of them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from keywright.encoders.base import Encoded
from keywright.encoders.bench import measure
from keywright.encoders.pipeline import EmbeddedPhoto, FailedPhoto, embed_files
from keywright.errors import KeywrightError
from keywright.renditions.base import Crop, Pixels, View


class ColourEncoder:
    """A real encoder of one idea: a photo's vector is its mean colour."""

    id = "mean-colour"
    dimension = 3
    view = View(Crop.SQUASH, 32)

    def __init__(self, simultaneous: int = 1) -> None:
        self.simultaneous = simultaneous
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()

    def encode(self, pixels: Sequence[Pixels]) -> Encoded:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        means = np.array([picture.mean(axis=(0, 1)) for picture in pixels], np.float32)
        norms = np.linalg.norm(means, axis=1).astype(np.float32)
        with self._lock:
            self.at_once -= 1
        return Encoded((means / norms[:, None]).astype(np.float32), norms)

    def class_names(self) -> Sequence[str]:
        return ()

    def class_probabilities(self, encoded: Encoded) -> NDArray[np.float32]:
        return np.empty((len(encoded.vectors), 0), np.float32)


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Thirty photos from red to blue, of three formats, two of them damaged."""
    files = []
    for number in range(30):
        file = tmp_path / f"{number:02}.{('jpg', 'png', 'tif')[number % 3]}"
        Image.new("RGB", (64, 48), (240 - 8 * number, 10, 8 * number + 4)).save(file)
        files.append(file)
    files[7].write_bytes(b"no picture")
    files[11].write_bytes(files[11].read_bytes()[:200])  # a TIFF, decoded in a worker process
    return files


@pytest.mark.parametrize("simultaneous", [1, 2])
def test_results_come_in_order_and_failures_are_told_in_their_place(photos: list[Path], simultaneous: int) -> None:
    results = list(embed_files(photos, ColourEncoder(simultaneous), batch=4))
    assert [(result.index, result.path) for result in results] == list(enumerate(photos))
    failed = {result.index: result.reason for result in results if isinstance(result, FailedPhoto)}
    assert set(failed) == {7, 11}
    assert all(str(photos[index]) in reason for index, reason in failed.items())
    blues = [result.vector[2] for result in results if isinstance(result, EmbeddedPhoto)]
    assert blues == sorted(blues)


def test_each_photo_has_its_own_norm(photos: list[Path]) -> None:
    (first,) = embed_files(photos[:1], ColourEncoder())
    assert isinstance(first, EmbeddedPhoto)
    assert first.norm == pytest.approx(np.linalg.norm([240, 10, 4]), rel=0.02)


def test_an_encoder_is_never_called_more_often_at_once_than_it_allows(photos: list[Path]) -> None:
    encoder = ColourEncoder(simultaneous=1)
    list(embed_files(photos * 4, encoder, threads=6, batch=1))
    assert encoder.most_at_once == 1


def test_cancelling_ends_early_and_keeps_what_was_done(photos: list[Path]) -> None:
    done: list[int] = []
    for result in embed_files(photos * 20, ColourEncoder(), batch=2, cancel=lambda: len(done) >= 6):
        done.append(result.index)
    assert done == list(range(len(done)))
    assert 6 <= len(done) < 20


def test_a_long_list_is_read_only_a_little_ahead(photos: list[Path]) -> None:
    taken = 0

    def endless() -> Path:
        nonlocal taken
        taken += 1
        return photos[0]

    results = embed_files(iter(endless, None), ColourEncoder(), threads=2, batch=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert taken <= 2 * 2 * 4


def test_it_works_from_a_thread_of_a_service(photos: list[Path]) -> None:
    found: list[int] = []
    thread = threading.Thread(
        target=lambda: found.extend(result.index for result in embed_files(photos, ColourEncoder()))
    )
    thread.start()
    thread.join()
    assert found == list(range(len(photos)))


def test_no_photos_give_no_results() -> None:
    assert list(embed_files([], ColourEncoder())) == []


def test_an_encoder_that_fails_is_not_hidden(photos: list[Path]) -> None:
    class Broken(ColourEncoder):
        def encode(self, pixels: Sequence[Pixels]) -> Encoded:
            raise ArithmeticError(f"out of order at {len(pixels)} photos")

    with pytest.raises(ArithmeticError, match="out of order"):
        list(embed_files(photos, Broken()))


def test_the_benchmark_counts_all_photos_and_those_without_a_picture(photos: list[Path]) -> None:
    speed = measure(photos, ColourEncoder(2))
    assert (speed.photos, speed.failed) == (30, 2)
    assert speed.limit == pytest.approx(speed.cores / (speed.decode_seconds + speed.encode_seconds))
    assert speed.ratio == pytest.approx(speed.reached / speed.limit)
    assert any("of the limit" in line for line in speed.lines())


def test_the_benchmark_says_when_there_is_nothing_to_measure(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(KeywrightError, match="None of the photos gives a picture"):
        measure([tmp_path / "a.jpg"], ColourEncoder())
