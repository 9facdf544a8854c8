"""A file that crashes or hangs its decoder costs itself, and nothing else."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from keywright.renditions.base import Crop, RenditionError, View
from keywright.renditions.make import make_rendition
from keywright.renditions.renderer import DecoderProcess, Renderer, WorkerDiedError
from renditions.pictures import corners, difference, saved

VIEW = View(Crop.SQUASH, 96)


@pytest.fixture
def tiff(tmp_path: Path) -> Path:
    (tmp_path / "photo.tif").write_bytes(saved(corners(), "TIFF"))
    return tmp_path / "photo.tif"


def test_a_worker_gives_the_picture_that_decoding_here_gives(tiff: Path) -> None:
    with Renderer() as renderer:
        assert difference(renderer.rendition(tiff, VIEW).pixels, make_rendition(tiff, VIEW).pixels) == 0
        assert renderer.thumbnail(tiff, 48).pixels.shape == (32, 48, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent")
def test_a_decoder_that_is_stuck_is_ended_and_the_next_photo_is_read(tiff: Path) -> None:
    with Renderer(time_limit=1.0) as renderer:
        renderer.rendition(tiff, VIEW)
        worker = renderer._idle.get_nowait()
        os.kill(worker._process.pid, signal.SIGSTOP)  # as a decoder in an endless loop: alive, and no answer
        renderer._idle.put(worker)
        with pytest.raises(RenditionError, match=r"photo\.tif made its decoder crash"):
            renderer.rendition(tiff, VIEW)
        assert renderer.rendition(tiff, VIEW).pixels.shape == (96, 96, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent")
def test_a_decoder_that_crashes_is_one_refused_photo(tiff: Path) -> None:
    with Renderer() as renderer:
        renderer.rendition(tiff, VIEW)
        worker = renderer._idle.get_nowait()
        os.kill(worker._process.pid, signal.SIGSEGV)
        renderer._idle.put(worker)
        with pytest.raises(RenditionError, match=r"photo\.tif made its decoder crash"):
            renderer.rendition(tiff, VIEW)
        assert renderer.rendition(tiff, VIEW).pixels.shape == (96, 96, 3)


def test_a_damaged_file_is_refused_with_its_reason_and_the_worker_goes_on(tmp_path: Path, tiff: Path) -> None:
    (tmp_path / "cut.tif").write_bytes(tiff.read_bytes()[:500])
    with Renderer() as renderer:
        with pytest.raises(RenditionError, match=r"cut\.tif cannot be decoded as TIFF"):
            renderer.rendition(tmp_path / "cut.tif", VIEW)
        first = renderer._idle.queue[0]
        assert renderer.rendition(tiff, VIEW).pixels.shape == (96, 96, 3)
        assert renderer._idle.queue == [first]


def test_many_threads_share_a_renderer(tiff: Path) -> None:
    with Renderer() as renderer, ThreadPoolExecutor(3) as pool:
        pictures = list(pool.map(lambda _: renderer.rendition(tiff, VIEW).pixels, range(12)))
    assert all(difference(picture, pictures[0]) == 0 for picture in pictures)


def test_no_worker_is_left_behind(tiff: Path) -> None:
    with Renderer() as renderer:
        renderer.rendition(tiff, VIEW)
        worker = renderer._idle.queue[0]
    assert worker._process.poll() is not None


def test_a_worker_that_is_gone_says_so(tiff: Path) -> None:
    worker = DecoderProcess()
    worker.stop()
    with pytest.raises(WorkerDiedError):
        worker.ask({"path": str(tiff), "longest_side": 10}, 5)


def test_names_that_no_encoding_knows_reach_the_worker(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has file names that are no text")
    file = tmp_path / os.fsdecode(b"caf\xe9 \xff\n.tif")
    Image.new("RGB", (20, 20), "red").save(tmp_path / "plain.tif")
    (tmp_path / "plain.tif").rename(file)
    with Renderer() as renderer:
        assert renderer.thumbnail(file, 20).pixels.shape == (20, 20, 3)
